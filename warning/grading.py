"""From stored scores to colours: levels are policy applied to facts.

Pure: the same scores and the same rule give the same signals, live, in replay
and when a rule is tried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats, Scores
from warning.condition import Condition
from warning.model import Level, SeriesKey, Signal
from warning.rule import OWN, Rule

Levels = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beside:
    """What conditions may ask for beside the scores of a rule's own method."""

    others: Mapping[str, Scores] = field(default_factory=dict)  # (K, N) of its further methods, by name
    persons: Floats | None = None  # (K, N) living in each place
    sizes: Mapping[str, Floats] = field(default_factory=dict)  # scale -> (K, N) size of each place, the mean being 1

    def take(self, columns: npt.NDArray[np.intp], rows: npt.NDArray[np.intp] | None = None) -> Beside:
        """Return what is beside some of the series, on some of the dates."""
        chosen = slice(None) if rows is None else rows
        return Beside(
            {name: part(scores, columns, rows) for name, scores in self.others.items()},
            None if self.persons is None else self.persons[chosen][:, columns],
            {name: size[chosen][:, columns] for name, size in self.sizes.items()},
        )


NOTHING = Beside()


def needed(rule: Rule, dates: int) -> int:
    """Return how many score dates must be known to judge the last ``dates`` of them."""
    return dates + (rule.within - 1) * rule.span


def levels(rule: Rule, scores: Scores, signs: npt.NDArray[np.int8], beside: Beside = NOTHING) -> Levels:
    """Return the level of every cell of ``scores``.

    Args:
        rule: The evidence asked for.
        scores: (K, N) facts of its own method.
        signs: (N,) +1 where a rise is looked for, -1 where a fall is.
        beside: Facts of its further methods, and sizes of the places, where it asks for them.

    Returns:
        (K, N) of ``Level``.  MISSING where no method has a surprise, for whatever reason it abstained.
    """
    found = np.zeros(scores.observed.shape, dtype=np.int8)
    for level, evidence in rule.levels():
        found[_persists(_holds(evidence, scores, signs, beside), rule)] = level
    silent = np.isnan(scores.surprise)
    for other in beside.others.values():
        silent &= np.isnan(other.surprise)
    found[silent] = Level.MISSING
    return found


def kept(rule: Rule, scores: Scores, signs: npt.NDArray[np.int8], beside: Beside = NOTHING) -> Levels:
    """Return (K, N) the highest level whose second threshold is still reached, CALM where none is."""
    found = np.zeros(scores.observed.shape, dtype=np.int8)
    for level, evidence in rule.levels():
        if evidence.lower is not None:
            found[_holds(evidence.lower, scores, signs, beside)] = level
    return found


def speaking(rule: Rule, level: Level, scores: Scores, sign: int, beside: Beside, cell: tuple[int, int]) -> str:
    """Return the method whose numbers gave a cell its level: the rule's own, or of those that hold the most surprising.

    Args:
        rule: As it holds in the place.
        level: Coloured.
        scores: (K, N) of its own method.
        sign: +1 where it looks for rises, -1 for falls.
        beside: What it was judged with.
        cell: Row and column.
    """
    if not beside.others:
        return OWN
    row, column = np.array([cell[0]]), np.array([cell[1]])
    one, around, signs = part(scores, column, row), beside.take(column, row), np.array([sign], dtype=np.int8)
    evidence = dict(rule.levels())[level]
    asking = (table for table in Condition.tables(evidence) if table.asked())
    held = {table.method for table in asking if _reached(table, one, signs, around).all()}
    if OWN in held or not held:
        return OWN
    return max(sorted(held), key=lambda name: sign * float(around.others[name].surprise[0, 0]))


def signal(
    rule: Rule,
    key: SeriesKey,
    day: date,
    level: Level,
    *,
    scores: Scores,
    cell: tuple[int, int],
    version: str,
    method: str = OWN,
) -> Signal:
    """Return what a rule says of one series on one date, with the numbers of its cell of a method's ``scores``."""
    view = rule.views[method]
    return Signal(
        rule=rule.id,
        indicator=key.indicator,
        place=key.place,
        date=day,
        level=level,
        detector=view.detector,
        observed=float(scores.observed[cell]),
        expected=float(scores.expected[cell]),
        lower=float(scores.lower[cell]),
        upper=float(scores.upper[cell]),
        surprise=float(scores.surprise[cell]),
        window=view.window,
        rules_version=version,
    )


def measures(condition: Condition, own: Scores, sign: int, beside: Beside, cell: tuple[int, int]) -> dict[str, float]:
    """Return what one table's own numbers are laid on, in one cell, by name: reached where not below what is asked.

    A ratio or bound is infinite where it would be divided by nothing; NaN where the method abstains.
    """
    scores = beside.others[condition.method] if condition.method != OWN else own
    row, column = cell
    observed, expected, lower, upper, surprise = (
        float(getattr(scores, name)[cell]) for name in ("observed", "expected", "lower", "upper", "surprise")
    )
    found = {"surprise": sign * surprise, "extra": sign * (observed - expected), "at_least": observed}
    found["ratio"] = _times(observed, expected) if sign > 0 else _times(expected, observed)
    found["bound"] = _times(observed, upper) if sign > 0 else _times(lower, observed)
    if condition.line is not None:
        found["line"] = _times(observed, float(beside.sizes[condition.scale][row, column]))
    if condition.per_10000 is not None:
        persons = np.nan if beside.persons is None else float(beside.persons[row, column])
        found["per_10000"] = 1e4 * _times(observed, persons)
    silent = not np.isfinite(surprise)
    return {name: np.nan if silent else found[name] for name in condition.asked()}


def _times(high: float, low: float) -> float:
    if low:
        return high / low
    return np.nan if np.isnan(high) else np.inf


def held(evidence: Condition, scores: Scores, signs: npt.NDArray[np.int8], beside: Beside) -> Bools:
    """Return (K, N) where conditions hold, whether or not for long enough."""
    return _holds(evidence, scores, signs, beside)


def part(scores: Scores, columns: npt.NDArray[np.intp], rows: npt.NDArray[np.intp] | None = None) -> Scores:
    """Return the scores of some of the series, of some of the dates."""
    found = {f.name: getattr(scores, f.name) for f in fields(Scores)}
    if rows is not None:
        found = {name: numbers[rows] for name, numbers in found.items()}
    return Scores(**{name: numbers[:, columns] for name, numbers in found.items()})


def _holds(condition: Condition, scores: Scores, signs: npt.NDArray[np.int8], beside: Beside) -> Bools:
    holds = _reached(condition, scores, signs, beside)
    for table in condition.all:
        holds &= _holds(table, scores, signs, beside)
    if condition.any:
        holds &= np.logical_or.reduce([_holds(table, scores, signs, beside) for table in condition.any])
    return holds


def _reached(condition: Condition, own: Scores, signs: npt.NDArray[np.int8], beside: Beside) -> Bools:
    """Where the numbers that one table itself asks for are reached; everywhere, if it asks for none."""
    asked = condition.asked()
    scores = beside.others[condition.method] if condition.method != OWN else own
    if not asked:
        return np.ones(scores.surprise.shape, dtype=bool)
    difference = signs * (scores.observed - scores.expected)
    holds = np.isfinite(scores.surprise)
    with np.errstate(invalid="ignore", divide="ignore"):
        if "surprise" in asked:
            holds &= signs * scores.surprise >= asked["surprise"]
        for name, against in (("ratio", (scores.expected,) * 2), ("bound", (scores.upper, scores.lower))):
            if name in asked:
                high = np.where(signs > 0, scores.observed, against[1])
                low = np.where(signs > 0, against[0], scores.observed)
                holds &= high >= asked[name] * low
        if "extra" in asked:
            holds &= difference >= asked["extra"]
        if "at_least" in asked:
            holds &= scores.observed >= asked["at_least"]
        if "line" in asked:
            holds &= scores.observed >= asked["line"] * beside.sizes[condition.scale]
        if "per_10000" in asked:
            persons = np.full(1, np.nan) if beside.persons is None else beside.persons
            holds &= 1e4 * scores.observed >= asked["per_10000"] * persons
    return holds


def _persists(holds: Bools, rule: Rule) -> Bools:
    """Now, and in ``raise_after`` of the last ``within`` windows that do not overlap."""
    hits = holds.astype(int)
    for back in range(1, rule.within):
        step = back * rule.span
        hits[step:] += holds[:-step] if step < len(holds) else 0
    return holds & (hits >= rule.raise_after)
