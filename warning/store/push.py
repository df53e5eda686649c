"""What each push was answered, so that the same push is answered the same and read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from warning.store.connection import Store
from warning.store.encoding import text_of

TABLE = """
CREATE TABLE push (
    feed TEXT NOT NULL,
    key TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (feed, key)
);
CREATE INDEX push_at ON push (at);
"""  # as a migration makes it: never edited, only added to


@dataclass(frozen=True, slots=True)
class Answered:
    """A push that was taken in."""

    sha256: str  # of its content
    answer: str  # JSON


def answered(store: Store, feed: str, key: str) -> Answered | None:
    """Return what the push with an idempotency key was answered, None if there was none."""
    found = store.row("SELECT sha256, answer FROM push WHERE feed = ? AND key = ?", (feed, key))
    return None if found is None else Answered(*found)


def keep(store: Store, feed: str, key: str, answer: Answered, now: datetime) -> None:
    """Keep what a push was answered.  Writes.

    Raises:
        sqlite3.IntegrityError: if its key was used before.
    """
    store.change(
        "INSERT INTO push (feed, key, sha256, answer, at) VALUES (?, ?, ?, ?, ?)",
        (feed, key, answer.sha256, answer.answer, text_of(now)),
    )


def prune(store: Store, before: datetime) -> None:
    """Forget the answers given before an instant.  Writes."""
    store.change("DELETE FROM push WHERE at < ?", (text_of(before),))
