from __future__ import annotations

import base64
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import detectors
from detectors.additive.columns import special_names
from detectors.fits import all_fits
from detectors.forecast import forecast
from detectors.forecasts import Window, forecasts_of
from detectors.panel import FAR, DayKind, Panel, Reason
from detectors.stan import Model, Task, fitted

MONDAY = np.datetime64("2022-01-03")

engines = pytest.mark.parametrize("engine", ["panel", "stan"])


def panel_of(*series: np.ndarray, first: np.datetime64 = MONDAY, **more: object) -> Panel:
    values = np.array(series, dtype=float).T
    return Panel(first + np.arange(len(values)), range(len(series)), values, **more)  # type: ignore[arg-type]


def counts(mean: float = 40.0, days: int = 420, seed: int = 1) -> np.ndarray:
    week = np.where(np.arange(days) % 7 < 5, 1.1, 0.75)
    return np.random.default_rng(seed).poisson(mean * week).astype(float)


def task_of(values: np.ndarray, flexibility: float = 0.05) -> Task:
    days = MONDAY + np.arange(len(values))
    nothing = np.zeros((len(values), 8))
    return Task(
        days,
        values,
        nothing,
        special_names("daily"),
        days[-1] + np.arange(1, 8),
        Model("stan", flexibility=flexibility),
    )


def window_of(
    *series: np.ndarray, special: np.ndarray | None = None, ahead: int = 7, first: np.datetime64 = MONDAY
) -> Window:
    values = np.array(series).T
    nothing = np.zeros((len(values), 8))
    return Window(first + np.arange(len(values)), values, nothing if special is None else special, "daily", ahead)


@engines
def test_the_week_ahead_is_expected_with_its_weekend(engine: str) -> None:
    scores = forecast(panel_of(counts()), last=7, engine=engine)

    assert scores.expected[:5, 0] == pytest.approx([44] * 5, rel=0.08)
    assert scores.expected[5:, 0] == pytest.approx([30] * 2, rel=0.08)
    assert (np.abs(scores.surprise) < 2.5).all()


def test_half_as_many_again_is_a_surprise_and_lies_above_the_band() -> None:
    values = counts(100)
    values[-1] *= 1.6

    scores = forecast(panel_of(values))

    assert scores.surprise[0, 0] > 3
    assert scores.observed[0, 0] > scores.upper[0, 0]


def test_a_week_is_fitted_once_on_its_monday_whatever_the_first_day() -> None:
    values = counts(days=427)
    later = panel_of(values[3:], first=MONDAY + 3)
    changed = panel_of(np.r_[values[:420], values[420:] * 3])

    expected = forecast(panel_of(values), last=7).expected

    # nothing of the week itself is fitted: how it scatters weighs in the mixture
    assert forecast(changed, last=7).expected == pytest.approx(expected, rel=0.03)
    assert forecast(later, last=7).expected == pytest.approx(expected, rel=0.05)


@engines
def test_a_holiday_is_expected_to_be_what_holidays_were(engine: str) -> None:
    holidays = np.zeros(420, dtype=np.int8)
    holidays[[60, 130, 200, 270, 340, 418]] = DayKind.HOLIDAY
    values = np.where(holidays, counts() * 0.3, counts())

    scores = forecast(panel_of(values, holidays=holidays), last=2, engine=engine)

    assert scores.expected[0, 0] < 0.5 * scores.expected[1, 0]
    assert scores.surprise[0, 0] > -2


def test_a_kind_of_day_never_seen_is_expected_to_be_ordinary() -> None:
    holidays = np.zeros(420, dtype=np.int8)
    with_fair = holidays.copy()
    with_fair[-1] = DayKind.FAIR

    ordinary = forecast(panel_of(counts(), holidays=holidays)).expected
    fair = forecast(panel_of(counts(), holidays=with_fair)).expected

    assert fair == pytest.approx(ordinary)


def test_counts_are_never_expected_below_nothing() -> None:
    falling = np.r_[np.linspace(60, 0, 400), np.zeros(20)].round()

    scores = forecast(panel_of(falling))

    assert scores.expected[0, 0] > 0
    assert scores.lower[0, 0] == 0


def test_the_tail_of_a_count_is_never_narrower_than_poisson() -> None:
    flat = np.full(420, 100.0)

    scores = forecast(panel_of(flat))

    assert scores.upper[0, 0] == pytest.approx(132, abs=2)  # P(Poisson(100) > 132) = .001


@pytest.mark.parametrize("kind", ["amount", "ratio"])
def test_amounts_and_ratios_have_bands_of_their_own_scatter(kind: str) -> None:
    values = np.random.default_rng(5).normal(70, 2, 420)

    scores = forecast(panel_of(values, kind=kind), last=7)

    assert (scores.upper - scores.expected).mean() == pytest.approx(3.1 * 2, rel=0.2)
    assert (scores.expected - scores.lower).mean() == pytest.approx(3.1 * 2, rel=0.2)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(counts(days=360), Reason.SHORT_HISTORY, id="under-a-year"),
        pytest.param(np.r_[[np.nan] * 100, counts(days=320)], Reason.SHORT_HISTORY, id="began-under-a-year-ago"),
        pytest.param(np.r_[counts(days=100), [np.nan] * 310, counts(days=10)], Reason.SHORT_HISTORY, id="mostly-gaps"),
        pytest.param(np.r_[counts(days=419), [np.nan]], Reason.NOT_REPORTED, id="today-missing"),
        pytest.param(np.zeros(420), Reason.JUDGED, id="nothing-but-noughts"),
    ],
)
def test_why_it_abstains(values: np.ndarray, reason: Reason) -> None:
    assert forecast(panel_of(values)).reason[0, 0] == reason


def test_months_are_not_suited() -> None:
    months = (np.datetime64("2012-01") + np.arange(120)).astype("datetime64[D]")
    panel = Panel(months, ["a"], np.ones((120, 1)))

    assert forecast(panel, last=3).reason.ravel().tolist() == [Reason.NOT_SUITED] * 3


def test_a_fit_that_failed_costs_its_own_series_only() -> None:
    kept: dict[str, str] = {}
    forecast(panel_of(counts(seed=1), counts(seed=2)), cache=kept)
    first, second = kept
    nothing = base64.b64encode(np.full(len(base64.b64decode(kept[first])) // 8, np.nan).tobytes()).decode()

    scores = forecast(panel_of(counts(seed=1), counts(seed=2)), cache={first: nothing, second: kept[second]})

    assert scores.reason[0].tolist() == [Reason.FAILED, Reason.JUDGED]


def test_equal_tasks_have_equal_outcomes_here_and_in_a_spawned_process() -> None:
    task = task_of(counts(days=370))

    here = fitted(task)

    assert here is not None
    for there in all_fits([task, task], fitted, spawned=True):
        np.testing.assert_array_equal(there, here)


@engines
def test_a_forecast_kept_as_text_loses_no_digit(engine: str) -> None:
    kept: dict[str, str] = {}

    fresh = forecasts_of(window_of(counts()), Model(engine), cache=kept)
    again = forecasts_of(window_of(counts()), Model(engine), cache=kept)

    for name in ("base", "weight", "effects", "moments"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fresh, name))


@engines
def test_what_was_kept_is_not_fitted_again(engine: str) -> None:
    kept: dict[str, str] = {}
    values, model = counts(), Model(engine)

    first = forecast(panel_of(values), engine=engine, cache=kept)
    other: dict[str, str] = {}
    forecasts_of(window_of(counts(80)), model, cache=other)

    assert len(kept) == 1
    assert forecast(panel_of(values), engine=engine, cache=kept).expected == first.expected
    (text,) = other.values()
    assert forecast(panel_of(values), engine=engine, cache=dict.fromkeys(kept, text)).expected != first.expected


@engines
@pytest.mark.parametrize("spawned", [False, True])
def test_what_failed_is_not_kept(engine: str, spawned: bool) -> None:
    kept: dict[str, str] = {}
    possible, endless = counts(days=370), np.full(370, np.inf)

    found = forecasts_of(window_of(endless, possible), Model(engine), cache=kept, spawned=spawned)

    assert np.isfinite(found.base).all(axis=1).tolist() == [False, True]
    assert list(kept) == window_of(possible).keys(Model(engine))


def test_forecasts_are_told_apart_by_every_part_of_what_makes_them() -> None:
    values = counts(days=370)
    other, unreported, special = values.copy(), values.copy(), np.zeros((370, 8))
    other[7] += 1
    unreported[9] = np.nan
    special[3, 4] = 1
    windows = [
        window_of(values),
        window_of(other),
        window_of(unreported),
        window_of(values, special=special),
        window_of(values, ahead=14),
        window_of(values, first=MONDAY + 7),
    ]
    models = [Model(), Model(flexibility=0.1), Model("stan"), Model("stan", growth="flat")]

    keys = {key for window in windows for model in models for key in window.keys(model)}

    assert len(keys) == len(windows) * len(models)
    assert window_of(values).keys(Model()) == window_of(values.copy()).keys(Model())


def test_a_correction_before_the_anchor_makes_a_new_forecast_and_one_after_it_none() -> None:
    kept: dict[str, str] = {}
    values = counts(days=424)  # the last anchor is day 420
    before, after = values.copy(), values.copy()
    before[419], after[421] = 900, 900

    first = forecast(panel_of(values), cache=kept)
    late = forecast(panel_of(after), cache=kept)

    assert len(kept) == 1
    assert late.expected == pytest.approx(first.expected, rel=1e-3)  # how it scatters weighs in the mixture
    assert forecast(panel_of(before), cache=kept).expected != first.expected
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        pytest.param({"seasonality": "multiplicative"}, 270, id="the-week-grows-with-the-trend"),
        pytest.param({"seasonality": "additive"}, 250, id="the-week-is-added"),
        pytest.param({"growth": "flat"}, 250, id="flat-and-its-level-followed"),
        pytest.param({"growth": "logistic", "cap": 400.0}, 250, id="logistic"),
    ],
)
def test_prophet_itself_fits_other_models(more: dict[str, object], wanted: float) -> None:
    day = np.arange(420)
    values = (100 + 0.4 * day) * np.where(day % 7 == 0, 1.0, 0.9)  # of the Monday to come 268

    scores = forecast(panel_of(np.r_[values, 268.0]), engine="stan", **more)  # type: ignore[arg-type]

    assert scores.expected[0, 0] == pytest.approx(wanted, rel=0.06)


def test_a_special_day_of_a_multiplicative_model_grows_with_the_trend() -> None:
    holidays = np.zeros(426, dtype=np.int8)
    holidays[[30, 100, 170, 240, 310, 380, 424]] = DayKind.HOLIDAY
    values = (100 + 0.5 * np.arange(426)) * np.where(holidays, 0.5, 1.0)

    scores = forecast(panel_of(values, holidays=holidays), last=2, engine="stan", seasonality="multiplicative")

    assert scores.expected[:, 0] == pytest.approx([156, 312], rel=0.03)


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
def test_both_engines_forecast_much_the_same(frequency: str) -> None:
    step = 7 if frequency == "weekly" else 1
    away = ((np.arange(900) * step + 200) % 354 - 177).astype(np.int16)  # Spring Festival, once a lunar year
    holidays = (away == 3).astype(np.int8) if frequency == "daily" else None
    values = np.random.default_rng(3).poisson(40 + 10 * np.sin(np.arange(900) * step / 58)) * np.where(
        away == 3, 0.5, 1
    )
    panel = Panel(
        MONDAY + step * np.arange(900),
        ["a"],
        values.astype(float)[:, None],
        frequency,
        holidays=holidays,
        festival=away,
    )

    ours, theirs = (forecast(panel, last=14, engine=engine, fit_every=28) for engine in ("panel", "stan"))

    np.testing.assert_allclose(ours.expected, theirs.expected, rtol=0.03)
    np.testing.assert_allclose(ours.upper, theirs.upper, rtol=0.05)


def test_weeks_are_judged_from_the_weeks_before() -> None:
    weeks = np.arange(160)
    values = np.random.default_rng(2).poisson(60 + 25 * np.sin(2 * np.pi * weeks / 52.18)).astype(float)
    values[-1] = 150
    panel = Panel(MONDAY + 7 * weeks, ["a"], values[:, None])

    scores = forecast(panel, last=3)

    assert (np.abs(scores.surprise[:2]) < 2.5).all()
    assert scores.surprise[2, 0] > 4
    later = Panel(panel.dates, ["a"], np.r_[values[:-1], 10][:, None])
    assert forecast(later, last=3).expected == pytest.approx(scores.expected)  # nothing of a week itself is fitted


def test_weeks_may_wait_for_an_anchor_of_every_fourth() -> None:
    values = np.random.default_rng(2).poisson(60, 160).astype(float)
    anchors = (MONDAY + 7 * np.arange(160)).astype(int)
    since = (anchors[-4:] - 4) % 28 // 7
    kept: dict[str, str] = {}

    forecast(Panel(MONDAY + 7 * np.arange(160), ["a"], values[:, None]), last=4, fit_every=28, cache=kept)

    assert sorted(since.tolist()) == [0, 1, 2, 3]
    assert len(kept) == 1 + (since[0] != 0)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.full(420, 7.0), id="constant"),
        pytest.param(np.zeros(420), id="noughts"),
        pytest.param(np.r_[counts(days=419), [1e12]], id="a-million-million-today"),
        pytest.param(np.r_[[1e12], counts(days=419)], id="a-million-million-once"),
        pytest.param(-counts(days=420), id="never-above-nothing"),
        pytest.param(counts(days=420) * 1e-300, id="next-to-nothing"),
    ],
)
def test_prophet_itself_is_asked_of_bad_input_without_a_warning(values: np.ndarray) -> None:
    scores = forecast(panel_of(values, values, kind=["amount", "score"]), last=2, engine="stan")

    assert (scores.reason == Reason.JUDGED).all()
    for numbers in (scores.expected, scores.lower, scores.upper, scores.surprise):
        assert np.isfinite(numbers).all()


def test_a_calendar_that_ends_is_a_calendar_of_ordinary_days() -> None:
    kinds = np.zeros(420, dtype=np.int8)
    kinds[:200:40] = DayKind.HOLIDAY
    values = counts()

    scores = forecast(panel_of(values, holidays=kinds, festival=np.full(420, FAR, dtype=np.int16)))

    assert scores.expected == pytest.approx(forecast(panel_of(values)).expected, rel=0.05)


def test_prophet_is_known_to_one_module_and_only_when_it_fits() -> None:
    folder = Path(inspect.getfile(detectors)).parent
    named = {path.name for path in folder.rglob("*.py") if "prophet import" in path.read_text(encoding="utf-8")}

    assert named == {"stan.py"}


def test_without_prophets_engine_prophet_is_not_imported() -> None:
    program = """
import sys, numpy as np
from detectors import Panel
from detectors.forecast import forecast
forecast(Panel(np.datetime64("2022-01-03") + np.arange(420), ["a"], np.arange(420.0)[:, None]))
print(sorted(name for name in ("prophet", "cmdstanpy") if name in sys.modules))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("wrong", [{"fit_every": 0}, {"history": 364}, {"alpha": 0.5}, {"flexibility": 0.0}])
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="forecast needs fit_every >= 1, history >= 365"):
        forecast(panel_of(counts()), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"engine": "r"}, "engine 'r' is unknown; known: panel, stan"),
        ({"engine": "stan", "growth": "cubic"}, "growth 'cubic' is unknown; known: linear, logistic, flat"),
        ({"seasonality": "both"}, "seasonality 'both' is unknown; known: additive, multiplicative"),
        ({"seasonality": "multiplicative"}, "engine 'panel' fits linear growth and additive seasons, found .*'stan'"),
        ({"engine": "stan", "growth": "logistic"}, "logistic growth needs a cap above 0"),
        ({"engine": "stan", "growth": "logistic", "cap": -1.0}, "logistic growth needs a cap above 0"),
        ({"cap": 9.0}, "other growth none; found cap=9.0"),
    ],
)
def test_models_an_engine_does_not_fit_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        forecast(panel_of(counts()), **wrong)  # type: ignore[arg-type]
