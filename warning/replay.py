"""The same steps over past days: what the sweeps would have said, in memory, with what was known then.

A day is judged from the window a live sweep would have looked at.  Days in a row whose
panels are each the beginning of the next, which they are until something comes late
or is corrected, share one batched call; since tomorrow cannot change today, that is
what each of them alone would have given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import numpy as np

from warning.colouring import coverages_by
from warning.gaps import Gap
from warning.graded import Graded, graded
from warning.model import Alert, Correction, Event, SeriesKey, Signal, Transition
from warning.scoring import Beat, Known, known, score, window
from warning.service import Deployment, Service
from warning.situation import Coverage
from warning.standing import Past, fold, holds_of
from warning.verdicts import again, corrections_of, reach_of, unjudged, unsure, verdicts

AHEAD = 28  # days judged in one call at most: windows begin on four-week anchors

Source = Callable[[date], Mapping[str, Known]]  # a data date -> the panels its sweep would look at
Kept = TypeVar("Kept", bound=Deployment)


@dataclass(frozen=True)
class Replayed:
    """What the sweep of one day would have found; ``events`` are dated by the day's own morning."""

    day: date
    panels: Mapping[str, Known]
    signals: tuple[Signal, ...]  # coloured ones of dates not judged before, or judged again
    events: tuple[Event, ...]
    live: Mapping[SeriesKey, Alert]  # alerts that are not closed
    touched: tuple[Alert, ...]  # alerts that changed, as they stand now
    coverages: Mapping[str, Coverage]
    gaps: tuple[Gap, ...]
    again: Mapping[SeriesKey, date]  # from which date on a series was judged again: what was said of it no longer holds


@dataclass(frozen=True)
class _Stretch:
    """Days in a row of one frequency, judged together."""

    until: date
    levels: Mapping[str, Graded]


def replay(
    deployment: Deployment, days: Sequence[date], source: Source, *, beat: Beat = lambda _: None
) -> Iterator[Replayed]:
    """Yield what the sweep of each day would have found, beginning with no alerts.

    Args:
        deployment: City, rules, calendar and settings; its store, if any, is left alone.
        days: Ascending, one after the other.
        source: ``as_known`` or ``of_panels``.
        beat: Told before each detector call; may raise to stop.
    """
    live: Mapping[SeriesKey, Alert] = {}
    judged_until: dict[SeriesKey, date] = {}
    opened: Counter[date] = Counter()
    told: Counter[str] = Counter()
    courses: dict[SeriesKey, dict[date, Alert | None]] = {}
    before: Mapping[str, Known] = {}
    stretches: dict[str, _Stretch] = {}
    panels: dict[date, Mapping[str, Known]] = {}

    def seen(day: date) -> Mapping[str, Known]:
        if day not in panels:
            panels[day] = source(day)
        return panels[day]

    for n, day in enumerate(days):
        today = seen(day)
        rejudge = deployment.config.sweep.rejudge_days
        corrections = _corrections(today, before, judged_until, rejudge, days[0])
        lasts = {
            frequency: max(unjudged(panel, judged_until, rejudge), again(panel, corrections))
            for frequency, panel in today.items()
        }
        for frequency, last in lasts.items():
            if last and (frequency not in stretches or stretches[frequency].until < day):

                def panel_of(later: date, frequency: str = frequency) -> Known:
                    return seen(later)[frequency]

                stretches[frequency] = _stretch(deployment, days[n:], panel_of, last, beat)
        judged = [stretches[frequency].levels for frequency, last in lasts.items() if last]
        levels = {name: rule for rules in judged for name, rule in rules.items()}
        corrections = {key: ones for key, ones in corrections.items() if key not in unsure(deployment, levels)}
        decided = verdicts(deployment, today, lasts, levels, judged_until, corrections, live)
        standing = fold(
            decided.verdicts,
            live,
            holds=holds_of(deployment.rules),
            judged_until=judged_until,
            corrections=corrections,
            past=Past(lambda key: courses.get(key, {}), lambda _: None),  # nobody closes anything in a replay
            indicators=deployment.city.indicators,
            opened=opened.__getitem__,
            told=told.__getitem__,
            prefix=deployment.city.alert_prefix,
            day=day,
            at=morning_after(deployment, day),
        )
        live = standing.live
        judged_until |= decided.judged
        for key, course in standing.courses.items():
            first = standing.again.get(key, date.max)
            courses[key] = {on: alert for on, alert in courses.get(key, {}).items() if on < first} | dict(course)
        told.update(event.alert for event in standing.events)
        opened.update(event.date for event in standing.events if event.transition is Transition.OPENED)
        found, gaps = coverages_by(deployment, today, day, live.values(), judged_until)
        signals = tuple(signal for found in decided.verdicts for signal in found.signals)
        rejudged = {key: min(one.date for one in ones) for key, ones in corrections.items()}
        yield Replayed(day, today, signals, standing.events, live, standing.touched, found, gaps, rejudged)
        before = panels.pop(day)


def as_known(service: Service, morning: Callable[[date], datetime] | None = None) -> Source:
    """Return a source that reads the store as it was known on the morning after each day.

    Args:
        service: An opened deployment.
        morning: From a data date to the instant of its sweep, UTC; None is 07:30 of the next day.
    """
    at = morning or (lambda day: morning_after(service, day))
    return lambda day: known(service, day, known_at=at(day))


def of_panels(deployment: Deployment, whole: Mapping[str, Known]) -> Source:
    """Return a source that cuts each day's window out of long panels, as if nothing ever came late.

    Args:
        deployment: Says how far a window reaches back.
        whole: For each frequency a panel of all dates; before its first, nothing was reported.
    """
    years = deployment.config.sweep.window_years

    def cut(panel: Known, day: date) -> Known:
        dates = window(day, panel.frequency, years)
        start, stop = np.searchsorted(panel.dates, dates[0]), np.searchsorted(panel.dates, dates[-1], side="right")
        lacking = len(dates) - int(stop - start)
        values = np.pad(panel.values[start:stop], ((lacking, 0), (0, 0)), constant_values=np.nan)
        wholes = {
            key: np.pad(told[start:stop], (lacking, 0), constant_values=np.nan) for key, told in panel.wholes.items()
        }
        return replace(panel, dates=dates, values=values, wholes=wholes)

    return lambda day: {frequency: cut(panel, day) for frequency, panel in whole.items()}


def _corrections(
    today: Mapping[str, Known],
    before: Mapping[str, Known],
    judged_until: Mapping[SeriesKey, date],
    rejudge_days: int,
    first: date,
) -> dict[SeriesKey, tuple[Correction, ...]]:
    """Return what became another value since the day before."""
    found: dict[SeriesKey, tuple[Correction, ...]] = {}
    for frequency, panel in today.items():
        if frequency not in before:
            continue
        then = before[frequency]
        known_then = np.full((reach_of(panel, rejudge_days), len(panel.keys)), np.nan)
        _, row, row_then = np.intersect1d(panel.dates[-len(known_then) :], then.dates, return_indices=True)
        shared = np.array([n for n, key in enumerate(panel.keys) if key in then.index], dtype=np.intp)
        columns = np.array([then.index[panel.keys[n]] for n in shared], dtype=np.intp)
        known_then[np.ix_(row, shared)] = then.values[np.ix_(row_then, columns)]
        found |= corrections_of(panel, known_then, judged_until, first)
    return found


def _stretch(
    deployment: Deployment,
    days: Sequence[date],
    panel_of: Callable[[date], Known],
    last: int,
    beat: Beat,
) -> _Stretch:
    """Judge the first of the days, and as many after it as only carry its panel on."""
    first = longest = panel_of(days[0])
    until = days[0]
    for day in days[1:AHEAD]:
        panel = panel_of(day)
        if not _carries_on(longest, panel):
            break
        longest, until = panel, day
    last += len(longest.dates) - len(first.dates)
    judged, _ = score(deployment, {first.frequency: longest}, {first.frequency: last}, beat=beat)
    return _Stretch(until, graded(deployment, judged))


def _carries_on(earlier: Known, later: Known) -> bool:
    if earlier.keys != later.keys or earlier.dates[0] != later.dates[0] or len(later.dates) < len(earlier.dates):
        return False
    if earlier.wholes.keys() != later.wholes.keys():
        return False
    pairs = [(earlier.values, later.values), *((told, later.wholes[key]) for key, told in earlier.wholes.items())]
    return all(np.array_equal(before, after[: len(before)], equal_nan=True) for before, after in pairs)


def without(deployment: Kept, *detectors: str) -> Kept:
    """Return the deployment with the rules of some detectors left out, for a quick look."""
    rules = tuple(rule for rule in deployment.rules.rules if rule.detector not in detectors)
    return replace(deployment, rules=replace(deployment.rules, rules=rules))


def morning_after(deployment: Deployment, day: date, at: time = time(7, 30)) -> datetime:
    """Return the instant, UTC, of a time of the day after a data date."""
    return datetime.combine(day + timedelta(days=1), at, deployment.config.zone).astimezone(UTC)
