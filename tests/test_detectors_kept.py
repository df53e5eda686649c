"""What the level filter knew at an anchor is gone on from: the answers are the whole history's, to the last bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from detectors import Panel, Scores, kept
from detectors.counts import Anchor, Counts, Judged, Way, after
from detectors.outbreak import outbreak

MONDAY = np.datetime64("2022-01-03")
PLACES = 12
STEP = {"daily": 1, "weekly": 7}
LONG = {"daily": 300, "weekly": 120}

Cache = dict[str, str]


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note which blocks are gone through."""
    gone: list[int] = []

    def noted(anchor: Anchor, counts: Counts, way: Way, block: int, found: Judged) -> Anchor:
        gone.append(block)
        return after(anchor, counts, way, block, found)

    monkeypatch.setattr(kept, "after", noted)
    return gone


def told(frequency: str, seed: int = 1) -> np.ndarray:
    """Return (T, N) counts, rare and frequent, with gaps, a level that changes and series that begin late."""
    rng = np.random.default_rng(seed)
    mean = np.geomspace(0.05, 60, 2 * PLACES) * np.ones((LONG[frequency], 1))
    mean[len(mean) // 2 :, -3:] *= 3
    values = rng.negative_binomial(8, 8 / (8 + mean)).astype(float)
    values[rng.random(values.shape) < 0.02] = np.nan
    values[: len(mean) // 3, ::5] = np.nan
    return values


def panel(frequency: str, values: np.ndarray, start: int = 0) -> Panel:
    dates = MONDAY + STEP[frequency] * np.arange(start, start + len(values))
    series = [(f"i{n % 2}", f"p{n // 2}") for n in range(values.shape[1])]
    return Panel(dates, series, values, frequency, parents=np.arange(values.shape[1]) // 8)


def same(one: Scores, other: Scores) -> None:
    for field in fields(Scores):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
@pytest.mark.parametrize("parameters", [{}, {"window": 3}, {"pool": True}, {"recalibrate": False, "delay": 3}])
def test_day_after_day_it_says_what_the_whole_history_says(frequency: str, parameters: dict[str, object]) -> None:
    values, cache = told(frequency), Cache()

    for end in range(len(values) - 40, len(values), 13):
        seen = panel(frequency, values[:end])
        same(outbreak(seen, last=14, cache=cache, **parameters), outbreak(seen, last=14, **parameters))  # type: ignore[arg-type]

    assert cache


def test_a_new_day_costs_a_block_or_two(blocks: list[int]) -> None:
    values, cache = told("daily"), Cache()
    outbreak(panel("daily", values[:-1]), last=14, cache=cache)
    history = len(blocks)
    blocks.clear()

    outbreak(panel("daily", values), last=14, cache=cache)

    assert history == 11  # 300 days
    assert len(blocks) <= 2
    assert len(cache) == 1


@pytest.mark.parametrize(
    ("kept_of", "corrected", "most"),
    [
        pytest.param(14, -14, 2, id="among-the-last-dates"),
        pytest.param(120, -80, 6, id="after-an-older-anchor-that-was-kept"),
    ],
)
def test_what_was_known_before_a_correction_is_gone_on_from(
    blocks: list[int], kept_of: int, corrected: int, most: int
) -> None:
    values, cache = told("daily"), Cache()
    outbreak(panel("daily", values), last=kept_of, cache=cache)
    blocks.clear()

    values[corrected, 3] += 40
    found = outbreak(panel("daily", values), last=14, cache=cache)

    assert len(blocks) <= most
    same(found, outbreak(panel("daily", values), last=14))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((-80, 3, 40.0), id="a-correction-of-long-ago"),
        pytest.param((5, 1, np.nan), id="a-value-taken-back"),
    ],
)
def test_what_is_corrected_before_makes_another_history(change: tuple[int, int, float]) -> None:
    values, cache = told("daily"), Cache()
    outbreak(panel("daily", values), last=14, cache=cache)

    row, series, more = change
    values[row, series] += more
    found = outbreak(panel("daily", values), last=14, cache=cache)

    assert len(cache) == 2
    same(found, outbreak(panel("daily", values), last=14))


def test_a_window_that_begins_later_is_another_history() -> None:
    values, cache = told("daily"), Cache()
    outbreak(panel("daily", values), last=14, cache=cache)

    later = panel("daily", values[28:], start=28)

    same(outbreak(later, last=14, cache=cache), outbreak(later, last=14))


def test_a_history_of_less_than_a_block_keeps_nothing() -> None:
    cache = Cache()

    outbreak(panel("daily", told("daily")[:20]), last=14, cache=cache)

    assert cache == {}
