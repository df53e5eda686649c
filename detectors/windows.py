"""What is judged at each date where a rule looks at several steps together."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.panel import Floats, Panel

SUMMED = ("count", "amount")  # the other kinds are averaged


def rolled(values: Floats, window: int) -> Floats:
    """Return (T, N) sums of the last ``window`` values, NaN where one of them is missing or before the panel."""
    if window == 1 or len(values) < window:
        return values if window == 1 else np.full_like(values, np.nan)
    sums = np.full_like(values, np.nan)
    sums[window - 1 :] = sliding_window_view(values, window, axis=0).sum(axis=-1)
    return sums


def part(panel: Panel, window: int) -> Floats:
    """Return (N,) what a sum of ``window`` values is multiplied by: 1 where the kind adds up, else 1 / window."""
    return np.where(np.isin(panel.kinds, SUMMED), 1.0, 1 / window)
