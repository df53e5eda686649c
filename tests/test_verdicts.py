"""One method that fails costs its own rules only, and what is past a threshold is not near it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from little_city import EAST, FRIDAY, SATURDAY, at, deliver, lay, usual

from detectors import DETECTORS
from warning import pipeline
from warning.graded import Graded, graded
from warning.jobs import take_in
from warning.model import SeriesKey
from warning.scoring import known, score
from warning.service import Service, open_service
from warning.store import run
from warning.verdicts import nearest

NOW = at(SATURDAY, "07:30")
LASTS = {"daily": 1, "weekly": 1}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path)) as found:
        deliver(tmp_path, "friday.csv", usual(FRIDAY))
        take_in(found, NOW)
        yield found


def out_of_luck(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("out of luck")


def test_a_method_that_fails_leaves_the_other_rules_judged(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(DETECTORS, "threshold", out_of_luck)

    with caplog.at_level(logging.ERROR):
        swept = pipeline.sweep(service, FRIDAY, now=NOW)

    assert swept.failures == (("ss_po.slow", "RuntimeError: out of luck"),)
    assert (swept.watched, swept.missing) == (8, 0)
    (notice,) = run.notices(service.store, NOW - timedelta(hours=1))
    assert (notice.about, notice.text) == swept.failures[0]
    assert "detector failed detector=threshold rules=['ss_po.slow']" in caplog.text


@pytest.mark.parametrize(
    ("surprise", "share"),
    [
        pytest.param(1.5, 0.5, id="half-way-to-yellow"),
        pytest.param(2.99, 0.99, id="never-printed-as-full"),
        pytest.param(3.5, None, id="past-it-and-too-few-to-matter"),
    ],
)
def test_what_came_nearest_is_short_of_the_surprise(service: Service, surprise: float, share: float | None) -> None:
    found = {"ss_po.surge": with_surprise(service, surprise)}

    near = nearest(service, LASTS, found).get(EAST)

    assert (near and near.share) == (share and pytest.approx(share, abs=0.005))


def with_surprise(service: Service, surprise: float) -> Graded:
    """Return what one rule says, all calm, with a surprise put in for thefts in the east."""
    judged, _ = score(service, known(service, FRIDAY, known_at=NOW), LASTS)
    found = graded(service, judged)["ss_po.surge"]
    table = np.zeros_like(found.scores.surprise)
    table[-1, found.keys.index(SeriesKey("thefts", EAST))] = surprise
    return replace(found, scores=replace(found.scores, surprise=table), levels=np.zeros_like(found.levels))
