"""What nobody should send, and somebody will: every way of judging abstains with a reason, or says what is wrong.

The suite makes an error of every warning, so none of these calls warns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_detectors_laws import ALONE, TOLD, WAYS, columns, judge, same, step_of

from detectors import Panel, Reason, Scores

KINDS = ["count", "amount", "ratio", "score"]
DAYS = 420
NUMBERS = ("expected", "lower", "upper", "surprise")

every_way = pytest.mark.parametrize("way", WAYS)


def panel_of(way: str, values: NDArray[np.float64], kinds: list[str] = KINDS) -> Panel:
    dates = np.datetime64("2023-02-01") + step_of(way) * np.arange(len(values))
    frequency = "weekly" if step_of(way) == 7 else "daily"
    whole = np.full(values.shape, 100.0)
    return Panel(dates, [f"series {n}" for n in range(len(kinds))], values, frequency, kind=kinds, denominators=whole)


def usual() -> NDArray[np.float64]:
    """Return twenty or so a day of each kind."""
    return np.random.default_rng(2).poisson(20, (DAYS, len(KINDS))).astype(float)


def put(what: float, *rows: int | slice) -> NDArray[np.float64]:
    """Return usual values with another in some rows of every series."""
    values = usual()
    for row in rows:
        values[row] = what
    return values


SENSELESS = {
    "nothing-reported": put(np.nan, slice(None)),
    "one-value": put(np.nan, slice(None, -1)),
    "noughts": put(0.0, slice(None)),
    "always-the-same": put(7.0, slice(None)),
    "always-a-tenth": put(0.1, slice(None)),
    "always-1e12": put(1e12, slice(None)),
    "infinite-now": put(np.inf, -1),
    "infinite-before": put(np.inf, -10, -40),
    "minus-infinite": put(-np.inf, -3, -60),
    "nothing-but-infinite": put(np.inf, slice(None)),
    "1e12-now": put(1e12, -1),
    "1e12-before": put(1e12, -5, -40),
    "1e300": put(1e300, -1, -20),
    "negative-now": put(-5.0, -1),
    "negative-before": put(-5.0, -5, -40),
    "negative-throughout": -usual(),
    "a-year-of-nothing": put(np.nan, slice(-370, -3)),
}


def is_sound(scores: Scores) -> bool:
    """Finite numbers where the cell is judged, no surprise where it is not."""
    judged = scores.reason == Reason.JUDGED
    return all(np.array_equal(np.isfinite(getattr(scores, name)), judged) for name in NUMBERS)


@pytest.mark.parametrize("case", SENSELESS)
@every_way
def test_what_makes_no_sense_is_judged_by_finite_numbers_or_not_at_all(way: str, case: str) -> None:
    scores = judge(way, panel_of(way, SENSELESS[case]))

    assert is_sound(scores), [(name, getattr(scores, name)) for name in NUMBERS]


@pytest.mark.parametrize("case", ["nothing-reported", "nothing-but-infinite"])
@every_way
def test_nothing_that_was_measured_is_nothing_judged(way: str, case: str) -> None:
    scores = judge(way, panel_of(way, SENSELESS[case]))

    assert Reason.JUDGED not in scores.reason
    assert np.isnan(scores.surprise).all()


@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf, 1e300, -5.0])
@every_way
def test_a_count_that_is_none_is_not_reported(way: str, what: float) -> None:
    values = usual()[:, :1]
    values[-1] = what

    scores = judge(way, panel_of(way, values, ["count"]), last=1)

    assert scores.reason[0, 0] == Reason.NOT_REPORTED
    assert np.isnan(scores.surprise[0, 0])


@pytest.mark.parametrize("way", ALONE)
def test_a_senseless_series_takes_nothing_from_the_others(way: str) -> None:
    values, kinds = usual(), ["count"] * len(KINDS)
    alone = judge(way, panel_of(way, values, kinds))
    for case in SENSELESS.values():
        values[:, 0] = case[:, 0]

        beside = judge(way, panel_of(way, values, kinds))

        assert same(columns(beside, [1, 2, 3]), columns(alone, [1, 2, 3]))


@every_way
def test_a_panel_of_no_series_has_no_scores(way: str) -> None:
    scores = judge(way, panel_of(way, np.zeros((DAYS, 0)), []))

    assert {getattr(scores, told).shape for told in TOLD} == {(5, 0)}


@every_way
def test_a_single_date_is_too_short_a_history(way: str) -> None:
    scores = judge(way, panel_of(way, np.full((1, 1), 5.0), ["count"]), last=1)

    assert scores.reason.tolist() == [[Reason.SHORT_HISTORY]]


@every_way
def test_a_panel_without_dates_is_refused(way: str) -> None:
    with pytest.raises(ValueError, match="last is 5, the panel has 0 dates"):
        judge(way, panel_of(way, np.zeros((0, 1)), ["count"]))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        pytest.param(lambda dates: dates[[0, 1, 1, *range(3, DAYS)]], "dates must ascend", id="a-date-twice"),
        pytest.param(
            lambda dates: np.where(np.arange(DAYS) < 50, dates, dates + 366),
            r"the frequency cannot be inferred from steps of \[1, 367\] days; name it",
            id="a-year-left-out",
        ),
    ],
)
def test_dates_that_are_no_calendar_are_refused(
    spoil: Callable[[NDArray[np.datetime64]], NDArray[np.datetime64]], fault: str
) -> None:
    panel = panel_of("ears", usual())

    with pytest.raises(ValueError, match=fault):
        Panel(spoil(panel.dates), panel.series, panel.values, kind=KINDS)


@pytest.mark.parametrize("told", ["holidays", "festival", "year_ago"])
def test_a_calendar_that_ends_before_today_is_refused(told: str) -> None:
    panel = panel_of("ears", usual())
    short: dict[str, Any] = {
        "holidays": np.zeros(DAYS - 30, dtype=np.int8),
        "festival": np.zeros(DAYS - 30, dtype=np.int16),
        "year_ago": panel.dates[:-30] - 364,
    }

    with pytest.raises(ValueError, match=f"{told} have length {DAYS - 30}, expected {DAYS}"):
        Panel(panel.dates, panel.series, panel.values, kind=KINDS, **{told: short[told]})


@pytest.mark.parametrize("frequency", ["weekly", "monthly"])
@pytest.mark.parametrize("kinds", [KINDS, ["count"] * 4], ids=["of-every-kind", "counts"])
@every_way
def test_weeks_and_months_that_make_no_sense_are_no_different(way: str, kinds: list[str], frequency: str) -> None:
    many = 160
    months = np.arange(np.datetime64("2012-01"), np.datetime64("2012-01") + many).astype("datetime64[D]")
    dates = months if frequency == "monthly" else np.datetime64("2018-01-01") + 7 * np.arange(many)
    for case in ("one-value", "noughts", "1e12-now", "negative-before", "a-year-of-nothing"):
        spoilt, keys = SENSELESS[case][-many:], [("calls", n) for n in range(4)]
        panel = Panel(dates, keys, spoilt, kind=kinds, denominators=np.full(spoilt.shape, 100.0))

        assert is_sound(judge(way, panel)), case
