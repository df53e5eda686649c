"""A series as it was known, and what was usual of it before a date.

Pure.  Usual is what a span would hold if each day were the mean of its weekday over the 28 days before; each week
the mean of the 4 before; each month that of the 12 before, in which every season is once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np

from detectors.panel import Dates, Floats
from warning import periods
from warning.calendar import Calendar
from warning.model import Indicator

BEFORE = {"daily": 28, "weekly": 4, "monthly": 12}  # periods that tell what is usual
ROWS = {"daily": 4, "weekly": 4, "monthly": 12}  # of the table they are laid in: a week or a month each


@dataclass(frozen=True, slots=True)
class History:
    """A series as it was known: (T,) dates ascending, (T,) values, NaN = not reported."""

    dates: Dates
    values: Floats
    frequency: str = "daily"
    source: str = ""

    def later(self, first: date, count: int) -> date:
        """Return the first day of the period ``count`` periods after another, or before it."""
        return periods.later(first, count, self.frequency)

    def span(self, first: date, last: date) -> Floats:
        """Return the values of the periods from ``first`` to ``last``, both included."""
        inside = (self.dates >= np.datetime64(first)) & (self.dates <= np.datetime64(last))
        return self.values[inside]

    def before(self, day: date, count: int, unit: str, indicator: Indicator) -> Floats:
        """Return the values of the ``count`` weeks ("weekly") or months before a day, NaN for one with a gap.

        None where they cannot be put together: months are neither cut into weeks nor made of them.
        """
        if unit == self.frequency:
            return self.span(self.later(day, -count), self.later(day, -1))
        if (self.frequency, unit) != ("daily", "weekly"):
            return np.empty(0)
        days = self.span(self.later(day, -7 * count), self.later(day, -1))
        table = days[len(days) % 7 :].reshape(-1, 7)
        return np.asarray(table.sum(axis=1) if indicator.period_agg == "sum" else table.mean(axis=1))

    def usual(self, before: date, after: int, count: int, indicator: Indicator) -> float:
        """Return what ``count`` periods would hold by what was usual before a date; NaN where that cannot be told.

        Args:
            before: First day of the period before which it was usual.
            after: How many periods after that one the first of them comes.
            count: How many.
            indicator: Says whether periods add up.
        """
        values = self.span(self.later(before, -BEFORE[self.frequency]), self.later(before, -1))
        if len(values) != BEFORE[self.frequency] or np.isnan(values).sum() > len(values) // 4:
            return math.nan
        table = values.reshape(ROWS[self.frequency], -1)
        if np.isnan(table).all(axis=0).any():
            return math.nan
        means = np.roll(np.nanmean(table, axis=0), -after)
        usual = np.resize(means, count)
        return float(usual.sum()) if indicator.period_agg == "sum" else float(usual.mean())

    @property
    def usual_of(self) -> str:
        """Say what usual is made of, for the formula of a fact."""
        if self.frequency == "daily":
            return "same weekdays of the 28 days before the onset"
        return f"mean of the {BEFORE[self.frequency]} {self.frequency} values before the onset"


def last_year(calendar: Calendar, frequency: str) -> Callable[[date], date]:
    """Return from the first day of a period to that of the one it is compared with for 同比."""
    if frequency == "monthly":
        return lambda first: periods.later(first, -12, frequency)
    return calendar.last_year if frequency == "daily" else partial(weeks_ago, calendar)


def weeks_ago(calendar: Calendar, monday: date) -> date:
    """Return the Monday of the week a week is compared with for 同比: where the day of its Thursday lies."""
    thursday = calendar.last_year(monday + timedelta(days=3))
    return thursday - timedelta(days=thursday.weekday())
