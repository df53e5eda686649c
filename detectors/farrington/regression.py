"""What is a count expected to be, by the same weeks of past years?  Farrington's regression as improved by Noufaily.

A quasi-Poisson regression of a series' own past on a straight trend and on the seasons of its year, in which past
outbreaks are weighted down and the last half year has no part.  Fitted anew for each date, and for all dates and series
of a call together; the numbers are those of R's ``surveillance::farringtonFlexible`` (1.20).

It knows trend and season of a series by that series alone, so it wants years of history and counts that are not too
rare.  Where the level of a feed moves, what it extrapolates is wrong until the move lies years back: put the level
filter of ``outbreak`` round it.

Source: Noufaily et al. (2013), Statistics in Medicine 32: 1206-1222; Farrington et al. (1996), J. R. Stat. Soc. A 159:
547-563.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from detectors.farrington.anniversaries import Layout, Seasons, layout, steps_back
from detectors.farrington.quasipoisson import Bools, Ints, Regressions, Sample, regressions
from detectors.panel import Dates, Floats, Reason, first_reported

LEAST_YEARS = 2  # of history
TREND_YEARS = 3  # below them no trend is believed
TREND_LEVELS = {"tested": 0.05, "always": 1.0, "never": 0.0}  # p value of the slope below which it is kept
CELLS = 1024  # regressions fitted together
TINY = 1e-12


@dataclass(frozen=True)
class Design:
    """How a series is regressed on its past.

    Args:
        years: At most so many are looked back.
        seasons: How each is cut.
        calendar: Anniversaries are those of the calendar, and not whole times 52 weeks.
        trend: "tested" keeps a slope at p < .05, "always" without a test, "never" asks for none; with less than three
            years, or where it foresees more than ever was, there is none.
        down: Standardised residuals above it are weighted down by their square; 0 weights none down.
    """

    years: int
    seasons: Seasons
    calendar: bool = True
    trend: str = "tested"
    down: float = 2.58


@dataclass(frozen=True)
class Foreseen:
    """What the past of a series says of K dates; every array is (K, N).

    Where ``reason`` is FAILED the numbers are those the iteration was left at; where it is another they may be NaN.
    """

    log_mean: Floats
    sd: Floats  # of the log mean, as R estimates it
    dispersion: Floats  # variance / mean, at least 1
    slope: Floats  # of the log mean per step; NaN without a trend
    year: Floats  # mean over all seasons, the trend included
    seen: Floats  # steps that were learnt from
    own: Floats  # those of the date's own season, as they are weighted
    reason: Ints

    @property
    def mean(self) -> Floats:
        """(K, N)."""
        return np.exp(self.log_mean)


FIELDS = ("log_mean", "sd", "dispersion", "slope", "year", "seen", "own")


def foreseen(values: Floats, rows: Ints, dates: Dates, frequency: str, design: Design) -> Foreseen:
    """Regress every series on its past for each of K dates.

    A series is regressed on as many whole years as it has, at least two (or ``years``).

    Args:
        values: (T, N) counts, NaN where not reported.
        rows: (K,) of the dates; may lie behind the panel's end as long as what is learnt from does not.
        dates: (K,).
        frequency: "weekly" or "monthly".
        design: The regression.
    """
    shape = (len(rows), values.shape[1])
    found = {name: np.full(shape, np.nan) for name in FIELDS}
    reason = np.full(shape, Reason.SHORT_HISTORY, dtype=np.int64)
    for plan, years, row, column in _alike(values, rows, dates, frequency, design):
        for start in range(0, len(row), CELLS):
            cells = row[start : start + CELLS], column[start : start + CELLS]
            past = values[rows[cells[0]] + plan.offset[:, None], cells[1]]  # (n, M)
            for name, numbers in _regressed(past, plan, design, years).items():
                (reason if name == "reason" else found[name])[cells] = numbers
    return Foreseen(**found, reason=reason)


def _alike(
    values: Floats, rows: Ints, dates: Dates, frequency: str, design: Design
) -> Iterator[tuple[Layout, int, Ints, Ints]]:
    """Yield the cells (date, series) that learn from the same steps: layout, years, rows of the K, columns."""
    back = steps_back(dates, frequency, design.years, calendar=design.calendar)  # (K, years)
    oldest = rows[:, None] - back - design.seasons.half_window
    years = (oldest[:, :, None] >= first_reported(values)).sum(axis=1)  # (K, N)
    patterns, of = np.unique(back, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        for known in range(min(LEAST_YEARS, design.years), design.years + 1):
            row, column = np.nonzero((of.reshape(-1, 1) == number) & (years == known))
            if len(row):
                yield layout(tuple(pattern[:known].tolist()), design.seasons), known, row, column


def _regressed(past: Floats, plan: Layout, design: Design, years: int) -> dict[str, Floats]:
    """Return the fields of ``Foreseen``, (M,) each, from what M cells learn from, (n, M)."""
    centre = round(plan.offset.mean())
    known = ~np.isnan(past)
    sample = Sample(np.where(known, past, 0.0), plan.group, (plan.offset - centre).astype(np.float64))
    count = past.shape[1]
    kept = np.zeros(count, dtype=bool)
    told: dict[str, Floats] = {}
    level = TREND_LEVELS[design.trend]
    if level > 0 and years >= TREND_YEARS:
        fit = _weighted(sample, known, design, trend=True)
        told = fit.fields(plan, -centre)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            t = np.abs(fit.fit.slope) / np.sqrt(fit.scale * fit.fit.sums.per_spread)
            # a trend that foresees more than ever was is not believed
            believed = np.exp(told["log_mean"]) <= sample.values.max(axis=0)
            kept = fit.settled & (2 * stdtr(fit.fit.freedom, -t) < level) & believed
    rest = np.flatnonzero(~kept)
    if len(rest):
        fit = _weighted(sample.of(rest), known[:, rest], design, trend=False)
        for name, numbers in fit.fields(plan, -centre).items():
            told.setdefault(name, np.full(count, np.nan))[rest] = numbers
    told["slope"] = np.where(kept, told["slope"], np.nan)
    told["seen"] = known.sum(axis=0).astype(np.float64)
    return told


@dataclass(frozen=True)
class _Weighted:
    fit: Regressions
    scale: Floats  # (M,) what R multiplies variances of estimates by
    settled: Bools

    def fields(self, plan: Layout, now: float) -> dict[str, Floats]:
        """Return what is told of the date, at time ``now``."""
        fit, own = self.fit, plan.own
        sizes = np.bincount(plan.group, minlength=own + 1)[:, None] * ~np.isnan(fit.level)
        with np.errstate(over="ignore", invalid="ignore"):
            level = np.exp(np.nan_to_num(fit.level) + fit.slope * now)
            year = (sizes * level).sum(axis=0) / np.maximum(sizes.sum(axis=0), 1)
            sd = np.sqrt(self.scale * fit.sums.variance(own, now))
        reason = np.where(self.settled, 0.0 + Reason.JUDGED, Reason.FAILED)
        return {
            "log_mean": fit.level[own] + fit.slope * now,
            "sd": sd,
            "dispersion": np.maximum(fit.dispersion, 1.0),
            "slope": fit.slope,
            "year": year,
            "own": fit.exposed[own],
            "reason": np.where(np.isnan(fit.level[own] + fit.dispersion), Reason.BASELINE_GAP, reason),
        }


def _weighted(sample: Sample, known: Bools, design: Design, *, trend: bool) -> _Weighted:
    """Fit, weight past outbreaks down by their Anscombe residuals, and fit again."""
    first = regressions(sample, known.astype(np.float64), trend=trend)
    if design.down <= 0:
        return _Weighted(first, first.dispersion, first.settled)
    spread = np.sqrt(np.maximum(first.dispersion, 1.0) * np.maximum(1 - first.leverage(sample), TINY))
    root = np.sqrt(first.mean)
    residual = 1.5 * (np.cbrt(sample.values**2 / root) - root) / spread
    high = residual > design.down
    relative = np.where(high, 1 / np.where(high, residual, 1.0) ** 2, 1.0) * known
    weight = relative * known.sum(axis=0) / np.maximum(relative.sum(axis=0), TINY)
    fit = regressions(sample, weight, trend=trend)
    # R takes these weights for those of the last step when it asks how precise its estimates are
    squares = (weight * (sample.values / fit.mean - 1) ** 2).sum(axis=0)
    return _Weighted(fit, squares / np.where(fit.freedom > 0, fit.freedom, np.nan), first.settled)
