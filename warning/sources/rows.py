"""Long cells into checked rows: what every kind of feed ends in, whatever shape it came in.

A cell says which indicator, which place, which date, which value and, where the sender knows it, when it was
received.  What cannot be used goes to quarantine with its first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats
from warning.model import Indicator, Place, QuarantineEntry, Rows, SeriesKey
from warning.sources import cells
from warning.sources.cells import Column, Integers, Mask, Understood

KEYS = ("indicator", "place", "date")  # what a value is of
MOST_COUNTED = 1e8  # in a place and period: more than people, calls or cases of a city
_SHOWN = 3  # rows that contradict each other, named in the reason
MOST_MONEY = 1e13  # an amount, in whatever unit: more than a city turns over in a year


class Known(Protocol):
    """The part of a city a feed is checked against."""

    @property
    def indicators(self) -> Mapping[str, Indicator]: ...

    @property
    def places(self) -> Mapping[str, Place]: ...

    @property
    def grids(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Long:
    """The cells of one file or answer, (R,) each, in its order."""

    name: str
    sha256: str  # of the content; the same content is read once
    rows: Sequence[int]  # where each stands, as a spreadsheet counts: the header is row 1
    indicator: Column  # ids
    place: Column  # codes
    date: Column  # 2026-11-22
    value: Column
    received_at: Column  # instants with their offset, "" where the sender does not say
    quarantined: tuple[QuarantineEntry, ...] = ()  # what could not be read as a cell
    headers: Column | None = None  # under which header each value stands, where that is not one and the same
    sheets: Column | None = None  # in which sheet, where there are several

    def label(self, column: Column, row: int) -> str:
        """Return what the person who wants to find a cell again needs beside its row."""
        header = column.name or (self.headers.text(row) if self.headers is not None else "")
        return f"{self.sheets.text(row)}!{header}" if self.sheets is not None else header


class Due(NamedTuple):
    """When a period's value is due."""

    days: int  # after the period's last day
    hour: time  # on the wall


def rows_of(
    long: Long,
    city: Known,
    received: datetime,
    late_after: Mapping[str, int],
    *,
    zone: tzinfo,
    due: Due | None = None,
) -> Rows:
    """Check the cells of a feed; what cannot be used of it is among the result's ``quarantined``.

    Args:
        long: The cells.
        city: Indicators by id and places by code.
        received: When the service reads it; the receipt of rows that do not say theirs.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates the file's are.
        due: For history sent afterwards, what stands for the receipt of rows that do not say theirs.
    """
    indicator = cells.names(long.indicator, city.indicators, "指标")
    place = cells.names(long.place, city.places, "地区")
    day = cells.dates(long.date)
    value = cells.numbers(long.value)
    receipt = cells.receipts(long.received_at, received)
    days = day.values.astype(np.int64)
    catalogue = list(city.indicators.values())
    of = indicator.values.astype(np.int64)
    ends = last_days(days, _is(catalogue, "frequency", of))
    if due is not None:
        receipt = _when_due(receipt, ends, due, zone)
    wall = cells.local_days(receipt.values.astype(np.int64), zone)
    faults = _faults(
        [(found.wrong, found.column, found.reason) for found in (indicator, place, day, value, receipt)]
        + _calendar_checks(long.date, days, wall, _is(catalogue, "frequency", of))
        + _value_checks(long.value, value, _is(catalogue, "kind", of))
    )
    faults |= _said_twice(long, value, faults, (of, place.values.astype(np.int64), days, receipt.values))
    written = (long.indicator, long.place, long.date, long.value, long.received_at)
    unusable = [
        QuarantineEntry(
            *(long.name, long.rows[n], long.label(column, n), cells.short(column.text(n), 200), reason),
            cells=tuple(cells.short(cell.text(n), 200) for cell in written),
        )
        for n, (column, reason) in faults.items()
    ]
    usable = np.ones(len(long.rows), dtype=bool)
    usable[list(faults)] = False
    codes = list(city.places)
    pairs, series = np.unique((of * len(codes) + place.values.astype(np.int64))[usable], return_inverse=True)
    overdue = wall - ends
    allowed = np.array([late_after[one.frequency] for one in catalogue])[of]
    return Rows(
        name=long.name,
        sha256=long.sha256,
        keys=tuple(SeriesKey(catalogue[pair // len(codes)].id, codes[pair % len(codes)]) for pair in pairs.tolist()),
        series=series,
        dates=days[usable].astype("datetime64[D]"),
        values=value.values[usable],
        received=receipt.values[usable].astype(np.int64),
        late=(overdue > allowed)[usable],
        quarantined=tuple(sorted([*long.quarantined, *unusable], key=lambda entry: entry.row)),
    )


Check = tuple[Mask, Column, str | Callable[[int], str]]  # which rows are wrong, in which column, and why


def _calendar_checks(column: Column, days: Integers, wall: Integers, frequency: Callable[[str], Mask]) -> list[Check]:
    """A period is named by its first day, and nobody can report one that has not begun."""

    def monday(row: int) -> str:
        day = cells.EPOCH + timedelta(days=int(days[row]))
        return f"周数据的日期应是周一；该周的周一是 {day - timedelta(days=day.weekday())}"

    def first(row: int) -> str:
        day = cells.EPOCH + timedelta(days=int(days[row]))
        return f"月数据的日期应是每月一日；该月应写 {day.replace(day=1)}"

    months = days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return [
        (frequency("weekly") & ((days + 3) % 7 != 0), column, monday),  # 1970-01-01 was a Thursday
        (frequency("monthly") & (days != months), column, first),
        (days > wall, column, "日期晚于收到的日期"),
    ]


def _value_checks(column: Column, value: Understood, kind: Callable[[str], Mask]) -> list[Check]:
    numbers = value.values
    large = "数值过大，请核实单位和位数"
    return [
        (kind("count") & (numbers > MOST_COUNTED), column, large),
        (kind("amount") & (np.abs(numbers) > MOST_MONEY), column, large),
        (kind("count") & (numbers < 0), column, "计数不能为负"),
        (kind("count") & (numbers % 1 != 0), column, "计数应为整数"),
        (kind("ratio") & ((numbers < 0) | (numbers > 100)), column, "百分比应在 0 到 100 之间"),
    ]


def _faults(checks: Iterable[Check]) -> dict[int, tuple[Column, str]]:
    """Return for each unusable row its first fault."""
    found: dict[int, tuple[Column, str]] = {}
    for wrong, column, reason in checks:
        for row in np.flatnonzero(wrong).tolist():
            if row not in found:
                found[row] = (column, reason if isinstance(reason, str) else reason(row))
    return found


def _said_twice(
    long: Long, value: Understood, faults: Mapping[int, object], where: Sequence[npt.NDArray[np.generic]]
) -> dict[int, tuple[Column, str]]:
    """Return the rows of one series, date and receipt that say different values: nobody knows which is meant."""
    usable = np.ones(len(long.rows), dtype=bool)
    usable[list(faults)] = False
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort([value.values[rows], *(found[rows] for found in where)])]
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for found in where:
        same &= found[order][1:] == found[order][:-1]
    differ = np.flatnonzero(same & (value.values[order][1:] != value.values[order][:-1]))
    if len(differ) == 0:
        return {}
    begins = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(order)]])
    found_twice: dict[int, tuple[Column, str]] = {}
    for number in np.unique(np.searchsorted(begins, differ, side="right") - 1).tolist():
        members = np.sort(order[begins[number] : begins[number + 1]]).tolist()
        shown = "、".join(f"第 {long.rows[n]} 行 {cells.short(long.value.text(n), 20)}" for n in members[:_SHOWN])
        reason = f"同一指标、地区、日期有不同的数（{shown}）；请只留正确的，或在映射的 repeated 中写明如何取"
        found_twice |= dict.fromkeys(members, (long.value, reason))
    return found_twice


def _is(catalogue: Sequence[Indicator], attribute: str, of: Integers) -> Callable[[str], Mask]:
    """Return a function that says which rows are of an indicator with a certain kind or frequency."""

    def mask(wanted: str) -> Mask:
        return np.array([getattr(indicator, attribute) == wanted for indicator in catalogue], dtype=np.bool_)[of]

    return mask


def _when_due(receipt: Understood, ends: Integers, due: Due, zone: tzinfo) -> Understood:
    """Return receipts in which a row that says none was received when its period was due, and not after now."""
    seconds = due_seconds(ends, due, zone, now=int(receipt.values.max(initial=0)))
    silent = np.array([not text for text in receipt.column.distinct], dtype=np.bool_)[receipt.column.codes]
    return replace(receipt, values=np.where(silent, np.minimum(seconds, receipt.values), receipt.values))


def due_seconds(ends: Integers, due: Due, zone: tzinfo, *, now: int) -> Floats:
    """Return (R,) when periods that end on these days are due, in seconds since 1970; of those to come any later one.

    Args:
        ends: (R,) days since 1970.
        due: How long after.
        zone: Whose days they are.
        now: In seconds since 1970.
    """
    # A date of the year 9999 is no period.
    distinct, codes = np.unique(np.minimum(ends, now // 86_400 + 1), return_inverse=True)
    dates = [cells.EPOCH + timedelta(days=int(end) + due.days) for end in distinct]
    return np.array([datetime.combine(day, due.hour, zone).timestamp() for day in dates], dtype=np.float64)[codes]


def last_days(days: Integers, frequency: Callable[[str], Mask]) -> Integers:
    """Return (R,) the last day of each row's period."""
    next_month = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    month_end = next_month.astype("datetime64[D]").astype(np.int64) - 1
    return np.where(frequency("monthly"), month_end, np.where(frequency("weekly"), days + 6, days))
