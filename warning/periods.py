"""Days, weeks and months as periods: where one begins and ends, which follows which.

Pure.  A period is named by its first day: the day itself, the Monday of a week, the first of a month.  A month
has no fixed number of days, so nobody else adds days to get from one period to the next.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from detectors.panel import FREQUENCIES, Dates

MONTHS_AGAIN = 2  # months that may be judged again: one is mostly corrected by the file that brings the next
WORD_ZH = {"daily": "日", "weekly": "周", "monthly": "个月"}  # behind a number of periods, in texts
WINDOW_ZH = {"daily": "天", "weekly": "周", "monthly": "个月"}  # and on pages and pictures


def first_day(day: date, frequency: str) -> date:
    """Return the first day of the period a day lies in."""
    if frequency == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if frequency == "monthly" else day


def last_day(first: date, frequency: str) -> date:
    """Return the last day of the period that begins on ``first``."""
    return later(first, 1, frequency) - timedelta(days=1)


def later(first: date, count: int, frequency: str) -> date:
    """Return the first day of the period ``count`` periods after the one that begins on ``first``, or before it."""
    if frequency != "monthly":
        return first + timedelta(days=FREQUENCIES[frequency] * count)
    year, month = divmod(12 * first.year + first.month - 1 + count, 12)
    return date(year, month + 1, 1)


def last_complete(day: date, frequency: str) -> date:
    """Return the first day of the last period that is over when ``day`` is."""
    first = first_day(day, frequency)
    return first if last_day(first, frequency) <= day else later(first, -1, frequency)


def between(first: date, last: date, frequency: str) -> int:
    """Return how many periods lie from the one that begins on ``first`` to that on ``last``; 0 for the same."""
    if frequency != "monthly":
        return (last - first).days // FREQUENCIES[frequency]
    return 12 * (last.year - first.year) + last.month - first.month


def dates(first: date, last: date, frequency: str) -> Dates:
    """Return (T,) the first days of the periods from one to another, both included."""
    if frequency != "monthly":
        return np.arange(np.datetime64(first), np.datetime64(last) + 1, FREQUENCIES[frequency])
    months = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)
    return months.astype("datetime64[D]")


def last_days(first: Dates, frequency: str) -> Dates:
    """Return (T,) the last days of periods by their first ones."""
    if frequency == "monthly":
        after: Dates = (first.astype("datetime64[M]") + 1).astype("datetime64[D]")
    else:
        after = first + np.timedelta64(FREQUENCIES[frequency])
    return after - np.timedelta64(1)


def reach(rejudge_days: int, frequency: str) -> int:
    """Return how many final periods may still be judged, or judged again: of months the last and the one before it."""
    return MONTHS_AGAIN if frequency == "monthly" else rejudge_days // FREQUENCIES[frequency] or 1
