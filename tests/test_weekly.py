"""The briefing of a week says what of the week was judged, and the same whenever it is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, MONDAY, SATURDAY, SUNDAY, at, deliver, lay, raised, usual

from warning.jobs import JOBS, Task
from warning.service import Service, open_service
from warning.store import document
from warning.weekly import write_week

WEEK = SUNDAY - timedelta(days=6)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path)) as service:
        yield service


def judge(service: Service, folder: Path, *days: date, extra: float = 30) -> None:
    """Let the morning sweeps after some days pass, thefts in the east being high."""
    for day in days:
        deliver(folder, f"{day}.csv", raised(usual(day), "thefts", EAST, extra))
        now = at(day + timedelta(days=1), "07:30")
        JOBS["sweep"](Task(service, now, now, lambda _: None))


def texts(service: Service) -> dict[str, tuple[str, str]]:
    return {d.place: (d.text, d.html) for d in document.documents(service.store, "briefing", WEEK)}


def test_a_week_that_nobody_judged_has_no_finding(service: Service) -> None:
    write_week(service, WEEK, now=at(MONDAY, "08:30"))

    ((text, page),) = texts(service).values()
    assert "没有研判过任何一天，无研判结论；有无风险，不得由此推断" in text
    for calm in ("正常波动范围", "未触发", "0个区", "0项次"):
        assert calm not in text
        assert calm not in page


def test_a_week_of_which_some_days_were_judged_says_which_were_not(service: Service, tmp_path: Path) -> None:
    judge(service, tmp_path, SATURDAY, SUNDAY)

    write_week(service, WEEK, now=at(MONDAY, "08:30"))

    assert "的7天中，有5天未研判（11月16日—20日），以下只及已研判的2天" in texts(service)["01"][0]


def test_a_briefing_written_again_when_deadlines_are_past_is_the_same(service: Service, tmp_path: Path) -> None:
    judge(service, tmp_path, FRIDAY, SATURDAY, SUNDAY)
    write_week(service, WEEK, now=at(MONDAY, "08:30"))
    first = texts(service)

    again = write_week(service, WEEK, now=at(MONDAY, "23:30"))

    assert again == (0, 0)
    assert texts(service) == first


def test_a_past_week_written_late_says_nothing_of_the_days_after_it(service: Service, tmp_path: Path) -> None:
    judge(service, tmp_path, FRIDAY, SATURDAY, SUNDAY)
    write_week(service, WEEK, now=at(MONDAY, "08:30"))
    in_time = texts(service)["01"][0]
    judge(service, tmp_path, MONDAY, extra=400)

    write_week(service, WEEK, now=at(MONDAY + timedelta(days=1), "09:00"))

    late = texts(service)["01"][0]
    assert "11月23日实际" not in late
    assert [line for line in late.splitlines() if "异常自" in line] == [
        line for line in in_time.splitlines() if "异常自" in line
    ]
