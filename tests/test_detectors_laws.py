"""What holds of every detector, whatever it thinks of the numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import DETECTORS, GIVEN, Panel, Reason, Scores

SMALL: dict[str, dict[str, object]] = {  # parameters that let a short panel be judged
    "changepoint": {"window": 60, "min_size": 4, "recent": 30},
    "rank": {"baseline": 70, "window": 7},
    "share": {"baseline": 56, "window": 7},
    "threshold": {"baseline": 56, "window": 7},
}
MODES: dict[str, tuple[str, dict[str, object]]] = {  # ways of judging that must keep the laws, too
    "ears C3": ("ears", {"gap": 2, "excesses": 3}),
    "ears counts of a week": ("ears", {"window": 7, "transform": "count"}),
    "yearly level": ("yearly", {"window": 7, "level": True}),
    "threshold lines": ("threshold", {"baseline": 56, "line": 3.0, "line_times": 2.0, "line_per_10000": 0.5}),
    "outbreak evidence": ("outbreak", {"evidence": 3}),
    "outbreak farrington": ("outbreak", {"method": "farrington", "evidence": 2}),
    "outbreak farrington as it is": ("outbreak", {"method": "farrington", "level": False, "least": 0}),
}
WEEKLY = {"outbreak farrington", "outbreak farrington as it is"}  # they abstain in daily panels
WAYS = {name: (name, SMALL.get(name, {})) for name in DETECTORS} | MODES
LONG = {
    "forecast": st.just(400),
    "yearly": st.just(480),
    "yearly level": st.just(480),
}  # days; the others are judged after three months
LONG |= dict.fromkeys(WEEKLY, st.integers(115, 170))  # weeks
EXAMPLES = {"forecast": 10, "outbreak evidence": 10} | dict.fromkeys(WEEKLY, 8)  # they take longer
MANY = {"rank": (3, 6)}  # series; the others are judged one to three at a time
# Patterns, ranks, or how tails fared; they say so.
POOLED = {"rank", "forecast", "outbreak", "outbreak evidence", "outbreak farrington"}
ALONE = sorted(set(WAYS) - POOLED)
TOLD = [field.name for field in fields(Scores)]

every_detector = pytest.mark.parametrize("name", WAYS)
every_entry = pytest.mark.parametrize("name", DETECTORS)


def step_of(way: str) -> int:
    """Return the days from one date to the next of the panels that a way of judging is for."""
    return 7 if way in WEEKLY else 1


def judge(way: str, panel: Panel, last: int = 5) -> Scores:
    name, parameters = WAYS[way]
    return DETECTORS[name](panel, last=last, **parameters)


def panel_of(means: list[float], seed: int, gaps: int = 0, days: int = 120, step: int = 1) -> Panel:
    """Return overdispersed counts with a weekday pattern, from a day that is no Monday; or weeks, with a step of 7."""
    rng = np.random.default_rng(seed)
    mean = np.asarray(means) * np.where(np.arange(days) % 7 < 5, 1.0, 0.6)[:, None]
    values = rng.negative_binomial(8, 8 / (8 + mean)).astype(float)
    whole = values + rng.poisson(3 * mean)
    values[rng.integers(0, days, gaps), rng.integers(0, len(means), gaps)] = np.nan
    keys = [f"series {i}" for i in range(len(means))]
    dates = np.datetime64("2023-02-01") + step * np.arange(days)
    return Panel(dates, keys, values, "weekly" if step == 7 else "daily", denominators=whole.astype(float))


def law(name: str) -> Callable[[Callable[[Panel], None]], None]:
    """Check a fact over panels of every volume, with gaps."""

    fewest, most = MANY.get(name, (1, 3))

    def check(fact: Callable[[Panel], None]) -> None:
        panels = st.builds(
            panel_of,
            st.lists(st.sampled_from([0.1, 1.0, 20.0, 500.0]), min_size=fewest, max_size=most),
            st.integers(0, 10**6),
            gaps=st.integers(0, 12),
            days=LONG.get(name, st.integers(90, 140)),
            step=st.just(step_of(name)),
        )
        settings(max_examples=EXAMPLES.get(name, 25))(given(panels)(fact))()

    return check


def same(one: Scores, other: Scores) -> bool:
    return all(
        np.allclose(getattr(one, told), getattr(other, told), rtol=1e-6, atol=1e-9, equal_nan=True) for told in TOLD
    )


def columns(scores: Scores, index: list[int]) -> Scores:
    return Scores(*(getattr(scores, told)[:, index] for told in TOLD))


@every_detector
def test_every_array_has_a_row_for_each_of_the_last_dates_and_a_column_for_each_series(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        scores = judge(name, panel)

        assert {getattr(scores, told).shape for told in TOLD} == {(5, len(panel.series))}


@every_detector
def test_tomorrow_cannot_change_today(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        in_hindsight = judge(name, panel)

        for back in range(1, 5):
            as_it_was_known = judge(name, panel.until(len(panel.dates) - back), last=1)
            then = Scores(*(getattr(in_hindsight, told)[4 - back : 5 - back] for told in TOLD))
            assert same(as_it_was_known, then)


@pytest.mark.parametrize("name", ALONE)
def test_a_series_is_judged_alone(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        together = judge(name, panel)

        for i in range(len(panel.series)):
            assert same(judge(name, panel.take([i])), columns(together, [i]))


@every_detector
def test_the_order_of_the_series_does_not_matter(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        backwards = list(range(len(panel.series)))[::-1]

        assert same(judge(name, panel.take(backwards)), columns(judge(name, panel), backwards))


@every_detector
def test_a_copy_of_a_series_scores_as_the_original(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        n = len(panel.series)

        twice = judge(name, panel.take([*range(n), 0]))

        assert same(columns(twice, [n]), columns(twice, [0]))


@every_detector
def test_the_same_input_gives_the_same_output(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        once, again = judge(name, panel), judge(name, panel)

        for told in TOLD:
            np.testing.assert_array_equal(getattr(once, told), getattr(again, told))


@every_detector
def test_a_value_not_reported_is_not_judged(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        panel.values[-1, 0] = np.nan

        scores = judge(name, panel, last=1)

        assert scores.reason[0, 0] == Reason.NOT_REPORTED
        assert np.isnan(scores.surprise[0, 0])


@every_detector
def test_a_number_is_missing_exactly_where_there_is_a_reason(name: str) -> None:
    @law(name)
    def fact(panel: Panel) -> None:
        scores = judge(name, panel)

        abstains = scores.reason != Reason.JUDGED
        for numbers in (scores.expected, scores.lower, scores.upper, scores.surprise):
            np.testing.assert_array_equal(np.isnan(numbers), abstains)


@every_detector
def test_the_input_is_left_as_it_was(name: str) -> None:
    panel = panel_of([3.0, 80.0], seed=4, gaps=6, days=400, step=step_of(name))
    before = panel.values.copy()

    judge(name, panel)

    np.testing.assert_array_equal(panel.values, before)


@every_detector
def test_the_first_days_of_a_series_are_too_few_to_judge(name: str) -> None:
    panel = panel_of([5.0], seed=1, days=4, step=step_of(name))

    scores = judge(name, panel, last=4)

    assert set(scores.reason.ravel().tolist()) == {Reason.SHORT_HISTORY}


@every_detector
def test_more_dates_than_the_panel_has_cannot_be_judged(name: str) -> None:
    panel = panel_of([5.0], seed=1, days=10, step=step_of(name))

    with pytest.raises(ValueError, match="last is 11, the panel has 10 dates"):
        judge(name, panel, last=11)


@every_entry
def test_parameters_are_of_the_kinds_a_rule_file_can_hold(name: str) -> None:
    first, *keywords = inspect.signature(DETECTORS[name]).parameters.values()

    assert first.name == "panel"
    assert {parameter.kind for parameter in keywords} == {inspect.Parameter.KEYWORD_ONLY}
    assert "last" in {parameter.name for parameter in keywords}
    for parameter in keywords:
        if parameter.name in GIVEN:
            continue
        assert str(parameter.annotation).removesuffix(" | None") in {"int", "float", "str", "bool"}, parameter
        assert parameter.default is not inspect.Parameter.empty


@every_entry
def test_every_detector_is_described_in_both_languages(name: str) -> None:
    described = Path(__file__).parent.parent / "docs" / "detectors.md"

    assert described.read_text(encoding="utf-8").count(f"\n## {name}\n") == 2


@pytest.mark.parametrize("size", [np.inf, 5.0], ids=["poisson", "size-5"])
@pytest.mark.parametrize("mean", [0.1, 1.0, 10.0, 100.0, 500.0])
@pytest.mark.parametrize("name", ["forecast", "outbreak", "threshold"])
def test_on_quiet_counts_a_surprise_is_no_more_frequent_than_it_says(name: str, mean: float, size: float) -> None:
    rng, shape = np.random.default_rng(20), (500, 400)
    values = rng.poisson(mean, shape) if np.isinf(size) else rng.negative_binomial(size, size / (size + mean), shape)
    panel = Panel(np.datetime64("2022-01-03") + np.arange(500), range(400), values.astype(float))

    surprise = DETECTORS[name](panel, last=50).surprise

    assert not np.isnan(surprise).any()
    for level in (2, 3):
        nominal = surprise.size * 10.0**-level
        assert (surprise >= level).sum() <= nominal + 4 * np.sqrt(nominal)  # 4 sd of a binomial
        assert (surprise <= -level).sum() <= nominal + 4 * np.sqrt(nominal)
