"""What the store remembers and a text needs: the rules that judged, for how long it is so, how it was before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from warning.deadlines import overdue
from warning.grounds import Judgement, ground
from warning.model import Alert, Event, Level, Transition
from warning.rule import Rule, judges
from warning.scoring import DEAR, way_of
from warning.service import Service
from warning.situation import Coverage
from warning.store import Store, document
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import score as scores_of
from warning.store import signal as signals_of

STREAK = 92  # days looked back for how long a place has had its colour


def last_judgement(service: Service, alert: Alert, until: date, now: datetime) -> Judgement | None:
    """Return what the rule that raised an alert measured last, or a rule of single values where nothing holds it."""
    rule = _measure(service, alert)
    if rule is None:
        return None
    dates = np.array([until], dtype="datetime64[D]")
    found = scores_of.load_scores(service.store, way_of(service, rule), [alert.key], dates, now)
    cells = (found.observed, found.lower, found.upper)
    return Judgement(until, rule.window, *(float(cell[0, 0]) for cell in cells))


def _measure(service: Service, alert: Alert) -> Rule | None:
    signal = ground(alert)
    for rule in service.rules.rules:
        if signal is None and rule.window == 1 and rule.detector not in DEAR and judges(rule, alert.key, service.city):
            return rule
        if signal is not None and rule.id == signal.rule and signal.detector != "changepoint":
            return rule.view_of(signal)
    return None


@dataclass(frozen=True)
class Span:
    """What the store says of the days from one to another, for all places at once."""

    events: Mapping[str, Sequence[Event]]  # by place, in order
    versions: Mapping[str, Collection[str]]  # by place: of the rules, as signals carry them
    before: Mapping[str, int] | None  # by place: alerts of the period before; None where its first day was not judged
    judged: frozenset[date]  # the days that were swept; a single day is: a text of it is written by its sweep


def span_of(store: Store, period: tuple[date, date], place_of: Mapping[str, str]) -> Span:
    """Return what the store says of a period.

    Args:
        store: The database.
        period: Its first and its last day.
        place_of: The place of every alert, by number.
    """
    events: dict[str, list[Event]] = {}
    for event in alerts_of.events(store, first=period[0], last=period[1]):
        events.setdefault(place_of[event.alert], []).append(event)
    versions: dict[str, set[str]] = {}
    for signal in signals_of.signals(store, *period):
        versions.setdefault(signal.place, set()).add(signal.rules_version)
    single = period[0] == period[1]
    judged = period if single else (found.date for found in coverages_of.between(store, *period))
    return Span(events, versions, _alerts_before(store, period, place_of), frozenset(judged))


def _alerts_before(store: Store, period: tuple[date, date], place_of: Mapping[str, str]) -> Mapping[str, int] | None:
    last = period[0] - timedelta(days=1)
    first = last - (period[1] - period[0])
    if not coverages_of.was_swept(store, first):
        return None
    past = alerts_of.events(store, last=last)
    level = {event.alert: event.after for event in past}
    opened = {e.alert for e in past if e.transition is Transition.OPENED and e.known >= first}
    return Counter(place_of[number] for number in {n for n, after in level.items() if after > Level.CALM} | opened)


def rules_used(service: Service, code: str, day: date, alerts: Sequence[Alert], versions: Collection[str]) -> str:
    """Return the versions of the rules that judged: those the signals carry, and what the day's first text printed.

    A day that is swept again is not judged again: it keeps the version it was judged by, whatever is in force now.
    """
    current = service.rules.version
    written = document.document(service.store, "narrative", code, day)
    used = {current} if written is None else set(_printed_rules(written.facts))
    used |= {*versions, *(signal.rules_version for alert in alerts for signal in alert.evidence)}
    return "、".join(sorted(used or {current}, key=lambda version: (version == current, version)))


def _printed_rules(facts: str) -> list[str]:
    return [part for row in json.loads(facts) if row["id"].endswith("/rules_ver") for part in row["value"].split("、")]


def onset_told(store: Store, alert: Alert, day: date) -> date | None:
    """Return since when an alert lasted by what the text of a day said of it; None where it said nothing.

    Stronger evidence of later days may have dated it anew.
    """
    written = document.document(store, "narrative", alert.place, day)
    rows = [] if written is None else json.loads(written.facts)
    series = f"{alert.place}/{alert.indicator}/"
    told = (row["value"] for row in rows if row["id"].startswith(series) and row["id"].endswith("/onset"))
    return next((date.fromisoformat(value) for value in told), None)


def coloured_since(store: Store, coverage: Coverage, day: date) -> date | None:
    """Return since which day a place has had its colour, two days or more; None for a calm or grey one."""
    since = day
    if coverage.colour <= Level.CALM:
        return None
    while (day - since).days < STREAK:
        before = coverages_of.of(store, coverage.place, since - timedelta(days=1))
        if before is None or before.colour is not coverage.colour:
            break
        since = before.date
    return since if since < day else None


def overdue_in(service: Service, alerts: Sequence[Alert]) -> Mapping[str, tuple[str, ...]]:
    """Return by alert number which of its deadlines are past now."""
    events, zone, now = alerts_of.events(service.store), service.config.zone, service.clock()
    return overdue(alerts, events, service.calendar, zone, now, service.rules.rules)
