"""Counts judged against a mean somebody else expects: the level followed around it, the tails recalibrated.

Any mean will do: a pattern shared by a group, a regression, a forecast.  Series are taken some hundreds at a time, and
dates block by block, from one calendar anchor to the next: what a block is judged by is an ``Anchor``, all that was
known before the block, and the values of the block itself and of the ``delay`` before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detectors.blocks import FIRST_MONDAY, Blocks
from detectors.level import Pace, Rows, State, advanced, begin, taken_in
from detectors.mixture import Mixture
from detectors.panel import Floats
from detectors.recalibration import SHARE, TailMap, Tally, learnt, tally, volume
from detectors.tails import surprise

ABREAST = 512  # series whose arrays stay in the processor's cache
EVERY = {"daily": 5}  # steps from one date that is looked at for the recalibration to the next, 1 for the others
FAR = 1.2  # standard deviations above the mean up to which no count is beyond FROM

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Way:
    """How counts are judged.

    Args:
        pace: How slowly the level follows.
        delay: Full steps between a value and its part in the level.
        window: Steps summed into one judged value.
        last: K, how many final dates are asked for.
        alpha: Tail probability of each bound.
        recalibrate: Whether rises that come too often are believed less.
    """

    pace: Pace
    delay: int
    window: int
    last: int
    alpha: float
    recalibrate: bool = True


@dataclass(frozen=True)
class Counts:
    """N series of counts, and what is expected of them but for their level.

    Args:
        dates: (T,).
        frequency: Of the dates.
        cut: The dates' blocks.
        values: (T, N) what is judged, sums of ``window`` steps; NaN where not reported.
        taught: (T, N) what the level learns of them, sums as well.
        shape: (T, C) what is expected but for the level, sums as well.
        column: (N,) the column of ``shape`` of each series.
        usual: (J, N) the level in the long run, as known before each block; NaN until enough is known to judge.
    """

    dates: npt.NDArray[np.datetime64]
    frequency: str
    cut: Blocks
    values: Floats
    taught: Floats
    shape: Floats
    column: Ints
    usual: Floats

    @cached_property
    def level(self) -> Floats:
        """(J, N): ``usual`` with the first known value before it, too: not to judge by, but to warm up with."""
        known = np.isfinite(self.usual)
        first = self.usual[known.argmax(axis=0), np.arange(self.usual.shape[1])]
        return np.where(known, self.usual, np.where(np.isfinite(first), first, 1.0))

    def abreast(self) -> list[slice]:
        """Return the series in parts."""
        return [slice(first, first + ABREAST) for first in range(0, self.values.shape[1], ABREAST)]

    def parts(self, block: int, together: int) -> Iterator[tuple[slice, bool]]:
        """Yield the rows of a block in parts of ``together`` steps from Monday on, and whether they are complete."""
        ends = [*self.cut.first[1:].tolist(), len(self.values)]
        start, stop = int(self.cut.first[block]), int(ends[block])
        if together == 1:
            yield from ((slice(row, row + 1), True) for row in range(start, stop))
            return
        day = (self.dates[start:stop] - FIRST_MONDAY).astype(np.int64)
        edges = [start, *(start + 1 + np.flatnonzero(np.diff(day // together))).tolist(), stop]
        for first, end in pairwise(edges):
            yield slice(first, end), bool((day[end - 1 - start] + 1) % together == 0)


@dataclass(frozen=True)
class Anchor:
    """All that is known before a block of dates: it can be kept, and gone on from to the last bit."""

    states: tuple[State, ...]  # of ABREAST series each
    past: tuple[Tally, ...]  # of the blocks before


@dataclass(frozen=True)
class Judged:
    """What is said of the last K dates: (K, N), NaN where nothing was reported or too little is known."""

    shifted: Bools  # the level has changed, and is taken in from the next date on, or was since the last one judged
    expected: Floats
    lower: Floats
    upper: Floats
    surprise: Floats
    above: Floats


def judge(counts: Counts, way: Way) -> Judged:
    """Judge the last dates, each by what was known before it."""
    found, anchor = nothing(counts, way), first_anchor(counts, way)
    for block in range(len(counts.cut.first)):
        anchor = after(anchor, counts, way, block, found)
    return found


def nothing(counts: Counts, way: Way) -> Judged:
    """Return that nothing is said of the last dates."""
    shape = (way.last, counts.values.shape[1])
    return Judged(np.zeros(shape, dtype=bool), *np.full((5, *shape), np.nan))


def first_anchor(counts: Counts, way: Way) -> Anchor:
    """Return what is known before the first block."""
    parts = (begin(counts.level[0, columns], way.pace, window=way.window) for columns in counts.abreast())
    return Anchor(tuple(parts), ())


def after(anchor: Anchor, counts: Counts, way: Way, block: int, found: Judged) -> Anchor:
    """Return what is known after a block; what is said of its dates that are asked for is put into ``found``."""
    tails, fared, states = learnt(anchor.past if way.recalibrate else ()), Tally.nothing(), []
    asked = len(counts.values) - way.last
    for before, columns in zip(anchor.states, counts.abreast(), strict=True):
        state = before
        known, usual = np.isfinite(counts.usual[block, columns]), counts.level[block, columns]
        for rows, complete in counts.parts(block, way.pace.together):
            state, mixture = advanced(state, _rows(counts, way, rows, columns, usual), way.pace, window=way.window)
            judged = np.isfinite(counts.values[rows, columns]) & known
            fared += _fared(counts, mixture, rows, columns, judged)
            if rows.stop > asked:
                _put(found, counts, way, mixture, rows, columns, judged, tails)
            untold = _told(found, state.untold, judged, rows.start - asked, columns)
            if complete:
                state, shifted = taken_in(state, usual, way.pace, way.delay)
                untold |= _told(found, shifted & known, judged[-1:], rows.stop - 1 - asked, columns)
            state = replace(state, untold=untold)
        states.append(state)
    return Anchor(tuple(states), (*anchor.past, fared))


def _told(found: Judged, changed: Bools, judged: Bools, first: int, columns: slice) -> Bools:
    """Remark on the first judged row of each series whose level has changed; return those that have none.

    Args:
        found: Where it is put.
        changed: (n,) whose level has, and nothing has been said.
        judged: (R, n).
        first: Which of the dates asked for the first row is, below 0 for one before them.
        columns: The n series.
    """
    news = changed & judged.any(axis=0)
    row = first + judged.argmax(axis=0)
    asked = np.flatnonzero(news & (row >= 0))
    found.shifted[row[asked], asked + columns.start] = True
    return np.asarray(changed & ~news)


def _rows(counts: Counts, way: Way, rows: slice, columns: slice, usual: Floats) -> Rows:
    column, back = counts.column[columns], way.delay + 1
    early = min(max(back - rows.start, 0), rows.stop - rows.start)  # rows that learn of nothing yet
    seen = slice(max(rows.start - back, 0), max(rows.stop - back, 0))
    nothing = np.full((early, len(column)), np.nan)
    return Rows(
        counts.values[rows, columns],
        counts.shape[rows][:, column],
        np.concatenate([nothing, counts.taught[seen, columns]]),
        np.concatenate([nothing, counts.shape[seen][:, column]]),
        usual,
    )


def _fared(counts: Counts, mixture: Mixture, rows: slice, columns: slice, judged: Bools) -> Tally:
    """Return how the tails of some rows fared, of every fifth day's alone."""
    every = EVERY.get(counts.frequency, 1)
    looked = np.flatnonzero(counts.dates[rows].astype(np.int64) % every == 0)
    if not len(looked) or not judged[looked].any():
        return Tally.nothing()
    mixture = mixture.of(looked)
    values, judged = counts.values[rows, columns][looked], judged[looked]
    centre, variance = mixture.moments()
    none = np.where(values == 0, 1 - mixture.none(), 1.0)  # P(X > 0)
    far = judged & ((values > centre + FAR * np.sqrt(variance)) | (none <= SHARE))
    row, column = np.nonzero(far)
    rise, above = mixture.cells(row, column).rises(values[far])
    return tally(centre[far], rise, above, others=centre[judged & ~far])


def _put(
    found: Judged,
    counts: Counts,
    way: Way,
    mixture: Mixture,
    rows: slice,
    columns: slice,
    judged: Bools,
    tails: TailMap,
) -> None:
    """Write the numbers of the judged cells of some rows that are asked for."""
    first = len(counts.values) - way.last
    asked = slice(max(rows.start, first), rows.stop)
    inner = slice(asked.start - rows.start, None)
    row, column = np.nonzero(judged[inner])
    cells = mixture.of(inner).cells(row, column)
    expected = cells.expected()
    classes = volume(expected)
    of_values = cells.tails(counts.values[asked, columns][row, column])
    lower, upper = cells.bounds(way.alpha, 10.0 ** -tails.needed(-np.log10(way.alpha), classes))
    above = surprise(of_values._replace(rise=of_values.above, fall=np.ones_like(expected)))
    where = row + asked.start - first, column + columns.start
    found.expected[where] = expected
    found.lower[where], found.upper[where] = lower, upper
    found.surprise[where] = tails.believed(surprise(of_values), classes)
    found.above[where] = 10.0 ** -tails.believed(above, classes)
