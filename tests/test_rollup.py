"""What a place does not report is all its children together, or missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.panel import Floats
from warning.model import Indicator, SeriesKey
from warning.rollup import roll_up, sources

CHILDREN = {"city": ("east", "west"), "east": ("e1", "e2"), "west": (), "e1": (), "e2": ()}


def indicator(kind: str = "count", period_agg: str = "sum") -> Indicator:
    return Indicator(
        "x", "x", "x", "d", "l", "l", "l", "negative", "起", kind, "daily", "", "局", period_agg, True, "mid"
    )


def rolled(place: str, values: dict[str, list[float]], found: Indicator | None = None) -> Floats:
    read = {SeriesKey("x", code): np.array(column) for code, column in values.items()}
    return roll_up([SeriesKey("x", place)], CHILDREN, read, {"x": found or indicator()})[:, 0]


def test_a_district_is_the_sum_of_its_streets() -> None:
    assert rolled("east", {"e1": [1, 2], "e2": [10, 20]}).tolist() == [11, 22]


def test_a_missing_street_makes_the_district_missing_not_small() -> None:
    found = rolled("east", {"e1": [1, np.nan], "e2": [10, 20]})

    assert found[0] == 11
    assert np.isnan(found[1])


def test_the_tree_may_be_deep_and_uneven() -> None:
    assert rolled("city", {"e1": [1], "e2": [2], "west": [4]}).tolist() == [7]


def test_a_ratio_is_averaged() -> None:
    assert rolled("east", {"e1": [90.0], "e2": [80.0]}, indicator("ratio", "mean")).tolist() == [85]


def test_a_stock_adds_up_over_places() -> None:
    assert rolled("east", {"e1": [3], "e2": [4]}, indicator("count", "last")).tolist() == [7]


def test_a_stray_row_of_a_district_counts_on_its_own_date_only() -> None:
    own = [np.nan, 30, np.nan]

    assert rolled("east", {"east": own, "e1": [1, 2, 3], "e2": [10, 20, 30]}).tolist() == [11, 30, 33]


def test_a_districts_own_word_stands_where_a_street_is_missing() -> None:
    assert rolled("east", {"east": [30], "e1": [np.nan], "e2": [20]}).tolist() == [30]


def test_a_districts_own_word_is_part_of_the_citys() -> None:
    found = rolled("city", {"east": [np.nan, 30], "e1": [1, 2], "e2": [10, 20], "west": [4, 5]})

    assert found.tolist() == [15, 35]


def test_a_street_that_was_not_read_makes_no_district() -> None:
    assert np.isnan(rolled("east", {"e1": [1]})).all()


@pytest.mark.parametrize(
    ("reported", "needed"),
    [
        pytest.param(["east", "e1", "e2"], ["east", "e1", "e2"], id="its-own-word-and-what-lies-below"),
        pytest.param(["east"], ["east"], id="nobody-below-reports"),
        pytest.param(["e1"], ["e1", "e2"], id="all-children-are-needed-even-a-silent-one"),
        pytest.param([], ["east"], id="nobody-reports-so-it-is-simply-missing"),
    ],
)
def test_what_must_be_read(reported: list[str], needed: list[str]) -> None:
    found = sources([SeriesKey("x", "east")], CHILDREN, {SeriesKey("x", code) for code in reported})

    assert [key.place for key in found] == needed


@given(arrays(np.float64, (4, 2), elements=st.floats(0, 1e6)))
def test_the_order_of_children_does_not_matter(values: Floats) -> None:
    one = rolled("east", {"e1": list(values[:, 0]), "e2": list(values[:, 1])})
    other = rolled("east", {"e1": list(values[:, 1]), "e2": list(values[:, 0])})

    assert np.array_equal(one, other)
