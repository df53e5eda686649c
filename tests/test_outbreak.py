"""What the outbreak detector promises beyond the laws of every detector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import DayKind, Panel, Reason, Remark
from detectors.outbreak import outbreak

MONDAY = np.datetime64("2021-01-04")
OFFICE_HOURS = np.array([1.2, 1.2, 1.2, 1.2, 1.2, 0.6, 0.4])


def counts(mean: np.ndarray, size: float = 10.0, seed: int = 3) -> np.ndarray:
    """Return overdispersed counts of these means, the same for a seed."""
    rng = np.random.default_rng(seed)
    return rng.negative_binomial(size, size / (size + mean)).astype(float)


def daily(values: np.ndarray, **rest: object) -> Panel:
    keys = [("calls", f"place {n}") for n in range(values.shape[1])]
    return Panel(MONDAY + np.arange(len(values)), keys, values, "daily", **rest)  # type: ignore[arg-type]


def alike(history: np.ndarray, values: np.ndarray) -> Panel:
    """Return copies of one series that differ in their last value only."""
    copies = np.repeat(history[:, None], len(values), axis=1)
    return daily(np.vstack([copies, values[None].astype(float)]))


@pytest.mark.parametrize("mean", [0.05, 2.0, 60.0])
def test_the_expected_value_is_the_mean_of_the_distribution_the_tails_are_of(mean: float) -> None:
    history = counts(np.full(300, mean))

    scores = outbreak(alike(history, np.arange(4000)), recalibrate=False)

    assert scores.above[0].sum() == pytest.approx(scores.expected[0, 0], rel=1e-4)  # E X = sum of P(X > x)


@pytest.mark.parametrize("mean", [0.05, 2.0, 60.0])
def test_a_value_is_outside_its_bounds_exactly_when_its_tail_is_below_alpha(mean: float) -> None:
    history = counts(np.full(300, mean))

    scores = outbreak(alike(history, np.arange(400)), alpha=0.01)

    np.testing.assert_array_equal(scores.observed > scores.upper, scores.surprise >= 2)
    np.testing.assert_array_equal(scores.observed < scores.lower, scores.surprise <= -2)
    assert 0 <= scores.lower[0, 0] <= scores.expected[0, 0] <= scores.upper[0, 0] < 400


def test_more_is_more_surprising() -> None:
    history = counts(np.full(300, 4.0))

    surprise = outbreak(alike(history, np.arange(60))).surprise[0]

    assert (np.diff(surprise) > 0).all()
    assert surprise[0] < 0
    assert surprise[-1] > 3


def test_the_last_two_weeks_have_no_part_in_the_level_of_today() -> None:
    values = counts(np.full((200, 4), 6.0))
    stirred = values.copy()
    stirred[-9:-1] *= 5  # of fourteen full days before the last; more would be a new level

    # it says how much the series scatters, which moves a mixture's mean a little; the level would rise by half
    assert outbreak(daily(stirred)).expected == pytest.approx(outbreak(daily(values)).expected, rel=0.06)


def test_the_day_before_them_has() -> None:
    values = counts(np.full((200, 4), 6.0))
    stirred = values.copy()
    stirred[-16] *= 5

    assert (outbreak(daily(stirred)).expected > outbreak(daily(values)).expected).all()


def test_a_lasting_step_is_the_new_usual_a_year_later() -> None:
    mean = np.where(np.arange(900) < 450, 5.0, 15.0)[:, None] * np.ones(40)

    surprise = outbreak(daily(counts(mean)), last=112).surprise

    assert (surprise >= 3).mean() <= 0.02


def test_a_lasting_step_is_told_once_where_sundays_are_not_reported() -> None:
    """On the Monday after, and what was known on each day before says the same."""
    day = np.arange(260)
    values = np.random.default_rng(5).poisson(np.where(day < 203, 20.0, 45.0)[:, None] * np.ones(4)).astype(float)
    values[day % 7 == 6] = np.nan
    cache: dict[str, str] = {}

    told = outbreak(daily(values), last=60).remarks
    as_known = [outbreak(daily(values[:end]), cache=cache).remarks[0] for end in range(201, 261)]

    assert (told == Remark.LEVEL_CHANGED).sum(axis=0).tolist() == [1] * 4
    assert set((day[-60:] % 7)[(told == Remark.LEVEL_CHANGED).any(axis=1)].tolist()) == {0}
    np.testing.assert_array_equal(as_known, told)


def test_a_new_series_has_the_weekdays_of_its_indicator() -> None:
    days = 112 + 5 + 1  # the last is a Saturday
    mean = 20 * OFFICE_HOURS[np.arange(days) % 7][:, None] * np.ones(30)
    values = counts(mean)
    values[:-60, 0] = np.nan

    scores = outbreak(daily(values), last=2)

    assert scores.expected[1, 0] / scores.expected[0, 0] == pytest.approx(0.5, abs=0.06)  # .6 / 1.2


def test_a_holiday_is_like_a_sunday_until_one_was_seen() -> None:
    days = 112 + 3  # the last is a Wednesday
    mean = 20 * OFFICE_HOURS[np.arange(days) % 7][:, None] * np.ones(30)
    kinds = np.zeros(days, dtype=np.int8)
    kinds[-1] = DayKind.HOLIDAY

    scores = outbreak(daily(counts(mean), holidays=kinds))

    assert scores.expected.mean() == pytest.approx(20 * 0.4, rel=0.1)


def test_holidays_are_learnt_from_holidays() -> None:
    days = 733
    kinds = np.zeros(days, dtype=np.int8)
    kinds[np.arange(20, days, 60)] = DayKind.HOLIDAY
    kinds[-1] = DayKind.HOLIDAY
    mean = np.where(kinds == DayKind.HOLIDAY, 60.0, 20.0)[:, None] * np.ones(20)

    scores = outbreak(daily(counts(mean), holidays=kinds))

    assert scores.expected.mean() == pytest.approx(52, rel=0.15)  # 12 seen, 3 believed ordinary: 20 x (12 x 3 + 3) / 15


def test_a_make_up_workday_is_like_a_workday() -> None:
    days = 112 + 7  # the last is a Sunday
    mean = 20 * OFFICE_HOURS[np.arange(days) % 7][:, None] * np.ones(30)
    kinds = np.zeros(days, dtype=np.int8)
    kinds[-1] = DayKind.MAKE_UP_WORKDAY

    scores = outbreak(daily(counts(mean), holidays=kinds))

    assert scores.expected.mean() == pytest.approx(20 * 1.2, rel=0.1)


def office(days: int, left: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (T,) means of 30 on a workday and 8 on another, and the kinds of days.

    Every thirteenth week a week off begins on Thursday; half-way between, now and then, a weekend is worked.
    Of what comes on a closed day the share ``left`` is entered on the next workday.
    """
    week, weekday = np.divmod(np.arange(days), 7)
    off = (np.arange(days) >= 3) & ((np.arange(days) - 3) % 91 < 7)
    made_up = (week % 26 == 6) & (weekday >= 5)
    works = made_up | ((weekday < 5) & ~off)
    mean, waiting = np.where(works, 30.0, 8.0), 0.0
    for day, open_ in enumerate(works):
        waits = 0.0 if open_ else left * mean[day]
        mean[day] += waiting * open_ - waits
        waiting = waits + waiting * (not open_)
    return mean, np.where(off, DayKind.HOLIDAY, np.where(made_up, DayKind.MAKE_UP_WORKDAY, 0)).astype(np.int8)


@pytest.mark.parametrize(
    ("days", "left", "expected"),
    [
        pytest.param(3 + 91 * 10 + 8, 0.8, 30 + 7 * 0.8 * 8, id="after-a-week-off-the-week-s-backlog"),
        pytest.param(7 * 107 + 1, 0.8, 30 + 2 * 0.8 * 8, id="on-a-monday-the-weekend-s"),
        pytest.param(7 * 111 + 1, 0.8, 30, id="on-a-monday-after-a-worked-weekend-none"),
        pytest.param(3 + 91 * 10 + 8, 0.0, 30, id="where-nothing-waits-none"),
    ],
)
def test_the_first_workday_carries_what_waited_on_closed_days(days: int, left: float, expected: float) -> None:
    mean, kinds = office(days, left)
    values = counts(mean[:, None] * np.ones(20), size=50)

    scores = outbreak(daily(values, holidays=kinds))

    assert mean[-1] == pytest.approx(expected)
    assert scores.expected.mean() == pytest.approx(expected, rel=0.1)


def test_an_office_s_backlog_is_none_of_its_neighbour_s() -> None:
    late, kinds = office(3 + 91 * 10 + 8, left=0.8)
    prompt, _ = office(3 + 91 * 10 + 8, left=0.0)
    values = counts(np.stack([late] * 10 + [prompt] * 10, axis=1), size=50)
    keys = [("late" if n < 10 else "prompt", n) for n in range(20)]

    expected = outbreak(Panel(MONDAY + np.arange(len(values)), keys, values, "daily", holidays=kinds)).expected[0]

    assert expected[:10].mean() == pytest.approx(74.8, rel=0.1)
    assert expected[10:].mean() == pytest.approx(30, rel=0.1)


def test_a_monday_that_is_a_holiday_has_its_backlog_where_that_is_entered_all_the_same() -> None:
    days = 7 * 110 + 1  # the last is a Monday
    weekday = np.arange(days) % 7
    kinds = np.where((weekday == 0) & (np.arange(days) // 7 % 6 == 0), DayKind.HOLIDAY, 0)  # every sixth Monday
    kinds[(weekday == 3) & (np.arange(days) // 7 % 6 == 3)] = DayKind.HOLIDAY
    kinds[-1] = DayKind.HOLIDAY
    mean = np.select([weekday >= 5, (kinds > 0) & (weekday > 0), kinds > 0], [2.0, 2.0, 20.0], 30.0)

    scores = outbreak(daily(counts(mean[:, None] * np.ones(20), size=50), holidays=kinds.astype(np.int8)))

    assert scores.expected.mean() == pytest.approx(20, rel=0.2)


@pytest.mark.parametrize(("season", "expected"), [(True, 30.0), (False, 24.0)])
def test_a_season_is_expected_where_it_is_asked_for(season: bool, expected: float) -> None:
    """Without one the level follows half-way."""
    week = np.arange(5 * 52 + 13)
    mean = 20 * (1 + 0.5 * np.sin(2 * np.pi * week / 52.18))[:, None] * np.ones(20)  # the last week is the highest
    panel = Panel(MONDAY + 7 * week, [("calls", n) for n in range(20)], counts(mean, size=50), "weekly")

    scores = outbreak(panel, season=season)

    assert scores.expected.mean() == pytest.approx(expected, rel=0.1)


def test_no_season_is_made_of_noise() -> None:
    week = np.arange(5 * 52)
    panel = Panel(MONDAY + 7 * week, [("calls", n) for n in range(20)], counts(np.full((260, 20), 8.0)), "weekly")

    with_season, without = (outbreak(panel, last=52, season=season).expected for season in (True, False))

    assert np.abs(with_season / without - 1).max() < 0.05


def test_a_window_is_judged_as_the_sum_of_its_days() -> None:
    values = counts(np.full((400, 50), 3.0), size=1e6)

    scores = outbreak(daily(values), last=100, window=7)

    np.testing.assert_array_equal(scores.observed[-1], values[-7:].sum(axis=0))
    assert scores.expected.mean() == pytest.approx(21, rel=0.05)
    assert (np.abs(scores.surprise) >= 2).mean() <= 0.02


def test_a_window_with_a_missing_day_is_not_reported() -> None:
    values = counts(np.full((400, 2), 3.0))
    values[-5, 0] = np.nan

    scores = outbreak(daily(values), window=7)

    assert scores.reason[0].tolist() == [Reason.NOT_REPORTED, Reason.JUDGED]


def test_a_second_copy_of_all_series_changes_nothing() -> None:
    mean = np.array([0.3, 5.0, 40.0]) * OFFICE_HOURS[np.arange(300) % 7][:, None]
    panel = daily(counts(mean))

    once, twice = outbreak(panel, last=3), outbreak(panel.take([0, 1, 2, 0, 1, 2]), last=3)

    np.testing.assert_allclose(twice.surprise, np.tile(once.surprise, 2), rtol=1e-6)


def test_what_is_no_count_is_not_judged_and_has_no_part_in_the_pattern() -> None:
    values = counts(np.full((200, 3), 5.0))
    values[:, 2] *= 10 * OFFICE_HOURS[np.arange(200) % 7]
    mixed = daily(values, kind=["count", "count", "amount"])

    scores = outbreak(mixed)

    assert scores.reason[0].tolist() == [Reason.JUDGED, Reason.JUDGED, Reason.NOT_SUITED]
    np.testing.assert_array_equal(scores.surprise[:, :2], outbreak(mixed.take([0, 1])).surprise)


def test_a_rise_after_weeks_that_were_not_reported_is_none_of_few() -> None:
    values = counts(np.full((200, 3), 5.0))
    values[-1] = 40
    values[-4:-1, 0] = np.nan  # how many these were nobody knows
    values[-4:-1, 1] = 0

    surprise = outbreak(daily(values), least=41).surprise[0]

    assert surprise[0] > 3
    assert surprise[1] == 0
    assert surprise[2] > 3


def test_a_negative_count_is_none() -> None:
    values = counts(np.full((200, 2), 5.0))
    values[-1, 0] = -1

    assert outbreak(daily(values)).reason[0].tolist() == [Reason.NOT_REPORTED, Reason.JUDGED]


def test_a_series_waits_for_the_anchor_after_its_first_four_weeks() -> None:
    values = counts(np.full((200, 2), 5.0))
    values[:100, 0] = np.nan

    reason = outbreak(daily(values), last=200).reason[:, 0]

    begins = int((reason == Reason.JUDGED).argmax())
    days = (MONDAY + begins - np.datetime64("1970-01-05")).astype(int)
    assert 128 <= begins < 128 + 28
    assert days % 28 == 0
    assert (reason[begins:] == Reason.JUDGED).all()
    assert set(reason[100:begins].tolist()) == {Reason.SHORT_HISTORY}


def young(lead: int) -> Panel:
    """Return 600 days of five series, with a week off in October, behind so many days on which nothing was reported."""
    days = np.datetime64("2024-01-01") - lead + np.arange(lead + 600)
    mean = 20 * OFFICE_HOURS[np.arange(600) % 7][:, None] * np.ones(5)
    values = np.vstack([np.full((lead, 5), np.nan), counts(mean, size=50)])
    october = (days - days.astype("datetime64[Y]")).astype(int)
    off = np.where((october > 270) & (october < 278), DayKind.HOLIDAY, DayKind.ORDINARY).astype(np.int8)
    return Panel(days, [("calls", f"place {n}") for n in range(5)], values, "daily", holidays=off)


@pytest.mark.parametrize("lead", [28, 400, 730, 731, 1100, 1487, 1488, 1500, 3000])
def test_how_long_before_its_data_a_window_begins_changes_no_score(lead: int) -> None:
    """Nor do the holidays on which nothing was reported yet."""
    at_once = outbreak(young(0), last=300)

    found = outbreak(young(lead), last=300)

    np.testing.assert_array_equal(found.reason, at_once.reason)
    np.testing.assert_allclose(found.expected, at_once.expected, rtol=1e-9)
    np.testing.assert_allclose(found.surprise, at_once.surprise, rtol=1e-9, atol=1e-12)


def test_a_panel_without_counts_is_answered() -> None:
    scores = outbreak(daily(counts(np.full((50, 2), 5.0)), kind="ratio"), last=2)

    assert (scores.reason == Reason.NOT_SUITED).all()


@pytest.mark.parametrize("wrong", [{"window": 0}, {"delay": -1}, {"alpha": 0.6}])
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="outbreak needs window >= 1"):
        outbreak(daily(counts(np.full((50, 2), 5.0))), **wrong)  # type: ignore[arg-type]


@settings(max_examples=10)
@given(
    frequency=st.sampled_from(["daily", "weekly", "monthly"]),
    cut=st.integers(1, 40),
    seed=st.integers(0, 10**6),
    window=st.sampled_from([1, 3]),
)
def test_years_of_history_with_seasons_holidays_and_gaps_do_not_let_tomorrow_in(
    frequency: str, cut: int, seed: int, window: int
) -> None:
    steps = {"daily": 1000, "weekly": 220, "monthly": 60}[frequency]
    rng = np.random.default_rng(seed)
    wave = 1 + 0.7 * np.sin(2 * np.pi * np.arange(steps) / {"daily": 365, "weekly": 52, "monthly": 12}[frequency])
    values = counts(np.array([0.2, 3.0, 30.0]) * wave[:, None], seed=seed)
    values[rng.integers(0, steps, 30), rng.integers(0, 3, 30)] = np.nan
    values[: steps // 4, 1] = np.nan
    if frequency == "monthly":
        dates = (np.datetime64("2018-01") + np.arange(steps)).astype("datetime64[D]")
    else:
        dates = MONDAY + np.arange(steps) * (7 if frequency == "weekly" else 1)
    keys = [("a", "x"), ("a", "y"), ("b", "x")]
    panel = Panel(dates, keys, values, frequency, holidays=rng.integers(-40, 7, steps).clip(0).astype(np.int8))

    in_hindsight = outbreak(panel, last=41, window=window)

    as_it_was_known = outbreak(panel.until(steps - cut), window=window)
    for name in ("expected", "lower", "upper", "surprise", "above"):
        then, now = getattr(in_hindsight, name)[-1 - cut], getattr(as_it_was_known, name)[0]
        np.testing.assert_allclose(now, then, rtol=1e-9, equal_nan=True)


@settings(max_examples=20)
@given(
    mean=st.sampled_from([20.0, 60.0, 300.0]),
    factor=st.floats(0, 12).map(lambda power: 10**power),
    at=st.integers(0, 398),
    seed=st.integers(0, 10**6),
)
def test_one_value_does_not_move_what_is_expected_of_others(mean: float, factor: float, at: int, seed: int) -> None:
    values = counts(mean * OFFICE_HOURS[np.arange(400) % 7][:, None] * np.ones(11), seed=seed)
    spoilt = values.copy()
    spoilt[at, 0] = max(values[at, 0], 1) * factor

    found, usual = (outbreak(daily(these), last=400 - 112).expected[:, 1:] for these in (spoilt, values))

    # after sixteen weeks; of the first weeks' weekdays there are four each, and it is a tenth
    assert np.abs(found / usual - 1).max() <= 0.05


@pytest.mark.parametrize("at", [2, 60, 150, 390])
def test_an_absurd_value_is_surprising_and_changes_nothing_after_it(at: int) -> None:
    values = counts(60 * OFFICE_HOURS[np.arange(400) % 7][:, None] * np.ones(11))
    spoilt = values.copy()
    spoilt[at, 0] = 99_999_999_999_999

    found, usual = (outbreak(daily(these), last=400) for these in (spoilt, values))

    later = np.arange(max(at, 112) + 1, 400)
    assert np.abs(found.expected / usual.expected - 1)[later].max() <= 0.05
    assert np.abs(found.upper / usual.upper - 1)[later].max() <= 0.12
    assert at < 28 or found.surprise[at, 0] > 20


@pytest.mark.parametrize("burst", [200, 600, 2000])
def test_a_burst_is_learnt_from_and_does_not_lift_a_series_for_months(burst: int) -> None:
    values = counts(np.full((260, 11), 60.0))
    spoilt = values.copy()
    spoilt[150, 0] = burst

    found, usual = (outbreak(daily(these), last=260 - 165).expected[:, 0] for these in (spoilt, values))

    assert (found[:28] > 1.005 * usual[:28]).all()
    assert (found[28:] < 1.1 * usual[28:]).all()  # what is seen of it is at most 3 x what a series had three times


def test_a_thousandfold_step_that_lasts_becomes_the_new_usual() -> None:
    values = counts(np.where(np.arange(900) < 300, 5.0, 5000.0)[:, None] * np.ones(11))
    values[:, 1:] = counts(np.full((900, 10), 60.0))

    assert outbreak(daily(values)).expected[0, 0] == pytest.approx(5000, rel=0.2)


def test_a_day_that_is_tenfold_everywhere_is_learnt_as_a_holiday() -> None:
    days = 733
    kinds = np.zeros(days, dtype=np.int8)
    kinds[np.arange(20, days, 60)] = DayKind.HOLIDAY
    kinds[-1] = DayKind.HOLIDAY
    mean = np.where(kinds == DayKind.HOLIDAY, 200.0, 20.0)[:, None] * np.ones(20)

    scores = outbreak(daily(counts(mean), holidays=kinds))

    assert scores.expected.mean() == pytest.approx(164, rel=0.15)  # 20 x (12 x 10 + 3) / 15
