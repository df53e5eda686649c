"""Until when what is to be done, and that a text written later says it is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from test_grading import rule
from test_lifecycle import signal

from warning.calendar import Calendar
from warning.deadlines import RESPONSE, add_deadlines, deadlines
from warning.facts import Notes
from warning.grounds import add_to_do, to_do
from warning.model import Alert, Event, Level, Stage, Transition
from warning.paths import shipped
from warning.placecolour import PlaceColours
from warning.rule import Rule, Ruleset
from warning.service import load_deployment

NO_HOLIDAYS = Calendar((), (2026, 2026), "none")
FRIDAY = datetime.fromisoformat("2026-11-20T07:30:00+08:00")


def alert(active: Level, peak: Level | None = None, stage: Stage = Stage.RAISED) -> Alert:
    day = FRIDAY.date()
    return Alert("GZ-20261119-0001", "fraud", "440112", active, peak or active, stage, day, day, day)


def told(found: Alert, *, hours: float = 0.0) -> dict[str, str]:
    """Return what a text says that is written so many hours after the alert was opened."""
    opened = Event(found.number, 1, found.opened, FRIDAY, Transition.OPENED, Level.CALM, found.peak)
    due = deadlines(found, [opened], NO_HOLIDAYS, ZoneInfo("Asia/Shanghai"), FRIDAY + timedelta(hours=hours))
    notes = Notes("x")
    add_deadlines(notes, due)
    return {name: fact.text for name, fact in notes.facts.items()}


def test_red_counts_in_hours() -> None:
    found = told(alert(Level.RED))

    assert found == {
        "due_sign": "11月20日08:00",
        "due_verify": "11月20日09:30",
        "due_plan": "11月21日07:30",
        "due_next": "11月20日08:00前签收",
    }


def test_orange_counts_in_workdays() -> None:
    found = told(alert(Level.ORANGE))

    assert (found["due_verify"], found["due_plan"]) == ("11月23日07:30", "11月25日07:30")  # Monday, Wednesday


@pytest.mark.parametrize(
    ("hours", "late"),
    [
        pytest.param(0.5, None, id="at-the-very-instant-it-is-not"),
        pytest.param(0.6, "签收", id="not-acknowledged-in-time"),
        pytest.param(24, "签收、核实", id="a-day-later"),
        pytest.param(25, "签收、核实、反馈处置方案", id="all"),
    ],
)
def test_what_is_past_when_the_text_is_written_is_overdue(hours: float, late: str | None) -> None:
    assert told(alert(Level.RED), hours=hours).get("overdue") == late


def test_a_red_that_a_correction_shows_has_its_deadlines_from_then_on() -> None:
    found, zone, noon = alert(Level.RED), ZoneInfo("Asia/Shanghai"), FRIDAY + timedelta(hours=4)
    events = [
        Event(found.number, 1, found.opened, FRIDAY, Transition.OPENED, Level.CALM, Level.YELLOW),
        Event(found.number, 2, found.opened, noon, Transition.CORRECTED, Level.YELLOW, Level.RED, "因数据更正"),
    ]

    due = deadlines(found, events, NO_HOLIDAYS, zone, noon)

    assert due[0].until == noon + timedelta(minutes=30)


def test_what_is_done_is_neither_due_nor_overdue() -> None:
    found = told(alert(Level.RED, stage=Stage.ACKNOWLEDGED), hours=1)

    assert "due_sign" not in found
    assert "overdue" not in found
    assert found["due_next"] == "11月20日09:30前核实"


def test_one_that_fell_is_still_to_be_verified() -> None:
    assert told(alert(Level.CALM, Level.RED), hours=3)["overdue"] == "签收、核实"


def test_yellow_has_no_deadline() -> None:
    assert told(alert(Level.YELLOW)) == {}


def test_one_that_is_closed_has_none() -> None:
    assert told(alert(Level.CALM, Level.RED, Stage.CLOSED), hours=100) == {}


def history(*steps: tuple[float, Level]) -> list[Event]:
    """Return what happened to an alert: so many hours after it was opened, the level it had from then on."""
    events, before = [], Level.CALM
    for sequence, (hours, after) in enumerate(steps, start=1):
        rose = Transition.OPENED if sequence == 1 else Transition.RAISED
        why = rose if after > before else Transition.LOWERED
        at = FRIDAY + timedelta(hours=hours)
        events.append(Event("GZ-20261119-0001", sequence, at.date(), at, why, before, after))
        before = after
    return events


def due(*steps: tuple[float, Level]) -> list[str]:
    """Return until when an alert with such a history is to be acknowledged, verified and given a plan."""
    events = history(*steps)
    found = alert(events[-1].after, max(event.after for event in events))
    return [one.text for one in deadlines(found, events, NO_HOLIDAYS, ZoneInfo("Asia/Shanghai"), FRIDAY)]


RED = ["11月20日08:00", "11月20日09:30", "11月21日07:30"]  # half an hour, two, a day after Friday 07:30


@pytest.mark.parametrize(
    "falls",
    [
        pytest.param([Level.ORANGE], id="to-orange"),
        pytest.param([Level.ORANGE, Level.YELLOW], id="to-orange-then-yellow"),
        pytest.param([Level.YELLOW], id="to-yellow"),
        pytest.param([Level.CALM], id="to-calm"),
        pytest.param([Level.CALM, Level.YELLOW], id="to-calm-then-yellow-again"),
    ],
)
def test_a_red_that_falls_keeps_the_deadlines_of_red(falls: list[Level]) -> None:
    days = [(24.0 * n, level) for n, level in enumerate(falls, start=1)]

    assert due((0, Level.RED), *days) == RED


def test_a_calm_one_that_is_orange_again_has_a_new_clock() -> None:
    again = due((0, Level.RED), (24, Level.CALM), (96, Level.ORANGE))

    assert again == ["11月24日09:30", "11月25日07:30", "11月27日07:30"]  # Tuesday 07:30: 2 h, 1 and 3 workdays


def test_a_yellow_that_becomes_red_has_its_clock_from_then_on() -> None:
    assert due((-48, Level.YELLOW), (0, Level.RED)) == RED


def due_by(*rules: Rule, level: Level = Level.RED) -> dict[str, str]:
    """Return until when an alert is due that two rules hold up."""
    signals = tuple(signal(level, FRIDAY.date(), name) for name in ("a.one", "a.other"))
    found = replace(alert(level), evidence=signals)
    opened = Event(found.number, 1, found.opened, FRIDAY, Transition.OPENED, Level.CALM, level)
    due = deadlines(found, [opened], NO_HOLIDAYS, ZoneInfo("Asia/Shanghai"), FRIDAY, rules)
    return {one.name: f"{one.until:%d %H:%M}" for one in due}


def test_a_rule_may_give_other_times_and_leave_the_rest() -> None:
    found = due_by(rule(id="a.one", response={"red": {"sign": "10 min", "plan": "2 workdays"}}))

    assert found == {"sign": "20 07:40", "verify": "20 09:30", "plan": "24 07:30"}  # Tuesday, over the weekend


def test_of_several_rules_the_strictest_time_counts() -> None:
    slow, quick = {"red": {"sign": "3 h"}}, {"red": {"sign": "1 h", "verify": "1 h"}}

    assert due_by(rule(id="a.one", response=slow), rule(id="a.other", response=quick)) == {
        "sign": "20 08:30",
        "verify": "20 08:30",
        "plan": "21 07:30",
    }


def test_rules_that_are_no_evidence_say_nothing() -> None:
    assert due_by(rule(id="a.third", response={"red": {"sign": "1 min"}})) == due_by()


def test_a_rule_may_give_yellow_a_time() -> None:
    yellow = rule(id="a.one", response={"yellow": {"verify": "3 d"}})

    assert due_by(yellow, level=Level.YELLOW) == {"verify": "23 07:30"}


def test_the_shipped_defaults_are_those_of_the_service() -> None:
    deployment = load_deployment(shipped("config.toml"))

    assert {rule.response for rule in deployment.rules.rules} == {RESPONSE}


def test_every_shipped_rule_says_what_to_look_at() -> None:
    deployment = load_deployment(shipped("config.toml"))

    for one in deployment.rules.rules:
        assert 3 <= len(one.checks) <= 5, one.id
        assert not any(sign.isdigit() for check in one.checks for sign in check), one.id  # figures belong to facts
    assert len({one.checks for one in deployment.rules.rules}) == len(set(deployment.rules.files.values()))


def test_what_to_look_at_is_told_in_order() -> None:
    one = rule(id="a.one", checks=["先看口径", "再看时间"], departments=["教育局", "公安局"])
    notes = Notes("x")
    found = replace(alert(Level.RED), evidence=(signal(Level.RED, FRIDAY.date(), "a.one"),))

    add_to_do(notes, to_do(found, Ruleset((one,), PlaceColours(), "v")))

    assert {name: fact.text for name, fact in notes.facts.items()} == {
        "check_list": "①先看口径；②再看时间",
        "ask_too": "教育局、公安局",
    }
