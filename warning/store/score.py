"""Scores: facts that depend on no threshold, kept as they were known.

A BLOB for each number, way of judging, date and instant of knowledge, which holds the series whose scores were
others then; what was known at an instant is all BLOBs up to it, laid over each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Floats, Reason, Remark, Scores
from warning.model import SeriesKey
from warning.store import series
from warning.store.connection import Store
from warning.store.encoding import seconds_of
from warning.store.packing import Integers, floats, of_floats, packed, unpacked

if TYPE_CHECKING:
    from sqlite_utils import Database

FIELDS = ("observed", "expected", "lower", "upper", "surprise", "above")

# A way without a frequency is of a version that did not note it; its scores count until there are newer ones.
TABLES = """
CREATE TABLE way (
    id INTEGER PRIMARY KEY,
    frequency TEXT NOT NULL,
    detector TEXT NOT NULL,
    parameters TEXT NOT NULL,
    UNIQUE (frequency, detector, parameters)
);
CREATE TABLE scored (
    way INTEGER NOT NULL REFERENCES way (id),
    day INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    series BLOB NOT NULL,
    reason BLOB NOT NULL,
    surprise BLOB,
    observed BLOB,
    expected BLOB,
    lower BLOB,
    upper BLOB,
    above BLOB,
    UNIQUE (way, day, known_at)
);
"""


REMARKS = "ALTER TABLE scored ADD COLUMN remarks BLOB;"

_COLUMNS = ("series", "reason", "remarks", *FIELDS)
_INSERT = "INSERT OR REPLACE INTO scored (way, day, known_at, {}) VALUES (?, ?, ?, {})"
_ROW = np.dtype([("series", np.int64), ("reason", np.int8), *((name, np.float64) for name in FIELDS)])


class Way(NamedTuple):
    """How series are judged: those of a frequency, by a detector with its parameters as one canonical text."""

    frequency: str
    detector: str
    parameters: str


class _Cells(NamedTuple):
    """The scores of some series on one date."""

    numbers: Integers  # (n,) of the series, ascending
    reason: npt.NDArray[np.int8]  # (n,)
    remarks: npt.NDArray[np.int8]  # (n,)
    fields: Mapping[str, Floats]  # (n,) each


def save_scores(
    store: Store, way: Way, keys: Sequence[SeriesKey], dates: Dates, scores: Scores, known_at: datetime
) -> int:
    """Store the scores that differ from what was last known, and return how many.  Writes.

    Args:
        store: The database, within ``write``.
        way: How they were made.
        keys: N different series.
        dates: (K,) datetime64[D], ascending.
        scores: (K, N).
        known_at: What the scores were made of was known then.
    """
    if scores.surprise.size == 0:
        return 0
    before, stored = _load(store, way, keys, dates, known_at, FIELDS)
    differs = ~stored | (before.reason != scores.reason) | (before.remarks != scores.remarks)
    for name in FIELDS:
        old, new = getattr(before, name), getattr(scores, name)
        differs |= ~((old == new) | (np.isnan(old) & np.isnan(new)))
    if not differs.any():
        return 0
    number = _number(store, way)
    ids = series.ids_of(store, keys)
    numbers = np.array([ids[key] for key in keys], dtype=np.int64)
    order, days = np.argsort(numbers), dates.astype("datetime64[D]").astype(np.int64)
    for row in np.flatnonzero(differs.any(axis=1)):
        columns = order[differs[row, order]]
        fields = {name: getattr(scores, name)[row, columns] for name in FIELDS}
        cells = _Cells(numbers[columns], scores.reason[row, columns], scores.remarks[row, columns], fields)
        _put(store, number, int(days[row]), seconds_of(known_at), cells)
    return int(differs.sum())


def load_scores(
    store: Store,
    way: Way,
    keys: Sequence[SeriesKey],
    dates: Dates,
    known_at: datetime,
    *,
    only: Sequence[str] = FIELDS,
) -> Scores:
    """Return the (K, N) scores as they were known; a cell never scored is NaN, its reason NOT_REPORTED.

    Args:
        store: The database.
        way: How they were made.
        keys: N different series.
        dates: (K,) datetime64[D], ascending.
        known_at: Scores saved for a later instant are not looked at.
        only: The numbers that are asked for; the others are NaN.
    """
    return _load(store, way, keys, dates, known_at, only)[0]


def _load(
    store: Store, way: Way, keys: Sequence[SeriesKey], dates: Dates, known_at: datetime, only: Sequence[str]
) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """Return the scores, and (K, N) which of them were ever stored."""
    shape = (len(dates), len(keys))
    nothing = np.broadcast_to(np.nan, shape)
    arrays = {name: np.full(shape, np.nan) if name in only else nothing for name in FIELDS}
    reason = np.full(shape, Reason.NOT_REPORTED, dtype=np.int8)
    remarks = np.full(shape, Remark.NONE, dtype=np.int8)
    stored = np.zeros(shape, dtype=bool)
    with store.reading():
        ways = _ways(store, way)
        if ways and stored.size:
            numbers = series.numbers(store, keys)
            column_of = np.full(max(series.highest(store), int(numbers.max())) + 1, -1)
            column_of[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
            for row, there, reasons, said, *contents in _found(store, ways, dates, known_at, only):
                column = column_of[unpacked(there)]
                asked = column >= 0
                column = column[asked]
                reason[row, column], stored[row, column] = np.frombuffer(reasons, dtype=np.int8)[asked], True
                remarks[row, column] = Remark.NONE if said is None else np.frombuffer(said, dtype=np.int8)[asked]
                for name, content in zip(only, contents, strict=True):
                    arrays[name][row, column] = np.nan if content is None else floats(content)[asked]
    return Scores(**arrays, reason=reason, remarks=remarks), stored


def _number(store: Store, way: Way) -> int:
    """Return the number of a way, giving a new one a number.  Writes."""
    store.change("INSERT OR IGNORE INTO way (frequency, detector, parameters) VALUES (?, ?, ?)", way)
    return _ways(store, way)[-1]


def _ways(store: Store, way: Way) -> list[int]:
    """Return the numbers of a way: of a version before, if there is one, and its own."""
    found = store.rows(
        "SELECT id FROM way WHERE frequency IN ('', ?) AND detector = ? AND parameters = ? ORDER BY frequency", way
    )
    return [number for (number,) in found]


def _found(
    store: Store, ways: Sequence[int], dates: Dates, known_at: datetime, only: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield row, series, reasons and the numbers asked for of every BLOB of the dates, as they came to be known."""
    days = dates.astype("datetime64[D]").astype(np.int64).tolist()
    found = store.rows(
        "SELECT wanted.key, s.rowid FROM json_each(?) AS wanted CROSS JOIN json_each(?) AS way"
        " CROSS JOIN scored AS s ON s.way = way.value AND s.day = wanted.value AND s.known_at <= ?"
        " ORDER BY wanted.key, s.known_at, s.way",  # of rows without their BLOBs, which sorting would copy
        (json.dumps(days), json.dumps(ways), seconds_of(known_at)),
    )
    content = f"SELECT {', '.join(('series', 'reason', 'remarks', *only))} FROM scored WHERE rowid = ?"  # noqa: S608
    for row, id in found:
        yield (row, *store.rows(content, (id,))[0])


def _put(store: Store, way: int, day: int, known_at: int, cells: _Cells) -> None:
    """Store the scores of some series, beside those of others that became known at the same instant."""
    found = store.row(
        f"SELECT {', '.join(_COLUMNS)} FROM scored WHERE way = ? AND day = ? AND known_at = ?",  # noqa: S608
        (way, day, known_at),
    )
    if found is not None:
        there, reasons, said, *contents = found
        numbers = unpacked(there)
        nothing = np.full(len(numbers), np.nan)
        fields = [nothing if content is None else floats(content) for content in contents]
        reason = np.frombuffer(reasons, dtype=np.int8)
        remarks = np.zeros_like(reason) if said is None else np.frombuffer(said, dtype=np.int8)
        before = _Cells(numbers, reason, remarks, dict(zip(FIELDS, fields, strict=True)))
        cells = _laid_over(before, cells)
    store.change(_inserting(_COLUMNS), (way, day, known_at, *_blobs(cells)))


def _inserting(columns: Sequence[str]) -> str:
    return _INSERT.format(", ".join(columns), ", ".join("?" * len(columns)))


def _blobs(cells: _Cells) -> tuple[bytes | None, ...]:
    fields = (cells.fields[name] for name in FIELDS)
    numbers = (None if np.isnan(found).all() else of_floats(found) for found in fields)
    remarks = cells.remarks.astype(np.int8).tobytes() if cells.remarks.any() else None
    return (packed(cells.numbers), cells.reason.astype(np.int8).tobytes(), remarks, *numbers)


def _laid_over(before: _Cells, after: _Cells) -> _Cells:
    numbers = np.union1d(before.numbers, after.numbers)
    fields = {name: np.full(len(numbers), np.nan) for name in FIELDS}
    reason, remarks = (np.zeros(len(numbers), dtype=np.int8) for _ in range(2))
    for cells in (before, after):
        at = np.searchsorted(numbers, cells.numbers)
        reason[at], remarks[at] = cells.reason, cells.remarks
        for name in FIELDS:
            fields[name][at] = cells.fields[name]
    return _Cells(numbers, reason, remarks, fields)


def carry_over(db: Database) -> None:
    """Bring the scores of a version that kept a row for each into BLOBs, as they were known; then drop the rows."""
    db.executescript(TABLES)
    db.execute("INSERT INTO way SELECT id, '', detector, parameters FROM method")
    rows = db.execute(
        f"SELECT method_id, day, known_at, series_id, reason, {', '.join(FIELDS)} FROM score"  # noqa: S608
        " ORDER BY method_id, day, known_at, series_id"
    )
    for (way, day, known_at), found in groupby(rows, key=lambda row: row[:3]):
        cells = np.fromiter((row[3:] for row in found), dtype=_ROW)
        fields = {name: cells[name] for name in FIELDS}
        reason = cells["reason"]
        numbers, reasons, _, *blobs = _blobs(_Cells(cells["series"], reason, np.zeros_like(reason), fields))
        columns = [name for name in _COLUMNS if name != "remarks"]  # which a later version has
        db.execute(_inserting(columns), (way, day, known_at, numbers, reasons, *blobs))
    db.executescript("DROP TABLE score; DROP TABLE method;")
