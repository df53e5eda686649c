"""The same rule over the same weeks without a store: quick enough to try many thresholds.

The service's detector, grading and lifecycle on arrays; a test holds it against the service itself.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from detectors import DETECTORS, Panel, Scores
from examples.dengue.run import CASES
from examples.dengue.score import Watched
from warning import grading, lifecycle
from warning.city import City
from warning.model import Alert, Level, SeriesKey
from warning.rule import Rule


@dataclass(frozen=True)
class Cases:
    """The weeks of the file: (T,) Mondays, N series, (T, N) cases."""

    mondays: tuple[date, ...]
    keys: tuple[SeriesKey, ...]
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def read_cases(path: Path = CASES, through: int = 2016) -> Cases:
    """Return the weeks that end in the year ``through`` or before; later rows are passed over unread."""
    found: dict[tuple[date, SeriesKey], float] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            monday = date.fromisoformat(row["date"])
            if (monday + timedelta(days=6)).year <= through:
                found[monday, SeriesKey(row["indicator"], row["place"])] = float(row["value"])
    mondays = tuple(sorted({monday for monday, _ in found}))
    keys = tuple(dict.fromkeys(key for _, key in found))
    return Cases(mondays, keys, np.array([[found[monday, key] for key in keys] for monday in mondays]))


def scored(rule: Rule, cases: Cases) -> Scores:
    """Return the rule's scores of every week: in one call, since no score depends on a later week."""
    panel = Panel(np.array(cases.mondays, dtype="datetime64[D]"), list(cases.keys), cases.values, "weekly")
    return DETECTORS[rule.detector](panel, last=len(cases.mondays), **rule.parameters)


def watched(city: City, rule: Rule, cases: Cases, scores: Scores) -> Watched:
    """Return ``active`` of every township and week: the scores graded by the rule, folded as alerts are."""
    hold = lifecycle.Hold(rule.lower_after)
    signs = np.ones(len(cases.keys), dtype=np.int8)
    levels = grading.levels(rule, scores, signs)
    alerts: dict[SeriesKey, Alert | None] = dict.fromkeys(cases.keys)
    active = np.zeros(cases.values.shape, dtype=np.int8)
    for week, monday in enumerate(cases.mondays):
        for column, key in enumerate(cases.keys):
            level = Level(int(levels[week, column]))
            signals = [grading.signal(rule, key, monday, level, scores=scores, cell=(week, column), version="quick")]
            alert, _ = lifecycle.advance(alerts[key], lifecycle.verdict(key, monday, signals), lambda *_: hold)
            alerts[key] = alert
            active[week, column] = Level.CALM if alert is None else alert.active
    return _watched(city, cases, active)


def orange_alone(city: City, rule: Rule, cases: Cases, scores: Scores) -> Watched:
    """Return the same of a rule whose only colour is orange, without a single alert, so that thousands can be tried.

    An alert that knows one colour has it where one of the last ``lower_after`` weeks has it.  Only weeks before the
    first that is judged may be missing; the file has no gaps.
    """
    found = grading.levels(rule, scores, np.ones(len(cases.keys), dtype=np.int8)) == Level.ORANGE
    before = np.zeros((rule.lower_after - 1, found.shape[1]), dtype=np.bool_)
    held = sliding_window_view(np.vstack([before, found]), rule.lower_after, axis=0).any(axis=-1)  # (T, N)
    return _watched(city, cases, np.where(held, Level.ORANGE, Level.CALM).astype(np.int8))


def _watched(city: City, cases: Cases, active: npt.NDArray[np.int8]) -> Watched:
    places = tuple(key.place for key in cases.keys)
    return Watched(
        mondays=cases.mondays,
        places=places,
        cities=tuple(str(city.places[place].parent) for place in places),
        cases=cases.values.astype(np.int64),
        active=active,
    )
