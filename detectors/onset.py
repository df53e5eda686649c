"""Since when: the date from which a series that is out of its range now has been so.

For an alert that exists already; says nothing of whether there should be one.  Both
shapes a rise takes are weighed, a step and a slope, about a level that is free, so that
a usual level known a little wrong does not carry the onset weeks back.

Source: the profile likelihood of one change in a Poisson mean, flattened by the
overdispersion (quasi-likelihood; McCullagh & Nelder (1989), ch. 9); the answer is the date
with most of it near by, the Bayes estimate where being a few steps off costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import xlogy

from detectors.panel import Floats

SLOPE = 0.6  # weight of a slope against a step
STEPS_OF_A_SLOPE = 8  # a shorter slope is called a step
ROUNDS = 6  # of weighted least squares, from the step's answer
NEARLY = 0.95  # of the most: among dates with as much near by, the likeliest itself
TINY = 1e-9


def onset(
    observed: Sequence[float] | Floats,
    expected: Sequence[float] | Floats,
    *,
    reach: int,
    rising: bool = True,
    within: int = 3,
    least: float = 1.0,
) -> int:
    """Return the index from which a run that lasts to the end is high (or low).

    Args:
        observed: (T,) values, NaN = not reported.
        expected: (T,) their means up to a common factor, e.g. a weekday pattern; 0 or NaN leaves a step out.
        reach: How many final steps the onset is looked for in; those before give the level.
        rising: Whether the run is high or low.
        within: Steps the answer may be off at no cost.
        least: Smallest overdispersion; 1 for counts, which scatter no less than Poisson's.

    Returns:
        An index of a reported value; T - 1 where nothing differs.

    Raises:
        ValueError: if the lengths disagree or ``reach`` is not in 1 .. T - 1.
    """
    found, mean = np.asarray(observed, float), np.asarray(expected, float)
    if found.shape != mean.shape:
        raise ValueError(f"observed has shape {found.shape}, expected {mean.shape}")
    if not 1 <= reach < len(found):
        raise ValueError(f"reach is {reach}, {len(found)} values have at most {len(found) - 1}")
    seen = np.isfinite(found) & np.isfinite(mean) & (mean > 0)
    x, shape = np.where(seen, found, 0.0), np.where(seen, mean, 0.0)
    if not shape.any():
        return len(x) - 1
    shape /= shape[seen].mean()
    starts = np.arange(len(x) - reach, len(x))

    step, before, after = _steps(x, shape, starts)
    possible = seen[starts] & np.isfinite(step) & ((after > before) if rising else (after < before))
    if not possible.any():
        return len(x) - 1
    step = np.where(possible, step, -np.inf)
    slope = np.where(
        possible & (len(x) - starts >= STEPS_OF_A_SLOPE), _slopes(x, shape, starts, before, after), -np.inf
    )

    best = int(np.argmax(step))
    level = np.where(np.arange(len(x)) < starts[best], before[best], after[best]) * shape
    scatter = float((((x - level) ** 2)[seen] / np.maximum(level[seen], TINY)).sum()) / max(int(seen.sum()) - 2, 1)
    top = max(float(step.max()), float(slope.max()))
    weight = np.exp((step - top) / max(scatter, least)) + SLOPE * np.exp((slope - top) / max(scatter, least))
    mass = np.where(possible, np.convolve(weight, np.ones(2 * within + 1))[within : within + reach], 0.0)
    candidates = np.flatnonzero(mass >= NEARLY * mass.max())
    return int(starts[candidates[np.argmax(weight[candidates])]])


def _steps(x: Floats, shape: Floats, starts: np.ndarray) -> tuple[Floats, Floats, Floats]:
    """Return for each start the log likelihood of a step there, and the levels before and after; NaN without days."""
    sums, shapes = np.concatenate([[0.0], np.cumsum(x)]), np.concatenate([[0.0], np.cumsum(shape)])
    earlier, later = sums[starts], sums[-1] - sums[starts]
    with np.errstate(invalid="ignore", divide="ignore"):
        before, after = earlier / shapes[starts], later / (shapes[-1] - shapes[starts])
        return xlogy(earlier, before) + xlogy(later, after), before, after


def _slopes(x: Floats, shape: Floats, starts: np.ndarray, before: Floats, after: Floats) -> Floats:
    """Return for each start the log likelihood of a straight line that leaves the level there."""
    rise = np.maximum(np.arange(len(x)) - starts[:, None] + 1, 0) / (len(x) - starts[:, None])  # (R, T)
    level, gain = before, 2 * (after - before)
    ratio = np.divide(x, shape, out=np.zeros_like(x), where=shape > 0)
    for _ in range(ROUNDS):
        mean = np.maximum(shape * (level[:, None] + gain[:, None] * rise), TINY)
        weight = shape**2 / mean
        a, b, c = weight.sum(axis=1), (weight * rise).sum(axis=1), (weight * rise**2).sum(axis=1)
        p, q = (weight * ratio).sum(axis=1), (weight * rise * ratio).sum(axis=1)
        determinant = np.maximum(a * c - b**2, TINY)
        level, gain = np.maximum((c * p - b * q) / determinant, TINY), (a * q - b * p) / determinant
    rate = np.maximum(level[:, None] + gain[:, None] * rise, TINY)
    # less what every step's expectation sums to, so that both shapes compare
    return np.asarray((xlogy(x, rate) - shape * rate).sum(axis=1) + x.sum())
