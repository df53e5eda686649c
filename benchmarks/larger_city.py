"""A city of as many districts as wanted, with the shipped catalogue and rules and three made-up years in its store.

The first eleven districts are simulated, faults and shocks included; the others are drawn anew round what
is expected of one of them, quiet, complete and on time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from warning.city import City
from warning.config import load_config
from warning.demo import DAYS, TODAY, demo_values, set_clock
from warning.layout import lay_out, set_values
from warning.model import Rows, SeriesKey
from warning.service import Service, open_service
from warning.simulate import Plan, simulate
from warning.store import feed

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(minutes=30)  # 07:30 in Guangzhou
SIZE = 12.0  # of the negative binomials counts are drawn from
ROWS_A_FILE = 400_000


def lay_city(folder: Path, districts: int) -> Path:
    """Lay a deployment whose city has so many districts, at least eleven and no streets; return its configuration."""
    folder.mkdir(parents=True)
    lay_out(folder)
    places, population = folder / "city" / "places.csv", folder / "city" / "population.csv"
    rows = [row for row in _rows(places) if row[3] != "street"]
    counted = [row for row in _rows(population) if row[0] in {"place", *(place[0] for place in rows)}]
    known = [row for row in rows if row[3] == "district"]
    extra = [f"x{number:04d}" for number in range(districts - len(known))]
    rows += [[code, f"第{code[1:]}区", f"District {code[1:]}", "district", rows[1][0]] for code in extra]
    counted += [[code, "resident", "2020", "1000000"] for code in extra]
    _write(places, rows)
    _write(population, counted)
    for name in ("neighbours.csv", "outline.json", "breaks.toml"):
        (folder / "city" / name).unlink(missing_ok=True)
    config = folder / "config.toml"
    set_values(config, demo_values(load_config(config)))
    set_clock(folder, NOW)
    return config


def filled(config: Path) -> Service:
    """Open the deployment with three years of the watched indicators in its store."""
    service = open_service(config)
    for rows in _files(service.city):
        with service.store.write():
            feed.import_rows(service.store, rows, feed="larger city", received=NOW)
    return service


def _files(city: City) -> Iterator[Rows]:
    """Yield the rows as files of some months each."""
    watched = {indicator.id: indicator for indicator in city.watched()}
    first = [place.code for place in city.at_tier("district") if not place.code.startswith("x")]
    extra = [place.code for place in city.at_tier("district") if place.code.startswith("x")]
    small = replace(city, indicators=watched, places={code: city.places[code] for code in (city.root, *first)})
    told = simulate(small, Plan(TODAY - timedelta(days=DAYS), DAYS, shocks=8)).rows
    yield from _of_table(told)
    generator = np.random.default_rng(3)
    known = told.drop_duplicates(["indicator", "place", "date"], keep="last")
    expected = dict(iter(known.groupby(["indicator", "place"], observed=True)))
    for number, code in enumerate(extra):
        like = first[number % len(first)]
        parts = [_drawn(expected[name, like], name, watched[name].kind, generator) for name in watched]
        yield _of_district(code, parts, number)


def _drawn(
    known: pd.DataFrame, name: str, kind: str, generator: np.random.Generator
) -> tuple[str, npt.NDArray[np.datetime64], npt.NDArray[np.float64]]:
    mean = np.maximum(known["expected"].to_numpy(), 1e-6)
    if kind == "count":
        values = generator.negative_binomial(SIZE, SIZE / (SIZE + mean)).astype(np.float64)
    elif kind == "amount":
        values = np.round(mean * generator.gamma(4.0, 0.25, len(mean)), 2)
    else:
        off = known["value"].to_numpy() - mean
        values = np.maximum(np.round(mean + generator.permutation(off), 2), 0.0)
    return name, known["date"].to_numpy().astype("datetime64[D]"), values


def _of_table(told: pd.DataFrame) -> Iterator[Rows]:
    keys = list(dict.fromkeys(map(SeriesKey, told["indicator"], told["place"])))
    number = {key: n for n, key in enumerate(keys)}
    series = np.array([number[key] for key in map(SeriesKey, told["indicator"], told["place"])], dtype=np.int64)
    received = np.array(told["received_at"].astype("int64"), dtype=np.int64)
    for start in range(0, len(told), ROWS_A_FILE):
        part = slice(start, start + ROWS_A_FILE)
        yield _as_rows(
            f"first-{start}",
            tuple(keys),
            series[part],
            told["date"].to_numpy().astype("datetime64[D]")[part],
            told["value"].to_numpy(dtype=np.float64)[part],
            received[part],
        )


def _of_district(
    code: str, parts: list[tuple[str, npt.NDArray[np.datetime64], npt.NDArray[np.float64]]], number: int
) -> Rows:
    dates = np.concatenate([days for _, days, _ in parts])
    weekly = np.concatenate(
        [np.full(len(days), np.median(np.diff(np.sort(days)).astype(int)) > 1) for _, days, _ in parts]
    )
    ends = dates + np.where(weekly, 7, 1)
    return _as_rows(
        f"extra-{number}",
        tuple(SeriesKey(name, code) for name, _, _ in parts),
        np.repeat(np.arange(len(parts), dtype=np.int64), [len(days) for _, days, _ in parts]),
        dates,
        np.concatenate([values for _, _, values in parts]),
        (ends.astype("datetime64[s]") - np.timedelta64(2, "h")).astype(
            np.int64
        ),  # 06:00 of the day after, by the city's clocks
    )


def _as_rows(
    name: str,
    keys: tuple[SeriesKey, ...],
    series: npt.NDArray[np.int64],
    dates: npt.NDArray[np.datetime64],
    values: npt.NDArray[np.float64],
    received: npt.NDArray[np.int64],
) -> Rows:
    late = np.zeros(len(series), dtype=bool)
    return Rows(name, f"larger city {name}", keys, series, dates, values, received, late, ())


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def day_of(back: int) -> date:
    """Return a data date: 1 is yesterday."""
    return TODAY - timedelta(days=back)
