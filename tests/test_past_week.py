"""A briefing is about its week, whenever it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FRIDAY, MONDAY, RULES, SUNDAY, WEST, at, deliver, lay, raised, usual

from warning import pipeline, weekly
from warning.context import Context
from warning.jobs import take_in
from warning.model import Alert, Level, Stage
from warning.picture import course_of
from warning.scoring import known
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of

WEEK = SUNDAY - timedelta(days=6)
LATE = at(MONDAY + timedelta(days=10), "08:30")
EXTRA = {  # calls more than usual from Friday on, day by day
    ("thefts", EAST): (14, 14, 14, 40, 40),  # orange, red in the week after
    ("thefts", WEST): (0, 15, 0, 0, 30),  # yellow and back, red in the week after
    ("quarrels", WEST): (12, 12, 12),  # yellow, over in the week after
    ("fires", EAST): (6, 4, 9, 13, 9),  # yellow, dated anew in the week after
}
WEEKLY = {SUNDAY: 40, SUNDAY + timedelta(days=7): 60}
STEEP = RULES.rstrip() + "\norange = { surprise = 4.0, extra = 6 }\n"  # of the last rule, which judges weeks


@dataclass(frozen=True)
class Weeks:
    """A service that has lived on for ten days, and what it laid in the folder of documents on the way."""

    service: Service
    then: dict[str, bytes]  # on the Monday after the week
    alerts: tuple[Alert, ...]  # as they stood that Monday
    counts: dict[str, tuple[int, int]]  # documents and messages that were new when the week was written again
    later: dict[str, bytes]


def live(service: Service, folder: Path, day: date) -> None:
    """Let a day arrive, and judge it in the morning after."""
    cells, n = usual(day), (day - FRIDAY).days
    for (indicator, place), extra in EXTRA.items():
        cells = raised(cells, indicator, place, extra[n] if n < len(extra) else 0)
    deliver(folder, f"{day}.csv", raised(cells, "campus", EAST, WEEKLY.get(day, 0)))
    morning = day + timedelta(days=1)
    take_in(service, at(morning, "07:00"))
    pipeline.sweep(service, day, now=at(morning, "07:30"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "documents").iterdir()}


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    folder = tmp_path_factory.mktemp("city")
    config = lay(folder)
    (folder / "rules" / "police.toml").write_text(STEEP, encoding="utf-8")
    with open_service(config) as service:
        for n in range(3):
            live(service, folder, FRIDAY + timedelta(days=n))
        weekly.write_week(service, WEEK, now=at(MONDAY, "08:30"))
        then, alerts = files(folder), tuple(alerts_of.alerts(service.store))
        counts = {"hours later": weekly.write_week(service, WEEK, now=at(MONDAY, "20:30"))}
        for n in range(10):
            live(service, folder, MONDAY + timedelta(days=n))
        counts["days later"] = weekly.write_week(service, WEEK, now=LATE)
        yield Weeks(service, then, alerts, counts, files(folder))


@pytest.mark.parametrize("when", ["hours later", "days later"])
def test_a_week_that_is_written_again_is_no_other_briefing(weeks: Weeks, when: str) -> None:
    assert weeks.counts[when] == (0, 0)


def test_a_week_that_is_written_late_is_written_to_the_byte_as_it_was(weeks: Weeks) -> None:
    assert weeks.later == weeks.then
    assert b"data:image/png" in weeks.then[f"briefing-{WEEK}-{EAST}.html"]


def test_an_alert_is_to_a_past_week_what_it_was_then(weeks: Weeks) -> None:
    panels = known(weeks.service, SUNDAY, known_at=LATE)
    context = Context(weeks.service, SUNDAY, LATE, panels, coverages_of.on(weeks.service.store, SUNDAY))

    found = {alert.number: alert for alert in context.alerts}

    assert len(found) == 5
    for was in weeks.alerts:
        now = found[was.number]
        assert (now.active, now.peak, now.stage) == (was.active, was.peak, was.stage)
        assert (now.onset, now.updated, now.evidence) == (was.onset, was.updated, was.evidence)


def test_the_picture_of_a_weekly_series_in_a_past_week_ends_with_that_week(weeks: Weeks) -> None:
    panels = known(weeks.service, SUNDAY, known_at=LATE)
    context = Context(weeks.service, SUNDAY, LATE, panels, coverages_of.on(weeks.service.store, SUNDAY))
    [alert] = [alert for alert in context.alerts if alert.indicator == "campus"]

    course = course_of(weeks.service, alert, now=LATE)

    assert course.dates[-1] == np.datetime64(WEEK)
    assert np.isfinite(course.values[-12:]).all()


def test_in_the_week_after_alerts_rose_fell_ended_and_were_dated_anew(weeks: Weeks) -> None:
    """Or the comparison would say little."""
    now = {(alert.indicator, alert.place): alert for alert in alerts_of.alerts(weeks.service.store)}
    then = {(alert.indicator, alert.place): alert for alert in weeks.alerts}

    assert (then["thefts", EAST].peak, now["thefts", EAST].peak) == (Level.ORANGE, Level.RED)
    assert (then["thefts", WEST].peak, now["thefts", WEST].peak) == (Level.YELLOW, Level.RED)
    assert (then["quarrels", WEST].stage, now["quarrels", WEST].stage) == (Stage.RAISED, Stage.CLOSED)
    assert then["fires", EAST].onset < now["fires", EAST].onset <= SUNDAY
    assert then["campus", EAST].active >= Level.ORANGE
    assert now["campus", EAST].updated > then["campus", EAST].updated
