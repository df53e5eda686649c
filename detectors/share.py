"""Share: is a part of a whole larger than it usually is here?

For repeated matters among all requests, refused among all inspected: what
rises with the whole is no news, what rises beyond it is.  Judges a rolling window, since the
part of a single day is small.  Needs the whole as well as the part, and no identity of anything.

Source: the beta-binomial of textbooks (Johnson, Kemp and Kotz, *Univariate Discrete Distributions*, 6.9.2),
its dispersion by Pearson's statistic of past blocks of days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.betas import share_bounds, share_tails
from detectors.panel import Floats, Panel, Reason, Scores, checked_last, judged
from detectors.tails import Tails, surprise

ENOUGH = 8  # windows a baseline must hold
CAUTION = 0.5  # standard errors added to an estimated dispersion: a tail suffers more from one too small
WEEK = 7  # days in a block: the days of a week differ, weeks are alike
LOOSEST = 0.2  # the smallest a + b of a share

Rows = npt.NDArray[np.int64]


class Past(NamedTuple):
    """What the steps before say of the share; arrays of one shape."""

    part: Floats
    whole: Floats
    dispersion: Floats  # variance over a binomial's, at least 1


def share(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 28,
    baseline: int = 364,
    gap: int = 7,
    line: float | None = None,
    line_below: bool = False,
    alpha: float = 0.001,
) -> Scores:
    """Compare the share of the last steps with the place's own share before.

    Args:
        panel: (T, N) counts, parts of ``panel.denominators``; or ratios in per cent of them.
        last: K, how many final dates to judge.
        window: Steps summed, part and whole; whole weeks, where the days of a week have different shares.
        baseline: Steps before the window and the gap that give the usual share, at least 8 windows.
        gap: Steps left out between baseline and window.
        line: A share in per cent that is the ``upper`` bound; surprise does not depend on it.
        line_below: The line is the ``lower`` bound.
        alpha: Tail probability of each bound without a line.

    Returns:
        Scores with (K, N) arrays.  For counts ``observed`` is the part of the window, ``expected`` the usual share
        of its whole; for ratios both are per cent.  The tail is beta-binomial, as wide as past blocks scattered and
        as the usual share is uncertain.  Abstains with NOT_REPORTED where a part or a whole of the window is
        missing, SHORT_HISTORY with fewer than 8 windows reported before, NOT_SUITED where these have no whole,
        the part is more than the whole or less than nothing, now or in the past together, the kind is neither count
        nor ratio, or a ratio's whole is nothing.

    Raises:
        ValueError: if ``window`` < 1, ``gap`` < 0, ``baseline`` < 8 windows, ``line`` is not in (0, 100),
            ``alpha`` is not in (0, .5), or the panel has fewer than ``last`` dates.
    """
    if window < 1 or gap < 0 or baseline < ENOUGH * window or not 0 < alpha < 0.5:
        raise ValueError(
            f"share needs window >= 1, gap >= 0, baseline >= {ENOUGH} windows and 0 < alpha < .5,"
            f" found window={window}, gap={gap}, baseline={baseline}, alpha={alpha}"
        )
    if line is not None and not 0 < line < 100:
        raise ValueError(f"share needs a line between 0 and 100 per cent, found {line}")
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    counted = panel.kinds == "count"
    wholes = np.full_like(panel.values, np.nan) if panel.denominators is None else panel.denominators
    parts = np.where(counted, panel.values, panel.values * wholes / 100)
    part, whole = (_sums(numbers, rows + 1, window) for numbers in (parts, wholes))
    why = _reasons(panel, rows, parts, wholes, window, baseline, gap)
    past = _past(panel, parts, wholes, rows - window - gap + 1, window, baseline)
    unsuited = (part < 0) | (part > whole) | (past.part < 0) | (past.part > past.whole)
    unsuited |= ~np.isin(panel.kinds, ("count", "ratio")) | (~counted & (whole <= 0))
    reason = np.where((why == Reason.JUDGED) & unsuited, Reason.NOT_SUITED, why).astype(np.int8)
    cells = reason == Reason.JUDGED
    numbers = np.full((6, *reason.shape), np.nan)  # expected, lower, upper, rise, fall, above
    numbers[:, cells] = part_of_whole(part[cells], whole[cells], Past(*(told[cells] for told in past)), alpha)
    scale = np.where(counted, 1.0, 100 / np.where(whole > 0, whole, 1.0))
    expected, lower, upper = numbers[:3] * scale
    if line is not None:
        drawn = np.where(counted, whole * line / 100, line)
        lower, upper = (drawn, upper) if line_below else (lower, drawn)
    tails = Tails(*numbers[3:])
    return judged(
        reason,
        observed=np.where(reason == Reason.NOT_REPORTED, np.nan, part * scale),
        expected=expected,
        lower=lower,
        upper=upper,
        surprise=surprise(tails),
        above=tails.above,
    )


def _reasons(
    panel: Panel, rows: Rows, parts: Floats, wholes: Floats, window: int, baseline: int, gap: int
) -> npt.NDArray[np.int_]:
    """Return (K, N) why a cell cannot be judged, by what is there of values and wholes."""
    reported, known = ~np.isnan(panel.values), ~np.isnan(parts) & ~np.isnan(wholes)
    before = rows - window - gap + 1
    few = _counted(reported, before, baseline) < ENOUGH * window
    lacking = _counted(known, before, baseline) < ENOUGH * window
    there = reported if panel.denominators is None else known
    missing = _counted(there, rows + 1, window) < np.minimum(rows + 1, window)[:, None]
    reason = np.where(lacking | (panel.denominators is None), Reason.NOT_SUITED, Reason.JUDGED)
    return np.where(missing, Reason.NOT_REPORTED, np.where(few, Reason.SHORT_HISTORY, reason))


def _past(panel: Panel, parts: Floats, wholes: Floats, ends: Rows, window: int, baseline: int) -> Past:
    known = ~np.isnan(parts) & ~np.isnan(wholes)
    parts, wholes = np.where(known, parts, 0.0), np.where(known, wholes, 0.0)
    part, whole = (_sums(numbers, ends, baseline) for numbers in (parts, wholes))
    usual = (part + 0.5) / (whole + 1)  # Jeffreys' halves
    block = min(WEEK, window) if panel.frequency == "daily" else 1
    of_blocks, degrees = _pearson(parts, wholes, ends, block, baseline // block, usual)
    of_windows, _ = _pearson(parts, wholes, ends, window, baseline // window, usual)
    careful = of_blocks * (1 + CAUTION * np.sqrt(2 / degrees))
    return Past(part, whole, np.maximum(np.maximum(careful, of_windows), 1.0))


def _pearson(
    parts: Floats, wholes: Floats, ends: Rows, length: int, count: int, usual: Floats
) -> tuple[Floats, Floats]:
    """Return (K, N) the variance of the last blocks of so many steps over a binomial's, and its degrees of freedom."""
    at = ends[:, None] - length * np.arange(count)  # (K, blocks)
    part, whole = (_sums(numbers, at.ravel(), length).reshape(*at.shape, -1) for numbers in (parts, wholes))
    variance = whole * (usual * (1 - usual))[:, None]
    seen = variance > 0
    squares = np.where(seen, (part - whole * usual[:, None]) ** 2, 0.0) / np.where(seen, variance, 1.0)
    degrees = np.maximum(seen.sum(axis=1) - 1.0, 1.0)
    return squares.sum(axis=1) / degrees, degrees


def part_of_whole(part: Floats, whole: Floats, past: Past, alpha: float) -> Floats:
    """Return (6, cells): the expected part, its bounds and the three tails."""
    usual = (past.part + 0.5) / (past.whole + 1)
    spread = past.dispersion * (1 + whole / np.maximum(past.whole, 1.0))  # the usual share is uncertain, too
    together = np.maximum((whole - spread) / np.maximum(spread - 1, 1e-9), LOOSEST)
    a, b = together * usual, together * (1 - usual)
    return np.stack([usual * whole, *share_bounds(alpha, whole, a, b), *share_tails(part, whole, a, b)])


def _sums(values: Floats, ends: Rows, length: int) -> Floats:
    """Return (K, N): sums over the ``length`` rows before each end, of what is there; none before the first row."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.nancumsum(values, axis=0)])
    return np.asarray(sums[np.maximum(ends, 0)] - sums[np.maximum(ends - length, 0)])


def _counted(seen: npt.NDArray[np.bool_], ends: Rows, length: int) -> Floats:
    return _sums(seen.astype(np.float64), ends, length)
