"""The alerts of a past period as rules would have had them, from the scores that are stored: a year in about a second.

Levels, holds, numbers and events are found by the functions of the live sweep.  What is not live: each date is judged
by its scores as they are known now, on the last day of its period, and an alert is dated from the day it was opened.
An orange or red one that is calm again counts as handled.  ``replay`` goes day by day by what was known then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from warning import grading, periods
from warning.graded import Graded, graded
from warning.lifecycle import Holds, Verdict, advance, verdict
from warning.model import Alert, Event, Level, SeriesKey, Signal, Stage, Transition
from warning.replay import as_known, morning_after, replay
from warning.scoring import Beat, Judged
from warning.service import Deployment, Service
from warning.standing import Past, fold, holds_of

RISES = (Transition.OPENED, Transition.RAISED)


@dataclass(frozen=True)
class Retold:
    """What would have been told of a period."""

    first: date
    last: date
    alerts: Mapping[str, Alert]  # by number, as they stood on the last day
    events: tuple[Event, ...]  # in order
    signals: Mapping[tuple[str, int], tuple[Signal, ...]]  # by alert and sequence of an event: what made it so
    judged: Mapping[str, int]  # by rule, how many place-days (place-weeks, …) it judged
    coloured: Mapping[str, int]  # and how many of them had a colour

    def rises(self) -> Iterator[Event]:
        """Yield what people would have been told of: alerts that opened or rose."""
        return (event for event in self.events if event.transition in RISES)

    def calm_since(self, number: str) -> date | None:
        """Return the day an alert became known to be calm again, None while it is not."""
        last = next(event for event in reversed(self.events) if event.alert == number)
        return last.known if last.after is Level.CALM else None

    def rule_of(self, event: Event) -> str:
        """Return the rule that spoke loudest at an event, "" where none did."""
        return next((signal.rule for signal in self.signals.get((event.alert, event.sequence), ())), "")


def retell(deployment: Deployment, judged: Mapping[str, Judged], first: date, last: date) -> Retold:
    """Return the alerts of a period, beginning with none.

    Args:
        deployment: City and calendar, and the rules, which may be others than those that ran.
        judged: From ``rescoring.scores_of``: scores of every way these rules judge by.
        first: First day of the period; what began before is not looked at.
        last: Its last day.
    """
    holds, found = holds_of(deployment.rules), graded(deployment, judged)
    cells: dict[date, list[Verdict]] = {}
    for frequency in sorted({rule.frequency for rule in found.values()}):
        rules = [rule for rule in found.values() if rule.frequency == frequency]
        for cell in _cells(rules, frequency, (first, last), holds, deployment.rules.version):
            cells.setdefault(periods.last_day(cell.date, frequency), []).append(cell)
    live: dict[SeriesKey, Alert] = {}
    alerts: dict[str, Alert] = {}
    events: list[Event] = []
    signals: dict[tuple[str, int], tuple[Signal, ...]] = {}
    opened: Counter[date] = Counter()
    told: Counter[str] = Counter()
    for day in sorted(cells):
        said = {cell.key: cell for cell in cells[day]}
        standing = fold(
            sorted(cells[day], key=lambda cell: (cell.date, cell.key)),
            live,
            holds=holds,
            judged_until={},
            corrections={},
            past=Past(lambda _: {}, lambda _: None),
            indicators=deployment.city.indicators,
            opened=opened.__getitem__,
            told=told.__getitem__,
            prefix=deployment.city.alert_prefix,
            day=day,
            at=morning_after(deployment, day),
        )
        alerts |= {alert.number: alert for alert in standing.touched}
        events += standing.events
        told.update(event.alert for event in standing.events)
        opened.update(event.date for event in standing.events if event.transition is Transition.OPENED)
        for event in standing.events:
            if event.transition in RISES:
                signals[event.alert, event.sequence] = said[alerts[event.alert].key].signals
        live = {key: alert for key, alert in standing.live.items() if alert.active > Level.CALM}
    count = {rule.rule.id: _counts(rule, first, last) for rule in found.values()}
    return Retold(
        first,
        last,
        alerts,
        tuple(events),
        signals,
        {rule: judged for rule, (judged, _) in count.items()},
        {rule: coloured for rule, (_, coloured) in count.items()},
    )


def exactly(service: Service, first: date, last: date, *, beat: Beat = lambda _: None) -> Retold:
    """Return the same as ``replay`` finds it: day by day, by what was known on each morning; nobody closes anything.

    Args:
        service: An opened deployment, perhaps with other rules.
        first: First day of the period.
        last: Its last day.
        beat: Told of each day; raising from it stops.
    """
    alerts: dict[str, Alert] = {}
    events: list[Event] = []
    signals: dict[tuple[str, int], tuple[Signal, ...]] = {}
    coloured: Counter[str] = Counter()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for found in replay(service, days, as_known(service)):
        beat(str(found.day))
        alerts |= {alert.number: alert for alert in found.touched}
        events += found.events
        coloured.update(signal.rule for signal in found.signals)
        for event in found.events:
            if event.transition in RISES:
                key = alerts[event.alert].key
                said = [one for one in found.signals if one.key == key and one.date == event.date]
                signals[event.alert, event.sequence] = tuple(sorted(said, key=_loudest))
    return Retold(first, last, alerts, tuple(events), signals, {}, coloured)


def _loudest(signal: Signal) -> tuple[int, float, str]:
    return -signal.level, -abs(signal.surprise), signal.rule


def _cells(
    rules: Sequence[Graded], frequency: str, period: tuple[date, date], holds: Holds, version: str
) -> Iterator[Verdict]:
    """Yield the verdicts that matter to an alert: coloured ones, and calm ones while it lasts."""
    first, last = period
    until = periods.last_complete(last, frequency)
    if until < first:
        return
    dates = periods.dates(periods.first_day(first, frequency), until, frequency)
    keys = list(dict.fromkeys(key for rule in rules for key in rule.keys))
    column_of = {key: n for n, key in enumerate(keys)}
    best = np.full((len(dates), len(keys)), Level.MISSING, dtype=np.int8)
    judging: list[list[tuple[Graded, int, int]]] = [[] for _ in keys]  # rule, its column, its row of the first date
    for rule in rules:
        _, to, of = np.intersect1d(dates, rule.dates, assume_unique=True, return_indices=True)
        columns = np.array([column_of[key] for key in rule.keys], dtype=np.intp)
        at = np.ix_(to, columns)
        best[at] = np.maximum(best[at], rule.levels[of])
        offset = int(np.searchsorted(rule.dates, dates[0]))
        for local, column in enumerate(columns.tolist()):
            judging[column].append((rule, local, offset))
    for column in np.flatnonzero((best > Level.CALM).any(axis=0)).tolist():
        yield from _walked(keys[column], dates.tolist(), best[:, column], judging[column], holds, version)


def _walked(
    key: SeriesKey,
    days: Sequence[date],
    best: grading.Levels,
    judging: Sequence[tuple[Graded, int, int]],
    holds: Holds,
    version: str,
) -> Iterator[Verdict]:
    alert: Alert | None = None
    coloured, levels = np.flatnonzero(best > Level.CALM), best.tolist()
    row = 0
    while row < len(days):
        if alert is None:  # on to the next that opens one
            ahead = int(np.searchsorted(coloured, row))
            if ahead == len(coloured):
                return
            row = int(coloured[ahead])
        if levels[row] > Level.MISSING:
            there = [(rule, local, row + offset) for rule, local, offset in judging if row + offset < len(rule.dates)]
            said = [
                rule.signal(at, local, days[row], version)
                for rule, local, at in there
                if rule.levels[at, local] > Level.CALM
            ]
            cell = verdict(key, days[row], said) if said else Verdict(key, days[row], Level.CALM)
            kept = {rule.rule.id: Level(int(rule.kept[at, local])) for rule, local, at in there if rule.kept[at, local]}
            if kept:
                cell = replace(cell, kept=kept)
            yield cell
            alert, _ = advance(alert, cell, holds)
            if alert is not None and (alert.stage is Stage.CLOSED or alert.active is Level.CALM):
                alert = None
        row += 1


def _counts(rule: Graded, first: date, last: date) -> tuple[int, int]:
    inside = (rule.dates >= np.datetime64(first)) & (rule.dates <= np.datetime64(last))
    levels = rule.levels[inside]
    return int((levels > Level.MISSING).sum()), int((levels > Level.CALM).sum())
