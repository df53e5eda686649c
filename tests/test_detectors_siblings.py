"""Rare series judged together: what several places have at once is news, and is as rare as it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors import Panel
from detectors.outbreak import outbreak
from detectors.siblings import families

MONDAY = np.datetime64("2021-01-04")
DAYS, PLACES = 500, 12


def rare(seed: int = 3, mean: float = 0.05, *, series: int = PLACES) -> Panel:
    values = np.random.default_rng(seed).poisson(mean, (DAYS, series)).astype(float)
    keys = [("floods", n) for n in range(series)]
    return Panel(MONDAY + np.arange(DAYS), keys, values, "daily", parents=np.arange(series) // PLACES)


def test_an_event_in_each_of_several_places_at_once_is_more_than_one_alone() -> None:
    panel = rare()
    panel.values[-1] = np.arange(PLACES) < 8

    alone, together = (outbreak(panel, pool=pool).surprise[0] for pool in (False, True))

    assert (alone[:8] < 2).all()  # one event where .05 are expected: one in twenty
    assert (together[:8] > 4).all()  # eight where .6 are
    np.testing.assert_array_equal(together[8:], alone[8:])


def test_one_event_in_one_place_is_told_as_less_than_before() -> None:
    panel = rare()
    panel.values[-1] = 0
    panel.values[-1, 0] = 1

    alone, together = (outbreak(panel, pool=pool).surprise[0, 0] for pool in (False, True))

    assert together == pytest.approx(max(alone - np.log10(2), 0))  # two questions were asked


def test_what_is_pooled_is_exceeded_as_often_as_it_says_at_most() -> None:
    panel = rare(seed=9, mean=0.2, series=10 * PLACES)

    surprise = outbreak(panel, last=360, pool=True).surprise

    # each of the siblings that has an event then says so: days of a family are what is independent
    days = surprise.reshape(360, 10, PLACES).max(axis=2)
    assert (surprise >= 2).mean() <= 0.01
    assert (days >= 3).mean() <= 0.012  # twelve series and their sum are asked, one in a thousand each


def test_without_a_tree_nothing_is_pooled() -> None:
    panel = replace(rare(), parents=None)

    np.testing.assert_array_equal(outbreak(panel, pool=True).surprise, outbreak(panel).surprise)


def test_series_that_are_not_rare_are_left_alone() -> None:
    panel = rare(mean=4.0)

    np.testing.assert_array_equal(outbreak(panel, last=9, pool=True).surprise, outbreak(panel, last=9).surprise)


def test_families_are_of_one_group_and_one_parent() -> None:
    group = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0])
    parents = np.array([5, 5, 5, 5, 5, 5, 2, 2, -1])

    assert families(group, parents).tolist() == [0, 0, 0, 1, 1, 1, -1, -1, -1]  # two siblings make no family
