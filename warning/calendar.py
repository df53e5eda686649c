"""What the calendar says of a day: holidays, 调休 workdays, fairs, exams, closures.

The file ``calendar.toml`` is the calendar, and can be edited without a network; the State Council
announces a year at a time, in November.  For years it does not cover, the holidays follow from the
lunar calendar, without 调休, and a notice says so: a forgotten file makes the service less exact,
never stops it.

Source of the rule: 全国年节及纪念日放假办法 (as amended in 2024), with the lengths of the arrangements
of 2021-2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from detectors.panel import FAR, Dates, DayKind
from warning.checked import Checked, checked, read_toml
from warning.errors import ConfigError
from warning.lunar import LUNAR_YEARS, qingming, solar, spring_festival

PRECEDENCE = (
    DayKind.CLOSURE,
    DayKind.SPRING_FESTIVAL,
    DayKind.HOLIDAY,
    DayKind.MAKE_UP_WORKDAY,
    DayKind.EXAM,
    DayKind.FAIR,
)
FREE = {DayKind.CLOSURE, DayKind.SPRING_FESTIVAL, DayKind.HOLIDAY}
NEAR_FESTIVAL = 15  # days before and after Spring Festival that move with it
LONGEST_HOLIDAY = 15  # days; the longest yet had 9


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row, ``first`` and ``last`` included, that the calendar sets apart."""

    name: str
    kind: DayKind
    first: date
    last: date


@dataclass(frozen=True)
class Calendar:
    """The days a city sets apart.

    Args:
        spans: What the file lists, in any order; spans may overlap.
        announced: The first and the last year the file covers; None as the first: no beginning.
        rule: "china": years the file does not cover get the holidays of the law; "none": they get none.
    """

    spans: tuple[Span, ...]
    announced: tuple[int | None, int]
    rule: str = "china"
    _on: Mapping[date, tuple[Span, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_on", _by_day(self.spans))

    def kinds(self, dates: Dates) -> npt.NDArray[np.int8]:
        """Return the ``DayKind`` code of each date, (T,) int8, in the order given.

        Where several kinds meet, the first of CLOSURE, SPRING_FESTIVAL, HOLIDAY, MAKE_UP_WORKDAY,
        EXAM, FAIR stands.  The code is the day's own: the Monday of a week says nothing of its Tuesday.
        """
        days: list[date] = np.asarray(dates, dtype="datetime64[D]").tolist()
        return np.fromiter((self.kind(day) for day in days), dtype=np.int8, count=len(days))

    def kind(self, day: date) -> DayKind:
        """Return what kind of day it is."""
        return next((span.kind for span in self._spans(day)), DayKind.ORDINARY)

    def festival(self, dates: Dates) -> npt.NDArray[np.int16]:
        """Return (T,) days since the nearest Spring Festival's first day, negative before it; ``FAR`` for none."""
        years = np.asarray(dates, dtype="datetime64[Y]").astype(int) + 1970
        near = range(years.min(initial=9999) - 1, years.max(initial=0) + 2)
        firsts = np.array([first for year in near if (first := self._spring_festival(year))], dtype="datetime64[D]")
        away = (np.asarray(dates, dtype="datetime64[D]")[:, None] - firsts).astype(int)  # (T, years)
        away = np.hstack([away, np.full((len(away), 1), FAR)]).clip(-FAR, FAR)
        return np.take_along_axis(away, np.abs(away).argmin(axis=1)[:, None], axis=1)[:, 0].astype(np.int16)

    def names(self, day: date) -> tuple[str, ...]:
        """Return what a day is called, e.g. ("国庆节", "秋季广交会"), the weightiest first; () if it is ordinary."""
        return tuple(dict.fromkeys(span.name for span in self._spans(day)))

    def is_workday(self, day: date) -> bool:
        """Return whether offices work: Monday to Friday and 调休 workdays, but no holiday and no closure."""
        kind = self.kind(day)
        return kind not in FREE and (kind is DayKind.MAKE_UP_WORKDAY or day.weekday() < 5)

    def notices(self, first: date, last: date) -> tuple[str, ...]:
        """Return, in Chinese, what a reader of figures from ``first`` to ``last`` must know of gaps in the calendar."""
        years = [year for year in range(first.year, last.year + 1) if not self._covers(year)]
        after = [year for year in years if year > self.announced[1]]
        before = [year for year in years if year <= self.announced[1]]
        told = [self._gap(run) for run in (before, after) if run]
        beyond = [year for year in years if self.rule == "china" and year not in LUNAR_YEARS]
        if beyond:
            told.append(
                f"{_years(beyond)}超出农历推算范围（{LUNAR_YEARS[0]}—{LUNAR_YEARS[-1]}年），"
                "只计元旦、清明节、劳动节和国庆节。"
            )
        return tuple(told)

    def last_year(self, day: date) -> date:
        """Return the day a day is compared with for 同比.

        That is the same weekday 364 days earlier; but within 15 days of Spring Festival, the day as far
        from last year's.  Where 364 days earlier lies that near last year's festival though the day does
        not lie near this year's, whole weeks lead away from it, towards the day's own side.
        """
        earlier = day - timedelta(days=364)
        now, then = (self._spring_festival(year) for year in (day.year, day.year - 1))
        if now is None or then is None:
            return earlier
        offset = day - now
        if abs(offset.days) <= NEAR_FESTIVAL:
            return then + offset
        week = timedelta(days=7 if offset.days > 0 else -7)
        while abs((earlier - then).days) <= NEAR_FESTIVAL:
            earlier += week
        return earlier

    def _spring_festival(self, year: int) -> date | None:
        return spring_festival(year) if self.rule == "china" else None

    def _spans(self, day: date) -> tuple[Span, ...]:
        listed = self._on.get(day, ())
        if self.rule == "none" or self._covers(day.year):
            return listed
        return _ordered((*listed, *lawful_holidays(day.year).get(day, ())))

    def _covers(self, year: int) -> bool:
        first, last = self.announced
        return (first is None or first <= year) and year <= last

    def _gap(self, years: list[int]) -> str:
        if self.rule == "none":
            return f"日历未列{_years(years)}，一律按平日计；请补入calendar.toml。"
        return (
            f"日历未列{_years(years)}放假安排：节假日按法定假日和农历推算，不计调休上班日，展会和考试可能未列；"
            "请按国务院办公厅通知补入calendar.toml。"
        )


@lru_cache(maxsize=64)
def lawful_holidays(year: int) -> Mapping[date, tuple[Span, ...]]:
    """Return the holidays that the law and the lunar calendar give a year, by day, without 调休."""
    holidays = [
        ("元旦", date(year, 1, 1), 1),
        ("清明节", qingming(year), 1),
        ("劳动节", date(year, 5, 1), 5),
        ("端午节", solar(year, 5, 5), 1),
        ("中秋节", solar(year, 8, 15), 1),
        ("国庆节", date(year, 10, 1), 7),
    ]
    spans = [
        Span(name, DayKind.HOLIDAY, first, first + timedelta(days=length - 1))
        for name, first, length in holidays
        if first is not None
    ]
    festival = spring_festival(year)
    if festival is not None:  # from the eve to the seventh day
        eve, seventh = festival - timedelta(days=1), festival + timedelta(days=6)
        spans.append(Span("春节", DayKind.SPRING_FESTIVAL, eve, seventh))
    return _by_day(spans)


def _by_day(spans: Iterable[Span]) -> Mapping[date, tuple[Span, ...]]:
    on: dict[date, tuple[Span, ...]] = {}
    for span in spans:
        for ordinal in range(span.first.toordinal(), span.last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            on[day] = (*on.get(day, ()), span)
    return {day: _ordered(there) for day, there in on.items()}


def _ordered(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the weightiest first; of equal weight the shorter, so that 中秋节 goes before the 国庆节 it falls in."""
    return tuple(sorted(spans, key=lambda span: (PRECEDENCE.index(span.kind), span.last - span.first)))


def _years(years: list[int]) -> str:
    return f"{years[0]}年" if len(years) == 1 else f"{years[0]}—{years[-1]}年"


class _Days(Checked):
    name: str = Field(min_length=1)
    first: date
    last: date


class _Holiday(_Days):
    kind: Literal["holiday", "spring_festival"] = "holiday"


class _Event(_Days):
    kind: Literal["fair", "exam", "closure"]


class _Makeup(Checked):
    date: date
    name: str = "调休上班日"


class _Calendar(Checked):
    announced_from: int | None = Field(default=None, ge=1900, le=2200)
    announced_through: int = Field(ge=1900, le=2200)
    rule: Literal["china", "none"] = "china"
    holiday: tuple[_Holiday, ...] = ()
    makeup: tuple[_Makeup, ...] = ()
    event: tuple[_Event, ...] = ()


def load_calendar(folder: Path) -> Calendar:
    """Read the ``calendar.toml`` of a city's folder.

    Raises:
        ConfigError: with every fault, if the file is missing or wrong.
    """
    path = folder / "calendar.toml"
    content = checked(str(path), read_toml(path), _Calendar)
    faults = [*_span_faults(content), *_makeup_faults(content), *_year_faults(content)]
    if faults:
        raise ConfigError(str(path), faults)
    first = content.announced_from
    if first is None:  # 元旦 may begin in December: a holiday belongs to the year it ends in
        first = min((holiday.last.year for holiday in content.holiday), default=None)
    spans = (
        *(Span(entry.name, DayKind[entry.kind.upper()], entry.first, entry.last) for entry in content.holiday),
        *(Span(entry.name, DayKind.MAKE_UP_WORKDAY, entry.date, entry.date) for entry in content.makeup),
        *(Span(entry.name, DayKind[entry.kind.upper()], entry.first, entry.last) for entry in content.event),
    )
    return Calendar(spans, (first, content.announced_through), content.rule)


def _span_faults(content: _Calendar) -> Iterable[str]:
    groups: tuple[tuple[str, tuple[_Days, ...]], ...] = (("holiday", content.holiday), ("event", content.event))
    for group, entries in groups:
        for number, entry in enumerate(entries):
            days = (entry.last - entry.first).days + 1
            where = f"{group}.{number} ({entry.name})"
            if days < 1:
                yield f"{where}: last, {entry.last}, lies before first, {entry.first}"
            elif group == "holiday" and days > LONGEST_HOLIDAY:
                yield f"{where}: {entry.first} to {entry.last} are {days} days, expected at most {LONGEST_HOLIDAY}"


def _makeup_faults(content: _Calendar) -> Iterable[str]:
    seen: set[date] = set()
    for number, entry in enumerate(content.makeup):
        where = f"makeup.{number}"
        if entry.date.weekday() < 5:
            yield f"{where}: {entry.date} is a {entry.date:%A}; a 调休 workday falls on a Saturday or Sunday"
        for holiday in content.holiday:
            if holiday.first <= entry.date <= holiday.last:
                yield f"{where}: {entry.date} is a day of {holiday.name} ({holiday.first} to {holiday.last}), too"
        if entry.date in seen:
            yield f"{where}: {entry.date} is listed twice"
        seen.add(entry.date)


def _year_faults(content: _Calendar) -> Iterable[str]:
    first, last = content.announced_from, content.announced_through
    if first is not None and first > last:
        yield f"announced_from, {first}, lies after announced_through, {last}"
    listed = {holiday.last.year for holiday in content.holiday}
    if not listed:
        return
    for year in range(min(listed) if first is None else first, last + 1):
        if year not in listed:
            yield f"{year} is said to be announced, but no holiday of {year} is listed; list it, or narrow the years"
    for year in sorted(listed):
        if year > last or (first is not None and year < first):
            yield f"holidays of {year} are listed, but announced are {first or min(listed)} to {last}; widen the years"
