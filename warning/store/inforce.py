"""Which rules are in force since when, and why changed files were refused: what another program may ask a service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from warning.store.connection import Store
from warning.store.encoding import instant_of, text_of

TABLE = """
CREATE TABLE in_force (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    version TEXT NOT NULL,
    refused TEXT NOT NULL,
    waiting TEXT NOT NULL
);
"""  # as a migration makes it: never edited, only added to
KEPT = 500  # lines of the past


@dataclass(frozen=True, slots=True)
class InForce:
    """What a service goes by."""

    since: datetime  # its rules have this version
    version: str
    refused: str  # what is wrong with the files as they are now, "" where nothing is
    waiting: str  # settings that were changed and take effect at the next start


def note(store: Store, at: datetime, version: str, *, refused: str = "", waiting: str = "") -> None:
    """Note which rules are in force, or why others are not.  Writes."""
    store.change(
        "INSERT INTO in_force (at, version, refused, waiting) VALUES (?, ?, ?, ?)",
        (text_of(at), version, refused, waiting),
    )
    store.change("DELETE FROM in_force WHERE id <= (SELECT max(id) FROM in_force) - ?", (KEPT,))


def in_force(store: Store) -> InForce | None:
    """Return what the service goes by, or went by last; None where none ever ran."""
    last = store.row("SELECT version, refused, waiting FROM in_force ORDER BY id DESC LIMIT 1")
    if last is None:
        return None
    since = store.row(
        "SELECT at FROM in_force WHERE version = ? AND id >"
        " coalesce((SELECT max(id) FROM in_force WHERE version <> ?), 0) ORDER BY id LIMIT 1",
        (last[0], last[0]),
    )
    return None if since is None else InForce(instant_of(since[0]), *last)
