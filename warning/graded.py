"""What each rule says of its series: the level of every cell, and the level it keeps up.

Pure; the same for a live sweep, for a replay and for rules that are tried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Floats, Reason, Remark, Scores
from warning import grading
from warning.active import Active
from warning.batch import persons
from warning.grading import Beside
from warning.model import Level, SeriesKey, Signal
from warning.rule import OWN, Rule, series_of
from warning.scoring import Judged, pick
from warning.service import Deployment


@dataclass(frozen=True)
class Graded:
    """What one rule says of its series."""

    rule: Rule
    frequency: str
    keys: tuple[SeriesKey, ...]  # N
    dates: Dates  # (K,)
    scores: Scores  # (K, N)
    signs: npt.NDArray[np.int8]  # (N,)
    levels: grading.Levels  # (K, N)
    kept: grading.Levels  # (K, N) the level that is kept up, though not raised to
    beside: Beside = grading.NOTHING

    def row(self, day: np.datetime64) -> int | None:
        """Return the row of a date, None where it was not scored."""
        row = int(np.searchsorted(self.dates, day))
        return row if row < len(self.dates) and self.dates[row] == day else None

    def signal(self, row: int, column: int, day: date, version: str) -> Signal:
        """Return what the rule says of a coloured cell, with the numbers of the method that says it."""
        level, key = Level(int(self.levels[row, column])), self.keys[column]
        there = self.rule.at(key.place)
        method = grading.speaking(there, level, self.scores, int(self.signs[column]), self.beside, (row, column))
        scores = self.scores if method == OWN else self.beside.others[method]
        return grading.signal(
            self.rule, key, day, level, scores=scores, cell=(row, column), version=version, method=method
        )


def graded(deployment: Deployment, judged: Mapping[str, Judged]) -> dict[str, Graded]:
    """Return for each rule all of whose methods were scored the level of every cell."""
    city, found = deployment.city, {}
    for rule in deployment.rules.rules:
        if not all(view.id in judged for view in rule.views.values()):
            continue
        keys, dates = series_of(rule, city), judged[rule.id].dates
        own = pick(judged[rule.id], keys)
        others = {
            name: _dated(pick(judged[view.id], keys), judged[view.id].dates, dates)
            for name, view in rule.views.items()
            if name != OWN
        }
        beside = Beside(others, *_persons_and_sizes(deployment, rule, keys, dates, own))
        frequency = city.indicators[rule.indicators[0]].frequency
        signs = np.zeros(len(keys), dtype=np.int8)
        levels, kept = (np.full(own.surprise.shape, level, dtype=np.int8) for level in (Level.MISSING, Level.CALM))
        for there, columns in _by_policy(rule, keys):
            some, around = (own, beside) if there is rule else (grading.part(own, columns), beside.take(columns))
            signs[columns] = [there.sign(city.indicators[keys[n].indicator]) for n in columns]
            of = grading.levels(there, some, signs[columns], around)
            keeps = grading.kept(there, some, signs[columns], around)
            _when(there, dates, deployment, of, keeps)
            levels[:, columns], kept[:, columns] = of, keeps
        found[rule.id] = Graded(rule, frequency, keys, dates, own, signs, levels, kept, beside)
    return found


def _by_policy(rule: Rule, keys: Sequence[SeriesKey]) -> Iterator[tuple[Rule, npt.NDArray[np.intp]]]:
    """Yield the rule as it holds in some places, and the columns of these."""
    if not rule.override:
        yield rule, np.arange(len(keys))
        return
    places = np.array([key.place for key in keys])
    named = {code for one in rule.override for code in one.places}
    usual = np.flatnonzero([code not in named for code in places])
    if len(usual) == len(keys):
        yield rule, usual
        return
    if len(usual):
        yield rule.model_copy(update={"override": ()}), usual
    for code in sorted(named & set(places.tolist())):
        yield rule.at(code), np.flatnonzero(places == code)


def _when(rule: Rule, dates: Dates, deployment: Deployment, levels: grading.Levels, kept: grading.Levels) -> None:
    """Take back what a rule says outside its season, and on days it is not asked."""
    active = rule.active
    if active == Active():
        return
    in_season, asked = active.in_season(dates), active.asked(dates, deployment.calendar)
    silent = ~(in_season & asked)
    levels[silent] = np.minimum(levels[silent], Level.CALM)
    kept[~in_season] = Level.CALM
    kept[in_season & ~asked] = Level.RED


def _persons_and_sizes(
    deployment: Deployment, rule: Rule, keys: Sequence[SeriesKey], dates: Dates, scores: Scores
) -> tuple[Floats | None, dict[str, Floats]]:
    """Return what a rule's lines are scaled by, as far as it draws some: the mean place of an indicator is 1."""
    tables = list(rule.tables())
    scales = {table.scale for table in tables if table.line is not None}
    counted = "population" in scales or any(table.per_10000 is not None for table in tables)
    there = persons(deployment, keys, dates) if counted else None
    by_scale = {"population": there, "usual": scores.expected}
    indicators = np.unique([key.indicator for key in keys], return_inverse=True)[1]
    return there, {scale: _sizes(by_scale[scale], indicators) for scale in sorted(scales)}


def _sizes(numbers: Floats | None, indicators: npt.NDArray[np.intp]) -> Floats:
    """Return (K, N) how many times the mean of its indicator each number is."""
    found = np.array(numbers, dtype=np.float64)
    for n in range(indicators.max(initial=-1) + 1):
        columns = np.flatnonzero(indicators == n)
        known = np.isfinite(found[:, columns])
        mean = np.where(known, found[:, columns], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        found[:, columns] /= np.where(mean > 0, mean, np.nan)[:, None]
    return found


def _dated(scores: Scores, dates: Dates, wanted: Dates) -> Scores:
    """Return the scores of the dates that are wanted, NaN where there are none."""
    if np.array_equal(dates, wanted):
        return scores
    _, of, to = np.intersect1d(dates, wanted, assume_unique=True, return_indices=True)
    shape, arrays = (len(wanted), scores.surprise.shape[1]), {}
    for f in fields(Scores):
        numbers = getattr(scores, f.name)
        empty = np.nan if numbers.dtype.kind == "f" else Reason.NOT_REPORTED if f.name == "reason" else Remark.NONE
        arrays[f.name] = np.full(shape, empty, dtype=numbers.dtype)
        arrays[f.name][to] = numbers[of]
    return Scores(**arrays)
