"""Values up the tree of places, as the catalogue aggregates them.

A place that reports itself is taken at its word; one that does not is made of
all its children.  Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from detectors.panel import Floats
from warning.model import Indicator, SeriesKey


def sources(
    keys: Sequence[SeriesKey], children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]
) -> list[SeriesKey]:
    """Return the series that must be read to know ``keys``: themselves where reported, else those below."""
    found: dict[SeriesKey, None] = {}
    for key in keys:
        for source in _leaves(key, children, reported):
            found[source] = None
    return list(found)


def roll_up(
    keys: Sequence[SeriesKey],
    children: Mapping[str, Sequence[str]],
    read: Mapping[SeriesKey, Floats],
    indicators: Mapping[str, Indicator],
) -> Floats:
    """Return (T, N) values of ``keys``.

    Sums and stocks add up over places; ratios, rates and scores are averaged.  A child without a value makes the
    place missing on that date, not small.

    Args:
        keys: N series.
        children: Place -> the places just below it.
        read: (T,) values of every series of ``sources(keys, ...)``.
        indicators: The catalogue.
    """
    columns = [_value(key, children, read, indicators[key.indicator]) for key in keys]
    if columns:
        return np.column_stack(columns)
    return np.empty((len(next(iter(read.values()), np.empty(0))), 0))


def _leaves(key: SeriesKey, children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]) -> list[SeriesKey]:
    below = children.get(key.place, ())
    if key in reported or not below or not _any_reported(key, children, reported):
        return [key]
    return [leaf for child in below for leaf in _leaves(SeriesKey(key.indicator, child), children, reported)]


def _any_reported(key: SeriesKey, children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]) -> bool:
    below = [SeriesKey(key.indicator, child) for child in children.get(key.place, ())]
    return any(child in reported or _any_reported(child, children, reported) for child in below)


def _value(
    key: SeriesKey, children: Mapping[str, Sequence[str]], read: Mapping[SeriesKey, Floats], indicator: Indicator
) -> Floats:
    if key in read:
        return read[key]
    below = np.column_stack(
        [_value(SeriesKey(key.indicator, child), children, read, indicator) for child in children[key.place]]
    )
    combine: Callable[..., Floats] = np.sum if indicator.kind in ("count", "amount") else np.mean
    return np.asarray(combine(below, axis=1), dtype=np.float64)  # NaN in any child stays NaN
