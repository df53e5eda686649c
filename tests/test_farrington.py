"""Farrington's regression: R's numbers, and what it promises as a way of judging."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import Panel, Reason
from detectors.blocks import blocks
from detectors.farrington.anniversaries import Seasons, layout, steps_back
from detectors.farrington.exceedance import exceedance
from detectors.farrington.method import regressed_means
from detectors.farrington.quasipoisson import Sample, regressions
from detectors.farrington.regression import Design, foreseen
from detectors.outbreak import outbreak
from detectors.panel import Floats, Scores

REFERENCE = Path(__file__).parent / "reference"  # made by farrington.R in it
MONDAY = np.datetime64("2012-01-02")
ALIKE = 1e-6

# what each setting of farrington.R is called here
NOUFAILY: dict[str, Any] = {"method": "farrington", "level": False, "trend": "always", "least": 0}
SETTINGS: dict[str, dict[str, Any]] = {
    "plugin": {},
    "tested": {"trend": "tested"},
    "delta": {"predictive": "delta", "trend": "tested"},
    "muan": {"predictive": "muan", "alpha": 0.01},
    "original": {
        "years": 4,
        "periods": 1,
        "left_out": 3,
        "down": 1.0,
        "trend": "tested",
        "predictive": "delta",
    },
    "coarse": {"years": 3, "half_window": 2, "periods": 5, "left_out": 10, "down": 0.0, "predictive": "delta"},
    "short": {"years": 2, "predictive": "delta"},
    "level": {"trend": "never"},
    "few": {"least": 5},
    "steps": {"calendar": False, "predictive": "delta"},
    "months": {"trend": "tested"},  # half_window, periods and left_out are what is usual for months
}


@pytest.fixture(scope="module")
def said() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "farrington.csv", comment="#", parse_dates=["date"])


@pytest.fixture(scope="module")
def series() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "farrington_series.csv", comment="#", parse_dates=["date"])


def panel_of(table: pd.DataFrame) -> Panel:
    """Return the series of a table (series, date, value) that share their dates."""
    wide = table.pivot_table(index="date", columns="series", values="value", dropna=False)
    frequency = "monthly" if "monthly" in wide else "weekly"
    return Panel(wide.index.to_numpy().astype("datetime64[D]"), list(wide.columns), wide.to_numpy(float), frequency)


def weekly(values: Floats) -> Panel:
    return Panel(MONDAY + 7 * np.arange(len(values)), [f"place {n}" for n in range(values.shape[1])], values, "weekly")


def counts(mean: Floats, seed: int = 4, size: float = 10.0) -> Floats:
    """Return overdispersed counts of these means, the same for a seed."""
    return np.random.default_rng(seed).negative_binomial(size, size / (size + mean)).astype(float)


def year(weeks: int, height: float = 0.5) -> Floats:
    return np.asarray(np.exp(height * np.sin(2 * np.pi * np.arange(weeks) / 52.18))[:, None])


def calendars(rows: pd.DataFrame, series: pd.DataFrame) -> Iterator[tuple[Panel, pd.DataFrame]]:
    """Yield panels of the series R was asked about, and what it said of each, (dates, series) a column."""
    begun = series.groupby("series").date.agg(["min", "max"]).loc[rows.series.unique()]
    for _, alike in begun.groupby(["min", "max"]):
        names = list(alike.index)
        answers = rows[rows.series.isin(names)].drop(columns="setting").pivot(index="date", columns="series")
        yield panel_of(series[series.series.isin(names)]), answers


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_numbers_are_those_of_r(setting: str, said: pd.DataFrame, series: pd.DataFrame) -> None:
    asked = NOUFAILY | SETTINGS[setting]
    for panel, answers in calendars(said[said.setting == setting], series):
        at = np.searchsorted(panel.dates, answers.index.to_numpy().astype("datetime64[D]")) - len(panel.dates)

        scores = outbreak(panel, last=48, **asked)

        expected, upper, surprise, observed = (
            getattr(scores, name)[at] for name in ("expected", "upper", "surprise", "observed")
        )
        judged = scores.reason[at] == Reason.JUDGED
        enough = answers.expected.notna().to_numpy() & judged  # R leaves out what has too few cases
        np.testing.assert_array_equal(judged, answers.observed.notna())
        np.testing.assert_array_equal(observed[judged], answers.observed.to_numpy()[judged])
        assert expected[enough] == pytest.approx(answers.expected.to_numpy()[enough], rel=ALIKE)
        assert upper[enough] == pytest.approx(answers.upper.to_numpy()[enough], rel=ALIKE)
        tail = answers.p.to_numpy()
        rise = enough & (surprise > 0)
        assert 10 ** -surprise[rise] == pytest.approx(tail[rise], rel=ALIKE)
        assert (tail[enough & (surprise < 0)] > 0.5).all()
        assert (surprise[judged & ~enough] <= 0).all()
        np.testing.assert_array_equal((enough & (observed > upper))[judged], answers.alarm.to_numpy()[judged] == 1)


def test_the_reference_holds_trends_alarms_and_exceedances(said: pd.DataFrame) -> None:
    assert said.alarm.sum() >= 10
    assert said.trend.notna().sum() >= 100
    assert (said.dispersion == 1).any()
    assert (said.dispersion > 2).any()


@pytest.mark.parametrize("setting", ["plugin", "tested", "delta", "muan", "steps"])
def test_dispersion_trend_and_exceedance_score_are_those_of_r(
    setting: str, said: pd.DataFrame, series: pd.DataFrame
) -> None:
    asked: dict[str, Any] = SETTINGS[setting]
    predictive = asked.get("predictive", "plugin")
    design = Design(5, Seasons(3, 10, 26), asked.get("calendar", True), asked.get("trend", "always"))
    for panel, answers in calendars(said[said.setting == setting], series):
        at = np.searchsorted(panel.dates, answers.index.to_numpy().astype("datetime64[D]"))

        told = foreseen(panel.values, at, panel.dates[at], "weekly", design)

        assert told.dispersion == pytest.approx(answers.dispersion.to_numpy(), rel=ALIKE)
        assert told.slope == pytest.approx(answers.trend.to_numpy(), rel=ALIKE, nan_ok=True)
        found = exceedance(
            panel.values[at],
            told.mean,
            told.sd,
            told.dispersion,
            predictive=predictive,
            alpha=asked.get("alpha", 0.001),
        )
        # of the other two R 1.20 subtracts the logarithm of what was expected; the score is 1 at the bound either way
        centre = told.mean if predictive == "delta" else told.log_mean
        score = found.score(panel.values[at], centre)
        assert score == pytest.approx(answers.score.to_numpy(), rel=ALIKE, nan_ok=True)


def test_without_seasons_or_trend_the_mean_is_the_mean_by_hand() -> None:
    # 2, 4, 6 and 8, mean 5: Pearson's (9 + 1 + 1 + 9) / 5 = 4 on three degrees of freedom, each draws a quarter
    sample = Sample(np.array([[2.0], [4.0], [6.0], [8.0]]), np.zeros(4, dtype=np.int64), np.arange(4.0))

    fit = regressions(sample, np.ones((4, 1)), trend=False)

    assert np.exp(fit.level[0, 0]) == pytest.approx(5)
    assert fit.dispersion[0] == pytest.approx(4 / 3, rel=1e-4)  # by the weights of the last step
    assert fit.leverage(sample) == pytest.approx(np.full((4, 1), 0.25), rel=1e-4)


@given(st.integers(0, 10**6), st.booleans())
def test_what_is_left_over_is_balanced_in_every_season_and_over_time(seed: int, trend: bool) -> None:
    rng = np.random.default_rng(seed)
    group, time = rng.permutation(np.arange(60) % 4), np.arange(60) - 30.0
    values = rng.poisson(np.exp(rng.normal(1, 1, 5) + 0.01 * time[:, None])) + (np.arange(60) < 4)[:, None] * 1.0
    weight = rng.uniform(0.1, 2, (60, 5))
    sample = Sample(values, group, time.astype(np.float64))

    fit = regressions(sample, weight, trend=trend)

    left = weight * (values - fit.mean)  # the equations the maximum of a quasi-likelihood solves
    assert fit.settled.all()
    assert sample.members @ left == pytest.approx(np.zeros((4, 5)), abs=1e-3)
    if trend:
        assert time @ left == pytest.approx(np.zeros(5), abs=1e-2)


def test_the_seasons_of_a_year_by_hand() -> None:
    # a year of ten steps, one step either side of the anniversary, the other seven in three seasons: 3, 2 and 2
    plan = layout((10,), Seasons(half_window=1, periods=4, left_out=2))

    assert plan.offset.tolist() == [-11, -10, -9, -8, -7, -6, -5, -4, -3]
    assert plan.group.tolist() == [3, 3, 3, 0, 0, 0, 1, 1, 2]


def test_with_one_season_only_the_weeks_of_the_anniversaries_count() -> None:
    plan = layout((52, 104), Seasons(half_window=1, periods=1, left_out=1))

    assert plan.offset.tolist() == [-105, -104, -103, -53, -52, -51]
    assert plan.group.tolist() == [0] * 6


def test_an_anniversary_is_the_nearest_monday() -> None:
    # 2021-01-04 is a Monday; 2020-01-04 a Saturday, two days before Monday 6th: 52 weeks; 2016-01-04 a Monday
    mondays = np.array(["2021-01-04", "2016-02-29"], dtype="datetime64[D]")

    back = steps_back(mondays, "weekly", 5, calendar=True)

    assert back[0].tolist() == [52, 104, 157, 209, 261]
    # 1 March 2015 is a Sunday, a day before Monday 2nd: 52 weeks before 2016-02-29
    assert back[1, 0] == 52


@pytest.mark.parametrize("days", [1, 7])
def test_more_seasons_than_a_year_holds_are_refused(days: int) -> None:
    panel = Panel(MONDAY + days * np.arange(200), ["a"], np.ones((200, 1)))

    with pytest.raises(ValueError, match="60 periods do not fit into a year of 52 steps"):
        outbreak(panel, method="farrington", periods=60)


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"method": "farington"}, "outbreak knows the methods adaptive, farrington"),
        ({"predictive": "normal"}, "the predictives plugin, delta, muan"),
        ({"evidence": 0}, "evidence >= 1"),
        ({"method": "farrington", "years": 0}, "years >= 1"),
        ({"method": "farrington", "left_out": -1}, "left_out >= 0"),
        ({"method": "farrington", "periods": 0}, "periods >= 1"),
        ({"method": "farrington", "trend": "sometimes"}, "a trend of tested, always, never"),
        ({"least": -1}, "least >= 0"),
        ({"level": False}, "level belongs to method 'farrington', found method='adaptive'"),
        ({"years": -3}, "years belongs to method 'farrington', found method='adaptive'"),
        ({"trend": "sometimes"}, "trend belongs to method 'farrington', found method='adaptive'"),
        ({"predictive": "muan"}, "predictive belongs to method 'farrington', found method='adaptive'"),
        ({"method": "farrington", "season": False}, "season belongs to method 'adaptive', found method='farrington'"),
        ({"method": "farrington", "pool": True}, "pool belongs to method 'adaptive', found method='farrington'"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(asked: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        outbreak(weekly(np.ones((200, 1))), **asked)


def test_daily_panels_are_left_to_the_other_method() -> None:
    panel = Panel(MONDAY + np.arange(400), ["a"], np.ones((400, 1)), "daily")

    scores = outbreak(panel, method="farrington")

    assert scores.reason.tolist() == [[Reason.NOT_SUITED]]


def test_two_years_and_three_weeks_are_needed() -> None:
    values = counts(np.full((108 + 20, 1), 20.0))

    scores = outbreak(weekly(values), last=128, method="farrington", level=False)

    judged = (scores.reason[:, 0] == Reason.JUDGED).argmax()
    assert judged in (107, 108)  # two years of 52 weeks, of which one may have 53, and the weeks either side


def test_a_series_that_began_later_has_the_years_it_has() -> None:
    values = counts(np.full((300, 2), 20.0))
    values[:150, 1] = np.nan

    both = outbreak(weekly(values), method="farrington", level=False)
    alone = outbreak(weekly(values[150:, 1:]), method="farrington", level=False)

    assert both.reason.tolist() == [[Reason.JUDGED, Reason.JUDGED]]
    assert both.expected[0, 1] == pytest.approx(alone.expected[0, 0])


def test_a_sum_with_a_step_whose_iteration_does_not_end_has_failed() -> None:
    rare = np.random.default_rng(2).poisson(0.02, (360, 200)).astype(float)
    asked: list[dict[str, Any]] = [{}, {"window": 3}, {"evidence": 2}]

    each, sums, together = (
        outbreak(weekly(rare[:, [113, 0]]), last=20, method="farrington", level=False, **ask) for ask in asked
    )

    failed = each.reason == Reason.FAILED  # of the first series, some in the middle
    of_three = failed[2:] | failed[1:-1] | failed[:-2]
    assert 0 < failed[:, 0].sum() < of_three[:, 0].sum() < 18
    np.testing.assert_array_equal(sums.reason[2:] == Reason.FAILED, of_three)
    np.testing.assert_array_equal(np.isnan(sums.expected[2:]), of_three)
    after = np.vstack([[[False, False]], failed[:-1] & ~failed[1:]])  # the longer sum is left out
    np.testing.assert_array_equal(together.surprise[after], each.surprise[after])


def test_a_season_of_which_no_week_was_reported_is_a_gap() -> None:
    values = counts(np.full((200, 1), 20.0))
    back = steps_back(MONDAY + 7 * np.arange(199, 200), "weekly", 3, calendar=True)[0]
    for step in back:
        values[199 - step - 3 : 199 - step + 4] = np.nan

    for level in (False, True):
        scores = outbreak(weekly(values), method="farrington", level=level)

        assert scores.reason.tolist() == [[Reason.BASELINE_GAP]]


def test_the_last_half_year_has_no_part_in_a_regression() -> None:
    values = counts(20 * np.ones((300, 3)))
    stirred = values.copy()
    stirred[-27:-1] *= 4
    design = Design(5, Seasons(3, 10, 26))
    row, dates = np.array([299]), MONDAY + 7 * np.arange(299, 300)

    quiet, loud = (foreseen(panel, row, dates, "weekly", design) for panel in (values, stirred))

    np.testing.assert_array_equal(quiet.mean, loud.mean)


def test_past_outbreaks_are_weighted_down() -> None:
    values = counts(np.full((320, 30), 10.0))
    values[100:106] += 60
    values[318 - 156 : 318 - 152] += 60  # three years ago, in the season of the last week

    plain, weighted = (
        outbreak(weekly(values), method="farrington", level=False, trend="never", down=down).expected.mean()
        for down in (0.0, 2.58)
    )

    assert plain == pytest.approx(10 + 4 * 60 / 35, rel=0.05)  # of seven weeks of five years
    assert weighted < 11.5


def test_the_season_of_past_years_is_expected() -> None:
    mean = 40 * year(320)
    scores = outbreak(weekly(counts(mean * np.ones(20), size=50)), last=52, method="farrington")

    assert scores.expected.mean(axis=1) == pytest.approx(mean[-52:, 0], rel=0.15)


def judged_after_a_step(level: bool) -> Scores:
    mean = np.where(np.arange(340) < 280, 10.0, 30.0)[:, None] * np.ones(30)
    return outbreak(weekly(counts(mean)), last=340 - 280, method="farrington", level=level, least=0)


def test_the_level_takes_a_lasting_step_in_where_the_regression_extrapolates() -> None:
    without, with_level = (judged_after_a_step(level).surprise for level in (False, True))

    assert (without[:4] >= 2).mean() > 0.5  # both see it
    assert (with_level[:4] >= 2).mean() > 0.4
    assert (without[20:30] >= 2).mean() > 0.5
    assert (with_level[20:] >= 3).mean() <= 0.005


def test_a_season_without_events_is_drawn_to_the_year() -> None:
    panel = weekly(counts(np.full((320, 40), 0.2), size=1e6))

    drawn, _ = regressed_means(panel, panel.values, blocks(panel), Design(5, Seasons(3, 10, 26)))
    as_it_is = outbreak(panel, last=8, method="farrington", level=False).expected

    assert as_it_is.min() < 0.01  # seven weeks of five years without a case
    assert drawn[-8:].min() > 0.05


def test_a_slip_of_the_past_is_not_learnt_from() -> None:
    values = counts(np.full((320, 4), 10.0))
    slipped = values.copy()
    slipped[200] = 1e7

    usual, after = (outbreak(weekly(panel), method="farrington").expected for panel in (values, slipped))

    assert after == pytest.approx(usual, rel=0.1)


def test_few_events_are_no_rise() -> None:
    values = np.zeros((320, 1))
    values[40::52] = 1
    values[-1] = 4

    counted, few = (
        outbreak(weekly(values), method="farrington", level=False, least=least).surprise[0, 0] for least in (4, None)
    )

    assert counted > 3
    assert few == 0


def test_months_are_compared_with_the_same_months() -> None:
    months = np.arange(np.datetime64("2014-01"), np.datetime64("2024-01"))
    mean = np.where(np.arange(120) % 12 == 6, 60.0, 20.0)[:, None] * np.ones(30)
    panel = Panel(months.astype("datetime64[D]"), list(range(30)), counts(mean, size=100), "monthly")

    scores = outbreak(panel, last=12, method="farrington", half_window=0)

    assert (scores.reason == Reason.JUDGED).all()
    assert scores.expected[6].mean() == pytest.approx(60, rel=0.1)
    assert scores.expected[[0, 3, 9]].mean() == pytest.approx(20, rel=0.15)


@pytest.mark.parametrize("mean", [0.2, 2.0, 20.0, 200.0])
def test_round_a_level_quiet_counts_are_no_more_surprising_than_they_say(mean: float) -> None:
    values = counts(mean * year(300, 0.3) * np.ones(80), size=5.0)

    surprise = outbreak(weekly(values), last=60, method="farrington").surprise

    for at in (2, 3):
        nominal = surprise.size * 10.0**-at
        # 4 sd of a binomial; half as many cells, since a mean that is wrong is wrong for weeks
        assert (surprise >= at).sum() <= nominal + 4 * np.sqrt(2 * nominal)
