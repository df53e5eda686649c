"""How many events of each grid and kind a day had, feed by feed: numbers, never an event.

One row a feed and day.  What it holds is the present state; how an indicator's values were known before is in
``observation``, revision by revision.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from warning.store.connection import Store
from warning.tallying import Cells, Day, Integers

TABLE = """
CREATE TABLE tally_feed (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    sums TEXT NOT NULL
);
CREATE TABLE tally_grid (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE
);
CREATE TABLE tally_kind (
    id INTEGER PRIMARY KEY,
    category TEXT NOT NULL,
    result TEXT NOT NULL,
    UNIQUE (category, result)
);
CREATE TABLE tally (
    feed INTEGER NOT NULL REFERENCES tally_feed (id),
    day INTEGER NOT NULL,
    events INTEGER NOT NULL,
    aside INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    cells BLOB NOT NULL,
    PRIMARY KEY (feed, day)
);
"""  # as a migration makes it: never edited, only added to
_STORED = "<u4"  # of the three columns of cells
_FAST = 1  # zlib's level


def feed_of(store: Store, name: str) -> tuple[int, str] | None:
    """Return the number of a feed and by what its values were made last, None of one that never brought an event."""
    found = store.row("SELECT id, sums FROM tally_feed WHERE name = ?", (name,))
    return None if found is None else (int(found[0]), str(found[1]))


def keep_feed(store: Store, name: str, sums: str) -> int:
    """Note by what a feed's values are made, and return its number.  Writes."""
    store.change(
        "INSERT INTO tally_feed (name, sums) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sums = excluded.sums",
        (name, sums),
    )
    found = feed_of(store, name)
    return found[0] if found else 0


def counts_events(store: Store, file: str) -> bool:
    """Say whether a file, by the number ``quarantine`` calls it by, is of a feed of events."""
    return (
        store.row("SELECT 1 FROM feed_file AS f JOIN tally_feed AS t ON t.name = f.feed WHERE f.id = ?", (file,))
        is not None
    )


def grids(store: Store) -> dict[str, int]:
    """Return the number of every grid that was ever met."""
    return dict(store.rows("SELECT code, id FROM tally_grid"))


def kinds(store: Store) -> dict[tuple[str, str], int]:
    """Return the number of every category and result that was ever met."""
    found = store.rows("SELECT category, result, id FROM tally_kind ORDER BY id")
    return {(category, result): id for category, result, id in found}


def grids_of(store: Store, codes: Iterable[str]) -> dict[str, int]:
    """Return the numbers of grids, giving new ones a number.  Writes."""
    store.change_all("INSERT OR IGNORE INTO tally_grid (code) VALUES (?)", [(code,) for code in codes])
    return grids(store)


def kinds_of(store: Store, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the numbers of categories and results, giving new ones a number.  Writes."""
    store.change_all("INSERT OR IGNORE INTO tally_kind (category, result) VALUES (?, ?)", list(pairs))
    return kinds(store)


def days(store: Store, feed: int) -> dict[int, Day]:
    """Return what is known of every day of a feed, ascending."""
    found = store.rows("SELECT day, events, aside, whole FROM tally WHERE feed = ? ORDER BY day", (feed,))
    return {day: Day(events, aside, bool(whole)) for day, events, aside, whole in found}


def cells(store: Store, feed: int, wanted: Sequence[int]) -> Iterator[tuple[int, Cells]]:
    """Yield some days of a feed with their events, as they are asked for; days that are not known are left out."""
    with store.translated():
        for day, content in store.cursor(
            "SELECT t.day, t.cells FROM json_each(?) AS wanted"
            " CROSS JOIN tally AS t ON t.feed = ? AND t.day = wanted.value",
            (json.dumps(list(wanted)), feed),
        ):
            yield day, _unpacked(content)


def keep(store: Store, feed: int, known: Mapping[int, tuple[Day, Cells | None]]) -> None:
    """Keep days of a feed in the stead of what was known of them; None for cells that stay as they are.  Writes."""
    store.change_all(
        "INSERT INTO tally (feed, day, events, aside, whole, cells) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (feed, day) DO UPDATE SET events = excluded.events, aside = excluded.aside,"
        " whole = excluded.whole, cells = excluded.cells",
        [
            (feed, day, one.events, one.aside, one.whole, _packed(cells))
            for day, (one, cells) in known.items()
            if cells is not None
        ],
    )
    store.change_all(
        "UPDATE tally SET events = ?, aside = ?, whole = ? WHERE feed = ? AND day = ?",
        [(one.events, one.aside, one.whole, feed, day) for day, (one, cells) in known.items() if cells is None],
    )


def _packed(found: Cells) -> bytes:
    table = np.stack([found.grids, found.kinds, found.counts])
    return zlib.compress(table.astype(_STORED).tobytes(), _FAST)


def _unpacked(content: bytes) -> Cells:
    table: Integers = np.frombuffer(zlib.decompress(content), dtype=_STORED).astype(np.int64).reshape(3, -1)
    return Cells(*table)
