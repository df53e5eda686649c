"""What nobody could judge is 数据不足, never calm, and every gap is named; only what has not arrived is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, SATURDAY, at, deliver, lay, usual

from warning import pipeline
from warning.colouring import coverages_by
from warning.jobs import take_in
from warning.model import Level, SeriesKey
from warning.scoring import known
from warning.service import Service, open_service

NOW = at(SATURDAY, "07:30")
DAILY = ("thefts", "fires", "quarrels")
LAST_WEEK = date(2026, 11, 9)  # the Monday of the last week that is due on Friday


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path)) as found:
        deliver(tmp_path, "friday.csv", usual(FRIDAY))
        take_in(found, NOW)
        yield found


def until(day: date) -> dict[SeriesKey, date]:
    return {SeriesKey(name, EAST): day for name in DAILY} | {SeriesKey("campus", EAST): LAST_WEEK}


def test_a_history_too_short_to_judge_is_no_calm(tmp_path: Path) -> None:
    with open_service(lay(tmp_path, history=False)) as service:
        deliver(tmp_path, "ten-days.csv", [cell for n in range(10) for cell in usual(FRIDAY - timedelta(days=n))])
        take_in(service, NOW)

        swept = pipeline.sweep(service, FRIDAY, now=NOW)

    assert {(c.watched, c.missing, c.colour) for c in swept.coverages} == {(4, 4, Level.MISSING)}


@pytest.mark.parametrize(
    ("judged", "missing", "colour"),
    [
        pytest.param(FRIDAY, 0, Level.CALM, id="judged-on-the-day-that-is-due"),
        pytest.param(FRIDAY - timedelta(days=1), 3, Level.MISSING, id="judged-the-day-before-but-not-on-it"),
    ],
)
def test_a_value_nobody_judged_counts_as_missing_and_is_named_as_arrived(
    service: Service, judged: date, missing: int, colour: Level
) -> None:
    panels = known(service, FRIDAY, known_at=NOW)

    found, gaps = coverages_by(service, panels, FRIDAY, [], until(judged))

    assert (found[EAST].missing, found[EAST].colour) == (missing, colour)
    mine = [gap for gap in gaps if gap.place.code == EAST]
    assert len(mine) == missing
    assert all(gap.arrived for gap in gaps)
