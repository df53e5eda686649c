"""How an alert lives, in letters: . calm, Y yellow, O orange, R red, / no data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning.lifecycle import Hold, Holds, advance, colour, verdict
from warning.model import Alert, Indicator, Level, SeriesKey, Signal, Stage
from warning.placecolour import PlaceColours

LETTERS = {".": Level.CALM, "Y": Level.YELLOW, "O": Level.ORANGE, "R": Level.RED, "/": Level.MISSING}
KEY = SeriesKey("thefts", "harbour")
FIRST = date(2026, 3, 2)
ONCE: Holds = lambda *_: Hold()  # noqa: E731 - one quiet period


def signal(level: Level, day: date = FIRST, rule: str = "a.rise") -> Signal:
    return Signal(rule, *KEY, day, level, "outbreak", 30.0, 10.0, 2.0, 20.0, 4.0 * (level > 0), 1, "v1")


def live(colours: str, quiet: int = 3) -> tuple[list[str], Alert | None]:
    alert: Alert | None = None
    told = []
    for n, letter in enumerate(colours):
        day = FIRST + timedelta(days=n)
        alert, why = advance(
            alert, verdict(KEY, day, [signal(LETTERS[letter], day)], onset=day), lambda *_: Hold(quiet)
        )
        told.append(why.value if why else "-")
        if alert is not None and alert.stage is Stage.CLOSED:
            alert = None
    return told, alert


@pytest.mark.parametrize(
    ("colours", "told"),
    [
        pytest.param("..", "- -", id="calm-stays-silent"),
        pytest.param("YRR", "opened raised -", id="only-a-change-is-news"),
        pytest.param("Y.Y...", "opened - - - - ended", id="one-quiet-day-does-not-end-it"),
        pytest.param("R...", "opened - - lowered", id="a-red-is-never-closed-by-calm"),
        pytest.param("Y//////", "opened - - - - - -", id="missing-data-closes-nothing"),
        pytest.param("Y.//..", "opened - - - - ended", id="missing-days-are-not-quiet-days"),
        pytest.param("ROOO", "opened - - lowered", id="a-red-falls-to-the-orange-that-lasts"),
        pytest.param("R...R", "opened - - lowered raised", id="what-comes-back-is-raised-again"),
        pytest.param("/Y", "- opened", id="grey-opens-nothing"),
    ],
)
def test_what_people_are_told(colours: str, told: str) -> None:
    assert live(colours)[0] == told.split()


def onset_after(days: int, surprise: float) -> date:
    """Return the onset of an alert opened on FIRST once a later day of its level dates it five days before."""
    alert, _ = advance(None, verdict(KEY, FIRST, [signal(Level.YELLOW)], onset=FIRST), ONCE)
    day = FIRST + timedelta(days=days)
    again = replace(signal(Level.YELLOW, day), surprise=surprise)
    alert, why = advance(alert, verdict(KEY, day, [again], onset=FIRST - timedelta(days=5)), ONCE)
    assert alert is not None
    assert why is None  # no news
    return alert.onset


@pytest.mark.parametrize(
    ("days", "surprise", "earlier"),
    [
        pytest.param(1, 4.5, 5, id="stronger-evidence-dates-it-anew"),
        pytest.param(1, 3.5, 0, id="weaker-evidence-does-not"),
        pytest.param(42, 4.5, 5, id="for-six-weeks"),
        pytest.param(43, 4.5, 0, id="no-longer"),
    ],
)
def test_since_when_follows_the_evidence_of_the_same_level(days: int, surprise: float, earlier: int) -> None:
    assert onset_after(days, surprise) == FIRST - timedelta(days=earlier)


@pytest.mark.parametrize("later", [1, 4])
def test_evidence_of_the_same_level_never_dates_an_alert_after_it_was_opened(later: int) -> None:
    alert, _ = advance(None, verdict(KEY, FIRST, [signal(Level.YELLOW)], onset=FIRST - timedelta(days=2)), ONCE)
    day = FIRST + timedelta(days=4)
    stronger = replace(signal(Level.YELLOW, day), surprise=9.0)

    alert, _ = advance(alert, verdict(KEY, day, [stronger], onset=FIRST + timedelta(days=later)), ONCE)

    assert alert is not None
    assert alert.onset <= alert.opened == FIRST


def test_an_alert_that_comes_back_has_a_new_onset() -> None:
    _, alert = live("R....R")

    assert alert is not None
    assert alert.opened == FIRST
    assert alert.onset == FIRST + timedelta(days=5)


def test_stronger_evidence_does_not_date_one_that_came_back_to_its_first_time() -> None:
    _, alert = live("R....R")
    day = FIRST + timedelta(days=6)
    stronger = replace(signal(Level.RED, day), surprise=9.0)

    alert, _ = advance(alert, verdict(KEY, day, [stronger], onset=day), ONCE)

    assert alert is not None
    assert alert.onset == FIRST + timedelta(days=5)


@given(st.text("./YOR", min_size=1, max_size=30), st.integers(1, 4))
def test_what_was_ever_orange_waits_for_a_person(colours: str, quiet: int) -> None:
    told, alert = live(colours, quiet)

    if any(letter in colours for letter in "OR"):
        last = max(colours.rfind("O"), colours.rfind("R"))
        assert "ended" not in told[last:]
        assert alert is not None
        assert alert.stage is Stage.RAISED


@given(st.text("./YOR", min_size=1, max_size=30))
def test_active_is_the_level_now_or_higher(colours: str) -> None:
    _, alert = live(colours)

    known = [LETTERS[letter] for letter in colours if letter != "/"]
    if known and known[-1] > Level.CALM:
        assert alert is not None
        assert alert.active >= known[-1]


def test_the_strongest_rule_speaks_first() -> None:
    weak, strong = signal(Level.YELLOW, rule="a.line"), signal(Level.RED, rule="a.rise")

    found = verdict(KEY, FIRST, [weak, strong])

    assert found.level is Level.RED
    assert [s.rule for s in found.signals] == ["a.rise", "a.line"]


def test_one_rule_that_abstains_does_not_hide_one_that_judges() -> None:
    found = verdict(KEY, FIRST, [signal(Level.MISSING), signal(Level.CALM, rule="a.line")])

    assert found.level is Level.CALM


INDICATORS = {
    name: Indicator(
        name, name, name, "ss", area, area, area, "negative", "起", "count", "daily", "", "局", "sum", True, "mid"
    )
    for name, area in (("thefts", "order"), ("affrays", "order"), ("fires", "fire"), ("floods", "city"))
}


def alerts(*found: tuple[str, Level]) -> list[Alert]:
    first = live("Y")[1]
    assert first is not None
    return [replace(first, indicator=name, active=level) for name, level in found]


@pytest.mark.parametrize(
    ("found", "missing", "expected"),
    [
        pytest.param([], 0, Level.CALM, id="nothing"),
        pytest.param([("thefts", Level.YELLOW)], 0, Level.CALM, id="one-yellow-is-not-a-colour"),
        pytest.param([("thefts", Level.YELLOW), ("fires", Level.YELLOW)], 0, Level.YELLOW, id="two-are"),
        pytest.param([("thefts", Level.ORANGE)], 0, Level.ORANGE, id="one-orange"),
        pytest.param([("thefts", Level.ORANGE), ("affrays", Level.ORANGE)], 0, Level.ORANGE, id="same-area-twice"),
        pytest.param(
            [("thefts", Level.ORANGE), ("fires", Level.ORANGE), ("floods", Level.ORANGE)],
            0,
            Level.RED,
            id="three-areas",
        ),
        pytest.param([("thefts", Level.RED)], 44, Level.RED, id="a-red-shows-through-missing-data"),
        pytest.param([], 22, Level.MISSING, id="half-missing-is-grey"),
    ],
)
def test_the_colour_of_a_place(found: list[tuple[str, Level]], missing: int, expected: Level) -> None:
    assert colour(alerts(*found), INDICATORS, PlaceColours(), watched=44, missing=missing) is expected


def test_a_place_nobody_watches_is_grey() -> None:
    assert colour([], INDICATORS, PlaceColours(), watched=0, missing=0) is Level.MISSING
