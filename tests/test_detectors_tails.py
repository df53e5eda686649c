from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.betas import share_bounds, share_tails
from detectors.tails import (
    Tails,
    count_bounds,
    count_tails,
    gamma_bounds,
    gamma_tails,
    student_bounds,
    student_tails,
    surprise,
)

means = st.floats(0.01, 5000)
sizes = st.one_of(st.floats(0.05, 1000), st.just(np.inf))


def test_two_of_a_half_expected_by_hand() -> None:
    # P(X >= 2) = 1 - e^-.5 (1 + .5) = .0902; P(X <= 2) = e^-.5 (1 + .5 + .125) = .9856; P(X > 2) = .0144
    tails = count_tails(2.0, 0.5, np.inf)

    assert tails == pytest.approx((0.0902040, 0.9856123, 0.0143877), abs=1e-7)
    assert surprise(tails) == pytest.approx(1.0447743)


def test_none_of_five_expected_is_a_fall_by_hand() -> None:
    # P(X <= 0) = e^-5 = .0067379, and its -log10 is 5 / ln 10
    assert surprise(count_tails(0.0, 5.0, np.inf)) == pytest.approx(-5 / np.log(10))


@given(st.integers(0, 10_000), means, sizes)
def test_count_tails_are_those_of_scipy(x: int, mean: float, size: float) -> None:
    law = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))

    rise, fall, above = count_tails(float(x), mean, size)

    assert rise == pytest.approx(law.sf(x - 1), rel=1e-3, abs=1e-200)
    assert fall == pytest.approx(law.cdf(x), rel=1e-3, abs=1e-200)
    assert above == pytest.approx(law.sf(x), rel=1e-3, abs=1e-200)


@given(means, sizes, st.sampled_from([0.05, 0.01, 0.001]))
def test_a_value_beyond_a_bound_is_a_value_beyond_its_surprise(mean: float, size: float, alpha: float) -> None:
    lower, upper = count_bounds(alpha, mean, size)

    assert surprise(count_tails(upper + 1, mean, size)) >= -np.log10(alpha) - 1e-6
    assert surprise(count_tails(upper, mean, size)) < -np.log10(alpha) + 1e-6
    assert lower == 0 or surprise(count_tails(lower - 1, mean, size)) <= np.log10(alpha) + 1e-6


def test_half_a_case_more_is_not_more_surprising_than_the_whole_one_below() -> None:
    assert count_tails(2.5, 1.0, np.inf).rise == count_tails(2.0, 1.0, np.inf).rise
    assert count_tails(2.5, 1.0, np.inf).fall == count_tails(3.0, 1.0, np.inf).fall


@given(st.floats(0.1, 1e6), st.floats(0.5, 100), st.sampled_from([0.01, 0.001]))
def test_bounds_of_amounts_and_levels_have_the_tail_they_are_drawn_at(mean: float, shape: float, alpha: float) -> None:
    amount, level = gamma_bounds(alpha, mean, shape), student_bounds(alpha, mean, 0.1 * mean, shape + 2)

    assert gamma_tails(amount[1], mean, shape).rise == pytest.approx(alpha, rel=1e-6)
    assert gamma_tails(amount[0], mean, shape).fall == pytest.approx(alpha, rel=1e-6)
    assert student_tails(level[1], mean, 0.1 * mean, shape + 2).rise == pytest.approx(alpha, rel=1e-6)
    assert student_tails(level[0], mean, 0.1 * mean, shape + 2).fall == pytest.approx(alpha, rel=1e-6)


def test_a_surprise_ends_at_three_hundred_and_nan_stays_nan() -> None:
    none = np.array([0.0, np.nan])

    assert surprise(Tails(none, 1 - none, none)) == pytest.approx([300.0, np.nan], nan_ok=True)
    assert np.isnan(count_tails(np.nan, 1.0, 1.0)).all()


@settings(deadline=None)
@example(2, 0, 1.0, 20.0)
@example(1, 0, 0.6543248, 239.5932409)
@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.02, 500), st.floats(0.02, 500))
def test_share_tails_are_those_of_scipy(x: int, more: int, a: float, b: float) -> None:
    law = stats.betabinom(x + more, a, b)

    rise, fall, above = share_tails(float(x), x + more, a, b)

    assert rise == pytest.approx(law.sf(x - 1), rel=1e-4, abs=1e-9)
    assert fall == pytest.approx(law.cdf(x), rel=1e-4, abs=1e-9)
    assert above == pytest.approx(law.sf(x), rel=1e-4, abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 3000), st.floats(0.02, 500), st.floats(0.02, 500), st.sampled_from([0.05, 0.001]))
@example(75, 0.576, 0.576, 0.05)  # P(X = 75) is .04999
def test_a_part_beyond_a_bound_is_a_part_beyond_its_surprise(whole: int, a: float, b: float, alpha: float) -> None:
    lower, upper = share_bounds(alpha, whole, a, b)

    assert share_tails(upper, whole, a, b).above <= alpha * (1 + 1e-4)
    assert upper == 0 or share_tails(upper - 1, whole, a, b).above >= alpha * (1 - 1e-4)
    assert lower == 0 or share_tails(lower - 1, whole, a, b).fall <= alpha * (1 + 1e-4)
    assert share_tails(lower, whole, a, b).fall >= alpha * (1 - 1e-4)
