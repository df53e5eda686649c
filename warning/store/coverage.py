"""How much of a place was judged on a date, and its colour then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from warning.model import Level
from warning.situation import Coverage
from warning.store.connection import Store


def save(store: Store, coverages: Iterable[Coverage]) -> None:
    """Store the coverage of places, in the stead of what was stored for the date.  Writes."""
    store.change_all(
        "INSERT OR REPLACE INTO coverage (place, date, watched, missing, colour) VALUES (?, ?, ?, ?, ?)",
        [(c.place, c.date.isoformat(), c.watched, c.missing, int(c.colour)) for c in coverages],
    )


def of(store: Store, place: str, day: date) -> Coverage | None:
    """Return the coverage of one place on a date, None where it was not swept."""
    found = store.row(
        "SELECT watched, missing, colour FROM coverage WHERE date = ? AND place = ?", (day.isoformat(), place)
    )
    return None if found is None else Coverage(place, day, found[0], found[1], Level(found[2]))


def was_swept(store: Store, day: date) -> bool:
    """Return whether a date was ever swept."""
    return store.row("SELECT 1 FROM coverage WHERE date = ?", (day.isoformat(),)) is not None


def on(store: Store, day: date) -> dict[str, Coverage]:
    """Return the coverage of every place on a date; empty if it was never swept."""
    return {coverage.place: coverage for coverage in between(store, day, day)}


def between(store: Store, first: date, last: date, *, place: str | None = None) -> list[Coverage]:
    """Return coverages from ``first`` to ``last``, of one place or all, by date and place."""
    found = store.rows(
        "SELECT place, date, watched, missing, colour FROM coverage"
        " WHERE date BETWEEN ? AND ? AND (? IS NULL OR place = ?) ORDER BY date, place",
        (first.isoformat(), last.isoformat(), place, place),
    )
    return [
        Coverage(place, date.fromisoformat(day), watched, missing, Level(colour))
        for place, day, watched, missing, colour in found
    ]


def first_date(store: Store) -> date | None:
    """Return the first date that was swept."""
    found = store.row("SELECT min(date) FROM coverage")
    return None if found is None or found[0] is None else date.fromisoformat(found[0])


def last_date(store: Store) -> date | None:
    """Return the last date that was swept."""
    found = store.row("SELECT max(date) FROM coverage")
    return None if found is None or found[0] is None else date.fromisoformat(found[0])
