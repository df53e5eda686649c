"""The places of one tier side by side, for what an alert's place has of all they have. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from detectors.panel import Dates, Floats
from warning.model import Indicator


@dataclass(frozen=True, slots=True)
class Tier:
    """The places of the alert's tier, its own included: their series, and the persons behind a rate."""

    places: Sequence[str]  # P
    dates: Dates  # (T,), as many as a course is told over, up to the last period known, at least
    values: Floats  # (T, P)
    persons: Sequence[int | None]  # P, None where the indicator has no rate or nobody counted

    def totals(self, first: date, last: date, indicator: Indicator) -> list[float]:
        """Return what each place has from one period to another; NaN where one is missing."""
        inside = (self.dates >= np.datetime64(first)) & (self.dates <= np.datetime64(last))
        if not inside.any():
            return [math.nan] * len(self.places)
        values = self.values[inside]
        if indicator.period_agg == "last":
            return [float(value) for value in np.where(np.isnan(values).any(axis=0), np.nan, values[-1])]
        together = values.sum(axis=0) if indicator.period_agg == "sum" else values.mean(axis=0)
        return [float(value) for value in together]
