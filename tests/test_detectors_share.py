from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import betabinom

from detectors.panel import Panel, Reason
from detectors.share import share

DAYS = 364 + 7 + 28  # a baseline, a gap, a window


def panel_of(part: ArrayLike, whole: ArrayLike, kind: str = "count") -> Panel:
    """Return the series of one place, or of several in columns."""
    parts = np.asarray(part, dtype=float)
    parts = parts.reshape(len(parts), -1)
    wholes = np.broadcast_to(
        np.asarray(whole, dtype=float).reshape(-1, 1 if np.ndim(whole) < 2 else parts.shape[1]), parts.shape
    )
    dates = np.datetime64("2023-01-02") + np.arange(len(parts))
    return Panel(dates, range(parts.shape[1]), parts, kind=kind, denominators=wholes)


def usual_then(last: float, *, days: int = DAYS) -> NDArray[np.float64]:
    """Return three a day, and in the last four weeks another number."""
    return np.where(np.arange(days) < days - 28, 3.0, last)


def test_four_of_twenty_where_three_are_usual_by_hand() -> None:
    # 364 days with 3 of 20: 1092 of 7280, (1092.5) / 7281 = .15005; four weeks with 4 of 20: 112 of 560.
    # days without any scatter are taken for binomial ones; the share's own uncertainty widens the variance by
    # 1 + 560/7280 = 1.0769 = (m + 560) / (m + 1), so that a + b = m = (560 - 1.0769) / .0769 = 7266
    scores = share(panel_of(usual_then(4.0), 20.0))

    usual, m = 1092.5 / 7281, (560 - (1 + 560 / 7280)) / (560 / 7280)
    assert (scores.observed[0, 0], scores.expected[0, 0]) == (112, pytest.approx(560 * usual))
    tail = betabinom.sf(111, 560, usual * m, (1 - usual) * m)
    assert scores.surprise[0, 0] == pytest.approx(-np.log10(tail), rel=1e-6)
    assert 2.5 < scores.surprise[0, 0] < 3.5
    assert scores.upper[0, 0] == betabinom.isf(0.001, 560, usual * m, (1 - usual) * m)
    assert scores.lower[0, 0] == betabinom.ppf(0.001, 560, usual * m, (1 - usual) * m)


def test_what_rises_with_the_whole_is_no_news() -> None:
    part, whole = usual_then(6.0), np.where(usual_then(6.0) > 3, 40.0, 20.0)

    assert abs(share(panel_of(part, whole)).surprise[0, 0]) < 0.5
    assert share(panel_of(part, 20.0)).surprise[0, 0] > 10


def test_a_ratio_is_the_same_evidence_in_per_cent() -> None:
    counts, ratio = panel_of(usual_then(4.0), 20.0), panel_of(usual_then(4.0) * 5, 20.0, kind="ratio")

    of_counts, of_ratio = share(counts), share(ratio)

    assert of_ratio.surprise[0, 0] == pytest.approx(of_counts.surprise[0, 0])
    assert (of_ratio.observed[0, 0], of_ratio.expected[0, 0]) == (20, pytest.approx(100 * 1092.5 / 7281))
    assert of_ratio.upper[0, 0] == pytest.approx(of_counts.upper[0, 0] / 5.6)


def test_a_share_of_fifteen_in_a_hundred_is_a_line() -> None:
    counts, ratio = panel_of(usual_then(4.0), 20.0), panel_of(usual_then(4.0) * 5, 20.0, kind="ratio")

    assert share(counts, line=15.0).upper[0, 0] == 84  # of 560
    assert share(ratio, line=15.0).upper[0, 0] == 15
    assert share(ratio, line=15.0, line_below=True).lower[0, 0] == 15
    assert share(counts, line=15.0).surprise == pytest.approx(share(counts).surprise)


def test_a_share_that_wanders_is_less_surprising_than_one_that_never_did() -> None:
    rng = np.random.default_rng(3)
    month = np.repeat(rng.choice([0.1, 0.2], DAYS // 30 + 1), 30)[:DAYS]
    wanders, stays = rng.binomial(20, month), rng.binomial(20, 0.15, DAYS)
    wanders[-28:] = stays[-28:] = 5

    scores = share(panel_of(np.column_stack([wanders, stays]), 20.0))

    assert scores.surprise[0, 1] > 4
    assert scores.surprise[0, 0] < 2


def test_days_of_the_week_that_differ_are_no_scatter_of_weeks() -> None:
    weekend = np.arange(DAYS) % 7 >= 5
    rng = np.random.default_rng(4)
    part = rng.binomial(200, np.where(weekend, 0.3, 0.1))
    part[-28:] = np.where(weekend[-28:], 72, 24)  # a fifth more than 60 and 20

    assert share(panel_of(part, 200.0)).surprise[0, 0] > 4


@pytest.mark.parametrize(
    ("name", "chance"),
    [
        ("binomial", lambda rng, shape: np.full(shape, 0.15)),
        ("scattered-days", lambda rng, shape: rng.beta(6, 34, shape)),
        ("most-of-it", lambda rng, shape: np.full(shape, 0.95)),
    ],
)
@pytest.mark.parametrize("window", [7, 28])
def test_quiet_shares_are_no_more_surprising_than_told(name: str, chance: object, window: int) -> None:
    rng, shape = np.random.default_rng(20), (407, 320)
    whole = rng.poisson(np.tile([1.0, 10.0, 100.0, 1000.0], 80), shape)
    part = rng.binomial(whole, chance(rng, shape))  # type: ignore[operator]

    found = share(panel_of(part, whole), last=6, window=window).surprise

    assert not np.isnan(found).any()
    for level in (2, 3):
        nominal = found.size * 10.0**-level
        assert (found >= level).sum() <= nominal + 4 * np.sqrt(nominal)  # 4 sd of a binomial
        assert (found <= -level).sum() <= nominal + 4 * np.sqrt(nominal)


NOTHING = np.full(DAYS, np.nan)


@pytest.mark.parametrize(
    ("part", "whole", "kind", "reason"),
    [
        pytest.param(usual_then(np.nan), 20.0, "count", Reason.NOT_REPORTED, id="no-part"),
        pytest.param(usual_then(3.0), usual_then(np.nan) + 17, "count", Reason.NOT_REPORTED, id="no-whole"),
        pytest.param(usual_then(3.0, days=200), 20.0, "count", Reason.SHORT_HISTORY, id="half-a-year"),
        pytest.param(
            usual_then(3.0), np.where(np.arange(DAYS) < 300, np.nan, 20), "count", Reason.NOT_SUITED, id="whole-is-new"
        ),
        pytest.param(usual_then(21.0), 20.0, "count", Reason.NOT_SUITED, id="more-than-the-whole"),
        pytest.param(usual_then(3.0), 20.0, "amount", Reason.NOT_SUITED, id="no-count"),
        pytest.param(usual_then(3.0), usual_then(0.0), "ratio", Reason.NOT_SUITED, id="per-cent-of-nothing"),
    ],
)
def test_why_it_abstains(part: ArrayLike, whole: ArrayLike, kind: str, reason: Reason) -> None:
    scores = share(panel_of(part, whole, kind))

    assert scores.reason[0, 0] == reason
    assert np.isnan(scores.surprise[0, 0])


def test_without_any_whole_nothing_is_a_share() -> None:
    panel = Panel(np.datetime64("2023-01-02") + np.arange(DAYS), ["a"], usual_then(4.0)[:, None])

    assert share(panel).reason[0, 0] == Reason.NOT_SUITED


def test_none_of_nothing_is_calm() -> None:
    part = np.where(np.arange(DAYS) < DAYS - 28, 3.0, 0.0)

    scores = share(panel_of(part, np.where(part > 0, 20.0, 0.0)))

    assert scores.reason[0, 0] == Reason.JUDGED
    assert (scores.observed[0, 0], scores.expected[0, 0], scores.surprise[0, 0]) == (0, 0, 0)


def test_days_missing_from_the_past_shorten_it_only() -> None:
    part = usual_then(4.0)
    part[40:100] = np.nan

    scores = share(panel_of(part, 20.0))

    assert scores.reason[0, 0] == Reason.JUDGED
    assert scores.expected[0, 0] == pytest.approx(84, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"window": 0}, "found window=0"),
        ({"gap": -1}, "gap=-1"),
        ({"baseline": 100}, "baseline=100"),
        ({"alpha": 0.0}, "alpha=0.0"),
        ({"line": 100.0}, "a line between 0 and 100 per cent, found 100.0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        share(panel_of(usual_then(3.0), 20.0), **wrong)  # type: ignore[arg-type]
