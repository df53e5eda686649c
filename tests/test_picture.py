"""What an alert's picture compares the series with is what its rule compared it with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_city import EAST, FRIDAY, SATURDAY, at, deliver, lay, raised, usual

from warning.charts import series_chart
from warning.grounds import ground
from warning.jobs import JOBS, Task
from warning.model import Alert, SeriesKey
from warning.picture import chart_of, course_of
from warning.scoring import way_of
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store.score import load_scores

NOW = at(SATURDAY, "07:30")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("city")
    with open_service(lay(folder)) as service:
        deliver(folder, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
        JOBS["sweep"](Task(service, NOW, NOW, lambda _: None))
        yield service


@pytest.fixture(scope="module")
def alert(service: Service) -> Alert:
    return next(found for found in alerts_of.live(service.store) if found.key == SeriesKey("thefts", EAST))


def by(alert: Alert, rule: str, detector: str) -> Alert:
    """Return the alert as if this rule alone had fired."""
    return replace(alert, evidence=(replace(alert.evidence[0], rule=rule, detector=detector),))


def test_a_days_rule_is_drawn_with_the_range_of_days(service: Service, alert: Alert) -> None:
    course = course_of(service, by(alert, "ss_po.surge", "outbreak"), now=NOW)

    assert course.window == 1
    assert course.values[-1] > course.upper[-1]
    np.testing.assert_array_equal(course.compared, course.values)


def test_a_weeks_rule_is_drawn_with_the_mean_of_seven_days_and_its_range(service: Service, alert: Alert) -> None:
    rule = service.rules.rule("ss_po.slow")
    dates = np.array([np.datetime64(FRIDAY)])
    stored = load_scores(service.store, way_of(service, rule), [alert.key], dates, NOW)

    course = course_of(service, by(alert, rule.id, rule.detector), now=NOW)

    assert course.window == 7
    assert course.compared[-1] == pytest.approx(course.values[-7:].mean())
    assert course.compared[-1] * 7 == pytest.approx(stored.observed[0, 0])
    assert course.upper[-1] * 7 == pytest.approx(stored.upper[0, 0])
    assert np.isnan(course.compared[:6]).all()


def test_a_change_of_level_is_drawn_with_the_levels_before_and_since(service: Service, alert: Alert) -> None:
    signal = replace(alert.evidence[0], rule="gone", detector="changepoint", expected=20.0, observed=31.5)

    course = course_of(service, replace(alert, evidence=(signal,)), now=NOW)

    assert course.levels == (20.0, 31.5)


def test_a_value_out_of_its_range_speaks_before_a_change_of_level(alert: Alert) -> None:
    surge = alert.evidence[0]
    shift = replace(surge, detector="changepoint")

    assert ground(replace(alert, evidence=(shift, surge))) == surge
    assert ground(replace(alert, evidence=())) is None


def test_the_picture_of_what_fell_back_marks_the_day_that_spoke_and_not_the_last_one(
    service: Service, alert: Alert
) -> None:
    held = replace(alert, updated=SATURDAY, quiet=1)
    rest: dict[str, Any] = {"unit": "起", "level": held.active, "onset": held.onset, "simulated": False}

    picture = chart_of(service, held, now=NOW)

    by_friday, by_saturday = (
        series_chart(course_of(service, held, now=NOW), title="东区·盗窃警情数", judged=day, **rest)
        for day in (FRIDAY, SATURDAY)
    )
    assert picture == by_friday
    assert picture != by_saturday
