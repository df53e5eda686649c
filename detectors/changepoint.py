"""Change point: has the level shifted for good, and since when?

Finds slow or modest shifts a daily comparison misses (+30 % on 50 a day after
about eight days); useless for a single bad day.  The least-squares
segmentation of a trailing window, on values made equally noisy first.

Source: Killick et al. (2012), JASA 107: 1590-1598 (PELT), as ruptures' KernelCPD in C;
Anscombe (1948), Biometrika 35: 246-254 (the negative binomial's transform); the
penalty's form and its deflation by autocorrelation follow Lavielle & Moulines
(2000), J. Time Series Analysis 21: 33-59.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from detectors.panel import Floats, Panel, Reason, Scores, checked_last, judged
from detectors.steady import Steady, steady, yearly_course
from detectors.tails import SMALLEST

ALPHA = 0.001  # tail probability of the bounds

AT_ONCE = 2_000  # series
ROUNDING = 1e-9  # what a bound may be off by

Integers = npt.NDArray[np.int64]


def changepoint(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 180,
    min_size: int = 7,
    penalty: float = 1.5,
    recent: int = 42,
    season: bool = True,
) -> Scores:
    """Compare the level since the last change with the level before it.

    Args:
        panel: (T, N).  NaN steps are left out.
        last: K, how many final dates to judge; each is segmented anew.
        window: Trailing steps looked at.
        min_size: Fewest reported values between two changes, and since the last.
        penalty: What a change must gain, in units of 2 log n; 1 describes, 1.5-2 alerts.
        recent: A change more than this many values ago is the new normal: surprise 0.
        season: Take out as much of last year's course as this year's shows; needs a year before the window.

    Returns:
        Scores with (K, N) arrays.  ``observed`` is the mean since the change, ``expected`` the level before it
        carried on; without a recent change the mean of the last ``min_size`` values and of the segment, and
        surprise 0.  Surprise is Student's tail of the difference, divided by the number of places
        a recent change could have been and deflated by the lag-1 autocorrelation; ``above`` is NaN.
        Abstains where fewer than a third of the window (or 4 ``min_size``) is reported.

    Raises:
        ValueError: if ``min_size`` < 2, ``window`` < 4 ``min_size``, ``penalty`` <= 0, ``recent`` < ``min_size``,
            or the panel has fewer than ``last`` dates.
    """
    if min_size < 2 or window < 4 * min_size or penalty <= 0 or recent < min_size:
        raise ValueError(
            "changepoint needs min_size >= 2, window >= 4 min_size, penalty > 0 and recent >= min_size,"
            f" found min_size={min_size}, window={window}, penalty={penalty}, recent={recent}"
        )
    answers = np.full((checked_last(panel, last), len(panel.series), 5), np.nan)
    reason = np.full(answers.shape[:2], Reason.JUDGED, dtype=np.int8)
    for first in range(0, len(panel.series), AT_ONCE):  # each series is judged alone; of many the steps fill memory
        some = slice(first, first + AT_ONCE)
        part = panel.take(range(*some.indices(len(panel.series))))
        course = yearly_course(part, last, window) if season else None
        for k, row in enumerate(range(len(panel.dates) - last, len(panel.dates))):
            ready = steady(part, row, window, course)
            why = reason[k, some]
            why[(~np.isnan(ready.level)).sum(axis=0) < max(window // 3, 4 * min_size)] = Reason.SHORT_HISTORY
            why[np.isnan(part.values[row])] = Reason.NOT_REPORTED
            columns = np.flatnonzero(why == Reason.JUDGED)
            answers[k, first + columns] = _answers(ready, columns, min_size, penalty, recent)
    observed, expected, lower, upper, surprise = np.moveaxis(answers, -1, 0)
    return judged(reason, observed=observed, expected=expected, lower=lower, upper=upper, surprise=surprise)


def changes(level: Floats, gain: float, min_size: int) -> list[int]:
    """Return where the optimal segments of (n,) values begin, the first (0) left out.

    A change must lower the sum of squares by more than ``gain``; segments hold at least ``min_size`` values.
    The optimum is exact at gains alerts use; under a gain of about 5 variances the library
    prunes a little too much: .07 % of segmentations are not the best at 3-8, 4 % below 3.
    """
    from ruptures import KernelCPD  # most of a second

    if len(level) < 2 * min_size:
        return []
    found = KernelCPD(kernel="linear", min_size=min_size).fit(level[:, None]).predict(pen=gain)
    return [int(start) for start in found[:-1]]


def unchanged(level: Floats, count: Integers, gain: Floats, min_size: int) -> npt.NDArray[np.bool_]:
    """Return (N,) which series are certainly best left in one segment; of the others nothing is known.

    In the best segmentation each change pays: what it lowers the sum of squares of the two segments beside it by is
    at least ``gain``.  It is at most what both segments lie off any one level, here the mean of all.

    Args:
        level: (n, N), the values of each series first, then NaN.
        count: (N,) how many values there are.
        gain: (N,) what a change must lower the sum of squares by.
        min_size: Fewest values of a segment.
    """
    off = level - np.nansum(level, axis=0) / count
    sums = np.concatenate([np.zeros((1, level.shape[1])), np.cumsum(off, axis=0)])  # (n + 1, N)
    before, after = np.zeros_like(sums), np.zeros_like(sums)  # the most of a segment that ends, or begins, at a row
    for length in range(min_size, len(level) - min_size + 1):
        most = (sums[length:] - sums[:-length]) ** 2 / length
        np.fmax(before[length:], most, out=before[length:])
        np.fmax(after[:-length], most, out=after[:-length])
    return np.asarray((before + after).max(axis=0) < gain * (1 - ROUNDING))


def _answers(ready: Steady, columns: Integers, min_size: int, penalty: float, recent: int) -> Floats:
    """Return (M, 5) observed, expected, lower, upper and surprise of M series."""
    gaps = np.isnan(ready.level[:, columns])
    steps = np.argsort(gaps, axis=0, kind="stable")  # those that were reported first, in their order
    values, level, pattern = (
        np.take_along_axis(part[:, columns], steps, axis=0) for part in (ready.values, ready.level, ready.pattern)
    )
    n, sd, correlation = len(gaps) - gaps.sum(axis=0), ready.sd[columns], ready.correlation[columns]
    inflation = (1 + correlation) / (1 - correlation)  # of a mean's variance
    count, before, start = _segments(level / sd, n, 2 * penalty * np.log(n) * inflation, min_size)

    changed = (count > 1) & (n - start <= recent)
    row = np.arange(len(level))[:, None]
    then = (row >= np.where(changed, before, start)) & (row < np.where(changed, start, n))
    now = (row >= np.where(changed, start, n - min_size)) & (row < n)
    was, difference = _mean(level, then), _mean(level, now) - _mean(level, then)
    error = sd * np.sqrt(inflation * (1 / then.sum(axis=0) + 1 / now.sum(axis=0)))
    # where a recent change could have been
    places = np.where(changed, np.minimum(recent, n - min_size) - min_size + 1, 1)
    df = np.maximum(n / inflation - count, 3.0)
    tail = np.clip(places * stdtr(df, -np.abs(difference / error)), SMALLEST, 1.0)
    reach = -stdtrit(df, ALPHA / places) * error

    # the mean of a curve is not the curve of the mean: what the inverse lacks then, it lacks now
    lacking = _mean(values, then) - _mean(ready.inverse(columns, was + pattern), then)
    levels = [_mean(ready.inverse(columns, was + shift + pattern), now) + lacking for shift in (0.0, -reach, reach)]
    carried_on = [np.where(ready.kinds[columns] == "score", one, np.maximum(one, 0.0)) for one in levels]
    surprise = np.where(changed, np.sign(difference) * -np.log10(tail), 0.0)
    return np.column_stack([_mean(values, now), *carried_on, surprise])


def _segments(level: Floats, n: Integers, gain: Floats, min_size: int) -> tuple[Integers, Integers, Integers]:
    """Return (M,) how many segments there are, where the last but one begins (0 without), and where the last."""
    found = np.ones(len(n), dtype=np.int64), np.zeros(len(n), dtype=np.int64), np.zeros(len(n), dtype=np.int64)
    for column in np.flatnonzero(~unchanged(level, n, gain, min_size)):
        starts = [0, 0, *changes(level[: n[column], column], float(gain[column]), min_size)]
        for part, value in zip(found, (len(starts) - 1, starts[-2], starts[-1]), strict=True):
            part[column] = value
    return found


def _mean(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(where, values, 0.0).sum(axis=0) / where.sum(axis=0))
