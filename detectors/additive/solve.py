"""The model of a whole window of series, solved: in groups that share a design, or each with its own.

Chunks bound the memory and keep the tables in the processor's cache; no answer depends on them beyond rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.additive.columns import Columns
from detectors.additive.lasso import Index
from detectors.additive.noise import Balance, Data, balance
from detectors.additive.products import LEVEL, SEASON, SLOPE, Flags, Tails, shared
from detectors.additive.ridge import OwnRidge, Ridge, SharedRidge
from detectors.additive.trend import CUTS, Trend, trend_of
from detectors.panel import Floats

CHUNK = 256  # series at once
ALIKE = 32  # series from which on a group of one design is solved by itself
WEEK = 7  # days
CONSTANT = 1e-9  # the sigma Prophet gives a series that never changes


@dataclass(frozen=True, eq=False)
class Fitted:
    """The model of N series, in the names and units of ``Prophet.params``; values are divided by ``scale``."""

    trend: Trend
    scale: Floats  # (N,)
    k: Floats  # (N,)
    m: Floats  # (N,)
    delta: Floats  # (N, CUTS); 0 where a series has fewer cuts
    beta: Floats  # (N, K) of the window's columns; 0 where Prophet would have none
    sigma: Floats  # (N,)
    ended: npt.NDArray[np.bool_]  # (N,) False: no maximum was found; never yet seen

    def within(self, columns: Columns) -> Floats:
        """Return (T, N) what the model says of the window's own rows, in the data's units."""
        trend = self.trend.at(len(columns.features), self.k, self.m, self.delta)
        trend += columns.features @ self.beta.T
        trend *= self.scale
        return trend

    def ahead(self, rows: Index) -> Floats:
        """Return (k, N) the trend in rows from the window's end on, in the data's units."""
        trend = self.trend
        past = (rows[:, None] - trend.first) / trend.length  # (k, N)
        cuts = (trend.cuts - trend.first[:, None]) / trend.length[:, None]
        return np.asarray(
            ((self.k + self.delta.sum(axis=1)) * past + self.m - (self.delta * cuts).sum(axis=1)) * self.scale
        )


def fit(
    columns: Columns,
    values: Floats,
    *,
    flexibility: float = 0.05,
    chunk: int = CHUNK,
    beat: Callable[[str], None] | None = None,
) -> Fitted:
    """Return the maximum of Prophet's posterior for every series.

    Args:
        columns: Of the T dates.
        values: (T, N); NaN where not reported.
        flexibility: Prophet's ``changepoint_prior_scale``.
        chunk: How many series are solved at once.
        beat: Told how far it is after each chunk; raising from it ends the work.

    Raises:
        ValueError: if a series has fewer than two values, or an infinite one.
    """
    reported = ~np.isnan(values)
    if np.isinf(values).any() or (reported.sum(axis=0) < 2).any():
        raise ValueError("a model needs two reported values of each series, none of them infinite")
    window = _Window(columns, values, reported)
    found = window.empty()
    for which, alike in window.parts(chunk):
        window.keep(found, which, window.solved(which, flexibility, alike=alike))
        if beat is not None:
            beat(f"{len(which)} fits")
    return found


class _Window:
    """The data as the model wants them: scaled as Prophet does, centred, their axes and seasons known."""

    def __init__(self, columns: Columns, values: Floats, reported: Flags) -> None:
        self.columns, self.reported = columns, reported
        first, self.group = _alike(reported)  # a series of each group that is reported on the same dates
        trend, masks = trend_of(reported[:, first]), reported[:, first]
        seasons = columns.seasons(trend.length * columns.step, _dense(masks, columns.step))
        seasons &= (masks.T.astype(np.float64) @ (columns.features != 0)) > 0  # but special days that never came
        self.trend, self.seasons = trend.take(self.group), seasons[self.group]
        y = np.where(reported, values, 0.0)
        size = np.abs(y).max(axis=0, initial=0.0)
        self.scale = np.where(size > 0, size, 1.0)
        y /= self.scale
        self.level = y.sum(axis=0) / self.trend.n
        self.centred = np.where(reported, y - self.level, 0.0)
        same = y[self.trend.first, np.arange(len(size))]
        self.constant = ((y == same) | ~reported).all(axis=0)
        self._tails: Tails | None = None

    def empty(self) -> Fitted:
        """Return what Prophet says of constant series, and room for the others."""
        count, level = len(self.scale), np.where(self.constant, np.sign(self.level), 0.0)
        return Fitted(
            self.trend,
            self.scale,
            np.zeros(count),
            level,
            np.zeros((count, CUTS)),
            np.zeros((count, self.columns.features.shape[1])),
            np.full(count, CONSTANT),
            self.constant.copy(),
        )

    def parts(self, chunk: int) -> Iterator[tuple[Index, bool]]:
        """Yield the series in chunks, and whether those of a chunk are reported on the same dates."""
        work = np.flatnonzero(~self.constant)
        sizes = np.bincount(self.group[work])
        alone = work[sizes[self.group[work]] < ALIKE]
        together = [(work[self.group[work] == group], True) for group in np.flatnonzero(sizes >= ALIKE)]
        alone = alone[np.argsort(self.trend.n[alone], kind="stable")]  # so that a chunk's gaps are as many
        for members, alike in [*together, (alone, False)]:
            for start in range(0, len(members), chunk):
                yield members[start : start + chunk], alike

    def solved(self, which: Index, flexibility: float, *, alike: bool) -> Balance:
        """Return the maximum for some of the series."""
        trend, values, seasons = self.trend.take(which), self.centred[:, which], self.seasons[which]
        squares, held = (values**2).sum(axis=0), self.level[which] / LEVEL
        ridge: Ridge
        if alike:
            products = shared(self.columns, trend.take(np.arange(1)), seasons[0], self.reported[:, which[0]], values)
            ridge = SharedRidge(products, squares, held)
        else:
            self._tails = self._tails or Tails(self.columns)
            products = self._tails.of(trend, seasons, self.reported[:, which], values)
            ridge = OwnRidge(products, squares, held)

        def left(some: Index, b: Floats, changes: Floats) -> Floats:
            line = trend.take(some).at(len(values), b[:, -1] * SLOPE, b[:, 0] * LEVEL, changes)
            rest = self.columns.features @ (b[:, 1:-1] * seasons[some] * SEASON).T
            residuals = np.where(self.reported[:, which[some]], values[:, some] - line - rest, 0.0)
            return np.asarray((residuals**2).sum(axis=0))

        return balance(ridge, Data(trend.n.astype(np.float64), squares, held, left), flexibility)

    def keep(self, found: Fitted, which: Index, solved: Balance) -> None:
        """Put the answer for some of the series into its place, in Prophet's units."""
        b = solved.coefficients
        found.m[which] = b[:, 0] * LEVEL + self.level[which]
        found.k[which] = b[:, -1] * SLOPE
        found.beta[which] = b[:, 1:-1] * self.seasons[which] * SEASON
        found.delta[which] = solved.changes
        found.sigma[which] = np.sqrt(solved.noise)
        found.ended[which] = solved.ended


def _alike(reported: Flags) -> tuple[Index, Index]:
    """Return (G,) a series of each group that is reported on the same dates, and (N,) the group of each."""
    seen: dict[bytes, int] = {}
    masks = np.packbits(np.ascontiguousarray(reported.T), axis=1)
    group = np.array([seen.setdefault(mask.tobytes(), len(seen)) for mask in masks], dtype=np.int64)
    return np.unique(group, return_index=True)[1].astype(np.int64), group


def _dense(reported: Flags, step: int) -> Flags:
    """Return (N,) whether any two reported dates lie less than a week apart."""
    found = np.zeros(reported.shape[1], dtype=bool)
    for lag in range(1, min(-(-WEEK // step), len(reported))):
        found |= (reported[lag:] & reported[:-lag]).any(axis=0)
    return found
