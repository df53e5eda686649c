"""When a rule is asked at all: from one date to another, in a season, on some kinds of day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, model_validator

from detectors.panel import Dates, DayKind
from warning.calendar import Calendar
from warning.checked import Checked

Kind = Literal["workday", "free", "weekend", "holiday", "spring_festival", "makeup_workday", "exam", "fair", "closure"]
KINDS = {
    "holiday": DayKind.HOLIDAY,
    "spring_festival": DayKind.SPRING_FESTIVAL,
    "makeup_workday": DayKind.MAKE_UP_WORKDAY,
    "exam": DayKind.EXAM,
    "fair": DayKind.FAIR,
    "closure": DayKind.CLOSURE,
}


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2024-{text}")  # a year that has a 29 February
    except ValueError as error:
        raise ValueError(f"{text!r} is no day of a year; write MM-DD, e.g. '06-01'") from error
    return text


DayOfYear = Annotated[str, AfterValidator(_day_of_year)]


class Active(Checked):
    """When a rule is asked; what is left out does not limit it.  All must hold together.

    Outside its dates and its season a rule sees nothing: what it said falls as on calm days.  On a day of another kind
    it is not asked: what it said stays.
    """

    since: date | None = None  # the first date
    until: date | None = None  # the last
    season: tuple[DayOfYear, DayOfYear] | None = None  # first and last day of every year; may go over the new year
    days: tuple[Kind, ...] = ()  # any of these kinds

    @model_validator(mode="after")
    def _in_order(self) -> Active:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since = {self.since} is after until = {self.until}")
        return self

    def in_season(self, dates: Dates) -> npt.NDArray[np.bool_]:
        """Return (T,) which dates lie between its dates and in its season."""
        found = np.ones(len(dates), dtype=bool)
        if self.since is not None:
            found &= dates >= np.datetime64(self.since)
        if self.until is not None:
            found &= dates <= np.datetime64(self.until)
        if self.season is not None:
            of_year = np.array([f"{day:%m-%d}" for day in dates.tolist()])
            first, last = self.season
            after, before = of_year >= first, of_year <= last
            found &= (after & before) if first <= last else (after | before)
        return found

    def asked(self, dates: Dates, calendar: Calendar) -> npt.NDArray[np.bool_]:
        """Return (T,) which days are of a kind it is asked on."""
        if not self.days:
            return np.ones(len(dates), dtype=bool)
        return np.array([any(_is(kind, day, calendar) for kind in self.days) for day in dates.tolist()], dtype=bool)


def _is(kind: str, day: date, calendar: Calendar) -> bool:
    if kind in ("workday", "free"):
        return calendar.is_workday(day) == (kind == "workday")
    return day.weekday() >= 5 if kind == "weekend" else calendar.kind(day) is KINDS[kind]
