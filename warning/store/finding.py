"""What officers found of alerts: append-only, the last of an alert counts."""

from __future__ import annotations

from typing import Any

from warning.finding import Finding, Found
from warning.store.connection import Store
from warning.store.encoding import instant_of, text_of

TABLE = """
CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    alert TEXT NOT NULL REFERENCES alert (number),
    found TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    by TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX finding_alert ON finding (alert);
"""  # as a migration makes it: never edited, only added to


def add(store: Store, one: Finding) -> None:
    """Note a finding, beside those there are.  Writes.

    Raises:
        sqlite3.IntegrityError: if there is no such alert.
    """
    store.change(
        "INSERT INTO finding (alert, found, reason, note, by, at) VALUES (?, ?, ?, ?, ?, ?)",
        (one.alert, one.found.value, one.reason, one.note, one.by, text_of(one.at)),
    )


def findings(store: Store, number: str | None = None) -> list[Finding]:
    """Return the findings of one alert, or of all, in the order they were made."""
    found = store.rows(
        "SELECT alert, found, reason, note, by, at FROM finding WHERE ? IS NULL OR alert = ? ORDER BY id",
        (number, number),
    )
    return [_finding(row) for row in found]


def _finding(row: tuple[Any, ...]) -> Finding:
    alert, found, reason, note, by, at = row
    return Finding(alert, Found(found), reason, note, by, instant_of(at))
