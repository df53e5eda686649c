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

In place of the pattern the level may follow a regression on the series' own past years
(``method = "farrington"``); several windows may be judged together (``evidence``).

Source: West and Harrison (1997), Bayesian Forecasting and Dynamic Models, ch. 10 to 12
(discounting, intervention, mixtures); the delay and the memories were set on real municipal feeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import signature

import numpy as np
import numpy.typing as npt

from detectors import siblings
from detectors.blocks import Blocks, blocks
from detectors.capped import capped, without_slips
from detectors.counts import Counts, Way
from detectors.evidence import together
from detectors.farrington.exceedance import PREDICTIVES
from detectors.farrington.method import by_regression, design_of, regressed_means
from detectors.farrington.regression import Design
from detectors.kept import Cache, judge
from detectors.level import PACES
from detectors.panel import Floats, Panel, Reason, Remark, Scores, checked_last, judged
from detectors.pattern import groups, long_run_means, pattern
from detectors.windows import rolled

METHODS = ("adaptive", "farrington")

Ints = npt.NDArray[np.int64]


def outbreak(
    panel: Panel,
    *,
    last: int = 1,
    method: str = "adaptive",
    window: int = 1,
    evidence: int = 1,
    delay: int | None = None,
    season: bool = True,
    recalibrate: bool = True,
    pool: bool = False,
    level: bool = True,
    years: int = 5,
    half_window: int | None = None,
    periods: int | None = None,
    left_out: int | None = None,
    calendar: bool = True,
    trend: str = "tested",
    down: float = 2.58,
    predictive: str = "plugin",
    least: int | None = None,
    least_over: int = 4,
    alpha: float = 0.001,
    cache: Cache | None = None,
) -> Scores:
    """Judge counts against what was expected of them, by exact tails.

    Args:
        panel: (T, N), counts; other kinds abstain.  ``panel.holidays`` shape daily expectations.
        last: K, how many final dates to judge.
        method: "adaptive": pattern x level.  "farrington": a regression on the series' own past years, and the level
            round it, for weekly and monthly panels.
        window: Steps summed into one judged value.
        evidence: Windows put together: with 3 the surprise is that of the sums of the last one, two and three windows.
            The other numbers stay those of the last window.
        delay: Full steps between an observation and its part in the level; None is 14 days, 2 weeks or 1 month.
        season: "adaptive" expects the yearly wave the group's total shows; False where its wave *is* the epidemics
            looked for.
        recalibrate: Believe rises less that came more often than they said; False is the distributions' own tails.
        pool: "adaptive" judges rare series together with their siblings in ``panel.parents``: where an event of theirs
            is one of surprisingly many of the siblings', it is as surprising.  ``upper`` stays that of the series
            alone.  Without ``panel.parents`` nothing is pooled.
        level: False is R's ``farringtonFlexible`` as it is.
        years: "farrington" learns from so many past years at most.
        half_window: Its steps on either side of an anniversary; None is 3 weeks or 1 month.
        periods: Its seasons of a year; None is 10, in monthly panels 4.
        left_out: The last steps it does not learn from; None is 26 weeks or 6 months.
        calendar: Its anniversaries are those of the calendar; False takes a year for 52 weeks.
        trend: Its trend is "tested", "always" there or "never".
        down: Its past values are weighted down beyond this standardised residual; with 0 none is.
        predictive: Its tails without ``level``: "plugin", "delta" or "muan".
        least: Fewer events in the last ``least_over`` steps, all of them reported, are no rise; None is 5 for
            "farrington" without ``level``, else 0.
        least_over: Steps these are counted in.
        alpha: Tail probability of each bound; surprise does not depend on it, but for "muan".
        cache: What was known at calendar anchors, as text by content; what is come to is put in.

    Returns:
        Scores with (K, N) arrays.  Abstains with NOT_SUITED where the kind is no count, and for "farrington" in daily
        panels; NOT_REPORTED where a value of the window is missing or negative; and SHORT_HISTORY until the first
        calendar anchor (a multiple of four weeks since Monday 1970-01-05, or a month) that has 28 days, 12 weeks or 8
        months of the series behind it, for "farrington" two years and a ``half_window``; with BASELINE_GAP where none
        of its past weeks of the date's season was reported, and without ``level`` with FAILED where its iteration does
        not end.  ``remarks`` say LEVEL_CHANGED on the date (of days: the Sunday) on which a lasting step is taken in,
        or the first judged after it, where ``window`` is 1.

    Raises:
        ValueError: if a parameter is out of its range, unknown or of another method, the seasons do not fit into a
            year, or the panel has fewer than ``last`` dates.
    """
    if window < 1 or evidence < 1 or (delay is not None and delay < 0) or not 0 < alpha < 0.5:
        raise ValueError(
            "outbreak needs window >= 1, evidence >= 1, delay >= 0 and 0 < alpha < .5,"
            f" found {window}, {evidence}, {delay}, {alpha}"
        )
    if method not in METHODS or predictive not in PREDICTIVES or (least or 0) < 0 or least_over < 1:
        raise ValueError(
            f"outbreak knows the methods {', '.join(METHODS)}, the predictives {', '.join(PREDICTIVES)},"
            f" and needs least >= 0 and least_over >= 1, found {method!r}, {predictive!r}, {least}, {least_over}"
        )
    owned: dict[str, dict[str, object]] = {
        "adaptive": {"season": season, "pool": pool},
        "farrington": {
            "level": level,
            "years": years,
            "half_window": half_window,
            "periods": periods,
            "left_out": left_out,
            "calendar": calendar,
            "trend": trend,
            "down": down,
            "predictive": predictive,
        },
    }
    _refuse_of_others(method, owned)
    checked_last(panel, last)
    frequency, regressed = panel.frequency or "daily", method == "farrington"
    design = design_of(frequency, years, half_window, periods, left_out, calendar, trend, down) if regressed else None
    columns = np.flatnonzero((panel.kinds == "count") & (not regressed or design is not None))
    values = panel.values[:, columns]
    windows = [window * (number + 1) for number in range(evidence)]
    if design and not level:
        each = by_regression(panel, values, design, windows, last=last, predictive=predictive, alpha=alpha)
    else:
        ground = _of_its_past(panel, values, design) if design else _of_its_group(panel, columns, season)
        pace = PACES[frequency]
        way = Way(pace, pace.delay if delay is None else delay, 1, last, alpha, recalibrate)
        parents = None if not pool or regressed or panel.parents is None else panel.parents[columns]
        each = [_around(ground, panel, values, _of_sums(way, steps), parents, cache) for steps in windows]
    scores = together(each)
    if least is None:
        least = 5 if design and not level else 0
    few = rolled(values, least_over)[-last:] < least  # NaN is none: what was not reported may have been many
    scores = replace(scores, surprise=np.where(few, np.minimum(scores.surprise, 0.0), scores.surprise))
    return _among_others(scores, columns, rolled(panel.values, window)[-last:])


def _refuse_of_others(method: str, owned: Mapping[str, Mapping[str, object]]) -> None:
    defaults = signature(outbreak).parameters
    for owner, given in owned.items():
        for name, value in given.items():
            if owner != method and value != defaults[name].default:
                raise ValueError(f"outbreak: {name} belongs to method {owner!r}, found method={method!r}")


@dataclass(frozen=True)
class _Ground:
    """What a level stands on."""

    cut: Blocks
    taught: Floats  # (T, N) the values it learns from
    shape: Floats  # (T, C) what multiplies it
    column: Ints  # (N,) of the shape, of each series
    usual: Floats  # (J, N) where it is drawn to, NaN where a block cannot be judged
    reason: npt.NDArray[np.int8]  # (J, N) and why not


def _of_its_group(panel: Panel, columns: npt.NDArray[np.intp], season: bool) -> _Ground:
    """Return the group's pattern, and as the usual level the series' own long-run mean."""
    values, cut = panel.values[:, columns], blocks(panel)
    group = groups([panel.series[n] for n in columns.tolist()])
    own, shared = capped(panel, values, group)
    enough = ~np.isnan(long_run_means(values, cut, PACES[panel.frequency or "daily"].minimum))  # (J, N)
    usual = np.where(enough, long_run_means(own, cut, 1), np.nan)
    reason = np.where(enough, Reason.JUDGED, Reason.SHORT_HISTORY).astype(np.int8)
    return _Ground(cut, own, pattern(panel, shared, cut, group, season=season), group, usual, reason)


def _of_its_past(panel: Panel, values: Floats, design: Design) -> _Ground:
    """Return the mean of the regression on the series' own past, round which the usual level is 1."""
    cut, own = blocks(panel), without_slips(panel, values)
    mean, reason = regressed_means(panel, own, cut, design)
    usual = np.where(reason == Reason.JUDGED, 1.0, np.nan)
    return _Ground(cut, own, mean, np.arange(values.shape[1]), usual, reason)


def _of_sums(way: Way, window: int) -> Way:
    """Return the way sums are judged: what a date waits for is longer by what they overlap."""
    return replace(way, window=window, delay=way.delay + window - 1)


def _around(
    ground: _Ground, panel: Panel, values: Floats, way: Way, parents: Ints | None, cache: Cache | None
) -> Scores:
    """Return what the level around a ground makes of the last dates; rare series pooled where parents are given."""
    observed, shape = rolled(values, way.window), rolled(ground.shape, way.window)
    told = np.isfinite(shape)[:, ground.column]
    counts = Counts(
        dates=panel.dates,
        frequency=panel.frequency or "daily",
        cut=ground.cut,
        values=np.where(told, observed, np.nan),
        taught=rolled(ground.taught, way.window),
        shape=shape,
        column=ground.column,
        usual=ground.usual,
    )
    found = judge(counts, way, cache)
    surprise = found.surprise
    if parents is not None:
        surprise = siblings.together(found, counts, way, siblings.families(ground.column, parents), cache)
    reason = ground.reason[ground.cut.of[-way.last :]].copy()
    reason[~told[-way.last :] & (reason == Reason.JUDGED)] = Reason.SHORT_HISTORY
    reason[np.isnan(observed[-way.last :])] = Reason.NOT_REPORTED
    # or each sum that a step touches would say so again
    remarks = np.where(found.shifted & (way.window == 1), Remark.LEVEL_CHANGED, Remark.NONE)
    return judged(
        reason,
        observed=observed[-way.last :],
        expected=found.expected,
        lower=found.lower,
        upper=found.upper,
        surprise=surprise,
        above=found.above,
        remarks=remarks.astype(np.int8),
    )


def _among_others(scores: Scores, columns: npt.NDArray[np.intp], observed: Floats) -> Scores:
    """Return the scores of some columns among all, which are not judged."""

    def whole(part: Floats) -> Floats:
        numbers = np.full(observed.shape, np.nan)
        numbers[:, columns] = part
        return numbers

    reason = np.full(observed.shape, Reason.NOT_SUITED, dtype=np.int8)
    reason[:, columns] = scores.reason
    remarks = np.full(observed.shape, Remark.NONE, dtype=np.int8)
    remarks[:, columns] = scores.remarks
    return Scores(
        observed=observed,
        expected=whole(scores.expected),
        lower=whole(scores.lower),
        upper=whole(scores.upper),
        surprise=whole(scores.surprise),
        above=whole(scores.above),
        reason=reason,
        remarks=remarks,
    )
