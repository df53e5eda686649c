"""What a sweep knows when it begins to write; of what several places need, each thing is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from warning import past, periods
from warning.facts import Item
from warning.gaps import Gap
from warning.history import History
from warning.lifecycle import verdict
from warning.model import Alert, Event, Level, SeriesKey, Signal, Stage, Transition
from warning.past import Span, span_of
from warning.rule import alpha_of, draws_line
from warning.scoring import Known
from warning.service import Service
from warning.situation import Coverage, Nearest
from warning.store import alert as alerts_of
from warning.store import observation
from warning.store import signal as signals_of


@dataclass(frozen=True)
class Beside:
    """The places of a tier, all of which are watched for an indicator."""

    codes: Sequence[str]  # P
    columns: Sequence[int]  # P, of the panel
    persons: Sequence[int | None]  # P, behind a rate; None where nobody counted them or there is no rate


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
    def reported(self) -> frozenset[SeriesKey]:
        """Every series that ever had a value."""
        return frozenset(observation.reported(self.service.store, known_at=self.now))

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

    @cached_property
    def place_of(self) -> Mapping[str, str]:
        """The place of every alert there ever was, by number."""
        return alerts_of.places(self.service.store)

    @cached_property
    def _by_number(self) -> Mapping[str, Alert]:
        return {alert.number: alert for alert in self.alerts}

    @cached_property
    def by_place(self) -> Mapping[str, Sequence[Alert]]:
        """The alerts of the day by place."""
        found: dict[str, list[Alert]] = {}
        for alert in self.alerts:
            found.setdefault(alert.place, []).append(alert)
        return found

    @cached_property
    def gap_of(self) -> Mapping[SeriesKey, Gap]:
        """The due period nobody could judge of each series that has one."""
        return {SeriesKey(gap.indicator.id, gap.place.code): gap for gap in self.gaps}

    @cached_property
    def gaps_in(self) -> Mapping[str, Sequence[Gap]]:
        """The gaps by place."""
        found: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            found.setdefault(gap.place.code, []).append(gap)
        return found

    @cached_property
    def items(self) -> dict[Alert, Item]:
        """The facts of alerts, as they are put together."""
        return {}

    def span(self, first: date) -> Span:
        """Return what the store says of the days from one to the sweep's."""
        if first not in self._spans:
            self._spans[first] = span_of(self.service.store, (first, self.day), self.place_of)
        return self._spans[first]

    @cached_property
    def _spans(self) -> dict[date, Span]:
        return {}

    def beside(self, indicator: str, tier: str, year: int) -> Beside | None:
        """Return the places of a tier with their series of an indicator; None where not all of them are watched."""
        asked = (indicator, tier, year)
        if asked not in self._beside:
            self._beside[asked] = self._found_beside(indicator, tier, year)
        return self._beside[asked]

    def _found_beside(self, indicator: str, tier: str, year: int) -> Beside | None:
        city = self.service.city
        panel = self.panels[city.indicators[indicator].frequency]
        codes = tuple(place.code for place in city.at_tier(tier))
        columns = [panel.index.get(SeriesKey(indicator, code)) for code in codes]
        if None in columns:
            return None
        counted = (city.denominator_of(indicator, code, year=year) for code in codes)
        persons = [None if one is None else one[0] for one in counted]
        return Beside(codes, [n for n in columns if n is not None], persons)

    @cached_property
    def _beside(self) -> dict[tuple[str, str, int], Beside | None]:
        return {}

    def alert(self, number: str) -> Alert | None:
        """Return an alert as it stood after the sweep of the day; one that ended then, as it ended."""
        known = self._by_number.get(number)
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
