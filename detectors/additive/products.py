"""The sums of products the solution needs: of the design with itself, and with the data.

Series that report on the same dates share one design.  Each other series has a time axis and cuts of its own,
but the same seasons; a hinge's product with anything is its doubly summed tail, so all hinges at all rows are
summed once for the window, and a series needs only its few missing rows taken off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.additive.columns import Columns
from detectors.additive.trend import CUTS, Rows, Trend
from detectors.panel import Floats

LEVEL, SLOPE, SEASON = 5.0, 5.0, 10.0  # prior standard deviations of m, k and of the seasons and special days

BLOCK = 32  # series whose missing rows are gathered at once: what the processor's cache holds

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Products:
    """Sums over the reported rows of N series, or of one design they share; columns are scaled to unit priors.

    Their order is level, seasons and special days, slope, cuts: R of the ridge, then CUTS.
    """

    gram: Floats  # (N or 1, R + CUTS, R + CUTS)
    data: Floats  # (N, R + CUTS)


def scaled(features: Floats) -> Floats:
    """Return (T, 1 + K) level, seasons and special days, scaled to unit priors."""
    return np.hstack([np.full((len(features), 1), LEVEL), SEASON * features])


def shared(columns: Columns, trend: Trend, seasons: Flags, reported: Flags, values: Floats) -> Products:
    """Return the products of series that are reported on the same rows.

    Args:
        columns: Of the T rows.
        trend: Of one of the series.
        seasons: (K,) which columns count.
        reported: (T,) rows.
        values: (T, N), zero where not reported.
    """
    rows = np.flatnonzero(reported)
    hinges = trend.hinges(rows)[0]
    hinges[:, 0] *= SLOPE
    design = np.hstack([scaled(columns.features[rows] * seasons), hinges])  # (n, R + CUTS)
    return Products((design.T @ design)[None], values[rows].T @ design)


class Tails:
    """The products of a window's seasons with every possible hinge, made once for all series with gaps of their own."""

    def __init__(self, columns: Columns) -> None:
        self._base = scaled(columns.features)  # (T, 1 + K)
        self._gram = self._base.T @ self._base
        self._tails = doubly_summed(self._base)

    def of(self, trend: Trend, seasons: Flags, reported: Flags, values: Floats) -> Products:
        """Return the products of N series with masks of their own.

        Args:
            trend: Their time axes.
            seasons: (N, K) which columns count.
            reported: (T, N).
            values: (T, N), zero where not reported.
        """
        n = len(trend.n)
        unit = np.ones((n, 1 + CUTS)) / trend.length[:, None]
        unit[:, 0] *= SLOPE
        data = np.hstack([values.T @ self._base, doubly_summed(values)[trend.starts, np.arange(n)[:, None]] * unit])
        gram = np.empty((n, data.shape[1], data.shape[1]))
        for start in range(0, n, BLOCK):
            some = np.arange(start, min(start + BLOCK, n))
            self._gram_of(trend.take(some), unit[some], reported[:, some], gram[some[0] : some[-1] + 1])
        if not seasons.all():
            kept = np.hstack([np.ones((n, 1)), seasons, unit > 0])
            gram *= kept[:, :, None] * kept[:, None, :]
            data *= kept
        return Products(gram, data)

    def _gram_of(self, trend: Trend, unit: Floats, reported: Flags, gram: Floats) -> None:
        """Fill (n, P, P) with the products of the design."""
        few = trend.n < len(reported) / 2  # summed directly; of the others the missing rows are taken off the whole
        self._whole(trend.starts, unit, len(reported), gram)
        gram[few] = 0.0
        rows, there = _ragged(np.where(few, reported, ~reported))
        part = np.empty((*rows.shape, gram.shape[1]))
        part[:, :, : -1 - CUTS], part[:, :, -1 - CUTS :] = self._base[rows], trend.hinges(rows)
        part[:, :, -1 - CUTS] *= SLOPE
        part *= there[:, :, None]
        taken = part.transpose(0, 2, 1) @ part
        taken[few] *= -1.0
        gram -= taken

    def _whole(self, starts: Rows, unit: Floats, rows: int, gram: Floats) -> None:
        """Fill (n, P, P) as if every row of the window were reported; hinges begin at starts, scaled by units."""
        base = self._base.shape[1]
        gram[:, :base, :base] = self._gram
        gram[:, base:, :base] = self._tails[starts] * unit[:, :, None]
        gram[:, :base, base:] = gram[:, base:, :base].transpose(0, 2, 1)
        later = np.maximum(starts[:, :, None], starts[:, None, :])
        apart = np.abs(starts[:, :, None] - starts[:, None, :])
        left = (rows - 1 - later).astype(np.float64)
        hinges = left * (left + 1) * ((2 * left + 1) / 6 + apart / 2)
        gram[:, base:, base:] = hinges * unit[:, :, None] * unit[:, None, :]


def doubly_summed(values: Floats) -> Floats:
    """Return at each row c the sum over later rows r of (r - c) times their values, for (T, ...) values."""
    since = np.cumsum(values[::-1], axis=0)[::-1]
    return np.asarray(np.cumsum(since[::-1], axis=0)[::-1] - since)


def _ragged(chosen: Flags) -> tuple[Rows, Floats]:
    """Return (N, k) rows chosen of (T, N), and which of them are no padding."""
    counts = chosen.sum(axis=0)
    there = np.arange(max(int(counts.max(initial=0)), 1)) < counts[:, None]
    rows = np.zeros(there.shape, dtype=np.int64)
    rows[there] = np.nonzero(np.ascontiguousarray(chosen.T))[1]
    return rows, there.astype(np.float64)
