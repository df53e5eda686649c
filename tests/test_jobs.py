"""What a job is about is the instant it was due for, however late it runs; and a day has one daily mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, MONDAY, SATURDAY, SUNDAY, at, deliver, lay, raised, usual

from warning.jobs import JOBS, Task, days_to_sweep
from warning.service import Service, open_service
from warning.store import coverage as coverages_of
from warning.store import document, outbox

UNJUDGED = "未完成研判"  # in the subject
WEEK = SUNDAY - timedelta(days=6)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A centre to which Friday's values have come, with thefts in the east that are red."""
    config = lay(tmp_path)
    deliver(tmp_path, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
    with open_service(config) as service:
        yield service


def runs(service: Service, job: str, due: datetime, *, late: timedelta = timedelta()) -> str:
    """Run a job that was due at an instant, so much later."""
    return JOBS[job](Task(service, due, due + late, lambda _: None))


def daily(service: Service) -> list[tuple[date, bool]]:
    """Return of each daily mail, in order, its day and whether it says that this was judged."""
    told = [entry.message for entry in reversed(outbox.messages(service.store)) if entry.message.kind == "daily"]
    assert len({message.message_id for message in told}) == len(told)
    return [(message.date, UNJUDGED not in message.subject) for message in told]


@pytest.mark.parametrize("late", [timedelta(), timedelta(hours=1), timedelta(hours=17)])
def test_a_sweep_and_a_daily_mail_are_about_the_day_before_they_were_due(service: Service, late: timedelta) -> None:
    runs(service, "sweep", at(SATURDAY, "07:30"), late=late)
    runs(service, "daily_mail", at(SATURDAY, "08:00"), late=late)  # 17 hours later it is Sunday

    assert coverages_of.last_date(service.store) == FRIDAY
    assert daily(service) == [(FRIDAY, True)]


def test_a_briefing_is_about_the_week_before_it_was_due(service: Service) -> None:
    runs(service, "sweep", at(SATURDAY, "07:30"))

    runs(service, "briefing", at(MONDAY, "08:30"), late=timedelta(days=7))

    assert document.document(service.store, "briefing", "01", WEEK) is not None
    assert document.document(service.store, "briefing", "01", WEEK + timedelta(days=7)) is None


def test_a_sweep_that_is_retried_when_a_later_day_was_swept_judges_nothing_again(service: Service) -> None:
    runs(service, "sweep", at(SUNDAY, "07:30"))

    assert days_to_sweep(service, FRIDAY) == []
    assert runs(service, "sweep", at(SATURDAY, "07:30"), late=timedelta(days=2)) == "0 day(s), 0 event(s)"


def test_a_day_has_one_daily_mail_also_when_it_is_swept_again(service: Service) -> None:
    for job, clock in (("sweep", "07:30"), ("daily_mail", "08:00"), ("sweep", "09:00"), ("daily_mail", "09:05")):
        runs(service, job, at(SATURDAY, clock))

    assert daily(service) == [(FRIDAY, True)]


def test_a_day_that_was_judged_after_its_daily_mail_has_another_that_says_so(service: Service, tmp_path: Path) -> None:
    for _ in range(2):
        runs(service, "daily_mail", at(SATURDAY, "08:00"))
    assert daily(service) == [(FRIDAY, False)]

    for clock in ("09:00", "10:00"):
        runs(service, "sweep", at(SATURDAY, clock))

    assert daily(service) == [(FRIDAY, False), (FRIDAY, True)]
    deliver(tmp_path, "saturday.csv", usual(SATURDAY))
    runs(service, "sweep", at(SUNDAY, "07:30"))
    runs(service, "daily_mail", at(SUNDAY, "08:00"))
    assert daily(service)[2:] == [(SATURDAY, True)]


def test_each_day_of_an_outage_that_was_told_unjudged_is_told_judged(service: Service, tmp_path: Path) -> None:
    runs(service, "sweep", at(FRIDAY, "07:30"))
    for day in (SATURDAY, SUNDAY):  # the sweeps failed
        runs(service, "daily_mail", at(day, "08:00"))
    deliver(tmp_path, "saturday.csv", usual(SATURDAY))

    runs(service, "sweep", at(SUNDAY, "09:00"))

    assert daily(service) == [(FRIDAY, False), (SATURDAY, False), (FRIDAY, True), (SATURDAY, True)]
