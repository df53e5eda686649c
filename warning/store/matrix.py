"""The newest value of every series, a BLOB a day beside the rows of ``observation``: read at once, not row by row.

The rows are the truth.  Triggers take its stamp from a day any of whose rows is written, by whomever; a BLOB
serves while its day has the stamp it was made under and its checksum is right.  What has no such BLOB is
read from the rows, and ``refresh`` makes it anew.  So the answers are at any time those the rows give.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats
from warning.store import series
from warning.store.connection import Store
from warning.store.encoding import day_of
from warning.store.packing import Integers, checksum, floats, of_floats, packed, unpacked

TABLES = """
CREATE TABLE observed_day (
    day INTEGER PRIMARY KEY,
    stamp INTEGER
);
CREATE TABLE matrix (
    day INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    series BLOB NOT NULL,
    value BLOB NOT NULL,
    past_checksum INTEGER NOT NULL,
    received BLOB NOT NULL,
    revised BLOB NOT NULL
);
INSERT INTO observed_day SELECT DISTINCT day, NULL FROM observation;
CREATE TRIGGER observation_came AFTER INSERT ON observation
WHEN NOT EXISTS (SELECT 1 FROM observed_day WHERE day = NEW.day AND stamp IS NULL)
BEGIN
    INSERT INTO observed_day VALUES (NEW.day, NULL) ON CONFLICT (day) DO UPDATE SET stamp = NULL;
END;
CREATE TRIGGER observation_changed AFTER UPDATE ON observation
BEGIN
    INSERT INTO observed_day VALUES (OLD.day, NULL) ON CONFLICT (day) DO UPDATE SET stamp = NULL;
    INSERT INTO observed_day VALUES (NEW.day, NULL) ON CONFLICT (day) DO UPDATE SET stamp = NULL;
END;
CREATE TRIGGER observation_went AFTER DELETE ON observation
BEGIN
    INSERT INTO observed_day VALUES (OLD.day, NULL) ON CONFLICT (day) DO UPDATE SET stamp = NULL;
END;
"""

AT_ONCE = 128  # days made in one transaction: other writers need not wait long, and memory stays small
NEAR = 3  # steps between two that are read from rows over which reading on is cheaper than seeking anew

_VALID = (
    "SELECT wanted.key, d.day, d.stamp, m.oldest, m.newest, m.checksum, m.series, m.value FROM json_each(?) AS wanted"
    " CROSS JOIN observed_day AS d ON d.day = wanted.value"
    " CROSS JOIN matrix AS m ON m.day = d.day AND m.stamp = d.stamp"
)
_PAST = "SELECT day, stamp, past_checksum, received, revised FROM matrix WHERE day = ?"
_CELLS = (
    "SELECT o.series_id, o.day, o.value FROM json_each(?) AS cell CROSS JOIN observation AS o"
    " ON o.series_id = json_extract(cell.value, '$[0]') AND o.day = json_extract(cell.value, '$[1]')"
    " WHERE o.received <= ? ORDER BY cell.key, o.received, o.revision"
)
_ROWS = (
    "SELECT o.series_id, o.day, o.received, o.value FROM series AS s"
    " CROSS JOIN observation AS o ON o.series_id = s.id AND o.day BETWEEN ? AND ?"
    " ORDER BY o.series_id, o.day, o.revision"
)
_ROW = np.dtype([("series", np.int64), ("day", np.int64), ("received", np.int64), ("value", np.float64)])


def fill(found: Floats, store: Store, numbers: Integers, days: Integers, until: int) -> npt.NDArray[np.bool_]:
    """Write what was known at an instant into the rows of ``found`` that can be had without the table of rows.

    Args:
        found: (T, N), NaN.
        store: The database, in one state throughout: within ``reading``.
        numbers: (N,) of the series, all different; -1 for those that were never met.
        days: (T,) since 1970.
        until: The instant, in seconds since 1970.

    Returns:
        (T,) which rows were written; the others are still NaN.
    """
    served = np.zeros(len(days), dtype=bool)
    line = np.full(max(series.highest(store), int(numbers.max())) + 2, np.nan)  # the last, number -1, stays NaN
    doubtful: list[tuple[int, int]] = []
    with store.translated():
        for row, *head, expected, there_packed, value in store.cursor(_VALID, (json.dumps(days.tolist()),)):
            day, _, oldest, newest = head
            if checksum(head, there_packed, value) != expected:
                continue
            if oldest > until:  # nothing was known of the day
                served[row] = True
                continue
            there, values = unpacked(there_packed), floats(value)
            if newest > until:
                past = _past(store, day)
                if past is None:
                    continue
                received, revised = past
                early = received <= until
                doubtful += [(int(number), day) for number in revised[~early[np.searchsorted(there, revised)]]]
                there, values = there[early], values[early]
            line[there] = values
            found[row] = line[numbers]
            line[there] = np.nan
            served[row] = True
    _look_up(found, store, numbers, days, until, doubtful)
    return served


def runs(rows: npt.NDArray[np.intp], *, longest: int | None = None) -> Iterator[npt.NDArray[np.intp]]:
    """Yield ascending numbers in parts, each of numbers near each other, at most ``longest`` of them."""
    cuts = [0, *(np.flatnonzero(np.diff(rows) > NEAR + 1) + 1).tolist(), len(rows)]
    for first, last in pairwise(cuts):
        step = longest or max(last - first, 1)
        yield from (rows[start : min(start + step, last)] for start in range(first, last, step))


def refresh(store: Store, first: date, last: date, *, beat: Callable[[str], None] = lambda _: None) -> int:
    """Make the BLOBs of the days from ``first`` to ``last`` that are missing, damaged or older than the rows.

    Writes, in transactions of its own.

    Args:
        store: The database; no transaction open.
        first: The first day.
        last: The last day.
        beat: Told before each transaction; raising from it keeps what is made.

    Returns:
        How many were made.
    """
    days = np.arange(day_of(first), day_of(last) + 1)
    sound = np.zeros(len(days), dtype=bool)
    with store.reading(), store.translated():
        for row, *head, expected, there, value in store.cursor(_VALID, (json.dumps(days.tolist()),)):
            sound[row] = checksum(head, there, value) == expected and _past(store, head[0]) is not None
    for part in runs(days[~sound], longest=AT_ONCE):
        beat("reading")
        with store.write():
            _make(store, part)
    return int((~sound).sum())


def _past(store: Store, day: int) -> tuple[Integers, Integers] | None:
    """Return when each value of a day's BLOB was received, and the numbers of those that were others before.

    None where that is damaged.
    """
    found = store.row(_PAST, (day,))
    if found is None:
        return None
    *head, expected, received, revised = found
    if checksum(head, received, revised) != expected:
        return None
    return np.frombuffer(zlib.decompress(received), dtype="<i8"), unpacked(revised)


def _look_up(
    found: Floats, store: Store, numbers: Integers, days: Integers, until: int, cells: list[tuple[int, int]]
) -> None:
    """Write the values of some (number, day) cells, from the rows."""
    column_of = {number: column for column, number in enumerate(numbers.tolist())}
    row_of = {day: row for row, day in enumerate(days.tolist())}
    asked = json.dumps([cell for cell in cells if cell[0] in column_of])
    for number, day, value in store.rows(_CELLS, (asked, until)) if cells else ():
        found[row_of[day], column_of[number]] = value  # of several the one received last comes last


def _make(store: Store, days: Integers) -> None:
    with store.translated():
        rows = np.fromiter(store.cursor(_ROWS, (int(days[0]), int(days[-1]))), dtype=_ROW)
    rows = rows[np.isin(rows["day"], days)]
    oldest = np.full(len(days), np.iinfo(np.int64).max)
    np.minimum.at(oldest, np.searchsorted(days, rows["day"]), rows["received"])
    index, several = _newest(rows)
    order = np.argsort(rows["day"][index], kind="stable")  # by day, then by series
    cells, several = rows[index[order]], several[order]
    cuts = np.searchsorted(cells["day"], [*days, days[-1] + 1])
    made = []
    for day, first, (start, stop) in zip(days.tolist(), oldest.tolist(), pairwise(cuts.tolist()), strict=True):
        now, stamp = cells[start:stop], secrets.randbits(62)
        newest = int(now["received"].max(initial=np.iinfo(np.int64).min))
        there, value = packed(now["series"]), of_floats(now["value"])
        received = zlib.compress(now["received"].astype("<i8").tobytes(), 1)
        revised = packed(now["series"][several[start:stop]])
        sums = checksum((day, stamp, first, newest), there, value), checksum((day, stamp), received, revised)
        made.append((day, stamp, first, newest, sums[0], there, value, sums[1], received, revised))
    store.change_all("INSERT OR REPLACE INTO observed_day VALUES (?, ?)", [one[:2] for one in made])
    store.change_all("INSERT OR REPLACE INTO matrix VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", made)


def _newest(rows: npt.NDArray[Any]) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return (C,) the row that counts now of each cell, and which cells have several.

    Args:
        rows: In the order of series, day and revision.
    """
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (rows["series"][1:] != rows["series"][:-1]) | (rows["day"][1:] != rows["day"][:-1])
    index = np.flatnonzero(begins)
    sizes = np.diff(index, append=len(rows))
    several = sizes > 1
    members = np.flatnonzero(np.repeat(several, sizes))
    cell = np.repeat(np.arange(int(several.sum())), sizes[several])
    members = members[np.lexsort((rows["received"][members], cell))]  # stable: of one second the later revision
    index[several] = members[np.cumsum(sizes[several]) - 1]
    return index, several
