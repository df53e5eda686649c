"""A watched folder of long CSV files: one row an observation.

UTF-8, with or without a byte-order mark; columns ``indicator,place,date,value`` and,
if the sender knows it, ``received_at`` (ISO 8601 with its offset).  A file is read
once by its content.  Names that begin with "." or end in ".part" or ".tmp" are passed
over: write a file under such a name and rename it when it is whole.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Protocol

import numpy as np

from warning.checked import suggestion
from warning.errors import SourceError
from warning.model import Indicator, Place, QuarantineEntry, Rows, SeriesKey
from warning.sources import cells
from warning.sources.cells import Column, Integers, Mask, Understood

COLUMNS = ("indicator", "place", "date", "value")
OPTIONAL = ("received_at",)


class Known(Protocol):
    """The part of a city a feed is checked against."""

    @property
    def indicators(self) -> Mapping[str, Indicator]: ...

    @property
    def places(self) -> Mapping[str, Place]: ...


def candidates(folder: Path) -> list[Path]:
    """Return the files of a watched folder that are whole, by name.

    Raises:
        SourceError: if the folder cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if _is_whole(path))
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed: {error.strerror}; correct paths.feeds") from error


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        SourceError: if it cannot be read.
    """
    return hashlib.sha256(_content(path)).hexdigest()


def read(path: Path, city: Known, received: datetime, late_after: Mapping[str, int], *, zone: tzinfo) -> Rows:
    """Read and check a feed file; what cannot be used of it is among the result's ``quarantined``.

    Args:
        path: The file.
        city: Indicators by id and places by code.
        received: When the service reads it; the receipt of rows that do not say theirs.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates the file's are.

    Raises:
        SourceError: if the file cannot be read, is not UTF-8, is empty, or has other columns than expected.
    """
    content = _content(path)
    header, records = _table(path.name, content)
    whole = [(row, record) for row, record in records if len(record) == len(header)]
    ragged = [
        QuarantineEntry(path.name, row, "", cells.short(",".join(record), 200), _ragged(len(record), len(header)))
        for row, record in records
        if len(record) != len(header)
    ]
    columns = {name: cells.column_of(name, (record[n] for _, record in whole)) for n, name in enumerate(header)}
    if "received_at" not in columns:
        columns["received_at"] = cells.column_of("received_at", [""] * len(whole))
    indicator = cells.names(columns["indicator"], city.indicators, "指标")
    place = cells.names(columns["place"], city.places, "地区")
    day = cells.dates(columns["date"])
    value = cells.numbers(columns["value"])
    receipt = cells.receipts(columns["received_at"], received)
    wall = cells.local_days(receipt.values.astype(np.int64), zone)
    days = day.values.astype(np.int64)
    catalogue = list(city.indicators.values())
    of = indicator.values.astype(np.int64)
    faults = _faults(
        [(found.wrong, found.column, found.reason) for found in (indicator, place, day, value, receipt)]
        + _calendar_checks(columns["date"], days, wall, _is(catalogue, "frequency", of))
        + _value_checks(columns["value"], value, _is(catalogue, "kind", of))
    )
    unusable = [
        QuarantineEntry(path.name, whole[n][0], column.name, cells.short(column.text(n), 200), reason)
        for n, (column, reason) in faults.items()
    ]
    usable = np.ones(len(whole), dtype=bool)
    usable[list(faults)] = False
    pairs, series = np.unique(np.stack([of, place.values.astype(np.int64)])[:, usable], axis=1, return_inverse=True)
    codes = list(city.places)
    overdue = wall - _last_days(days, _is(catalogue, "frequency", of))
    allowed = np.array([late_after[one.frequency] for one in catalogue])[of]
    return Rows(
        name=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        keys=tuple(SeriesKey(catalogue[i].id, codes[p]) for i, p in pairs.T.tolist()),
        series=series,
        dates=days[usable].astype("datetime64[D]"),
        values=value.values[usable],
        received=receipt.values[usable].astype(np.int64),
        late=(overdue > allowed)[usable],
        quarantined=tuple(sorted([*ragged, *unusable], key=lambda entry: entry.row)),
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
    return [
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


def _is(catalogue: Sequence[Indicator], attribute: str, of: Integers) -> Callable[[str], Mask]:
    """Return a function that says which rows are of an indicator with a certain kind or frequency."""

    def mask(wanted: str) -> Mask:
        return np.array([getattr(indicator, attribute) == wanted for indicator in catalogue], dtype=np.bool_)[of]

    return mask


def _last_days(days: Integers, frequency: Callable[[str], Mask]) -> Integers:
    """Return (R,) the last day of each row's period."""
    next_month = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    month_end = next_month.astype("datetime64[D]").astype(np.int64) - 1
    return np.where(frequency("monthly"), month_end, np.where(frequency("weekly"), days + 6, days))


def _table(name: str, content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the other records with their row numbers; empty ones are left out."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: byte {error.start + 1} is not UTF-8; save the file as 'CSV UTF-8'") from error
    # No column can hold a line break, so a line is a record, and a lone quotation mark spoils no other row.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header = [cell.strip() for cell in _record(lines[0])]
    while header and not header[-1]:
        header.pop()
    faults = _header_faults(header) if text.strip() else [f"the file is empty; expected {_expected()}"]
    if faults:
        raise SourceError(f"{name}: {len(faults)} problem(s)\n" + "\n".join(f"  {fault}" for fault in faults))
    records = ((row, _record(line)) for row, line in enumerate(lines[1:], start=2) if line)
    return header, [(row, _trimmed(record, len(header))) for row, record in records if any(map(str.strip, record))]


def _record(line: str) -> list[str]:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a cell beyond the library's limit of 128 KB
        return [line]


def _trimmed(record: list[str], width: int) -> list[str]:
    """Leave out the empty cells a spreadsheet adds at the end of a row."""
    return record[:width] if len(record) > width and not any(map(str.strip, record[width:])) else record


def _header_faults(header: Sequence[str]) -> list[str]:
    if not set(header) & {*COLUMNS, *OPTIONAL}:
        return [f"the first line is no header; expected {_expected()}, found {cells.short(','.join(header))!r}"]
    twice = [f"the column {name!r} stands there twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = [f"the column {name!r} is missing" for name in COLUMNS if name not in header]
    unknown = [
        f"{cells.short(name)!r} is not a column{suggestion(name, (*COLUMNS, *OPTIONAL))}"
        for name in dict.fromkeys(header)
        if name not in (*COLUMNS, *OPTIONAL)
    ]
    return twice + missing + unknown


def _expected() -> str:
    return f"the columns {', '.join(COLUMNS)} and, where known, {', '.join(OPTIONAL)}"


def _ragged(found: int, expected: int) -> str:
    return f"该行有 {found} 格，应为 {expected} 格"


def _is_whole(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and not path.name.startswith(".") and path.is_file()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: cannot be read: {error.strerror}") from error
