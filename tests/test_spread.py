"""From a forecast and how far off its fit was, to bounds and tails."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.spread import Moments, around, moments_of
from detectors.tails import gamma_bounds, student_bounds


def moments(squares: float, mean: float, mean_square: float, n: float = 100, spent: float = 20) -> Moments:
    return Moments(*(np.array([[number]], dtype=float) for number in (squares, mean, mean_square, n, spent)))


def bounds(kind: str, forecast: float, told: Moments) -> tuple[float, float, float]:
    found = around(np.array([kind]), np.array([[30.0]]), np.array([[forecast]]), told, 0.001)
    return found.expected[0, 0], found.lower[0, 0], found.upper[0, 0]


def test_moments_are_sums_over_what_is_reported() -> None:
    values = np.array([[1.0, 4.0], [np.nan, -2.0], [5.0, 0.0]])
    within = np.array([[2.0, 3.0], [9.0, -1.0], [-1.0, 0.5]])

    found = moments_of(values, within, np.array([3, 4]))

    # 1 - 2 and 5 - 0, since nothing is ever negative there; 4 - 3, -2 + 1 and 0 - .5
    assert found.tolist() == [[13.0, 1.0, 2.0, 2, 3], [0.75, pytest.approx(2.5 / 3), pytest.approx(10.25 / 3), 3, 4]]


def test_the_spread_of_a_new_value_is_wider_than_that_of_the_residuals() -> None:
    # 50 · (100 + 20) / (100 - 20) = 75
    assert bounds("amount", 32, moments(50, 30, 1000)) == (32, *map(float, gamma_bounds(0.001, 32.0, 1000 / 75)))
    assert bounds("ratio", 32, moments(50, 30, 1000)) == (32, *map(float, student_bounds(0.001, 32.0, np.sqrt(75), 80)))


@pytest.mark.parametrize(("forecast", "expected"), [(-5, 3.0), (2, 3.0), (4, 4.0)])
def test_no_rate_is_expected_below_a_tenth_of_what_it_was(forecast: float, expected: float) -> None:
    assert bounds("amount", forecast, moments(50, 30, 1000))[0] == expected


def test_a_score_may_be_expected_below_nothing() -> None:
    assert bounds("score", -5, moments(50, 30, 1000))[0] == -5


def test_where_there_is_no_forecast_there_are_no_bounds() -> None:
    assert np.isnan(bounds("amount", np.nan, moments(50, 30, 1000))).all()
