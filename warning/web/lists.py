"""Alerts and places of a date, as the lists of the pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from warning.model import Alert, Level, Place, Stage
from warning.past import overdue_in
from warning.service import Service
from warning.situation import Coverage
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document
from warning.web.pages import latest

REACH = timedelta(days=31)  # how far from a date the next judged one is looked for


@dataclass(frozen=True, slots=True)
class Row:
    """One alert as it stood on a date."""

    alert: Alert
    level: Level  # on that date
    place_zh: str
    indicator_zh: str
    indicator_en: str
    overdue: tuple[str, ...] = ()  # what should have been done by now
    frequency: str = "daily"  # of the indicator: what a date stands for


@dataclass(frozen=True, slots=True)
class Line:
    """One place on a date: its colour, its alerts by level, its series."""

    code: str
    name_zh: str
    level: Level
    red: int
    orange: int
    yellow: int
    watched: int
    missing: int


@dataclass(frozen=True, slots=True)
class Days:
    """A judged date and the judged dates next to it."""

    shown: date
    before: date | None
    after: date | None


def row_of(service: Service, alert: Alert, level: Level | None = None, overdue: tuple[str, ...] = ()) -> Row:
    """Return an alert with its names; one that the city no longer knows keeps its code."""
    indicator = service.city.indicators.get(alert.indicator)
    place = service.city.places.get(alert.place)
    return Row(
        alert,
        alert.active if level is None else level,
        alert.place if place is None else place.name_zh,
        alert.indicator if indicator is None else indicator.name_zh,
        "" if indicator is None else indicator.name_en,
        overdue,
        "daily" if indicator is None else indicator.frequency,
    )


def standing(service: Service, day: date, *, place: str | None = None) -> list[Row]:
    """Return the alerts that stood on a judged date, of one place or all, strongest first.

    Those whose data fell back to calm are among them while a person must still close them.
    """
    newest = latest(service) == day
    alerts = alerts_of.alerts(service.store, first=day, last=day, place=place)
    late = overdue_in(service, alerts) if newest else {}
    rows = []
    for alert in alerts:
        level = alert.active if newest else _level_on(service, alert, day)
        if level > Level.CALM or (level is Level.CALM and alert.stage is not Stage.CLOSED):
            rows.append(row_of(service, alert, level, late.get(alert.number, ())))
    return sorted(rows, key=lambda row: (-row.level, -row.alert.onset.toordinal(), row.alert.number))


def ended(service: Service, day: date, *, place: str | None = None) -> list[Row]:
    """Return the alerts that had ended by a judged date, at their highest level, the last to end first."""
    past = {event.alert: event.after for event in alerts_of.events(service.store, last=day)}
    rows = [
        row_of(service, alert, alert.peak)
        for alert in alerts_of.alerts(service.store, last=day, place=place)
        if alert.stage is Stage.CLOSED and (alert.updated < day or past.get(alert.number, Level.CALM) is Level.CALM)
    ]
    return sorted(rows, key=lambda row: (row.alert.updated, row.alert.number), reverse=True)


def lines(places: Iterable[Place], rows: Sequence[Row], on: Mapping[str, Coverage]) -> list[Line]:
    """Return the places strongest first, then in the order given; one that was not judged is grey."""
    found = [_line(place, rows, on.get(place.code)) for place in places]
    return sorted(found, key=lambda line: (-line.level, -line.red, -line.orange, -line.yellow))


def days_around(service: Service, day: date) -> Days:
    """Return a judged date with the judged dates before and after it, within a month."""
    some_place = next(iter(coverages_of.on(service.store, day)), None)
    judged = [found.date for found in coverages_of.between(service.store, day - REACH, day + REACH, place=some_place)]
    return Days(
        day,
        max((found for found in judged if found < day), default=None),
        min((found for found in judged if found > day), default=None),
    )


def mondays_with_briefing(service: Service, place: str, day: date) -> list[date]:
    """Return the Mondays of a date's week and of the one before whose briefing of a place is there, newest first."""
    monday = day - timedelta(days=day.weekday())
    weeks = (monday, monday - timedelta(days=7))
    return [week for week in weeks if document.document(service.store, "briefing", place, week) is not None]


def _level_on(service: Service, alert: Alert, day: date) -> Level:
    """Return the level an alert had after what happened up to a date; MISSING before it was opened."""
    past = alerts_of.events(service.store, alert.number, last=day)
    return past[-1].after if past else Level.MISSING


def _line(place: Place, rows: Sequence[Row], coverage: Coverage | None) -> Line:
    levels = [row.level for row in rows if row.alert.place == place.code]
    return Line(
        place.code,
        place.name_zh,
        Level.MISSING if coverage is None else coverage.colour,
        levels.count(Level.RED),
        levels.count(Level.ORANGE),
        levels.count(Level.YELLOW),
        0 if coverage is None else coverage.watched,
        0 if coverage is None else coverage.missing,
    )
