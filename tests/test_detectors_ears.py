from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from detectors.ears import ears
from detectors.panel import Panel, Reason

WEEK = [4.0, 6.0, 5.0, 7.0, 3.0, 5.0, 5.0]  # mean 5, squares about it 1+1+0+4+4+0+0 = 10, sd sqrt(10/6) = 1.2910


def panel_of(*series: list[float], kind: str = "count") -> Panel:
    values = np.array(series, dtype=float).T
    return Panel(np.datetime64("2023-01-01") + np.arange(len(values)), range(len(series)), values, kind=kind)


def test_c1_compares_with_the_seven_days_before_by_hand() -> None:
    # t = (12 - 5) / (1.2910 · sqrt(1 + 1/7)) = 5.07198 on six degrees of freedom: P = .00114
    scores = ears(panel_of([*WEEK, 12.0]))

    assert scores.expected[0, 0] == 5
    assert scores.surprise[0, 0] == pytest.approx(-np.log10(t.sf(5.07198, 6)), abs=1e-5)
    assert scores.surprise[0, 0] == pytest.approx(2.943, abs=0.005)
    assert scores.upper[0, 0] == pytest.approx(5 + 5.20763 * 1.29099 * np.sqrt(8 / 7), abs=1e-4)


def test_c2_leaves_two_days_out_by_hand() -> None:
    scores = ears(panel_of([*WEEK, 50.0, 60.0, 12.0]), gap=2)

    assert scores.expected[0, 0] == 5
    assert scores.surprise[0, 0] == pytest.approx(2.943, abs=0.005)


@pytest.mark.parametrize(("gap", "days_between"), [pytest.param(0, [], id="C1"), pytest.param(2, [5.0, 5.0], id="C2")])
def test_the_published_bound_of_three_standard_deviations_is_a_one_in_thirty_tail(
    gap: int, days_between: list[float]
) -> None:
    # Hutwagner et al. alarm at mean + 3 sd = 5 + 3 · 1.2910 = 8.873.  A normal would exceed it once in 741 days;
    # with a mean and sd of seven days t = 3 / sqrt(8/7) = 2.806 on six degrees of freedom is exceeded once in 65.
    published = 5 + 3 * 1.2909944

    scores = ears(panel_of([*WEEK, *days_between, published]), gap=gap)

    assert 10 ** scores.surprise[0, 0] == pytest.approx(1 / t.sf(2.80624, 6), rel=1e-4)
    assert 10 ** scores.surprise[0, 0] == pytest.approx(64.7, abs=0.5)


def test_the_same_weekday_of_seven_weeks_is_compared_with_every_seven() -> None:
    weekend_heavy = [float(day % 7 == 6) * 40 + day // 7 for day in range(56)]

    scores = ears(panel_of(weekend_heavy), every=7)

    assert scores.observed[0, 0] == 47
    assert scores.expected[0, 0] == pytest.approx(40 + np.mean([0, 1, 2, 3, 4, 5, 6]))


def test_a_week_without_any_scatter_still_has_half_a_count_of_it() -> None:
    scores = ears(panel_of([5.0] * 7 + [6.0]))

    assert scores.surprise[0, 0] == pytest.approx(-np.log10(t.sf(1 / (0.5 * np.sqrt(8 / 7)), 6)))


def test_amounts_are_judged_by_their_ratio_under_log() -> None:
    week = [1e6, 2e6, 1.5e6, 1.2e6, 1.8e6, 1.4e6, 1.6e6, 9e6]

    scores = ears(panel_of(week, [1000 * value for value in week], kind="amount"), transform="log")

    assert scores.surprise[0, 0] == pytest.approx(scores.surprise[0, 1], abs=1e-3)
    assert scores.expected[0, 0] == pytest.approx(np.exp(np.mean(np.log(week[:7]))), rel=1e-5)
    assert scores.lower[0, 0] > 0


def test_a_ratio_near_a_hundred_keeps_its_bounds_below_it_under_logit() -> None:
    scores = ears(panel_of([99.0, 98.5, 99.5, 99.4, 99.2, 98.8, 99.1, 90.0], kind="ratio"), transform="logit")

    assert scores.upper[0, 0] < 100
    assert scores.surprise[0, 0] < -2


@pytest.mark.parametrize(
    ("values", "transform", "reason"),
    [
        pytest.param([*WEEK, np.nan], "none", Reason.NOT_REPORTED, id="today-missing"),
        pytest.param(
            [1.0, *WEEK[:3], np.nan, *WEEK[4:], 5.0], "none", Reason.BASELINE_GAP, id="a-baseline-day-missing"
        ),
        pytest.param(WEEK, "none", Reason.SHORT_HISTORY, id="six-days-before"),
        pytest.param([np.nan, *WEEK], "none", Reason.SHORT_HISTORY, id="began-yesterday-week"),
        pytest.param([*WEEK, -1.0], "log", Reason.NOT_SUITED, id="a-negative-amount"),
        pytest.param([*WEEK, 101.0], "logit", Reason.NOT_SUITED, id="a-ratio-over-a-hundred"),
    ],
)
def test_why_it_abstains(values: list[float], transform: str, reason: Reason) -> None:
    scores = ears(panel_of(values), transform=transform)

    assert scores.reason[0, 0] == reason


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"baseline": 2}, "found baseline=2"),
        ({"gap": -1}, "gap=-1"),
        ({"every": 0}, "every=0"),
        ({"alpha": 0.5}, "alpha=0.5"),
        ({"transform": "root"}, "transform 'root' is unknown; known: none, log, logit"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        ears(panel_of([*WEEK, 5.0]), **wrong)  # type: ignore[arg-type]
