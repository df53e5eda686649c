"""Threshold: is the sum of the last few steps above a line, or unusual for the place itself?

The plainest judgement, for rare events ("two in 28 days where one in a year is
usual") and for lines a regulation draws.  Knows neither weekday nor season: for
a busy daily series prefer ``outbreak``.  One number as a line for all places is
rare in the small and everyday in the large: let it grow with the place's rate or population.

Source: the gamma-Poisson predictive of Bayesian textbooks (Gelman et al., *Bayesian
Data Analysis*, 2.6), widened to a negative binomial by moments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats, Panel, Reason, Scores, checked_last, judged
from detectors.tails import (
    Tails,
    count_bounds,
    count_tails,
    gamma_bounds,
    gamma_tails,
    student_bounds,
    student_tails,
    surprise,
)
from detectors.windows import SUMMED

ENOUGH = 8  # windows a baseline must hold
CAUTION = 0.5  # standard errors added to an estimated dispersion: a tail suffers more from one too small
TINY = 1e-9  # in place of a mean of nothing
ALPHA = 0.001  # tail probability of the bounds where no line is drawn


class Baseline(NamedTuple):
    """What the steps before say, each (K, N)."""

    reported: Floats  # how many steps
    mean: Floats  # of a step
    variance: Floats  # of a step


def threshold(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 1,
    baseline: int = 364,
    gap: int = 7,
    line: float | None = None,
    line_times: float | None = None,
    line_per_10000: float | None = None,
    line_below: bool = False,
) -> Scores:
    """Compare the sum of the last steps with the place's own base rate.

    Args:
        panel: (T, N).  A NaN in the window makes that cell abstain; one in the baseline shortens it.
        last: K, how many final dates to judge.
        window: Steps summed for counts and amounts; ratios, rates and scores are averaged over them.
        baseline: Steps before the window and the gap that give the base rate, 364 to hold whole weeks.
        gap: Steps left out between baseline and window, so that an event does not raise its own base rate.
        line: The ``upper`` bound, in units of the sum (or mean).  It needs no history.  Without any line it is the
            .999 quantile of the base rate; surprise depends on no line.
        line_times: A line of so many times what the place's own base rate makes of the window.
        line_per_10000: A line of so many in the window for each 10,000 of ``panel.denominators``.  Of several lines
            the highest holds, so that ``line`` is the floor of the others.
        line_below: The line is the ``lower`` bound, and of several the lowest holds.

    Returns:
        Scores with (K, N) arrays.  ``expected`` is the base rate times the window.  Counts have a
        negative-binomial tail, amounts a gamma, the others Student's t, each widened for the baseline's length.
        Abstains with fewer than 8 windows of baseline, and with NOT_SUITED where a line per 10,000 is asked for and
        the denominator is not known or the kind does not add up.

    Raises:
        ValueError: if ``window`` < 1, ``gap`` < 0, ``baseline`` < 8 windows, ``line_times`` or ``line_per_10000`` is
            not above 0, the latter is asked of a panel without denominators, or it has fewer than ``last`` dates.
    """
    if window < 1 or gap < 0 or baseline < ENOUGH * window:
        raise ValueError(
            f"threshold needs window >= 1, gap >= 0 and baseline >= {ENOUGH} windows,"
            f" found window={window}, gap={gap}, baseline={baseline}"
        )
    for name, value in (("line_times", line_times), ("line_per_10000", line_per_10000)):
        if value is not None and value <= 0:
            raise ValueError(f"threshold needs {name} > 0, found {value}")
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    before = _baseline(panel, rows - window - gap + 1, baseline)
    missing = _between(np.isnan(panel.values), rows - window + 1, rows + 1) > 0
    began = rows < window - 1  # the window reaches back before the panel
    summed = np.isin(panel.kinds, SUMMED)
    total = _between(np.nan_to_num(panel.values), rows - window + 1, rows + 1)
    observed = np.where(missing | began[:, None], np.nan, np.where(summed, total, total / window))

    reason = np.where(before.reported < ENOUGH * window, Reason.SHORT_HISTORY, Reason.JUDGED)
    if line_per_10000 is not None:
        reason = np.where(np.isnan(_persons(panel, rows)), Reason.NOT_SUITED, reason)
    reason = np.where(missing, Reason.NOT_REPORTED, reason).astype(np.int8)
    expected, lower, upper, above, surprises = (np.full(reason.shape, np.nan) for _ in range(5))
    for kinds, judge in (("count",), _counts), (("amount",), _amounts), (("ratio", "rate", "score"), _levels):
        cells = (reason == Reason.JUDGED) & np.isin(panel.kinds, kinds)
        expected[cells], lower[cells], upper[cells], tails = judge(
            observed[cells], Baseline(*(numbers[cells] for numbers in before)), window
        )
        surprises[cells], above[cells] = surprise(tails), tails.above
    scores = judged(
        reason, observed=observed, expected=expected, lower=lower, upper=upper, surprise=surprises, above=above
    )
    if line is line_times is line_per_10000 is None:
        return scores
    drawn = _line(panel, rows, scores.expected, line, line_times, line_per_10000, below=line_below)
    bound = scores.lower if line_below else scores.upper
    bound[:] = np.where(np.isnan(observed), np.nan, drawn)
    return scores


def _line(
    panel: Panel,
    rows: npt.NDArray[np.int64],
    expected: Floats,
    line: float | None,
    times: float | None,
    per_10000: float | None,
    *,
    below: bool,
) -> Floats:
    """Return (K, N): the outermost of the lines asked for, NaN where one of them is not known."""
    drawn = [] if line is None else [np.full_like(expected, line)]
    if times is not None:
        drawn.append(times * expected)
    if per_10000 is not None:
        drawn.append(per_10000 / 10_000 * _persons(panel, rows))
    return np.asarray((np.minimum if below else np.maximum).reduce(drawn))


def _persons(panel: Panel, rows: npt.NDArray[np.int64]) -> Floats:
    if panel.denominators is None:
        raise ValueError("threshold: line_per_10000 needs denominators, the panel has none")
    return np.where(np.isin(panel.kinds, SUMMED), panel.denominators[rows], np.nan)


def _counts(observed: Floats, before: Baseline, window: int) -> tuple[Floats, Floats, Floats, Tails]:
    # half a case is the Jeffreys prior: a place that never had one is not impossible
    mean = before.mean + 0.5 / before.reported
    dispersion = _dispersion(before)
    # relative variances: of the window's own sum, of the rate's estimate (Poisson and extra)
    relative = dispersion / window + (1 / mean + dispersion) / before.reported
    expected, size = mean * window, 1 / relative
    return expected, *count_bounds(ALPHA, expected, size), count_tails(observed, expected, size)


def _dispersion(before: Baseline) -> Floats:
    """Return the excess of the variance over Poisson's, relative to mean²; never negative."""
    mean = np.maximum(before.mean, TINY)
    variance = np.maximum(before.variance, mean)
    kurtosis = 6 * (variance - mean) / mean**2 + 1 / variance  # of a negative binomial
    error = variance * np.sqrt((2 + kurtosis) / before.reported)
    found = np.maximum((before.variance + CAUTION * error - mean) / mean**2, 0.0)
    return np.where(before.mean > 0, found, 0.0)


def _amounts(observed: Floats, before: Baseline, window: int) -> tuple[Floats, Floats, Floats, Tails]:
    mean = np.maximum(before.mean, TINY)
    relative = np.maximum(before.variance / mean**2, 1e-6) * (1 / window + 1 / before.reported)
    expected, shape = mean * window, 1 / relative
    return expected, *gamma_bounds(ALPHA, expected, shape), gamma_tails(observed, expected, shape)


def _levels(observed: Floats, before: Baseline, window: int) -> tuple[Floats, Floats, Floats, Tails]:
    floor = np.maximum(1e-3 * np.abs(before.mean), 1e-9)  # a series that never moved may move a little
    sd = np.maximum(np.sqrt(before.variance), floor) * np.sqrt(1 / window + 1 / before.reported)
    df = before.reported - 1
    return before.mean, *student_bounds(ALPHA, before.mean, sd, df), student_tails(observed, before.mean, sd, df)


def _baseline(panel: Panel, ends: npt.NDArray[np.int64], length: int) -> Baseline:
    """Return the moments of the ``length`` rows before each of the ends."""
    starts = ends - length
    seen = ~np.isnan(panel.values)
    # about the first value: the squares of large amounts with little spread would cancel
    origin = np.where(seen.any(axis=0), panel.values[seen.argmax(axis=0), np.arange(len(panel.series))], 0.0)
    shifted = np.where(seen, panel.values - origin, 0.0)
    reported = _between(seen, starts, ends).astype(np.float64)
    divisor = np.maximum(reported, 1)
    mean = _between(shifted, starts, ends) / divisor
    squares = _between(shifted**2, starts, ends) - reported * mean**2
    return Baseline(reported, mean + origin, np.maximum(squares, 0.0) / np.maximum(reported - 1, 1))


def _between(
    values: npt.NDArray[np.bool_] | Floats, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> Floats:
    """Return (K, N): sums over rows ``starts`` to before ``ends``; rows before the first count nothing."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    return np.asarray(sums[np.maximum(ends, 0)] - sums[np.maximum(starts, 0)])
