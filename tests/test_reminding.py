"""Departments whose data are due and not there: asked once a day, and noted when they report again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, SATURDAY, SUNDAY, WEST, Cell, at, deliver, lay, past, usual

from warning import pipeline
from warning.feedset import read_feeds
from warning.jobs import take_in
from warning.model import Level, Message
from warning.pipeline import Swept
from warning.service import Service, open_service
from warning.store import outbox, run

POLICE = "police@example.invalid"
THURSDAY = FRIDAY - timedelta(days=1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    config = lay(tmp_path)
    contacts = f"department,contact\n公安局,{POLICE}\n"  # of the fire brigade nobody knows whom to ask
    (tmp_path / "city" / "departments.csv").write_text(contacts, encoding="utf-8")
    with open_service(config) as found:
        yield found


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30")


def sweep(service: Service, day: date, cells: list[Cell], *, now: datetime | None = None) -> Swept:
    now = now or morning(day)
    deliver(service.config.base, f"{now:%m%dT%H%M}.csv", [*cells, ("fires", WEST, FRIDAY - timedelta(days=900), 1.0)])
    take_in(service, now)
    return pipeline.sweep(service, day, now=now)


def silent(day: date) -> list[Cell]:
    """Return a day on which the police sent nothing."""
    return [cell for cell in usual(day) if cell[0] == "fires"]


def reminders(service: Service) -> list[Message]:
    return [mail for mail in outbox.pending(service.store, morning(SUNDAY)) if mail.kind == "notice"]


def notes(service: Service) -> list[tuple[str, str]]:
    return [(note.about, note.text) for note in run.notices(service.store, at(FRIDAY, "00:00"))]


def test_a_silent_department_is_told_once_what_it_lacks(service: Service) -> None:
    sweep(service, FRIDAY, silent(FRIDAY))

    (found,) = reminders(service)

    assert (found.recipient, found.subject) == (POLICE, "【报送提醒】公安局·11月20日")
    assert "- 11月20日：盗窃警情数、纠纷警情数，涉及东区、西区，共4项次（最近一期为11月19日）。\n" in found.text
    assert "截至11月21日07:30，小城指挥中心尚未收到" in found.text


def test_a_sweep_again_on_the_same_day_reminds_nobody_twice(service: Service) -> None:
    sweep(service, FRIDAY, silent(FRIDAY))
    partly = [cell for cell in usual(FRIDAY) if cell[:2] == ("thefts", EAST)]

    sweep(service, FRIDAY, partly, now=morning(FRIDAY) + timedelta(hours=4))

    assert len(reminders(service)) == 1


def test_who_is_still_silent_the_next_day_is_reminded_again(service: Service) -> None:
    sweep(service, FRIDAY, silent(FRIDAY))
    sweep(service, SATURDAY, silent(SATURDAY))

    assert [mail.date for mail in reminders(service)] == [FRIDAY, SATURDAY]
    assert notes(service) == []


def test_who_reports_again_is_noted_and_no_longer_reminded(service: Service) -> None:
    sweep(service, FRIDAY, silent(FRIDAY))
    sweep(service, SATURDAY, usual(SATURDAY))

    assert [mail.date for mail in reminders(service)] == [FRIDAY]
    assert notes(service) == [("公安局", "恢复报送：此前提醒的数据已收到 / reports again")]


def test_who_makes_up_for_it_at_noon_is_noted_then(service: Service) -> None:
    sweep(service, FRIDAY, silent(FRIDAY))

    sweep(service, FRIDAY, usual(FRIDAY), now=morning(FRIDAY) + timedelta(hours=4))

    assert [about for about, _ in notes(service)] == ["公安局"]


def test_who_reported_all_along_is_neither_reminded_nor_noted(service: Service) -> None:
    sweep(service, FRIDAY, usual(FRIDAY))
    sweep(service, SATURDAY, usual(SATURDAY))

    assert reminders(service) == []
    assert notes(service) == []


FEED = """
name_zh = "警情日报"
department = "公安局"
contact = "feed@example.invalid"
due = "{due}"
files = ["警情*.csv"]
columns = {{ indicator = "指标", place = "区", date = "日期", value = "数量" }}
"""


def with_feed(service: Service, due: str) -> Service:
    folder = service.config.base / "more"
    folder.mkdir()
    (folder / "police.toml").write_text(FEED.format(due=due), encoding="utf-8")
    feeds, faults = read_feeds(folder, service.city)
    assert not faults
    return replace(service, feeds=feeds)


def test_whom_the_feed_names_is_asked_and_not_before_its_hour(service: Service) -> None:
    sweep(with_feed(service, "07:00"), FRIDAY, silent(FRIDAY))

    assert [mail.recipient for mail in reminders(service)] == ["feed@example.invalid"]


def test_who_is_due_later_in_the_day_is_asked_for_the_day_before_only(service: Service) -> None:
    later = with_feed(service, "10:00")
    sweep(later, FRIDAY, silent(FRIDAY))
    before = reminders(service)

    sweep(later, SATURDAY, silent(SATURDAY))

    (found,) = reminders(service)
    assert before == []
    assert "- 11月20日：盗窃警情数、纠纷警情数，" in found.text


def test_nobody_is_reminded_of_days_that_are_made_up_for(service: Service) -> None:
    deliver(service.config.base, "history-again.csv", past())
    now = morning(SUNDAY)

    for day in (FRIDAY, SATURDAY, SUNDAY):
        sweep(service, day, [], now=now)

    assert [mail.date for mail in reminders(service)] == [SUNDAY]


def test_nothing_is_closed_for_want_of_data_and_the_map_is_grey(service: Service) -> None:
    loud = [(name, place, day, value + 36 * (name == "thefts")) for name, place, day, value in usual(FRIDAY)]
    sweep(service, FRIDAY, loud)

    swept = sweep(service, SATURDAY, [])

    assert swept.events == ()
    assert {coverage.missing for coverage in swept.coverages} == {3}
    assert all(coverage.colour is not Level.CALM for coverage in swept.coverages)
