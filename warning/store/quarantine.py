"""Rows that could not be used: kept with their reason until a person, or a later file, settles them.

A row is open, or it was settled: *delivered*, when a value of its indicator, place and date came later; *fixed*,
when a person said what it should have been; *dropped*, when a person said why it is not needed.  The account of
its file is never rewritten: it says what happened when the file was read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from warning.model import QuarantineEntry, Rows
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of, instant_of, text_of

_CELLS = "indicator, place, date, number, received_at"
_ID = re.compile(r"(\d{1,18})-(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)
_SPAN = 1 << 22  # days there are at most, up to the year 9999
_ENTRY = 'q.file, f.name, q.row, q.part, q."column", q.value, q.reason, q.state, q.note'


@dataclass(frozen=True, slots=True)
class Kept:
    """A row in quarantine, and what became of it."""

    id: str  # "12-5": row 5 of the 12th file that was read; "12-5-2" where it is the second cell of that row
    entry: QuarantineEntry
    state: str  # open, delivered, fixed, dropped
    note: str  # why it was dropped


def put(store: Store, file: int, entries: Iterable[QuarantineEntry]) -> None:
    """Keep the unusable rows of a file.  Writes."""
    parts: Counter[int] = Counter()
    store.change_all(
        f'INSERT INTO quarantine (file, row, part, "column", value, reason, {_CELLS})'  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((file, e.row, _next(parts, e.row), e.column, e.value, e.reason, *(e.cells or (None,) * 5)) for e in entries),
    )


def settle_delivered(store: Store, rows: Rows, file: int, at: datetime) -> int:
    """Settle the open rows of earlier files for whose series and date a file brings a value.  Writes.

    Returns:
        How many there were.
    """
    wanted = json.dumps([list(key) for key in rows.keys])
    open_rows = store.rows(
        "SELECT wanted.key, q.file, q.row, q.part, q.date FROM json_each(?) AS wanted CROSS JOIN quarantine AS q"
        " ON q.indicator = json_extract(wanted.value, '$[0]') AND q.place = json_extract(wanted.value, '$[1]')"
        " WHERE q.state = 'open' AND q.file <> ?",
        (wanted, file),
    )
    asked = {
        (before, row, part): key * _SPAN + day
        for key, before, row, part, text in open_rows
        if (day := _day(text)) is not None
    }
    if not asked:
        return 0
    brought = rows.series * _SPAN + rows.dates.astype("datetime64[D]").astype(np.int64)
    found = set(brought[np.isin(brought, list(asked.values()))].tolist())
    settled = [(text_of(at), file, *row) for row, cell in asked.items() if cell in found]
    return store.change_all(
        """UPDATE quarantine SET state = 'delivered', at = ?, "by" = ? WHERE file = ? AND row = ? AND part = ?""",
        settled,
    )


def settle_days(store: Store, feed: str, days: Sequence[int], file: int, at: datetime) -> int:
    """Settle the open rows of earlier files of a feed that are of days which a file brings anew.  Writes.

    Returns:
        How many there were.
    """
    return store.change(
        """UPDATE quarantine SET state = 'delivered', at = ?, "by" = ? WHERE state = 'open' AND file <> ?"""
        " AND file IN (SELECT id FROM feed_file WHERE feed = ?) AND date IN (SELECT value FROM json_each(?))",
        (text_of(at), file, file, feed, json.dumps([date_of(day).isoformat() for day in days])),
    ).rowcount


def settle_repeated(store: Store, feed: str, note: str, at: datetime) -> int:
    """Drop the open rows that the newest content of a feed says again, with the same fault.  Writes.

    Returns:
        How many there were.
    """
    cells = ", ".join(f"coalesce({name}, '')" for name in ('"column"', "value", "reason", *_CELLS.split(", ")))
    newest = "(SELECT max(id) FROM feed_file WHERE feed = :feed)"
    return store.change(
        "UPDATE quarantine SET state = 'dropped', note = :note, at = :at WHERE state = 'open'"  # noqa: S608
        f" AND file IN (SELECT id FROM feed_file WHERE feed = :feed) AND file <> {newest}"
        f" AND ({cells}) IN (SELECT {cells} FROM quarantine WHERE file = {newest})",
        {"feed": feed, "note": note, "at": text_of(at)},
    ).rowcount


def settle_reread(store: Store, sha256: str, content: str, note: str, at: datetime) -> int:
    """Drop the open rows of a content that was read otherwise before: what it says counts as it is read now.  Writes.

    Args:
        store: The database, within ``write``.
        sha256: What the newest reading is kept under.
        content: SHA-256 of the content alone, under which it is kept where no mapping read it.
        note: Why they are dropped.
        at: The instant of the newest reading.

    Returns:
        How many there were.
    """
    store.change("UPDATE feed_file SET content = ? WHERE sha256 = ?", (content, sha256))
    return store.change(
        "UPDATE quarantine SET state = 'dropped', note = ?, at = ? WHERE state = 'open'"
        " AND file IN (SELECT id FROM feed_file WHERE (content = ? OR sha256 = ?) AND sha256 <> ?)",
        (note, text_of(at), content, content, sha256),
    ).rowcount


def quarantined(
    store: Store, *, file: str | None = None, settled: bool = False, limit: int = 100
) -> list[QuarantineEntry]:
    """Return the open rows, of the files of one name or of all, those of the newest file first."""
    return [kept.entry for kept in entries(store, file=file, settled=settled, limit=limit)]


def entries(store: Store, *, file: str | None = None, settled: bool = False, limit: int = 100) -> list[Kept]:
    """Return the open rows as ``quarantined``, with ids; those that are settled, too, where asked for."""
    found = store.rows(
        f"SELECT {_ENTRY} FROM quarantine AS q JOIN feed_file AS f ON f.id = q.file"  # noqa: S608
        " WHERE (:file IS NULL OR f.name = :file) AND (:settled OR q.state = 'open')"
        " ORDER BY q.file DESC, q.row, q.part LIMIT :limit",
        {"file": file, "settled": settled, "limit": limit},
    )
    return [_kept(row) for row in found]


def entry(store: Store, id: str) -> tuple[Kept, tuple[str, ...]] | None:
    """Return a row by its id with its cells (indicator, place, date, value, received_at; none where not kept)."""
    place = _place(id)
    if place is None:
        return None
    found = store.row(
        f"SELECT {_ENTRY}, {_CELLS} FROM quarantine AS q JOIN feed_file AS f ON f.id = q.file"  # noqa: S608
        " WHERE q.file = ? AND q.row = ? AND q.part = ?",
        place,
    )
    if found is None:
        return None
    cells = found[-5:]
    return _kept(found[:-5]), () if None in cells else cells


def open_days(store: Store, feed: str) -> list[tuple[str, datetime]]:
    """Return of every open row of a feed the date it is of, "" where it does not say one, and when it was received."""
    found = store.rows(
        "SELECT coalesce(q.date, ''), f.received FROM quarantine AS q JOIN feed_file AS f ON f.id = q.file"
        " WHERE q.state = 'open' AND f.feed = ?",
        (feed,),
    )
    return [(day, instant_of(received)) for day, received in found]


def quarantined_since(store: Store, instant: datetime) -> list[tuple[str, int]]:
    """Return (file, open rows) of the files read from an instant on that have such rows, newest first."""
    found = store.rows(
        "SELECT f.name, count(*) FROM feed_file AS f JOIN quarantine AS q ON q.file = f.id AND q.state = 'open'"
        " WHERE f.quarantined > 0 AND f.received >= ? GROUP BY f.id ORDER BY f.id DESC",
        (text_of(instant),),
    )
    return [(name, rows) for name, rows in found]


def quarantines(store: Store, *, settled: bool = False) -> dict[str, int]:
    """Return how many open rows the files of each name have, in order of arrival; with ``settled`` all there were."""
    return dict(
        store.rows(
            "SELECT f.name, count(*) FROM feed_file AS f JOIN quarantine AS q ON q.file = f.id"
            " WHERE ? OR q.state = 'open' GROUP BY f.name ORDER BY max(f.id)",
            (settled,),
        )
    )


def states(store: Store) -> dict[str, int]:
    """Return how many rows are in each state."""
    return dict(store.rows("SELECT state, count(*) FROM quarantine GROUP BY state ORDER BY state"))


def mark_fixed(store: Store, id: str, at: datetime) -> None:
    """Note that a person said what an open row should have been.  Writes.

    Raises:
        ValueError: if there is no such open row.
    """
    _settle(store, id, "fixed", "", at)


def mark_dropped(store: Store, id: str, reason: str, at: datetime) -> None:
    """Note that a person said why an open row is not needed.  Writes.

    Raises:
        ValueError: if there is no such open row.
    """
    _settle(store, id, "dropped", reason, at)


def drop_file(store: Store, name: str, reason: str, at: datetime) -> int:
    """Drop all open rows of the files of a name, and return how many there were.  Writes."""
    return store.change(
        "UPDATE quarantine SET state = 'dropped', note = ?, at = ? WHERE state = 'open'"
        " AND file IN (SELECT id FROM feed_file WHERE name = ?)",
        (reason, text_of(at), name),
    ).rowcount


def _settle(store: Store, id: str, state: str, note: str, at: datetime) -> None:
    changed = store.change(
        "UPDATE quarantine SET state = ?, note = ?, at = ? WHERE file = ? AND row = ? AND part = ? AND state = 'open'",
        (state, note, text_of(at), *(_place(id) or (0, 0, 0))),
    ).rowcount
    if changed != 1:
        raise ValueError(f"{id!r} is no open row")


def _day(text: str) -> int | None:
    try:
        return day_of(date.fromisoformat(text))
    except ValueError:
        return None


def _place(id: str) -> tuple[int, int, int] | None:
    """File, row and part of an id."""
    found = _ID.fullmatch(id)
    return (int(found[1]), int(found[2]), int(found[3] or 1)) if found else None


def _next(parts: Counter[int], row: int) -> int:
    parts[row] += 1
    return parts[row]


def _kept(row: tuple[Any, ...]) -> Kept:
    file, name, number, part, column, value, reason, state, note = row
    id = f"{file}-{number}" if part == 1 else f"{file}-{number}-{part}"
    return Kept(id, QuarantineEntry(name, number, column, value, reason), state, note)
