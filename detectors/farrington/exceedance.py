"""Is a count beyond what a regression foresaw?  The three ways of R's ``farringtonFlexible``.

``plugin``: a negative binomial (Poisson without overdispersion) with the foreseen mean, which knows nothing of how
uncertain that mean is.  ``muan``: the same at the mean's upper 1 - alpha bound.  ``delta``: the count's power 2/3 is
normal, with the mean's uncertainty; the method of Farrington et al. (1996).

Source: Noufaily et al. (2013), Statistics in Medicine 32: 1206-1222.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from detectors.panel import Floats
from detectors.tails import Tails, count_bounds, count_tails

PREDICTIVES = ("plugin", "delta", "muan")
POWER = 2 / 3


@dataclass(frozen=True)
class Exceedance:
    """Bounds and tails of observed counts, each (K, N)."""

    lower: Floats
    upper: Floats
    tails: Tails

    def score(self, observed: Floats, expected: Floats) -> Floats:
        """Return (K, N): how far a count lies towards its upper bound: above 1 it is beyond."""
        return np.asarray((observed - expected) / (self.upper - expected))


def exceedance(
    observed: Floats, mean: Floats, sd: Floats, dispersion: Floats, *, predictive: str, alpha: float
) -> Exceedance:
    """Compare counts with what was foreseen of them; NaN stays NaN.

    Args:
        observed: Counts, (K, N); the other arrays may be of any shape that broadcasts with them.
        mean: Foreseen, (K, N).
        sd: Of the log mean, (K, N).
        dispersion: Variance / mean, at least 1, (K, N).
        predictive: "plugin", "delta" or "muan".
        alpha: Tail probability of each bound; a part of "muan".

    Returns:
        Bounds in counts, (K, N), and the tails at ``observed``; by "delta" they are no whole numbers.
    """
    if predictive == "delta":
        return _powered(observed, mean, sd, dispersion, alpha)
    if predictive == "muan":
        mean = mean * np.exp(-ndtri(alpha) * sd)
    with np.errstate(divide="ignore"):
        size = mean / (dispersion - 1)
    lower, upper = count_bounds(alpha, mean, size)
    return Exceedance(lower, upper, count_tails(observed, mean, size))


def _powered(observed: Floats, mean: Floats, sd: Floats, dispersion: Floats, alpha: float) -> Exceedance:
    variance = mean * dispersion + (mean * sd) ** 2
    centre = mean**POWER
    spread = POWER * np.sqrt(variance) * mean ** (POWER - 1)  # of the power, to first order
    reach = -ndtri(alpha) * spread
    z = (observed**POWER - centre) / spread
    rise = ndtr(-z)
    lower = np.maximum(centre - reach, 0.0) ** (1 / POWER)
    return Exceedance(lower, (centre + reach) ** (1 / POWER), Tails(rise, ndtr(z), rise))
