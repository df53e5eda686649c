from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import poisson, t
from test_detectors_bad_input import SENSELESS, is_sound

from detectors.panel import Panel, Reason
from detectors.rank import rank, ranks

WEEKS = 52 + 1 + 1  # a baseline, a gap, the week judged
ELEVEN = np.arange(100.0, 1200.0, 100.0)  # a week in each of eleven places


def weekly(values: ArrayLike, **more: object) -> Panel:
    """Return places of one indicator, a column each."""
    table = np.asarray(values, dtype=float)
    dates = np.datetime64("2023-01-02") + 7 * np.arange(len(table))
    return Panel(dates, [("calls", n) for n in range(table.shape[1])], table, "weekly", **more)  # type: ignore[arg-type]


def usual_then(last: ArrayLike, usual: NDArray[np.float64] = ELEVEN, weeks: int = WEEKS) -> NDArray[np.float64]:
    return np.vstack([np.tile(usual, (weeks - 1, 1)), np.asarray(last, dtype=float)])


def with_one(column: int, value: float, usual: NDArray[np.float64] = ELEVEN) -> NDArray[np.float64]:
    now = usual.copy()
    now[column] = value
    return now


def test_usually_fourth_of_five_and_now_first_by_hand() -> None:
    # 20 a week of 150, always with one place behind it, now 60 of 190: (52 x 20 + .5) / (52 x 150 + 1) x 190 = 25.34
    # are expected. Nothing ever scattered, so the tail is a Poisson's, and the rank moves by half a place: four behind
    # it is (4 - .5 - 1) / (.5 sqrt(1 + 1/52)) = 4.95 sd, by Student's t of 51 degrees
    usual = np.array([10.0, 20.0, 30.0, 40.0, 50.0])

    scores = rank(weekly(usual_then(with_one(1, 60.0, usual), usual)))

    expected = 1040.5 / 7801 * 190
    of_share, of_rank = poisson.sf(59, expected), t.sf(2.5 / (0.5 * np.sqrt(1 + 1 / 52)), 51)
    assert scores.expected[0, 1] == pytest.approx(expected)
    assert of_rank > of_share
    assert scores.surprise[0, 1] == pytest.approx(-np.log10(of_rank))
    assert scores.upper[0, 1] == poisson.isf(0.001, expected)


def test_where_it_stands_and_where_it_usually_stood() -> None:
    found = ranks(weekly(usual_then(with_one(3, 1300.0))))

    assert (found.now[0, 3], found.usual[0, 3], found.windows[0, 3], found.siblings[0, 3]) == (1, 8, 52, 11)
    assert (found.now[0, 10], found.usual[0, 10]) == (2, 1)


def test_eighth_of_eleven_that_is_first_is_news_and_what_it_overtook_is_not() -> None:
    scores = rank(weekly(usual_then(with_one(3, 1300.0))))

    assert scores.surprise[0, 3] > 8
    assert np.abs(np.delete(scores.surprise[0], 3)).max() < 1


@pytest.mark.parametrize("times", [0.3, 3.0])
def test_what_rises_or_falls_everywhere_is_no_news(times: float) -> None:
    scores = rank(weekly(usual_then(times * ELEVEN)))

    assert np.abs(scores.surprise).max() < 0.5
    assert scores.expected[0] == pytest.approx(times * ELEVEN, rel=0.01)


@pytest.mark.parametrize(
    ("kind", "risen"), [("rate", ELEVEN[:6] + 50), ("score", ELEVEN[:6] + 50), ("amount", 1.5 * ELEVEN[:6])]
)
def test_siblings_without_a_past_have_no_part_in_what_is_expected(kind: str, risen: NDArray[np.float64]) -> None:
    values = usual_then(risen, ELEVEN[:6])
    values[:, [0, 2, 5]] = np.nan

    scores = rank(weekly(values, kind=kind))

    judged = scores.reason[0] == Reason.JUDGED
    assert judged.tolist() == [False, True, False, True, True, False]
    assert scores.expected[0, judged] == pytest.approx(risen[judged], rel=0.01)
    assert np.abs(scores.surprise[0, judged]).max() < 0.5


def test_the_first_that_has_more_is_still_the_first() -> None:
    # always first: it may have twice as much, and its rank is what it always was
    scores = rank(weekly(usual_then(with_one(10, 2200.0))))

    assert abs(scores.surprise[0, 10]) < 1
    assert scores.observed[0, 10] > scores.upper[0, 10]


def test_a_rank_that_wanders_is_less_surprising_than_one_that_never_did() -> None:
    rng = np.random.default_rng(5)
    wanders = usual_then(with_one(3, 900.0))
    wanders[:-1, 3] = rng.choice([250.0, 850.0], WEEKS - 1)

    steady = rank(weekly(usual_then(with_one(3, 900.0)))).surprise[0, 3]

    assert steady > 3
    assert rank(weekly(wanders)).surprise[0, 3] < 1


def test_a_place_that_falls_behind_is_a_fall() -> None:
    assert rank(weekly(usual_then(with_one(8, 150.0)))).surprise[0, 8] < -3


def test_places_are_ranked_by_persons_where_these_are_known() -> None:
    persons = np.tile(1e5 * ELEVEN**2, (WEEKS, 1))  # the more calls a place has, the fewer a head

    by_persons, by_number = (
        ranks(weekly(usual_then(ELEVEN), denominators=told)).usual[0].tolist() for told in (persons, None)
    )

    assert by_number == list(range(11, 0, -1))
    assert by_persons == list(range(1, 12))


def test_where_the_persons_of_one_are_not_known_none_are_counted() -> None:
    persons = np.tile(1e5 * ELEVEN**2, (WEEKS, 1))
    persons[:, 5] = np.nan

    assert ranks(weekly(usual_then(ELEVEN), denominators=persons)).usual[0].tolist() == list(range(11, 0, -1))


def test_places_of_another_parent_are_no_siblings() -> None:
    table = usual_then(with_one(3, 1300.0))
    labels = np.repeat([1, 2], [6, 5])

    found = ranks(weekly(table, parents=labels))

    assert found.siblings[0].tolist() == [6] * 6 + [5] * 5
    assert (found.now[0, 3], found.usual[0, 3]) == (1, 3)


def test_indicators_are_not_ranked_among_each_other() -> None:
    panel = weekly(usual_then(ELEVEN))
    keys = [("calls" if n < 5 else "fires", n) for n in range(11)]

    found = ranks(Panel(panel.dates, keys, panel.values, "weekly"))

    assert found.siblings[0].tolist() == [5] * 5 + [6] * 6


def test_one_sibling_that_is_late_changes_little() -> None:
    late = usual_then(with_one(3, 1300.0))
    late[-1, 6] = np.nan

    scores = rank(weekly(late))

    assert scores.reason[0, 6] == Reason.NOT_REPORTED
    assert scores.surprise[0, 3] > 8
    assert np.abs(np.delete(scores.surprise[0], [3, 6])).max() < 1
    assert np.isnan(ranks(weekly(late)).now).all()  # who is first depends on the one that is late


def test_a_place_that_is_new_is_not_ranked_and_takes_no_rank_away() -> None:
    new = usual_then(with_one(3, 1300.0))
    new[:-3, 6] = np.nan

    scores, found = rank(weekly(new)), ranks(weekly(new))

    assert scores.reason[0, 6] == Reason.SHORT_HISTORY
    assert scores.surprise[0, 3] > 8
    assert (found.now[0, 3], found.usual[0, 3], found.siblings[0, 3]) == (1, 7, 10)


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        pytest.param((slice(-1, None), 3), Reason.NOT_REPORTED, id="its-own-week"),
        pytest.param((slice(-1, None), slice(8, 11)), Reason.BASELINE_GAP, id="those-who-have-most-this-week"),
        pytest.param((slice(0, -8), 3), Reason.SHORT_HISTORY, id="began-later"),
        pytest.param((slice(1, -8), 3), Reason.BASELINE_GAP, id="most-of-the-year"),
        pytest.param((slice(-20, -12), 3), Reason.JUDGED, id="some-of-the-year"),
        pytest.param((slice(1, -8), slice(8, 11)), Reason.JUDGED, id="three-siblings-without-a-past"),
        pytest.param((slice(None), 0), Reason.JUDGED, id="one-never-reports"),
    ],
)
def test_why_it_abstains(gap: tuple[slice, int | slice], reason: Reason) -> None:
    values = usual_then(ELEVEN)
    values[gap] = np.nan

    assert rank(weekly(values)).reason[0, 3] == reason


def test_two_places_have_no_ranks_worth_the_name() -> None:
    assert rank(weekly(usual_then(ELEVEN[:2], ELEVEN[:2]))).reason.tolist() == [[Reason.NOT_SUITED] * 2]


@pytest.mark.parametrize("case", SENSELESS)
@pytest.mark.parametrize("kind", ["count", "amount", "ratio"])
@pytest.mark.parametrize("all_of_them", [False, True])
def test_what_makes_no_sense_is_judged_by_finite_numbers_or_not_at_all(case: str, kind: str, all_of_them: bool) -> None:
    spoilt = SENSELESS[case]
    values = np.random.default_rng(2).poisson(20, (len(spoilt), 6)).astype(float)
    values[:, : 4 if all_of_them else 1] = spoilt[:, : 4 if all_of_them else 1]
    dates = np.datetime64("2023-02-01") + np.arange(len(values))

    assert is_sound(rank(Panel(dates, range(6), values, kind=kind), last=5, window=7, baseline=70))


@pytest.mark.parametrize("size", [np.inf, 5.0], ids=["poisson", "size-5"])
@pytest.mark.parametrize("alike", [True, False], ids=["alike", "apart"])
@pytest.mark.parametrize("mean", [0.3, 3.0, 300.0])
def test_quiet_counts_are_no_more_surprising_than_told(mean: float, alike: bool, size: float) -> None:
    rng, season = np.random.default_rng(7), 1 + 0.5 * np.sin(np.arange(200) / 8)
    means = mean * season[:, None] * (np.ones(400) if alike else np.tile(np.linspace(0.3, 3, 10), 40))
    values = rng.poisson(means) if np.isinf(size) else rng.negative_binomial(size, size / (size + means))
    labels = np.arange(400) // 10

    found = rank(weekly(values, parents=labels), last=100).surprise

    assert not np.isnan(found).any()
    for at in (2, 3):
        nominal = found.size * 10.0**-at
        assert (found >= at).sum() <= nominal + 4 * np.sqrt(nominal)  # 4 sd of a binomial
        assert (found <= -at).sum() <= nominal + 4 * np.sqrt(nominal)


@pytest.mark.parametrize("kind", ["amount", "ratio"])
def test_other_quiet_kinds_are_no_more_surprising_than_told(kind: str) -> None:
    rng, shape = np.random.default_rng(8), (200, 400)
    values = rng.lognormal(3, 0.5, shape) if kind == "amount" else rng.normal(80, 3, shape)
    labels = np.arange(400) // 10

    found = rank(weekly(values, parents=labels, kind=kind), last=100).surprise

    assert (np.abs(found) >= 2).mean() <= 0.02
    assert (np.abs(found) >= 3).mean() <= 0.002


def test_a_place_that_doubles_is_mostly_seen() -> None:
    rng = np.random.default_rng(9)
    values = rng.poisson(np.tile(np.linspace(40, 130, 10), (WEEKS, 40)))
    values[-1, 2::10] = rng.poisson(120, 40)  # of 60

    found = rank(weekly(values, parents=np.arange(400) // 10)).surprise[0]

    assert (found[2::10] >= 2).mean() > 0.9
    assert (np.delete(found, slice(2, None, 10)) >= 2).mean() <= 0.01


def test_a_surprise_beyond_a_bounds_is_a_value_beyond_it() -> None:
    rng = np.random.default_rng(3)
    scores = rank(weekly(rng.poisson(8, (100, 300)), parents=np.arange(300) // 10), last=20, alpha=0.05)

    assert (scores.observed > scores.upper)[scores.surprise >= -np.log10(0.05)].all()
    assert (scores.observed < scores.lower)[scores.surprise <= np.log10(0.05)].all()


def test_years_at_once_are_judged_as_weeks_are() -> None:
    values = np.random.default_rng(1).poisson(5, (560, 120))

    many, few = rank(weekly(values), last=500), rank(weekly(values), last=2)

    np.testing.assert_array_equal(many.surprise[-2:], few.surprise)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"window": 0}, "found window=0"),
        ({"baseline": 7}, "baseline=7"),
        ({"gap": -1}, "gap=-1"),
        ({"alpha": 0.5}, "alpha=0.5"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        rank(weekly(usual_then(ELEVEN)), **wrong)  # type: ignore[arg-type]
