"""Days, weeks and months as periods: by hand, and laws over many dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning import periods
from warning.facts import begun_zh, period_en, span_zh

DAYS = st.dates(date(1971, 1, 1), date(2099, 1, 1))
FREQUENCIES = st.sampled_from(["daily", "weekly", "monthly"])


@pytest.mark.parametrize(
    ("day", "frequency", "last"),
    [
        pytest.param(date(2026, 11, 20), "daily", date(2026, 11, 20), id="a-day-is-over-with-itself"),
        pytest.param(date(2026, 11, 21), "weekly", date(2026, 11, 9), id="a-week-not-before-its-sunday"),
        pytest.param(date(2026, 11, 22), "weekly", date(2026, 11, 16), id="a-week-with-its-sunday"),
        pytest.param(date(2026, 11, 29), "monthly", date(2026, 10, 1), id="a-month-not-before-its-last-day"),
        pytest.param(date(2026, 11, 30), "monthly", date(2026, 11, 1), id="a-month-with-its-last-day"),
        pytest.param(date(2026, 1, 15), "monthly", date(2025, 12, 1), id="december-in-january"),
        pytest.param(date(2024, 2, 29), "monthly", date(2024, 2, 1), id="a-leap-day"),
    ],
)
def test_the_last_period_that_is_over(day: date, frequency: str, last: date) -> None:
    assert periods.last_complete(day, frequency) == last


@given(DAYS, FREQUENCIES, st.integers(-40, 40))
def test_periods_follow_each_other_without_a_gap(day: date, frequency: str, count: int) -> None:
    first = periods.first_day(day, frequency)
    there = periods.later(first, count, frequency)

    assert periods.first_day(there, frequency) == there
    assert periods.between(first, there, frequency) == count
    assert periods.later(there, 1, frequency) == periods.last_day(there, frequency) + timedelta(days=1)


@given(DAYS, FREQUENCIES)
def test_a_day_lies_in_its_period_and_the_last_one_that_is_over_ends_by_it(day: date, frequency: str) -> None:
    first = periods.first_day(day, frequency)
    over = periods.last_complete(day, frequency)

    assert first <= day <= periods.last_day(first, frequency)
    assert periods.last_day(over, frequency) <= day < periods.last_day(periods.later(over, 1, frequency), frequency)


@given(DAYS, FREQUENCIES, st.integers(0, 40))
def test_dates_and_their_last_days_are_those_of_the_periods_one_by_one(day: date, frequency: str, count: int) -> None:
    first = periods.first_day(day, frequency)
    one_by_one = [periods.later(first, n, frequency) for n in range(count + 1)]

    found = periods.dates(first, one_by_one[-1], frequency)

    assert found.dtype == np.dtype("datetime64[D]")
    assert found.tolist() == one_by_one
    assert periods.last_days(found, frequency).tolist() == [periods.last_day(one, frequency) for one in one_by_one]


@pytest.mark.parametrize(
    ("first", "last", "frequency", "told"),
    [
        pytest.param(date(2026, 11, 21), date(2026, 11, 21), "daily", "11月21日", id="day"),
        pytest.param(date(2026, 11, 16), date(2026, 11, 16), "weekly", "11月16日—22日", id="week"),
        pytest.param(date(2026, 10, 1), date(2026, 10, 1), "monthly", "2026年10月", id="month"),
        pytest.param(date(2026, 8, 1), date(2026, 10, 1), "monthly", "2026年8月—10月", id="months"),
        pytest.param(date(2025, 12, 1), date(2026, 1, 1), "monthly", "2025年12月—2026年1月", id="over-new-year"),
    ],
)
def test_how_a_span_is_told(first: date, last: date, frequency: str, told: str) -> None:
    assert span_zh(first, last, frequency) == told


def test_a_month_is_named_with_its_year_and_without_a_day() -> None:
    assert begun_zh(date(2026, 10, 1), "monthly") == "2026年10月"
    assert period_en(date(2026, 10, 1), "monthly") == "Oct 2026"
