"""Has the level of a series changed for good?  The last steps against what was expected of each before it.

A burst is no new level, and neither is a rise that goes on: both halves of the steps must lie beyond what was expected,
by about as much.  What counts is the sum of the errors, as in West and Harrison's automatic monitoring.

Source: West and Harrison (1997), Bayesian Forecasting and Dynamic Models, ch. 11.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

RATIO = 1.5  # observed over expected, or the other way round
SURE = 4.0  # standard deviations of the sum of all steps
EACH = 2.0  # of either half
STEADY = 1.4  # at most so many times the other half's ratio: what still rises is no level yet
REPORTED = 0.7  # share of each half that must have been reported


@dataclass(frozen=True)
class Recent:
    """The last steps of N series as they were and as they were expected; arrays (S, N), the newest last, NaN: none."""

    window: int
    value: Floats
    shape: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def nothing(cls, lasting: int, window: int, series: int) -> Recent:
        """Return no steps, with room for ``lasting`` of them, or two windows that do not overlap."""
        rows = (max(2, lasting // window) - 1) * window + 1
        return cls(window, *np.full((4, rows, series), np.nan))

    def then(self, value: Floats, shape: Floats, mean: Floats, variance: Floats) -> Recent:
        """Return the last steps once some more (R, N) have come."""
        rows = len(self.value)
        added = (value, shape, mean, variance)
        kept = (self.value, self.shape, self.mean, self.variance)
        news = [np.concatenate([old, new])[-rows:] for old, new in zip(kept, added, strict=True)]
        return Recent(self.window, *news)

    def cleared(self, where: npt.NDArray[np.bool_]) -> Recent:
        """Return the steps without those of some series."""
        parts = (np.where(where, np.nan, part) for part in (self.value, self.shape, self.mean, self.variance))
        return Recent(self.window, *parts)

    def apart(self) -> tuple[Floats, Floats]:
        """Return (n, N) values and shapes of the steps that do not overlap, 0 where there is none."""
        value, shape, _, _ = self._apart()
        return value, shape

    def _apart(self) -> tuple[Floats, Floats, Floats, Floats]:
        every = slice((len(self.value) - 1) % self.window, None, self.window)
        known = np.isfinite(self.value[every]) & np.isfinite(self.mean[every])
        value, shape, mean, variance = (
            np.where(known, part[every], 0.0) for part in (self.value, self.shape, self.mean, self.variance)
        )
        return value, shape, mean, variance


def shifted(recent: Recent) -> npt.NDArray[np.bool_]:
    """Return (N,) which series have had another level than expected for all their last steps."""
    value, _, mean, variance = recent._apart()
    steps = len(value)
    halves = [slice(0, steps // 2), slice(steps // 2, steps)]
    observed, expected, spread = (
        np.stack([part[half].sum(axis=0) for half in halves]) for part in (value, mean, variance)
    )
    known = np.stack([(mean[half] > 0).mean(axis=0) for half in halves]) >= REPORTED
    error = observed - expected
    ratio = (observed + 0.5) / (expected + 0.5)
    sure = SURE * np.sqrt(spread.sum(axis=0))
    one = _changed(error.sum(axis=0), sure, observed.sum(axis=0), expected.sum(axis=0))
    alike = np.maximum(ratio[0] / ratio[1], ratio[1] / ratio[0]) <= STEADY
    side = np.sign(error.sum(axis=0))
    each = (side * error >= EACH * np.sqrt(spread)).all(axis=0)
    return np.asarray(known.all(axis=0) & one & alike & each)


def _changed(error: Floats, sure: Floats, observed: Floats, expected: Floats) -> npt.NDArray[np.bool_]:
    high, low = np.maximum(observed, expected), np.minimum(observed, expected)
    return (np.abs(error) >= sure) & (high >= RATIO * low) & (high > 0)
