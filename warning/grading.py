"""From stored scores to colours: levels are policy applied to facts.

Pure: the same scores and the same rule give the same signals, live, in replay
and when a rule is tried out.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from detectors.panel import Scores
from warning.model import Level, SeriesKey, Signal
from warning.rule import Evidence, Rule

Levels = npt.NDArray[np.int8]


def needed(rule: Rule, dates: int) -> int:
    """Return how many score dates must be known to judge the last ``dates`` of them."""
    return dates + (rule.of - 1) * rule.window


def levels(rule: Rule, scores: Scores, signs: npt.NDArray[np.int8]) -> Levels:
    """Return the level of every cell of ``scores``.

    Args:
        rule: The evidence asked for.
        scores: (K, N) facts.
        signs: (N,) +1 where a rise is looked for, -1 where a fall is.

    Returns:
        (K, N) of ``Level``.  MISSING where there is no surprise, for whatever reason the detector abstained.
    """
    found = np.zeros(scores.observed.shape, dtype=np.int8)
    for level, evidence in rule.levels():
        found[_persists(_holds(evidence, scores, signs), rule)] = level
    found[np.isnan(scores.surprise)] = Level.MISSING
    return found


def signal(
    rule: Rule, key: SeriesKey, day: date, level: Level, *, scores: Scores, cell: tuple[int, int], version: str
) -> Signal:
    """Return what a rule says of one series on one date, with the numbers of its cell of ``scores``."""
    return Signal(
        rule=rule.id,
        indicator=key.indicator,
        place=key.place,
        date=day,
        level=level,
        detector=rule.detector,
        observed=float(scores.observed[cell]),
        expected=float(scores.expected[cell]),
        lower=float(scores.lower[cell]),
        upper=float(scores.upper[cell]),
        surprise=float(scores.surprise[cell]),
        window=rule.window,
        rules_version=version,
    )


def _holds(evidence: Evidence, scores: Scores, signs: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    asked = evidence.asked()
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
    return holds


def _persists(holds: npt.NDArray[np.bool_], rule: Rule) -> npt.NDArray[np.bool_]:
    """Now, and in ``hits`` of the last ``of`` windows that do not overlap."""
    hits = holds.astype(int)
    for back in range(1, rule.of):
        step = back * rule.window
        hits[step:] += holds[:-step] if step < len(holds) else 0
    return holds & (hits >= rule.hits)
