"""The whole panel's model is Prophet's, its fit the maximum of the same posterior: shown by Prophet itself."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prophet_panels import Stan, counts, dates, frame, odd, special, stan_of, task_of, with_gaps

from detectors.additive.columns import Columns, columns_of, fourier, special_days, special_names
from detectors.additive.lasso import Lasso
from detectors.additive.posterior import log_posterior, steepness
from detectors.additive.products import Tails, shared
from detectors.additive.solve import ALIKE, Fitted, fit
from detectors.additive.trend import trend_of
from detectors.panel import DayKind, Floats, Panel
from detectors.stan import loaded, prophet_of

DAYS = 1095
PANELS = {
    "whole": counts(n=4),
    "gaps": with_gaps(counts(n=4, seed=5)),
    "begun late, ended early": np.vstack(
        [np.full((400, 4), np.nan), with_gaps(counts(days=680, n=4, seed=6)), np.full((15, 4), np.nan)]
    ),
    "a year missing": np.vstack([counts(300, 3), np.full((365, 3), np.nan), counts(430, 3, 7)]),
    "workdays alone": np.where(np.arange(DAYS)[:, None] % 7 < 5, counts(n=3), np.nan),
    "Mondays alone": np.where(np.arange(DAYS)[:, None] % 7 == 0, counts(n=3), np.nan),
    "odd": np.column_stack(list(odd().values())),
    "odd with gaps": with_gaps(np.column_stack(list(odd().values()))),
}


def columns(values: Floats, frequency: str = "daily") -> Columns:
    days = dates(len(values), 7 if frequency == "weekly" else 1)
    return columns_of(days, frequency, special(days))


@cache
def stan(name: str, series: int) -> Stan:
    """Return what Prophet would hand to Stan of one of the series."""
    return stan_of(task_of(dates(DAYS), PANELS[name][:, series], special(dates(DAYS))))


@pytest.fixture(scope="module")
def fits() -> dict[str, Fitted]:
    return {name: fit(columns(values), values) for name, values in PANELS.items()}


def test_seasons_are_prophets_to_the_last_digit() -> None:
    import pandas as pd
    from prophet import Prophet

    days = np.datetime64("1969-12-25") + np.arange(30_000)
    series = pd.Series(days.astype("datetime64[ns]"))

    for period, order in ((365.25, 10), (7, 3)):
        np.testing.assert_array_equal(fourier(days, period, order), Prophet.fourier_series(series, period, order))


@pytest.mark.parametrize("name", PANELS)
def test_scale_time_and_cuts_are_prophets_to_the_last_digit(fits: dict[str, Fitted], name: str) -> None:
    values, fitted = PANELS[name], fits[name]

    for series in range(values.shape[1]):
        prophets = stan(name, series)
        rows = np.flatnonzero(~np.isnan(values[:, series]))
        first, length = fitted.trend.first[series], fitted.trend.length[series]
        assert fitted.scale[series] == prophets.model.y_scale
        np.testing.assert_array_equal((rows - first) / length, prophets.given["t"])
        np.testing.assert_array_equal((fitted.trend.cuts[series] - first) / length, prophets.given["t_change"])


@pytest.mark.parametrize("days", [10, 15, 26, 31, 32, 33, 60])
def test_a_short_series_has_prophets_cuts(days: int) -> None:
    cuts = stan_of(task_of(dates(days), np.arange(float(days)), special(dates(days)))).given["t_change"]

    trend = trend_of(np.ones((days, 1), dtype=bool))

    there = len(cuts)
    np.testing.assert_array_equal(trend.cuts[0, :there] / (days - 1), cuts)
    assert (trend.cuts[0, there:] == days - 1).all()  # beyond which nothing is


@pytest.mark.parametrize("name", PANELS)
def test_the_features_are_those_prophet_would_give_each_series(fits: dict[str, Fitted], name: str) -> None:
    values, of_window = PANELS[name], columns(PANELS[name])
    names = [
        *(f"yearly_delim_{n + 1}" for n in range(of_window.yearly)),
        *(f"weekly_delim_{n + 1}" for n in range(of_window.weekly)),
        *(f"{name}_delim_+0" for name in special_names("daily")),
    ]

    for series in range(values.shape[1]):
        features = stan(name, series).given["X"]
        rows = ~np.isnan(values[:, series])
        for number, column in enumerate(names):
            if column in features:
                np.testing.assert_array_equal(of_window.features[rows, number], features[column])
            else:
                assert fits[name].beta[series, number] == 0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] if name == "odd with gaps" else []) for name in PANELS]
)
def test_no_posterior_is_below_prophets(fits: dict[str, Fitted], name: str) -> None:
    values, fitted, of_window = PANELS[name], fits[name], columns(PANELS[name])
    ours = log_posterior(fitted, of_window, values)

    for series in range(values.shape[1]):
        task = task_of(dates(DAYS), values[:, series], special(dates(DAYS)))
        theirs = prophet_of(task).fit(frame(task), seed=1)
        mine = stan(name, series).of_params(loaded(task, of_window, fitted, series).params)
        assert mine >= stan(name, series).of_params(theirs.params)
        if len(set(task.values)) > 1:  # else both are as Prophet's special case has them, and no maximum
            assert mine == pytest.approx(ours[series], rel=1e-6)


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("chunk", [5, 64, 1000])
def test_every_fit_lies_on_the_top_whatever_the_chunk(name: str, chunk: int) -> None:
    values = np.tile(PANELS[name], -(-ALIKE // PANELS[name].shape[1]))  # so that they share a design if they can

    fitted = fit(columns(values), values, chunk=chunk)

    assert fitted.ended.all()
    assert steepness(fitted, columns(values), values).max() < 1e-6


def test_what_says_that_a_fit_lies_on_the_top_sees_one_that_does_not() -> None:
    values = PANELS["gaps"]
    fitted = fit(columns(values), values)
    for changed in (fitted.k, fitted.m, fitted.beta[:, 3], fitted.sigma, fitted.delta[:, 12]):
        kept = changed.copy()

        changed[:] = changed * (1 + 1e-6) + 1e-9

        assert (steepness(fitted, columns(values), values) > 1e-6).all()
        changed[:] = kept


@pytest.mark.parametrize("weeks", [26, 104, 106])
def test_weekly_series_are_fitted_as_prophet_would_or_better(weeks: int) -> None:
    values = counts(days=7 * weeks, n=3).reshape(weeks, 7, 3).sum(axis=1)
    days = dates(weeks, 7)
    nothing = np.zeros((weeks, len(special_names("weekly"))))
    of_window = columns_of(days, "weekly", nothing)

    fitted = fit(of_window, values)

    assert steepness(fitted, of_window, values).max() < 1e-6
    assert bool(fitted.beta.any()) == (weeks > 104)  # a year's season from 730 days on
    for series in range(3):
        task = task_of(days, values[:, series], nothing, "weekly")
        mine = loaded(task, of_window, fitted, series).params
        theirs = prophet_of(task).fit(frame(task), seed=1).params
        assert stan_of(task).of_params(mine) >= stan_of(task).of_params(theirs)


@pytest.mark.parametrize("days", [10, 16, 60])
def test_series_shorter_than_their_seasons_are_fitted_as_prophet_would_or_better(days: int) -> None:
    values = counts(days=days, n=3)

    fitted = fit(columns(values), values)

    assert fitted.ended.all()
    for series in range(3):
        task = task_of(dates(days), values[:, series], special(dates(days)))
        mine = loaded(task, columns(values), fitted, series).params
        theirs = prophet_of(task).fit(frame(task), seed=1).params
        assert stan_of(task).of_params(mine) >= stan_of(task).of_params(theirs)


def test_values_that_lie_on_a_line_leave_the_least_noise_there_is() -> None:
    values = np.column_stack([np.arange(500.0), 7 - 0.5 * np.arange(500.0)])

    fitted = fit(columns(values), values)

    np.testing.assert_allclose(fitted.within(columns(values)), values, atol=1e-3)
    np.testing.assert_allclose(fitted.sigma * fitted.scale / values.std(axis=0), 1e-6, rtol=1e-3)


def test_a_series_that_never_changes_is_as_prophet_has_it() -> None:
    values = np.column_stack([np.zeros(400), np.full(400, 5.0), np.full(400, -2.0)])
    values[100:150] = np.nan

    fitted = fit(columns(values), values)

    for series in range(3):
        task = task_of(dates(400), values[:, series], special(dates(400)))
        theirs = prophet_of(task).fit(frame(task)).params
        mine = loaded(task, columns(values), fitted, series).params
        for name in ("k", "m", "delta", "beta", "sigma_obs"):
            np.testing.assert_array_equal(np.ravel(mine[name]), np.ravel(theirs[name]))


@pytest.mark.parametrize("name", ["whole", "gaps"])
def test_a_fit_loaded_into_prophet_predicts_and_plots(fits: dict[str, Fitted], name: str) -> None:
    import matplotlib as mpl

    values, of_window = PANELS[name], columns(PANELS[name])
    later = np.arange(DAYS, DAYS + 30)
    days = dates(DAYS + 30)
    seasons = columns_of(days, "daily", np.zeros((DAYS + 30, of_window.features.shape[1] - 26))).features
    task = task_of(dates(DAYS), values[:, 2], special(dates(DAYS)))

    model = loaded(task, of_window, fits[name], 2)
    told = model.predict(model.make_future_dataframe(30))

    rows = ~np.isnan(values[:, 2])
    within, ahead = fits[name].within(of_window)[rows, 2], fits[name].ahead(later)[:, 2]
    ahead = ahead + seasons[later] @ fits[name].beta[2] * fits[name].scale[2]
    np.testing.assert_allclose(told["yhat"], np.r_[within, ahead], rtol=1e-9)
    mpl.use("Agg")
    model.plot(told)
    model.plot_components(told)
    mpl.pyplot.close("all")


@given(st.integers(0, 10**6), st.integers(3, 60), st.floats(0.0, 0.9))
@settings(max_examples=40, deadline=None)
def test_sums_with_missing_rows_taken_off_are_the_sums_over_the_others(seed: int, days: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    reported = rng.random((days, 3)) >= share
    reported[rng.permutation(days)[:3]] = True
    values = np.where(reported, rng.normal(size=(days, 3)), 0.0)
    of_window, trend = columns(values), trend_of(reported)
    seasons = rng.random((3, of_window.features.shape[1])) < 0.7

    found = Tails(of_window).of(trend, seasons, reported, values)

    for series in range(3):
        one = slice(series, series + 1)
        direct = shared(of_window, trend.take(np.array([series])), seasons[series], reported[:, series], values[:, one])
        np.testing.assert_allclose(found.gram[series], direct.gram[0], atol=1e-8)
        np.testing.assert_allclose(found.data[series], direct.data[0], atol=1e-8)


@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(-3, 1))
@settings(max_examples=60, deadline=None)
def test_no_small_change_of_a_lassos_answer_is_better(seed: int, n: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(5, n + 2, n))
    s, q, bound = root.transpose(0, 2, 1) @ root, rng.normal(size=(5, n)), np.full(5, 10.0**size)
    lasso = Lasso(s, q, rng.integers(-1, 2, (5, n)).astype(np.float64) / 10)  # whatever it begins with

    ended = lasso.solve(np.arange(5), bound)

    d = lasso.solution
    gradient = (s @ d[:, :, None])[:, :, 0] - q
    assert ended.all()
    assert np.abs(gradient + bound[:, None] * np.sign(d))[d != 0].max(initial=0) < 1e-9
    assert np.abs(gradient)[d == 0].max(initial=0) <= bound[0] * (1 + 1e-9)


def test_a_lasso_of_one_unknown_by_hand() -> None:
    # ½·4·d² - 3·d + 1·|d| has its least value at d = (3 - 1)/4; with l = 3 nothing is gained by moving
    lasso = Lasso(np.array([[[4.0]], [[4.0]]]), np.array([[3.0], [3.0]]), np.zeros((2, 1)))

    lasso.solve(np.arange(2), np.array([1.0, 3.0]))

    assert lasso.solution.tolist() == [[0.5], [0.0]]
    # twice what is there without the penalty: 4·.25 - 2·3·.5 = -2
    assert lasso.gain(np.arange(2), np.array([1.0, 3.0])).tolist() == [2.0, 0.0]


def test_series_that_cannot_be_fitted_are_refused() -> None:
    endless, single = counts(days=30, n=2), counts(days=30, n=2)
    endless[3, 1], single[1:, 1] = np.inf, np.nan

    for values in (endless, single):
        with pytest.raises(ValueError, match="two reported values of each series, none of them infinite"):
            fit(columns(values), values)


def test_no_series_are_fitted_in_no_time() -> None:
    assert fit(columns(np.zeros((400, 0))), np.zeros((400, 0))).k.shape == (0,)


def test_the_days_around_spring_festival_move_with_it() -> None:
    away = np.arange(-20, 20, dtype=np.int16)
    kinds = np.where((away >= -1) & (away < 7), DayKind.SPRING_FESTIVAL, DayKind.ORDINARY).astype(np.int8)
    panel = Panel(dates(40), ["a"], np.zeros((40, 1)), holidays=kinds, festival=away)

    found = dict(zip(special_names("daily"), special_days(panel).T, strict=True))

    assert away[found["BEFORE_FESTIVAL"] > 0].tolist() == list(range(-14, -1))
    assert away[found["SPRING_FESTIVAL"] > 0].tolist() == list(range(-1, 7))
    assert away[found["AFTER_FESTIVAL"] > 0].tolist() == list(range(7, 15))
    assert not any(found[kind].any() for kind in ("HOLIDAY", "MAKE_UP_WORKDAY", "FAIR", "EXAM", "CLOSURE"))


def test_a_week_lies_before_in_or_after_that_of_spring_festival() -> None:
    away = (7 * np.arange(-3, 4) - 2).astype(np.int16)  # the festival is a Wednesday
    panel = Panel(dates(7, 7), ["a"], np.zeros((7, 1)), festival=away)

    assert [dict(zip(special_names("weekly"), row, strict=True)) for row in special_days(panel).astype(int).tolist()][
        1:5
    ] == [
        {"WEEK_BEFORE_FESTIVAL": 0, "WEEK_OF_FESTIVAL": 0, "WEEK_AFTER_FESTIVAL": 0},
        {"WEEK_BEFORE_FESTIVAL": 1, "WEEK_OF_FESTIVAL": 0, "WEEK_AFTER_FESTIVAL": 0},
        {"WEEK_BEFORE_FESTIVAL": 0, "WEEK_OF_FESTIVAL": 1, "WEEK_AFTER_FESTIVAL": 0},
        {"WEEK_BEFORE_FESTIVAL": 0, "WEEK_OF_FESTIVAL": 0, "WEEK_AFTER_FESTIVAL": 1},
    ]
