"""Since when: the date a rise began is found, whatever its shape and wherever the level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.onset import onset

QUIET = [20.0, 19, 21, 20, 18, 22, 20] * 4


@pytest.mark.parametrize(
    ("last", "back"),
    [
        pytest.param([60.0], 1, id="one-day"),
        pytest.param([31.0, 29, 30, 32, 28], 5, id="a-step"),
        pytest.param([22.0, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44], 12, id="a-slope"),
        pytest.param([40.0, np.nan, 41, 39], 4, id="with-a-gap"),
    ],
)
def test_a_rise_is_dated_to_its_first_days(last: list[float], back: int) -> None:
    values = QUIET + last

    found = onset(values, np.ones(len(values)), reach=21, within=0)

    assert abs(len(values) - back - found) <= 1


def test_a_date_with_likely_ones_on_either_side_is_preferred_to_a_likelier_one_at_the_edge() -> None:
    values = [*QUIET, 23.0, 22, 24, 27, 25, 28, 30, 29, 33, 32]

    likeliest, safest = (onset(values, np.ones(len(values)), reach=21, within=within) for within in (0, 3))

    assert abs(safest - 28) <= abs(likeliest - 28)
    assert abs(safest - 28) <= 3


def test_a_fall_is_found_where_a_fall_is_looked_for() -> None:
    values = [*QUIET, 40.0, 41, 39, *QUIET[:7], 8.0, 9, 7]

    assert onset(values, np.ones(len(values)), reach=21, rising=False, within=0) == len(values) - 3


def test_nothing_high_is_dated_to_the_last_step() -> None:
    values = [30.0] * 10 + [20.0] * 10

    assert onset(values, np.ones(20), reach=8, rising=True) == 19


def test_a_weekday_pattern_is_no_rise() -> None:
    week = [26.0, 25, 24, 25, 26, 6, 5]
    values = week * 5 + [45.0, 44, 46]

    assert onset(values, week * 5 + week[:3], reach=14, within=0) == 35


@pytest.mark.parametrize(
    ("last", "back"),
    [
        pytest.param([60.0, 21, 19, 20], 4, id="one-day-that-is-over"),
        pytest.param([33.0, 31, 34, 32, 30, 31, 33, 20, 19], 9, id="a-week-that-is-over"),
        pytest.param([25.0, 16, 24, 17, 23, 18, 60], 1, id="one-day-after-uneven-ones"),
        pytest.param([24.0, 25, 22, 60, 58, 61, 59, 62], 5, id="a-step-after-three-days-a-little-high"),
    ],
)
def test_neither_what_followed_nor_noise_before_moves_it(last: list[float], back: int) -> None:
    values = QUIET + last

    assert onset(values, np.ones(len(values)), reach=21) == len(values) - back


@given(st.lists(st.integers(12, 28), min_size=60, max_size=60), st.integers(0, 6))
def test_a_day_far_above_all_others_is_the_onset(before: list[int], after: int) -> None:
    values = [*map(float, before), 120.0, *([20.0] * after)]

    assert onset(values, np.ones(len(values)), reach=24) == 60


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([12.0, 11, 13, 12, 10, 14, 12] * 8 + [18.0, 17, 19, 18, 16, 20, 18] * 5, id="a-level-left"),
        pytest.param([round(20 * (1 + 0.3 * n / 91)) for n in range(91)], id="a-slow-season"),
    ],
)
def test_what_was_usual_long_ago_does_not_carry_the_onset_back(before: list[float]) -> None:
    values = [*before, 40.0, 41, 39]

    assert onset(values, np.ones(len(values)), reach=24) == len(before)


@pytest.mark.parametrize("level", [15, 60])
@pytest.mark.parametrize(
    ("days", "top", "slope", "near", "centred"),
    [
        pytest.param(3, 1.8, False, 0.9, 0, id="step-of-3"),
        pytest.param(7, 1.8, False, 0.85, 0, id="step-of-7"),
        pytest.param(20, 1.6, False, 0.95, 0, id="step-of-20"),
        pytest.param(10, 2.0, True, 0.6, 2, id="slope-of-10"),  # all but a step
        pytest.param(21, 2.0, True, 0.7, 1, id="slope-of-21"),
    ],
)
def test_onsets_of_drawn_rises_are_near_and_centred(
    days: int, top: float, slope: bool, near: float, centred: int, level: int
) -> None:
    rng = np.random.default_rng(5)
    rise = np.arange(1, days + 1) / days if slope else np.ones(days)
    mean = level * np.concatenate([np.ones(94 - days), 1 + (top - 1) * rise])
    drawn = rng.negative_binomial(mean / 0.6, 1 / 1.6, (200, 94)).astype(float)  # variance 1.6 x mean

    off = np.array([onset(values, np.ones(94), reach=24) for values in drawn]) - (94 - days)

    assert (abs(off) <= 3).mean() >= near
    assert abs(np.median(off)) <= centred


@given(st.lists(st.floats(0, 500), min_size=20, max_size=40), st.sampled_from([0.125, 0.5, 2.0, 64.0]), st.booleans())
def test_the_scale_of_what_is_expected_does_not_matter(values: list[float], scale: float, rising: bool) -> None:
    pattern = 1 + 0.3 * np.sin(np.arange(len(values)))

    assert onset(values, pattern, reach=12, rising=rising) == onset(values, scale * pattern, reach=12, rising=rising)


@given(st.lists(st.one_of(st.just(np.nan), st.integers(0, 40).map(float)), min_size=10, max_size=40))
def test_an_onset_is_a_reported_day_or_the_last(values: list[float]) -> None:
    found = onset(values, np.ones(len(values)), reach=8)

    assert len(values) - 8 <= found < len(values)
    assert found == len(values) - 1 or np.isfinite(values[found])


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="reach is 4, 4 values have at most 3"):
        onset([1.0, 2, 3, 4], np.ones(4), reach=4)
    with pytest.raises(ValueError, match="observed has shape"):
        onset([1.0, 2], np.ones(3), reach=1)
