"""The tail map: what it learns of how past values fared, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.recalibration import BLOCKS, EXCESS, FROM, MOST_EXCESS, MOST_SHARE, SHARE, Tally, learnt, tally, volume

NOTHING = np.zeros(0)
rng = np.random.default_rng(4)


def fared(p: np.ndarray, expected: float = 3.0, width: float = 0.0) -> Tally:
    """Return the tally of cells with these p values, each an interval of a width."""
    return tally(np.full(len(p), expected), np.minimum(p + width, 1.0), p, others=NOTHING)


def blocks(stretch: float, count: int = 30, cells: int = 4000) -> list[Tally]:
    """Return blocks of cells whose surprises are so many times what they should be."""
    draws = np.random.default_rng(1)
    return [fared(draws.random(cells) ** stretch) for _ in range(count)]


def test_a_cell_counts_by_the_part_of_its_p_that_lies_beyond() -> None:
    # p is uniform on (0, 2 x SHARE): half of it is beyond, by EXCESS on the average, which is 1 / ln 10 up to 2
    found = fared(np.array([0.0]), width=2 * SHARE)

    assert found.cells.sum() == 1
    assert found.beyond.sum() == pytest.approx(0.5)
    assert found.excess.sum() == pytest.approx(0.5 * EXCESS)


def test_one_epidemic_is_at_most_two_beyond() -> None:
    assert fared(np.array([1e-200])).excess.sum() == pytest.approx(2.0)


def test_cells_that_cannot_be_surprising_are_counted_without_their_tails() -> None:
    found = tally(np.array([3.0]), np.array([0.5]), np.array([0.4]), others=np.array([3.0, 0.01, 500.0]))

    assert found.cells.tolist() == [1, 0, 2, 0, 0, 1]
    assert found.beyond.sum() == 0


def test_what_is_right_is_left_as_it_is() -> None:
    tails = learnt(blocks(stretch=1.0))

    surprise = np.linspace(-4, 6, 41)
    assert tails.believed(surprise, np.full(41, 2)) == pytest.approx(surprise, abs=0.1)


def test_rises_that_come_too_often_are_believed_as_often_as_they_should_be() -> None:
    tails = learnt(blocks(stretch=1.3))
    surprise = -1.3 * np.log10(np.random.default_rng(2).random(400_000))

    believed = tails.believed(surprise, np.full(len(surprise), 2))

    for level in (1.5, 2.0, 3.0):
        assert (surprise >= level).mean() > 1.5 * 10.0**-level
        assert (believed >= level).mean() == pytest.approx(10.0**-level, rel=0.15)


@given(st.floats(0.3, 3.0), st.lists(st.floats(-300, 300), min_size=1), st.integers(0, 5))
def test_no_surprise_becomes_larger_no_fall_another_and_the_order_stays(
    stretch: float, surprises: list[float], kind: int
) -> None:
    tails, surprise = learnt(blocks(stretch, count=8, cells=200)), np.sort(surprises)

    believed = tails.believed(surprise, np.full(len(surprise), kind))

    assert (believed <= surprise).all()
    np.testing.assert_array_equal(believed[surprise <= 0], surprise[surprise <= 0])
    assert (np.diff(believed) >= 0).all()


@given(st.floats(0.5, 3.0), st.floats(0.3, 12))
def test_what_is_needed_is_what_is_believed_to_be_it(stretch: float, surprise: float) -> None:
    tails, kinds = learnt(blocks(stretch, count=8, cells=200)), np.arange(6)

    assert tails.believed(tails.needed(surprise, kinds), kinds) == pytest.approx(np.full(6, surprise), rel=1e-9)


def test_no_tail_is_believed_to_be_worse_than_the_cap() -> None:
    tails = learnt(blocks(stretch=6.0))

    assert tails.share[2] == pytest.approx(MOST_SHARE * SHARE)
    assert tails.excess[2] == pytest.approx(MOST_EXCESS * EXCESS)
    assert tails.believed(np.array([8.0]), np.array([2])) > 5


@pytest.mark.parametrize("count", [0, 1, BLOCKS - 1])
def test_nothing_is_learnt_of_few_blocks(count: int) -> None:
    tails = learnt(blocks(stretch=3.0, count=count))

    assert tails.share == pytest.approx(np.full(6, SHARE))
    assert tails.excess == pytest.approx(np.full(6, EXCESS))


def test_one_bad_block_among_many_changes_nothing() -> None:
    """A shock of one month in all series is no sign of how the tails are."""
    shocked = [*blocks(stretch=1.0, count=12, cells=300), *blocks(stretch=8.0, count=1, cells=300)]

    assert learnt(shocked).share[2] <= 1.35 * SHARE


@given(st.integers(2, 5), st.floats(0.8, 2.0))
def test_a_second_copy_of_all_series_changes_nothing(copies: int, stretch: float) -> None:
    once = blocks(stretch, count=9, cells=300)
    several = [sum([one] * copies, Tally.nothing()) for one in once]

    assert learnt(several).share == pytest.approx(learnt(once).share, rel=1e-9)
    assert learnt(several).excess == pytest.approx(learnt(once).excess, rel=1e-9)


def test_a_class_without_cells_of_its_own_is_like_the_panel() -> None:
    tails = learnt(blocks(stretch=1.5))

    assert tails.share[5] == pytest.approx(tails.share[2], rel=0.1)
    assert tails.share[5] > 1.1 * SHARE


def test_the_classes_begin_at_their_edges() -> None:
    assert volume(np.array([0.0, 0.0999, 0.1, 1.0, 99.9, 100.0, 1e9])).tolist() == [0, 0, 1, 2, 4, 5, 5]
    assert pytest.approx(10**-1.5) == 10**-FROM
