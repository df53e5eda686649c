"""The shipped city with a made-up past, as the panels a replay reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from warning.model import SeriesKey
from warning.paths import shipped
from warning.scoring import Known, keys_of
from warning.service import Deployment, load_deployment
from warning.simulate import Plan, Simulated, simulate

LAST = date(2026, 11, 22)  # a Sunday
WINDOW = 3 * 366 + 28  # days a sweep looks back at most


def shipped_deployment() -> Deployment:
    return load_deployment(shipped("config.toml"))


def past_of(deployment: Deployment, *, judged: int, seed: int, shocks: int, faults: bool = False) -> Simulated:
    """Make up the past of the watched indicators: three years, and the days to be judged after them."""
    watched = {name: indicator for name, indicator in deployment.city.indicators.items() if indicator.watch}
    days = WINDOW + judged
    plan = Plan(LAST - timedelta(days=days - 1), days, seed=seed, shocks=shocks, shock_days=judged, faults=faults)
    return simulate(replace(deployment.city, indicators=watched), plan)


def panels_of(deployment: Deployment, past: Simulated) -> dict[str, Known]:
    """Return every judged series over the whole past, each value as it was known in the end."""
    told = past.rows.drop_duplicates(["indicator", "place", "date"], keep="last")
    values = told.set_index(["indicator", "place", "date"])["value"].sort_index()
    panels = {}
    for frequency, step in (("daily", 1), ("weekly", 7)):
        keys = keys_of(deployment, frequency)
        first = past.plan.first + timedelta(days=-past.plan.first.weekday() % step)
        dates = np.arange(np.datetime64(first), np.datetime64(past.plan.last) - (step - 2), step)
        table = np.column_stack([values.loc[key].reindex(dates).to_numpy() for key in keys])
        panels[frequency] = Known(frequency, dates, keys, table, {SeriesKey(*key): n for n, key in enumerate(keys)})
    return panels
