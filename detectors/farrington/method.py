"""How ``outbreak`` uses Farrington's regression: as it is, or as the mean its level filter follows.

As it is, each date has a regression of its own, and the tails are those of R's ``farringtonFlexible``.

Under the level filter the regressions are made at calendar anchors, since the filter needs the mean of every past date
too.  A season with few events is drawn to the mean of its year: a regression believes that there was nothing in seven
weeks of five years, and that one event more is a sensation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from detectors.blocks import Blocks
from detectors.farrington.anniversaries import STEPS, Seasons, layout
from detectors.farrington.exceedance import exceedance
from detectors.farrington.regression import TREND_LEVELS, Design, foreseen
from detectors.panel import Floats, Panel, Reason, Scores, judged
from detectors.tails import surprise
from detectors.windows import rolled

BELIEVED = 10.0  # events of a season at which its difference from the rest of the year is believed half
HALF = 0.5  # event in place of none
SEASONS = {"weekly": Seasons(3, 10, 26), "monthly": Seasons(1, 4, 6)}
AHEAD = {"weekly": 2, "monthly": 0}  # steps from an anchor to the date its regression is made for


def design_of(
    frequency: str,
    years: int,
    half_window: int | None,
    periods: int | None,
    left_out: int | None,
    calendar: bool,
    trend: str,
    down: float,
) -> Design | None:
    """Return the regression a rule asks for, with what is usual for the frequency; None where there is none: daily.

    Raises:
        ValueError: if a number is out of range, the trend is unknown, or the seasons do not fit into a year.
    """
    small = [
        number is not None and number < least
        for number, least in ((years, 1), (half_window, 0), (periods, 1), (left_out, 0), (down, 0))
    ]
    if any(small) or trend not in TREND_LEVELS:
        raise ValueError(
            f"farrington needs years >= 1, half_window >= 0, periods >= 1, left_out >= 0, down >= 0 and a trend of"
            f" {', '.join(TREND_LEVELS)}, found {years}, {half_window}, {periods}, {left_out}, {down}, {trend!r}"
        )
    usual = SEASONS.get(frequency, SEASONS["weekly"])  # a rule is tried on a daily panel before it is used
    seasons = Seasons(
        usual.half_window if half_window is None else half_window,
        usual.periods if periods is None else periods,
        usual.left_out if left_out is None else left_out,
    )
    layout((STEPS.get(frequency, STEPS["weekly"]),), seasons)
    return Design(years, seasons, calendar, trend, down) if frequency in SEASONS else None


def by_regression(
    panel: Panel, values: Floats, design: Design, windows: Sequence[int], *, last: int, predictive: str, alpha: float
) -> list[Scores]:
    """Return the scores of sums that end on each of the last dates.

    Args:
        panel: For its dates and frequency, weekly or monthly.
        values: (T, N) counts, NaN where not reported.
        design: The regression.
        windows: Steps summed, for each of the scores.
        last: K.
        predictive: "plugin", "delta" or "muan".
        alpha: Tail probability of each bound.
    """
    rows = np.arange(max(len(values) - last - max(windows) + 1, 0), len(values))
    told = foreseen(values, rows, panel.dates[rows], str(panel.frequency), design)
    failed = told.reason == Reason.FAILED
    means = np.where(failed, np.nan, told.mean)  # what an iteration was left at is no mean
    each = []
    for window in windows:
        mean = rolled(means, window)[-last:]
        sd = rolled(means * told.sd, window)[-last:] / mean  # they err together
        observed = rolled(values, window)[-last:]
        reason = told.reason[-last:].astype(np.int8)
        reason[np.isnan(mean) & (reason == Reason.JUDGED)] = Reason.SHORT_HISTORY
        reason[rolled(failed.astype(np.float64), window)[-last:] > 0] = Reason.FAILED
        reason[np.isnan(observed)] = Reason.NOT_REPORTED
        found = exceedance(observed, mean, sd, told.dispersion[-last:], predictive=predictive, alpha=alpha)
        each.append(
            judged(
                reason,
                observed=observed,
                expected=mean,
                lower=found.lower,
                upper=found.upper,
                surprise=surprise(found.tails),
                above=found.tails.above,
            )
        )
    return each


def regressed_means(panel: Panel, values: Floats, cut: Blocks, design: Design) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return (T, N) what each value was expected to be at the anchor before it, NaN for nothing; and (J, N) why not."""
    frequency, ahead = str(panel.frequency), AHEAD[str(panel.frequency)]
    seasons = replace(design.seasons, left_out=design.seasons.left_out + ahead)
    dates = panel.dates[cut.first] + np.timedelta64(7 * ahead, "D")
    told = foreseen(values, cut.first + ahead, dates, frequency, replace(design, seasons=seasons))  # (J, N)
    year = np.maximum(told.year, HALF / (told.seen + 1))
    season = (BELIEVED + told.own * told.mean) / (BELIEVED / year + told.own)
    from_middle = np.arange(len(values)) - (cut.first + ahead)[cut.of]
    growth = np.exp(np.nan_to_num(told.slope)[cut.of] * from_middle[:, None])
    reason = np.where(np.isnan(season), told.reason, Reason.JUDGED).astype(np.int8)
    return season[cut.of] * growth, reason
