"""How rare is a sum of excesses?  What EARS C3 is compared with.

An excess is what a value lies beyond one standard deviation over the mean of its
baseline, in standard deviations, and 0 below.  EARS alarms where the last three
together pass 2, R's surveillance::earsC takes a normal quantile; neither says how
often a quiet series does.  Here the values are normal, and mean and standard
deviation are those of ``baseline`` such values, so that the sum depends on no parameter.

All terms share one baseline here, while those of C3 lie a step apart: the rarer sums, from one in thirty
on, are told to be a little less rare than they are (at a baseline of seven, one in 1,000 is called one in 700).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.special import ndtr

from detectors.panel import Floats
from detectors.tails import Tails

STEP = 0.05  # of the lattice, in standard deviations of a value
WIDE = 640  # its points: no sum of interest lies beyond 32
LEVELS = np.linspace(-5.0, 8.0, 131)  # where a value begins to exceed: its mean plus one sd of its baseline
CENTRES = 15  # nodes over the baseline's mean
LEAST = 1e-12  # what the lattice can tell; a rarer sum is called this rare


class _Null(NamedTuple):
    """P(sum >= s) at log(1 + s), rising, and P(sum > 0)."""

    places: Floats
    log_tail: Floats
    any: float


def excess_tails(total: Floats, baseline: int, terms: int) -> Tails:
    """Return the tails of sums of ``terms`` excesses over baselines of so many values; P(X <= x) is 1.

    Args:
        total: Sums of excesses, not negative.
        baseline: Values in each baseline, at least 3.
        terms: Excesses in each sum, at least 2.
    """
    null = _null(baseline, terms)
    tail = np.exp(np.interp(np.log1p(total), null.places, null.log_tail))
    nothing = total <= 0
    return Tails(np.where(nothing, 1.0, tail), np.ones_like(tail), np.where(nothing, null.any, tail))


def excess_quantile(alpha: float, baseline: int, terms: int) -> float:
    """Return the sum of excesses that is exceeded with a probability of ``alpha``."""
    null = _null(baseline, terms)
    return float(np.expm1(np.interp(-np.log(alpha), -null.log_tail, null.places)))


@lru_cache(maxsize=32)
def _null(baseline: int, terms: int) -> _Null:
    """Integrate over the baseline's mean and sd; given these, the excesses are independent cut normals."""
    log_beyond = np.log(np.maximum(_sums(terms), 1e-30))  # (levels, WIDE)
    df = baseline - 1
    log_sd = np.linspace(-32 / df - 1, 0.5 * np.log(70 / df), 200)
    weight = np.exp(df * log_sd - df * np.exp(2 * log_sd) / 2)
    nodes, of_node = np.polynomial.hermite_e.hermegauss(CENTRES)
    weight = of_node[:, None] / of_node.sum() * weight / weight.sum()  # (CENTRES, sd)
    sd = np.exp(log_sd)
    level = nodes[:, None] / np.sqrt(baseline) + sd  # (CENTRES, sd)
    any_ = float((weight * (1 - ndtr(level) ** terms)).sum())

    places = np.linspace(0.0, 15.0, 300)
    sums = np.minimum(np.expm1(places) * sd[:, None] / STEP + 0.5, WIDE - 1)  # (sd, places), in lattice steps
    row = (np.clip(level, LEVELS[0], LEVELS[-1]) - LEVELS[0]) / (LEVELS[1] - LEVELS[0])
    at = np.broadcast_arrays(row[:, :, None], sums)  # (CENTRES, sd, places)
    tail = np.einsum("ij,ijk->k", weight, np.exp(map_coordinates(log_beyond, at, order=1)))
    tail = np.minimum.accumulate(np.maximum(tail, LEAST))
    return _Null(places, np.log(tail), any_)


def _sums(terms: int) -> Floats:
    """Return (levels, WIDE): P(sum of max(0, x - level) >= y) for normal x and y half a step under a lattice point."""
    beyond = ndtr(-(LEVELS[:, None] + STEP * (np.arange(WIDE) + 0.5)))
    one = -np.diff(beyond, axis=1, prepend=1.0)
    size = 2 * terms * WIDE
    together = np.fft.irfft(np.fft.rfft(one, size, axis=1) ** terms, size, axis=1)[:, :WIDE]
    return np.asarray(np.cumsum(together[:, ::-1], axis=1)[:, ::-1])
