"""Is a count high against all its series has done?  A negative-binomial filter that stays calibrated on real feeds.

Expected = the group's weekday, holiday and season pattern x the series' own level.
The level is a discounted gamma mixture with long memories, which an observation
enters only after a delay, so that a slow rise is not absorbed while it happens.
How much a series scatters is not fitted but averaged over: nine negative-binomial
sizes, weighted by how well each predicted the series lately.  Prefer it for every
count with two months of history or more; it takes no part in what is no count.

It pools: the pattern of a series is that of its indicator, drawn to the panel's.

Source: West and Harrison (1997), Bayesian Forecasting and Dynamic Models, ch. 10 and 12
(discounting, mixtures); the delay and the memories were set on real municipal feeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import betainc, gammaln

from detectors.capped import capped
from detectors.panel import Floats, Panel, Reason, Scores, checked_last, judged
from detectors.pattern import blocks, groups, long_run_means, pattern
from detectors.tails import Tails, count_tails, surprise

SIZES = np.array([0.15, 0.4, 1.2, 4.0, 12.0, 40.0, 120.0, 400.0, 1e6])  # the last is all but Poisson
PRIOR = 0.3  # events the long-run mean is worth against the level
WORST = -20.0  # a log likelihood no single value goes below: one epidemic does not decide how a series scatters
TRIFLE = 1e-9  # weight of a distribution the bounds leave out
CHUNK = 64  # steps whose likelihoods are computed together


@dataclass(frozen=True)
class _Pace:
    """How slowly a frequency is followed, in steps."""

    memories: tuple[float, float]
    delay: int
    remembered: float  # share of a size's log likelihood that is left a step later
    minimum: int  # values before the first score


PACES = {
    "daily": _Pace((60.0, 240.0), 7, 0.992, 28),
    "weekly": _Pace((16.0, 60.0), 2, 0.985, 12),
    "monthly": _Pace((12.0, 36.0), 1, 0.97, 8),
}


def outbreak(
    panel: Panel, *, last: int = 1, window: int = 1, delay: int | None = None, season: bool = True, alpha: float = 0.001
) -> Scores:
    """Judge counts against pattern x level; exact mixture tails.

    Args:
        panel: (T, N), counts; other kinds abstain.  ``panel.holidays`` shape daily expectations.
        last: K, how many final dates to judge.
        window: Steps summed into one judged value.
        delay: Full steps between an observation and its part in the level; None is 7 days, 2 weeks or 1 month.
        season: Expect the yearly wave the group's total shows; False where its wave *is* the epidemics looked for.
        alpha: Tail probability of each bound; surprise does not depend on it.

    Returns:
        Scores with (K, N) arrays.  Abstains with NOT_SUITED where the kind is no count, NOT_REPORTED where a value
        of the window is missing or negative, and SHORT_HISTORY until the first calendar anchor (a multiple of four
        weeks since Monday 1970-01-05, or a month) that has 28 days, 12 weeks or 8 months of the series behind it.

    Raises:
        ValueError: if ``window`` < 1, ``delay`` < 0, ``alpha`` is not in (0, .5), or the panel has fewer than
            ``last`` dates.
    """
    if window < 1 or (delay is not None and delay < 0) or not 0 < alpha < 0.5:
        raise ValueError(f"outbreak needs window >= 1, delay >= 0 and 0 < alpha < .5, found {window}, {delay}, {alpha}")
    checked_last(panel, last)
    pace = PACES[panel.frequency or "daily"]
    counts = np.flatnonzero(panel.kinds == "count")
    values = np.where(panel.values[:, counts] >= 0, panel.values[:, counts], np.nan)
    group = groups([panel.series[n] for n in counts.tolist()])
    cut = blocks(panel)

    own, shared = capped(panel, values, group)
    enough = ~np.isnan(long_run_means(values, cut, pace.minimum))  # (J, N)
    usual = np.where(enough, long_run_means(own, cut, 1), np.nan)
    mixtures = _follow(
        _summed(values, window),
        _summed(own, window),
        _summed(pattern(panel, shared, cut, group, season=season), window)[:, group],
        _filled_back(usual)[cut.of],
        pace,
        delay=(pace.delay if delay is None else delay) + window - 1,
        window=window,
        last=last,
    )
    observed = _summed(panel.values, window)[-last:]
    reason = np.full(observed.shape, Reason.NOT_SUITED, dtype=np.int8)
    reason[:, counts] = np.where(np.isnan(usual)[cut.of[-last:]], Reason.SHORT_HISTORY, Reason.JUDGED)
    missing = np.isnan(observed)
    missing[:, counts] |= np.isnan(_summed(values, window)[-last:])
    reason[missing & (reason != Reason.NOT_SUITED)] = Reason.NOT_REPORTED
    found = {name: np.full(observed.shape, np.nan) for name in ("expected", "lower", "upper", "surprise", "above")}
    for rows, mixture in mixtures:
        row, column = np.nonzero(reason[rows][:, counts] == Reason.JUDGED)
        cells = rows.start + row, counts[column]
        for name, numbers in _scored(mixture, observed[cells], (row, column), alpha).items():
            found[name][cells] = numbers
    return judged(reason, observed=observed, **found)


@dataclass(frozen=True)
class _Mixture:
    """The predictive distributions of some dates, G negative binomials each; arrays are (dates, G, N)."""

    mean: Floats
    size: Floats
    weight: Floats  # sums to 1 over G


def _follow(
    values: Floats, taught: Floats, shape: Floats, usual: Floats, pace: _Pace, *, delay: int, window: int, last: int
) -> Iterator[tuple[slice, _Mixture]]:
    """Yield the mixtures of the last dates, each as it was before its value, by slices of the K rows.

    A level is a gamma of shape ``events`` and rate ``exposure``: what was seen, and what the pattern made
    of it, both discounted and drawn to the long-run mean.  Overlapping sums tell 1 / window of a value each.
    It learns from the values as they are ``taught``; the scatter from the values themselves.
    """
    rows, n = values.shape
    keep = 1 - 1 / np.repeat(pace.memories, len(SIZES))[:, None]  # (G, 1)
    size = np.tile(SIZES, len(pace.memories))[:, None]  # (G, 1)
    events = np.full((len(size), n), PRIOR)
    exposure = PRIOR / usual[0] + np.zeros_like(events)
    score = np.zeros_like(events)  # discounted log likelihood
    forget, told = 1 - (1 - pace.remembered) / window, 1 / window
    mean = np.empty((CHUNK, len(size), n))
    spread = np.empty_like(mean)
    for start in range(0, rows, CHUNK):
        stop = min(start + CHUNK, rows)
        for row in range(start, stop):
            if row > delay:
                seen = row - delay - 1
                y, s = taught[seen], shape[seen]
                known = np.isfinite(y) & np.isfinite(s) & np.isfinite(usual[row])
                y, s = np.where(known, y, 0.0), np.where(known, s, 0.0)
                faded = np.where(known, keep, 1.0)
                weight = np.where(known, told, 0.0) / (1 + s * events / (exposure * size))  # what scatter leaves of it
                events = faded * events + (1 - faded) * PRIOR + weight * y
                exposure = faded * exposure + (1 - faded) * np.where(known, PRIOR / usual[row], 0.0)
                exposure += weight * s
            mean[row - start] = shape[row] * events / exposure
            spread[row - start] = 1 / (1 / events + 1 / size)
        likelihood = _log_likelihood(values[start:stop, None], mean[: stop - start], spread[: stop - start])
        before = np.empty_like(likelihood)
        for row, news in enumerate(likelihood):
            before[row] = score
            score = np.where(np.isfinite(news), forget * (score - score.max(axis=0)) + told * news, score)
        asked = max(start, rows - last)
        if asked < stop:
            weight = np.exp(before - before.max(axis=1, keepdims=True))
            weight /= weight.sum(axis=1, keepdims=True)
            inner = slice(asked - start, stop - start)
            mixture = _Mixture(mean[inner], spread[inner], weight[inner])
            yield slice(asked - rows + last, stop - rows + last), mixture


def _log_likelihood(x: Floats, mean: Floats, size: Floats) -> Floats:
    """Return log P(X = x), not below WORST; NaN where x or the mean is."""
    busy = mean / size
    ways = gammaln(x + size) - gammaln(size) - gammaln(x + 1)
    return np.maximum(ways + x * np.log(busy / (1 + busy)) - size * np.log1p(busy), WORST)


def _scored(
    mixture: _Mixture, observed: Floats, cells: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], alpha: float
) -> dict[str, Floats]:
    """Return expected, bounds, surprise and P(X > x) of some cells (date, series) of the mixture."""
    mean, size, weight = (
        np.moveaxis(part, 1, -1)[cells] for part in (mixture.mean, mixture.size, mixture.weight)
    )  # (cells, G)
    tails = Tails(*((weight * tail).sum(axis=-1) for tail in count_tails(observed[:, None], mean, size)))
    lower, upper = _bounds(alpha, mean, size, weight)
    return {
        "expected": (weight * mean).sum(axis=-1),
        "lower": lower,
        "upper": upper,
        "surprise": surprise(tails),
        "above": tails.above,
    }


def _bounds(alpha: float, mean: Floats, size: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the largest l with P(X < l) <= alpha and the smallest u with P(X > u) <= alpha, by bisection.

    Chebyshev's one-sided inequality says where to begin.
    """
    centre = (weight * mean).sum(axis=-1)
    sd = np.sqrt(np.maximum((weight * (mean + mean**2 / size + mean**2)).sum(axis=-1) - centre**2, 0.0))
    reach = sd * np.sqrt(1 / alpha)
    outside, upper = np.full(len(centre), -1.0), np.ceil(centre + reach)  # P(X > -1) = 1
    lower, inside = np.maximum(np.floor(centre - reach), 0.0), np.ceil(centre + reach) + 1
    cell, part = np.nonzero(weight > TRIFLE)
    size, weight, busy = size[cell, part], weight[cell, part], (mean / (size + mean))[cell, part]
    while (open_ := (upper - outside > 1) | (inside - lower > 1)).any():
        pair = open_[cell]
        here = cell[pair]
        low, high = np.floor((outside + upper) / 2), np.floor((lower + inside) / 2)
        beyond, from_ = (
            np.bincount(here, weight[pair] * betainc(x[here], size[pair], busy[pair]), len(centre))
            for x in (low + 1, np.maximum(high, 1.0))
        )
        above, below = beyond <= alpha, (1 - from_ <= alpha) | (high < 1)
        upper, outside = np.where(open_ & above, low, upper), np.where(open_ & ~above, low, outside)
        lower, inside = np.where(open_ & below, high, lower), np.where(open_ & ~below, high, inside)
    return lower, upper


def _summed(values: Floats, window: int) -> Floats:
    """Return (T, N) sums of the last ``window`` values, NaN where one of them is missing or before the panel."""
    if window == 1 or len(values) < window:
        return values if window == 1 else np.full_like(values, np.nan)
    sums = np.full_like(values, np.nan)
    sums[window - 1 :] = sliding_window_view(values, window, axis=0).sum(axis=-1)
    return sums


def _filled_back(means: Floats) -> Floats:
    """Return (J, N) with the first known value before it, too: nothing is judged there, but the level is warmed up."""
    known = np.isfinite(means)
    first = means[known.argmax(axis=0), np.arange(means.shape[1])]
    return np.where(known, means, first)
