from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.changepoint import AT_ONCE, changepoint, changes, unchanged
from detectors.panel import DayKind, Panel, Reason


def panel_of(values: np.ndarray, **more: object) -> Panel:
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    dates = np.datetime64("2022-01-03") + np.arange(len(values))
    return Panel(dates, range(values.shape[1]), values, **more)  # type: ignore[arg-type]


def counts(mean: float, days: int = 400, n: int = 20, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, (days, n)).astype(float)


def best_split(level: np.ndarray, gain: float, min_size: int) -> float:
    """Return the least cost of any segmentation, by trying every last segment of every beginning."""
    best = [0.0] + [np.inf] * len(level)
    for end in range(min_size, len(level) + 1):
        for start in range(end - min_size + 1):
            part = level[start:end]
            best[end] = min(best[end], best[start] + ((part - part.mean()) ** 2).sum() + gain)
    return best[-1]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7), st.floats(10, 30))
def test_the_segmentation_is_the_best_there_is(seed: int, min_size: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 1, 50) + 2 * (np.arange(50) >= rng.integers(5, 45))

    starts = [0, *changes(level, gain, min_size), 50]

    cost = sum(((level[a:b] - level[a:b].mean()) ** 2).sum() + gain for a, b in pairwise(starts))
    assert min(b - a for a, b in pairwise(starts)) >= min_size
    assert cost == pytest.approx(best_split(level, gain, min_size))


@given(
    st.integers(0, 10**6),
    st.integers(2, 7),
    st.floats(1.5, 3.0),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0]),
    st.sampled_from([0, 5, 20]),
)
def test_what_is_called_unchanged_has_no_change_in_its_best_segmentation(
    seed: int, min_size: int, penalty: float, size: float, missing: int
) -> None:
    rng = np.random.default_rng(seed)
    level = rng.normal(5, 1, (80, 40)) * rng.choice([0, 1, 1, 1], 40)
    for series in range(0, 40, 2):  # steps, and bumps that are over
        start, stop = np.sort(rng.integers(0, 81, 2))
        level[start:stop, series] += size
    count = 80 - rng.integers(0, missing + 1, 40)
    level[np.arange(80)[:, None] >= count] = np.nan
    gain = 2 * penalty * np.log(count)

    found = unchanged(level, count, gain, min_size)

    for column in np.flatnonzero(found):
        assert changes(level[: count[column], column], gain[column], min_size) == []
    assert found.any()


def test_most_quiet_series_are_called_unchanged() -> None:
    level = np.random.default_rng(1).normal(0, 1, (120, 1000))

    found = unchanged(level, np.full(1000, 120), np.full(1000, 3 * np.log(120)), 7)

    assert found.mean() >= 0.8


def test_many_series_are_judged_as_each_alone() -> None:
    many = counts(20, days=200, n=AT_ONCE + 10)
    many[-20:, ::50] += 15
    many[50:60, ::3] = np.nan

    scores = changepoint(panel_of(many), window=90)

    for column in [0, 1, 2, 3, 50, AT_ONCE - 1, AT_ONCE, AT_ONCE + 9]:
        alone = changepoint(panel_of(many[:, column]), window=90)
        for name in ("observed", "expected", "lower", "upper", "surprise", "reason"):
            assert getattr(scores, name)[0, column] == pytest.approx(getattr(alone, name)[0, 0], rel=1e-9), name


def test_a_lasting_rise_is_found_with_both_levels() -> None:
    values = counts(50)
    values[-15:] = counts(65, 15, seed=2)

    scores = changepoint(panel_of(values))

    assert (scores.surprise >= 3).mean() >= 0.95
    assert scores.expected.mean() == pytest.approx(50, rel=0.03)
    assert scores.observed.mean() == pytest.approx(65, rel=0.03)
    assert (scores.observed > scores.upper).mean() >= 0.95


def test_a_lasting_fall_is_negative() -> None:
    values = counts(50)
    values[-15:] = counts(35, 15, seed=2)

    scores = changepoint(panel_of(values))

    assert (scores.surprise <= -3).mean() >= 0.95
    assert (scores.observed < scores.lower).mean() >= 0.95


def test_no_change_has_no_surprise_and_a_level_all_the_same() -> None:
    scores = changepoint(panel_of(counts(20)), last=10)

    assert (scores.surprise != 0).mean() <= 0.01
    assert scores.expected.mean() == pytest.approx(20, rel=0.03)
    assert ((scores.lower < scores.expected) & (scores.expected < scores.upper)).all()


def test_one_bad_day_is_no_change_of_level() -> None:
    values = counts(20)
    values[-3] = 400

    scores = changepoint(panel_of(values))

    assert (scores.surprise == 0).all()


def test_an_old_change_is_the_new_normal() -> None:
    values = counts(50)
    values[-60:] = counts(80, 60, seed=2)

    scores = changepoint(panel_of(values), recent=42)

    assert (scores.surprise == 0).all()
    assert scores.expected.mean() == pytest.approx(80, rel=0.03)


def test_weekends_are_no_changes_and_are_expected_to_come_again() -> None:
    week = np.where(np.arange(400) % 7 < 5, 1.2, 0.5)[:, None]
    values = np.random.default_rng(3).poisson(100 * week * np.ones((1, 20))).astype(float)
    values[-10:] = np.random.default_rng(4).poisson(150 * week[-10:] * np.ones((1, 20)))

    quiet, risen = changepoint(panel_of(values[:-10])), changepoint(panel_of(values))

    assert (quiet.surprise == 0).all()
    assert (risen.surprise >= 3).mean() >= 0.95
    assert risen.expected.mean() == pytest.approx(100 * week[-10:].mean(), rel=0.04)


def test_an_annual_wave_is_no_change_once_a_year_of_it_is_known() -> None:
    wave = np.exp(0.4 * np.sin(2 * np.pi * np.arange(900) / 365.25))[:, None]
    values = np.random.default_rng(5).poisson(100 * wave * np.ones((1, 40))).astype(float)

    known, taken_as_it_is = (changepoint(panel_of(values), last=1, season=season) for season in (True, False))

    assert (known.surprise != 0).mean() <= 0.1
    assert (taken_as_it_is.surprise != 0).mean() >= 0.5


def test_a_step_a_year_ago_is_not_taken_out_of_this_year() -> None:
    values = counts(50, 900)
    values[480:] = counts(80, 420, seed=2)  # seen again 364 days on, inside the window

    scores = changepoint(panel_of(values))

    assert (scores.surprise == 0).all()


def test_a_long_holiday_is_no_change() -> None:
    values = counts(50)
    values[-12:-4] = counts(15, 8, seed=2)
    holidays = np.zeros(400, dtype=np.int8)
    holidays[-12:-4] = DayKind.SPRING_FESTIVAL

    assert (changepoint(panel_of(values, holidays=holidays)).surprise == 0).all()
    assert (changepoint(panel_of(values)).surprise < 0).all()


def test_a_slowly_wandering_series_changes_no_more_often_than_an_independent_one() -> None:
    rng = np.random.default_rng(6)
    noise, values = rng.normal(0, 1, (400, 60)), np.zeros((400, 60))
    for day in range(1, 400):
        values[day] = 0.5 * values[day - 1] + noise[day]

    scores = changepoint(panel_of(70 + values, kind="ratio"), last=5)

    assert (np.abs(scores.surprise) >= 2).mean() <= 0.01


def test_a_score_that_never_moved_may_move_a_little() -> None:
    values = np.full(400, 90.0)
    values[-10:] = 90.1

    assert changepoint(panel_of(values, kind="score")).surprise[0, 0] == 0


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        pytest.param(slice(-1, None), Reason.NOT_REPORTED, id="today-missing"),
        pytest.param(slice(-140, -10), Reason.SHORT_HISTORY, id="most-of-the-window-missing"),
        pytest.param(slice(-100, -10), Reason.JUDGED, id="half-of-it-missing"),
    ],
)
def test_why_it_abstains(gap: slice, reason: Reason) -> None:
    values = counts(20, n=1)
    values[gap] = np.nan

    assert changepoint(panel_of(values)).reason[0, 0] == reason


def test_weekly_and_monthly_panels_are_judged_too() -> None:
    for step, months in (7, None), (30, "monthly"):
        values = counts(50, 120, n=10)
        values[-9:] = counts(90, 9, seed=2, n=10)
        panel = Panel(np.datetime64("2010-01-04") + step * np.arange(120), range(10), values, frequency=months)

        assert (changepoint(panel, window=60, min_size=4, recent=12).surprise > 3).all()


@pytest.mark.parametrize("wrong", [{"min_size": 1}, {"window": 27}, {"penalty": 0}, {"recent": 6}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="changepoint needs min_size >= 2"):
        changepoint(panel_of(counts(5)), **wrong)  # type: ignore[arg-type]
