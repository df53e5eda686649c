"""Panels from the store, scores from the detectors: one batched call for each way of judging.

Scores never depend on a threshold.  The window begins on a four-week anchor, so
that the same date is judged from the same history live and in replay.
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from detectors import DETECTORS
from detectors.onset import onset
from detectors.panel import Dates, DayKind, Floats, Panel, Scores
from warning import grading
from warning.model import SeriesKey
from warning.rollup import roll_up, sources
from warning.rule import Rule, series_of
from warning.service import Deployment, Service
from warning.store import observation

log = logging.getLogger(__name__)

ANCHOR = date(1970, 1, 5)  # a Monday
LOOKS = {"daily": ((24, 14), (49, 14)), "weekly": ((8, 8), (16, 8))}  # periods an onset lies back, and those before
ALREADY = 1.2  # times the usual: what came before an onset was out of range itself
SHAPED = 56  # days that tell what the days of a week are like
AROUND = 3  # days before and after the Spring Festival that are not as usual either
OTHERS = 3  # places that tell what such a day was like
LEAST_SHARE = 0.1  # of the mean day: a rare event on a day that had none yet counts, too
TINY = 1e-9
DEAR = ("forecast", "changepoint")  # judged on new dates only; the others again on all of rejudge_days
Beat = Callable[[str], None]  # told before each long step; may raise to stop the work


@dataclass(frozen=True)
class Known:
    """All judged series of one frequency as they were known."""

    frequency: str
    dates: Dates  # (T,)
    keys: tuple[SeriesKey, ...]  # N
    values: Floats  # (T, N), rolled up
    index: Mapping[SeriesKey, int]

    def of(self, key: SeriesKey) -> Floats:
        """Return the (T,) values of one series."""
        return self.values[:, self.index[key]]


@dataclass(frozen=True)
class Judged:
    """The scores of one way of judging, and what they are of."""

    detector: str
    parameters: str  # canonical text, the key in the store
    keys: tuple[SeriesKey, ...]
    dates: Dates  # (K,)
    scores: Scores  # (K, N)


def last_period(day: date, frequency: str) -> date:
    """Return the first day of the last period that is complete on ``day``."""
    if frequency == "daily":
        return day
    monday = day - timedelta(days=day.weekday())
    return monday if day.weekday() == 6 else monday - timedelta(days=7)


def window(day: date, frequency: str, years: int) -> Dates:
    """Return the dates a sweep of ``day`` looks at: about ``years`` back, from a four-week anchor on."""
    last = last_period(day, frequency)
    back = last - timedelta(days=round(365.25 * years))
    first = back - timedelta(days=(back - ANCHOR).days % 28)
    step = 7 if frequency == "weekly" else 1
    return np.arange(np.datetime64(first), np.datetime64(last) + 1, step)


def known(service: Service, day: date, *, known_at: datetime) -> dict[str, Known]:
    """Return for each watched frequency its judged series over the window, as known at an instant.

    What lies before a series' last known break (``city/breaks.toml``) is left out: it says nothing of what came after.
    """
    found: dict[str, Known] = {}
    for frequency in service.config.sweep.watch:
        keys = keys_of(service, frequency)
        if not keys:
            continue
        dates = window(day, frequency, service.config.sweep.window_years)
        rolled = values(service, keys, dates, known_at=known_at)
        for column, key in enumerate(keys):
            rolled[: _since_break(service, key, dates), column] = np.nan
        found[frequency] = Known(frequency, dates, keys, rolled, {key: n for n, key in enumerate(keys)})
    return found


def _since_break(service: Service, key: SeriesKey, dates: Dates) -> int:
    """The first row that is counted as today; a break within a period begins with the next."""
    past = [b.date for b in service.city.breaks_of(*key) if np.datetime64(b.date) <= dates[-1]]
    return int(np.searchsorted(dates, np.datetime64(max(past)))) if past else 0


def values(service: Service, keys: Sequence[SeriesKey], dates: Dates, *, known_at: datetime) -> Floats:
    """Return (T, N) values as known at an instant; what a place does not report is rolled up from those below."""
    reported = set(observation.reported(service.store, known_at=known_at))
    needed = sources(keys, service.city.children, reported)
    table = observation.window(service.store, needed, dates, known_at=known_at)
    read = {key: table[:, column] for column, key in enumerate(needed)}
    return roll_up(keys, service.city.children, read, service.city.indicators)


def score(
    deployment: Deployment,
    panels: Mapping[str, Known],
    lasts: Mapping[str, int],
    *,
    fits: MutableMapping[str, str] | None = None,
    beat: Beat = lambda _: None,
) -> tuple[dict[str, Judged], list[tuple[str, str]]]:
    """Return the scores of every rule, by rule id, and (rule, reason) for those whose detector raised.

    Rules that judge alike share one batched call.

    Args:
        deployment: Rules, city, calendar.
        panels: From ``known``.
        lasts: For each frequency, how many final dates to judge.
        fits: Fits made before, for the detectors that keep some; new ones are put in.
        beat: Told before each call.
    """
    judged: dict[str, Judged] = {}
    failures: list[tuple[str, str]] = []
    for (frequency, detector, parameters), rules in groups(deployment).items():
        panel, last = panels.get(frequency), lasts.get(frequency, 0)
        if panel is None or last == 0:
            continue
        beat(f"{detector} {frequency}")
        keys = tuple(dict.fromkeys(key for rule in rules for key in series_of(rule, deployment.city)))
        rows = max(grading.needed(rule, last) for rule in rules)
        if detector not in DEAR:
            rows = min(max(rows, deployment.config.sweep.rejudge_days), len(panel.dates) // 2)
        try:
            scores = _called(deployment, panel, keys, rules[0], rows, fits)
        except Exception as error:  # one method that fails costs its own rules only
            log.exception("detector failed detector=%s rules=%s", detector, [rule.id for rule in rules])
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            failures += [(rule.id, reason) for rule in rules]
            continue
        found = Judged(detector, parameters, keys, panel.dates[-len(scores.observed) :], scores)
        judged |= {rule.id: found for rule in rules}
    return judged, failures


def onset_of(deployment: Deployment, panel: Known, key: SeriesKey, day: date, *, rising: bool) -> date:
    """Return since when a series is out of its usual range, looking back from ``day``.

    Three weeks back and the days an onset may be off; further, where what lies just before was out of range
    already.  What days of the week are like is taken from all places of the indicator, over the eight weeks
    before those looked at, and what a holiday was like from the others (weekly: every week is alike).  The same
    eight weeks tell, fading, of the level before.

    Args:
        deployment: For the calendar and the kind of the indicator.
        panel: Up to ``day`` or beyond it; what lies beyond is not looked at.
        key: The series.
        day: A date on which it is coloured.
        rising: Whether it is high or low.
    """
    end = int(np.searchsorted(panel.dates, np.datetime64(day))) + 1
    within = 3 if panel.frequency == "daily" else 0
    least = 1.0 if deployment.city.indicators[key.indicator].kind == "count" else TINY
    since = day
    for reach, level in LOOKS[panel.frequency]:
        start = end - reach - level
        if start < 0:
            break
        first = max(0, start - SHAPED)
        shares = np.ones(end - first)
        if panel.frequency == "daily":
            shares = _shares(deployment, panel, key, first, start, end)
        values = panel.of(key)[first:end]
        told = 0 if panel.frequency == "daily" else start - first  # a year of weeks has seasons
        began = (
            first
            + told
            + onset(values[told:], shares[told:], reach=reach, level=level, rising=rising, within=within, least=least)
        )
        since = panel.dates[began].item()
        usual, before = (
            _rate(values, shares, slice(0, start - first)),
            _rate(values, shares, slice(start - first, began - first)),
        )
        if not (before > ALREADY * usual if rising else before * ALREADY < usual):
            break
    return since


def _rate(values: Floats, shares: Floats, rows: slice) -> float:
    """Return the mean of some rows with their weekdays made alike; NaN where nothing can be told."""
    seen = np.isfinite(values[rows]) & np.isfinite(shares[rows])
    exposure = float(shares[rows][seen].sum())
    return float(values[rows][seen].sum()) / exposure if exposure > 0 else math.nan


def _shares(deployment: Deployment, panel: Known, key: SeriesKey, first: int, start: int, end: int) -> Floats:
    """Return (end - first,): each day's usual share of its week, by the days before ``start`` in all places.

    Days the calendar names, and those around a Spring Festival, are as the other places had them: no weekday
    tells of them.  NaN where too few others reported.
    """
    kinds = deployment.calendar.kinds(panel.dates[first:end])
    weekday = panel.dates[first:end].astype(np.int64) % 7
    festive = np.convolve(kinds == DayKind.SPRING_FESTIVAL, np.ones(2 * AROUND + 1), "same") > 0
    named = festive | (kinds != DayKind.ORDINARY)
    columns = [n for n, other in enumerate(panel.keys) if other.indicator == key.indicator]
    values = panel.values[first:end, columns]
    before = np.arange(end - first) < start - first
    usual = np.stack([_mean(values[before & ~named & (weekday == n)]) for n in range(7)]).sum(axis=1)  # (7,)
    if not usual.mean() > 0:
        return np.ones(end - first)
    shares = np.maximum(usual / usual.mean(), LEAST_SHARE)[weekday]
    others = values[:, [panel.keys[n] != key for n in columns]]
    level = _mean(others[before & ~named])
    told = np.isfinite(others)
    expected = (told * level).sum(axis=1)
    as_elsewhere = np.nansum(others, axis=1) / np.where(expected > 0, expected, np.nan)
    shares[named] = np.where(told.sum(axis=1) >= OTHERS, np.maximum(as_elsewhere, LEAST_SHARE), np.nan)[named]
    return np.asarray(shares)


def _mean(values: Floats) -> Floats:
    """Return (N,) means of what is reported, 0 where nothing is."""
    return np.asarray(np.nansum(values, axis=0) / np.maximum(np.isfinite(values).sum(axis=0), 1))


def groups(deployment: Deployment) -> dict[tuple[str, str, str], list[Rule]]:
    """Return the rules that share frequency, detector and parameters."""
    found: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in deployment.rules.rules:
        frequency = deployment.city.indicators[rule.indicators[0]].frequency
        found.setdefault((frequency, rule.detector, canonical(rule)), []).append(rule)
    return found


def canonical(rule: Rule) -> str:
    """Return a rule's parameters as one text that does not depend on their order in the file."""
    return " ".join(f"{name}={value!r}" for name, value in sorted(rule.parameters.items()))


def pick(judged: Judged, keys: Sequence[SeriesKey]) -> Scores:
    """Return the scores of some of the series, in the order given."""
    place = {key: n for n, key in enumerate(judged.keys)}
    columns = [place[key] for key in keys]
    s = judged.scores
    return Scores(
        s.observed[:, columns],
        s.expected[:, columns],
        s.lower[:, columns],
        s.upper[:, columns],
        s.surprise[:, columns],
        s.above[:, columns],
        s.reason[:, columns],
    )


def _called(
    deployment: Deployment,
    panel: Known,
    keys: Sequence[SeriesKey],
    rule: Rule,
    rows: int,
    fits: MutableMapping[str, str] | None,
) -> Scores:
    columns = [panel.index[key] for key in keys]
    kinds: list[str] = [deployment.city.indicators[key.indicator].kind for key in keys]
    holidays: npt.NDArray[np.int8] | None = (
        deployment.calendar.kinds(panel.dates) if panel.frequency == "daily" else None
    )
    batch = Panel(
        dates=panel.dates,
        series=list(keys),
        values=panel.values[:, columns],
        frequency=panel.frequency,
        kind=kinds,
        holidays=holidays,
    )
    given: dict[str, object] = {"cache": fits, "spawned": True}
    asked = {name: given[name] for name in inspect.signature(DETECTORS[rule.detector]).parameters if name in given}
    return DETECTORS[rule.detector](batch, last=rows, **asked, **rule.parameters)


def keys_of(deployment: Deployment, frequency: str) -> tuple[SeriesKey, ...]:
    rules = [r for r in deployment.rules.rules if deployment.city.indicators[r.indicators[0]].frequency == frequency]
    return tuple(dict.fromkeys(key for rule in rules for key in series_of(rule, deployment.city)))
