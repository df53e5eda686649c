"""A forecast whose level is followed: right again after a step, as surprised as it says, and bound to its anchor."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.counts import Judged
from detectors.followed import followed
from detectors.forecast import forecast
from detectors.panel import Panel
from detectors.spread import Moments

MONDAY = np.datetime64("2022-01-03")
DAYS = 203  # as many as are followed, and a week


def counts(mean: float, series: int = 40, days: int = DAYS, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).negative_binomial(10, 10 / (10 + mean), (days, series)).astype(float)


def judged(values: np.ndarray, mean: float | np.ndarray, spent: float = 0.0, ahead: int = 7) -> Judged:
    n = values.shape[1]
    usual = float(np.nanmean(mean))
    moments = Moments(*(np.full(n, number) for number in (usual, usual, usual**2, 1000.0, spent)))
    dates = MONDAY + np.arange(len(values))
    shape = np.broadcast_to(mean, values.shape)
    return followed(dates, "daily", values, shape, moments, ahead=ahead, alpha=0.001, recalibrate=False)


def test_where_the_fit_is_right_it_is_what_is_expected() -> None:
    found = judged(counts(20.0), 20.0)

    assert found.expected.mean() == pytest.approx(20, rel=0.05)
    assert (found.surprise >= 2).mean() <= 0.02


@pytest.mark.parametrize("times", [1 / 3, 3.0])
def test_where_the_level_has_changed_the_fit_is_a_shape(times: float) -> None:
    values = counts(20.0)
    values[100:] = counts(20.0 * times, days=DAYS - 100, seed=3)

    assert judged(values, 20.0).expected.mean() == pytest.approx(20 * times, rel=0.1)


def test_a_fit_that_spent_much_is_believed_less() -> None:
    upper = [judged(counts(50.0), 50.0, spent=spent).upper.mean() for spent in (0.0, 500.0)]

    assert upper[1] > 1.1 * upper[0]


@pytest.mark.parametrize("lacking", ["value", "mean"])
def test_what_was_not_reported_or_the_fit_says_nothing_of_is_not_judged(lacking: str) -> None:
    values = counts(20.0, series=1)
    mean = np.full(values.shape, 20.0)
    (values if lacking == "value" else mean)[[-80, -3]] = np.nan

    found = judged(values, mean)

    for told in (found.expected, found.lower, found.upper, found.surprise, found.above):
        assert np.isnan(told[:, 0]).tolist() == [False] * 4 + [True] + [False] * 2


def test_a_series_three_times_as_high_since_the_spring_is_no_surprise_any_more() -> None:
    values = counts(20.0, series=30, days=700)
    values[600:] = counts(60.0, series=30, days=100, seed=5)

    scores = forecast(Panel(MONDAY + np.arange(700), list(range(30)), values, "daily"), last=14)

    assert scores.expected.mean() == pytest.approx(60, rel=0.2)  # the trend the step has bent still leans upward
    assert (scores.surprise >= 3).mean() <= 0.01
