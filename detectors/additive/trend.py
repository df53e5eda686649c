"""Where each series' trend begins, ends and may bend, by Prophet's rules, for series with gaps of their own.

Prophet counts time from a series' first to its last reported date, and lays 25 possible changes of slope evenly
over the first four fifths of its *reported* values.  Rows are those of a window that all series share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

CUTS = 25  # Prophet's n_changepoints
RANGE = 0.8  # Prophet's changepoint_range

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trend:
    """The time axis of N series in rows of their window."""

    first: Rows  # (N,) of the first reported value
    length: Rows  # (N,) rows from the first to the last, at least 1
    cuts: Rows  # (N, CUTS) where the slope may change; the last row of the window where there are fewer
    n: Rows  # (N,) reported values

    def take(self, which: Rows) -> Trend:
        """Return the axes of some of the series."""
        return Trend(self.first[which], self.length[which], self.cuts[which], self.n[which])

    @property
    def starts(self) -> Rows:
        """(N, 1 + CUTS): the rows from which time and each change of slope count."""
        return np.concatenate([self.first[:, None], self.cuts], axis=1)

    def hinges(self, rows: Rows) -> Floats:
        """Return time and how far it is past each cut, in Prophet's units.

        Args:
            rows: (k,) of the window, the same for all, or (N, k).

        Returns:
            (N, k, 1 + CUTS): the row's time, then max(time - cut, 0); before a series' first row 0.
        """
        past = np.subtract(np.atleast_2d(rows)[:, :, None], self.starts[:, None, :], dtype=np.float64)
        np.maximum(past, 0.0, out=past)
        past /= self.length[:, None, None]
        return past

    def at(self, rows: int, k: Floats, m: Floats, delta: Floats) -> Floats:
        """Return (rows, N) the trend in the first rows of the window; before a series' first row its offset."""
        line = np.zeros((rows, len(k)))  # first the bends, then the slopes, then the line itself
        np.add.at(line, (self.starts.T, np.arange(len(k))), np.vstack([k, delta.T]) / self.length)
        np.cumsum(line, axis=0, out=line)
        line[1:] = np.cumsum(line[:-1], axis=0)
        line[0] = 0.0
        line += m
        return line


def trend_of(reported: npt.NDArray[np.bool_]) -> Trend:
    """Return the axes of series by (T, N) which values are reported; each needs two at least."""
    rows, n = len(reported), reported.sum(axis=0).astype(np.int64)
    first = reported.argmax(axis=0).astype(np.int64)
    length = rows - 1 - reported[::-1].argmax(axis=0) - first
    early = np.floor(n * RANGE).astype(np.int64)  # values the cuts are laid over
    cuts = np.minimum(CUTS, early - 1)
    place = np.arange(1, CUTS + 1) * ((early - 1) / np.maximum(cuts, 1))[:, None]  # as np.linspace has them
    place = np.where(np.arange(CUTS) == cuts[:, None] - 1, early[:, None] - 1, place).round().astype(np.int64)
    there = np.arange(CUTS) < cuts[:, None]
    in_order = np.nonzero(np.ascontiguousarray(reported.T))[1]  # the reported rows of one series after another
    found = in_order[np.where(there, (np.cumsum(n) - n)[:, None] + place, 0)]
    return Trend(first, length, np.where(there, found, rows - 1), n)
