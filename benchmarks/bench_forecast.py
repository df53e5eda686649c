"""How fast Prophet's model is for a whole panel, beside Prophet itself; and how often it is surprised on quiet feeds.

    nice python -m benchmarks.bench_forecast [--peers]

1,095 daily points a series, weekly and yearly season, special days.  Times are processor time, that of child
processes too, so a busy machine changes them little.  ``--peers`` installs statsforecast and statsmodels into
environments of their own and times them on the same series; without it they are named as not run.  The real
feeds are those of ``benchmarks/real_feeds.py``.
"""

from __future__ import annotations

import resource
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.real_feeds import feeds
from detectors.additive.columns import Columns, columns_of, special_days, special_names
from detectors.additive.posterior import steepness
from detectors.additive.solve import fit
from detectors.forecast import forecast
from detectors.panel import DayKind, Panel
from detectors.stan import Task, loaded, prophet_of

MONDAY = np.datetime64("2026-01-05")  # an anchor: what lies before is fitted
SERIES, DAYS, SAMPLE = 484, 1095, 10
FASTER, FLAT = 1_000, 1e-6  # to be reached: times a Prophet loop, and the steepest slope that may be left
LARGEST = 1_000  # series of a feed that are judged


def main() -> int:
    """Print the figures; return 1 if a target is missed."""
    whole = simulated(SERIES, DAYS)
    one = _prophet_loop(whole)
    missed = False
    ours = 0.0
    for name, panel in (("5 % missing, each its own days", simulated(SERIES, DAYS, gaps=0.05)), ("no gaps", whole)):
        columns, past = _columns(panel), panel.until(DAYS)
        fits = _seconds(partial(fit, columns, past.values)) / SERIES
        ours = _seconds(partial(forecast, panel)) / SERIES
        steepest = max(
            float(steepness(fit(columns, past.values, chunk=chunk), columns, past.values).max())
            for chunk in (10, 100, 1_000)
        )
        print(
            f"panel, {SERIES} series, {name}: fit {1e6 * fits:.0f} µs a series, with bands {1e6 * ours:.0f} µs,"
            f" a Prophet loop takes {one / ours:,.0f} times as long;"
            f" steepest slope left, 10, 100 or 1,000 at once: {steepest:.0e}"
        )
        missed |= one / ours < FASTER or steepest > FLAT
    peers.report(whole.values[:DAYS, :SAMPLE], ours, asked="--peers" in sys.argv)
    for series, days in ((100, DAYS), (1_452, DAYS), (23_232, DAYS), (SERIES, 365), (SERIES, 730), (SERIES, 2_190)):
        _growth(series, days)
    _real_feeds()
    return int(missed)


def simulated(series: int, days: int, gaps: float = 0.0) -> Panel:
    """Return overdispersed counts of means from 1 to 300 with week, year, bends and holidays, and one more date."""
    rng = np.random.default_rng(11)
    rows = days + 1
    day = np.arange(rows)[:, None]
    holidays = np.zeros(rows, dtype=np.int8)
    for kind in (DayKind.HOLIDAY, DayKind.SPRING_FESTIVAL, DayKind.MAKE_UP_WORKDAY, DayKind.FAIR):
        holidays[rng.choice(days, days // 60, replace=False)] = kind
    festival = ((np.arange(rows) + 340) % 355 - 177).astype(np.int16)
    year = 0.3 * np.sin(2 * np.pi * (day / 365.25 + rng.random(series)))
    bend = rng.normal(0, 0.7, series) * np.maximum(day / days - rng.random(series), 0)
    week = np.where((day - days) % 7 < 5, 0.1, -0.3) - 0.3 * (holidays == DayKind.HOLIDAY)[:, None]
    mean = 10 ** rng.uniform(0, 2.5, series) * np.exp(year + bend + week)
    values = rng.negative_binomial(8, 8 / (8 + mean)).astype(float)
    values[:days][rng.random((days, series)) < gaps] = np.nan
    dates = MONDAY + np.arange(-days, 1)
    return Panel(dates, range(series), values, "daily", holidays=holidays, festival=festival)


def _columns(panel: Panel) -> Columns:
    past = panel.until(len(panel.dates) - 1)
    return columns_of(past.dates, "daily", special_days(past))


def _prophet_loop(panel: Panel) -> float:
    """Fit a sample by Prophet itself; print cost and how far below ours its posteriors lie; return seconds a series."""
    past, columns = panel.until(DAYS), _columns(panel)
    special = special_days(past)
    fitted = fit(columns, past.values)
    costs, behind = [], []
    for series in [0, *np.linspace(0, SERIES - 1, SAMPLE).astype(int).tolist()]:  # the first to warm up
        task = Task(past.dates, past.values[:, series], special, special_names("daily"), panel.dates[-1:])
        begin = _spent()
        theirs = _fitted(task)
        costs.append(_spent() - begin)
        behind.append(_log_posterior(loaded(task, columns, fitted, series)) - _log_posterior(theirs))
    costs.pop(0)
    print(
        f"Prophet, a loop over {SAMPLE} of {SERIES} series: fit and 80 % band {1e3 * np.mean(costs):.0f} ms a series;"
        f" its log posteriors lie {min(behind):.2g} to {max(behind):.2g} below the panel's"
    )
    assert min(behind) >= 0
    return float(np.mean(costs))


def _fitted(task: Task) -> Any:
    import pandas as pd

    model = prophet_of(task)
    model.uncertainty_samples = 1_000  # Prophet's default
    model.fit(pd.DataFrame({"ds": task.dates.astype("datetime64[ns]"), "y": task.values}), seed=1)
    model.predict(pd.DataFrame({"ds": task.ahead.astype("datetime64[ns]")}))
    return model


def _log_posterior(model: Any) -> float:
    """Return the log posterior of a ``Prophet`` by its own prediction of the past."""
    k, m, sigma = (float(np.ravel(model.params[name])[0]) for name in ("k", "m", "sigma_obs"))
    model.uncertainty_samples = 0
    residuals = (model.history["y"] - model.predict(model.history[["ds"]])["yhat"]).to_numpy() / model.y_scale
    delta, beta = np.ravel(model.params["delta"]), np.ravel(model.params["beta"])
    priors = (k**2 + m**2) / 50 + np.abs(delta).sum() / 0.05 + (beta**2).sum() / 200 + 2 * sigma**2
    return float(-len(residuals) * np.log(sigma) - (residuals**2).sum() / (2 * sigma**2) - priors)


def _growth(series: int, days: int) -> None:
    panel = simulated(series, days, gaps=0.01)
    begin = _spent()
    forecast(panel, history=days)
    cost = _spent() - begin
    tracemalloc.start()  # it slows what it looks at
    forecast(panel, history=days)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"forecast of {series:,} series x {days:,} days, 1 % missing: {cost:.2f} s,"
        f" {1e6 * cost / series:.0f} µs a series,"
        f" {peak / 2**20:.0f} MB beside the panel's {panel.values.nbytes / 2**20:.0f} MB"
    )


def _real_feeds() -> None:
    """Print the share of quiet cells beyond a surprise: a fit each Monday, from two years on."""
    for feed, real in feeds("daily", "weekly"):
        some, two_years = real.sample(LARGEST), 730 if feed.frequency == "daily" else 104
        scores = forecast(some.panel, last=len(some.panel.dates) - two_years)
        (cells, two, _), (_, three, gated) = some.beyond(scores, 2), some.beyond(scores, 3)
        print(
            f"{feed.name}, {len(some.places):,} series, {cells:,} quiet cells: beyond surprise 2 {two:.2%},"
            f" beyond 3 {three:.2%}, gated {gated:.2%}"
        )


def _seconds(work: Callable[[], object]) -> float:
    """Return the least processor time of three runs."""
    found = []
    for _ in range(3):
        begin = _spent()
        work()
        found.append(_spent() - begin)
    return min(found)


def _spent() -> float:
    """Return the processor time of this process and of its children that ended, in seconds."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.exit(main())
