"""Figures are rounded once, changes are stated as Chinese bulletins state them, small bases get no percentage."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning.facts import Notes, add_change, chance, degree, number, quantity, range_zh


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [
        pytest.param(12.25, 1, "12.3", id="half-up-not-to-even"),
        pytest.param(12.35, 1, "12.4", id="half-up-again"),
        pytest.param(0.05, 1, "0.1", id="a-small-half"),
        pytest.param(7.0, 1, "7.0", id="one-decimal-is-kept"),
        pytest.param(7.0, 0, "7", id="a-count-is-whole"),
        pytest.param(-0.04, 1, "0.0", id="no-minus-before-nothing"),
        pytest.param(1e6, 1, "1000000.0", id="no-exponent"),
    ],
)
def test_a_figure_is_rounded_half_up(value: float, decimals: int, printed: str) -> None:
    assert number(value, decimals) == printed


@given(st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 3))
def test_a_printed_figure_is_within_half_a_last_place(value: float, decimals: int) -> None:
    printed = Fraction(number(value, decimals))

    assert abs(printed - Fraction(repr(value))) <= Fraction(1, 2 * 10**decimals)


def test_what_is_not_a_number_cannot_be_printed() -> None:
    with pytest.raises(ValueError, match="nan cannot be printed"):
        number(float("nan"))


def test_a_count_is_printed_whole_and_a_ratio_to_one_decimal() -> None:
    assert quantity(312.0, "count") == "312"
    assert quantity(92.0, "ratio") == "92.0"


def changed(now: float, then: float, kind: str = "count") -> dict[str, str]:
    notes = Notes("x")
    add_change(notes, "wow", now, then, kind=kind)
    return {name: fact.text for name, fact in notes.facts.items()}


def test_seventy_against_sixty_two_is_up_by_twelve_point_nine_per_cent() -> None:
    # (70 - 62) / 62 = 0.12903; a published police bulletin printed 13.9 %
    assert changed(70, 62) == {"wow_dir": "上升", "wow": "12.9", "wow_word": "有所"}


def test_below_thirty_events_no_percentage_is_stated() -> None:
    assert changed(60, 29) == {}
    assert changed(60, 30)["wow"] == "100.0"


def test_against_zero_nothing_is_compared() -> None:
    assert changed(60, 0) == {}


def test_a_ratio_changes_by_points() -> None:
    assert changed(88.0, 93.5, "ratio") == {"wow_dir": "下降", "wow_points": "5.5"}


def test_no_change_is_level() -> None:
    assert changed(100, 100)["wow_dir"] == "持平"


@pytest.mark.parametrize(
    ("percent", "word"),
    [(1.9, "基本持平"), (2, "略有"), (5, "有所"), (15, "明显"), (29.9, "明显"), (30, "大幅")],
)
def test_one_word_stands_for_each_size_of_change(percent: float, word: str) -> None:
    assert degree(percent) == word


@pytest.mark.parametrize(
    ("surprise", "words"),
    [
        pytest.param(2.0, "百分之一", id="one-in-a-hundred"),
        pytest.param(3.0, "千分之一", id="one-in-a-thousand"),
        pytest.param(-3.0, "千分之一", id="a-fall-alike"),
        pytest.param(3.5, "万分之3.2", id="10**-3.5-is-3.16-in-ten-thousand"),
        pytest.param(3.39794, "万分之4", id="4.0-in-ten-thousand-is-4"),
        pytest.param(4.5, "十万分之3.2", id="10**-4.5"),
        pytest.param(5.0, "十万分之一", id="one-in-a-hundred-thousand"),
        pytest.param(6.0, "不足十万分之一", id="rarer"),
    ],
)
def test_a_chance_in_words(surprise: float, words: str) -> None:
    assert chance(surprise) == words


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        pytest.param(date(2026, 11, 21), date(2026, 11, 21), "11月21日", id="a-day"),
        pytest.param(date(2026, 11, 16), date(2026, 11, 22), "11月16日—22日", id="within-a-month"),
        pytest.param(date(2026, 10, 30), date(2026, 11, 5), "10月30日—11月5日", id="over-its-end"),
        pytest.param(date(2025, 11, 20), date(2026, 11, 5), "11月20日—11月5日", id="over-a-new-year"),
    ],
)
def test_a_range_of_dates(first: date, last: date, words: str) -> None:
    assert range_zh(first, last) == words


def test_what_there_is_not_is_no_fact() -> None:
    notes = Notes("x")

    notes.add("nothing", None)
    notes.add("unknown", float("nan"))

    assert notes.facts == {}
