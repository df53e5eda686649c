"""The simulator's own idea of the year: weekends, public holidays, make-up workdays.

Deliberately not the service's calendar, so that a proof by simulation is not
circular: a handful of rules that give the announced days of 2024 to 2026, for
any year the lunar library knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from lunardate import LunarDate

from warning.simulate.plan import Dates, Floats

DAY = timedelta(days=1)
SATURDAY = 5
LIEU = {0: (2, 0), 1: (2, 0), 3: (0, 2), 4: (0, 2), 5: (0, 2), 6: (1, 1)}  # weekday -> days off before and after


@dataclass(frozen=True)
class Span:
    """Days off in a row; those beyond the statutory ones are worked for at a weekend."""

    first: date
    last: date
    statutory: int
    spring_festival: bool = False

    @property
    def days(self) -> list[date]:
        return [self.first + DAY * i for i in range((self.last - self.first).days + 1)]

    @property
    def to_make_up(self) -> int:
        return max(0, sum(day.weekday() < SATURDAY for day in self.days) - self.statutory)


@dataclass(frozen=True)
class Days:
    """A run of days: every array is (T,)."""

    dates: Dates
    weekday: npt.NDArray[np.int_]  # 0 is Monday
    off: npt.NDArray[np.bool_]  # public holidays
    made_up: npt.NDArray[np.bool_]  # weekend days that are worked
    spring: Floats  # 1 in the Spring Festival, less on the days around it, else 0
    years: Floats  # since the first day, for trends
    season: Floats  # the position in the year, in radians

    @property
    def works(self) -> npt.NDArray[np.bool_]:
        """Whether offices are open, (T,)."""
        return ~self.off & ((self.weekday < SATURDAY) | self.made_up)


@dataclass(frozen=True)
class Periods:
    """The days, weeks or months a series is told in; only whole ones."""

    starts: Dates
    ends: Dates
    offsets: npt.NDArray[np.int_]  # of the starts among the days
    stop: int  # how many days lie before the end of the last one

    def mean_of(self, daily: Floats) -> Floats:
        """Return the mean of (T,) daily numbers over each period."""
        if len(self.offsets) in (0, len(daily)):
            return daily[: len(self.offsets)]
        length = (self.ends - self.starts).astype(int) + 1
        return np.asarray(np.add.reduceat(daily[: self.stop], self.offsets) / length, dtype=np.float64)


def days_from(first: date, count: int) -> Days:
    """Return ``count`` days from ``first`` on."""
    dates = np.datetime64(first, "D") + np.arange(count)
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    spans = spans_of(range(first.year - 1, (first + DAY * count).year + 2))
    spring = np.zeros(count)
    for span in (span for span in spans if span.spring_festival):
        before = (np.datetime64(span.first, "D") - dates).astype(int)
        after = (dates - np.datetime64(span.last, "D")).astype(int)
        near = np.where((before <= 2) & (after <= 3), 0.4, 0.0)
        spring = np.maximum(spring, np.where((before <= 0) & (after <= 0), 1.0, near))
    return Days(
        dates=dates,
        weekday=weekday,
        off=_among(dates, (day for span in spans for day in span.days)),
        made_up=_among(dates, made_up(spans)),
        spring=spring,
        years=np.arange(count) / 365.25,
        season=2 * np.pi * (dates - dates.astype("datetime64[Y]")).astype(int) / 365.25,
    )


def periods_of(days: Days, frequency: str) -> Periods:
    """Return the whole periods of a frequency: days, weeks from Monday, months."""
    dates = days.dates
    if frequency == "daily":
        return Periods(dates, dates, np.arange(len(dates)), len(dates))
    if frequency == "weekly":
        starts = dates[days.weekday == 0]
        ends = starts + 6
    else:
        first_of_month = dates.astype("datetime64[M]").astype("datetime64[D]")
        starts = dates[dates == first_of_month]
        ends = (starts.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    whole = ends <= dates[-1]
    starts, ends = starts[whole], ends[whole]
    offsets = (starts - dates[0]).astype(int)
    return Periods(starts, ends, offsets, int((ends[-1] - dates[0]).astype(int)) + 1 if len(ends) else 0)


def spans_of(years: Iterable[int]) -> list[Span]:
    """Return the holidays of some years, in order."""
    return sorted((span for year in years for span in _of_year(year)), key=lambda span: span.first)


def made_up(spans: list[Span]) -> list[date]:
    """Return the weekend days that are worked: the nearest free one, then one on the other side of the holiday."""
    off = {day for span in spans for day in span.days}
    worked: list[date] = []
    for span in spans:
        sides = [[span.first - DAY * i for i in range(1, 15)], [span.last + DAY * i for i in range(1, 15)]]
        free = [next(day for day in side if day.weekday() >= SATURDAY and day not in off) for side in sides]
        distance = {free[0]: span.first - free[0], free[1]: free[1] - span.last}
        worked += sorted(free, key=lambda day: distance[day])[: span.to_make_up]
    return worked


def _of_year(year: int) -> list[Span]:
    autumn = LunarDate(year, 8, 15).to_solar_date()
    golden = date(year, 10, 1)
    joined = date(year, 9, 29) <= autumn <= date(year, 10, 8)  # Mid-Autumn makes the golden week longer
    golden_week = (
        Span(min(autumn, golden), min(autumn, golden) + DAY * 7, 4) if joined else Span(golden, golden + DAY * 6, 3)
    )
    short = [date(year, 1, 1), _qingming(year), LunarDate(year, 5, 5).to_solar_date()] + [autumn] * (not joined)
    may = date(year, 5, 1)
    return [
        *map(_around, short),
        Span(may, may + DAY * 4, 2 if year >= 2025 else 1),
        golden_week,
        _spring_festival(year),
    ]


def _around(festival: date) -> Span:
    before, after = LIEU.get(festival.weekday(), (0, 0))  # a Wednesday stands alone
    return Span(festival - DAY * before, festival + DAY * after, 1)


def _spring_festival(year: int) -> Span:
    new_year = LunarDate(year, 1, 1).to_solar_date()
    if year < 2025:  # New Year's Eve became a day off in 2025
        return Span(new_year, new_year + DAY * 7, 3, spring_festival=True)
    eve = new_year - DAY
    return Span(eve - DAY * (eve.weekday() == 0), eve + DAY * 7, 4, spring_festival=True)


def _qingming(year: int) -> date:
    short = year % 100
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)  # holds from 2000 to 2099


def _among(dates: Dates, wanted: Iterable[date]) -> npt.NDArray[np.bool_]:
    return np.isin(dates, np.array(sorted(wanted), dtype="datetime64[D]"))
