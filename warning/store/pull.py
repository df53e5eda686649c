"""How the last pull of each feed went: when, what it brought, and since when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from warning.store.connection import Store
from warning.store.encoding import date_of, instant_of, text_of

TABLE = """
CREATE TABLE pull (
    feed TEXT PRIMARY KEY,
    tried TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    failures INTEGER NOT NULL,
    since TEXT,
    reason TEXT NOT NULL
);
"""  # as a migration makes it: never edited, only added to
_COLUMNS = "feed, tried, sha256, failures, since, reason"


@dataclass(frozen=True, slots=True)
class Pull:
    """The last pull of a feed."""

    feed: str
    tried: datetime
    sha256: str  # of the content that was taken in last, "" before the first
    failures: int  # in a row up to now
    since: datetime | None  # the first of them
    reason: str  # of the last of them, "" where there is none


def last(store: Store, feed: str) -> Pull | None:
    """Return the last pull of a feed, None before the first."""
    found = store.row(f"SELECT {_COLUMNS} FROM pull WHERE feed = ?", (feed,))  # noqa: S608
    return None if found is None else _pull(found)


def failing(store: Store) -> list[Pull]:
    """Return the last pulls that failed, by feed."""
    return [_pull(row) for row in store.rows(f"SELECT {_COLUMNS} FROM pull WHERE failures > 0 ORDER BY feed")]  # noqa: S608


def succeeded(store: Store, feed: str, sha256: str, now: datetime) -> None:
    """Note that a pull brought a content.  Writes."""
    store.change(
        f"INSERT OR REPLACE INTO pull ({_COLUMNS}) VALUES (?, ?, ?, 0, NULL, '')",  # noqa: S608
        (feed, text_of(now), sha256),
    )


def failed(store: Store, feed: str, reason: str, now: datetime) -> None:
    """Note that a pull brought nothing, and why.  Writes."""
    store.change(
        f"INSERT INTO pull ({_COLUMNS}) VALUES (?1, ?2, '', 1, ?2, ?3) ON CONFLICT (feed) DO UPDATE"  # noqa: S608
        " SET tried = ?2, failures = failures + 1, since = coalesce(since, ?2), reason = ?3",
        (feed, text_of(now), reason),
    )


def last_date(store: Store, feed: str) -> date | None:
    """Return the latest data date a feed ever brought."""
    found = store.row("SELECT max(last_day) FROM feed_file WHERE feed = ?", (feed,))
    return None if found is None or found[0] is None else date_of(found[0])


def contents(store: Store, feed: str) -> int:
    """Return how many contents of a feed were taken in."""
    found = store.row("SELECT count(*) FROM feed_file WHERE feed = ?", (feed,))
    return 0 if found is None else int(found[0])


def _pull(row: tuple[Any, ...]) -> Pull:
    feed, tried, sha256, failures, since, reason = row
    return Pull(feed, instant_of(tried), sha256, failures, None if since is None else instant_of(since), reason)
