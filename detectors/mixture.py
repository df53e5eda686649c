"""Mixtures of negative binomials: what the next counts may be, where how a series scatters is averaged over.

Source: Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, ch. 5 and 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammainccinv, gammaincinv, gammaln

from detectors.masses import Parts, boundary, part_tails
from detectors.panel import Floats
from detectors.tails import Tails, neighbours

WORST = -20.0  # a log likelihood no single value goes below: one epidemic does not decide how a series scatters
TRIFLE = 1e-9  # weight of a part the bounds leave out
SLIGHT = 1e-12  # weight of a part left out of a tail
SAME = 1e-9  # share of a tail that makes no difference
SMALL = 1e-3  # weight of a part left out where tails are only counted
TINY = 1e-300
FEW = 6  # counts up to it are multiplied out, which is quicker than the gamma function


@dataclass(frozen=True)
class Mixture:
    """Predictive distributions, G negative binomials each; arrays are (rows, G, N)."""

    mean: Floats
    size: Floats  # variance mean + mean²/size
    score: Floats  # log weights, but for a constant

    def of(self, rows: npt.NDArray[np.int64] | slice) -> Mixture:
        """Return the distributions of some rows."""
        return Mixture(self.mean[rows], self.size[rows], self.score[rows])

    @cached_property
    def weight(self) -> Floats:
        """(rows, G, N), sums to 1 over G."""
        weight = np.exp(self.score - self.score.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def moments(self) -> tuple[Floats, Floats]:
        """Return (rows, N) means and variances."""
        return moments(self.mean, self.size, self.weight, axis=1)

    def none(self) -> Floats:
        """Return (rows, N): P(X = 0)."""
        return np.asarray((self.weight * np.exp(-self.size * np.log(1 + self.mean / self.size))).sum(axis=1))

    def cells(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Cells:
        """Return the distributions of some cells."""
        return Cells(*(np.moveaxis(part, 1, -1)[rows, columns] for part in (self.mean, self.size, self.weight)))


@dataclass(frozen=True)
class Cells:
    """Mixtures one below the other; arrays are (cells, G)."""

    mean: Floats
    size: Floats
    weight: Floats

    def expected(self) -> Floats:
        """Return (cells,) means."""
        return np.asarray((self.weight * self.mean).sum(axis=-1))

    def tails(self, x: Floats) -> Tails:
        """Return the tails at (cells,) values.

        Parts of next to no weight are left out, but where what is left is so far out that they might matter.
        """
        found = Tails(*self._tails(x, self.weight > SLIGHT))
        left_out = np.where(self.weight > SLIGHT, 0.0, self.weight).sum(axis=-1)
        doubtful = np.flatnonzero(left_out > SAME * np.minimum(np.minimum(found.fall, found.above), found.rise))
        if len(doubtful):
            few = Cells(self.mean[doubtful], self.size[doubtful], self.weight[doubtful])
            for part, told in zip(found, few._tails(x[doubtful], few.weight > 0), strict=True):
                part[doubtful] = told
        return found

    def _tails(self, x: Floats, counted: npt.NDArray[np.bool_]) -> Iterator[Floats]:
        cell, part = np.nonzero(counted)
        value, weight = x[cell], self.weight[cell, part]
        for tail in part_tails(value, self.mean[cell, part], self.size[cell, part]):
            yield np.asarray(np.bincount(cell, weight * tail, len(x)), dtype=np.float64)

    def rises(self, x: Floats) -> tuple[Floats, Floats]:
        """Return P(X >= x) and P(X > x) at (cells,) values, but for parts of a weight below ``SMALL``."""
        cell, part = np.nonzero(self.weight > SMALL)
        weight = self.weight[cell, part]
        weight /= np.bincount(cell, weight, len(x))[cell]
        mean, size, value = self.mean[cell, part], self.size[cell, part], x[cell]
        busy = mean / (size + mean)
        low, high = neighbours(value)
        rise = np.where(low >= 1, betainc(np.maximum(low, 1.0), size, busy), 1.0)
        above = betainc(high + 1, size, busy)
        tails = (np.bincount(cell, weight * tail, len(x)) for tail in (rise, above))
        from_, beyond = (np.asarray(tail, dtype=np.float64) for tail in tails)
        return from_, beyond

    def bounds(self, alpha: float, alpha_above: Floats) -> tuple[Floats, Floats]:
        """Return the largest l with P(X < l) <= alpha and the smallest u with P(X > u) <= alpha_above.

        Chebyshev's one-sided inequality says between what they lie, a gamma distribution where to begin.
        """
        weight, mean, size = self.weight, self.mean, self.size
        centre, variance = moments(mean, size, weight, axis=-1)
        sd, scale = np.sqrt(variance), np.maximum(variance, TINY) / np.maximum(centre, TINY)
        shape = centre / scale
        cell, part = np.nonzero(weight > TRIFLE)
        parts = Parts.of(cell, weight[cell, part], mean[cell, part], size[cell, part], len(centre))
        upper = boundary(
            lambda x, asked: parts.rises(x + 1, asked),
            within=np.ceil(centre + sd * np.sqrt(1 / alpha_above)),
            beyond=np.full(len(centre), -1.0),  # P(X > -1) = 1
            guess=np.ceil(gammainccinv(shape, alpha_above) * scale),
            step=sd / 4,
            most=alpha_above,
        )
        lower = boundary(
            lambda x, asked: 1 - parts.rises(x, asked),
            within=np.maximum(np.floor(centre - sd * np.sqrt(1 / alpha)), 0.0),
            beyond=np.ceil(centre + sd * np.sqrt(1 / alpha)) + 1,
            guess=np.floor(gammaincinv(shape, alpha) * scale),
            step=sd / 4,
            most=np.full(len(centre), alpha),
        )
        return lower, upper


def moments(mean: Floats, size: Floats, weight: Floats, *, axis: int) -> tuple[Floats, Floats]:
    """Return means and variances of mixtures whose parts lie along an axis."""
    centre = (weight * mean).sum(axis=axis)
    square = (weight * (mean + mean**2 * (1 + 1 / size))).sum(axis=axis)
    return centre, np.maximum(square - centre**2, 0.0)


def log_likelihood(x: Floats, mean: Floats, size: Floats) -> Floats:
    """Return log P(X = x) of (rows, N) values under (rows, G, N) parts, not below WORST; NaN where x or the mean is."""
    busy = mean / size
    found = _ways(x, busy, size)
    busy += 1
    np.log(busy, out=busy)
    busy *= size + x[:, None]
    found -= busy
    found -= gammaln(x + 1)[:, None]
    return np.maximum(found, WORST, out=found)


def _ways(x: Floats, busy: Floats, size: Floats) -> Floats:
    """Return log(size (size + 1) … (size + x - 1) busy^x)."""
    few = ~((x > FEW) | (x != np.floor(x))).any(axis=0)  # shared-out counts, and NaN, are for the gamma function
    if few.all():
        return _multiplied(x, busy, size)
    found = np.empty_like(size)
    found[..., few] = _multiplied(x[:, few], busy[..., few], size[..., few])
    many, values = size[..., ~few], x[:, None, ~few]
    found[..., ~few] = gammaln(many + values) - gammaln(many) + values * np.log(busy[..., ~few])
    return found


def _multiplied(x: Floats, busy: Floats, size: Floats) -> Floats:
    most = int(x.max(initial=0.0))
    if most == 0:
        return np.zeros_like(size)
    product = np.where(x[:, None] > 0, size * busy, 1.0)
    for step in range(1, most):
        product *= np.where(x[:, None] > step, (size + step) * busy, 1.0)
    return np.log(product, out=product)
