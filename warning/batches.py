"""A day on which a place reports far more than usual of nearly everything: entered together, most likely (集中补录).

Pure.  It labels what is said of such a day and changes no level: whether the events are real only a person can say.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.panel import Floats

TIMES = 3.0  # the place's usual total
REST = 2.0  # times what is usual without the indicator that grew most: one that soars is an event of its own
FEWEST = 4  # indicators without which a place is no whole
MOST = 0.5  # share of them that must be above what is usual
EXTRA = 10.0  # events more than usual


def batches(places: Iterable[str], observed: Floats, expected: Floats) -> dict[str, tuple[float, float]]:
    """Return what each place that looks like a batch reported in all on a day, and what it usually does.

    Args:
        places: N, the place of each series of counts.
        observed: (N,) counts of the day, NaN where there is none.
        expected: (N,) what was expected of it.
    """
    known = np.isfinite(observed) & np.isfinite(expected)
    names, place = np.unique(np.array(list(places), dtype=str)[known], return_inverse=True)
    if not len(names):
        return {}
    came, usual = observed[known], expected[known]
    total, whole = (np.bincount(place, part) for part in (came, usual))
    series = np.bincount(place)
    most = np.lexsort((came - usual, place))[np.cumsum(series) - 1]  # of each place, what grew most
    batch = (total >= TIMES * whole) & (total - whole >= EXTRA) & (series >= FEWEST)
    batch &= total - came[most] >= REST * (whole - usual[most])
    batch &= np.bincount(place, came > usual) >= MOST * series
    return {str(names[n]): (float(total[n]), float(whole[n])) for n in np.flatnonzero(batch)}
