"""Counts with what is out of all proportion cut, before anything is learnt from them.

A slip (an amount in the column of counts, six zeros too many) is surprising on its day and shall be nothing more:
neither the pattern its group shares nor the level of the series itself may follow it.  What is usual is told by the
third largest value the series has shown lately, so that two slips lift nothing.  To its group's pattern a
value counts for ``AT_MOST`` times that, for a day that is one place's own says nothing of the others; where half of
the group is that high, it is a holiday.  To the level of the series itself it counts for ``BURST`` times as much at
most, so that one value does not lift it for months; far beyond that (``SLIP``) it is not learnt from at all.  What
lasts is believed: the limit rises by half with each third value that reaches it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats, Panel

AT_MOST = 1.5  # times the third largest; a weekday's peak comes four times in a month
FEW = 1.0  # event, added to it: a series of zeros may have one
TOGETHER = 5.0  # times higher still, where half of the group is; a group of one has nobody to ask
BURST = 3.0  # times what may count for the group: of one burst a series learns no more
SOME = 5.0  # events, added to that first
SLIP = 10.0  # times what may count for the group: such a value is none
MANY = 100.0  # events, added to that first: in rare events a hundred may be a real burst
FIRST = 7  # values of a series that only tell how high it is, fewer than any series needs to be judged
MEMORY = {"daily": 240.0, "weekly": 60.0, "monthly": 36.0}  # steps in which what was high fades


def capped(panel: Panel, values: Floats, group: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return (T, N) what a series' own level learns from, and what its group does; NaN where not reported, or a slip.

    The group learns nothing from the first values of a series that joins later, since nothing tells how high
    they should be; the series itself learns from them, when it has enough values to be judged.

    Args:
        panel: For its frequency.
        values: (T, N) counts, NaN where not reported.
        group: (N,) numbers of the groups.
    """
    limit, seen = _limits(values, MEMORY[panel.frequency or "daily"])
    limit = limit * _together(AT_MOST * values / limit, group)
    known = seen >= FIRST
    begins = np.minimum(known.argmax(axis=0), len(values) - 1)
    first = limit[begins, np.arange(values.shape[1])]
    limit = np.where(known, limit, first)
    own = np.where(values > SLIP * (limit + MANY), np.nan, np.minimum(values, BURST * (limit + SOME)))
    # at the panel's first reports nothing is judged yet, so that nothing is known too early
    soon = int((~np.isnan(values)).any(axis=1).argmax()) + FIRST
    start = (np.arange(len(values)) < soon)[:, None] & (begins <= soon) & known.any(axis=0)
    return own, np.where(known | start, np.minimum(own, limit), np.nan)


def without_slips(panel: Panel, values: Floats) -> Floats:
    """Return (T, N) the values, NaN also where one is a slip by what its own series has shown."""
    limit, seen = _limits(values, MEMORY[panel.frequency or "daily"])
    return np.where((seen >= FIRST) & (values > SLIP * (limit + MANY)), np.nan, values)


def _limits(values: Floats, memory: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return (T, N) how high a value may be by those before it, and how many these are."""
    rows, n = values.shape
    keep = 1 - 1 / memory
    limit = np.empty_like(values)
    first = second = third = np.zeros(n)  # the largest
    seen = np.zeros_like(values, dtype=np.int64)
    np.cumsum(~np.isnan(values[:-1]), axis=0, out=seen[1:])
    for row in range(rows):
        limit[row] = AT_MOST * (third + FEW)
        known, cut = ~np.isnan(values[row]), np.where(seen[row] < FIRST, np.inf, limit[row])
        value = np.where(known, np.minimum(values[row], cut), 0.0)
        faded = np.where(known, keep, 1.0)
        # these are cut, too: one of the very first may be a slip, which must not stay among the largest
        first, second, third = (np.minimum(large, cut) * faded for large in (first, second, third))
        third = np.maximum(third, np.minimum(second, value))
        second = np.maximum(second, np.minimum(first, value))
        first = np.maximum(first, value)
    return limit, seen


def _together(ratio: Floats, group: npt.NDArray[np.int64]) -> Floats:
    """Return (T, N): the ratio half of a group's series reach on each date, at least 1."""
    found = np.ones_like(ratio)
    for number in np.unique(group):
        members = group == number
        ordered = np.sort(ratio[:, members], axis=1)  # NaN last
        known = (~np.isnan(ordered)).sum(axis=1)
        middle = ordered[np.arange(len(ordered)), np.maximum(known - 1, 0) // 2]
        found[:, members] = np.where(known > 0, np.clip(middle, 1.0, TOGETHER), 1.0)[:, None]
    return found
