"""Forecast: is today's value beyond what Prophet expected of it a week ago?

Trend, weekday, year and the calendar's kinds of days, for a few daily series
with two or more years of history.  Fits cost a tenth of a second each, so use it
for a handful; extrapolates its trend, so look at ``outbreak`` beside it.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45.  The band is not
Prophet's: counts get a negative-binomial tail, amounts a gamma, others Student's t.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.fits import Beat, Cache, Fit, Task, fits_of
from detectors.panel import Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.tails import (
    Tails,
    count_bounds,
    count_tails,
    gamma_bounds,
    gamma_tails,
    student_bounds,
    student_tails,
    surprise,
)

ENOUGH = 365  # days of history
MONDAY = 4  # days from 1970-01-01, a Thursday, to a Monday


def forecast(
    panel: Panel,
    *,
    last: int = 1,
    fit_every: int = 7,
    history: int = 1095,
    alpha: float = 0.001,
    flexibility: float = 0.05,
    cache: Cache | None = None,
    spawned: bool = False,
    beat: Beat | None = None,
) -> Scores:
    """Compare each of the last dates with Prophet's forecast from the anchor day before it.

    Args:
        panel: Daily, (T, N), with ``holidays`` if the calendar is to count.  NaN days are left out of the fit.
        last: K, how many final dates to judge.
        fit_every: Days between fits.  Anchors count from a Monday, whatever the panel's first day, so that a
            replay fits on the days the service did; a fit sees only what lies before its anchor.
        history: Days before the anchor that are fitted, at least 365.
        alpha: Tail probability of each bound; surprise does not depend on it.
        flexibility: Prophet's ``changepoint_prior_scale``.
        cache: Fits made before, as text by content; new ones are put in.  Without it this process's own memory.
        spawned: Fit in processes of their own, which are ended when they take far too long.
        beat: Called now and then while they fit; raising from it ends them at once.

    Returns:
        Scores with (K, N) arrays.  The spread is that of the fit's residuals: for counts
        variance = mean + dispersion · mean², never below Poisson's.  Abstains with SHORT_HISTORY where a series
        began under 365 days before the anchor or under half of its days are reported; NOT_SUITED on weekly or
        monthly panels; FAILED where Prophet gives up or was ended, for that series and week alone.

    Raises:
        ValueError: if ``fit_every`` < 1, ``history`` < 365, ``alpha`` is not in (0, .5), ``flexibility`` <= 0,
            or the panel has fewer than ``last`` dates.
    """
    if fit_every < 1 or history < ENOUGH or not 0 < alpha < 0.5 or flexibility <= 0:
        raise ValueError(
            f"forecast needs fit_every >= 1, history >= {ENOUGH}, 0 < alpha < .5 and flexibility > 0,"
            f" found fit_every={fit_every}, history={history}, alpha={alpha}, flexibility={flexibility}"
        )
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    observed = panel.values[rows]
    if panel.frequency != "daily":
        nothing = np.full(observed.shape, np.nan)
        unsuited = np.full(observed.shape, Reason.NOT_SUITED, dtype=np.int8)
        return judged(unsuited, observed=observed, expected=nothing, lower=nothing, upper=nothing, surprise=nothing)

    since_anchor = (panel.dates[rows].astype(np.int64) - MONDAY) % fit_every
    tasks = {
        (int(anchor), column): task
        for anchor in np.unique(rows - since_anchor)
        for column in range(len(panel.series))
        if not np.isnan(observed[rows - since_anchor == anchor, column]).all()
        and (task := _task(panel, int(anchor), column, fit_every, history, flexibility)) is not None
    }
    fits = fits_of(tasks, cache=cache, spawned=spawned, beat=beat)
    numbers = np.full((6, *observed.shape), np.nan)  # expected, lower, upper, rise, fall, above
    reason = np.where(np.isnan(observed), Reason.NOT_REPORTED, Reason.JUDGED).astype(np.int8)
    days = _days(panel)
    for k, column in zip(*np.nonzero(reason == Reason.JUDGED), strict=True):
        place = (int(rows[k] - since_anchor[k]), int(column))
        if place not in tasks:
            reason[k, column] = Reason.SHORT_HISTORY
            continue
        fit = fits[place]
        if fit is None:
            reason[k, column] = Reason.FAILED
            continue
        mean = float(fit.ahead[since_anchor[k], days[rows[k]]])
        expected, bounds, tails = _predicted(observed[k, column], mean, fit, str(panel.kinds[column]), alpha)
        numbers[:, k, column] = expected, *bounds, *tails
    expected, lower, upper = numbers[:3]
    tails = Tails(*numbers[3:])
    return judged(
        reason,
        observed=observed,
        expected=expected,
        lower=lower,
        upper=upper,
        surprise=surprise(tails),
        above=tails.above,
    )


def _task(panel: Panel, anchor: int, column: int, ahead: int, history: int, flexibility: float) -> Task | None:
    """Return the fit before row ``anchor`` of one series, or None where its history is short."""
    rows = np.arange(max(anchor - history, 0), max(anchor, 0))
    rows = rows[~np.isnan(panel.values[rows, column])]
    began = int(first_reported(panel.values[:, [column]])[0])
    if anchor - began < ENOUGH or len(rows) < ENOUGH / 2:
        return None
    days = _days(panel)[rows]
    return Task(panel.dates[rows], panel.values[rows, column], days, panel.dates[anchor], ahead, flexibility)


def _days(panel: Panel) -> npt.NDArray[np.int8]:
    if panel.holidays is None:
        return np.zeros(len(panel.dates), dtype=np.int8)
    return np.asarray(panel.holidays, dtype=np.int8)


def _predicted(
    x: float, forecast_mean: float, fit: Fit, kind: str, alpha: float
) -> tuple[float, tuple[Floats, Floats], Tails]:
    """Return the expected value, the bounds and the tails of one cell."""
    squares, total, total_squares = (float(number) for number in fit.residuals)
    total_squares = max(total_squares, 1e-9)  # a series of nothing but noughts
    if kind not in ("count", "amount"):
        sd = max(np.sqrt(squares / fit.n), 1e-3 * abs(forecast_mean), 1e-9)
        return (
            forecast_mean,
            student_bounds(alpha, forecast_mean, sd, fit.n),
            student_tails(x, forecast_mean, sd, fit.n),
        )
    mean = max(forecast_mean, 0.1 * total / fit.n, 0.01)  # a line may cross zero, a rate does not
    if kind == "count":
        size = 1 / max((squares - total) / total_squares, 1e-10)
        return mean, count_bounds(alpha, mean, size), count_tails(x, mean, size)
    shape = 1 / max(squares / total_squares, 1e-6)
    return mean, gamma_bounds(alpha, mean, shape), gamma_tails(x, mean, shape)
