"""How far from its forecast a value may lie: from a fitted mean, and how far off the fit was, to bounds and tails.

Amounts scatter as gammas, all else but counts (``followed``) as Student's t; the spread is by moments of the
residuals, widened as a new value's is (Akaike's final prediction error): a fit of p numbers to n values lies nearer
to these than to any other.

Source: Akaike (1970), Annals of the Institute of Statistical Mathematics 22: 203-217.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats
from detectors.tails import (
    Tails,
    gamma_bounds,
    gamma_tails,
    student_bounds,
    student_tails,
)

LEAST = 0.1  # of the mean of its past: a line may cross zero, a rate does not
RARE = 0.01  # and never less than this


class Moments(NamedTuple):
    """How far off fits were; arrays of one shape."""

    squares: Floats  # mean square of the residuals
    mean: Floats  # of the fitted values, those below 0 counted as 0 where nothing is negative
    mean_square: Floats
    n: Floats  # values fitted
    spent: Floats  # numbers fitted to them


class Around(NamedTuple):
    """What is expected, and how far from it a value may lie."""

    expected: Floats
    lower: Floats
    upper: Floats
    tails: Tails


def around(kinds: npt.NDArray[np.str_], observed: Floats, forecast: Floats, moments: Moments, alpha: float) -> Around:
    """Return bounds and tails of (K, N) values of series of (N,) kinds but counts; NaN where there is no forecast."""
    expected, lower, upper, *tails = np.full((6, *observed.shape), np.nan)
    for one, parts in (("amount", _amounts), ("", _others)):
        of_kind = kinds == one if one else ~np.isin(kinds, ("count", "amount"))
        where = of_kind & np.isfinite(forecast) & np.isfinite(observed)
        told = parts(observed[where], forecast[where], Moments(*(numbers[where] for numbers in moments)), alpha)
        expected[where], lower[where], upper[where] = told[:3]
        for whole, part in zip(tails, told.tails, strict=True):
            whole[where] = part
    return Around(expected, lower, upper, Tails(*tails))


def moments_of(values: Floats, within: Floats, spent: Floats) -> Floats:
    """Return (N, 5) the ``Moments`` of fits: of (T, N) values, and what the fits say of them.

    Of what is never negative, a fit below 0 counts as 0.
    """
    reported = ~np.isnan(values)
    n = reported.sum(axis=0)
    within = np.maximum(within, np.where((values < 0).any(axis=0), -np.inf, 0.0))
    residuals = values - within
    within[~reported] = residuals[~reported] = 0.0
    sums = (np.einsum("tn,tn->n", residuals, residuals), within.sum(axis=0), np.einsum("tn,tn->n", within, within))
    return np.stack([*(one / np.maximum(n, 1) for one in sums), n, spent], axis=1)


def _variance(moments: Moments) -> Floats:
    return np.asarray(moments.squares * (moments.n + moments.spent) / np.maximum(moments.n - moments.spent, 1))


def rate(forecast: Floats, moments: Moments) -> Floats:
    """Return what is expected of counts and amounts: never nothing, whatever a line comes to."""
    return np.maximum(forecast, np.maximum(LEAST * moments.mean, RARE))


def _amounts(x: Floats, forecast: Floats, moments: Moments, alpha: float) -> Around:
    mean = rate(forecast, moments)
    shape = 1 / np.maximum(_variance(moments) / np.maximum(moments.mean_square, 1e-9), 1e-6)
    return Around(mean, *gamma_bounds(alpha, mean, shape), gamma_tails(x, mean, shape))


def _others(x: Floats, forecast: Floats, moments: Moments, alpha: float) -> Around:
    sd = np.maximum(np.sqrt(_variance(moments)), np.maximum(1e-3 * np.abs(forecast), 1e-9))
    df = np.maximum(moments.n - moments.spent, 1)
    return Around(forecast, *student_bounds(alpha, forecast, sd, df), student_tails(x, forecast, sd, df))
