"""From stored scores to colours: levels are policy applied to facts.

Pure: the same scores and the same rule give the same signals, live, in replay
and when a rule is tried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Reason, Scores
from warning.model import Indicator, Level, SeriesKey, Signal
from warning.ruleset import Evidence, Rule

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
        (K, N) of ``Level``.  MISSING where the detector abstained, except where it does so because the method
        does not suit the series or its history is too short: those are calm for *this* rule only if
        another rule judges them, which the caller decides.
    """
    found = np.zeros(scores.observed.shape, dtype=np.int8)
    for level, evidence in rule.levels():
        found[_persists(_holds(evidence, scores, signs), rule)] = level
    found[np.isnan(scores.surprise)] = Level.MISSING
    return found


def signals(
    rule: Rule,
    keys: Sequence[SeriesKey],
    dates: Dates,
    scores: Scores,
    indicators: Mapping[str, Indicator],
    *,
    last: int,
    version: str,
) -> list[list[Signal]]:
    """Return for each of the last dates the rule's signals, one a series, calm and missing ones included.

    Args:
        rule: The rule.
        keys: N series, the columns of ``scores``.
        dates: (K,) the dates of its rows.
        scores: (K, N), with K >= ``needed(rule, last)`` wherever so many are known.
        indicators: The catalogue.
        last: How many final dates to report.
        version: The rules' version, printed in every signal.
    """
    signs = np.array([rule.sign(indicators[key.indicator]) for key in keys], dtype=np.int8)
    graded = levels(rule, scores, signs)
    return [
        [
            signal(rule, key, _date(dates[k]), Level(int(graded[k, n])), scores=scores, cell=(k, n), version=version)
            for n, key in enumerate(keys)
        ]
        for k in range(max(0, len(dates) - last), len(dates))
    ]


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


def unjudgeable(scores: Scores) -> npt.NDArray[np.bool_]:
    """Return (K, N) where a method abstains by design or for want of history, not for want of today's value."""
    return np.isin(scores.reason, (Reason.SHORT_HISTORY, Reason.NOT_SUITED, Reason.BASELINE_GAP, Reason.FAILED))


def _holds(evidence: Evidence, scores: Scores, signs: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    asked = evidence.asked()
    difference = signs * (scores.observed - scores.expected)
    holds = np.isfinite(scores.surprise)
    with np.errstate(invalid="ignore", divide="ignore"):
        if "surprise" in asked:
            holds &= signs * scores.surprise >= asked["surprise"]
        if "ratio" in asked:
            high = np.where(signs > 0, scores.observed, scores.expected)
            low = np.where(signs > 0, scores.expected, scores.observed)
            holds &= high >= asked["ratio"] * low
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


def _date(day: np.datetime64) -> date:
    found: date = day.astype("datetime64[D]").item()
    return found
