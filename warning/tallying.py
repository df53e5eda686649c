"""From events counted by grid, day, category and result to the values of indicators.

A day that is known whole has a value in every place: without an event it is 0.  A week or a month has one where all
its days are whole.  A percentage of nothing is no value; that of a larger place is made of the events in it, not of
the percentages of its parts.  Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats
from warning.model import SeriesKey

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STRAGGLERS = 0.05  # of the usual day of a delivery: a day with fewer events is not whole
DENSE = 20_000_000  # pairs of grid and kind up to which all are counted, whether they occur or not
FEW = 20  # events below which a day is not compared with others


@dataclass(frozen=True, slots=True)
class Cells:
    """The events of one day: (C,) distinct pairs of grid and kind by their numbers, ascending, and how many of each."""

    grids: Integers
    kinds: Integers
    counts: Integers

    @property
    def events(self) -> int:
        """How many there are."""
        return int(self.counts.sum())


NONE = Cells(*(np.empty(0, dtype=np.int64),) * 3)


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day."""

    events: int
    aside: int  # rows of it in quarantine
    whole: bool  # whether all its events are known, so that what is not there was not


@dataclass(frozen=True, slots=True)
class Sums:
    """What an indicator counts: the events of some kinds; of a percentage, among those of others."""

    indicator: str
    frequency: str
    part: Mask  # (K,) by number of the kind
    whole: Mask | None = None  # (K,) of a percentage


@dataclass(frozen=True, slots=True)
class Values:
    """Values of series, (V,) each."""

    keys: tuple[SeriesKey, ...]
    series: Integers  # positions in ``keys``
    days: Integers  # first day of the period, since 1970
    values: Floats


def cells_of(grids: Integers, kinds: Integers, counts: Integers) -> Cells:
    """Return how many events of each grid and kind there are; what comes to nothing is left out."""
    width = int(kinds.max(initial=0)) + 1
    cells = grids * width + kinds
    if int(cells.max(initial=0)) < DENSE:
        sums = np.bincount(cells, weights=counts).astype(np.int64)
        pairs = np.flatnonzero(sums)
        return Cells(pairs // width, pairs % width, sums[pairs])
    pairs, which = np.unique(cells, return_inverse=True)
    sums = np.bincount(which, weights=counts, minlength=len(pairs)).astype(np.int64)
    kept = np.flatnonzero(sums)
    return Cells(pairs[kept] // width, pairs[kept] % width, sums[kept])


def both(one: Cells, other: Cells) -> Cells:
    """Return the events of two together."""
    return cells_of(
        np.concatenate([one.grids, other.grids]),
        np.concatenate([one.kinds, other.kinds]),
        np.concatenate([one.counts, other.counts]),
    )


def common(one: Cells, other: Cells) -> int:
    """Return how many events two have in common."""
    width = int(max(one.kinds.max(initial=0), other.kinds.max(initial=0))) + 1
    left, right = (cells.grids * width + cells.kinds for cells in (one, other))
    _, here, there = np.intersect1d(left, right, assume_unique=True, return_indices=True)
    return int(np.minimum(one.counts[here], other.counts[there]).sum())


def doubtful(now: Sequence[int], before: Sequence[int | None], least: float) -> Mask:
    """Return (D,) which days of a delivery are hardly whole: most of what was known is not there, or next to nothing.

    Args:
        now: Events of each day, as they are delivered.
        before: As they were known; None of a day that was not.
        least: Share of what was known that must be there; 0: everything is taken.
    """
    if not least:
        return np.zeros(len(now), dtype=np.bool_)
    usual = float(np.median(now)) if len(now) > 2 else 0.0
    found = [
        few < (least * known if known is not None else STRAGGLERS * usual)
        and (known if known is not None else usual) >= FEW
        for few, known in zip(now, before, strict=True)
    ]
    return np.array(found, dtype=np.bool_)


def by_place(cells: Cells, place_of: Integers, places: int, sums: Sequence[Sums]) -> Floats:
    """Return (P, 2 S) what each indicator counts on a day in each place: the parts, then the wholes of percentages.

    Args:
        cells: Of the day.
        place_of: By number of a grid, the position of its place; -1 of one that is nowhere.
        places: P.
        sums: S indicators.
    """
    where = place_of[cells.grids]
    inside = where >= 0
    kinds, of_kind = np.unique(cells.kinds[inside], return_inverse=True)
    table = np.bincount(
        where[inside] * max(len(kinds), 1) + of_kind, weights=cells.counts[inside], minlength=places * len(kinds)
    ).reshape(places, len(kinds))
    parts = [table[:, one.part[kinds]].sum(axis=1) for one in sums]
    wholes = [
        table[:, one.whole[kinds]].sum(axis=1) if one.whole is not None else parts[n] for n, one in enumerate(sums)
    ]
    return np.column_stack([*parts, *wholes]) if sums else np.empty((places, 0))


def values_of(
    days: Integers,
    counted: Floats,
    changed: Mask,
    sums: Sequence[Sums],
    within: Mapping[str, Sequence[int]],
    places: Sequence[str],
) -> Values:
    """Return the values of the periods some of whose days have changed.

    Args:
        days: (D,) that are known whole, ascending, since 1970.
        counted: (D, P, 2 S) from ``by_place``.
        changed: (D,) which of them say something new.
        sums: S indicators.
        within: Place -> positions of the places events are counted in that lie in it; percentages are made of them.
        places: P places events are counted in.
    """
    keys: dict[SeriesKey, int] = {}
    found: list[tuple[Integers, Integers, Floats]] = []
    for frequency in dict.fromkeys(one.frequency for one in sums):
        first, length = periods(days, frequency)
        begins, of_day = np.unique(first, return_inverse=True)
        whole = np.bincount(of_day, minlength=len(begins)) == length[np.unique(of_day, return_index=True)[1]]
        asked = np.flatnonzero(whole & (np.bincount(of_day, weights=changed, minlength=len(begins)) > 0))
        total = np.zeros((len(begins), *counted.shape[1:]))
        np.add.at(total, of_day, counted)
        for n, one in enumerate(sums):
            if one.frequency != frequency:
                continue
            part, among = total[asked, :, n], total[asked, :, len(sums) + n]
            if one.whole is None:
                columns = {place: part[:, position] for position, place in enumerate(places)}
            else:
                columns = {place: _percent(part, among, inside) for place, inside in within.items()}
            for place, column in columns.items():
                known = np.flatnonzero(~np.isnan(column))
                series = keys.setdefault(SeriesKey(one.indicator, place), len(keys))
                found.append((np.full(len(known), series), begins[asked][known], column[known]))
    if not found:
        nothing = np.empty(0, dtype=np.int64)
        return Values((), nothing, nothing, np.empty(0))
    which, when, numbers = zip(*found, strict=True)
    return Values(tuple(keys), np.concatenate(which), np.concatenate(when), np.concatenate(numbers))


def _percent(part: Floats, among: Floats, inside: Sequence[int]) -> Floats:
    """Return (T,) a percentage over some places; NaN where there is nothing to count."""
    above, below = part[:, inside].sum(axis=1), among[:, inside].sum(axis=1)
    share = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return np.asarray(np.round(100 * share, 6), dtype=np.float64)


def periods(days: Integers, frequency: str) -> tuple[Integers, Integers]:
    """Return (D,) the first day of the period each day lies in, and how many days that has."""
    if frequency == "weekly":
        return days - (days + 3) % 7, np.full(len(days), 7)  # 1970-01-01 was a Thursday
    if frequency == "monthly":
        months = days.astype("datetime64[D]").astype("datetime64[M]")
        begins, ends = (month.astype("datetime64[D]").astype(np.int64) for month in (months, months + 1))
        return begins, ends - begins
    return days, np.ones(len(days), dtype=np.int64)
