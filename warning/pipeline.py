"""One sweep, top to bottom: the page to read first.

known observations -> scores -> signals -> verdicts -> alerts, events -> colours ->
narratives and messages; everything a sweep decides is written in one transaction.
A sweep of a day that was swept already changes nothing and tells nobody; values that came late
or were corrected in the meantime are judged again first.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from warning import budget, reminding, telling
from warning.colouring import coverages
from warning.context import Context
from warning.graded import Graded, graded
from warning.lifecycle import Verdict
from warning.model import Correction, Event, Level, SeriesKey
from warning.scoring import Beat, Known, as_judged, known, make_ready, score
from warning.service import Service
from warning.situation import Coverage
from warning.standing import Past, Standing, fold, holds_of
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document, outbox, run
from warning.store import fit as fits_of
from warning.store import load as loads_of
from warning.store import score as scores_of
from warning.store import signal as signals_of
from warning.verdicts import again, corrections_of, nearest, reach_of, unjudged, unsure, verdicts

log = logging.getLogger(__name__)

NAMED = 5  # rules in a notice
KEPT = 14  # days more than can be judged again: a sweep may be of a day before the last


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
    make_ready(service, day, beat=beat)
    panels = known(service, day, known_at=now)
    judged_until = signals_of.judged_until(service.store)
    rejudge_days = service.config.sweep.rejudge_days
    corrections = _corrections(service, panels, judged_until)
    # The last date is scored even when it was judged: the texts name what came nearest to a threshold.
    lasts = {
        frequency: max(1, unjudged(panel, judged_until, rejudge_days), again(panel, corrections))
        for frequency, panel in panels.items()
    }
    fits = fits_of.memory(service.store)
    judged, failures = score(service, panels, lasts, fits=fits, beat=beat)
    beat("grading")
    levels = graded(service, judged)
    put_off = unsure(service, levels) & corrections.keys()  # a rule failed: at the next sweep, then
    corrections = {key: ones for key, ones in corrections.items() if key not in put_off}
    live = {alert.key for alert in alerts_of.live(service.store)}
    decided = verdicts(service, panels, lasts, levels, judged_until, corrections, live)
    beat("writing")
    with service.store.write():
        fits_of.save(service.store, fits)
        for scored in {id(found): found for found in judged.values()}.values():
            scores_of.save_scores(service.store, scored.way, scored.keys, scored.dates, scored.scores, now)
        signals_of.save_signals(
            service.store,
            [signal for found in decided.verdicts for signal in found.signals],
            now,
            again={key: min(one.date for one in ones) for key, ones in corrections.items()},
        )
        standing = _folded(service, decided.verdicts, corrections, day, now)
        alerts_of.save(service.store, standing.touched)
        alerts_of.append_events(service.store, standing.events)
        alerts_of.save_stood(
            service.store, standing.courses, standing.again, keep_from=_kept_from(panels, rejudge_days)
        )
        signals_of.save_judged(service.store, decided.judged)
        signals_of.save_judged_at(service.store, _looked_at(panels, judged_until) - put_off, now)
        found, gaps = coverages(service, panels, day)
        coverages_of.save(service.store, list(found.values()))
        _weigh(service, day, now, standing, levels)
        for rule, reason in failures:
            run.notice(service.store, now, rule, reason, zone=service.config.zone)
        context = Context(service, day, now, panels, found, gaps, nearest(service, lasts, levels))
        documents = document.save(service.store, telling.narratives(context, beat=beat))
        messages = outbox.enqueue(service.store, telling.alert_messages(context, standing.events, beat=beat))
        if day == service.config.yesterday(now):  # of days made up for nobody is reminded
            messages += outbox.enqueue(service.store, reminding.reminders(context))
            reminding.note_who_reports_again(context)
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


def _weigh(
    service: Service,
    day: date,
    now: datetime,
    standing: Standing,
    levels: Mapping[str, Graded],
) -> None:
    """Note what the sweep asks of those on duty; an analyst is told when it was too much for days.  Writes."""
    found: dict[SeriesKey, list[float]] = {}
    coloured: set[SeriesKey] = set()
    for rule in levels.values():
        surprises = (rule.signs * rule.scores.surprise[-1]).tolist()
        for key, surprise, level in zip(rule.keys, surprises, rule.levels[-1].tolist(), strict=True):
            found.setdefault(key, []).append(surprise)
            if level > Level.CALM:
                coloured.add(key)
    loudest = {alert.number: alert.evidence for alert in standing.touched}
    one = budget.load(
        day, standing.events, loudest, list(found.values()), [key in coloured for key in found], service.rules.budget
    )
    loads_of.save(service.store, one)
    last = loads_of.last(service.store, budget.RUNNING)
    if budget.broken(last):
        rules = Counter[str]()
        for load in last:
            rules.update(load.rules)
        named = "、".join(f"{rule} {count}" for rule, count in rules.most_common(NAMED))
        text = (
            f"橙红提示连续 {budget.RUNNING} 天超过负荷预算（{one.urgent} > {one.budget}），主要来自 {named}"
            f" / more orange and red than the budget for {budget.RUNNING} days, mostly by these rules"
        )
        run.notice(service.store, now, "budget", text, zone=service.config.zone)


def _kept_from(panels: Mapping[str, Known], rejudge_days: int) -> date:
    """Return from which date on it is remembered which alert each series had."""
    firsts = (panel.dates[-reach_of(panel, rejudge_days)].item() for panel in panels.values())
    return min(firsts, default=date.min + timedelta(days=KEPT)) - timedelta(days=KEPT)


def _corrections(
    service: Service, panels: Mapping[str, Known], judged_until: Mapping[SeriesKey, date]
) -> dict[SeriesKey, tuple[Correction, ...]]:
    """Return what became another value since it was judged, as far back as may be judged again."""
    judged_at, first = signals_of.judged_at(service.store), coverages_of.first_date(service.store)
    if first is None:
        return {}
    found: dict[SeriesKey, tuple[Correction, ...]] = {}
    for panel in panels.values():
        before = as_judged(service, panel, reach_of(panel, service.config.sweep.rejudge_days), judged_at)
        known_then = {key: until for key, until in judged_until.items() if key in judged_at}
        found |= corrections_of(panel, before, known_then, first)
    return found


def _looked_at(panels: Mapping[str, Known], judged_until: Mapping[SeriesKey, date]) -> set[SeriesKey]:
    """The series whose judged dates were all before the sweep."""
    return {
        key
        for panel in panels.values()
        for key in panel.keys
        if judged_until.get(key, date.min) <= panel.dates[-1].item()
    }


def _folded(
    service: Service,
    decided: Sequence[Verdict],
    corrections: Mapping[SeriesKey, Sequence[Correction]],
    day: date,
    now: datetime,
) -> Standing:
    store = service.store
    return fold(
        decided,
        {alert.key: alert for alert in alerts_of.live(store)},
        holds=holds_of(service.rules),
        judged_until=signals_of.judged_until(store),
        corrections=corrections,
        past=Past(partial(alerts_of.stood, store), partial(alerts_of.closed_until, store)),
        indicators=service.city.indicators,
        opened=lambda day: alerts_of.count_of(store, day),
        told=lambda number: alerts_of.last_sequence(store, number),
        prefix=service.city.alert_prefix,
        day=day,
        at=now,
    )
