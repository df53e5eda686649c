"""Observations, read as they were known at an instant.

A corrected value is a new revision beside the old one.  Of the revisions received
by ``known_at`` the one received last counts; of two received in the same second the
later revision.  Instants are compared to the second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import numpy as np

from detectors.panel import Dates, Floats
from warning.model import Correction, SeriesKey
from warning.store import matrix, series
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of, instant_of_seconds, seconds_of
from warning.store.packing import Integers

_CELLS = np.dtype([("position", np.int64), ("value", np.float64)])  # position: column * span + days after the first

# CROSS JOIN keeps SQLite from turning the loops round: one seek for each series, then rows in key order.
_FIRST_REVISIONS = """
    SELECT wanted.key * :span + o.day - :first, o.value
    FROM json_each(:numbers) AS wanted CROSS JOIN observation AS o
        ON o.series_id = wanted.value AND o.day BETWEEN :first AND :last
    WHERE o.revision = 0 AND o.received <= :known_at
"""
_REVISED = """
    SELECT wanted.key * :span + o.day - :first, o.value
    FROM json_each(:numbers) AS wanted
    CROSS JOIN (SELECT DISTINCT series_id, day FROM observation WHERE revision > 0) AS revised
        ON revised.series_id = wanted.value AND revised.day BETWEEN :first AND :last
    CROSS JOIN observation AS o ON o.series_id = revised.series_id AND o.day = revised.day
    WHERE o.received <= :known_at
    ORDER BY wanted.key, o.day, o.received, o.revision
"""


@dataclass(frozen=True, slots=True)
class Revision:
    """One value a series had for a date, and since when."""

    revision: int  # 0, 1, … in the order of import
    value: float
    received: datetime
    late: bool
    file: str


def window(store: Store, keys: Sequence[SeriesKey], dates: Dates, *, known_at: datetime) -> Floats:
    """Return (T, N) values as they were known; NaN where none was.

    Args:
        store: The database.
        keys: N different series; one that was never met is a column of NaN.
        dates: (T,) datetime64[D], ascending: days, Mondays or first days of months.
        known_at: Nothing received later is looked at.
    """
    found = np.full((len(dates), len(keys)), np.nan)
    if found.size == 0:
        return found
    days, until = dates.astype("datetime64[D]").astype(np.int64), seconds_of(known_at)
    with store.reading():
        numbers = series.numbers(store, keys)
        served = matrix.fill(found, store, numbers, days, until)
        for rows in matrix.runs(np.flatnonzero(~served)):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            _read_rows(found[part], store, numbers, days[part], until)
    return found


def _read_rows(found: Floats, store: Store, numbers: Integers, days: Integers, until: int) -> None:
    """Write into ``found`` (T, N) what the table of rows knew at an instant."""
    row_of = np.full(days[-1] - days[0] + 1, -1)
    row_of[days - days[0]] = np.arange(len(days))
    asked = {
        "numbers": json.dumps(numbers.tolist()),
        "first": int(days[0]),
        "last": int(days[-1]),
        "span": len(row_of),
        "known_at": until,
    }
    for query in (_FIRST_REVISIONS, _REVISED):  # the second overwrites the few that were corrected
        with store.translated():
            cells = np.fromiter(store.cursor(query, asked), dtype=_CELLS)
        columns, after = np.divmod(cells["position"], len(row_of))
        rows = row_of[after]
        asked_for = rows >= 0
        # Of several values for one cell numpy keeps the last, which is the one received last.
        found[rows[asked_for], columns[asked_for]] = cells["value"][asked_for]


def reported(store: Store, *, known_at: datetime | None = None) -> list[SeriesKey]:
    """Return every series that had an observation at an instant (None: now), in the order they were first met."""
    return [
        SeriesKey(indicator, place)
        for indicator, place in store.rows(
            "SELECT indicator, place FROM series WHERE EXISTS (SELECT 1 FROM observation"
            " WHERE series_id = series.id AND (:until IS NULL OR received <= :until)) ORDER BY id",
            {"until": None if known_at is None else seconds_of(known_at)},
        )
    ]


def latest_dates(store: Store, keys: Sequence[SeriesKey], *, known_at: datetime) -> dict[SeriesKey, date]:
    """Return the last date each series has a value for, as known at an instant; series without one are left out."""
    found = store.rows(
        "SELECT wanted.key, (SELECT day FROM observation WHERE series_id = wanted.value AND received <= :known_at"
        " ORDER BY day DESC LIMIT 1) AS day FROM json_each(:columns) AS wanted",
        {"columns": series.columns(store, keys), "known_at": seconds_of(known_at)},
    )
    return {keys[column]: date_of(day) for column, day in found if day is not None}


def last_received(store: Store, first: date, last: date, *, known_at: datetime) -> datetime | None:
    """Return when the newest value of the dates from ``first`` to ``last`` arrived, as known at an instant."""
    found = store.row(
        "SELECT max(o.received) FROM series AS s CROSS JOIN observation AS o"
        " ON o.series_id = s.id AND o.day BETWEEN ? AND ? WHERE o.received <= ?",
        (day_of(first), day_of(last), seconds_of(known_at)),
    )
    return None if found is None or found[0] is None else instant_of_seconds(found[0])


def revisions(store: Store, key: SeriesKey, day: date) -> list[Revision]:
    """Return every value a series had for a date, in the order of import."""
    found = store.rows(
        "SELECT o.revision, o.value, o.received, o.late, f.name FROM observation AS o"
        " JOIN series AS s ON s.id = o.series_id JOIN feed_file AS f ON f.id = o.feed"
        " WHERE s.indicator = ? AND s.place = ? AND o.day = ? ORDER BY o.revision",
        (*key, day_of(day)),
    )
    return [
        Revision(revision, value, instant_of_seconds(received), bool(late), file)
        for revision, value, received, late, file in found
    ]


def changed_since(store: Store, since: datetime, until: datetime) -> list[Correction]:
    """Return the values that were known at ``since`` and were others at ``until``, by date and series."""
    found = store.rows(
        "SELECT s.indicator, s.place, o.day, o.received, o.value FROM observation AS o"
        " JOIN series AS s ON s.id = o.series_id"
        " WHERE (o.series_id, o.day) IN (SELECT series_id, day FROM observation WHERE revision > 0)"
        " AND o.received <= ? ORDER BY o.day, s.indicator, s.place, o.received, o.revision",
        (seconds_of(until),),
    )
    corrections = []
    for (indicator, place, day), values in groupby(found, key=lambda row: row[:3]):
        known = [(received, value) for *_, received, value in values]
        before = [value for received, value in known if received <= seconds_of(since)]
        if before and before[-1] != known[-1][1]:
            key = SeriesKey(indicator, place)
            corrections.append(Correction(key, date_of(day), before[-1], known[-1][1]))
    return corrections
