"""A past period told again from stored scores: as the sweeps told it, and by other rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FRIDAY, RULES, SATURDAY, WEST, at, deliver, lay, raised, set_clock, usual
from typer.testing import CliRunner

from detectors.panel import Scores
from warning.charts import calendar_chart
from warning.cli import app
from warning.errors import ConfigError, KapokError
from warning.graded import graded
from warning.jobs import take_in
from warning.model import Event, Level, SeriesKey
from warning.pipeline import sweep
from warning.ruleset import load_rules
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.tuning.comparing import Difference, Side, changed, differences
from warning.tuning.labels import Label, read_labels
from warning.tuning.rescoring import scores_for
from warning.tuning.retold import Retold, exactly, retell
from warning.tuning.summary import Share, by_labels, summary

DAYS = [FRIDAY + timedelta(days=n) for n in range(10)]
LAST = DAYS[-1]
MORNING = at(LAST + timedelta(days=1), "07:30")
HIGH = {(1, EAST): 36, (2, EAST): 36, (3, WEST): 10, (8, WEST): 12}  # day, place -> thefts more than usual


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Ten days, each swept on its morning: a red from Saturday on, a yellow or two."""
    folder = tmp_path_factory.mktemp("swept")
    with open_service(lay(folder)) as service:
        for n, day in enumerate(DAYS):
            deliver(folder, f"{day}.csv", values(n, day))
            now = at(day + timedelta(days=1), "07:30")
            set_clock(folder, now)
            take_in(service, now)
            sweep(service, day, now=now)
        yield service


def values(n: int, day: date) -> list[tuple[str, str, date, float]]:
    found = usual(day)
    for (when, place), extra in HIGH.items():
        found = raised(found, "thefts", place, extra) if when == n else found
    return found


def told(service: Service) -> Retold:
    return retell(service, scores_for(service, DAYS[0], LAST, now=MORNING).judged, DAYS[0], LAST)


def plain(events: list[Event] | tuple[Event, ...]) -> list[tuple[str, int, date, str, Level, Level, date]]:
    return [(e.alert, e.sequence, e.date, e.transition.value, e.before, e.after, e.known) for e in events]


def test_stored_scores_tell_the_alerts_of_the_sweeps(swept: Service) -> None:
    live = plain(alerts_of.events(swept.store))

    assert plain(told(swept).events) == live
    assert {Level.YELLOW, Level.RED} <= {event[5] for event in live}


def test_so_does_the_replay_of_each_day(swept: Service) -> None:
    again = exactly(swept, DAYS[0], LAST)

    assert plain(again.events) == plain(alerts_of.events(swept.store))
    assert again.signals.keys() == told(swept).signals.keys()
    assert {key: [s.rule for s in found] for key, found in again.signals.items()} == {
        key: [s.rule for s in found] for key, found in told(swept).signals.items()
    }


def test_what_is_calm_again_counts_as_handled(swept: Service) -> None:
    found = told(swept)

    (red,) = (alert for alert in found.alerts.values() if alert.peak is Level.RED)
    assert red.opened == SATURDAY
    assert found.calm_since(red.number) is not None  # and a person may have closed it


def test_days_nobody_swept_are_scored_as_the_sweeps_would_have(swept: Service, tmp_path: Path) -> None:
    with open_service(lay(tmp_path)) as never:
        for n, day in enumerate(DAYS):
            deliver(tmp_path, f"{day}.csv", values(n, day))
        take_in(never, MORNING)

        found = scores_for(never, DAYS[0], LAST, now=MORNING)

        assert found.anew
        for rule, one in scores_for(swept, DAYS[0], LAST, now=MORNING).judged.items():
            rows = -min(len(one.dates), 10 if one.way.frequency == "daily" else 1)
            for name in Scores.__dataclass_fields__:
                live, anew = (getattr(s.scores, name)[rows:] for s in (one, found.judged[rule]))
                np.testing.assert_allclose(anew, live, rtol=1e-12, err_msg=f"{rule} {name}")


def test_scores_made_anew_may_be_kept(tmp_path: Path) -> None:
    with open_service(lay(tmp_path)) as service:
        take_in(service, MORNING)
        period = FRIDAY - timedelta(days=30), FRIDAY - timedelta(days=1)

        made = scores_for(service, *period, now=MORNING, keep=True)
        again = scores_for(service, *period, now=MORNING)

    assert made.anew
    assert not again.anew
    for rule, one in made.judged.items():
        np.testing.assert_array_equal(one.scores.surprise, again.judged[rule].scores.surprise)


YELLOW = "yellow = { surprise = 3.0, extra = 3 }\norange"  # of ss_po.surge
BASELINE = "parameters = { baseline = 28 }"


def other(service: Service, old: str, new: str, folder: Path) -> Service:
    """The service with other rules."""
    (folder / "police.toml").write_text(RULES.replace(old, new), encoding="utf-8")
    return replace(service, rules=load_rules(folder, service.city))


def side(service: Service) -> Side:
    judged = scores_for(service, DAYS[0], LAST, now=MORNING).judged
    return Side(service.rules, graded(service, judged), retell(service, judged, DAYS[0], LAST))


def kinds(found: list[Difference]) -> set[str]:
    return {one.kind for one in found}


def test_the_same_rules_tell_nothing_otherwise(swept: Service) -> None:
    assert differences(side(swept), side(swept), swept.calendar) == []
    assert changed(swept.rules, swept.rules) == []


def test_a_higher_threshold_says_which_number_made_the_difference(swept: Service, tmp_path: Path) -> None:
    stricter = other(swept, YELLOW, YELLOW.replace("3.0", "3.9"), tmp_path)

    found = differences(side(swept), side(stricter), swept.calendar)

    gone = [one for one in found if one.kind == "gone"]
    assert gone
    for one in gone:
        assert one.signal is not None
        assert 3.0 <= one.signal.surprise < 3.9
        assert [(term.name, term.asked) for term in one.lacking] == [("surprise", 3.9)]
    assert kinds(differences(side(stricter), side(swept), swept.calendar)) >= {"new"}


def test_a_lower_peak_is_told_with_what_red_lacked(swept: Service, tmp_path: Path) -> None:
    calmer = other(swept, "red = { surprise = 6.0, extra = 9 }", "red = { surprise = 60.0, extra = 9 }", tmp_path)

    (one,) = (d for d in differences(side(swept), side(calmer), swept.calendar) if d.kind == "lower")

    assert (one.alert.place, one.level) == (EAST, Level.RED)
    assert [(term.name, term.asked) for term in one.lacking] == [("surprise", 60.0)]


def test_a_rule_that_is_gone_is_named_as_the_reason(swept: Service, tmp_path: Path) -> None:
    fewer = other(swept, 'indicators = ["thefts", "fires", "quarrels"]', 'indicators = ["fires", "quarrels"]', tmp_path)

    found = differences(side(swept), side(fewer), swept.calendar)

    assert {(one.kind, one.why) for one in found} == {("gone", "gone")}
    assert [one.keys[0][0] for one in changed(swept.rules, fewer.rules)] == ["indicators"] * 2


def test_a_longer_hold_ends_later(swept: Service, tmp_path: Path) -> None:
    shorter = other(swept, BASELINE, f"{BASELINE}\nlower_after = 1", tmp_path)

    assert "ends earlier" in kinds(differences(side(swept), side(shorter), swept.calendar))
    assert "ends later" in kinds(differences(side(shorter), side(swept), swept.calendar))


THEFTS = SeriesKey("thefts", EAST)


def test_a_summary_counts_what_was_told(swept: Service) -> None:
    events = alerts_of.events(swept.store)
    rises = [event for event in events if event.transition.value in ("opened", "raised")]

    found = summary(told(swept), ["ss_po.surge", "ss_po.slow", "ss_po.campus"], city=swept.city)

    assert sum(found.rises.values()) == len(rises)
    assert sum(sum(counts.values()) for counts in found.by_day.values()) == len(rises)
    assert sum(sum(of.rises.values()) for of in found.by_rule.values()) == len(rises)
    assert found.highest(SATURDAY) is Level.RED
    assert found.urgent(SATURDAY) >= 1
    assert found.right is None


def test_labels_say_what_was_right_and_how_early(swept: Service) -> None:
    labels = [
        Label("a", THEFTS, SATURDAY - timedelta(days=2), SATURDAY + timedelta(days=2)),
        Label("b", SeriesKey("fires", "01"), SATURDAY, SATURDAY),
    ]

    found = summary(told(swept), [], right=by_labels(labels, swept.city), labels=labels, city=swept.city)

    assert found.right is not None
    assert found.right[Level.RED] == Share(1, 1)
    assert found.right[Level.YELLOW].count == 0
    assert [(lead.label.name, lead.yellow, lead.orange) for lead in found.leads] == [("a", 2, 2), ("b", None, None)]


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.217),  # the table of Brown, Cai & DasGupta's Jeffreys interval: upper .2172 of n = 10
        (5, 10, 0.224, 0.776),
        (10, 10, 0.783, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_a_share_has_its_interval(count: int, of: int, low: float, high: float) -> None:
    assert Share(count, of).interval == pytest.approx((low, high), abs=0.001)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("thefts,0101,2026-11-22,2026-11-21", "first 2026-11-22 is after last 2026-11-21"),
        ("theft,0101,2026-11-20,2026-11-21", "did you mean 'thefts'?"),
        ("thefts,0109,2026-11-20,2026-11-21", "'0109' is not in places.csv"),
        ("thefts,0101,yesterday,2026-11-21", "row 2, first"),
    ],
)
def test_a_wrong_label_is_named(swept: Service, tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(f"indicator,place,first,last\n{row}\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="problem") as refusal:
        read_labels(tmp_path / "labels.csv", swept.city)

    assert said in str(refusal.value)


def test_a_break_is_no_event(swept: Service, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "kind,indicator,place,first,last\nbreak,thefts,01,2026-01-01,2026-11-21\nstep,fires,0101,2026-01-01,2026-01-02\n",
        encoding="utf-8",
    )

    assert [label.key.indicator for label in read_labels(tmp_path / "l.csv", swept.city)] == ["fires"]


def ask(service: Service, *words: str) -> str:
    config = str(service.config.file)
    result = CliRunner().invoke(app, [*words, "--config", config], env={"COLUMNS": "140"})
    assert result.exception is None or isinstance(result.exception, KapokError | SystemExit), result.exception
    return result.output if not isinstance(result.exception, KapokError) else str(result.exception)


PERIOD = ("--from", str(DAYS[0]), "--to", str(LAST))


def test_an_analyst_sees_what_rules_would_have_told(swept: Service, tmp_path: Path) -> None:
    said = ask(swept, "replay", *PERIOD, "--html", str(tmp_path / "page.html"))

    assert "ss_po.surge" in said
    assert "2026-11                    .R" in said
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "<script" not in page


def test_the_same_for_a_program(swept: Service) -> None:
    found = json.loads(ask(swept, "replay", *PERIOD, "--format", "json"))

    assert found["by_rule"]["ss_po.surge"]["rises"]["red"] == 1
    assert found["by_day"]["2026-11-21"]["red"] == 1


def test_day_by_day_tells_the_same(swept: Service) -> None:
    fast, exact = (json.loads(ask(swept, "replay", *PERIOD, "--format", "json", *more)) for more in ([], ["--exact"]))

    assert exact["by_day"] == fast["by_day"]


def test_an_analyst_sees_what_would_be_otherwise(swept: Service, tmp_path: Path) -> None:
    text = RULES.replace(YELLOW, YELLOW.replace("3.0", "3.9"))
    (tmp_path / "police.toml").write_text(text, encoding="utf-8")

    said = ask(swept, "rules", "diff", str(swept.config.path("rules")), str(tmp_path), *PERIOD)
    found = json.loads(ask(swept, "rules", "diff", str(tmp_path), *PERIOD, "--format", "json"))

    assert "不再有 gone" in said
    assert "< 3.9" in said
    assert {one["kind"] for one in found["alerts"]} >= {"new"}
    assert found["rules"][0]["keys"]["yellow"]["old"]["surprise"] == 3.9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("replay", "--from", "2026-11-30", "--to", "2026-11-20"), "lies after it", id="reversed"),
        pytest.param(("replay", "--from", "2026-11-20", "--to", "2027-01-01"), "is not over yet", id="not-over"),
        pytest.param(("replay", "--from", "2016-11-20", "--to", "2026-11-20"), "more than five years", id="too-long"),
        pytest.param(("replay", "--from", "2022-11-20", "--to", "2022-11-22"), "there is nothing to judge", id="empty"),
        pytest.param(("replay", *PERIOD, "--rules", "/nowhere"), "the folder has no rule files", id="no-folder"),
        pytest.param(("replay", *PERIOD, "--labels", "/nowhere.csv"), "the file is missing", id="no-labels"),
        pytest.param(("replay", *PERIOD, "--html", "/nowhere/page.html"), "cannot be written", id="no-place-to-write"),
        pytest.param(("rules", "diff", "/nowhere", *PERIOD), "the folder has no rule files", id="no-old-rules"),
    ],
)
def test_what_cannot_be_looked_at_is_said(swept: Service, words: tuple[str, ...], said: str) -> None:
    assert said in ask(swept, *words)


def test_a_calendar_needs_a_day() -> None:
    with pytest.raises(ValueError, match="has no days"):
        calendar_chart({}, LAST, DAYS[0])


def test_a_calendar_of_two_years_is_a_picture() -> None:
    found = calendar_chart({FRIDAY: (Level.RED, 3)}, date(2025, 1, 1), date(2026, 12, 31), simulated=True)

    assert found.startswith(b"\x89PNG")
