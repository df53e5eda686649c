"""From the store and a sweep's panels to the facts of every place.

What is gathered here is plain data; what it is called and how it is printed is
decided in ``facts``, ``course`` and ``situation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from warning import course, past, periods, situation
from warning.course import Part, Peer
from warning.deadlines import Deadline
from warning.deadlines import deadlines as deadlines_of
from warning.facts import LEVEL_ZH, Facts, Item
from warning.gaps import Gap
from warning.history import History, last_year
from warning.lifecycle import verdict
from warning.model import Alert, Event, Level, SeriesKey, Signal, Stage, Transition
from warning.rule import alpha_of, draws_line
from warning.scoring import Known
from warning.service import Service
from warning.situation import Coverage, Nearest
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import observation
from warning.store import signal as signals_of
from warning.together import Before

PERIODS = 12  # weeks or months over which two indicators are compared


@dataclass(frozen=True)
class Context:
    """What a sweep knows when it begins to write."""

    service: Service
    day: date
    now: datetime
    panels: Mapping[str, Known]
    coverages: Mapping[str, Coverage]
    gaps: tuple[Gap, ...] = ()
    nearest: Mapping[str, Nearest] | None = None
    as_of: datetime | None = None  # the instant deadlines are held against, now if None

    @cached_property
    def cutoff(self) -> datetime:
        """When the newest value of two weeks, or of the last period, arrived: until when the texts know anything."""
        first = min([self.day - timedelta(days=14), *(panel.dates[-1].item() for panel in self.panels.values())])
        found = observation.last_received(self.service.store, first, self.day, known_at=self.now)
        return found or self.now

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that were not closed after the sweep of the day, at the level they had then."""
        store = self.service.store
        past = {number: events[-1] for number, events in self.happened.items()}
        later = {event.alert for event in alerts_of.events(store, first=self.day + timedelta(days=1))}
        found = []
        for alert in alerts_of.alerts(store):
            last = past.get(alert.number)
            if last is None or last.transition is Transition.ENDED:
                continue
            if alert.number in later or alert.updated != self._last_period(alert):
                found.append(self._as_it_was(alert, last.after))
            elif alert.stage is not Stage.CLOSED:
                found.append(alert)
        return tuple(found)

    def _as_it_was(self, alert: Alert, level: Level) -> Alert:
        """Return an alert that lives on as it stood on the day: at the level it had, by the last evidence for it."""
        first = alert.opened - timedelta(days=self.day.weekday() + 7)
        told = [
            signal
            for signal in signals_of.signals(self.service.store, first, self.day, place=alert.place)
            if signal.key == alert.key and signal.level > Level.CALM
        ]
        reached = max((signal.date for signal in told if signal.level >= level), default=None)
        evidence: tuple[Signal, ...] = ()
        if reached is not None and level > Level.CALM:
            evidence = verdict(alert.key, reached, [signal for signal in told if signal.date == reached]).signals
        known = alert.onset if alert.onset <= self.day else alert.opened
        return replace(
            alert,
            active=level,
            peak=max(event.after for event in self.happened[alert.number]),
            stage=Stage.RAISED if alert.stage is Stage.CLOSED else alert.stage,  # it ended later, and by itself
            onset=past.onset_told(self.service.store, alert, self.day) or known,
            updated=self._last_period(alert),
            evidence=evidence,
        )

    def _last_period(self, alert: Alert) -> date:
        """Return the first day of the last period an alert was judged by that was over on the day."""
        frequency = self.service.city.indicators[alert.indicator].frequency
        return min(alert.updated, periods.last_complete(self.day, frequency))

    @cached_property
    def happened(self) -> dict[str, list[Event]]:
        """What happened to each alert up to the sweep of the day, in order."""
        found: dict[str, list[Event]] = {}
        for event in alerts_of.events(self.service.store, last=self.day):
            found.setdefault(event.alert, []).append(event)
        return found

    def alert(self, number: str) -> Alert | None:
        """Return an alert as it stood after the sweep of the day; one that ended then, as it ended."""
        known = next((alert for alert in self.alerts if alert.number == number), None)
        return known or alerts_of.alert(self.service.store, number)

    def events_of(self, number: str) -> list[Event]:
        """Return what happened to one alert up to the sweep of the day, in order."""
        return self.happened.get(number, [])

    @cached_property
    def confidence(self) -> dict[str, float | None]:
        """What share of usual values a rule's bounds hold, in per cent; None where the bound is a drawn line."""
        rules = self.service.rules.rules
        drawn: dict[str, float | None] = {rule.id: None for rule in rules if draws_line(rule)}
        alphas = {rule.id: alpha_of(rule) for rule in rules if rule.id not in drawn}
        return drawn | {rule: 100 * (1 - alpha) for rule, alpha in alphas.items() if alpha is not None}

    def history(self, key: SeriesKey) -> History:
        """Return a judged series as it is known, with where it came from."""
        panel = self.panels[self.service.city.indicators[key.indicator].frequency]
        source = f"observation {key.indicator} {key.place} known at {self.cutoff.isoformat()}"
        return History(panel.dates, panel.of(key), panel.frequency, source)


def of_place(context: Context, code: str, first: date | None = None) -> Facts:
    """Return the facts of a place for the sweep's day, or from ``first`` to that day."""
    service, period = context.service, (first or context.day, context.day)
    alerts = [alert for alert in context.alerts if alert.place == code]
    mine = {alert.number for alert in alerts_of.alerts(service.store, place=code)}
    return situation.of_place(
        service.city.places[code],
        period,
        context.coverages[code],
        alerts=alerts,
        events=[e for e in alerts_of.events(service.store, first=period[0], last=period[1]) if e.alert in mine],
        items=[item_of(context, alert) for alert in alerts if alert.active > Level.CALM],
        waiting=[item_of(context, alert) for alert in alerts if alert.active <= Level.CALM],
        gaps=[gap for gap in context.gaps if gap.place.code == code],
        nearest=(context.nearest or {}).get(code),
        days=_named_days(context, period),
        rules_version=past.rules_used(service, code, period, alerts),
        cutoff=context.cutoff,
        zone=service.config.zone,
        alerts_before=past.alerts_before(service.store, period, of=mine),
        before=_before(context, alerts),
        coloured_since=past.coloured_since(service.store, context.coverages[code], context.day),
        judged=past.days_judged(service.store, period),
    )


def _before(context: Context, alerts: Sequence[Alert]) -> Before:
    """The weeks (of monthly ones alone: the months) before any of the alerts began.

    That they rose at once would make them alike by itself.
    """
    coloured = [alert for alert in alerts if alert.active > Level.CALM]
    if len(coloured) < 2:
        return Before({}, "weekly")
    first = min(alert.onset for alert in coloured)
    indicators = {alert.number: context.service.city.indicators[alert.indicator] for alert in coloured}
    unit = "monthly" if {one.frequency for one in indicators.values()} == {"monthly"} else "weekly"
    values = {
        alert.number: context.history(alert.key).before(first, PERIODS, unit, indicators[alert.number])
        for alert in coloured
    }
    return Before(values, unit)


def of_city(context: Context, first: date | None = None) -> Facts:
    """Return the facts of the root place for the sweep's day, or from ``first`` to that day."""
    service, period = context.service, (first or context.day, context.day)
    alerts = context.alerts
    before = {
        code: found.colour for code, found in coverages_of.on(service.store, period[0] - timedelta(days=1)).items()
    }
    return situation.of_city(
        service.city.places[service.city.root],
        period,
        context.coverages,
        service.city.places,
        alerts=alerts,
        events=alerts_of.events(service.store, first=period[0], last=period[1]),
        items=[item_of(context, alert) for alert in alerts if alert.active > Level.CALM],
        waiting=[item_of(context, alert) for alert in alerts if alert.active <= Level.CALM],
        before=before,
        neighbours=service.city.neighbours,
        indicators=service.city.indicators,
        gaps=context.gaps,
        days=_named_days(context, period),
        rules_version=past.rules_used(service, service.city.root, period, alerts),
        cutoff=context.cutoff,
        zone=service.config.zone,
        alerts_before=past.alerts_before(service.store, period),
        judged=past.days_judged(service.store, period),
    )


def item_of(context: Context, alert: Alert) -> Item:
    """Return the facts of one alert up to the last period known."""
    service, city = context.service, context.service.city
    indicator, place = city.indicators[alert.indicator], city.places[alert.place]
    history = context.history(alert.key)
    known = history.dates[np.isfinite(history.values)]
    until: date = known[-1].item() if len(known) else alert.updated
    events = context.events_of(alert.number)
    return course.item(
        alert,
        indicator,
        place,
        history,
        until=until,
        last_year=last_year(service.calendar, indicator.frequency),
        rule_names={rule.id: rule.name_zh for rule in service.rules.rules},
        parts=_parts(context, alert.key, history),
        peers=_peers(context, alert.key, until),
        due=deadlines(context, alert),
        conf=context.confidence,
        last=past.last_judgement(service, alert, until, context.now),
        level_since=max((e.date for e in events if e.transition is not Transition.LEVEL_CHANGED), default=None),
        settled=max((e.date for e in events if e.transition is Transition.LEVEL_CHANGED), default=None),
        gap=next((g for g in context.gaps if (g.indicator.id, g.place.code) == alert.key), None),
        days=_named_days(context, _told(alert, until, indicator.frequency)),
        corrected=_corrected_zh(context, alert),
    )


def _told(alert: Alert, until: date, frequency: str) -> tuple[date, date]:
    """Return the first and the last day of what is told of an alert's course."""
    first = max(min(alert.onset, until), periods.later(until, 1 - course.LONGEST[frequency], frequency))
    return first, periods.last_day(until, frequency)


def _corrected_zh(context: Context, alert: Alert) -> str:
    """因数据更正（11月19日由12件更正为31件），等级由正常调整为红色: what the sweep of the day found; "" for nothing."""
    events = [event for event in context.events_of(alert.number) if event.known == context.day]
    notes = [event.note for event in events if event.transition is Transition.CORRECTED]
    if not notes:
        return ""
    before, after = events[0].before, events[-1].after
    moved = f"等级由{LEVEL_ZH[before]}调整为{LEVEL_ZH[after]}" if before is not after else f"等级仍为{LEVEL_ZH[after]}"
    return f"{notes[-1]}，{moved}"


def deadlines(context: Context, alert: Alert) -> tuple[Deadline, ...]:
    """Return what is to be done about an alert until when, and how it stands at the instant of the text."""
    calendar, zone = context.service.calendar, context.service.config.zone
    return deadlines_of(alert, context.events_of(alert.number), calendar, zone, context.as_of or context.now)


def _parts(context: Context, key: SeriesKey, history: History) -> list[Part]:
    city, store = context.service.city, context.service.store
    below = [SeriesKey(key.indicator, child) for child in city.children[key.place]]
    reported = set(observation.reported(store, known_at=context.now))
    below = [child for child in below if child in reported]
    if not below:
        return []
    dates = history.dates[-56:]
    values = observation.window(store, below, dates, known_at=context.now)
    return [
        Part(city.places[child.place].name_zh, History(dates, values[:, n], history.frequency))
        for n, child in enumerate(below)
    ]


def _peers(context: Context, key: SeriesKey, until: date) -> list[Peer]:
    city = context.service.city
    panel = context.panels[city.indicators[key.indicator].frequency]
    peers = []
    for place in city.at_tier(city.places[key.place].tier):
        persons = city.denominator_of(key.indicator, place.code, year=until.year)
        other = SeriesKey(key.indicator, place.code)
        if other not in panel.index:
            return []
        history = History(panel.dates, panel.of(other), panel.frequency)
        peers.append(Peer(place.code, history, None if persons is None else persons[0]))
    return peers


def _named_days(context: Context, period: tuple[date, date]) -> list[str]:
    days = (period[1] - period[0]).days + 1
    return [name for n in range(days) for name in context.service.calendar.names(period[0] + timedelta(days=n))]
