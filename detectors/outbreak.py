"""Is a count high against all its series has done?  A negative-binomial filter that stays calibrated on real feeds.

Expected = the group's weekday, holiday and season pattern x the series' own level.
The level has a short and a long memory, which an observation enters only after a
delay, so that a slow rise is not absorbed while it happens; a level that has changed
for good is taken in at once, with a remark.  How much a series scatters is not fitted but
averaged over.  Rises that came more often than they said, in all series of like volume
together, are believed less.  Prefer it for every count with two months of history or more;
it takes no part in what is no count.

It pools: the pattern of a series is that of its indicator, drawn to the panel's, the
recalibration is that of its class of volume, and with ``pool`` a rare series is judged
together with its siblings.

Source: West and Harrison (1997), Bayesian Forecasting and Dynamic Models, ch. 10 to 12
(discounting, intervention, mixtures); the delay and the memories were set on real municipal feeds.
"""

from __future__ import annotations

import numpy as np

from detectors.capped import capped
from detectors.counts import Counts, Way, judge
from detectors.level import PACES
from detectors.panel import Floats, Panel, Reason, Remark, Scores, checked_last, judged
from detectors.pattern import blocks, groups, long_run_means, pattern
from detectors.siblings import families, together
from detectors.windows import rolled


def outbreak(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 1,
    delay: int | None = None,
    season: bool = True,
    recalibrate: bool = True,
    pool: bool = False,
    alpha: float = 0.001,
) -> Scores:
    """Judge counts against pattern x level; exact mixture tails.

    Args:
        panel: (T, N), counts; other kinds abstain.  ``panel.holidays`` shape daily expectations.
        last: K, how many final dates to judge.
        window: Steps summed into one judged value.
        delay: Full steps between an observation and its part in the level; None is 14 days, 2 weeks or 1 month.
        season: Expect the yearly wave the group's total shows; False where its wave *is* the epidemics looked for.
        recalibrate: Believe rises less that came more often than they said; False is the distributions' own tails.
        pool: Judge rare series together with their siblings in ``panel.parents``: where an event of theirs is one of
            surprisingly many of the siblings', it is as surprising.  ``upper`` stays that of the series alone.  Without
            ``panel.parents`` nothing is pooled.
        alpha: Tail probability of each bound; surprise does not depend on it.

    Returns:
        Scores with (K, N) arrays.  Abstains with NOT_SUITED where the kind is no count, NOT_REPORTED where a value
        of the window is missing or negative, and SHORT_HISTORY until the first calendar anchor (a multiple of four
        weeks since Monday 1970-01-05, or a month) that has 28 days, 12 weeks or 8 months of the series behind it.
        ``remarks`` say LEVEL_CHANGED on the date (of days: the Sunday) on which a lasting step is taken in, where
        ``window`` is 1.

    Raises:
        ValueError: if ``window`` < 1, ``delay`` < 0, ``alpha`` is not in (0, .5), or the panel has fewer than
            ``last`` dates.
    """
    if window < 1 or (delay is not None and delay < 0) or not 0 < alpha < 0.5:
        raise ValueError(f"outbreak needs window >= 1, delay >= 0 and 0 < alpha < .5, found {window}, {delay}, {alpha}")
    checked_last(panel, last)
    frequency = panel.frequency or "daily"
    pace = PACES[frequency]
    columns = np.flatnonzero(panel.kinds == "count")
    values = panel.values[:, columns]
    group = groups([panel.series[n] for n in columns.tolist()])
    cut = blocks(panel)

    own, shared = capped(panel, values, group)
    enough = ~np.isnan(long_run_means(values, cut, pace.minimum))  # (J, N)
    counts = Counts(
        dates=panel.dates,
        frequency=frequency,
        cut=cut,
        values=rolled(values, window),
        taught=rolled(own, window),
        shape=rolled(pattern(panel, shared, cut, group, season=season), window),
        column=group,
        usual=np.where(enough, long_run_means(own, cut, 1), np.nan),
    )
    waits = (pace.delay if delay is None else delay) + window - 1
    way = Way(pace, delay=waits, window=window, last=last, alpha=alpha, recalibrate=recalibrate)
    found = judge(counts, way)
    surprise = found.surprise
    if pool and panel.parents is not None:
        surprise = together(found, counts, way, families(group, panel.parents[columns]))

    observed = rolled(panel.values, window)[-last:]
    reason = np.full(observed.shape, Reason.NOT_SUITED, dtype=np.int8)
    reason[:, columns] = np.where(np.isnan(counts.usual)[cut.of[-last:]], Reason.SHORT_HISTORY, Reason.JUDGED)
    reason[np.isnan(observed) & (reason != Reason.NOT_SUITED)] = Reason.NOT_REPORTED
    remarks = np.full(observed.shape, Remark.NONE, dtype=np.int8)
    if window == 1:  # or each sum that a step touches would say so again
        remarks[:, columns] = np.where(found.shifted, Remark.LEVEL_CHANGED, Remark.NONE)

    def whole(part: Floats) -> Floats:
        numbers = np.full(observed.shape, np.nan)
        numbers[:, columns] = part
        return numbers

    return judged(
        reason,
        observed=observed,
        expected=whole(found.expected),
        lower=whole(found.lower),
        upper=whole(found.upper),
        surprise=whole(surprise),
        above=whole(found.above),
        remarks=remarks,
    )
