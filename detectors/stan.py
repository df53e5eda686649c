"""Prophet itself, one series at a time: for models the panel does not solve, and to check it.

The only module that knows the package, and it imports it where it fits: that takes half a second.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.additive.columns import Columns
from detectors.additive.solve import Fitted
from detectors.panel import Dates, Floats
from detectors.spread import moments_of

if TYPE_CHECKING:
    import pandas as pd

BENT = 0.01  # a change of slope beyond this counts as a number that was fitted; Prophet's plots draw those

logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())  # without a handler it adds its own, which talks


@dataclass(frozen=True)
class Model:
    """What is fitted, in the words of the rule file."""

    engine: str = "panel"
    flexibility: float = 0.05
    growth: str = "linear"
    seasonality: str = "additive"
    cap: float | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """One fit: everything it depends on, so that equal tasks have equal outcomes."""

    dates: Dates  # (n,), those reported
    values: Floats  # (n,)
    special: Floats  # (n, C) zeros and ones
    names: tuple[str, ...]  # (C,)
    ahead: Dates  # (A,) dates forecast
    model: Model = Model()
    back: Dates = field(default_factory=lambda: np.empty(0, dtype="datetime64[D]"))  # (B,) last dates before them


def fitted(task: Task) -> Floats | None:
    """Return a line of ``Forecasts``: base, weight, past, effects, moments; None if Prophet gives up."""
    model = prophet_of(task)
    past, ahead = _frame(task.dates, task), _frame(task.ahead, task)
    past["y"] = task.values
    with contextlib.suppress(RuntimeError, ValueError, ArithmeticError):
        model.fit(past, seed=1)
        table = model.predict(ahead)  # without special days, since the frame of holidays ends before
        effects = np.array([_effect(model, name) for name in task.names])
        weight = table["trend"].to_numpy() if task.model.seasonality == "multiplicative" else np.ones(len(ahead))
        scale = 1.0 if task.model.seasonality == "multiplicative" else model.y_scale
        bends = (np.abs(model.params["delta"]) > BENT).sum()
        spent = np.array([2 + model.params["beta"].size + bends])
        within = model.predict(past)["yhat"].to_numpy()
        told = moments_of(task.values[:, None], within[:, None], spent)[0]
        fit = np.concatenate([table["yhat"].to_numpy(), weight, effects * scale, told])
        if np.isfinite(fit).all():
            said = dict(zip(task.dates.tolist(), within, strict=True))
            ends = len(task.ahead) + len(weight)
            return np.concatenate([fit[:ends], [said.get(day, np.nan) for day in task.back.tolist()], fit[ends:]])
    return None


def prophet_of(task: Task) -> Any:
    """Return a ``Prophet`` that has the task's model and is not fitted."""
    import pandas as pd

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it would rather draw, and says so on import
    from prophet import Prophet

    for talkative in ("prophet", "cmdstanpy"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)  # set again by its own import
    days = [
        (name, day) for name, column in zip(task.names, task.special.T, strict=True) for day in task.dates[column > 0]
    ]
    holidays = pd.DataFrame({"holiday": [name for name, _ in days], "ds": [day for _, day in days]}) if days else None
    words: dict[str, Any] = {"growth": task.model.growth, "seasonality_mode": task.model.seasonality}
    return Prophet(
        **words,
        changepoint_prior_scale=task.model.flexibility,
        holidays=None if holidays is None else holidays.astype({"ds": "datetime64[ns]"}),
        daily_seasonality=False,
        uncertainty_samples=0,
    )


def loaded(task: Task, columns: Columns, fit: Fitted, series: int) -> Any:
    """Return a ``Prophet`` that holds a fit of the panel's as if it had made it, to plot, predict and compare.

    Args:
        task: The series.
        columns: The window it was fitted in.
        fit: The panel's fit.
        series: Its number there.
    """
    model = prophet_of(task)
    past = _frame(task.dates, task)
    past["y"] = task.values
    needed = model.preprocess(past)
    seasons = [
        *(f"yearly_delim_{n + 1}" for n in range(columns.yearly)),
        *(f"weekly_delim_{n + 1}" for n in range(columns.weekly)),
    ]
    named = dict(zip([*seasons, *(f"{name}_delim_+0" for name in task.names)], fit.beta[series], strict=True))
    model.params = {
        "k": fit.k[series].reshape(1, 1),
        "m": fit.m[series].reshape(1, 1),
        "delta": fit.delta[series, : needed.S].reshape(1, -1),
        "sigma_obs": fit.sigma[series].reshape(1, 1),
        "beta": np.array([[named.get(column, 0.0) for column in needed.X.columns]]),
    }
    return model


def _frame(dates: Dates, task: Task) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame({"ds": dates.astype("datetime64[ns]")})
    if task.model.cap is not None:
        frame["cap"] = task.model.cap
    return frame


def _effect(model: Any, name: str) -> float:
    """Return the coefficient of a special day, 0 if the history had none."""
    if name not in model.train_component_cols:
        return 0.0
    return float(model.params["beta"][0, model.train_component_cols[name].to_numpy() == 1].sum())
