"""Levels found anew from stored scores are those the sweeps found; under other rules, those they would have found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FRIDAY, at, deliver, lay, raised, usual

from warning import pipeline
from warning.condition import Evidence
from warning.graded import graded
from warning.jobs import take_in
from warning.model import Level, SeriesKey
from warning.regrading import regraded
from warning.rule import Rule
from warning.scoring import known, score
from warning.service import Service, open_service
from warning.store import signal as signals_of

DAYS = [FRIDAY + timedelta(days=n) for n in range(5)]
THEFTS = SeriesKey("thefts", EAST)


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Five days, each swept on its morning: thefts high from the second on, which is corrected on the fourth."""
    folder: Path = tmp_path_factory.mktemp("city")
    with open_service(lay(folder)) as service:
        for day in DAYS:
            cells = usual(day) if day == DAYS[0] else raised(usual(day), *THEFTS, 40)
            if day == DAYS[3]:
                cells += [cell for cell in usual(DAYS[1]) if cell[:2] == THEFTS]
            deliver(folder, f"{day}.csv", cells)
            take_in(service, morning(day))
            pipeline.sweep(service, day, now=morning(day))
        yield service


def under(service: Service, **changes: object) -> Service:
    """Return the service with its daily rules changed."""
    rules = [rule if "campus" in rule.id else rule.model_copy(update=changes) for rule in service.rules.rules]
    return replace(service, rules=replace(service.rules, rules=tuple(rules)))


def test_under_the_rules_of_the_sweeps_it_says_what_they_said(service: Service) -> None:
    found = regraded(service, DAYS[0], DAYS[-1], known_at=morning(DAYS[-1]))

    cells = [
        (rule, rules.keys[n], rules.dates[k].item(), Level(int(rules.levels[k, n])))
        for rule, rules in found.items()
        for k, n in np.argwhere(rules.levels > Level.CALM)
    ]
    said = signals_of.signals(service.store, DAYS[0], DAYS[-1])
    assert sorted(cells) == sorted((one.rule, one.key, one.date, one.level) for one in said)
    assert len({day for _, key, day, _ in cells if key == THEFTS}) == 3  # the corrected day is none of them


def test_it_goes_by_what_was_known_then(service: Service) -> None:
    levels = [regraded(service, DAYS[1], DAYS[1], known_at=morning(DAYS[n]))["ss_po.surge"] for n in (0, 1, 2, 3)]

    thefts = [Level(int(one.levels[0, one.keys.index(THEFTS)])) for one in levels]
    assert thefts == [Level.MISSING, Level.RED, Level.RED, Level.CALM]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"yellow": Evidence(surprise=0.5)}, id="a-lower-threshold"),
        pytest.param({"yellow": Evidence(ratio=1.2), "hits": 2, "of": 3}, id="hits-before-the-first-date"),
        pytest.param({"direction": "fall", "yellow": Evidence(extra=2.0)}, id="falls"),
        pytest.param({"red": None, "orange": None}, id="no-red"),
    ],
)
def test_under_other_rules_it_says_what_a_sweep_by_them_would(service: Service, changes: dict[str, object]) -> None:
    tried, now = under(service, **changes), morning(DAYS[-1])

    found = regraded(tried, DAYS[0], DAYS[-1], known_at=now)

    afresh, failures = score(tried, known(tried, DAYS[-1], known_at=now), {"daily": 5, "weekly": 1})
    assert not failures
    for rule, expected in graded(tried, afresh).items():
        rows = np.isin(expected.dates, found[rule].dates)
        np.testing.assert_array_equal(found[rule].levels, expected.levels[rows])
    assert any((one.levels > Level.CALM).any() for one in found.values())


def test_a_way_of_judging_that_never_ran_has_no_level(service: Service) -> None:
    tried = under(service, parameters={"baseline": 56})

    found = regraded(tried, DAYS[0], DAYS[-1], known_at=morning(DAYS[-1]))

    assert (found["ss_po.surge"].levels == Level.MISSING).all()
    assert len(found["ss_po.surge"].dates) == len(DAYS)


def test_the_rules_are_those_of_the_deployment(service: Service) -> None:
    found = regraded(service, DAYS[0], DAYS[0], known_at=morning(DAYS[-1]))

    rules: list[Rule] = [one.rule for one in found.values()]
    assert rules == list(service.rules.rules)
