"""What officers found of alerts, and the thresholds it speaks for: a curve, a choice, and a patch nobody applies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, RULES, SATURDAY, WEST, at, deliver, lay, raised, set_clock, usual
from test_grading import rule
from test_lifecycle import signal
from typer.testing import CliRunner

from warning.cli import app
from warning.errors import ConfigError, KapokError
from warning.finding import FOUND, REASONS, Finding, Found, checked_reason, found_of, last_of_each
from warning.jobs import take_in
from warning.model import Alert, Level, SeriesKey, Stage
from warning.paths import shipped
from warning.pipeline import sweep
from warning.positions import lines_of
from warning.rule import Rule
from warning.service import Service, open_service
from warning.sources.personal import checked_note
from warning.store import alert as alerts_of
from warning.store import finding as findings_of
from warning.tuning.patching import difference, patched
from warning.tuning.proposal import STEPS, Point, Proposal, proposal, with_more
from warning.tuning.summary import Share
from warning.tuning.trying import by_findings

NOW = at(SATURDAY, "09:00")
RIGHT = {1: False, 2: False, 3: True, 4: False, 5: True, 6: True}  # six alerts, numbered by their surprise * 2 - 5


def alert(number: int, surprise: float) -> Alert:
    """An alert of one day, each in a place of its own."""
    key = SeriesKey("thefts", f"{number:02d}")
    evidence = (replace(signal(Level.YELLOW, FRIDAY), surprise=surprise),)
    return Alert(
        f"LC-{number}", *key, Level.YELLOW, Level.YELLOW, Stage.RAISED, FRIDAY, FRIDAY, FRIDAY, evidence=evidence
    )


SIX = [alert(n, 2.5 + 0.5 * n) for n in RIGHT]  # surprises 3.0, 3.5, 4.0, 4.5, 5.0, 5.5


def told(asked: Rule) -> Iterator[Alert]:
    """Those of the six that are as surprising as a rule asks."""
    least = asked.yellow.surprise if asked.yellow is not None else None
    return (one for one in SIX if least is not None and one.evidence[0].surprise >= least)


def right(one: Alert) -> bool | None:
    return RIGHT[int(one.place)]


def points(found: Proposal) -> dict[float, Point]:
    return {point.more: point for point in found.curve}


def test_the_curve_of_six_alerts() -> None:
    found = points(proposal(rule(yellow={"surprise": 3.0}), told, right, weeks=2, per_week=9))

    # +0: all six, half of them right; +0.5: 3.5 to 5.5, three of five; +1: 4.0 on, three of four; +1.5: two of three
    assert [(found[more].right, found[more].kept) for more in (0, 0.5, 1.0, 1.5)] == [
        (Share(3, 6), Share(3, 3)),
        (Share(3, 5), Share(3, 3)),
        (Share(3, 4), Share(3, 3)),
        (Share(2, 3), Share(2, 3)),
    ]
    assert [found[more].per_week for more in (0, 1.0, 3.0)] == [3.0, 2.0, 0.0]
    assert found[0].load == pytest.approx((1.10, 6.53), abs=0.01)  # Garwood: 2.202 and 13.06 of six, by two weeks


@pytest.mark.parametrize(
    ("wanted", "more"),
    [
        pytest.param({"precision": 0.5}, 0.0, id="reached-already"),
        pytest.param({"precision": 0.7}, 0.75, id="the-least-step-that-reaches-it"),
        pytest.param({"per_week": 1.6}, 1.25, id="or-that-keeps-to-the-load"),
        pytest.param({"precision": 0.7, "per_week": 1.6}, 1.75, id="or-both"),
        pytest.param({"per_week": 0.0}, 2.75, id="down-to-none"),
    ],
)
def test_the_least_change_that_does_is_proposed(wanted: dict[str, float], more: float) -> None:
    many = {"per_week": 100.0, **wanted} if "per_week" not in wanted else wanted  # six are too few for precision alone
    found = proposal(rule(yellow={"surprise": 3.0}), told, right, weeks=2, **many)

    assert found.chosen is not None
    assert found.chosen.more == more


def test_with_too_few_verdicts_nothing_is_proposed_and_it_says_how_many_lack() -> None:
    found = proposal(rule(yellow={"surprise": 3.0}), told, right, weeks=2, precision=0.5)

    assert found.chosen is None
    assert "还差 2 条" in found.why_not


def test_what_nobody_knows_of_counts_neither_way() -> None:
    found = proposal(rule(yellow={"surprise": 3.0}), told, lambda _: None, weeks=2, per_week=9)

    assert found.now.right == Share(0, 0)


def test_a_rule_that_asks_for_no_surprise_of_its_own_is_left_alone() -> None:
    found = proposal(rule(yellow={"any": [{"surprise": 3.0}]}), lambda _: [], right, weeks=2, per_week=1)

    assert (found.chosen, len(found.curve)) == (None, 1)
    assert "各色没有直接要求" in found.why_not


@given(st.sampled_from(STEPS), st.floats(2.6, 9))
def test_all_levels_move_together_and_never_below_what_is_worth_a_word(more: float, least: float) -> None:
    asked = rule(yellow={"surprise": least}, red={"surprise": least + 1, "extra": 5})

    found = with_more(asked, more)

    if found is None:
        assert least + more < 2.0001
    else:
        assert found.yellow is not None
        assert found.red is not None
        assert found.yellow.surprise == pytest.approx(least + more, abs=1e-4)
        assert found.red.surprise == pytest.approx(least + more + 1, abs=1e-4)
        assert found.red.extra == 5


@pytest.mark.parametrize("path", sorted(shipped("rules").glob("*_*.toml")), ids=lambda path: path.name)
def test_a_patch_changes_its_numbers_and_adds_its_reason_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = 0
    one = rule(id=text.splitlines()[lines_of(text)["rule", number, "id"] - 1].split('"')[1])

    found = patched(text, path.name, one, {"yellow": 3.75}, "why")

    before, after = text.splitlines(), found.splitlines()
    assert len(after) == len(before) + 1
    changed = [line for line in after if line not in before]
    assert changed[0] == "# why"
    assert "surprise = 3.75" in changed[1]
    assert len(changed) == 2
    assert difference(text, found, f"rules/{path.name}").startswith(
        f"--- a/rules/{path.name}\n+++ b/rules/{path.name}\n"
    )


def test_of_several_colours_on_a_line_the_right_one_changes() -> None:
    text = '[[rule]]\nid = "a.rise"\nyellow = { extra = 2, surprise = 3 } # red = { surprise = 9 }\n'

    found = patched(text, "f", rule(), {"yellow": 4.5}, "w")

    assert "yellow = { extra = 2, surprise = 4.5 } # red = { surprise = 9 }" in found


def test_a_number_that_stands_in_the_defaults_is_left_to_a_person() -> None:
    with pytest.raises(ConfigError, match="change it by hand"):
        patched('[[rule]]\nid = "a.rise"\n', "police.toml", rule(), {"yellow": 4.5}, "w")


@pytest.mark.parametrize("found", list(Found))
def test_a_verdict_is_said_in_either_language(found: Found) -> None:
    assert found_of(found.value) is found_of(FOUND[found][0]) is found
    for code, (zh, _) in REASONS[found].items():
        assert checked_reason(found, code) == checked_reason(found, zh) == code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("联系 13800138000", "telephone", id="telephone"),
        pytest.param("110101199003077731", "identity", id="identity"),
        pytest.param("长" * 201, "201", id="too-long"),
        pytest.param("a\x00b", "control", id="control"),
    ],
)
def test_a_note_tells_of_no_person(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        checked_note("--note", text)


def test_a_note_is_one_line() -> None:
    assert checked_note("--note", " 两起\n 均已 处置 ") == "两起 均已 处置"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Twelve days with a spike every other day, in turn here and there."""
    folder = tmp_path_factory.mktemp("proposing")
    with open_service(lay(folder)) as service:
        for n in range(12):
            day = FRIDAY + timedelta(days=n)
            what, where = ("thefts", "fires")[n % 4 // 2], (EAST, WEST)[n % 3 % 2]
            cells = usual(day) if n % 2 else raised(usual(day), what, where, 9 + n / 2)
            deliver(folder, f"{day}.csv", cells)
            now = at(day + timedelta(days=1), "07:30")
            set_clock(folder, now)
            take_in(service, now)
            sweep(service, day, now=now)
        yield service


def ask(service: Service, *words: str) -> str:
    config = str(service.config.file)
    result = CliRunner().invoke(app, [*words, "--config", config], env={"COLUMNS": "160"})
    assert result.exception is None or isinstance(result.exception, KapokError), result.exception
    return str(result.exception) if result.exception else result.output


def test_verdicts_are_kept_and_the_last_one_counts(swept: Service) -> None:
    number = alerts_of.alerts(swept.store)[0].number

    ask(swept, "verdict", number, "误报", "--reason", "chance")
    said = ask(swept, "verdict", number, "true", "--reason", "确有其事", "--note", "已到场", "--by", "值班员")

    kept = [(one.found, one.reason) for one in findings_of.findings(swept.store, number)]
    assert kept == [(Found.FALSE, "chance"), (Found.TRUE, "event")]
    assert last_of_each(findings_of.findings(swept.store))[number].found is Found.TRUE
    assert "误报 false" in said
    assert "已到场" in said
    assert "属实 true" in ask(swept, "show", number)
    assert "已到场" in ask(swept, "verdict", number)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("LC-0", "属实"), "there is no such alert", id="alert"),
        pytest.param(("NUMBER", "trew"), "did you mean 'true'?", id="word"),
        pytest.param(("NUMBER", "true", "--reason", "chance"), "属实没有这个原因", id="reason-of-another"),
        pytest.param(("NUMBER", "true", "--note", "13800138000"), "不得留存", id="note"),
    ],
)
def test_what_is_no_verdict_is_refused(swept: Service, words: tuple[str, ...], said: str) -> None:
    number = alerts_of.alerts(swept.store)[0].number
    before = len(findings_of.findings(swept.store))

    assert said in ask(swept, "verdict", *(number if word == "NUMBER" else word for word in words))
    assert len(findings_of.findings(swept.store)) == before


def test_a_finding_speaks_for_alerts_that_overlap_the_one_it_is_of(swept: Service) -> None:
    told = alerts_of.alerts(swept.store)[0]
    with swept.store.write():
        findings_of.add(swept.store, Finding(told.number, Found.TRUE, "", "", "", NOW))

    known = by_findings(swept)

    assert known(replace(told, number="")) is True
    assert known(replace(told, number="", opened=date(2026, 1, 1), updated=date(2026, 1, 2))) is None
    assert known(replace(told, number="", place="0109")) is None


PERIOD = ("--from", str(FRIDAY), "--to", str(FRIDAY + timedelta(days=11)))


def test_an_analyst_gets_a_curve_and_a_patch(swept: Service, tmp_path: Path) -> None:
    out = str(tmp_path / "p.patch")
    words: tuple[Any, ...] = ("rules", "propose", "ss_po.surge", *PERIOD, "--per-week", "2", "-o", out)

    said, found = ask(swept, *words), json.loads(ask(swept, *words, "--format", "json"))

    assert "现行 now" in said
    (one,) = found["rules"]
    assert one["chosen"] > 0
    least = 3.0 + one["chosen"]
    assert f"+yellow = {{ surprise = {least:.10g}, extra = 3 }}" in found["patch"]
    assert (tmp_path / "p.patch").read_text(encoding="utf-8") == found["patch"]
    assert (swept.config.path("rules") / "police.toml").read_text(encoding="utf-8") == RULES  # nothing is applied


def test_without_enough_verdicts_there_is_no_patch(swept: Service) -> None:
    said = ask(swept, "rules", "propose", *PERIOD)

    assert said.count("不作建议") == 3
    assert "--- a/" not in said
