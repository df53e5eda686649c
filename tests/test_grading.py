"""Levels are policy applied to facts: conditions hold together, windows do not overlap, and no value is no calm."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.panel import Reason, Scores
from warning.grading import levels, needed, signal
from warning.model import Indicator, Level, SeriesKey
from warning.rule import Rule

LETTERS = {Level.MISSING: "/", Level.CALM: ".", Level.YELLOW: "Y", Level.ORANGE: "O", Level.RED: "R"}
RISES, FALLS = np.array([1], dtype=np.int8), np.array([-1], dtype=np.int8)


def rule(**given: Any) -> Rule:
    """A rule of one series; yellow asks for a surprise of 3 unless told otherwise."""
    common = {"id": "a.rise", "name_zh": "升高", "indicators": ("thefts",), "places": ("harbour",)}
    colours = {} if {"yellow", "orange", "red"} & set(given) else {"yellow": {"surprise": 3.0}}
    return Rule.model_validate({"detector": "outbreak", **common, **colours, **given})


def scores(surprise: list[float], observed: list[float] | None = None, expected: list[float] | None = None) -> Scores:
    """Scores of one series, a number a date."""
    column = np.array(surprise, dtype=float)[:, None]
    seen = np.full_like(column, 30.0) if observed is None else np.array(observed, dtype=float)[:, None]
    usual = np.full_like(column, 20.0) if expected is None else np.array(expected, dtype=float)[:, None]
    reason = np.where(np.isnan(column), Reason.NOT_REPORTED, Reason.JUDGED).astype(np.int8)
    return Scores(seen, usual, usual - 10, usual + 10, column, np.full_like(column, np.nan), reason)


def letters(asked: Rule, found: Scores, signs: NDArray[np.int8] = RISES) -> str:
    return "".join(LETTERS[Level(level)] for level in levels(asked, found, signs)[:, 0])


def test_the_highest_colour_whose_evidence_is_there_counts() -> None:
    asked = rule(yellow={"surprise": 3.0}, orange={"surprise": 4.5}, red={"surprise": 6.5})

    assert letters(asked, scores([2.99, 3.0, 4.49, 4.5, 6.49, 6.5])) == ".YYOOR"


@pytest.mark.parametrize(
    ("observed", "expected", "level"),
    [
        pytest.param(24, 20, "Y", id="both-just-there"),  # 24 / 20 = 1.2, 24 - 20 = 4
        pytest.param(23, 20, ".", id="too-small-a-ratio"),  # 1.15
        pytest.param(6, 3, ".", id="too-few-extra"),  # twice as many, but only 3 more
        pytest.param(7, 3, "Y", id="few-but-enough"),
        pytest.param(0, 20, ".", id="a-fall-is-no-rise"),
    ],
)
def test_surprise_ratio_and_extra_must_hold_together(observed: float, expected: float, level: str) -> None:
    asked = rule(yellow={"surprise": 3.0, "ratio": 1.2, "extra": 4})

    assert letters(asked, scores([9.0], [observed], [expected])) == level
    assert letters(asked, scores([2.9], [observed], [expected])) == "."


def test_a_floor_is_laid_on_what_was_observed() -> None:
    asked = rule(yellow={"surprise": 3.0, "at_least": 3})

    assert letters(asked, scores([3.5, 3.5, 2.0], observed=[2, 3, 9], expected=[0.1, 0.1, 0.1])) == ".Y."


@pytest.mark.parametrize(
    ("observed", "sign", "level"),
    [
        pytest.param(29, RISES, ".", id="under-the-bound"),  # the bounds are 10 and 30
        pytest.param(30, RISES, "Y", id="at-it"),
        pytest.param(45, RISES, "R", id="half-beyond-it"),
        pytest.param(10, FALLS, "Y", id="at-the-lower"),
        pytest.param(6.5, FALLS, "R", id="half-beyond-the-lower"),
        pytest.param(11, FALLS, ".", id="above-the-lower"),
    ],
)
def test_a_colour_may_ask_how_far_a_bound_is_reached(observed: float, sign: NDArray[np.int8], level: str) -> None:
    asked = rule(yellow={"bound": 1.0}, red={"bound": 1.5})

    assert letters(asked, scores([float(sign[0])], [observed], [20]), sign) == level


def test_nothing_expected_is_exceeded_by_any_ratio() -> None:
    assert letters(rule(yellow={"ratio": 2.0}), scores([1.0], observed=[1], expected=[0])) == "Y"


@pytest.mark.parametrize(
    ("observed", "expected", "surprise", "level"),
    [
        pytest.param(80, 90, -4.0, "Y", id="ten-points-below"),
        pytest.param(87, 90, -4.0, ".", id="three-points-are-not-five"),
        pytest.param(98, 90, 4.0, ".", id="a-rise-is-good-news"),
        pytest.param(80, 90, -2.0, ".", id="below-but-by-chance"),
    ],
)
def test_where_less_is_worse_falls_are_looked_for(
    observed: float, expected: float, surprise: float, level: str
) -> None:
    asked = rule(yellow={"surprise": 3.0, "extra": 5})

    assert letters(asked, scores([surprise], [observed], [expected]), FALLS) == level


def test_the_ratio_of_a_fall_is_expected_over_observed() -> None:
    asked = rule(yellow={"ratio": 1.5})

    assert letters(asked, scores([-1.0, -1.0], observed=[20, 21], expected=[30, 30]), FALLS) == "Y."


def test_no_surprise_is_missing_and_never_calm() -> None:
    assert letters(rule(), scores([9.0, np.nan, 1.0])) == "Y/."


def test_a_detector_that_abstains_is_missing_even_where_no_surprise_is_asked_for() -> None:
    assert letters(rule(yellow={"at_least": 3}), scores([np.nan, 0.5], observed=[9, 9])) == "/Y"


@pytest.mark.parametrize(
    ("hits", "of", "surprise", "expected"),
    [
        pytest.param(2, 2, "#.##", "...Y", id="two-in-a-row"),
        pytest.param(2, 3, "#.##", "..YY", id="two-of-three"),
        pytest.param(2, 3, "##..", ".Y..", id="what-is-over-is-over"),
        pytest.param(3, 3, "#/##", "./..", id="a-gap-is-no-hit"),
        pytest.param(1, 1, "#", "Y", id="one-is-enough-for-one"),
    ],
)
def test_evidence_must_last(hits: int, of: int, surprise: str, expected: str) -> None:
    numbers = [{"#": 4.0, ".": 0.0, "/": np.nan}[letter] for letter in surprise]

    assert letters(rule(raise_after=hits, within=of), scores(numbers)) == expected


def test_windows_that_overlap_are_one_piece_of_evidence() -> None:
    asked = rule(raise_after=2, within=2, parameters={"window": 3})

    # every day's sum of three holds the days before; three days back is the first that shares none
    assert letters(asked, scores([4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 4.0])) == "...Y.YY"


def test_three_weeks_judged_together_are_one_window() -> None:
    assert rule(detector="ears", parameters={"window": 7, "gap": 2, "excesses": 3}).window == 21
    assert rule(detector="ears").window == 1
    assert rule(detector="changepoint").window == 1


def test_a_rule_needs_the_windows_its_evidence_may_lie_in() -> None:
    assert needed(rule(raise_after=2, within=3, parameters={"window": 7}), 5) == 5 + 2 * 7
    assert needed(rule(), 5) == 5


def test_a_signal_carries_the_numbers_that_made_it() -> None:
    key, day = SeriesKey("thefts", "harbour"), date(2026, 3, 2)

    found = signal(rule(), key, day, Level.YELLOW, scores=scores([0.5, 3.2], [21, 40]), cell=(1, 0), version="v1")

    assert (found.key, found.date, found.level) == (key, day, Level.YELLOW)
    assert (found.observed, found.expected, found.surprise) == (40, 20, 3.2)
    assert (found.lower, found.upper, found.window, found.rules_version) == (10, 30, 1, "v1")


def test_a_rule_looks_where_the_indicator_is_feared() -> None:
    kept = replace(THEFTS, polarity="positive")
    signs = np.array([rule().sign(kept)], dtype=np.int8)

    assert letters(rule(), scores([-4.0, 4.0], [5, 50]), signs) == "Y."


numbers = st.lists(st.one_of(st.just(np.nan), st.floats(-9, 9)), min_size=1, max_size=30)
persistence = st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))  # hits, more windows, window


@given(numbers, persistence, st.integers(1, 30))
def test_tomorrow_cannot_change_today(surprise: list[float], lasting: tuple[int, int, int], kept: int) -> None:
    hits, more, window = lasting
    asked = rule(raise_after=hits, within=hits + more, parameters={"window": window})

    in_hindsight = letters(asked, scores(surprise))[:kept]

    assert in_hindsight == letters(asked, scores(surprise[:kept]))


@given(numbers, persistence)
def test_dates_before_those_needed_change_nothing(surprise: list[float], lasting: tuple[int, int, int]) -> None:
    hits, more, window = lasting
    asked = rule(raise_after=hits, within=hits + more, parameters={"window": window})

    assert letters(asked, scores(surprise[-needed(asked, 1) :]))[-1] == letters(asked, scores(surprise))[-1]


@given(numbers)
def test_more_evidence_never_lowers_a_level(surprise: list[float]) -> None:
    asked = rule(yellow={"surprise": 3.0}, orange={"surprise": 4.5}, red={"surprise": 6.5})

    before = levels(asked, scores(surprise), RISES)
    after = levels(asked, scores([number + 1 for number in surprise]), RISES)

    assert (after >= before).all()


THEFTS = Indicator(
    "thefts",
    "盗窃警情数",
    "Thefts",
    "ss",
    "ss_po",
    "治安安全",
    "Order",
    "negative",
    "起",
    "count",
    "daily",
    "",
    "局",
    "sum",
    True,
    "mid",
)
