"""Panels from the store, scores from the detectors: one batched call for each way of judging.

Scores never depend on a threshold.  The window begins on a four-week anchor, or a January, so
that the same date is judged from the same history live and in replay.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from detectors import AMONG_SIBLINGS, DETECTORS
from detectors.panel import Dates, Floats, Scores
from warning import grading, periods
from warning.batch import panel_of, persons
from warning.city import Break
from warning.errors import JobTimeout
from warning.model import SeriesKey
from warning.rollup import roll_up, sources
from warning.rule import Rule, series_of
from warning.service import Deployment, Service
from warning.store import matrix, observation
from warning.store.score import Way

log = logging.getLogger(__name__)

ANCHOR = date(1970, 1, 5)  # a Monday
DEAR = ("changepoint",)  # judged on new dates only; the others again on all of rejudge_days
PER_HEAD = "line_per_10000"  # the parameter that asks for persons: a number for each date and series, else spared
Beat = Callable[[str], None]  # told before each long step; may raise to stop the work


@dataclass(frozen=True)
class Known:
    """All judged series of one frequency as they were known."""

    frequency: str
    dates: Dates  # (T,)
    keys: tuple[SeriesKey, ...]  # N
    values: Floats  # (T, N), rolled up
    index: Mapping[SeriesKey, int]
    wholes: Mapping[SeriesKey, Floats] = field(default_factory=dict)  # (T,) of series nobody judges, to divide by

    def of(self, key: SeriesKey) -> Floats:
        """Return the (T,) values of one series; of one that is not read, NaN."""
        if key in self.index:
            return self.values[:, self.index[key]]
        return self.wholes.get(key, np.full(len(self.dates), np.nan))

    @cached_property
    def columns(self) -> Mapping[str, list[int]]:
        """The columns of each indicator."""
        found: dict[str, list[int]] = {}
        for n, key in enumerate(self.keys):
            found.setdefault(key.indicator, []).append(n)
        return found


@dataclass(frozen=True)
class Judged:
    """The scores of one way of judging, and what they are of."""

    way: Way
    keys: tuple[SeriesKey, ...]
    dates: Dates  # (K,)
    scores: Scores  # (K, N)


def window(day: date, frequency: str, years: int) -> Dates:
    """Return the dates a sweep of ``day`` looks at: ``years`` back, and on to a four-week anchor or a January."""
    last = periods.last_complete(day, frequency)
    if frequency == "monthly":
        first = periods.later(last, -12 * years, frequency).replace(month=1)
    else:
        back = last - timedelta(days=round(365.25 * years))
        first = back - timedelta(days=(back - ANCHOR).days % 28)
    return periods.dates(first, last, frequency)


def known(service: Service, day: date, *, known_at: datetime) -> dict[str, Known]:
    """Return for each watched frequency its judged series over the window, as known at an instant.

    What lies before a series' last known break (``city/breaks.toml``) is left out: it says nothing of what came after.
    A past event that has an end is left out from its first day to its last, once no day of it can be judged any more.
    """
    found: dict[str, Known] = {}
    for frequency in service.config.sweep.watch:
        keys = keys_of(service, frequency)
        if not keys:
            continue
        dates = window(day, frequency, service.config.sweep.window_years)
        judged = {key: n for n, key in enumerate(keys)}
        every = (*keys, *(key for key in wholes_of(service, frequency) if key not in judged))
        rolled = values(service, every, dates, known_at=known_at)
        for broken in service.city.breaks:
            rows = np.flatnonzero(_left_out(service, broken, frequency, dates))
            columns = np.array(service.city.broken(broken, every), dtype=np.intp)
            rolled[np.ix_(rows, columns)] = np.nan
        wholes = {key: rolled[:, n] for n, key in enumerate(every) if n >= len(keys)}
        found[frequency] = Known(frequency, dates, keys, rolled[:, : len(keys)], judged, wholes)
    return found


def make_ready(service: Service, day: date, *, beat: Beat = lambda _: None) -> None:
    """Have the store make what a sweep of a day reads at once; without it the same is read, row by row.  Writes."""
    config = service.config.sweep
    firsts = [window(day, frequency, config.window_years)[0].item() for frequency in config.watch]
    if firsts:
        matrix.refresh(service.store, min(firsts), day, beat=beat)


def _left_out(service: Service, known: Break, frequency: str, dates: Dates) -> npt.NDArray[np.bool_]:
    """(T,) which periods are not looked at for a break: those that began before a lasting one, or those an event
    touches, once none of its days may still be judged.
    """
    begin = np.datetime64(known.date)
    if known.until is None:
        return np.asarray((dates < begin) & (begin <= dates[-1]))
    back, until = service.config.sweep.rejudge_days, np.datetime64(known.until)
    open_from = min(dates[-1] - np.timedelta64(back), dates[-min(len(dates), periods.reach(back, frequency))])
    touched = (periods.last_days(dates, frequency) >= begin) & (dates <= until)
    return np.asarray(touched & (until < open_from))


def values(service: Service, keys: Sequence[SeriesKey], dates: Dates, *, known_at: datetime) -> Floats:
    """Return (T, N) values as known at an instant; what a place does not report is rolled up from those below."""
    if not any(service.city.children[key.place] for key in keys):  # nothing to roll up
        return observation.window(service.store, keys, dates, known_at=known_at)
    reported = set(observation.reported(service.store, known_at=known_at))
    needed = sources(keys, service.city.children, reported)
    table = observation.window(service.store, needed, dates, known_at=known_at)
    read = {key: table[:, column] for column, key in enumerate(needed)}
    return roll_up(keys, service.city.children, read, service.city.indicators)


def as_judged(service: Service, panel: Known, rows: int, judged_at: Mapping[SeriesKey, datetime]) -> Floats:
    """Return (rows, N) the last dates of a panel as each series was known when it was judged; one never judged is NaN.

    Args:
        service: An opened deployment.
        panel: As it is known now.
        rows: How many final dates.
        judged_at: What was known at which instant was judged last.
    """
    found = np.full((rows, len(panel.keys)), np.nan)
    for instant in sorted({judged_at[key] for key in panel.keys if key in judged_at}):
        columns = [n for n, key in enumerate(panel.keys) if judged_at.get(key) == instant]
        keys = [panel.keys[n] for n in columns]
        found[:, columns] = values(service, keys, panel.dates[-rows:], known_at=instant)
    return found


def score(
    deployment: Deployment,
    panels: Mapping[str, Known],
    lasts: Mapping[str, int],
    *,
    fits: MutableMapping[str, str] | None = None,
    beat: Beat = lambda _: None,
) -> tuple[dict[str, Judged], list[tuple[str, str]]]:
    """Return the scores by the id of each rule as one method judges, and (id, reason) of those whose detector raised.

    Rules that judge alike share one batched call.

    Args:
        deployment: Rules, city, calendar.
        panels: From ``known``.
        lasts: For each frequency, how many final dates to judge.
        fits: Fits made before, for the detectors that keep some; new ones are put in.
        beat: Told before each call, and while one takes long; a JobTimeout from it ends the scoring.
    """
    judged: dict[str, Judged] = {}
    failures: list[tuple[str, str]] = []
    for way, rules in groups(deployment).items():
        panel, last = panels.get(way.frequency), lasts.get(way.frequency, 0)
        if panel is None or last == 0:
            continue
        beat(f"{way.detector} {way.frequency}")
        keys = tuple(dict.fromkeys(key for rule in rules for key in series_of(rule, deployment.city)))
        rows = max(grading.needed(rule, last) for rule in rules)
        if way.detector not in DEAR:
            rows = min(max(rows, deployment.config.sweep.rejudge_days), len(panel.dates) // 2)
        try:
            scores = _called(deployment, panel, keys, rules[0], rows, fits, beat)
        except JobTimeout:  # from a beat: the sweep is to stop
            raise
        except Exception as error:  # one method that fails costs its own rules only
            log.exception("detector failed detector=%s rules=%s", way.detector, [rule.id for rule in rules])
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            failures += [(rule.id, reason) for rule in rules]
            continue
        found = Judged(way, keys, panel.dates[-len(scores.observed) :], scores)
        judged |= {rule.id: found for rule in rules}
    return judged, failures


def groups(deployment: Deployment) -> dict[Way, list[Rule]]:
    """Return the rules that share frequency, detector and parameters; one of several methods as each of them judges."""
    found: dict[Way, list[Rule]] = {}
    for rule in deployment.rules.rules:
        for view in rule.views.values():
            found.setdefault(way_of(deployment, view), []).append(view)
    return found


def way_of(deployment: Deployment, rule: Rule) -> Way:
    """Return how a rule judges; its parameters as one text that does not depend on their order in the file.

    Of what whole it judges a share is among them: another whole gives other scores.
    """
    frequency = deployment.city.indicators[rule.indicators[0]].frequency
    asked = dict(rule.parameters) | ({"denominator": rule.denominator} if rule.denominator else {})
    return Way(frequency, rule.detector, " ".join(f"{name}={value!r}" for name, value in sorted(asked.items())))


def pick(judged: Judged, keys: Sequence[SeriesKey]) -> Scores:
    """Return the scores of some of the series, in the order given."""
    place = {key: n for n, key in enumerate(judged.keys)}
    return grading.part(judged.scores, np.array([place[key] for key in keys], dtype=np.intp))


def _called(
    deployment: Deployment,
    panel: Known,
    keys: Sequence[SeriesKey],
    rule: Rule,
    rows: int,
    fits: MutableMapping[str, str] | None,
    beat: Beat,
) -> Scores:
    values = panel.values[:, [panel.index[key] for key in keys]]
    whole = _denominators(deployment, panel, keys, rule)
    batch = panel_of(deployment, keys, values, panel.dates, panel.frequency, whole)
    given: dict[str, object] = {"cache": fits, "spawned": True, "beat": beat}
    asked = {name: given[name] for name in inspect.signature(DETECTORS[rule.detector]).parameters if name in given}
    return DETECTORS[rule.detector](batch, last=rows, **asked, **rule.parameters)


def _denominators(deployment: Deployment, panel: Known, keys: Sequence[SeriesKey], rule: Rule) -> Floats | None:
    """Return (T, N): the whole the rule names, at the same places, or the persons a parameter or a method asks for."""
    if not rule.denominator:
        asked = PER_HEAD in rule.parameters or rule.detector in AMONG_SIBLINGS
        return persons(deployment, keys, panel.dates) if asked else None
    return np.column_stack([panel.of(SeriesKey(rule.denominator, key.place)) for key in keys])


def keys_of(deployment: Deployment, frequency: str) -> tuple[SeriesKey, ...]:
    """Return the series of a frequency some rule judges."""
    rules = _rules_of(deployment, frequency)
    return tuple(dict.fromkeys(key for rule in rules for key in series_of(rule, deployment.city)))


def wholes_of(deployment: Deployment, frequency: str) -> tuple[SeriesKey, ...]:
    """Return the series that rules of a frequency judge shares of."""
    views = (view for rule in _rules_of(deployment, frequency) for view in rule.views.values())
    rules = [rule for rule in views if rule.denominator]
    judged = ((rule.denominator, key.place) for rule in rules for key in series_of(rule, deployment.city))
    return tuple(SeriesKey(*key) for key in dict.fromkeys(judged))


def _rules_of(deployment: Deployment, frequency: str) -> list[Rule]:
    return [r for r in deployment.rules.rules if deployment.city.indicators[r.indicators[0]].frequency == frequency]
