"""Quasi-Poisson regressions on one factor and a straight trend, many at once.

The log mean of a value is the level of its row's group plus slope x time.  All regressions of a call share groups and
times, and iterate together: with one factor and one slope each step of iteratively reweighted least squares is a closed
form of sums by group, so that no system is solved and no loop runs over regressions.

Start, steps and stopping rule are those of R's ``glm``, since an answer to six digits depends on them: where a group
had no event its level falls by one at each step until the deviance stands still.

Source: McCullagh and Nelder (1989), Generalized Linear Models, ch. 2.5 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

START = 0.1  # event added to each value: the means the iteration starts from
STILL = 1e-8  # relative change of the deviance at which it ends
STEPS = 25
LEAST = float(np.finfo(float).eps)  # no mean is below this


@dataclass(frozen=True)
class Sample:
    """What M regressions of n rows each are fitted to.

    Args:
        values: (n, M) counts, finite; where a row has no weight they do not matter.
        group: (n,) number of each row's group, from 0 to G - 1.
        time: (n,) in steps; around 0, for the sake of precision.
    """

    values: Floats
    group: Ints
    time: Floats

    @cached_property
    def members(self) -> Floats:
        """(G, n): 1 where a row is of a group."""
        return np.asarray(np.arange(self.group.max() + 1)[:, None] == self.group, dtype=np.float64)

    @cached_property
    def logs(self) -> tuple[Floats, Floats]:
        """(n, M): the log means the iteration starts from, and value x log value."""
        own = np.log(np.maximum(self.values, LEAST)) * self.values
        return np.log(self.values + START), own

    def of(self, columns: Ints) -> Sample:
        """Return that of some of the regressions."""
        return replace(self, values=self.values[:, columns])

    def means(self, level: Floats, slope: Floats | None, room: tuple[Floats, Floats] | None = None) -> Floats:
        """Return (n, M) means of levels (G, M) and slopes (M,), in the first of two flat arrays with room for them."""
        shape = len(self.group), level.shape[1]
        mean, other = (
            np.empty(shape) if room is None else room[which][: shape[0] * shape[1]].reshape(shape) for which in (0, 1)
        )
        np.take(np.maximum(np.exp(level), LEAST), self.group, axis=0, out=mean)
        if slope is None:
            return mean
        mean *= np.exp(np.multiply(self.time[:, None], slope, out=other), out=other)
        return np.maximum(mean, LEAST, out=mean)


@dataclass(frozen=True)
class Sums:
    """Sums by group of working weights, which a step rests on, and the variance of what was fitted."""

    weight: Floats  # (G, M)
    middle: Floats  # (G, M) weighted mean time
    per_spread: Floats  # (M,) 1 / weighted squares of time within the groups; 0 without a trend

    def step(self, left: Floats, timed: Floats) -> tuple[Floats, Floats]:
        """Return what levels and slopes gain, from (G, M) weighted residuals by group and (M,) their sums with time."""
        slope = (timed - (self.middle * left).sum(axis=0)) * self.per_spread
        return _over(left, self.weight) - slope * self.middle, slope

    def variance(self, group: int, time: float) -> Floats:
        """Return (M,): the variance of the log mean of a new row, were the dispersion 1."""
        return np.asarray(_over(1.0, self.weight[group]) + (time - self.middle[group]) ** 2 * self.per_spread)

    def of(self, columns: Bools) -> Sums:
        """Return those of some regressions."""
        return Sums(self.weight[:, columns], self.middle[:, columns], self.per_spread[columns])

    def put(self, columns: Ints, news: Sums) -> None:
        """Take the sums of some regressions from others."""
        self.weight[:, columns], self.middle[:, columns], self.per_spread[columns] = (
            news.weight,
            news.middle,
            news.per_spread,
        )


@dataclass(frozen=True)
class Regressions:
    """M fitted regressions."""

    level: Floats  # (G, M) log mean at time 0; NaN where no row of the group counts
    slope: Floats  # (M,) per step; 0 without a trend
    exposed: Floats  # (G, M) weights of a group's rows
    mean: Floats  # (n, M)
    working: Floats  # (n, M) the weights of the last step
    sums: Sums  # of these
    dispersion: Floats  # (M,) Pearson's estimate; NaN without degrees of freedom
    freedom: Floats  # (M,) residual degrees of freedom
    settled: Bools  # (M,) whether the deviance came to stand still

    def leverage(self, sample: Sample) -> Floats:
        """Return (n, M): how far each value draws its own mean."""
        share = _over(1.0, self.sums.weight)[sample.group]
        if self.sums.per_spread.any():
            share += (sample.time[:, None] - self.sums.middle[sample.group]) ** 2 * self.sums.per_spread
        return self.working * share


def regressions(sample: Sample, weight: Floats, *, trend: bool) -> Regressions:
    """Fit M regressions together, with a slope or without.

    Args:
        sample: Values, groups and times.
        weight: (n, M), not negative; 0 leaves a row out.
        trend: Whether there is a slope.
    """
    fit = _Iteration(sample, weight, trend)
    with np.errstate(over="ignore", invalid="ignore"):  # one that does not settle may go anywhere
        fit.run()
        mean = sample.means(fit.level, fit.slope if trend else None)
        working = weight * sample.means(fit.level_before, fit.slope_before if trend else None)
        squares = (working * (sample.values / mean - 1) ** 2).sum(axis=0)
    freedom = (weight > 0).sum(axis=0) - (fit.exposed > 0).sum(axis=0) - (fit.sums.per_spread > 0) * 1.0
    dispersion = np.where(freedom > 0, squares / np.maximum(freedom, 1.0), np.nan)
    level = np.where(fit.exposed > 0, fit.level, np.nan)
    return Regressions(level, fit.slope, fit.exposed, mean, working, fit.sums, dispersion, freedom, fit.settled)


class _Iteration:
    """Iteratively reweighted least squares; regressions leave it as they settle."""

    def __init__(self, sample: Sample, weight: Floats, trend: bool) -> None:
        self.sample, self.weight, self.trend = sample, weight, trend
        self.by_group = sample.members
        self.by_time = sample.members * sample.time
        logs, own = sample.logs
        counted = weight * sample.values
        self.events, self.timed = self.by_group @ counted, sample.time @ counted  # (G, M), (M,)
        self.exposed = self.by_group @ weight
        self.constant = (weight * own).sum(axis=0) - self.events.sum(axis=0)
        working = weight * (sample.values + START)
        self.deviance = self.constant - (counted * logs).sum(axis=0) + working.sum(axis=0)
        self.sums, _ = self._sums(working)
        if not trend:
            self.sums = _flat(self.sums.weight)
        news = working * logs - START * weight  # of working weight x (log mean + (value - mean) / mean)
        self.level, self.slope = self.sums.step(self.by_group @ news, sample.time @ news)
        self.level_before, self.slope_before = self.level.copy(), self.slope.copy()
        self.settled = np.zeros(len(self.slope), dtype=bool)
        # fresh arrays at each step would cost more than what is computed in them
        self.room = np.empty(sample.values.size), np.empty(sample.values.size)

    def run(self) -> None:
        """Step until every deviance stands still, at most STEPS times."""
        todo = np.arange(len(self.slope))
        weight = self.weight
        for step in range(STEPS):
            level, slope = self.level[:, todo], self.slope[todo]
            now, with_time = self._current(level, slope, weight, self.exposed[:, todo])
            deviance = self.constant[todo] - (level * self.events[:, todo]).sum(axis=0) - slope * self.timed[todo]
            deviance += now.weight.sum(axis=0)
            # half of R's deviance, and so is what it is compared with; nothing settles at the start
            still = (np.abs(deviance - self.deviance[todo]) < STILL * (np.abs(deviance) + 0.05)) & (step > 0)
            self.deviance[todo] = deviance
            self.settled[todo[still]] = True
            if still.any():
                left = ~still
                todo, weight = todo[left], weight[:, left]
                now, with_time, level, slope = now.of(left), with_time[left], level[:, left], slope[left]
            if len(todo) == 0 or step == STEPS - 1:
                return
            self.level_before[:, todo], self.slope_before[todo] = level, slope
            self.sums.put(todo, now)
            gain, gained = now.step(self.events[:, todo] - now.weight, self.timed[todo] - with_time)
            self.level[:, todo], self.slope[todo] = level + gain, slope + gained

    def _current(self, level: Floats, slope: Floats, weight: Floats, exposed: Floats) -> tuple[Sums, Floats]:
        if self.trend:
            mean = self.sample.means(level, slope, self.room)
            return self._sums(np.multiply(weight, mean, out=mean))
        return _flat(np.maximum(np.exp(level), LEAST) * exposed), np.zeros_like(slope)

    def _sums(self, working: Floats) -> tuple[Sums, Floats]:
        """Return the sums, and (M,) that of working weight x time."""
        weight, with_time = self.by_group @ working, self.by_time @ working
        middle = _over(with_time, weight)
        spread = self.sample.time**2 @ working - (middle * with_time).sum(axis=0)
        return Sums(weight, middle, _over(1.0, spread)), with_time.sum(axis=0)


def _flat(weight: Floats) -> Sums:
    return Sums(weight, np.zeros_like(weight), np.zeros(weight.shape[1]))


def _over(numerator: Floats | float, denominator: Floats) -> Floats:
    """Return the quotient, 0 where nothing is divided by."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)
