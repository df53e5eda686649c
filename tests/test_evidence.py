"""Several windows together: the surprise of sums of one, two and three of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from detectors import Panel, Reason, Scores
from detectors.evidence import together
from detectors.outbreak import outbreak
from detectors.panel import Floats

MONDAY = np.datetime64("2012-01-02")


def said(surprise: float, expected: float) -> Scores:
    """Return what one window of one series says."""
    cell = np.ones((1, 1))
    reason = np.full((1, 1), Reason.SHORT_HISTORY if np.isnan(surprise) else Reason.JUDGED, dtype=np.int8)
    return Scores(7 * cell, expected * cell, 0 * cell, 9 * cell, surprise * cell, 0.1 * cell, reason)


def weekly(values: Floats) -> Panel:
    return Panel(MONDAY + 7 * np.arange(len(values)), [f"place {n}" for n in range(values.shape[1])], values, "weekly")


def quiet(series: int, mean: float, weeks: int = 170, size: float = 8.0, seed: int = 12) -> Floats:
    return np.random.default_rng(seed).negative_binomial(size, size / (size + mean), (weeks, series)).astype(float)


def test_two_windows_together_by_hand() -> None:
    # each one in a hundred: 2.3263 + 2.3263, of variance 1 + 1 + 2 · sqrt(5 / 10), so 4.6527 / 1.8478 = 2.5180: .0059
    scores = together([said(2, 5), said(2, 10)])

    assert scores.surprise[0, 0] == pytest.approx(-np.log10(norm.sf(2.5180)), abs=1e-4)


def test_three_windows_together_by_hand() -> None:
    # correlations sqrt(1/2), sqrt(1/3), sqrt(2/3): 3 + 2 (.70711 + .57735 + .81650) = 7.20191
    z = np.sum(norm.isf([0.001, 0.01, 0.1])) / np.sqrt(7.20191)

    scores = together([said(3, 4), said(2, 8), said(1, 12)])

    assert scores.surprise[0, 0] == pytest.approx(-np.log10(norm.sf(z)), abs=1e-5)


def test_a_sum_that_adds_nothing_to_what_is_expected_says_nothing_new() -> None:
    scores = together([said(2, 9), said(2, 9)])

    assert scores.surprise[0, 0] == pytest.approx(2)


def test_a_fall_is_told_as_a_fall() -> None:
    rise, fall = (together([said(sign * 2, 5), said(sign * 2, 10)]).surprise[0, 0] for sign in (1, -1))

    assert fall == -rise


def test_a_usual_week_speaks_against_the_rise_before_it() -> None:
    scores = together([said(-1, 5), said(3, 10)])  # -1.2816 + 3.0902 over 1.8478: .979

    assert scores.surprise[0, 0] == pytest.approx(-np.log10(norm.sf((3.0902 - 1.2816) / 1.8478)), abs=1e-4)


def test_one_window_says_what_it_says() -> None:
    scores = together([said(2, 5)])

    assert (scores.surprise[0, 0], scores.above[0, 0]) == (2, 0.1)


def test_a_longer_sum_that_cannot_be_judged_is_left_out() -> None:
    scores = together([said(2, 5), said(np.nan, np.nan)])

    assert scores.surprise[0, 0] == pytest.approx(2)


def test_the_other_numbers_are_those_of_the_last_window() -> None:
    values = quiet(4, 5.0)

    alone, put_together = (outbreak(weekly(values), last=3, evidence=evidence) for evidence in (1, 3))

    for name in ("observed", "expected", "lower", "upper", "reason"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(put_together, name))


def test_a_week_that_was_not_reported_costs_the_sums_it_is_in() -> None:
    values = quiet(1, 5.0)
    values[-2] = np.nan

    alone, put_together = (outbreak(weekly(values), evidence=evidence) for evidence in (1, 3))

    assert put_together.surprise == pytest.approx(alone.surprise)


@pytest.mark.parametrize("asked", [{}, {"method": "farrington"}, {"method": "farrington", "level": False}])
def test_a_small_rise_that_lasts_is_seen_better_together(asked: dict[str, str]) -> None:
    values = quiet(60, 4.0)
    values[-3:] += 5

    alone, put_together = (
        outbreak(weekly(values), evidence=evidence, **asked).surprise  # type: ignore[arg-type]
        for evidence in (1, 3)
    )

    assert np.median(put_together) > np.median(alone) + 0.6


def test_a_burst_stays_in_the_sums_and_no_longer() -> None:
    values = quiet(30, 4.0)
    values[-3] += 60

    after = outbreak(weekly(np.vstack([values, quiet(30, 4.0, weeks=2, seed=3)])), last=5, evidence=3).surprise

    week_of_burst, week_after, second_after, third_after, _ = np.median(after, axis=1)
    assert week_of_burst > week_after > 3 > second_after > 1 > abs(third_after)


@pytest.mark.parametrize(
    ("method", "mean"),
    [
        ("adaptive", 0.2),
        ("adaptive", 2.0),
        ("adaptive", 20.0),
        ("adaptive", 200.0),
        ("farrington", 0.2),
        ("farrington", 20.0),
    ],
)
def test_together_quiet_counts_are_no_more_surprising_than_they_say(method: str, mean: float) -> None:
    panel = weekly(quiet(80, mean, weeks=150 if method == "adaptive" else 240))

    surprise = outbreak(panel, last=60, evidence=3, method=method).surprise

    for at in (2, 3):
        nominal = surprise.size * 10.0**-at
        # 4 sd of a binomial of a third of the cells, those that share no week
        assert (surprise >= at).sum() <= nominal + 4 * np.sqrt(3 * nominal)
        assert (surprise <= -at).sum() <= nominal + 4 * np.sqrt(3 * nominal)
