"""The dates cut at calendar anchors: every fourth Monday since 1970-01-05, or the first of a month.

The anchors are the calendar's and not the panel's, so that a window which begins later has the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import Panel

Ints = npt.NDArray[np.int64]

FIRST_MONDAY = np.datetime64("1970-01-05")
DAYS_BETWEEN = 28  # from anchor to anchor; months: one


@dataclass(frozen=True)
class Blocks:
    """The dates cut at the anchors: row t lies in block ``of[t]``, which begins at row ``first[of[t]]``."""

    of: Ints  # (T,)
    first: Ints  # (J,)
    whole: npt.NDArray[np.bool_]  # (J,) not cut by the panel's beginning
    per_year: int


def blocks(panel: Panel) -> Blocks:
    """Return the four-week blocks since Monday 1970-01-05, or the months."""
    if panel.frequency == "monthly":
        number = panel.dates.astype("datetime64[M]").astype(np.int64)
        before, per_year = number[:1] - 1, 12
    else:
        number = (panel.dates - FIRST_MONDAY).astype(np.int64) // DAYS_BETWEEN
        step = panel.dates[:1] - (7 if panel.frequency == "weekly" else 1)
        before, per_year = (step - FIRST_MONDAY).astype(np.int64) // DAYS_BETWEEN, 13
    starts = np.concatenate([before, number[:-1]]) != number
    starts[0], whole_start = True, bool(starts[0])
    first = np.flatnonzero(starts)
    whole = np.ones(len(first), dtype=bool)
    whole[0] = whole_start
    return Blocks(np.cumsum(starts) - 1, first, whole, per_year)
