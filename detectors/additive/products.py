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
        n, total = len(trend.n), len(reported)
        few = trend.n < total / 2  # summed directly; of the others the missing rows are taken off the whole
        gram = np.where(few[:, None, None], 0.0, self._whole(trend, total))
        rows, there = _ragged(np.where(few, reported, ~reported))
        part = np.concatenate([self._base[rows], trend.hinges(rows)], axis=2) * there[:, :, None]
        gram += np.where(few, 1.0, -1.0)[:, None, None] * (part.transpose(0, 2, 1) @ part)
        starts = np.concatenate([trend.first[:, None], trend.cuts], axis=1)
        hinged = doubly_summed(values)[starts, np.arange(n)[:, None]] / trend.length[:, None]
        data = np.hstack([values.T @ self._base, hinged])
        scale = np.hstack([np.ones((n, 1)), seasons, np.full((n, 1), SLOPE), np.ones((n, CUTS))])
        return Products(gram * scale[:, :, None] * scale[:, None, :], data * scale)

    def _whole(self, trend: Trend, rows: int) -> Floats:
        """Return (N, P, P) as if every row of the window were reported."""
        starts = np.concatenate([trend.first[:, None], trend.cuts], axis=1)  # (N, 1 + CUTS)
        base, length = self._base.shape[1], trend.length[:, None, None]
        gram = np.empty((len(starts), base + starts.shape[1], base + starts.shape[1]))
        gram[:, :base, :base] = self._gram
        gram[:, base:, :base] = self._tails[starts] / length
        gram[:, :base, base:] = gram[:, base:, :base].transpose(0, 2, 1)
        later = np.maximum(starts[:, :, None], starts[:, None, :])
        apart = 2 * later - starts[:, :, None] - starts[:, None, :]
        left = (rows - 1 - later).astype(np.float64)
        gram[:, base:, base:] = left * (left + 1) * ((2 * left + 1) / 6 + apart / 2) / length**2
        return gram


def doubly_summed(values: Floats) -> Floats:
    """Return at each row c the sum over later rows r of (r - c) times their values, for (T, ...) values."""
    since = np.cumsum(values[::-1], axis=0)[::-1]
    return np.asarray(np.cumsum(since[::-1], axis=0)[::-1] - since)


def _ragged(chosen: Flags) -> tuple[Rows, Floats]:
    """Return (N, k) rows chosen of (T, N), and which of them are no padding."""
    counts = chosen.sum(axis=0)
    there = np.arange(max(int(counts.max(initial=0)), 1)) < counts[:, None]
    rows = np.zeros(there.shape, dtype=np.int64)
    rows[there] = np.nonzero(chosen.T)[1]
    return rows, there.astype(np.float64)
