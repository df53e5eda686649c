"""What each sweep asked of those on duty."""

from __future__ import annotations

import json

from warning.budget import Load
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of

TABLE = """
CREATE TABLE load (
    day INTEGER PRIMARY KEY,
    urgent INTEGER NOT NULL,
    budget INTEGER NOT NULL,
    coloured INTEGER NOT NULL,
    by_chance REAL NOT NULL,
    rules TEXT NOT NULL
);
"""  # as a migration makes it: never edited, only added to


def save(store: Store, one: Load) -> None:
    """Store the load of a day, in the stead of what a sweep of it found before where more became urgent.  Writes."""
    store.change(
        "INSERT INTO load (day, urgent, budget, coloured, by_chance, rules) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (day) DO UPDATE SET urgent = excluded.urgent, budget = excluded.budget,"
        " coloured = excluded.coloured, by_chance = excluded.by_chance, rules = excluded.rules"
        " WHERE excluded.urgent > load.urgent",
        (day_of(one.day), one.urgent, one.budget, one.coloured, one.by_chance, json.dumps(dict(one.rules))),
    )


def last(store: Store, count: int) -> list[Load]:
    """Return the loads of the last days that were swept, the latest first."""
    found = store.rows(
        "SELECT day, urgent, budget, coloured, by_chance, rules FROM load ORDER BY day DESC LIMIT ?", (count,)
    )
    return [
        Load(date_of(day), urgent, budget, coloured, by_chance, json.loads(rules))
        for day, urgent, budget, coloured, by_chance, rules in found
    ]
