"""What must be seen to: nothing is called well that is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, SATURDAY, SUNDAY, at, deliver, lay, set_clock, usual, without

from warning.health import problems, seen
from warning.jobs import JOBS, Task
from warning.service import Service, open_service
from warning.store import run

MORNING = "07:30"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path)) as service:
        yield service


def judge(service: Service, folder: Path) -> None:
    """Let Saturday's morning sweep pass."""
    now = at(SATURDAY, MORNING)
    set_clock(folder, now)
    JOBS["sweep"](Task(service, now, now, lambda _: None))


def wrong(service: Service) -> list[str]:
    now = service.clock()
    return problems(service, seen(service, now))


def test_a_service_that_judged_nothing_yet_does_not_say_that_all_is_well(service: Service) -> None:
    assert wrong(service) == ["尚未研判过任何一天：数据送到后，由研判任务或 kapok sweep 完成"]


def test_a_day_that_was_judged_from_all_that_is_due_leaves_nothing_to_see_to(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", usual(FRIDAY))

    judge(service, tmp_path)

    assert wrong(service) == []


def test_a_file_nobody_can_read_is_named_until_it_is_mended(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", usual(FRIDAY))
    deliver(tmp_path, "fires.csv", usual(FRIDAY), extra="备注,,,\n", encoding="gbk")
    judge(service, tmp_path)

    before = wrong(service)
    (tmp_path / "feeds" / "fires.csv").unlink()
    judge(service, tmp_path)

    assert [text.partition("：")[0] for text in before] == ["文件 fires.csv 无法读入"]
    assert wrong(service) == []


def test_files_that_cannot_be_read_for_one_reason_share_a_line(service: Service, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip", "c.zip", "d.zip"):
        (tmp_path / "feeds" / name).write_bytes(b"PK")
    (tmp_path / "feeds" / "z.csv").write_bytes(b"\xff\xff")
    judge(service, tmp_path)

    found = [text for text in wrong(service) if text.startswith("文件 ")]

    assert [text.partition("：")[0] for text in found] == [
        "文件 a.zip、b.zip、c.zip 等 4 个无法读入",
        "文件 z.csv 无法读入",
    ]


def test_a_day_that_did_not_arrive_is_named_with_its_place(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", [cell for cell in usual(FRIDAY) if cell[1] != EAST])

    judge(service, tmp_path)

    assert wrong(service) == ["东区数据不足：应研判的 4 个序列中有 3 个缺报或无法研判，“正常”不可采信"]


def test_one_silent_series_of_many_is_no_alarm(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", without(usual(FRIDAY), "quarrels", EAST))

    judge(service, tmp_path)

    assert wrong(service) == []


def test_rows_in_quarantine_are_spoken_of_for_a_week(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", usual(FRIDAY), extra=f"thefts,{EAST},{FRIDAY},many\n")
    judge(service, tmp_path)

    found = seen(service, service.clock() + timedelta(days=7, seconds=1))

    assert wrong(service) == ["近 7 天有 1 行数据被隔离、未被采用（friday.csv）"]
    assert found.quarantined == []


def test_a_rule_that_failed_in_the_last_day_is_named(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", usual(FRIDAY))
    judge(service, tmp_path)
    with service.store.write():
        run.notice(service.store, service.clock(), "ss_po.surge", "ears: needs 8 dates")

    assert wrong(service) == ["ss_po.surge：ears: needs 8 dates"]


def test_a_service_that_stopped_judging_says_where(service: Service, tmp_path: Path) -> None:
    deliver(tmp_path, "friday.csv", usual(FRIDAY))
    judge(service, tmp_path)
    set_clock(tmp_path, at(SUNDAY + timedelta(days=1), "12:00"))

    assert wrong(service) == ["最近一次研判的是11月20日的数据，应已研判到11月22日"]
