"""How noisy each series is: where ridge, lasso and residuals agree, which is the maximum of its posterior.

For a noise s (a variance) all coefficients follow; given these, s is the positive root of 4s² + ns = the
residuals' sum of squares.  While the same changes of slope stay active that sum is a parabola in s, so the next
s is the root of a quadratic; where it leaves the bracket known to hold the answer, the bracket is halved.  A
small series may have several maxima: this is the one of most noise, which Prophet's climb also comes to, since
it begins with more noise than any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.additive.lasso import Index, Lasso
from detectors.additive.ridge import Ridge
from detectors.additive.trend import CUTS
from detectors.panel import Floats

ROUGH, AGREED = 1e-3, 1e-12  # relative, in the first pass and the later ones
SETTLED = 1e-6  # relative: the noise the ridge was reduced by; the slope left is this small a part of its prior's
PASSES, STEPS = 12, 60  # far more than any series needs
SMOOTH = (
    1e-4  # of the data's squares: where no more is left, it is summed from residuals, since differences lose digits
)
LEAST = 1e-6  # of a series' own standard deviation: smaller residuals are rounding


@dataclass(frozen=True, eq=False)
class Data:
    """What is known of m series besides their products."""

    n: Floats  # (m,) reported values
    squares: Floats  # (m,) sums of squares of the centred data, above 0
    held: Floats  # (m,) the level taken out, in units of its prior
    left: Callable[[Index, Floats, Floats], Floats]  # (which, ridge coefficients, changes) -> (k,) residuals' squares

    def take(self, which: Index) -> Data:
        """Return the data of some of the series."""
        return Data(
            self.n[which], self.squares[which], self.held[which], lambda some, b, d: self.left(which[some], b, d)
        )


@dataclass(frozen=True, eq=False)
class Balance:
    """The maximum of m series' posteriors."""

    coefficients: Floats  # (m, R) of the centred data, scaled to unit priors
    changes: Floats  # (m, CUTS)
    noise: Floats  # (m,) variances
    ended: npt.NDArray[np.bool_]  # (m,) whether it was found


def balance(ridge: Ridge, data: Data, flexibility: float) -> Balance:
    """Return the maximum of each posterior; ``flexibility`` is the prior scale of the changes of slope."""
    m = len(data.n)
    found = Balance(np.zeros((m, ridge.size)), np.zeros((m, CUTS)), data.squares / data.n / 2, np.zeros(m, dtype=bool))
    which = np.arange(m)
    for number in range(PASSES):
        held_at = found.noise[which]
        search = _Search(ridge, data.take(which), which, held_at, found.changes[which], flexibility, rough=number == 0)
        agreed = search.run()
        found.coefficients[which], found.changes[which] = search.coefficients, search.lasso.solution
        found.noise[which] = search.noise
        settled = (np.abs(search.noise - held_at) <= SETTLED * held_at) & (number > 0)
        found.ended[which] = settled & agreed
        which = which[~settled]
        if not len(which):
            break
    return found


class _Search:
    """One pass: the noise that lasso and residuals agree on while the ridge's is held."""

    def __init__(
        self,
        ridge: Ridge,
        data: Data,
        which: Index,
        held_at: Floats,
        changes: Floats,
        flexibility: float,
        *,
        rough: bool,
    ) -> None:
        self._ridge, self._data, self._which, self._held_at = ridge, data, which, held_at
        self._flexibility, self._rough = flexibility, rough
        reduced = ridge.reduced(which, held_at)
        self._constant = reduced.constant
        self.lasso = Lasso(reduced.s, reduced.q, changes)
        self.coefficients = np.zeros((len(which), ridge.size))
        self._least = LEAST**2 * data.squares / data.n
        self.noise = np.maximum(_variance(reduced.constant, data.n), self._least) if rough else held_at.copy()
        self._low, self._high = self._least.copy(), np.full(len(which), np.inf)

    def run(self) -> npt.NDArray[np.bool_]:
        """Return which series came to an agreement."""
        ended = np.zeros(len(self._which), dtype=bool)
        alive = np.arange(len(self._which))
        for _ in range(STEPS):
            ended[alive] = self.lasso.solve(alive, self.noise[alive] / self._flexibility, refined=not self._rough)
            alive = alive[self._step(alive)]
            if not len(alive):
                break
        ended[alive] = False
        return ended

    def _step(self, which: Index) -> npt.NDArray[np.bool_]:
        """Move the noise of some of the series to where their residuals say; return which moved."""
        now, least, n = self.noise[which], self._least[which], self._data.n[which]
        left, bend = self._left(which, now / self._flexibility)
        direct = np.maximum(_variance(left, n), least)
        low = self._low[which] = np.where(direct >= now, np.maximum(self._low[which], now), self._low[which])
        high = self._high[which] = np.where(direct <= now, np.minimum(self._high[which], now), self._high[which])
        ahead = np.maximum(_root(left - bend * now**2, bend, n), least)
        sound = ((ahead >= low) & (ahead <= high)) | (np.abs(ahead - now) <= 1e-8 * now)  # at the end by rounding alone
        middle = np.where(np.isfinite(high), np.sqrt(low) * np.sqrt(high), direct)
        self.noise[which] = np.where(sound, ahead, middle)
        return np.asarray(np.abs(self.noise[which] - now) > (ROUGH if self._rough else AGREED) * now)

    def _left(self, which: Index, bound: Floats) -> tuple[Floats, Floats]:
        """Return the residuals' squares, and by how much they grow with the noise's square."""
        changes, held = self.lasso.solution[which], self._data.held[which]
        b = self._ridge.coefficients(self._which[which], changes)
        self.coefficients[which] = b
        norm = (b**2).sum(axis=1) + held * (2 * b[:, 0] + held)  # of the coefficients, the level's put back
        left = self._constant[which] - self.lasso.gain(which, bound) - self._held_at[which] * norm
        smooth = left < SMOOTH * self._data.squares[which]
        if smooth.any():
            left[smooth] = self._data.left(which[smooth], b[smooth], changes[smooth])
        return left, self.lasso.bend(which) / self._flexibility**2


def _variance(left: Floats, n: Floats) -> Floats:
    """Return the noise of most posterior given the residuals: the positive root of 4s² + ns = left."""
    left = np.maximum(left, 0.0)
    return np.asarray(2 * left / (n + np.sqrt(n * n + 16 * left)))


def _root(constant: Floats, bend: Floats, n: Floats) -> Floats:
    """Return the positive root of (4 - bend)s² + ns = constant, or 0."""
    constant = np.maximum(constant, 0.0)
    inner = n * n + 4 * (4 - bend) * constant
    return np.where(inner >= 0, 2 * constant / (n + np.sqrt(np.maximum(inner, 0.0))), 0.0)
