"""What a detector is given besides the values: persons, the same day a year before, the whole a share is judged of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from simulated_city import shipped_deployment

from detectors.panel import Reason
from warning.batch import panel_of, persons
from warning.model import SeriesKey
from warning.replay import of_panels
from warning.rule import Rule
from warning.scoring import Known, score, way_of, wholes_of
from warning.service import Deployment

TIANHE, CONGHUA = "440106", "440117"
REPEATS, REQUESTS, ON_TIME = "pp_rs_repeat_requests", "pp_rs_hotline_requests", "pp_rs_on_time_response"
DAYS = np.arange(np.datetime64("2024-11-18"), np.datetime64("2026-01-01"))
SHARE = {
    "id": "pp_rs.repeats",
    "name_zh": "重复诉求占比偏高",
    "indicators": (REPEATS,),
    "denominator": REQUESTS,
    "places": (TIANHE, CONGHUA),
    "detector": "share",
    "parameters": {"window": 28},
    "yellow": {"surprise": 3.0},
}


@pytest.fixture(scope="module")
def shipped() -> Deployment:
    return shipped_deployment()


def asking(deployment: Deployment, **rule: object) -> Deployment:
    """Return the deployment with one rule only."""
    return replace(deployment, rules=replace(deployment.rules, rules=(Rule.model_validate(rule),)))


def known(wholes: dict[SeriesKey, np.ndarray] | None = None) -> Known:
    """Return twenty repeats a day in one district and five in another, more in the last four weeks of the first."""
    keys = (SeriesKey(REPEATS, TIANHE), SeriesKey(REPEATS, CONGHUA))
    values = np.tile([20.0, 5.0], (len(DAYS), 1))
    values[-28:, 0] = 30.0
    return Known("daily", DAYS, keys, values, {key: n for n, key in enumerate(keys)}, wholes or {})


def test_the_persons_behind_a_series_are_those_of_the_population_table(shipped: Deployment) -> None:
    keys = [SeriesKey(REPEATS, TIANHE), SeriesKey(ON_TIME, TIANHE)]

    found = persons(shipped, keys, np.array(["2025-12-31", "2026-01-01"], dtype="datetime64[D]"))

    assert found[:, 0].tolist() == [2_241_826, 2_241_826]
    assert np.isnan(found[:, 1]).all()  # no catalogue counts a ratio per 10,000


@pytest.mark.parametrize(
    ("frequency", "first", "then"),
    [
        pytest.param("daily", "2025-01-29", "2024-02-10", id="the-first-day-of-spring-festival"),
        pytest.param("daily", "2025-06-18", "2024-06-19", id="the-same-weekday"),
        pytest.param("weekly", "2025-01-27", "2024-02-05", id="the-week-of-spring-festival"),
        pytest.param("monthly", "2025-02-01", "2024-02-01", id="the-same-month"),
    ],
)
def test_the_calendar_says_which_period_is_the_same_a_year_before(
    shipped: Deployment, frequency: str, first: str, then: str
) -> None:
    dates = np.array([first], dtype="datetime64[D]")

    panel = panel_of(shipped, [SeriesKey(REPEATS, TIANHE)], np.ones((1, 1)), dates, frequency, None)

    assert panel.year_ago is not None
    assert panel.year_ago.tolist() == [date.fromisoformat(then)]


def test_a_share_is_judged_of_the_whole_its_rule_names(shipped: Deployment) -> None:
    wholes = {
        SeriesKey(REQUESTS, TIANHE): np.full(len(DAYS), 100.0),
        SeriesKey(REQUESTS, CONGHUA): np.full(len(DAYS), 50.0),
    }
    deployment = asking(shipped, **SHARE)

    judged, failures = score(deployment, {"daily": known(wholes)}, {"daily": 1})

    scores = judged["pp_rs.repeats"].scores
    assert not failures
    assert scores.observed[-1].tolist() == [840, 140]
    assert scores.expected[-1].tolist() == pytest.approx([560, 140], rel=0.01)
    assert scores.surprise[-1, 0] > 10
    assert abs(scores.surprise[-1, 1]) < 1


def test_without_its_whole_a_share_is_not_judged(shipped: Deployment) -> None:
    judged, _ = score(asking(shipped, **SHARE), {"daily": known()}, {"daily": 1})

    assert judged["pp_rs.repeats"].scores.reason[-1].tolist() == [Reason.NOT_REPORTED] * 2


def test_the_wholes_of_a_rule_are_those_of_its_places(shipped: Deployment) -> None:
    deployment = asking(shipped, **SHARE)

    assert wholes_of(deployment, "daily") == (SeriesKey(REQUESTS, TIANHE), SeriesKey(REQUESTS, CONGHUA))
    assert wholes_of(deployment, "weekly") == ()


def test_scores_of_another_whole_are_stored_apart(shipped: Deployment) -> None:
    rules = (Rule.model_validate(SHARE | {"denominator": whole}) for whole in (REQUESTS, "pp_rs_other"))

    one, other = (way_of(shipped, rule) for rule in rules)

    assert one.parameters == f"denominator='{REQUESTS}' window=28"
    assert one != other


def test_a_day_of_the_past_sees_the_whole_as_far_as_it_went(shipped: Deployment) -> None:
    whole = SeriesKey(REQUESTS, TIANHE)
    source = of_panels(shipped, {"daily": known({whole: np.arange(len(DAYS), dtype=float)})})

    then = source(date(2025, 12, 1))["daily"]

    assert then.dates[-1] == np.datetime64("2025-12-01")
    assert DAYS[int(then.of(whole)[-1])] == then.dates[-1]
    assert len(then.of(whole)) == len(then.dates)
    assert np.isnan(then.of(whole)[0])  # before the panel's first day
