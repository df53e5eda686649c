"""Alerts as they stand, and the append-only history of what happened to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from warning.model import Alert, Event, Level, SeriesKey, Signal, Stage, Transition
from warning.store import series
from warning.store.connection import Store
from warning.store.encoding import date_of, day_of, instant_of, null_of, number_of, text_of

_COLUMNS = "number, indicator, place, active, peak, stage, onset, opened, updated, quiet, stayed, evidence"
_DAYS = ("onset", "opened", "updated")
_NUMBERS = ("observed", "expected", "lower", "upper", "surprise")


def live(store: Store) -> list[Alert]:
    """Return the alerts that are not closed, by number."""
    return _alerts(store, "stage <> ?", (Stage.CLOSED,))


def alerts(
    store: Store, *, first: date | None = None, last: date | None = None, place: str | None = None
) -> list[Alert]:
    """Return the alerts that lasted into the dates from ``first`` to ``last``, of one place or all, by number.

    An alert that is not closed lasts; a closed one lasted from ``opened`` to ``updated``.
    """
    condition = (
        "(:first IS NULL OR updated >= :first OR stage <> 'closed') AND (:last IS NULL OR opened <= :last)"
        " AND (:place IS NULL OR place = :place)"
    )
    return _alerts(store, condition, {"first": _text(first), "last": _text(last), "place": place})


def alert(store: Store, number: str) -> Alert | None:
    """Return one alert, or None if there is no such number."""
    return next(iter(_alerts(store, "number = ?", (number,))), None)


def places(store: Store) -> dict[str, str]:
    """Return the place of every alert there ever was, by number."""
    return dict(store.rows("SELECT number, place FROM alert"))


def save(store: Store, alerts: Sequence[Alert]) -> None:
    """Store alerts as they stand now.  Writes.

    Raises:
        sqlite3.IntegrityError: if two alerts of one series would be live.
    """
    store.change_all(
        f"INSERT INTO alert ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        " ON CONFLICT (number) DO UPDATE SET active = excluded.active, peak = excluded.peak, stage = excluded.stage,"
        " onset = excluded.onset, updated = excluded.updated, quiet = excluded.quiet, stayed = excluded.stayed,"
        " evidence = excluded.evidence",
        [
            (
                alert.number,
                alert.indicator,
                alert.place,
                int(alert.active),
                int(alert.peak),
                alert.stage.value,
                alert.onset.isoformat(),
                alert.opened.isoformat(),
                alert.updated.isoformat(),
                alert.quiet,
                alert.stayed,
                json.dumps([_written(signal) for signal in alert.evidence], ensure_ascii=False),
            )
            for alert in alerts
        ],
    )


def stood(store: Store, key: SeriesKey) -> dict[date, Alert | None]:
    """Return which alert a series had after the verdicts of its last dates; None after one that took it away."""
    found = store.rows(
        "SELECT day, alert FROM stood JOIN series ON id = series_id WHERE indicator = ? AND place = ? ORDER BY day",
        key,
    )
    return {date_of(day): None if text is None else _remembered(json.loads(text)) for day, text in found}


def save_stood(
    store: Store,
    courses: Mapping[SeriesKey, Mapping[date, Alert | None]],
    again: Mapping[SeriesKey, date],
    *,
    keep_from: date,
) -> None:
    """Remember which alert series had after their dates, in the stead of what was so from ``again`` on.  Writes.

    Of the dates before ``keep_from`` only the last one of each series is kept.
    """
    ids = series.ids_of(store, (*courses, *again))
    store.change_all(
        "DELETE FROM stood WHERE series_id = ? AND day >= ?", [(ids[key], day_of(day)) for key, day in again.items()]
    )
    store.change_all(
        "INSERT OR REPLACE INTO stood VALUES (?, ?, ?)",
        [
            (ids[key], day_of(day), None if alert is None else json.dumps(_kept(alert), ensure_ascii=False))
            for key, course in courses.items()
            for day, alert in course.items()
        ],
    )
    store.change(
        "DELETE FROM stood WHERE day < ? AND EXISTS (SELECT 1 FROM stood AS later"
        " WHERE later.series_id = stood.series_id AND later.day > stood.day AND later.day < ?)",
        (day_of(keep_from), day_of(keep_from)),
    )


def closed_until(store: Store, key: SeriesKey) -> date | None:
    """Return the last date of the alerts of a series that persons closed; None without any."""
    found = store.row(
        "SELECT max(updated) FROM alert WHERE indicator = ? AND place = ? AND stage = 'closed' AND peak >= ?",
        (*key, int(Level.ORANGE)),
    )
    return None if found is None or found[0] is None else date.fromisoformat(found[0])


def count_of(store: Store, day: date) -> int:
    """Return how many alerts were opened for a data date."""
    found = store.row("SELECT count(*) FROM alert WHERE opened = ?", (day.isoformat(),))
    return 0 if found is None else int(found[0])


def append_events(store: Store, events: Sequence[Event]) -> None:
    """Append to the history of alerts that are saved already.  Writes.

    Raises:
        sqlite3.IntegrityError: if the alert is unknown, or its sequence number is taken.
    """
    store.change_all(
        "INSERT INTO event (alert, sequence, date, at, transition, before, after, note, known)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                event.alert,
                event.sequence,
                event.date.isoformat(),
                text_of(event.at),
                event.transition.value,
                int(event.before),
                int(event.after),
                event.note,
                event.known.isoformat(),
            )
            for event in events
        ],
    )


def events(
    store: Store, number: str | None = None, *, first: date | None = None, last: date | None = None
) -> list[Event]:
    """Return what happened, to one alert or all, in the sweeps of the days from ``first`` to ``last``, in order."""
    found = store.rows(
        "SELECT alert, sequence, date, at, transition, before, after, note, known FROM event"
        " WHERE (:number IS NULL OR alert = :number) AND (:first IS NULL OR known >= :first)"
        " AND (:last IS NULL OR known <= :last) ORDER BY date, at, alert, sequence",
        {"number": number, "first": _text(first), "last": _text(last)},
    )
    return [
        Event(
            alert,
            sequence,
            date.fromisoformat(day),
            instant_of(at),
            Transition(transition),
            Level(before),
            Level(after),
            note,
            date.fromisoformat(known) if known != day else None,
        )
        for alert, sequence, day, at, transition, before, after, note, known in found
    ]


def last_sequence(store: Store, number: str) -> int:
    """Return the sequence number of an alert's last event; 0 before the first."""
    found = store.row("SELECT max(sequence) FROM event WHERE alert = ?", (number,))
    return 0 if found is None or found[0] is None else int(found[0])


def _alerts(store: Store, condition: str, parameters: tuple[str, ...] | dict[str, Any]) -> list[Alert]:
    found = store.rows(f"SELECT {_COLUMNS} FROM alert WHERE {condition} ORDER BY opened, number", parameters)  # noqa: S608
    return [
        Alert(
            number=number,
            indicator=indicator,
            place=place,
            active=Level(active),
            peak=Level(peak),
            stage=Stage(stage),
            onset=date.fromisoformat(onset),
            opened=date.fromisoformat(opened),
            updated=date.fromisoformat(updated),
            quiet=quiet,
            stayed=stayed,
            evidence=tuple(_read(signal) for signal in json.loads(evidence)),
        )
        for number, indicator, place, active, peak, stage, onset, opened, updated, quiet, stayed, evidence in found
    ]


def _written(signal: Signal) -> dict[str, Any]:
    found = asdict(signal) | {"date": signal.date.isoformat(), "level": int(signal.level)}
    return found | {name: null_of(found[name]) for name in _NUMBERS}  # JSON has no NaN


def _read(found: dict[str, Any]) -> Signal:
    read: dict[str, Any] = {name: number_of(found[name]) for name in _NUMBERS}
    batch = found.get("batch")  # evidence of before it was looked for has none
    read |= {"date": date.fromisoformat(found["date"]), "level": Level(found["level"])}
    return Signal(**found | read | {"batch": None if batch is None else (batch[0], batch[1])})


def _kept(alert: Alert) -> dict[str, Any]:
    days = {name: getattr(alert, name).isoformat() for name in _DAYS}
    return asdict(alert) | days | {"evidence": [_written(signal) for signal in alert.evidence]}


def _remembered(found: dict[str, Any]) -> Alert:
    days = {name: date.fromisoformat(found[name]) for name in _DAYS}
    levels = {name: Level(found[name]) for name in ("active", "peak")}
    evidence = tuple(_read(signal) for signal in found["evidence"])
    return Alert(**found | days | levels | {"stage": Stage(found["stage"]), "evidence": evidence})


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
