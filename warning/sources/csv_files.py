"""A watched folder of long CSV files: one row an observation.

UTF-8, with or without a byte-order mark, packed by gzip or not; columns ``indicator,place,date,value`` and,
if the sender knows it, ``received_at`` (ISO 8601 with its offset).  A file is read once
by its content.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path

from warning.checked import suggestion
from warning.errors import SourceError
from warning.model import QuarantineEntry, Rows
from warning.sources import cells
from warning.sources.packed import unpacked
from warning.sources.rows import Known, Long, rows_of

COLUMNS = ("indicator", "place", "date", "value")
OPTIONAL = ("received_at",)


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
    header, records = _table(path.name, unpacked(path.name, content))
    whole = [(row, record) for row, record in records if len(record) == len(header)]
    ragged = [
        QuarantineEntry(path.name, row, "", cells.short(",".join(record), 200), _ragged(len(record), len(header)))
        for row, record in records
        if len(record) != len(header)
    ]
    columns = {name: cells.column_of(name, (record[n] for _, record in whole)) for n, name in enumerate(header)}
    if "received_at" not in columns:
        columns["received_at"] = cells.column_of("received_at", [""] * len(whole))
    rows = [row for row, _ in whole]
    long = Long(path.name, hashlib.sha256(content).hexdigest(), rows, **columns, quarantined=tuple(ragged))
    return rows_of(long, city, received, late_after, zone=zone)


def _table(name: str, content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the other records with their row numbers; empty ones are left out."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: 不是 UTF-8 编码，请另存为“CSV UTF-8”，或写一个映射"
            f" / byte {error.start + 1} is not UTF-8; save the file as 'CSV UTF-8'"
        ) from error
    # No column can hold a line break, so a line is a record, and a lone quotation mark spoils no other row.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header = [cell.strip() for cell in _record(lines[0])]
    while header and not header[-1]:
        header.pop()
    faults = _header_faults(header) if text.strip() else [f"the file is empty; expected {_expected()}"]
    if faults:
        raise SourceError(f"{name}: 列不对 / {len(faults)} problem(s)\n" + "\n".join(f"  {fault}" for fault in faults))
    known: dict[str, str] = {}  # a large file says the same few texts again and again: each is kept once
    once = known.setdefault
    records = ((row, _record(line)) for row, line in enumerate(islice(lines, 1, None), start=2) if line)
    return header, [
        (row, [once(cell, cell) for cell in _trimmed(record, len(header))])
        for row, record in records
        if any(map(str.strip, record))
    ]


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
        return [
            "首行不是表头；部门自己的表格请用 kapok feed add 写一个映射"
            f" / the first line is no header; expected {_expected()}, found {cells.short(','.join(header))!r};"
            " describe a department's own table with `kapok feed add`"
        ]
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


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: 读不出 / cannot be read: {error.strerror}") from error
