"""Scores: facts that depend on no threshold, kept per instant of knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Reason, Scores
from warning.model import SeriesKey
from warning.store import series
from warning.store.connection import Store
from warning.store.encoding import seconds_of

FIELDS = ("observed", "expected", "lower", "upper", "surprise", "above")

_CELLS = np.dtype(
    [("column", np.int32), ("day", np.int32), *((name, np.float64) for name in FIELDS), ("reason", np.int8)]
)


def save_scores(
    store: Store,
    detector: str,
    parameters: str,
    keys: Sequence[SeriesKey],
    dates: Dates,
    scores: Scores,
    known_at: datetime,
) -> int:
    """Store the scores that differ from what was last known, and return how many.  Writes.

    Args:
        store: The database, within ``write``.
        detector: Its name.
        parameters: Its parameters as one canonical text.
        keys: N series.
        dates: (K,) datetime64[D], ascending.
        scores: (K, N).
        known_at: What the scores were made of was known then.
    """
    if scores.surprise.size == 0:
        return 0
    method = _method(store, detector, parameters)
    if method is None:
        method = store.change(
            "INSERT INTO method (detector, parameters) VALUES (?, ?)", (detector, parameters)
        ).lastrowid
    before, stored = _load(store, detector, parameters, keys, dates, known_at)
    differs = ~stored | (before.reason != scores.reason)
    for name in FIELDS:
        old, new = getattr(before, name), getattr(scores, name)
        differs |= ~((old == new) | (np.isnan(old) & np.isnan(new)))
    columns, rows = np.nonzero(differs.T)  # by series, then date, as in the table
    ids = series.ids_of(store, keys)
    numbers = np.array([ids[key] for key in keys], dtype=np.int64)[columns]
    days = dates.astype("datetime64[D]").astype(np.int64)[rows]
    content = [getattr(scores, name)[rows, columns].tolist() for name in (*FIELDS, "reason")]
    instant = seconds_of(known_at)
    store.change_all(
        f"INSERT OR REPLACE INTO score VALUES ({method}, ?, ?, {instant}, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        zip(numbers.tolist(), days.tolist(), *content, strict=True),
    )
    return len(rows)


def load_scores(
    store: Store, detector: str, parameters: str, keys: Sequence[SeriesKey], dates: Dates, known_at: datetime
) -> Scores:
    """Return the (K, N) scores as they were known; a cell never scored is NaN, its reason NOT_REPORTED.

    Args:
        store: The database.
        detector: Its name.
        parameters: The canonical text they were saved under.
        keys: N series.
        dates: (K,) datetime64[D], ascending.
        known_at: Scores saved for a later instant are not looked at.
    """
    return _load(store, detector, parameters, keys, dates, known_at)[0]


def _load(
    store: Store, detector: str, parameters: str, keys: Sequence[SeriesKey], dates: Dates, known_at: datetime
) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """Return the scores, and (K, N) which of them were ever stored."""
    shape = (len(dates), len(keys))
    arrays = {name: np.full(shape, np.nan) for name in FIELDS}
    reason = np.full(shape, Reason.NOT_REPORTED, dtype=np.int8)
    stored = np.zeros(shape, dtype=bool)
    method = _method(store, detector, parameters)
    if method is None or stored.size == 0:
        return Scores(**arrays, reason=reason), stored
    days = dates.astype("datetime64[D]").astype(np.int64)
    asked = {
        "columns": series.columns(store, keys),
        "method": method,
        "first": int(days[0]),
        "last": int(days[-1]),
        "known_at": seconds_of(known_at),
    }
    with store.translated():
        found = store.cursor(
            f"SELECT wanted.key, s.day, {', '.join(FIELDS)}, reason"  # noqa: S608
            " FROM json_each(:columns) AS wanted CROSS JOIN score AS s"
            " ON s.method_id = :method AND s.series_id = wanted.value AND s.day BETWEEN :first AND :last"
            " WHERE s.known_at <= :known_at",
            asked,
        )
        cells = np.fromiter(found, dtype=_CELLS)
    row_of = np.full(days[-1] - days[0] + 1, -1)
    row_of[days - days[0]] = np.arange(len(days))
    rows = row_of[cells["day"] - days[0]]
    cells, rows = cells[rows >= 0], rows[rows >= 0]
    # Rows come in the order of the key, so that of several instants the last is kept.
    where = (rows, cells["column"])
    for name in FIELDS:
        arrays[name][where] = cells[name]
    reason[where], stored[where] = cells["reason"], True
    return Scores(**arrays, reason=reason), stored


def _method(store: Store, detector: str, parameters: str) -> int | None:
    found = store.row("SELECT id FROM method WHERE detector = ? AND parameters = ?", (detector, parameters))
    return None if found is None else found[0]
