from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from detectors.panel import Panel, Reason
from detectors.tails import count_tails, surprise
from detectors.yearly import yearly
from warning.calendar import load_calendar
from warning.history import last_year
from warning.paths import shipped

WEEKS = 52 + 26 + 1 + 1  # a year, a baseline, a gap, the week judged


def weekly(values: NDArray[np.float64], **more: object) -> Panel:
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    dates = np.datetime64("2023-01-02") + 7 * np.arange(len(values))
    return Panel(dates, range(values.shape[1]), values, **more)  # type: ignore[arg-type]


def daily(values: ArrayLike, first: str = "2023-01-02", **more: object) -> Panel:
    table = np.asarray(values, dtype=float)
    table = table.reshape(len(table), -1)
    return Panel(np.datetime64(first) + np.arange(len(table)), range(table.shape[1]), table, **more)  # type: ignore[arg-type]


def usual_then(last: float, *, usual: float = 10.0, weeks: int = WEEKS) -> NDArray[np.float64]:
    return np.where(np.arange(weeks) < weeks - 1, usual, last)


def test_twice_last_year_by_hand() -> None:
    # ten a week, now twenty: the past year's 10 and half an event are expected. Its 26 weeks were off by half an event
    # where chance alone makes sqrt(10.5 + 10.5), so nothing is added; what is known of the rate are 10.5 events
    scores = yearly(weekly(usual_then(20.0)))

    assert (scores.observed[0, 0], scores.expected[0, 0]) == (20, 10.5)
    assert scores.surprise[0, 0] == pytest.approx(surprise(count_tails(20.0, 10.5, 10.5)))
    assert 1.2 < scores.surprise[0, 0] < 1.8  # a Poisson of 10.5 that were known for certain would say 2.2


def test_three_past_years_tell_more_than_one() -> None:
    years = [yearly(weekly(usual_then(25.0, weeks=52 * n + 28)), years=3).surprise[0, 0] for n in (1, 2, 3)]

    assert years[0] < years[1] < years[2]


def test_a_year_that_is_higher_throughout_is_no_news_and_a_week_beyond_it_is() -> None:
    risen = usual_then(150.0, usual=100.0)
    risen[52:-1] = 150.0
    beyond = risen.copy()
    beyond[-1] = 300.0

    plain, carried = (yearly(weekly(risen), level=level) for level in (False, True))
    burst = yearly(weekly(beyond), level=True)

    assert (plain.expected[0, 0], carried.expected[0, 0]) == (100.5, pytest.approx(150, rel=0.01))
    assert plain.surprise[0, 0] < 1  # half a year of it is its scatter
    assert abs(carried.surprise[0, 0]) < 0.5
    assert burst.surprise[0, 0] > 4


def test_a_level_that_stepped_up_for_good_is_told_for_a_while_only() -> None:
    rng = np.random.default_rng(5)
    values = rng.poisson(20, (364 + 182 + 300, 60))
    values[-250:] = rng.poisson(60, (250, 60))

    found = yearly(daily(values), last=250, window=7).surprise

    assert (found[10:20] >= 3).mean() > 0.9
    assert (found[-60:] >= 3).mean() <= 0.02


def festival_feed() -> tuple[NDArray[np.float64], NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return thirty series that rest for nine days from New Year's Eve of the lunar calendar, three years of it."""
    rng = np.random.default_rng(7)
    dates = np.arange(np.datetime64("2022-06-01"), np.datetime64("2025-02-20"))
    mean = np.full(len(dates), 40.0)
    for first in ("2023-01-21", "2024-02-09", "2025-01-28"):
        mean[(dates >= np.datetime64(first)) & (dates < np.datetime64(first) + 9)] = 4.0
    calendar = load_calendar(shipped("city"))
    ago = last_year(calendar, "daily")
    same = np.array([ago(day) for day in dates.tolist()], dtype="datetime64[D]")
    return rng.poisson(mean[:, None] * np.ones((1, 30))).astype(float), dates, same


@pytest.mark.parametrize("window", [1, 7])
def test_spring_festival_is_compared_with_spring_festival(window: int) -> None:
    values, dates, same = festival_feed()

    moved, fixed = (
        yearly(Panel(dates, range(30), values, year_ago=ago), last=40, window=window).surprise for ago in (same, None)
    )

    assert same[dates == np.datetime64("2025-01-29")][0] == np.datetime64("2024-02-10")
    assert (np.abs(moved) >= 3).mean() <= 0.004
    assert (np.abs(fixed) >= 3).mean() > 0.2  # the same weekday 364 days before is no festival


def test_a_festival_that_was_not_quiet_is_seen() -> None:
    values, dates, same = festival_feed()
    feast = (dates >= np.datetime64("2025-01-28")) & (dates < np.datetime64("2025-02-06"))
    values[feast] = 20.0  # half of an ordinary day, and five times the usual of these days

    found = yearly(Panel(dates, range(30), values, year_ago=same), last=40, window=7).surprise

    assert (found[feast[-40:]][6:] >= 3).all()


@pytest.mark.parametrize(("weeks", "judged"), [(52 + 8 + 1, False), (52 + 8 + 2, True)])
def test_a_year_and_eight_weeks_are_needed(weeks: int, judged: bool) -> None:
    scores = yearly(weekly(usual_then(10.0, weeks=weeks)))

    assert scores.reason[0, 0] == (Reason.JUDGED if judged else Reason.SHORT_HISTORY)


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        pytest.param(slice(-1, None), Reason.NOT_REPORTED, id="this-week"),
        pytest.param(slice(-53, -52), Reason.BASELINE_GAP, id="the-same-week-a-year-ago"),
        pytest.param(slice(-27, -8), Reason.BASELINE_GAP, id="most-of-the-half-year"),
        pytest.param(slice(0, 30), Reason.SHORT_HISTORY, id="began-later"),
        pytest.param(slice(-20, -12), Reason.JUDGED, id="some-of-the-half-year"),
    ],
)
def test_why_it_abstains(gap: slice, reason: Reason) -> None:
    values = usual_then(10.0)
    values[gap] = np.nan

    assert yearly(weekly(values)).reason[0, 0] == reason


def test_a_gap_in_one_past_year_leaves_the_others() -> None:
    values = usual_then(20.0, weeks=52 * 2 + 28)
    values[-53] = np.nan

    assert yearly(weekly(values)).expected[0, 0] == pytest.approx(10.5)


def test_a_calendar_that_does_not_know_the_day_is_no_year() -> None:
    panel = weekly(usual_then(10.0))
    unknown = panel.dates - 364
    unknown[-1] = np.datetime64("NaT")

    scores = yearly(Panel(panel.dates, panel.series, panel.values, year_ago=unknown))

    assert scores.reason[0, 0] == Reason.BASELINE_GAP


def test_a_year_ago_lies_before() -> None:
    panel = weekly(usual_then(10.0))

    with pytest.raises(ValueError, match="year_ago must lie before its date"):
        Panel(panel.dates, panel.series, panel.values, year_ago=panel.dates)


@pytest.mark.parametrize("level", [False, True])
@pytest.mark.parametrize(("years", "days"), [(1, 364 + 182 + 30), (3, 3 * 364 + 182 + 30)])
@pytest.mark.parametrize("kind", ["count", "amount", "ratio"])
def test_quiet_years_are_no_more_surprising_than_told(kind: str, years: int, days: int, level: bool) -> None:
    rng, shape = np.random.default_rng(20), (days, 320)
    season = (np.exp(0.5 * np.sin(2 * np.pi * np.arange(days) / 364)) * np.where(np.arange(days) % 7 < 5, 1, 0.5))[
        :, None
    ]
    means = np.tile([0.1, 1.0, 10.0, 100.0], 80)
    values = {
        "count": rng.poisson(means * season),
        "amount": rng.lognormal(3, 0.5, shape) * season,
        "ratio": rng.normal(80, 3, shape) + season,
    }[kind]

    found = yearly(daily(values, kind=kind), last=15, window=7, years=years, level=level).surprise

    assert not np.isnan(found).any()
    for at in (2, 3):
        nominal = found.size * 10.0**-at
        assert (found >= at).sum() <= nominal + 4 * np.sqrt(nominal)  # 4 sd of a binomial
        assert (found <= -at).sum() <= nominal + 4 * np.sqrt(nominal)


def test_a_value_beyond_a_bound_is_one_beyond_its_surprise() -> None:
    rng = np.random.default_rng(3)
    scores = yearly(daily(rng.poisson(8, (640, 300))), last=20, alpha=0.01)

    assert ((scores.surprise >= 2) == (scores.observed > scores.upper)).all()
    assert ((scores.surprise <= -2) == (scores.observed < scores.lower)).all()


def test_months_are_compared_with_months() -> None:
    dates = np.arange(np.datetime64("2020-01"), np.datetime64("2025-01")).astype("datetime64[D]")
    course = 100 + 50 * np.sin(2 * np.pi * np.arange(60) / 12)
    course[-1] *= 3

    scores = yearly(Panel(dates, ["a"], np.round(course)[:, None]))

    assert scores.expected[0, 0] == pytest.approx(75, abs=2)
    assert scores.surprise[0, 0] > 5


def test_thousands_of_series_are_judged_as_hundreds_are() -> None:
    values = np.random.default_rng(1).poisson(5, (WEEKS, 15_000)).astype(float)
    many, few = weekly(values), weekly(values[:, 12_000:12_010])

    np.testing.assert_array_equal(yearly(many, last=2).surprise[:, 12_000:12_010], yearly(few, last=2).surprise)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"window": 0}, "found window=0"),
        ({"years": 0}, "years=0"),
        ({"baseline": 7}, "baseline=7"),
        ({"gap": -1}, "gap=-1"),
        ({"alpha": 0.5}, "alpha=0.5"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        yearly(weekly(usual_then(10.0)), **wrong)  # type: ignore[arg-type]


def test_the_calendar_of_the_city_says_which_day_is_the_same() -> None:
    assert last_year(load_calendar(shipped("city")), "daily")(date(2025, 1, 29)) == date(2024, 2, 10)
