"""Values up the tree of places, as the catalogue aggregates them.

On a date a place reports itself it is taken at its word; on any other it is made
of all its children.  Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from detectors.panel import Floats
from warning.model import Indicator, SeriesKey


def sources(
    keys: Sequence[SeriesKey], children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]
) -> list[SeriesKey]:
    """Return the series that must be read to know ``keys``: themselves if they ever reported, and those below.

    What lies below is read where any of it ever reported: then all of it, a silent child too.
    """
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

    Date by date: the place's own value where there is one, else all its children together.  Counts and amounts add
    up over places; ratios, rates and scores are averaged.  A child without a value makes the place missing on that
    date, not small.

    Args:
        keys: N series.
        children: Place -> the places just below it.
        read: (T,) values of every series of ``sources(keys, ...)``.
        indicators: The catalogue.
    """
    length = len(next(iter(read.values()), np.empty(0)))
    found = np.full((length, len(keys)), np.nan)
    for column, key in enumerate(keys):
        value = _value(key, children, read, indicators[key.indicator])
        if value is not None:
            found[:, column] = value
    return found


def _leaves(key: SeriesKey, children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]) -> list[SeriesKey]:
    below = _below(key, children)
    if not any(_reports(child, children, reported) for child in below):
        return [key]
    own = [key] if key in reported else []
    return own + [leaf for child in below for leaf in _leaves(child, children, reported)]


def _reports(key: SeriesKey, children: Mapping[str, Sequence[str]], reported: Collection[SeriesKey]) -> bool:
    return key in reported or any(_reports(child, children, reported) for child in _below(key, children))


def _below(key: SeriesKey, children: Mapping[str, Sequence[str]]) -> list[SeriesKey]:
    return [SeriesKey(key.indicator, child) for child in children.get(key.place, ())]


def _value(
    key: SeriesKey, children: Mapping[str, Sequence[str]], read: Mapping[SeriesKey, Floats], indicator: Indicator
) -> Floats | None:
    """The (T,) values of a series; None where neither it nor all below it were read."""
    own = read.get(key)
    parts = [_value(child, children, read, indicator) for child in _below(key, children)]
    whole = [part for part in parts if part is not None]
    if not whole or len(whole) < len(parts):
        return own
    combine: Callable[..., Floats] = np.sum if indicator.adds_up else np.mean
    together = np.asarray(combine(np.column_stack(whole), axis=1), dtype=np.float64)  # NaN in any child stays NaN
    return together if own is None else np.where(np.isnan(own), together, own)
