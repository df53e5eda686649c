from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm, t

from detectors.ears import ears
from detectors.excess import excess_quantile, excess_tails
from detectors.panel import Panel, Reason
from detectors.tails import count_tails, surprise

REFERENCE = Path(__file__).parent / "reference" / "ears.csv"  # made by ears.R beside it

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


def test_c3_adds_what_the_last_three_lie_beyond_one_standard_deviation_by_hand() -> None:
    # the day before yesterday 7 against WEEK (mean 5, sd 1.2910): excess 2 / 1.2910 - 1 = .5492;
    # yesterday 9 against 6 5 7 3 5 5 5 (mean 36/7 = 5.1429, squares 8.857, sd 1.2150): 3.8571 / 1.2150 - 1 = 2.1747;
    # today 8 against 5 7 3 5 5 5 5 (mean 5, squares 8, sd 1.1547): 3 / 1.1547 - 1 = 1.5981; together 4.3220
    panel = panel_of([*WEEK, 5.0, 5.0, 7.0, 9.0, 8.0])

    scores = ears(panel, gap=2, excesses=3)

    assert (scores.observed[0, 0], scores.expected[0, 0]) == (24, pytest.approx(15.142857))
    assert scores.surprise[0, 0] == pytest.approx(surprise(excess_tails(np.array(4.3220), 7, 3)), abs=1e-4)
    assert 1.8 < scores.surprise[0, 0] < 2.2  # about one in a hundred
    # today alone would have to be 5 + 1.1547 (1 + limit - .5492 - 2.1747), and 7 and 9 before it are as they are
    limit = excess_quantile(0.001, 7, 3)
    assert scores.upper[0, 0] == pytest.approx(16 + 5 + 1.1547005 * (1 + limit - 2.7239), abs=1e-3)


def test_c3_sees_three_days_none_of_which_is_enough() -> None:
    panel = panel_of([*WEEK, 5.0, 5.0, 8.5, 9.0, 8.5])

    each, together = ears(panel, last=3, gap=2), ears(panel, gap=2, excesses=3)

    assert (each.surprise < 2).all()
    assert together.surprise[0, 0] > 2


@pytest.mark.parametrize("baseline", [3, 7, 28])
def test_a_sum_of_excesses_is_told_to_be_no_rarer_than_it_is(baseline: int) -> None:
    rng = np.random.default_rng(11)
    values = rng.standard_normal((200_000, baseline + 4))
    z = [
        (values[:, baseline + 1 + n] - past.mean(axis=1)) / past.std(axis=1, ddof=1)
        for n, past in enumerate(values[:, n : n + baseline] for n in range(3))
    ]
    sums = sum(np.maximum(one - 1, 0.0) for one in z)

    told = {p: excess_tails(np.quantile(sums, 1 - p), baseline, 3).rise for p in (0.02, 0.01, 0.001)}

    for p, tail in told.items():
        sampled = 3 * np.sqrt(p / len(sums))
        assert p - sampled <= tail <= 1.8 * p + sampled, p


def test_no_excess_is_no_surprise_and_the_rarest_has_an_end() -> None:
    nothing, beyond_measure = excess_tails(np.array([0.0, 1e9]), 7, 3).rise

    assert nothing == 1
    assert beyond_measure == pytest.approx(1e-12)


def test_the_bounds_of_surveillance_are_ours_but_for_the_quantile() -> None:
    for series in ("newport", "k1"):
        told = reference(series)
        panel = panel_of(told["observed"].tolist())
        for gap, bound in ((0, told["c1"]), (2, told["c2"])):
            ours = ears(panel, last=len(bound) - 9, gap=gap, min_sd=1e-9)

            sd = (ours.upper - ours.expected)[:, 0] / (t.isf(0.001, 6) * np.sqrt(8 / 7))
            assert ours.expected[:, 0] + norm.isf(0.001) * sd == pytest.approx(bound[9:], abs=1e-6)


def test_the_excesses_of_surveillance_are_ours() -> None:
    # its bound of C3 is today's own count + sd (z - what yesterday and the day before exceed): today's excess
    # is not in it, so it is added here as the paper says
    told = reference("newport")
    z = {alpha: norm.isf(alpha) for alpha in (0.001, 0.025)}
    sd = (told["c2"] - told["c2_at_025"]) / (z[0.001] - z[0.025])
    before = z[0.025] - (told["c3"] - told["observed"]) / sd
    sums = before + np.maximum((told["observed"] - told["c2"]) / sd + z[0.001] - 1, 0.0)
    seen = np.flatnonzero(told["c3"] > 0)  # a bound below 0 is cut off

    ours = ears(panel_of(told["observed"].tolist()), last=len(sums), gap=2, excesses=3, min_sd=1e-9).surprise[:, 0]

    rises = seen[(sums[seen] > 1e-6) & (ours[seen] > 0)]
    assert len(rises) >= 50
    assert ours[rises] == pytest.approx(surprise(excess_tails(sums[rises], 7, 3)), abs=1e-5)


def reference(series: str) -> dict[str, np.ndarray]:
    """Return the columns of the reference table for one series; NaN where R gave no number."""
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()[1:]
    rows = [row for row in csv.DictReader(lines) if row.pop("series") == series]
    return {name: np.array([np.nan if row[name] == "NA" else float(row[name]) for row in rows]) for name in rows[0]}


def test_sums_of_a_week_are_compared_with_the_weeks_before_it() -> None:
    weeks = [float(7 * level) for level in WEEK]  # sums of seven equal days
    days = [level for level in WEEK for _ in range(7)] + [6.0] * 6 + [48.0]  # 84 in the last

    sums, weekly = ears(panel_of(days), window=7), ears(panel_of([*weeks, 84.0]))

    assert (sums.observed[0, 0], sums.expected[0, 0]) == (84, 35)
    assert sums.surprise[0, 0] == pytest.approx(weekly.surprise[0, 0])
    assert sums.upper[0, 0] == pytest.approx(weekly.upper[0, 0])


def test_what_cannot_be_added_is_averaged_over_the_window() -> None:
    scores = ears(panel_of([90.0, 92.0] * 10 + [80.0, 84.0], kind="ratio"), window=2)

    assert (scores.observed[0, 0], scores.expected[0, 0]) == (82, 91)


def test_a_count_has_the_widest_of_three_tails_by_hand() -> None:
    # 35 in seven days: a Poisson's predictive is negative binomial, mean 35.5 / 7, size 35.5; its P(X >= 12) is wider
    # than Student's on the counts (.0011) and on their logarithm
    scores = ears(panel_of([*WEEK, 12.0]), transform="count")

    assert scores.surprise[0, 0] == pytest.approx(surprise(count_tails(12.0, 35.5 / 7, 35.5)))
    assert 1.8 < scores.surprise[0, 0] < 2.1


@pytest.mark.parametrize("size", [np.inf, 5.0], ids=["poisson", "size-5"])
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"gap": 2}, id="C2"),
        pytest.param({"gap": 2, "excesses": 3}, id="C3"),
        pytest.param({"window": 7}, id="week"),
        pytest.param({"baseline": 28, "gap": 2}, id="four-weeks"),
    ],
)
def test_counts_are_no_more_surprising_than_told(asked: dict[str, int], size: float) -> None:
    rng = np.random.default_rng(20)
    means = np.repeat([0.1, 0.5, 1.0, 5.0, 20.0, 100.0, 500.0], 60)
    shape = (160, len(means))
    values = rng.poisson(means, shape) if np.isinf(size) else rng.negative_binomial(size, size / (size + means), shape)
    panel = Panel(np.datetime64("2022-01-03") + np.arange(160), range(len(means)), values.astype(float))

    found = ears(panel, last=80, transform="count", **asked).surprise

    assert_calibrated(found)


@pytest.mark.parametrize("asked", [{}, {"gap": 2, "excesses": 3}, {"window": 7}], ids=["C1", "C3", "week"])
def test_normal_values_are_no_more_surprising_than_told(asked: dict[str, int]) -> None:
    values = np.random.default_rng(21).normal(80, 3, (160, 400))
    panel = Panel(np.datetime64("2022-01-03") + np.arange(160), range(400), values, kind="score")

    assert_calibrated(ears(panel, last=80, **asked).surprise)  # type: ignore[arg-type]


def assert_calibrated(found: np.ndarray) -> None:
    assert not np.isnan(found).any()
    for level in (2, 3):
        nominal = found.size * 10.0**-level
        assert (found >= level).sum() <= nominal + 4 * np.sqrt(nominal)  # 4 sd of a binomial
        assert (found <= -level).sum() <= nominal + 4 * np.sqrt(nominal)


@pytest.mark.parametrize("asked", [{}, {"gap": 2, "excesses": 3}], ids=["C1", "C3"])
@pytest.mark.parametrize("transform", ["none", "count", "log"])
def test_a_value_beyond_a_bound_is_one_beyond_its_surprise(asked: dict[str, int], transform: str) -> None:
    values = np.random.default_rng(4).negative_binomial(2, 0.1, (60, 300)).astype(float)
    panel = Panel(np.datetime64("2022-01-03") + np.arange(60), range(300), values)

    scores = ears(panel, last=30, transform=transform, alpha=0.01, **asked)

    assert (scores.surprise >= 2).sum() > 10
    assert (scores.observed >= scores.upper - 1e-6)[scores.surprise >= 2 + 1e-6].all()
    assert (scores.observed <= scores.upper + 1e-6)[scores.surprise < 2 - 1e-6].all()


def test_c3_needs_its_other_two_days_too() -> None:
    values = [*WEEK, 5.0, 5.0, 7.0, np.nan, 8.0]

    assert ears(panel_of(values), gap=2, excesses=3).reason[0, 0] == Reason.BASELINE_GAP
    assert ears(panel_of(values), gap=2).reason[0, 0] == Reason.JUDGED


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param([5.0] * 30 + [np.nan, 5.0], Reason.NOT_REPORTED, id="a-day-of-the-window"),
        pytest.param([5.0] * 31, Reason.SHORT_HISTORY, id="seven-weeks-and-a-few-days"),
        pytest.param([np.nan] * 50 + [5.0] * 3, Reason.SHORT_HISTORY, id="began-within-the-window"),
        pytest.param([5.0] * 30 + [np.nan] + [5.0] * 40, Reason.BASELINE_GAP, id="a-day-of-a-week-before"),
    ],
)
def test_why_sums_abstain(values: list[float], reason: Reason) -> None:
    assert ears(panel_of(values), window=7).reason[0, 0] == reason


@pytest.mark.parametrize(
    ("values", "kind", "transform", "reason"),
    [
        pytest.param([*WEEK, np.nan], "count", "none", Reason.NOT_REPORTED, id="today-missing"),
        pytest.param(
            [1.0, *WEEK[:3], np.nan, *WEEK[4:], 5.0], "count", "none", Reason.BASELINE_GAP, id="a-day-before-missing"
        ),
        pytest.param(WEEK, "count", "none", Reason.SHORT_HISTORY, id="six-days-before"),
        pytest.param([np.nan, *WEEK], "count", "none", Reason.SHORT_HISTORY, id="began-yesterday-week"),
        pytest.param([*WEEK, -1.0], "count", "none", Reason.NOT_REPORTED, id="a-negative-count"),
        pytest.param([*WEEK, -1.0], "amount", "log", Reason.NOT_SUITED, id="a-negative-amount"),
        pytest.param([*WEEK, 101.0], "ratio", "logit", Reason.NOT_SUITED, id="a-ratio-over-a-hundred"),
    ],
)
def test_why_it_abstains(values: list[float], kind: str, transform: str, reason: Reason) -> None:
    scores = ears(panel_of(values, kind=kind), transform=transform)

    assert scores.reason[0, 0] == reason


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"baseline": 2}, "found baseline=2"),
        ({"gap": -1}, "gap=-1"),
        ({"every": 0}, "every=0"),
        ({"alpha": 0.5}, "alpha=0.5"),
        ({"window": 0}, "window=0"),
        ({"window": 7, "every": 3}, "window=7, every=3"),
        ({"gap": 1, "excesses": 3}, "found excesses=3, gap=1"),
        ({"excesses": 0}, "found excesses=0"),
        ({"gap": 2, "excesses": 3, "every": 7}, "every=7"),
        ({"min_sd": 0.0}, "ears needs min_sd > 0, found 0.0"),
        ({"transform": "root"}, "transform 'root' is unknown; known: none, count, log, logit"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        ears(panel_of([*WEEK, 5.0]), **wrong)  # type: ignore[arg-type]
