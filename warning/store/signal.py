"""Signals: what rules said, kept per instant of knowledge; and until when each series was judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from warning.model import Level, SeriesKey, Signal
from warning.store import series
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of, instant_of_seconds, null_of, number_of, seconds_of

_CONTENT = (
    'level, detector, observed, expected, lower, upper, surprise, "window", rules_version, late'
    ", batch_total, batch_usual"
)
_NEWEST = (  # SQLite takes the other columns from the row that has the maximum
    f"SELECT rule, series_id, day, max(known_at), {_CONTENT} FROM signal WHERE day BETWEEN ? AND ?"  # noqa: S608
    " GROUP BY rule, series_id, day"
)
_LAST = day_of(date.max)


def save_signals(
    store: Store, signals: Sequence[Signal], known_at: datetime, *, again: Mapping[SeriesKey, date] | None = None
) -> int:
    """Store the signals that differ from what the rule last said of the series and date; return how many.  Writes.

    Args:
        store: The database, within ``write``.
        signals: Coloured ones.
        known_at: What they were made of was known then.
        again: From which date on a series was judged again: what a rule said of it and no longer says is withdrawn.
    """
    if not signals and not again:
        return 0
    again = again or {}
    ids = series.ids_of(store, (*again, *(signal.key for signal in signals)))
    days = [day_of(signal.date) for signal in signals]
    first = min([*days, *map(day_of, again.values())])
    newest = {row[:3]: row[4:] for row in store.rows(_NEWEST, (first, _LAST))}
    said = {(signal.rule, ids[signal.key], day) for signal, day in zip(signals, days, strict=True)}
    since = {ids[key]: day_of(day) for key, day in again.items()}
    changed = [
        (*cell, seconds_of(known_at), int(Level.CALM), *content[1:])
        for cell, content in newest.items()
        if cell[1] in since and cell[2] >= since[cell[1]] and cell not in said and content[0] != Level.CALM
    ]
    for signal, day in zip(signals, days, strict=True):
        cell, content = (signal.rule, ids[signal.key], day), _content(signal)
        if newest.get(cell) != content:
            changed.append((*cell, seconds_of(known_at), *content))
    store.change_all(
        "INSERT OR REPLACE INTO signal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        changed,
    )
    return len(changed)


def signals(store: Store, first: date, last: date, *, place: str | None = None) -> list[Signal]:
    """Return what the rules last said of the dates from ``first`` to ``last``, by date, series and rule.

    What was withdrawn is left out.
    """
    found = store.rows(
        f"SELECT n.rule, s.indicator, s.place, n.day, {_CONTENT} FROM ({_NEWEST}) AS n"  # noqa: S608
        " JOIN series AS s ON s.id = n.series_id WHERE n.level <> 0 AND (? IS NULL OR s.place = ?)"
        " ORDER BY n.day, s.indicator, s.place, n.rule",
        (day_of(first), day_of(last), place, place),
    )
    return [_signal(row) for row in found]


def judged_until(store: Store) -> dict[SeriesKey, date]:
    """Return the last date each series was judged for its alert; a series never judged is left out."""
    found = store.rows("SELECT indicator, place, until FROM judged JOIN series ON id = series_id ORDER BY id")
    return {SeriesKey(indicator, place): date_of(until) for indicator, place, until in found}


def save_judged(store: Store, judged: Mapping[SeriesKey, date]) -> None:
    """Note until when series were judged; never moves back.  Writes."""
    ids = series.ids_of(store, judged)
    store.change_all(
        "INSERT INTO judged (series_id, until) VALUES (?, ?)"
        " ON CONFLICT (series_id) DO UPDATE SET until = max(until, excluded.until)",
        [(ids[key], day_of(day)) for key, day in judged.items()],
    )


def judged_at(store: Store) -> dict[SeriesKey, datetime]:
    """Return for each judged series the instant whose knowledge its values were last looked at with."""
    found = store.rows(
        "SELECT indicator, place, known_at FROM judged JOIN series ON id = series_id WHERE known_at IS NOT NULL"
        " ORDER BY id"
    )
    return {SeriesKey(indicator, place): instant_of_seconds(known_at) for indicator, place, known_at in found}


def save_judged_at(store: Store, keys: Iterable[SeriesKey], known_at: datetime) -> None:
    """Note what was known when judged series were looked at last; never moves back.  Writes."""
    ids = series.ids_of(store, keys)
    store.change_all(
        "UPDATE judged SET known_at = max(coalesce(known_at, 0), ?) WHERE series_id = ?",
        [(seconds_of(known_at), id) for id in ids.values()],
    )


def _content(signal: Signal) -> tuple[object, ...]:
    numbers = (signal.observed, signal.expected, signal.lower, signal.upper, signal.surprise)
    return (
        int(signal.level),
        signal.detector,
        *map(null_of, numbers),
        signal.window,
        signal.rules_version,
        int(signal.late),
        *(signal.batch or (None, None)),
    )


def _signal(row: tuple[Any, ...]) -> Signal:
    rule, indicator, place, day, level, detector, *numbers, window, version, late, total, usual = row
    observed, expected, lower, upper, surprise = numbers
    return Signal(
        rule=rule,
        indicator=indicator,
        place=place,
        date=date_of(day),
        level=Level(level),
        detector=detector,
        observed=number_of(observed),
        expected=number_of(expected),
        lower=number_of(lower),
        upper=number_of(upper),
        surprise=number_of(surprise),
        window=window,
        rules_version=version,
        late=bool(late),
        batch=None if total is None else (total, usual),
    )
