from __future__ import annotations

import numpy as np
import pytest

from detectors.panel import Panel, Reason
from detectors.tails import count_bounds, count_tails, surprise
from detectors.threshold import threshold


def panel_of(*series: list[float], kind: str = "count", persons: list[float] | None = None) -> Panel:
    values = np.array(series, dtype=float).T
    behind = None if persons is None else np.broadcast_to(np.array(persons), values.shape)
    dates = np.datetime64("2023-01-01") + np.arange(len(values))
    return Panel(dates, range(len(series)), values, kind=kind, denominators=behind)


def quiet(days: int, every: int) -> list[float]:
    """Return one case on every so-many-th day."""
    return [1.0 if day % every == 0 else 0.0 for day in range(days)]


def test_two_in_a_month_where_four_a_year_is_usual_by_hand() -> None:
    # 364 quiet days with 4 cases, 7 days left out, then 28 days with 2.
    # rate (4 + .5) / 364 a day, expected 28 of them = .3462; the days' variance is below Poisson's but for
    # half a standard error: variance v = .0109 (364/363 · 4/364 · 360/364), error v · sqrt((2 + 1/m) / 364)
    panel = panel_of(quiet(364, 91) + [0.0] * 7 + [0.0] * 10 + [1.0] + [0.0] * 16 + [1.0])

    scores = threshold(panel, window=28)

    mean = 4 / 364
    variance = mean * (1 - mean) * 364 / 363
    error = mean * np.sqrt((2 + 1 / mean) / 364)
    dispersion = (variance + 0.5 * error - mean) / mean**2
    relative = dispersion / 28 + (364 / 4.5 + dispersion) / 364
    assert scores.observed[0, 0] == 2
    assert scores.expected[0, 0] == pytest.approx(4.5 / 364 * 28)
    assert scores.surprise[0, 0] == pytest.approx(surprise(count_tails(2.0, 4.5 / 13, 1 / relative)))
    assert 1 < scores.surprise[0, 0] < 1.4  # Poisson without any doubt about the rate would say 1.32


def test_a_week_of_poisson_counts_has_the_gamma_poisson_tail_by_hand() -> None:
    # five every day: 364 days hold 1820, so a new week is negative binomial of size 1820.5 about 35.01
    panel = panel_of([5.0] * 371 + [8.0] * 7)

    scores = threshold(panel, window=7)

    mean = 1820.5 / 364 * 7
    assert scores.expected[0, 0] == pytest.approx(mean)
    assert scores.surprise[0, 0] == pytest.approx(surprise(count_tails(56.0, mean, 1820.5)), rel=1e-6)
    assert (scores.lower[0, 0], scores.upper[0, 0]) == count_bounds(0.001, mean, 1820.5)


def test_a_line_is_the_upper_bound_and_changes_no_surprise() -> None:
    panel = panel_of(quiet(400, 10))

    with_line, without = threshold(panel, window=7, line=3.0), threshold(panel, window=7)

    assert with_line.upper[0, 0] == 3
    assert with_line.surprise == pytest.approx(without.surprise)


def test_a_line_needs_no_history() -> None:
    scores = threshold(panel_of([2.0] * 7), window=7, line=10.0)

    assert scores.reason[0, 0] == Reason.SHORT_HISTORY
    assert (scores.observed[0, 0], scores.upper[0, 0]) == (14, 10)
    assert np.isnan(scores.surprise[0, 0])


def test_a_line_of_twice_the_usual_by_hand() -> None:
    # one case in ten days: (36.4 + .5) / 364 a day or so, 7 of them .71, twice that 1.42; the line is not below 3
    panel = panel_of(quiet(400, 10), [5.0] * 400)

    scores = threshold(panel, window=7, line=3.0, line_times=2.0)

    assert scores.upper[0].tolist() == pytest.approx([3.0, 2 * 7 * 1820.5 / 364])
    assert scores.surprise == pytest.approx(threshold(panel, window=7).surprise)


def test_a_line_per_ten_thousand_by_hand() -> None:
    # 3,742,991 and 717,684 persons: .04 in a week for each 10,000 is 14.97 and 2.87; the line is not below 5
    panel = panel_of([1.0] * 400, [0.2] * 400, persons=[3_742_991, 717_684])

    scores = threshold(panel, window=7, line=5.0, line_per_10000=0.04)

    assert scores.upper[0].tolist() == pytest.approx([14.971964, 5.0])


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        pytest.param({"line": 8.0}, 1.0, id="one-number-for-all"),
        pytest.param({"line": 5.0, "line_times": 2.0}, 0.03, id="twice-the-usual"),
        pytest.param({"line": 5.0, "line_per_10000": 0.04}, 0.03, id="per-ten-thousand"),
    ],
)
def test_how_often_a_quiet_week_reaches_a_line_in_a_large_and_a_small_district(
    asked: dict[str, float], most: float
) -> None:
    persons = np.repeat([3_742_991.0, 717_684.0], 100)
    values = np.random.default_rng(6).poisson(persons / 3_742_991 * 8 / 7, (500, 200)).astype(float)
    panel = panel_of(*values.T.tolist(), persons=persons.tolist())

    scores = threshold(panel, last=100, window=7, **asked)  # type: ignore[arg-type]

    reached = scores.observed >= scores.upper
    large, small = reached[:, :100].mean(), reached[:, 100:].mean()
    assert max(large, small) <= most
    if most == 1.0:
        assert large > 0.5  # the fault of one number for all
        assert small < 0.001


def test_a_line_below_is_the_lower_bound() -> None:
    panel = panel_of([95.0, 94.0] * 200 + [80.0], kind="ratio")

    scores = threshold(panel, line=90.0, line_times=0.97, line_below=True)

    assert scores.lower[0, 0] == 90  # .97 · 94.5 = 91.7 is above it
    assert scores.upper[0, 0] == threshold(panel).upper[0, 0]


def test_without_persons_nothing_can_be_said_per_ten_thousand() -> None:
    known, ratio = panel_of([1.0] * 400, [1.0] * 400, persons=[1e6, np.nan]), panel_of([1.0] * 400, kind="ratio")

    scores = threshold(known, line_per_10000=0.1)

    assert scores.reason[0].tolist() == [Reason.JUDGED, Reason.NOT_SUITED]
    assert np.isnan(scores.surprise[0, 1])
    with pytest.raises(ValueError, match="threshold: line_per_10000 needs denominators, the panel has none"):
        threshold(ratio, line_per_10000=0.1)


def test_a_multiple_of_a_rate_nobody_knows_is_no_line() -> None:
    scores = threshold(panel_of([2.0] * 7), window=7, line=3.0, line_times=2.0)

    assert scores.reason[0, 0] == Reason.SHORT_HISTORY
    assert np.isnan(scores.upper[0, 0])


def test_a_missing_day_in_the_window_is_not_a_quiet_day() -> None:
    panel = panel_of([*quiet(400, 10), np.nan, 0.0])

    assert threshold(panel, last=2, window=2).reason[:, 0].tolist() == [Reason.NOT_REPORTED] * 2
    assert threshold(panel, window=1).reason[0, 0] == Reason.JUDGED


def test_days_missing_from_the_baseline_shorten_it_and_do_not_lower_the_rate() -> None:
    whole, gappy = [4.0] * 400, [4.0] * 400
    gappy[100:300] = [np.nan] * 200

    scores = threshold(panel_of(whole, gappy), window=7)

    assert scores.expected[0] == pytest.approx([28, 28], rel=0.01)
    assert scores.upper[0, 1] >= scores.upper[0, 0]


def test_an_event_does_not_raise_its_own_base_rate() -> None:
    panel = panel_of([1.0, 0.0] * 200 + [9.0] * 8)

    scores = threshold(panel, window=1, gap=7)

    assert scores.expected[0, 0] == pytest.approx(0.5, abs=0.01)


def test_a_place_that_never_had_a_case_is_surprised_by_the_first_but_not_beyond_measure() -> None:
    # half a case in 364 days: P(at least one tomorrow) is about .5/364 = .00137
    scores = threshold(panel_of([0.0] * 400 + [1.0]))

    assert scores.surprise[0, 0] == pytest.approx(-np.log10(0.5 / 364), abs=0.01)


@pytest.mark.parametrize("kind", ["ratio", "rate", "score"])
def test_what_cannot_be_added_is_averaged(kind: str) -> None:
    rng = np.random.default_rng(3)
    usual = rng.normal(90, 2, 400)

    scores = threshold(panel_of([*usual, 80, 81, 79], kind=kind), window=3)

    assert scores.observed[0, 0] == pytest.approx(80)
    assert scores.expected[0, 0] == pytest.approx(90, abs=0.3)
    assert scores.surprise[0, 0] < -10
    assert scores.lower[0, 0] == pytest.approx(90 - 3.13 * 2 / np.sqrt(3), abs=0.8)


def test_amounts_are_added_and_never_expected_below_nothing() -> None:
    rng = np.random.default_rng(3)
    usual = rng.gamma(2, 1e6, 400)

    scores = threshold(panel_of([*usual, 9e6, 9e6], kind="amount"), window=2)

    assert scores.observed[0, 0] == 18e6
    assert scores.expected[0, 0] == pytest.approx(4e6, rel=0.1)
    assert scores.surprise[0, 0] > 4
    assert scores.lower[0, 0] > 0


def test_amounts_and_levels_are_exceeded_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    for kind, values in ("amount", rng.gamma(1.5, 2e6, (500, 400))), ("ratio", rng.normal(70, 5, (500, 400))):
        panel = Panel(np.datetime64("2022-01-03") + np.arange(500), range(400), values, kind=kind)

        found = threshold(panel, last=50).surprise

        assert 0.006 < (found >= 2).mean() < 0.014
        assert 0.006 < (found <= -2).mean() < 0.014


@pytest.mark.parametrize("wrong", [{"window": 0}, {"gap": -1}, {"window": 60}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="threshold needs window >= 1, gap >= 0 and baseline >= 8 windows"):
        threshold(panel_of([1.0] * 500), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["line_times", "line_per_10000"])
def test_a_line_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"threshold needs {name} > 0, found 0"):
        threshold(panel_of([1.0] * 500), **{name: 0.0})  # type: ignore[arg-type]
