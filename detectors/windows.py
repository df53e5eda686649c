"""What is judged at each date where a rule looks at several steps together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from detectors.panel import Floats, Panel, Reason, first_reported

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


def at(values: Floats, rows: npt.NDArray[np.int64]) -> Floats:
    """Return the rows of a table, NaN for those before its first."""
    return np.where((rows < 0)[..., None], np.nan, values[np.maximum(rows, 0)])


def or_missing(
    reason: npt.NDArray[np.int_], values: Floats, rows: npt.NDArray[np.int64], window: int, now: Floats
) -> npt.NDArray[np.int8]:
    """Return reasons (K, N) with those of windows that are not known, ``now`` NaN: begun too late, or not reported.

    Args:
        reason: Of the windows that are known.
        values: (T, N).
        rows: (K,) the windows' last.
        window: Their steps.
        now: (K, N) what is judged.
    """
    missing = np.isnan(now)
    young = ((rows - window + 1)[:, None] < first_reported(values)) & ~np.isnan(values[rows])
    return np.where(missing, np.where(young, Reason.SHORT_HISTORY, Reason.NOT_REPORTED), reason).astype(np.int8)
