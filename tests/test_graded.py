"""What each rule says of its series: places with thresholds of their own, seasons, methods beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from little_city import EAST, FRIDAY, SATURDAY, WEST, at, deliver, lay, usual

from warning.graded import Graded, graded
from warning.jobs import take_in
from warning.model import Level, SeriesKey
from warning.regrading import regraded
from warning.rule import Rule
from warning.scoring import Known, known, score
from warning.service import Service, open_service
from warning.store import score as scores_of

NOW = at(SATURDAY, "07:30")
WEEK: dict[str, dict[str, Any]] = {"week": {"detector": "threshold", "parameters": {"window": 7, "baseline": 182}}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("graded")
    with open_service(lay(folder)) as found:
        deliver(folder, "friday.csv", usual(FRIDAY))
        take_in(found, NOW)
        yield found


@pytest.fixture(scope="module")
def panels(service: Service) -> dict[str, Known]:
    return known(service, FRIDAY, known_at=NOW)


def ruled(service: Service, **said: Any) -> Service:
    """Return the deployment with one rule: thefts beyond a surprise of .01, so that about half of all days are."""
    common = {"id": "ss_po.tried", "name_zh": "试", "indicators": ("thefts",), "tier": "district"}
    rule = Rule.model_validate({"detector": "ears", "yellow": {"surprise": 0.01}, **common, **said})
    return replace(service, rules=replace(service.rules, rules=(rule,)))


def tried(service: Service, panels: dict[str, Known], **said: Any) -> Graded:
    there = ruled(service, **said)
    judged, failures = score(there, panels, {"daily": 28})
    assert not failures
    return graded(there, judged)["ss_po.tried"]


def test_a_place_may_have_thresholds_of_its_own(service: Service, panels: dict[str, Known]) -> None:
    usual_one = tried(service, panels)

    found = tried(service, panels, override=[{"places": [WEST], "yellow": {"surprise": 90}}])

    assert [key.place for key in found.keys] == [EAST, WEST]
    assert (found.levels[:, 0] == usual_one.levels[:, 0]).all()
    assert (usual_one.levels[:, 1] == Level.YELLOW).any()
    assert (found.levels[:, 1] == Level.CALM).all()


def test_a_place_may_be_left_out(service: Service, panels: dict[str, Known]) -> None:
    assert tried(service, panels, override=[{"places": [WEST], "off": True}]).keys == (SeriesKey("thefts", EAST),)
    assert tried(service, panels, without_places=[EAST]).keys == (SeriesKey("thefts", WEST),)


def test_a_place_may_be_looked_at_the_other_way(service: Service, panels: dict[str, Known]) -> None:
    rising, falling = tried(service, panels), tried(service, panels, override=[{"places": [WEST], "direction": "fall"}])

    assert falling.signs.tolist() == [1, -1]
    assert not ((rising.levels[:, 1] == Level.YELLOW) & (falling.levels[:, 1] == Level.YELLOW)).any()


def test_out_of_its_season_a_rule_is_calm_and_keeps_nothing(service: Service, panels: dict[str, Known]) -> None:
    lowering = {"surprise": 0.01, "lower": {"surprise": 0.001}}

    found = tried(service, panels, yellow=lowering, active={"until": FRIDAY - timedelta(days=7)})

    assert (found.levels[-7:] == Level.CALM).all()
    assert (found.kept[-7:] == Level.CALM).all()
    assert (found.levels[:-7] == Level.YELLOW).any()
    assert (found.kept[:-7] == Level.YELLOW).any()


def test_on_a_day_it_is_not_asked_a_rule_keeps_what_it_said(service: Service, panels: dict[str, Known]) -> None:
    found = tried(service, panels, active={"days": ["workday"]})

    free = np.array([day.weekday() >= 5 for day in found.dates.tolist()])
    assert (found.levels[free] == Level.CALM).all()
    assert (found.kept[free] == Level.RED).all()
    assert (found.levels[~free] == Level.YELLOW).any()


def test_a_silent_day_stays_silent_out_of_season(service: Service, panels: dict[str, Known]) -> None:
    values = panels["daily"].values.copy()
    values[-1] = np.nan
    gone = {"daily": replace(panels["daily"], values=values)}

    found = tried(service, gone, active={"until": FRIDAY - timedelta(days=7)})

    assert (found.levels[-1] == Level.MISSING).all()


def test_methods_are_scored_each_by_its_own_way(service: Service, panels: dict[str, Known]) -> None:
    either = {"any": [{"surprise": 0.5}, {"method": "week", "surprise": 0.5}]}

    found = tried(service, panels, methods=WEEK, yellow=either)

    alone = tried(service, panels, yellow={"surprise": 0.5})
    week = tried(service, panels, detector="threshold", parameters=WEEK["week"]["parameters"], yellow={"surprise": 0.5})
    rows = min(len(alone.dates), len(week.dates))
    assert (found.levels[-rows:] == np.maximum(alone.levels[-rows:], week.levels[-rows:])).all()
    assert (alone.levels[-rows:] != week.levels[-rows:]).any()


def test_stored_scores_give_each_method_its_numbers_again(service: Service, panels: dict[str, Known]) -> None:
    both = {"all": [{"surprise": 0.1}, {"method": "week", "bound": 1.0}]}
    methods = {"week": {"detector": "threshold", "parameters": {**WEEK["week"]["parameters"], "line": 60.0}}}
    there = ruled(service, methods=methods, yellow=both)
    judged, _ = score(there, panels, {"daily": 28})
    live = graded(there, judged)["ss_po.tried"]
    with there.store.write():
        for scored in judged.values():
            scores_of.save_scores(there.store, scored.way, scored.keys, scored.dates, scored.scores, NOW)

    again = regraded(there, FRIDAY - timedelta(days=13), FRIDAY, known_at=NOW)["ss_po.tried"]

    assert (again.levels == live.levels[-14:]).all()
    assert (live.levels == Level.YELLOW).any()
