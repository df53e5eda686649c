"""Tail probabilities and bounds of the predictive distributions the detectors share.

Everything broadcasts.  A tail is never below ``SMALLEST``, where double
precision ends, so a surprise is at most 300.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import (
    betainc,
    betaincc,
    digamma,
    expit,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    log_expit,
    ndtri,
    polygamma,
    stdtr,
    stdtrit,
)

from detectors.panel import Floats

SMALLEST = 1e-300
COARSE = np.linspace(-6.0, 6.0, 17)
SECANTS, CLOSE = 60, 1e-6
REACH = np.linspace(-14.0, 14.0, 71)  # nodes of an integral over a beta's logit, in its standard deviations
TINY = 1e-9
POISSON = 1e10  # the size from which a negative binomial is computed as: Poisson to seven digits

Numbers = Floats | float


class Tails(NamedTuple):
    """P(X >= x), P(X <= x) and P(X > x)."""

    rise: Floats
    fall: Floats
    above: Floats


def count_tails(x: Numbers, mean: Numbers, size: Numbers) -> Tails:
    """Return the tails of negative binomials (variance mean + mean²/size; size inf is Poisson).

    A fractional ``x``, as a corrected or shared-out count may be, keeps the wider of its neighbours' tails.
    """
    x, size = np.maximum(x, 0.0), np.minimum(size, POISSON)
    low, high = np.floor(x + 1e-9), np.ceil(x - 1e-9)
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


def share_tails(x: Numbers, whole: Numbers, a: Numbers, b: Numbers) -> Tails:
    """Return the tails of beta-binomials: x of a whole whose share is itself a beta of a and b.

    A fractional ``x`` keeps the wider of its neighbours' tails, as in ``count_tails``.  Each is right to one part in
    ten thousand of itself.
    """
    x, whole, a, b = np.broadcast_arrays(*(_floats(numbers) for numbers in (x, whole, a, b)))
    low, high = np.floor(x + 1e-9), np.ceil(x - 1e-9)
    rise = np.where(low >= 1, _share_from(np.maximum(low, 1.0), whole, a, b), 1.0)
    after, everything = np.clip(high + 1, 1.0, np.maximum(whole, 1.0)), high >= whole
    fall, above = _share_from(after, whole, a, b, below=True), _share_from(after, whole, a, b)
    return Tails(rise, np.where(everything, 1.0, fall), np.where(everything, 0.0, above))


def share_bounds(alpha: float, whole: Numbers, a: Numbers, b: Numbers) -> tuple[Floats, Floats]:
    """Return the largest l with P(X < l) <= alpha and the smallest u with P(X > u) <= alpha."""
    whole, a, b = np.broadcast_arrays(*(np.atleast_1d(_floats(numbers)) for numbers in (whole, a, b)))
    whole = np.floor(whole)
    return whole - _share_bound(alpha, whole, b, a), _share_bound(alpha, whole, a, b)  # the rest is a share, too


def _share_bound(alpha: float, whole: Floats, a: Floats, b: Floats) -> Floats:
    """Return the smallest u with P(X > u) <= alpha, at the whole or at 0 where all lies on one side of alpha."""
    most = np.maximum(whole, 1.0)
    never, even_all = (_share_from(x, most, a, b, nodes=COARSE) for x in (np.ones_like(most), most))
    bound = np.where((even_all > alpha) & (whole >= 1), whole, 0.0)
    between = (never > alpha) & (even_all <= alpha)
    bound[between] = np.ceil(_crossing(alpha, most[between], a[between], b[between]) - TINY) - 1
    return bound


def _crossing(alpha: float, whole: Floats, a: Floats, b: Floats) -> Floats:
    """Return the x, drawn through all numbers, with P(X >= x) = alpha, by secants kept between 1 and the whole."""

    def off(x: Floats) -> Floats:
        tail = _share_from(x, whole, a, b, nodes=COARSE)
        return np.asarray(np.log(np.maximum(tail, SMALLEST) / alpha))

    low, high, together = np.ones_like(whole), whole, a + b
    mean = whole * a / together
    sd = np.sqrt(mean * b / together * (together + whole) / (together + 1))
    x, slope = np.clip(mean - sd * ndtri(alpha), low, high), ndtri(alpha) / sd
    lacking = off(x)
    for _ in range(SECANTS):
        low, high = np.where(lacking > 0, x, low), np.where(lacking > 0, high, x)
        if ((np.abs(lacking) < CLOSE) | (high - low < CLOSE)).all():
            break
        ahead = x - lacking / slope
        ahead = np.where((ahead > low) & (ahead < high), ahead, (low + high) / 2)
        then = off(ahead)
        with np.errstate(invalid="ignore", divide="ignore"):
            secant = (then - lacking) / (ahead - x)
        x, lacking, slope = ahead, then, np.where(secant < 0, secant, slope)
    return x


def _share_from(
    x: Floats, whole: Floats, a: Floats, b: Floats, *, below: bool = False, nodes: Floats = REACH
) -> Floats:
    """Return P(X >= x), or P(X < x), for x from 1 to the whole.

    A binomial of share s reaches x as often as s exceeds a beta of x and whole - x + 1.  So these are the chances
    that one of two betas exceeds the other: an integral over the narrower, which is all but normal on the logit scale.
    """
    c, d = x, whole - x + 1
    of_share, of_place = np.sqrt(polygamma(1, a) + polygamma(1, b)), np.sqrt(polygamma(1, c) + polygamma(1, d))
    swap = of_place < of_share
    inner, outer = (np.where(swap, c, a), np.where(swap, d, b)), (np.where(swap, a, c), np.where(swap, b, d))
    middle, width = digamma(inner[0]) - digamma(inner[1]), np.minimum(of_share, of_place)
    logit = middle[..., None] + width[..., None] * nodes
    weight = inner[0][..., None] * log_expit(logit) + inner[1][..., None] * log_expit(-logit)
    weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    share, tail = expit(logit), np.empty_like(weight)
    for cells, beta in ((swap == below, betainc), (swap != below, betaincc)):
        tail[cells] = beta(outer[0][cells][:, None], outer[1][cells][:, None], share[cells])
    return _floats((weight * tail).sum(axis=-1))


def surprise(tails: Tails) -> Floats:
    """Return -log10 of the smaller tail, positive for a rise, negative for a fall."""
    rise, fall = (-np.log10(np.maximum(np.minimum(tail, 1.0), SMALLEST)) for tail in tails[:2])
    return np.where(rise < fall, -fall, rise)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
