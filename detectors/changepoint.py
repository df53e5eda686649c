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

Answer = tuple[float, float, float, float, float]  # observed, expected, lower, upper, surprise


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
    course = yearly_course(panel) if season else None
    enough = max(window // 3, 4 * min_size)
    answers = np.full((checked_last(panel, last), len(panel.series), 5), np.nan)
    reason = np.full(answers.shape[:2], Reason.JUDGED, dtype=np.int8)
    for k, row in enumerate(range(len(panel.dates) - last, len(panel.dates))):
        ready = steady(panel, row, window, course)
        reason[k, (~np.isnan(ready.level)).sum(axis=0) < enough] = Reason.SHORT_HISTORY
        reason[k, np.isnan(panel.values[row])] = Reason.NOT_REPORTED
        for column in np.flatnonzero(reason[k] == Reason.JUDGED):
            answers[k, column] = _answer(ready, int(column), min_size, penalty, recent)
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


def _answer(ready: Steady, column: int, min_size: int, penalty: float, recent: int) -> Answer:
    seen = np.flatnonzero(~np.isnan(ready.level[:, column]))
    level, sd = ready.level[seen, column], float(ready.sd[column])
    n, correlation = len(seen), float(ready.correlation[column])
    inflation = (1 + correlation) / (1 - correlation)  # of a mean's variance
    starts = [0, *changes(level / sd, 2 * penalty * np.log(n) * inflation, min_size)]

    changed = len(starts) > 1 and n - starts[-1] <= recent
    before = level[starts[-2] : starts[-1]] if changed else level[starts[-1] :]
    after = level[starts[-1] :] if changed else level[-min_size:]
    error = sd * np.sqrt(inflation * (1 / len(before) + 1 / len(after)))
    places = min(recent, n - min_size) - min_size + 1 if changed else 1  # where a recent change could have been
    df = max(n / inflation - len(starts), 3.0)
    z = (after.mean() - before.mean()) / error
    tail = min(max(places * float(stdtr(df, -abs(z))), SMALLEST), 1.0)
    reach = -float(stdtrit(df, ALPHA / places)) * error

    now = seen[n - len(after) :]
    then = seen[starts[-2] : starts[-1]] if changed else seen[starts[-1] :]
    expected, lower, upper = (
        _carried_on(ready, column, before.mean(), shift, then, now) for shift in (0.0, -reach, reach)
    )
    surprise = float(np.sign(z)) * -np.log10(tail) if changed else 0.0
    return float(ready.values[now, column].mean()), expected, lower, upper, surprise


def _carried_on(
    ready: Steady, column: int, level: float, shift: float, then: npt.NDArray[np.int64], now: npt.NDArray[np.int64]
) -> float:
    """Return the mean value of the steps ``now`` had the level of ``then`` lasted, moved by ``shift``."""
    pattern = ready.pattern[:, column]
    usual = ready.inverse(column, level + pattern[then]).mean()
    # the mean of a curve is not the curve of the mean: what the inverse lacks there, it lacks here
    lacking = ready.values[then, column].mean() - usual
    value = ready.inverse(column, level + shift + pattern[now]).mean() + lacking
    return float(value if ready.kinds[column] == "score" else max(value, 0.0))
