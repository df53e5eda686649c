"""Forecast: is today's value beyond what Prophet expected of it a week ago?

Trend, weekday, year and the calendar's kinds of days, for a few daily series
with two or more years of history.  Fits cost a tenth of a second each, so use it
for a handful; extrapolates its trend, so look at ``outbreak`` beside it.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45.  The band is not
Prophet's: counts get a negative-binomial tail, amounts a gamma, others Student's t.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Lock

import numpy as np
import numpy.typing as npt

from detectors.panel import DayKind, Floats, Panel, Reason, Scores, checked_last, first_reported, judged
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
PROCESSES = 2
WORTH_A_POOL = 40  # fits; starting the processes costs as much as forty fits
REMEMBERED = 2_000  # fits, a few hundred bytes each

logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())  # without a handler it adds its own, which talks


@dataclass(frozen=True, eq=False)
class Task:
    """One fit: everything it depends on, so that equal tasks have equal outcomes."""

    dates: npt.NDArray[np.datetime64]  # (n,), those reported
    values: Floats  # (n,)
    days: npt.NDArray[np.int8]  # (n,) DayKind
    anchor: np.datetime64  # the first day forecast
    ahead: int  # days forecast
    flexibility: float

    @property
    def key(self) -> bytes:
        """A hash of the content."""
        head = repr((str(self.anchor), self.ahead, self.flexibility)).encode()
        parts = (self.dates.astype("datetime64[D]").tobytes(), self.values.tobytes(), self.days.tobytes())
        return hashlib.blake2b(b"|".join((head, *parts)), digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class Fit:
    """What Prophet expects of each day ahead under each kind of day, and how far off it was."""

    ahead: Floats  # (days, kinds of DayKind)
    residuals: Floats  # three numbers: sum of squares, sum of fitted, sum of fitted²
    n: int


# Fits already made, by content: a memory that can change no answer, shared by all callers of a process.
_known: OrderedDict[bytes, Fit | None] = OrderedDict()
_lock = Lock()


def forecast(
    panel: Panel,
    *,
    last: int = 1,
    fit_every: int = 7,
    history: int = 1095,
    alpha: float = 0.001,
    flexibility: float = 0.05,
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

    Returns:
        Scores with (K, N) arrays.  The spread is that of the fit's residuals: for counts
        variance = mean + dispersion · mean², never below Poisson's.  Abstains with SHORT_HISTORY where a series
        began under 365 days before the anchor or under half of its days are reported; NOT_SUITED on weekly or
        monthly panels; FAILED where Prophet gives up, for that series and week alone.

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
    fits = _fitted(tasks)
    numbers = np.full((6, *observed.shape), np.nan)  # expected, lower, upper, rise, fall, above
    reason = np.where(np.isnan(observed), Reason.NOT_REPORTED, Reason.JUDGED).astype(np.int8)
    days = _days(panel)
    for k, column in zip(*np.nonzero(reason == Reason.JUDGED), strict=True):
        place = (int(rows[k] - since_anchor[k]), int(column))
        if place not in fits:
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


def _fitted(tasks: Mapping[tuple[int, int], Task]) -> dict[tuple[int, int], Fit | None]:
    """Return the fit of every task, from memory where it is known; None where Prophet gave up."""
    keys = {place: task.key for place, task in tasks.items()}
    with _lock:
        found = {key: _known[key] for key in keys.values() if key in _known}
    missing = {key: tasks[place] for place, key in keys.items() if key not in found}
    fresh = dict(zip(missing, all_fits(list(missing.values())), strict=True))
    with _lock:
        _known.update(fresh)
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    found.update(fresh)
    return {place: found[key] for place, key in keys.items()}


def all_fits(tasks: Sequence[Task], *, worth_a_pool: int = WORTH_A_POOL) -> list[Fit | None]:
    """Return the fit of every task in order, in spawned processes from ``worth_a_pool`` tasks on."""
    if len(tasks) < worth_a_pool:
        return [fitted(task) for task in tasks]
    # spawned: a forked child would inherit the service's threads, locks and database
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return [_outcome(future) for future in [pool.submit(fitted, task) for task in tasks]]


def _outcome(future: Future[Fit | None]) -> Fit | None:
    try:
        return future.result()
    except BrokenProcessPool:  # the system ended a process, for want of memory say
        return None


def fitted(task: Task) -> Fit | None:
    """Return Prophet's fit, or None if it gives up."""
    import pandas as pd

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it would rather draw, and says so on import
    from prophet import Prophet

    for talkative in ("prophet", "cmdstanpy"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)  # set again by its own import

    # A kind of day is a column of its own with Prophet's prior for holidays; a kind the history lacks has no effect.
    seen = [kind for kind in DayKind if kind is not DayKind.ORDINARY and (task.days == kind).any()]
    model = Prophet(changepoint_prior_scale=task.flexibility, uncertainty_samples=0, daily_seasonality=False)
    for kind in seen:
        model.add_regressor(kind.name, prior_scale=10.0, standardize=False)
    past = pd.DataFrame({"ds": task.dates.astype("datetime64[ns]"), "y": task.values})
    to_come = task.anchor + np.repeat(np.arange(task.ahead), len(DayKind))
    ahead = pd.DataFrame({"ds": to_come.astype("datetime64[ns]")})
    for kind in seen:
        past[kind.name] = (task.days == kind).astype(float)
        ahead[kind.name] = np.tile(np.arange(len(DayKind)) == kind, task.ahead).astype(float)
    with contextlib.suppress(RuntimeError, ValueError, ArithmeticError):
        model.fit(past, seed=1)
        mean = np.maximum(model.predict(past)["yhat"].to_numpy(), 0.0 if (task.values >= 0).all() else -np.inf)
        residuals = np.array([((task.values - mean) ** 2).sum(), mean.sum(), (mean**2).sum()])
        table = model.predict(ahead)["yhat"].to_numpy().reshape(task.ahead, len(DayKind))
        if np.isfinite(residuals).all() and np.isfinite(table).all():
            return Fit(table, residuals, len(past))
    return None
