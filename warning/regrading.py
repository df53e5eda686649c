"""What rules say of past dates, from the scores that are stored: levels are policy, and are found anew in a second.

Nothing is scored here.  A rule whose way of judging never ran has no scores, and no level but MISSING.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from detectors.panel import Dates
from warning import grading
from warning.graded import Graded, graded
from warning.rule import Rule, series_of
from warning.scoring import Judged, groups, window
from warning.service import Service
from warning.store import score

NEEDED = ("surprise", "observed", "expected")  # of a score, to give it a level


def regraded(service: Service, first: date, last: date, *, known_at: datetime) -> dict[str, Graded]:
    """Return for each rule the level of every date from ``first`` to ``last`` by what was known at an instant.

    Args:
        service: An opened deployment; its rules may be others than those the scores were made for.
        first: The first date; periods that began before it are left out.
        last: The last date.
        known_at: Scores saved later are not looked at.
    """
    found = graded(service, stored(service, first, last, known_at=known_at))
    return {rule: _from(first, levels) for rule, levels in found.items()}


def stored(
    service: Service, first: date, last: date, *, known_at: datetime, only: Collection[str] | None = None
) -> dict[str, Judged]:
    """Return the stored scores by rule, of as many dates before ``first`` too as the rule looks back for hits.

    Args:
        service: An opened deployment.
        first: The first date to be judged.
        last: The last date.
        known_at: Scores saved later are not looked at.
        only: Which numbers are read, the others are NaN; None: what the rules' conditions look at.
    """
    found: dict[str, Judged] = {}
    with service.store.reading():
        for way, rules in groups(service).items():
            keys = tuple(dict.fromkeys(key for rule in rules for key in series_of(rule, service.city)))
            dates = _dates(first, last, way.frequency, rules)
            scores = score.load_scores(service.store, way, keys, dates, known_at, only=tuple(only or _asked(rules)))
            found |= {rule.id: Judged(way, keys, dates, scores) for rule in rules}
    return found


def _dates(first: date, last: date, frequency: str, rules: Collection[Rule]) -> Dates:
    dates = window(last, frequency, math.ceil((last - first).days / 365) + 2)
    before = int(np.searchsorted(dates, np.datetime64(first)))
    return dates[max(before - max(grading.needed(rule, 0) for rule in rules), 0) :]


def _asked(rules: Collection[Rule]) -> tuple[str, ...]:
    """Return which numbers of their scores the conditions of rules look at."""
    tables = [table for rule in rules for table in rule.tables()]
    return NEEDED + (("lower", "upper") if any(table.bound is not None for table in tables) else ())


def _from(first: date, found: Graded) -> Graded:
    start = int(np.searchsorted(found.dates, np.datetime64(first)))
    rows, columns = np.arange(start, len(found.dates)), np.arange(len(found.keys))
    return replace(
        found,
        dates=found.dates[start:],
        scores=grading.part(found.scores, columns, rows),
        levels=found.levels[start:],
        kept=found.kept[start:],
        beside=found.beside.take(columns, rows),
    )
