"""Series of many kinds on one calendar, and what Prophet itself makes of them, in its own terms."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from detectors.additive.columns import special_names
from detectors.panel import Dates, Floats
from detectors.stan import Task, prophet_of

FIRST = np.datetime64("2023-01-02")  # a Monday


def dates(n: int, step: int = 1) -> Dates:
    return np.asarray(FIRST + step * np.arange(n))


def special(days: Dates) -> Floats:
    """Return (T, C) a few of each special day, at places that do not repeat by the week."""
    count = len(special_names("daily"))
    found = np.zeros((len(days), count))
    for kind in range(count):
        found[17 + 5 * kind :: 97 + 6 * kind, kind] = 1
    return found


def counts(days: int = 1095, n: int = 6, seed: int = 3) -> Floats:
    """Return (T, n) overdispersed counts with weekday, season, a trend that bends and a holiday effect."""
    rng = np.random.default_rng(seed)
    day = np.arange(days)[:, None]
    year = 0.3 * np.sin(2 * np.pi * (day / 365.25 + rng.random(n)))
    bend = rng.normal(0, 0.5, n) * day / 1000 + rng.normal(0, 1.5, n) * np.maximum(day - days * rng.random(n), 0) / 1000
    week = np.where(day % 7 < 5, 0.1, -0.3)
    mean = 10 ** rng.uniform(-0.3, 2.3, n) * np.exp(year + week + bend - 0.4 * special(dates(days))[:, :1])
    return rng.negative_binomial(6, 6 / (6 + mean)).astype(float)


def odd(days: int = 1095) -> dict[str, Floats]:
    """Return series that a model may stumble over."""
    rng = np.random.default_rng(8)
    noise, day = rng.normal(size=days), np.arange(days)
    return {
        "all zero": np.zeros(days),
        "always five": np.full(days, 5.0),
        "always minus two": np.full(days, -2.0),
        "a million and noise": 1e6 + noise,
        "a billion and noise": 1e9 + noise,
        "tiny": 1e-9 * (3 + noise),
        "below zero": -50 + 5 * noise,
        "one event": np.where(day == days // 2, 1.0, 0.0),
        "a step": np.where(day < days // 2, 3.0, 9.0),
        "hardly any noise": np.where(day % 7 < 5, 1.0, 0.0) + 1e-4 * noise,
        "a spike beyond all": np.where(day == days // 3, 1e12, rng.poisson(4, days)),
    }


def with_gaps(values: Floats, share: float = 0.05, seed: int = 4) -> Floats:
    """Return a copy with days missing, different ones in each series."""
    return np.where(np.random.default_rng(seed).random(values.shape) < share, np.nan, values)


def task_of(panel_dates: Dates, values: Floats, days: Floats, frequency: str = "daily") -> Task:
    """Return the fit of one series as Prophet's."""
    rows = ~np.isnan(values)
    return Task(panel_dates[rows], values[rows], days[rows], special_names(frequency), panel_dates[-1:] + 1)


@dataclasses.dataclass(frozen=True)
class Stan:
    """A model as Prophet hands it to Stan, and what Stan's program computes of it."""

    model: Any
    given: dict[str, Any]

    def log_posterior(self, k: float, m: float, delta: Floats, beta: Floats, sigma: float) -> float:
        """Return what the Stan file says, line by line."""
        t, y, x = (np.asarray(self.given[name], dtype=float) for name in ("t", "y", "X"))
        cuts, scales = np.asarray(self.given["t_change"]), np.asarray(self.given["sigmas"])
        past = (t[:, None] >= cuts).astype(float)
        trend = (k + past @ delta) * t + m + past @ (-cuts * delta)
        return float(
            -(k**2) / (2 * 5**2)
            - m**2 / (2 * 5**2)
            - np.abs(delta).sum() / self.given["tau"]
            - sigma**2 / (2 * 0.5**2)
            - (beta**2 / (2 * scales**2)).sum()
            - len(y) * np.log(sigma)
            - ((y - trend - x @ beta) ** 2).sum() / (2 * sigma**2)
        )

    def of_params(self, params: dict[str, Any]) -> float:
        one = {name: np.ravel(np.asarray(value)) for name, value in params.items()}
        return self.log_posterior(one["k"][0], one["m"][0], one["delta"], one["beta"], one["sigma_obs"][0])


def stan_of(task: Task) -> Stan:
    """Return what Prophet would hand to Stan; nothing is fitted."""
    model = prophet_of(task)
    return Stan(model, dataclasses.asdict(model.preprocess(frame(task))))


def frame(task: Task) -> Any:
    import pandas as pd

    return pd.DataFrame({"ds": task.dates.astype("datetime64[ns]"), "y": task.values})
