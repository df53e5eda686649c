"""How good a fit is: Prophet's log posterior, and how far from flat it is there.

Both are computed from residuals in Prophet's own parameters, by none of the sums that the solution uses, so
they check it.
"""

from __future__ import annotations

import numpy as np

from detectors.additive.columns import Columns
from detectors.additive.products import LEVEL, SEASON, SLOPE, doubly_summed
from detectors.additive.solve import Fitted
from detectors.panel import Floats

NOISE = 0.5  # prior scale of sigma
FINE = 1e-6  # a variance, of values up to 1, below which rounding of the data alone tilts the posterior


def log_posterior(fitted: Fitted, columns: Columns, values: Floats, *, flexibility: float = 0.05) -> Floats:
    """Return (N,) the log posterior up to the constant that Stan leaves out, too; ``values`` as they were fitted."""
    squares = (_residuals(fitted, columns, values) ** 2).sum(axis=0)
    return np.asarray(
        -fitted.trend.n * np.log(fitted.sigma)
        - squares / (2 * fitted.sigma**2)
        - fitted.sigma**2 / (2 * NOISE**2)
        - fitted.k**2 / (2 * SLOPE**2)
        - fitted.m**2 / (2 * LEVEL**2)
        - np.abs(fitted.delta).sum(axis=1) / flexibility
        - (fitted.beta**2).sum(axis=1) / (2 * SEASON**2)
    )


def steepness(fitted: Fitted, columns: Columns, values: Floats, *, flexibility: float = 0.05) -> Floats:
    """Return (N,) the steepest slope of the log posterior along any parameter: 0 at the maximum.

    For a change of slope that is 0, what its prior does not hold back.  Along sigma in units of sigma / n.  Times the
    variance over ``FINE`` where that is below 1; a series that never changes has none, its posterior has no maximum.
    """
    residuals = _residuals(fitted, columns, values)
    variance, start = fitted.sigma**2, fitted.trend.first
    tails = doubly_summed(residuals)  # (T, N)
    each = np.arange(len(start))
    changes = tails[fitted.trend.cuts, each[:, None]] / (fitted.trend.length * variance)[:, None]
    active = fitted.delta != 0
    slopes = (
        tails[start, each] / fitted.trend.length / variance - fitted.k / SLOPE**2,
        residuals.sum(axis=0) / variance - fitted.m / LEVEL**2,
        np.where(active, changes - np.sign(fitted.delta) / flexibility, 0.0).T,
        np.where(active, 0.0, np.maximum(np.abs(changes) - 1 / flexibility, 0.0)).T,
        np.where(fitted.beta != 0, (residuals.T @ columns.features) / variance[:, None] - fitted.beta / SEASON**2, 0).T,
        ((residuals**2).sum(axis=0) / variance - 4 * variance) / fitted.trend.n - 1,
    )
    worst = np.max([np.abs(np.atleast_2d(slope)).max(axis=0) for slope in slopes], axis=0)
    constant = np.nanmin(values, axis=0) == np.nanmax(values, axis=0)
    return np.where(constant, 0.0, worst * np.minimum(variance / FINE, 1.0))


def _residuals(fitted: Fitted, columns: Columns, values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, (values - fitted.within(columns)) / fitted.scale)
