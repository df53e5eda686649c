"""One sweep, top to bottom: the page to read first.

known observations -> scores -> signals -> verdicts -> alerts, events -> colours ->
narratives and messages; everything a sweep decides is written in one transaction.
A sweep of a day that was swept already changes nothing and tells nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from warning import grading, telling
from warning.colouring import coverages
from warning.gathering import Context
from warning.lifecycle import Verdict, advance, verdict
from warning.model import Alert, Event, Level, SeriesKey, Signal, Stage, Transition
from warning.ruleset import series_of
from warning.scoring import Beat, Judged, Known, groups, known, onset_of, pick, score
from warning.service import Service
from warning.situation import Coverage, Nearest
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document, observation, outbox, run
from warning.store import score as scores_of
from warning.store import signal as signals_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What a sweep found and did."""

    day: date
    watched: int
    missing: int
    coverages: tuple[Coverage, ...]
    events: tuple[Event, ...]
    messages: int  # new ones in the outbox
    documents: int  # new or changed ones
    failures: tuple[tuple[str, str], ...]  # (rule, reason)


@dataclass(frozen=True)
class Standing:
    """The alerts after a sweep's verdicts, and what changed on the way."""

    alerts: tuple[Alert, ...]  # touched ones
    events: tuple[Event, ...]
    judged: Mapping[SeriesKey, date]


def sweep(service: Service, day: date, *, now: datetime, beat: Beat = lambda _: None) -> Swept:
    """Judge ``day`` with what is known at ``now``, and tell who must know.

    Args:
        service: An opened deployment.
        day: The data date, usually yesterday.
        now: The instant of the sweep, UTC; nothing received later is looked at.
        beat: Told before each long step; raising from it stops the sweep with nothing written.

    Raises:
        StoreError: if the database refuses; nothing is then half-written.
    """
    beat("reading")
    panels = known(service, day, known_at=now)
    judged_until = signals_of.judged_until(service.store)
    lasts = {frequency: _unjudged(panel, judged_until, service) for frequency, panel in panels.items()}
    judged, failures = score(service, panels, lasts, beat=beat)
    beat("grading")
    verdicts, signals, nearest = _graded(service, panels, lasts, judged, judged_until)
    beat("writing")
    with service.store.write():
        for panel_scores in {id(found): found for found in judged.values()}.values():
            scores_of.save_scores(
                service.store,
                panel_scores.detector,
                panel_scores.parameters,
                panel_scores.keys,
                panel_scores.dates,
                panel_scores.scores,
                now,
            )
        signals_of.save_signals(service.store, [s for s in signals if s.level > Level.CALM], now)
        standing = _advanced(service, verdicts, now)
        alerts_of.save(service.store, standing.alerts)
        alerts_of.append_events(service.store, standing.events)
        signals_of.save_judged(service.store, standing.judged)
        found, silences = coverages(service, panels, day)
        coverages_of.save(service.store, list(found.values()))
        for rule, reason in failures:
            run.notice(service.store, now, rule, reason)
        context = Context(service, day, now, panels, found, silences, nearest)
        documents = document.save(service.store, telling.narratives(context, beat=beat))
        messages = outbox.enqueue(service.store, telling.alert_messages(context, standing.events, beat=beat))
    log.info("swept day=%s events=%d messages=%d", day, len(standing.events), messages)
    return Swept(
        day,
        sum(coverage.watched for coverage in found.values()),
        sum(coverage.missing for coverage in found.values()),
        tuple(found.values()),
        standing.events,
        messages,
        documents,
        tuple(failures),
    )


def _unjudged(panel: Known, judged_until: Mapping[SeriesKey, date], service: Service) -> int:
    """How many final dates hold a value nobody judged yet; a series never judged begins with the last date."""
    reach = min(len(panel.dates), service.config.sweep.rejudge_days // (7 if panel.frequency == "weekly" else 1) or 1)
    recent = panel.dates[-reach:]
    before_last = panel.dates[-1] - np.timedelta64(1, "D")
    until = np.array([np.datetime64(judged_until.get(key, before_last.item())) for key in panel.keys])
    open_cells = np.isfinite(panel.values[-reach:]) & (recent[:, None] > until[None, :])
    rows = np.flatnonzero(open_cells.any(axis=1))
    return int(reach - rows[0]) if len(rows) else 0


def _graded(
    service: Service,
    panels: Mapping[str, Known],
    lasts: Mapping[str, int],
    judged: Mapping[str, Judged],
    judged_until: Mapping[SeriesKey, date],
) -> tuple[list[Verdict], list[Signal], dict[str, Nearest]]:
    """Verdicts of dates not judged before, in order of date; their signals; and the nearest miss of each place."""
    by_cell: dict[tuple[date, SeriesKey], list[Signal]] = {}
    nearest: dict[str, Nearest] = {}
    for (frequency, _, _), rules in groups(service).items():
        for rule in rules:
            if rule.id not in judged:
                continue
            keys = series_of(rule, service.city)
            rows = grading.signals(
                rule,
                keys,
                judged[rule.id].dates,
                pick(judged[rule.id], keys),
                service.city.indicators,
                last=lasts[frequency],
                version=service.rules.version,
            )
            for signals in rows:
                for signal in signals:
                    by_cell.setdefault((signal.date, signal.key), []).append(signal)
            least = min((e.surprise for _, e in rule.levels() if e.surprise is not None), default=None)
            if least is not None and rows:
                _note_nearest(service, nearest, rows[-1], least)
    verdicts, kept = [], []
    for (day, key), signals in sorted(by_cell.items(), key=lambda cell: (cell[0][0], cell[0][1])):
        panel = panels[service.city.indicators[key.indicator].frequency]
        if day <= judged_until.get(key, panel.dates[-1].item() - timedelta(days=1)):
            continue
        found = verdict(key, day, signals)
        if found.level > Level.CALM:
            found = replace(found, onset=onset_of(panel, key, day))
        verdicts.append(found)
        kept += signals
    return verdicts, kept, nearest


def _note_nearest(service: Service, nearest: dict[str, Nearest], signals: Sequence[Signal], least: float) -> None:
    for signal in signals:
        indicator = service.city.indicators[signal.indicator]
        share = indicator.risk_sign * signal.surprise / least
        best = nearest.get(signal.place)
        if signal.level is Level.CALM and share > 0 and (best is None or share > best.share):
            nearest[signal.place] = Nearest(indicator, service.city.places[signal.place], min(share, 0.99))


def _advanced(service: Service, verdicts: Iterable[Verdict], now: datetime) -> Standing:
    holds = {rule.id: rule.quiet * rule.window for rule in service.rules.rules}
    live = {alert.key: alert for alert in alerts_of.live(service.store)}
    judged_until = signals_of.judged_until(service.store)
    touched: dict[str, Alert] = {}
    events: list[Event] = []
    judged: dict[SeriesKey, date] = {}
    numbers: dict[date, int] = {}
    for found in verdicts:
        if found.level is Level.MISSING or found.date <= judged_until.get(found.key, date.min):
            continue
        judged[found.key] = found.date
        before = live.get(found.key)
        after, why = advance(before, found, holds)
        if after is None:
            continue
        if not after.number:
            used = numbers.setdefault(found.date, alerts_of.count_of(service.store, found.date))
            numbers[found.date] = used + 1
            after = replace(after, number=f"{service.city.alert_prefix}-{found.date:%Y%m%d}-{used + 1:04d}")
        if after != before:
            touched[after.number] = after
        if why is not None:
            events.append(_event(service, before, after, why, events, now))
        if after.stage is Stage.CLOSED:
            live.pop(found.key, None)
        else:
            live[found.key] = after
    return Standing(tuple(touched.values()), tuple(events), judged)


def _event(
    service: Service, before: Alert | None, after: Alert, why: Transition, events: Sequence[Event], now: datetime
) -> Event:
    mine = [event.sequence for event in events if event.alert == after.number]
    stored = alerts_of.last_sequence(service.store, after.number)
    return Event(
        alert=after.number,
        sequence=max([stored, *mine]) + 1,
        date=after.updated,
        at=now,
        transition=why,
        before=before.active if before is not None else Level.CALM,
        after=after.active,
    )


def last_known(service: Service, now: datetime) -> date | None:
    """Return the last date any watched daily or weekly series has a value for, as known at ``now``."""
    return observation.last_date(service.store, known_at=now)
