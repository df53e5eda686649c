"""The model of the whole panel on both example cities: on the top of every series' posterior, never below Prophet's."""

from __future__ import annotations

import csv
import gzip
from functools import cache

import numpy as np
import pytest
from prophet_panels import frame, stan_of
from simulated_city import panels_of, past_of, shipped_deployment

from detectors.additive.columns import Columns, columns_of, special_days, special_names
from detectors.additive.posterior import steepness
from detectors.additive.solve import Fitted, fit
from detectors.panel import Panel
from detectors.stan import Task, loaded, prophet_of
from examples.dengue.run import CASES

SAMPLE = 4  # series of each panel that Prophet itself fits; all of them in `make soak`
CITIES = ("Guangzhou daily", "Guangzhou weekly", "dengue")

every_city = pytest.mark.parametrize("city", CITIES)


@cache
def guangzhou() -> dict[str, Panel]:
    """Return the simulated city's judged series, with the faults feeds have."""
    deployment = shipped_deployment()
    calendar = deployment.calendar
    found = {}
    for frequency, known in panels_of(deployment, past_of(deployment, judged=1, seed=7, shocks=3, faults=True)).items():
        kinds = calendar.kinds(known.dates) if frequency == "daily" else None
        away = calendar.festival(known.dates)
        found[frequency] = Panel(known.dates, known.keys, known.values, frequency, holidays=kinds, festival=away)
    return found


@cache
def dengue() -> Panel:
    """Return the weekly cases of the townships."""
    with gzip.open(CASES, "rt", encoding="utf-8") as file:
        rows = {(row["place"], row["date"]): float(row["value"]) for row in csv.DictReader(file)}
    places, dates = (sorted({key[part] for key in rows}) for part in (0, 1))
    values = np.array([[rows.get((place, date), np.nan) for place in places] for date in dates])
    return Panel(np.array(dates, dtype="datetime64[D]"), places, values, "weekly")


def panel_of(city: str) -> Panel:
    return dengue() if city == "dengue" else guangzhou()[city.split()[1]]


@cache
def fitted_in(city: str, chunk: int) -> tuple[Columns, Fitted]:
    panel = panel_of(city)
    columns = columns_of(panel.dates, str(panel.frequency), special_days(panel))
    return columns, fit(columns, panel.values, chunk=chunk)


@every_city
@pytest.mark.parametrize("chunk", [13, 100, 1000])
def test_every_series_is_fitted_to_the_top(city: str, chunk: int) -> None:
    columns, fitted = fitted_in(city, chunk)

    assert fitted.ended.all()
    assert steepness(fitted, columns, panel_of(city).values).max() < 1e-6


@every_city
def test_the_chunk_changes_no_forecast(city: str) -> None:
    columns, fitted = fitted_in(city, 13)

    np.testing.assert_allclose(fitted_in(city, 1000)[1].within(columns), fitted.within(columns), rtol=1e-6, atol=1e-6)


@every_city
def test_no_posterior_is_below_prophets(city: str) -> None:
    compare(city, np.linspace(0, len(panel_of(city).series) - 1, SAMPLE).astype(int).tolist())


@pytest.mark.soak
@every_city
def test_no_posterior_at_all_is_below_prophets(city: str) -> None:
    compare(city, list(range(len(panel_of(city).series))))


def compare(city: str, series: list[int]) -> None:
    panel, (columns, fitted) = panel_of(city), fitted_in(city, 1000)
    special, names = special_days(panel), special_names(str(panel.frequency))
    below = []
    for one in series:
        rows = ~np.isnan(panel.values[:, one])
        task = Task(panel.dates[rows], panel.values[rows, one], special[rows], names, panel.dates[-1:] + 1)
        stan = stan_of(task)
        ours = stan.of_params(loaded(task, columns, fitted, one).params)
        theirs = stan.of_params(prophet_of(task).fit(frame(task), seed=1).params)
        if ours < theirs:
            below.append((panel.series[one], ours, theirs))
    assert not below
