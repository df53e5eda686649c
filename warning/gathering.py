"""From the store and a sweep's panels to the facts of every place.

What is gathered here is plain data; what it is called and how it is printed is
decided in ``facts``, ``course`` and ``situation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from warning import course, past, periods, situation
from warning.context import Context
from warning.course import Part
from warning.deadlines import Deadline
from warning.deadlines import deadlines as deadlines_of
from warning.facts import LEVEL_ZH, Facts, Item
from warning.grounds import to_do
from warning.history import History, last_year
from warning.model import Alert, Level, SeriesKey, Transition
from warning.ranking import standing_of
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import observation
from warning.tier import Tier
from warning.together import Before

PERIODS = 12  # weeks or months over which two indicators are compared


def of_place(context: Context, code: str, first: date | None = None) -> Facts:
    """Return the facts of a place for the sweep's day, or from ``first`` to that day."""
    service, period = context.service, (first or context.day, context.day)
    alerts, span = context.by_place.get(code, ()), context.span(period[0])
    return situation.of_place(
        service.city.places[code],
        period,
        context.coverages[code],
        alerts=alerts,
        events=span.events.get(code, ()),
        items=[item_of(context, alert) for alert in alerts if alert.active > Level.CALM],
        waiting=[item_of(context, alert) for alert in alerts if alert.active <= Level.CALM],
        gaps=context.gaps_in.get(code, ()),
        nearest=(context.nearest or {}).get(code),
        days=_named_days(context, period),
        rules_version=past.rules_used(service, code, context.day, alerts, span.versions.get(code, ())),
        cutoff=context.cutoff,
        zone=service.config.zone,
        alerts_before=None if span.before is None else span.before.get(code, 0),
        before=_before(context, alerts),
        coloured_since=past.coloured_since(service.store, context.coverages[code], context.day),
        judged=span.judged,
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
    alerts, span = context.alerts, context.span(period[0])
    versions = {version for found in span.versions.values() for version in found}
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
        rules_version=past.rules_used(service, service.city.root, context.day, alerts, versions),
        cutoff=context.cutoff,
        zone=service.config.zone,
        alerts_before=None if span.before is None else sum(span.before.values()),
        judged=span.judged,
    )


def item_of(context: Context, alert: Alert) -> Item:
    """Return the facts of one alert up to the last period known; they are put together once."""
    if alert not in context.items:
        context.items[alert] = _item(context, alert)
    return context.items[alert]


def _item(context: Context, alert: Alert) -> Item:
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
        tier=_tier(context, alert.key, until),
        due=deadlines(context, alert),
        conf=context.confidence,
        last=past.last_judgement(service, alert, until, context.now),
        level_since=max((e.date for e in events if e.transition is not Transition.LEVEL_CHANGED), default=None),
        settled=max((e.date for e in events if e.transition is Transition.LEVEL_CHANGED), default=None),
        gap=context.gap_of.get(alert.key),
        days=_named_days(context, _told(alert, until, indicator.frequency)),
        corrected=_corrected_zh(context, alert),
        standing=standing_of(service, context.panels, alert),
        to_do=to_do(alert, service.rules),
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
    calendar, zone, rules = context.service.calendar, context.service.config.zone, context.service.rules.rules
    return deadlines_of(alert, context.events_of(alert.number), calendar, zone, context.as_of or context.now, rules)


def _parts(context: Context, key: SeriesKey, history: History) -> list[Part]:
    city, store = context.service.city, context.service.store
    below = [SeriesKey(key.indicator, child) for child in city.children[key.place]]
    below = [child for child in below if child in context.reported] if below else []
    if not below:
        return []
    dates = history.dates[-56:]
    values = observation.window(store, below, dates, known_at=context.now)
    return [
        Part(city.places[child.place].name_zh, History(dates, values[:, n], history.frequency))
        for n, child in enumerate(below)
    ]


def _tier(context: Context, key: SeriesKey, until: date) -> Tier | None:
    city = context.service.city
    beside = context.beside(key.indicator, city.places[key.place].tier, until.year)
    if beside is None:
        return None
    panel = context.panels[city.indicators[key.indicator].frequency]
    stop = int(np.searchsorted(panel.dates, np.datetime64(until), side="right"))
    rows = slice(max(stop - course.LONGEST[panel.frequency], 0), stop)
    return Tier(beside.codes, panel.dates[rows], panel.values[rows][:, beside.columns], beside.persons)


def _named_days(context: Context, period: tuple[date, date]) -> list[str]:
    days = (period[1] - period[0]).days + 1
    return [name for n in range(days) for name in context.service.calendar.names(period[0] + timedelta(days=n))]
