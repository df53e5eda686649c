"""Bounds of mixtures are where their tails say, tails are those of all parts; numbers of any size end the search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from detectors.mixture import Cells

PARTS = 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-3, 7), min_size=1, max_size=8),
    st.integers(0, 10**6),
    st.floats(1.0, 5.0),
    st.sampled_from([0.001, 0.05]),
)
def test_bounds_are_the_last_whole_numbers_within_their_tails(
    logs: list[float], seed: int, surprise: float, alpha: float
) -> None:
    rng = np.random.default_rng(seed)
    mean = np.exp(np.array(logs))[:, None] * rng.uniform(0.7, 1.4, (len(logs), PARTS))
    size, weight = np.exp(rng.uniform(-2, 8, mean.shape)), rng.dirichlet(np.ones(PARTS), len(logs))
    above = np.full(len(logs), 10.0**-surprise)

    lower, upper = Cells(mean, size, weight).bounds(alpha, above)

    def tail(x: np.ndarray) -> np.ndarray:
        """Return P(X > x)."""
        found: np.ndarray = (weight * nbinom.sf(x[:, None], size, size / (size + mean))).sum(axis=1)
        return found

    slack = 1 + 1e-6  # of two ways to reckon the same tail, and of parts too light to be asked
    assert (tail(upper) <= above * slack).all()
    assert ((tail(upper - 1) >= above / slack) | (upper == 0)).all()
    assert (1 - tail(lower - 1) <= alpha * slack).all()
    assert (1 - tail(lower) >= alpha / slack).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 7), min_size=1, max_size=8), st.integers(0, 10**6), st.sampled_from([0.5, 1.0, 3.0, 1e6]))
def test_tails_are_those_of_all_parts_however_little_they_weigh(logs: list[float], seed: int, far: float) -> None:
    rng = np.random.default_rng(seed)
    mean = np.exp(np.array(logs))[:, None] * rng.uniform(0.7, 1.4, (len(logs), PARTS))
    size, weight = np.exp(rng.uniform(-2, 8, mean.shape)), 10.0 ** rng.uniform(-30, 0, mean.shape)
    weight /= weight.sum(axis=1, keepdims=True)
    x = np.floor(mean[:, 0] * far)

    found = Cells(mean, size, weight).tails(x)

    chance, at = size / (size + mean), x[:, None]
    of_parts = nbinom.sf(at - 1, size, chance), nbinom.cdf(at, size, chance), nbinom.sf(at, size, chance)
    for tail, parts in zip(found, of_parts, strict=True):
        assert tail == pytest.approx((weight * parts).sum(axis=1), rel=1e-7, abs=1e-290)


def test_a_count_that_is_shared_out_keeps_the_wider_of_its_neighbours_tails() -> None:
    cells = Cells(np.full((3, 1), 4.0), np.full((3, 1), 2.0), np.ones((3, 1)))

    rise, fall, above = cells.tails(np.array([5.0, 5.5, 6.0]))

    assert (rise[1], fall[1], above[1]) == pytest.approx((rise[0], fall[2], above[2]))


def test_nothing_expected_bounds_nothing() -> None:
    cells = Cells(np.zeros((1, 2)), np.array([[2.0, 5.0]]), np.full((1, 2), 0.5))

    lower, upper = cells.bounds(0.001, np.array([0.001]))

    assert (lower[0], upper[0]) == (0, 0)


@pytest.mark.parametrize("three", [sum([0.1] * 30), 0.1 * 3 * 10], ids=["a-little-less", "a-little-more"])
def test_a_count_but_for_rounding_has_the_same_tails_in_both_ways(three: float) -> None:
    shared_out = np.array([three])
    cells = Cells(np.array([[2.0, 4.0]]), np.array([[5.0, 1e6]]), np.full((1, 2), 0.5))

    rise, above = cells.rises(shared_out)

    tails = cells.tails(np.array([3.0]))
    assert rise == pytest.approx(tails.rise)
    assert above == pytest.approx(tails.above)
    assert three != 3
    assert cells.tails(shared_out).above == pytest.approx(tails.above)


@pytest.mark.parametrize("mean", [1e-300, 1e-12, 1e12, 1e17, 1e30, 1e99])
def test_the_search_ends_for_numbers_of_any_size(mean: float) -> None:
    cells = Cells(np.full((1, 2), mean), np.array([[5.0, 1e6]]), np.full((1, 2), 0.5))

    lower, upper = cells.bounds(0.001, np.array([0.001]))

    assert 0 <= lower[0] <= upper[0] < np.inf
    assert upper[0] == 0 or mean > 1
