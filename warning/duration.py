"""Spans of time as rule files write them: "30 min", "2 h", "3 d", "1 workday"; in Chinese "30 分钟", "1 个工作日"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

HOURS = {"min": 1 / 60, "分钟": 1 / 60, "h": 1.0, "小时": 1.0, "d": 24.0, "天": 24.0}
WORKDAYS = ("workday", "workdays", "工作日", "个工作日")
LONGEST = 366  # days

_FORM = re.compile(r"\s*([0-9]+)\s*([a-z]+|\D{1,4}?)\s*")


@dataclass(frozen=True, slots=True)
class Duration:
    """Either real time or workdays; the other is nothing."""

    real: timedelta = timedelta()
    workdays: int = 0

    def after(self, start: datetime, is_workday: Callable[[date], bool]) -> datetime:
        """Return the moment so long after another on the same wall clock."""
        day, count = start.date(), self.workdays
        while count:
            day += timedelta(days=1)
            count -= is_workday(day)
        return start + (day - start.date()) + self.real


def duration(text: str) -> Duration:
    """Return what a text such as "2 h" or "1 workday" says.

    Raises:
        ValueError: if it says nothing of the kind, nothing at all, or more than a year.
    """
    form = _FORM.fullmatch(text)
    count, unit = (int(form[1][:9]), form[2]) if form else (0, "")
    if unit in WORKDAYS and 0 < count <= LONGEST:
        return Duration(workdays=count)
    if unit in HOURS and 0 < count * HOURS[unit] <= 24 * LONGEST:
        return Duration(real=timedelta(hours=count * HOURS[unit]))
    raise ValueError(f"{text!r} is no span of time; write e.g. '30 min', '2 h', '3 d' or '1 workday'")
