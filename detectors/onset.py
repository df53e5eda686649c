"""Since when: the date from which a series that is out of its range now has been so.

For an alert that exists already; says nothing of whether there should be one.  Three
shapes of a rise are weighed: a step and a slope that last, and a burst that has ended.
The level before is free, but not quite: steps long past tell of it, the less the older
they are, so that neither noise just before a rise nor a level that has drifted since
carries the onset away.

Source: the marginal likelihood of one change in a Poisson mean (Raftery & Akman (1986),
Biometrika 73: 85-89), flattened by the overdispersion (quasi-likelihood; McCullagh &
Nelder (1989), ch. 9), a slope by Laplace's approximation; the answer is the date with most
of it near by, the Bayes estimate where being a few steps off costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from detectors.panel import Floats

HALF = 7  # steps in which what the past tells of the level fades to a half
SLOPES = (8, 28)  # steps of a slope; a shorter one is called a step, of a longer one the end tells nothing
SLOW, BRISK = 21, 3  # a slope of so many steps weighs as a step does; a shorter one less, by this power of its length
BURST = 0.3  # weight of all bursts of one start against a step
ROUNDS = 5  # of weighted least squares, from the step's answer
NEARLY = 0.95  # of the most: among dates with as much near by, the likeliest itself
TINY = 1e-9

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Seen:
    """The values, and what each of them is worth; all (T,), NaN and what nothing is expected of as weight 0."""

    x: Floats
    shape: Floats  # expected, 1 on average
    weight: Floats

    def sums(self) -> tuple[Floats, Floats]:
        """Return (T + 1,) weighted sums of values and shapes up to each index."""
        values, shapes = (np.concatenate([[0.0], np.cumsum(self.weight * part)]) for part in (self.x, self.shape))
        return values, shapes


def onset(
    observed: Sequence[float] | Floats,
    expected: Sequence[float] | Floats,
    *,
    reach: int,
    level: int = 14,
    rising: bool = True,
    within: int = 3,
    least: float = 1.0,
) -> int:
    """Return the index from which a run that lasts to the end, or nearly, is high (or low).

    Args:
        observed: (T,) values, NaN = not reported.
        expected: (T,) their means up to a common factor, e.g. a weekday pattern; 0 or NaN leaves a step out.
        reach: How many final steps the onset is looked for in; those before give the level.
        level: How many of those count in full; what is older fades.
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
    usable = np.isfinite(found) & np.isfinite(mean) & (mean > 0)
    if not usable.any():
        return len(found) - 1
    shape = np.where(usable, mean, 0.0) / mean[usable].mean()
    age = np.maximum(len(found) - reach - level - np.arange(len(found)), 0)
    seen = _Seen(np.where(usable, found, 0.0), shape, usable * 0.5 ** (age / HALF))
    starts = np.arange(len(found) - reach, len(found))

    before, after = _levels(seen, starts)
    possible = usable[starts] & ((after > before) if rising else (after < before))
    if not possible.any():
        return len(found) - 1
    scatter = max(_scatter(seen, starts, before, after, possible), least)
    long = len(found) - starts
    sloping = possible & (long >= SLOPES[0]) & (long <= SLOPES[1])
    shapes = np.stack(
        [
            np.where(possible, _steps(seen, starts, scatter), -np.inf),
            np.where(sloping, _slopes(seen, starts, before, after, scatter) + BRISK * np.log(long / SLOW), -np.inf),
            np.where(usable[starts], _bursts(seen, starts, scatter, rising=rising) + np.log(BURST), -np.inf),
        ]
    )
    weight = np.exp(shapes - shapes.max()).sum(axis=0)
    mass = np.where(weight > 0, np.convolve(weight, np.ones(2 * within + 1))[within : within + reach], 0.0)
    candidates = np.flatnonzero(mass >= NEARLY * mass.max())
    return int(starts[candidates[np.argmax(weight[candidates])]])


def _levels(seen: _Seen, starts: npt.NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Return for each start the levels before it and from it on; NaN without values."""
    sums, shapes = seen.sums()
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[starts] / shapes[starts], (sums[-1] - sums[starts]) / (shapes[-1] - shapes[starts])


def _scatter(seen: _Seen, starts: npt.NDArray[np.int_], before: Floats, after: Floats, possible: Truths) -> float:
    """Return the variance over the mean about the likeliest step."""
    sums, _ = seen.sums()
    fit = xlogy(sums[starts], before) + xlogy(sums[-1] - sums[starts], after)
    best = int(np.argmax(np.where(possible, fit, -np.inf)))
    mean = np.where(np.arange(len(seen.x)) < starts[best], before[best], after[best]) * seen.shape
    misses = seen.weight * (seen.x - mean) ** 2 / np.maximum(mean, TINY)
    return float(misses.sum() / max(seen.weight.sum() - 2, 1.0))


def _steps(seen: _Seen, starts: npt.NDArray[np.int_], scatter: float) -> Floats:
    """Return for each start the log marginal likelihood of a step there, whatever the levels."""
    sums, shapes = seen.sums()
    earlier = _of_one_level(sums[starts], shapes[starts], scatter)
    return earlier + _of_one_level(sums[-1] - sums[starts], shapes[-1] - shapes[starts], scatter)


def _bursts(seen: _Seen, starts: npt.NDArray[np.int_], scatter: float, *, rising: bool) -> Floats:
    """Return for each start the log marginal likelihood of a burst that ended, averaged over its ends."""
    sums, shapes = seen.sums()
    first, last = starts[:, None], starts[None, :]
    inside, of_inside = sums[last + 1] - sums[first], shapes[last + 1] - shapes[first]  # (R, R)
    outside, of_outside = sums[-1] - inside, shapes[-1] - of_inside
    higher = inside * of_outside > outside * of_inside if rising else inside * of_outside < outside * of_inside
    ended = (last >= first) & (last < len(seen.x) - 1) & (of_inside > 0) & (of_outside > 0) & higher
    both = _of_one_level(inside, of_inside, scatter) + _of_one_level(outside, of_outside, scatter)
    return np.asarray(np.logaddexp.reduce(np.where(ended, both, -np.inf), axis=1) - np.log(len(starts)))


def _of_one_level(sums: Floats, shapes: Floats, scatter: float) -> Floats:
    """Return the log likelihood of values that add up to ``sums``, a level of any order of magnitude integrated out."""
    events = np.maximum(sums / scatter, 0.5)  # none at all tells of a level as half an event does
    return np.asarray(gammaln(events) - events * np.log(np.maximum(shapes / scatter, TINY)))


def _slopes(seen: _Seen, starts: npt.NDArray[np.int_], before: Floats, after: Floats, scatter: float) -> Floats:
    """Return for each start the log marginal likelihood of a straight line that leaves the level there."""
    x, shape, worth = seen.x, seen.shape, seen.weight
    rise = np.maximum(np.arange(len(x)) - starts[:, None] + 1, 0) / (len(x) - starts[:, None])  # (R, T)
    level = np.maximum(np.nan_to_num(before), TINY)
    gain = 2 * (np.nan_to_num(after) - level)
    ratio = np.divide(x, shape, out=np.zeros_like(x), where=shape > 0)
    floor = max(1e-3 * float(x.mean()), TINY)
    for _ in range(ROUNDS):
        weight = worth * shape**2 / np.maximum(shape * (level[:, None] + gain[:, None] * rise), floor)
        a, b, c = weight.sum(axis=1), (weight * rise).sum(axis=1), (weight * rise**2).sum(axis=1)
        p, q = (weight * ratio).sum(axis=1), (weight * rise * ratio).sum(axis=1)
        determinant = np.maximum(a * c - b**2, TINY)
        level, gain = np.maximum((c * p - b * q) / determinant, TINY), (a * q - b * p) / determinant
    rate = np.maximum(level[:, None] + gain[:, None] * rise, TINY)
    end = np.maximum(level + gain, TINY)
    fit = (worth * (xlogy(x, rate) - shape * rate)).sum(axis=1) / scatter
    # the area under the peak, in the logarithms of the first and the last level as for a step
    area = np.log(2 * np.pi) - np.log(determinant / scatter**2) / 2 - np.log(level) - np.log(end)
    return np.asarray(fit + area)
