"""Tail probabilities and bounds of the predictive distributions the detectors share.

Everything broadcasts.  A tail is never below ``SMALLEST``, where double
precision ends, so a surprise is at most 300.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammainc, gammaincc, gammainccinv, gammaincinv, stdtr, stdtrit

from detectors.panel import Floats

SMALLEST = 1e-300
TINY = 1e-9  # a value so near a whole number is one
POISSON = 1e10  # the size from which a negative binomial is computed as: Poisson to seven digits

Numbers = Floats | float


class Tails(NamedTuple):
    """P(X >= x), P(X <= x) and P(X > x)."""

    rise: Floats
    fall: Floats
    above: Floats


def neighbours(x: Numbers) -> tuple[Floats, Floats]:
    """Return the whole numbers on either side of values; one but for rounding (0.1 * 30) is its own."""
    return _floats(np.floor(x + TINY)), _floats(np.ceil(x - TINY))


def count_tails(x: Numbers, mean: Numbers, size: Numbers) -> Tails:
    """Return the tails of negative binomials (variance mean + mean²/size; size inf is Poisson).

    A fractional ``x``, as a corrected or shared-out count may be, keeps the wider of its neighbours' tails.
    """
    x, size = np.maximum(x, 0.0), np.minimum(size, POISSON)
    low, high = neighbours(x)
    busy = mean / (size + mean)
    rise = np.where(low >= 1, betainc(np.maximum(low, 1.0), size, busy), np.where(np.isnan(low), np.nan, 1.0))
    return Tails(rise, _floats(betainc(size, high + 1, 1 - busy)), _floats(betainc(high + 1, size, busy)))


def count_bounds(alpha: float, mean: Numbers, size: Numbers) -> tuple[Floats, Floats]:
    """Return the largest l with P(X < l) <= alpha and the smallest u with P(X > u) <= alpha.

    So a value above ``u`` is exactly a value whose surprise is at least -log10(alpha).
    """
    from scipy.stats import nbinom  # half a second, and not every detector needs it

    size = np.minimum(size, POISSON)
    calm = size / (size + mean)
    return _floats(nbinom.ppf(alpha, size, calm)), _floats(nbinom.isf(alpha, size, calm))


def gamma_tails(x: Numbers, mean: Numbers, shape: Numbers) -> Tails:
    """Return the tails of gammas with this mean and shape (variance mean²/shape): amounts, sums of money."""
    scaled = np.maximum(x, 0.0) * shape / mean
    rise = _floats(gammaincc(shape, scaled))
    return Tails(rise, _floats(gammainc(shape, scaled)), rise)


def gamma_bounds(alpha: float, mean: Numbers, shape: Numbers) -> tuple[Floats, Floats]:
    """Return the alpha and 1 - alpha quantiles."""
    return _floats(gammaincinv(shape, alpha) * mean / shape), _floats(gammainccinv(shape, alpha) * mean / shape)


def student_tails(x: Numbers, mean: Numbers, sd: Numbers, df: Numbers) -> Tails:
    """Return the tails of Student's t with this centre, scale and degrees of freedom."""
    z = (x - mean) / sd
    rise = _floats(stdtr(df, -z))
    return Tails(rise, _floats(stdtr(df, z)), rise)


def student_bounds(alpha: float, mean: Numbers, sd: Numbers, df: Numbers) -> tuple[Floats, Floats]:
    """Return the alpha and 1 - alpha quantiles."""
    reach = -_floats(stdtrit(df, alpha)) * sd
    return _floats(mean - reach), _floats(mean + reach)


def surprise(tails: Tails) -> Floats:
    """Return -log10 of the smaller tail, positive for a rise, negative for a fall."""
    rise, fall = (-np.log10(np.maximum(np.minimum(tail, 1.0), SMALLEST)) for tail in tails[:2])
    return np.where(rise < fall, -fall, rise)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
