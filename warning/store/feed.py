"""Feed files: what was read from each, what could not be used, and the one way observations come in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from warning.model import FileAccount, Rows
from warning.store import quarantine, series
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of, instant_of, text_of

Integers = npt.NDArray[np.int64]

_STORED = np.dtype([("series", np.int64), ("day", np.int64), ("received", np.int64), ("value", np.float64)])
PART = 50_000  # rows written of a file at a time
_ACCOUNT = "name, rows, accepted, unchanged, quarantined, late, corrected, feed, first_day, last_day, received"


@dataclass(frozen=True, slots=True)
class News:
    """Which of the rows of a file are new to the database."""

    numbers: Integers  # (R,) of their series
    days: Integers  # (R,)
    rows: Integers  # (A,) that are new
    revision: Integers  # (A,) each of them becomes
    corrected: int  # of them: another value for a date that had one


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How a feed is doing."""

    feed: str
    files: int
    rows: int
    quarantined: int
    late: int
    corrected: int
    last_received: datetime
    last_date: date | None  # the latest data date in any of its files


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file in the watched folder that cannot be read at all."""

    name: str
    reason: str
    since: datetime


def known(store: Store, sha256: str) -> bool:
    """Return whether a file with this content was read before."""
    return store.row("SELECT 1 FROM feed_file WHERE sha256 = ?", (sha256,)) is not None


def import_rows(store: Store, rows: Rows, *, feed: str, received: datetime) -> FileAccount | None:
    """Store what a file says that is new: accepted rows, quarantine and account together.  Writes.

    A row is accepted if it changes what is known at any instant from its receipt on: a date that had no value, or
    one that had another value when the row was received.  Every accepted row is a revision of its own.

    Args:
        store: The database, within ``write``.
        rows: The file, checked.
        feed: Which feed it came by.
        received: When the service read it.

    Returns:
        The file's account, or None if a file with the same content was read before.
    """
    if known(store, rows.sha256):
        return None
    found = news(store, rows)
    account = FileAccount(
        name=rows.name,
        rows=rows.read,
        accepted=len(found.rows),
        unchanged=len(rows.values) - len(found.rows),
        quarantined=len(rows.quarantined),
        late=int(rows.late[found.rows].sum()),
        corrected=found.corrected,
        feed=feed,
        first=date_of(int(found.days.min())) if len(found.days) else None,
        last=date_of(int(found.days.max())) if len(found.days) else None,
        received=received,
    )
    file = enter(store, rows.sha256, account, received)
    observe(store, file, rows, found)
    quarantine.settle_delivered(store, rows, file, received)
    quarantine.put(store, file, rows.quarantined)
    return account


def news(store: Store, rows: Rows) -> News:
    """Return what rows say that is not known yet; series that were never met are given a number.  Writes."""
    ids = series.ids_of(store, rows.keys)
    numbers = np.array([ids[key] for key in rows.keys], dtype=np.int64)[rows.series]
    days = rows.dates.astype("datetime64[D]").astype(np.int64)
    accepted, revision, corrected = _news(numbers, days, rows, _stored(store, numbers, days))
    return News(numbers, days, accepted, revision, corrected)


def enter(store: Store, sha256: str, account: FileAccount, received: datetime) -> int:
    """Keep the account of a content, and return its number.  Writes."""
    a = account
    counts = (a.rows, a.accepted, a.unchanged, a.quarantined, a.late, a.corrected)
    first, last = (None if day is None else day_of(day) for day in (a.first, a.last))
    written = store.change(
        f"INSERT INTO feed_file (sha256, {_ACCOUNT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (sha256, a.name, *counts, a.feed, first, last, text_of(received)),
    ).lastrowid
    return int(written or 0)


def observe(store: Store, file: int, rows: Rows, found: News) -> None:
    """Store what rows say that is new, as revisions that came with a file.  Writes."""
    columns = [column[found.rows] for column in (found.numbers, found.days, rows.values, rows.received, rows.late)]
    store.change_all(
        "INSERT INTO observation (feed, revision, series_id, day, value, received, late) VALUES (?, ?, ?, ?, ?, ?, ?)",
        _by_parts(file, [found.revision, *columns]),
    )


def files(store: Store, *, limit: int = 100) -> list[FileAccount]:
    """Return the accounts of the files read last, newest first."""
    return [
        _account(row)
        for row in store.rows(f"SELECT {_ACCOUNT} FROM feed_file ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608
    ]


def feed_health(store: Store) -> list[FeedHealth]:
    """Return every feed that ever brought a file, by name."""
    found = store.rows(
        "SELECT feed, count(*), sum(rows), sum(quarantined), sum(late), sum(corrected), max(received), max(last_day)"
        " FROM feed_file GROUP BY feed ORDER BY feed"
    )
    return [
        FeedHealth(feed, files, rows, quarantined, late, corrected, instant_of(received), _date(day))
        for feed, files, rows, quarantined, late, corrected, received, day in found
    ]


def refused(store: Store) -> list[RefusedFile]:
    """Return the files that could not be read when the folder was last looked through, by name."""
    found = store.rows("SELECT name, reason, since FROM refused_file ORDER BY name")
    return [RefusedFile(name, reason, instant_of(since)) for name, reason, since in found]


def note_refused(store: Store, reasons: Mapping[str, str], now: datetime) -> None:
    """Note which files cannot be read, in the stead of those noted before.  Writes."""
    since = {file.name: text_of(file.since) for file in refused(store)}
    store.change("DELETE FROM refused_file")
    store.change_all(
        "INSERT INTO refused_file (name, reason, since) VALUES (?, ?, ?)",
        [(name, reason, since.get(name, text_of(now))) for name, reason in sorted(reasons.items())],
    )


def _stored(store: Store, numbers: Integers, days: Integers) -> npt.NDArray[np.void]:
    """What is stored already of the series and the span of dates a file speaks of, in the order of its key."""
    if len(days) == 0:
        return np.empty(0, dtype=_STORED)
    asked = {"ids": json.dumps(np.unique(numbers).tolist()), "first": int(days.min()), "last": int(days.max())}
    with store.translated():
        found = store.cursor(
            "SELECT o.series_id, o.day, o.received, o.value FROM json_each(:ids) AS wanted"
            " CROSS JOIN observation AS o ON o.series_id = wanted.value AND o.day BETWEEN :first AND :last",
            asked,
        )
        return np.fromiter(found, dtype=_STORED)


def _news(
    numbers: Integers, days: Integers, rows: Rows, stored: npt.NDArray[np.void]
) -> tuple[Integers, Integers, int]:
    """Return which rows say something new (A,), the revision each becomes (A,), and how many correct a value."""
    least, most = days.min(initial=0), days.max(initial=0)
    before, cells = (
        number * (most - least + 1) + day - least
        for number, day in ((stored["series"], stored["day"]), (numbers, days))
    )
    cell = np.concatenate([before, cells])
    value = np.concatenate([stored["value"], rows.values])
    received = np.concatenate([stored["received"], rows.received])
    order = np.lexsort((received, cell))  # stable: of one second, first what is stored, then in the file's order
    follows = np.zeros(len(order), dtype=bool)
    follows[1:] = cell[order][1:] == cell[order][:-1]
    repeats = follows.copy()
    repeats[1:] &= value[order][1:] == value[order][:-1]
    news = (order >= len(stored)) & ~repeats
    accepted = np.sort(order[news]) - len(stored)
    accepted = accepted[np.argsort(cells[accepted], kind="stable")]  # the order of the table's key, then the file's
    own = cells[accepted]
    earlier_in_file = np.arange(len(own)) - np.searchsorted(own, own)
    earlier_stored = np.searchsorted(before, own, side="right") - np.searchsorted(before, own, side="left")
    return accepted, earlier_in_file + earlier_stored, int((news & follows).sum())


def _by_parts(file: int, columns: Sequence[npt.NDArray[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of columns, made Python's own a part at a time: of millions at once they would fill the memory."""
    for start in range(0, len(columns[0]), PART):
        yield from zip(repeat(file), *(column[start : start + PART].tolist() for column in columns))


def _account(row: tuple[Any, ...]) -> FileAccount:
    name, rows, accepted, unchanged, quarantined, late, corrected, feed, first, last, received = row
    counts = (rows, accepted, unchanged, quarantined, late, corrected)
    return FileAccount(name, *counts, feed, _date(first), _date(last), instant_of(received))


def _date(day: object) -> date | None:
    return date_of(day) if isinstance(day, int) else None
