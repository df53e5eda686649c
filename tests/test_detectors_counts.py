"""Counts judged around a mean somebody else expects: any mean, in any number of parts, gone on from any anchor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors import Panel, counts
from detectors.blocks import blocks
from detectors.counts import Anchor, Counts, Judged, Way, after, first_anchor, judge
from detectors.level import PACES

MONDAY = np.datetime64("2021-01-04")
DAYS = 400
WAVE = 1 + 0.8 * np.sin(np.arange(DAYS) / 9)


def course(mean: np.ndarray, size: float = 20.0, seed: int = 1) -> Counts:
    """Return counts around (T, N) means that somebody knows but for a level of 2."""
    values = np.random.default_rng(seed).negative_binomial(size, size / (size + 2 * mean)).astype(float)
    panel = Panel(MONDAY + np.arange(len(mean)), list(range(mean.shape[1])), values, "daily")
    cut = blocks(panel)
    usual = np.full((len(cut.first), mean.shape[1]), 1.0)
    usual[:2] = np.nan
    return Counts(panel.dates, "daily", cut, values, values, mean, np.arange(mean.shape[1]), usual)


def way(last: int = DAYS) -> Way:
    pace = PACES["daily"]
    return Way(pace, delay=pace.delay, window=1, last=last, alpha=0.001)


def same(one: Judged, other: Judged) -> None:
    for name in ("expected", "lower", "upper", "surprise", "above", "shifted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_level_is_found_around_a_mean_of_whatever_shape() -> None:
    found = judge(course(10 * WAVE[:, None] * np.ones(30)), way(last=100))

    assert (found.expected / (20 * WAVE[-100:, None])).mean(axis=0) == pytest.approx(np.ones(30), abs=0.15)
    assert (found.surprise >= 2).mean() <= 0.013


def test_a_block_is_judged_from_its_anchor_to_the_last_bit() -> None:
    """What was kept at an anchor is all that was known: the blocks after it come out the same."""
    told, how = course(3 * WAVE[:, None] * np.ones(7)), way()
    whole = judge(told, how)
    anchor = first_anchor(told, how)
    for block in range(8):
        anchor = after(anchor, told, how, block, replace(whole, expected=whole.expected.copy()))
    kept = Anchor(tuple(replace(state) for state in anchor.states), tuple(anchor.past))

    again = Judged(np.zeros((DAYS, 7), dtype=bool), *np.full((5, DAYS, 7), np.nan))
    for block in range(8, len(told.cut.first)):
        kept = after(kept, told, how, block, again)

    start = told.cut.first[8]
    for name in ("expected", "lower", "upper", "surprise", "above", "shifted"):
        np.testing.assert_array_equal(getattr(again, name)[start:], getattr(whole, name)[start:])


def test_the_number_of_series_taken_abreast_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = course(np.geomspace(0.05, 50, 11) * WAVE[:, None])
    at_once = judge(told, way())

    monkeypatch.setattr(counts, "ABREAST", 4)

    parts = judge(told, way())
    for name in ("expected", "surprise", "above"):
        np.testing.assert_allclose(getattr(parts, name), getattr(at_once, name), rtol=1e-9)
    np.testing.assert_array_equal(parts.upper, at_once.upper)


def test_no_block_that_is_not_over_is_looked_at_for_a_new_level() -> None:
    told = course(np.ones((40, 1)))

    parts = [(part.start, part.stop, whole) for part, whole in told.parts(1, 7)]

    # 2021-01-04 is a Monday 8 days after an anchor is due; 40 days end on a Friday
    assert [stop - start for start, stop, _ in parts][-1] == 40 % 7
    assert [whole for _, _, whole in parts][-1] is False
    assert all(whole for _, _, whole in parts[:-1])
