from __future__ import annotations

import numpy as np
import pytest

from detectors.panel import Panel, first_reported


def panel_of(days: int = 4, step: int = 1, **more: object) -> Panel:
    dates = np.datetime64("2024-01-01") + step * np.arange(days)
    return Panel(dates, ["a", "b"], np.arange(2.0 * days).reshape(days, 2), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("step", "frequency"), [(1, "daily"), (7, "weekly"), (30, "monthly")])
def test_the_frequency_is_read_off_the_dates(step: int, frequency: str) -> None:
    assert panel_of(step=step).frequency == frequency


def test_a_panel_until_a_date_is_the_panel_as_it_was_then() -> None:
    panel = panel_of(
        holidays=np.array([0, 1, 2, 3], dtype=np.int8),
        festival=np.array([-1, 0, 1, 2], dtype=np.int16),
        denominators=np.ones((4, 2)),
    )

    then = panel.until(3)

    assert then.values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert then.holidays is not None
    assert then.holidays.tolist() == [0, 1, 2]
    assert then.festival is not None
    assert then.festival.tolist() == [-1, 0, 1]
    assert then.denominators is not None
    assert then.denominators.shape == (3, 2)


def test_taking_series_keeps_their_kinds() -> None:
    taken = panel_of(kind=["count", "ratio"]).take([1])

    assert taken.kinds.tolist() == ["ratio"]
    assert list(taken.series) == ["b"]
    assert taken.values[:, 0].tolist() == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        pytest.param({"kind": "colour"}, "kind 'colour' is unknown", id="kind"),
        pytest.param({"kind": ["count"]}, "kind has 1 entries, expected one or 2", id="kinds"),
        pytest.param({"step": 3}, r"cannot be inferred from steps of \[3\] days", id="frequency"),
        pytest.param({"step": 3, "frequency": "weekly"}, r"needs dates 7 day\(s\) apart, found \[3\]", id="step"),
        pytest.param({"step": -1}, "dates must ascend", id="order"),
        pytest.param({"holidays": np.zeros(3, np.int8)}, "holidays have length 3, expected 4", id="holidays"),
        pytest.param({"festival": np.zeros(3, np.int16)}, "festival have length 3, expected 4", id="festival"),
        pytest.param({"denominators": np.ones((4, 1))}, r"denominators have shape \(4, 1\)", id="denominators"),
    ],
)
def test_a_panel_that_cannot_be_is_refused(more: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        panel_of(**more)  # type: ignore[arg-type]


def test_values_that_do_not_fit_the_dates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"values have shape \(2, 2\), expected \(3, 2\) = \(T, N\)"):
        Panel(np.datetime64("2024-01-01") + np.arange(3), ["a", "b"], np.zeros((2, 2)))


def test_a_series_begins_with_its_first_value() -> None:
    nan = np.nan

    assert first_reported(np.array([[nan, 0, nan], [nan, nan, nan], [3, 1, nan]])).tolist() == [2, 0, 3]


def test_what_cannot_have_been_measured_was_not_reported() -> None:
    values = np.array([[-1.0, -1.0], [np.inf, -np.inf], [1e101, 3.0]])

    panel = Panel(np.datetime64("2024-01-01") + np.arange(3), ["calls", "balance"], values, kind=["count", "amount"])

    np.testing.assert_array_equal(panel.values, [[np.nan, -1.0], [np.nan, np.nan], [np.nan, 3.0]])
    assert values[0, 0] == -1
