"""Tails and bounds of beta-binomials: parts of a whole whose share is itself uncertain.

A tail is an integral, but the probability of one number is not, and that of the next is a multiple of it: a tail known
at one number is known at its neighbours.

Source: Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, 6.9.2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincc, digamma, expit, gammaln, log_expit, ndtri, polygamma

from detectors.masses import WALK, boundary
from detectors.panel import Floats
from detectors.tails import Numbers, Tails, neighbours

COARSE = np.linspace(-6.0, 6.0, 17)
REACH = np.linspace(-14.0, 14.0, 71)  # nodes of an integral over a beta's logit, in its standard deviations
EDGE = 64  # so near to none or all a beta is no normal, and the coarse nodes are off by up to seven per cent
LARGE = 1e6  # whole, a and b together, up to which a probability is right to nine digits

Bools = npt.NDArray[np.bool_]


def share_tails(x: Numbers, whole: Numbers, a: Numbers, b: Numbers) -> Tails:
    """Return the tails of beta-binomials: x of a whole whose share is itself a beta of a and b.

    A fractional ``x`` keeps the wider of its neighbours' tails, as in ``count_tails``.  Each is right to one part in
    ten thousand of itself.
    """
    given = np.broadcast_arrays(*(np.asarray(numbers, dtype=np.float64) for numbers in (x, whole, a, b)))
    x, whole, a, b = (numbers.ravel() for numbers in given)
    low, high = neighbours(x)
    after, everything = np.clip(high + 1, 1.0, np.maximum(whole, 1.0)), high >= whole
    upwards = high * (a + b) > whole * a
    small = _either(after, whole, a, b, below=~upwards)
    other = 1 - small
    again = small > 0.5  # or what is left of it would be less right than it is
    other[again] = _either(after[again], whole[again], a[again], b[again], below=upwards[again])
    fall = np.where(everything, 1.0, np.where(upwards, other, small))
    above = np.where(everything, 0.0, np.where(upwards, small, other))
    quick = (low == high) & (low >= 0) & (high <= whole) & (whole + a + b < LARGE)
    rise = np.where(
        quick, np.minimum(above + _mass(np.where(quick, low, 0.0), np.where(quick, whole, 1.0), a, b), 1), 0.0
    )
    rise[~quick] = _share_from(np.maximum(low[~quick], 1.0), whole[~quick], a[~quick], b[~quick])
    return Tails(*(tail.reshape(given[0].shape) for tail in (np.where(low >= 1, rise, 1.0), fall, above)))


def share_bounds(alpha: float, whole: Numbers, a: Numbers, b: Numbers) -> tuple[Floats, Floats]:
    """Return the largest l with P(X < l) <= alpha and the smallest u with P(X > u) <= alpha."""
    whole, a, b = np.broadcast_arrays(*(np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in (whole, a, b)))
    whole = np.floor(whole)
    return whole - _upper(alpha, whole, b, a), _upper(alpha, whole, a, b)  # the rest is a share, too


def _upper(alpha: float, whole: Floats, a: Floats, b: Floats) -> Floats:
    """Return the smallest u with P(X > u) <= alpha."""
    together = a + b
    mean = whole * a / together
    sd = np.sqrt(mean * b / together * (together + whole) / (together + 1))
    return boundary(
        lambda x, asked: _rises(x + 1, asked, whole, a, b),
        within=whole,
        beyond=np.full(len(whole), -1.0),  # P(X > -1) = 1
        guess=np.rint(mean - sd * ndtri(alpha)),
        step=sd / 4,
        most=np.full(len(whole), alpha),
    )


def _rises(x: Floats, asked: Bools, whole: Floats, a: Floats, b: Floats) -> Floats:
    """Return (2 WALK + 1, cells): P(X >= x + k), k from -WALK to WALK, of the cells asked for; x from 1 to the whole.

    Where numbers are large all are P(X >= x).
    """
    found = np.ones((2 * WALK + 1, len(x)))
    edge = np.minimum(x, whole - x + 1) < EDGE
    for cells, nodes in ((asked & edge, REACH), (asked & ~edge, COARSE)):
        found[:, cells] = _share_from(x[cells], whole[cells], a[cells], b[cells], nodes=nodes)
    near = np.flatnonzero(asked & (whole + a + b < LARGE))
    x, whole, a, b = x[near], whole[near], a[near], b[near]
    here = _mass(x, whole, a, b)
    mass = here
    for step in range(1, WALK + 1):
        found[WALK + step, near] = found[WALK + step - 1, near] - mass
        at = x + step
        mass = mass * np.maximum(whole - at + 1, 0.0) * (at - 1 + a) / (at * (np.maximum(whole - at, 0.0) + b))
    mass = here
    for step in range(1, WALK + 1):
        at = np.maximum(x - step, 0.0)
        mass = mass * (at + 1) * (whole - at - 1 + b) / ((whole - at) * (at + a))
        found[WALK - step, near] = np.where(x > step, found[WALK - step + 1, near] + mass, 1.0)
    return np.clip(found, 0.0, 1.0, out=found)


def _mass(x: Floats, whole: Floats, a: Floats, b: Floats) -> Floats:
    """Return P(X = x)."""
    rest = whole - x
    ways = gammaln(whole + 1) - gammaln(x + 1) - gammaln(rest + 1)
    split = gammaln(x + a) + gammaln(rest + b) - gammaln(whole + a + b)
    return np.asarray(np.exp(ways + split - gammaln(a) - gammaln(b) + gammaln(a + b)))


def _either(x: Floats, whole: Floats, a: Floats, b: Floats, *, below: Bools) -> Floats:
    """Return P(X < x) where ``below``, P(X >= x) elsewhere."""
    found = np.empty_like(x)
    for where, side in ((below, True), (~below, False)):
        found[where] = _share_from(x[where], whole[where], a[where], b[where], below=side)
    return found


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
    return np.asarray((weight * tail).sum(axis=-1))
