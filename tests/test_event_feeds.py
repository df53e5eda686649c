"""Events by every kind of feed there is, and what becomes of them: judged days, corrections, what is tried first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from department_server import Asked, answer, department
from event_city import EAST, HEADER, STREETS, TOWN, WEST, lay, set_clock, table, values
from little_city import FRIDAY, SATURDAY, at
from typer.testing import CliRunner

from warning import pipeline, pulling
from warning.checking import check
from warning.cli import app
from warning.errors import ConfigError
from warning.jobs import take_in
from warning.model import Level, SeriesKey, Transition
from warning.scoring import values as rolled_up
from warning.service import Service, load_deployment, open_service, opened
from warning.store import alert as alerts_of
from warning.store import feed, quarantine, tally
from warning.web.server import Server

EVENTS = """
[events]
delivery = "days"
grid = "grid"
time = "at"
category = "category"
result = "result"
{more}
[[events.counts]]
indicator = "thefts"
categories = ["盗窃", "入室*"]
[[events.ratios]]
indicator = "closed"
categories = "*"
results = "按期"
of = "超期"
"""
SQL = """
name_zh = "网格事件"
kind = "sql"
[sql]
url_env = "KAPOK_GRID_URL"
query = "SELECT grid, at, category, result FROM events WHERE at >= :since AND at < date(:until, '+1 day')"
"""
HTTP = """
name_zh = "网格事件"
kind = "http"
[http]
url = "{address}/events?since={{since}}&until={{until}}"
"""
PUSH = """
name_zh = "网格事件"
kind = "push"
[push]
token_env = "KAPOK_GRID_TOKEN"
"""
FILE = """
name_zh = "网格事件"
files = ["网格*"]
"""
INCREMENTS = EVENTS.replace('"days"', '"increments"').format(more="since = 2026-11-16")
TOKEN = "t0ken-of-the-grid-centre"  # noqa: S105 - of a service that lives as long as the tests
Events = list[tuple[str, str, str, str]]
SOME: Events = [
    ("010101-1", "2026-11-19 09:00:00", "盗窃", "按期"),
    ("010101-1", "2026-11-20 09:00:00", "盗窃", ""),
    ("010201-3", "2026-11-20 10:00:00", "入室盗窃", "超期"),
]


def say(folder: Path, text: str, events: str | None = None) -> None:
    (folder / "city" / "feeds").mkdir(exist_ok=True)
    said = text + (EVENTS.format(more="") if events is None else events)
    (folder / "city" / "feeds" / "grid.toml").write_text(said, encoding="utf-8")


def records(events: Events) -> list[dict[str, str]]:
    return [dict(zip(("grid", "at", "category", "result"), event, strict=True)) for event in events]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lay(tmp_path)
    path = tmp_path / "grid.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE events (grid TEXT, at TEXT, category TEXT, result TEXT)")
    monkeypatch.setenv("KAPOK_GRID_URL", f"sqlite:///{path}")
    insert(path, SOME)
    return path


def insert(database: Path, events: Events) -> None:
    with closing(sqlite3.connect(database)) as found, found:
        found.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", events)


def pulled(folder: Path, day: date, clock: str) -> list[tuple[int, int, int, int]]:
    set_clock(folder, at(day, clock))
    with open_service(folder / "config.toml") as service:
        accounts = pulling.pull(service, pulling.fetched(service), service.clock(), beat=lambda _: None)
    assert [account.error for account in accounts if account.error] == []
    return [(one.rows, one.accepted, one.unchanged, one.quarantined) for one in accounts]


def known(folder: Path, day: str, places: tuple[str, ...] = STREETS) -> list[list[float]]:
    with open_service(folder / "config.toml") as service:
        return values(service, "thefts", day, places)


def test_events_of_a_database_are_counted_and_a_day_once_it_is_over(database: Path, tmp_path: Path) -> None:
    say(tmp_path, SQL)

    first = pulled(tmp_path, FRIDAY, "19:00")
    same = pulled(tmp_path, FRIDAY, "19:05")
    partial = known(tmp_path, "20")
    over = pulled(tmp_path, SATURDAY, "00:05")

    assert (first, same, over) == ([(3, 3, 0, 0)], [], [(3, 0, 3, 0)])
    assert known(tmp_path, "19") == [[1], [0], [0]]
    assert partial == [[], [], []]
    assert known(tmp_path, "20") == [[1], [0], [1]]


def test_what_is_asked_for_is_whole_from_the_first_event_on_with_or_without_events(
    database: Path, tmp_path: Path
) -> None:
    say(tmp_path, SQL, EVENTS.format(more='days = "asked"'))

    pulled(tmp_path, FRIDAY + timedelta(days=3), "08:00")

    assert [known(tmp_path, day) for day in ("18", "21", "22", "23")] == [
        [[], [], []],  # before there was anything to ask for
        [[0], [0], [0]],
        [[0], [0], [0]],
        [[], [], []],  # not over
    ]


def test_days_that_are_asked_for_and_have_no_event_are_zero_also_where_none_comes_at_all(
    database: Path, tmp_path: Path
) -> None:
    say(tmp_path, SQL, EVENTS.format(more='days = "asked"'))
    pulled(tmp_path, SATURDAY, "08:00")

    accounts = pulled(tmp_path, date(2026, 12, 10), "08:00")

    assert accounts == [(3, 0, 3, 0), (0, 0, 0, 0)]
    assert [known(tmp_path, day) for day in ("20", "29", "2026-12-09", "2026-12-10")] == [
        *([[1], [0], [1]], [[0], [0], [0]], [[0], [0], [0]], [[], [], []]),
    ]


def test_a_day_that_comes_late_to_the_database_is_whole_when_it_is_due(database: Path, tmp_path: Path) -> None:
    say(tmp_path, f'due = "06:00"\n{SQL}')

    pulled(tmp_path, SATURDAY, "00:05")
    before = known(tmp_path, "20")
    insert(database, [("010102-1", "2026-11-20 23:50:00", "盗窃", "")])
    pulled(tmp_path, SATURDAY, "06:00")

    assert before == [[], [], []]
    assert known(tmp_path, "20") == [[1], [1], [1]]


def test_a_result_that_is_another_by_now_corrects_the_day(database: Path, tmp_path: Path) -> None:
    say(tmp_path, SQL)
    pulled(tmp_path, SATURDAY, "08:00")
    with closing(sqlite3.connect(database)) as found, found:
        found.execute("UPDATE events SET result = '按期' WHERE result = ''")

    (account,) = pulled(tmp_path, SATURDAY, "09:00")

    assert account == (3, 1, 2, 0)
    with open_service(tmp_path / "config.toml") as service:
        assert values(service, "closed", "20", (*STREETS, TOWN)) == [[100], [], [0], [0, 50]]
        assert values(service, "thefts", "20") == [[1], [0], [1]]


def test_events_are_asked_for_as_many_days_back_as_are_judged_again(database: Path, tmp_path: Path) -> None:
    say(tmp_path, SQL)

    with open_service(tmp_path / "config.toml") as service:
        (mapping,) = pulling.fetched(service)
        first = pulling.wanted(service, mapping, at(SATURDAY, "08:00"))
        pulling.pull(service, [mapping], at(SATURDAY, "08:00"), beat=lambda _: None)
        then = pulling.wanted(service, mapping, at(SATURDAY, "09:00"))

    assert first == (date(2025, 11, 1), SATURDAY)
    assert then == (date(2026, 11, 6), SATURDAY)  # 14 days before the last that had events


def test_years_of_events_are_asked_for_month_by_month_and_what_came_before_a_failure_stays(
    tmp_path: Path,
) -> None:
    lay(tmp_path)
    asked = []

    def says(request: Asked) -> bytes:
        since, until = request.query["since"], request.query["until"]
        asked.append((date.fromisoformat(since), date.fromisoformat(until)))
        if len(asked) == 3:
            return answer("", status=503)
        return answer(json.dumps(records([(f"010101-{len(asked)}", f"{since} 10:00", "盗窃", "")])))

    with department(says) as server:
        say(tmp_path, HTTP.format(address=server.address))
        set_clock(tmp_path, at(SATURDAY, "08:00"))
        with open_service(tmp_path / "config.toml") as service:
            (mapping,) = pulling.fetched(service)
            first = pulling.pull(service, [mapping], service.clock(), beat=lambda _: None)
            again = pulling.pull(service, [mapping], service.clock(), beat=lambda _: None)
            kept = len(tally.days(service.store, 1))

    assert [account.error is None for account in first] == [True, True, False]
    assert all(account.error is None for account in again)
    assert asked[0] == (date(2025, 11, 1), date(2025, 12, 1))
    assert asked[1] == (date(2025, 12, 2), date(2026, 1, 1))
    assert asked[3][0] == date(2025, 12, 2) - timedelta(days=14)  # from the last day that had events
    assert all((until - since).days < 31 for since, until in asked)
    assert asked[-1][1] == SATURDAY
    assert kept == 2 + len(again)


def test_a_column_too_many_in_a_database_stops_its_feed(database: Path, tmp_path: Path) -> None:
    say(tmp_path, SQL.replace("result FROM", "result, 7 AS officer FROM"))
    set_clock(tmp_path, at(SATURDAY, "08:00"))

    with open_service(tmp_path / "config.toml") as service:
        (account,) = pulling.pull(service, pulling.fetched(service), service.clock(), beat=lambda _: None)
        assert feed.files(service.store) == []

    assert account.error is not None
    assert account.error.startswith("grid: 列“officer”可能载有个人信息")


def test_events_of_a_server_are_counted(tmp_path: Path) -> None:
    lay(tmp_path)
    with department(lambda asked: answer(json.dumps(records(SOME)))) as server:
        say(tmp_path, HTTP.format(address=server.address).partition("?")[0] + '"\n')

        (account,) = pulled(tmp_path, SATURDAY, "08:00")

    assert account == (3, 3, 0, 0)
    assert known(tmp_path, "20") == [[1], [0], [1]]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    config = lay(tmp_path)
    say(tmp_path, PUSH, INCREMENTS)
    monkeypatch.setenv("KAPOK_GRID_TOKEN", TOKEN)
    server = Server(load_deployment(config))
    with httpx.Client(base_url=server.start(), trust_env=False) as client:
        yield client
    server.stop()


def push(desk: httpx.Client, folder: Path, events: Any, clock: str, *, day: date = FRIDAY) -> httpx.Response:
    set_clock(folder, at(day, clock))
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"{day}/{clock}"}
    return desk.post("/api/feeds/grid", json=events, headers=headers)


def test_pushed_increments_add_up_and_an_empty_one_says_that_nothing_is_missing(
    desk: httpx.Client, tmp_path: Path
) -> None:
    answers = [
        push(desk, tmp_path, records(SOME[:2]), "19:00"),
        push(desk, tmp_path, records(SOME[2:]), "19:05"),
        push(desk, tmp_path, [], "19:10"),
        push(desk, tmp_path, [], "00:00", day=SATURDAY),
    ]

    assert [(one.status_code, one.json()["rows"], one.json()["accepted"]) for one in answers] == [
        *((200, 2, 2), (200, 1, 1), (200, 0, 0), (200, 0, 0))
    ]
    assert known(tmp_path, "19") == [[1], [0], [0]]
    assert known(tmp_path, "20") == [[1], [0], [1]]
    with opened(load_deployment(tmp_path / "config.toml")) as service:
        assert [one.rows for one in feed.files(service.store)] == [
            0,
            1,
            2,
        ]  # the one that made a day whole has its account


def test_the_same_increment_under_another_key_is_counted_once(desk: httpx.Client, tmp_path: Path) -> None:
    push(desk, tmp_path, records(SOME), "19:00")

    again = push(desk, tmp_path, records(SOME), "19:05").json()
    push(desk, tmp_path, [], "00:00", day=SATURDAY)

    assert [again[name] for name in ("rows", "accepted", "unchanged", "quarantined")] == [3, 0, 3, 0]
    assert again["notes"][0].startswith("与此前收到的完全相同，未再计")
    assert known(tmp_path, "20") == [[1], [0], [1]]


def test_bad_rows_of_increments_that_are_alike_are_several_events(desk: httpx.Client, tmp_path: Path) -> None:
    bad = [("Q-7", "2026-11-20 09:00:00", "盗窃", "")]
    push(desk, tmp_path, records([*SOME, *bad]), "19:00")
    push(desk, tmp_path, records(bad), "19:05")

    with opened(load_deployment(tmp_path / "config.toml")) as service:
        assert quarantine.states(service.store) == {"open": 2}


def test_a_push_that_tells_more_of_an_event_is_refused_and_nothing_of_it_is_kept(
    desk: httpx.Client, tmp_path: Path
) -> None:
    told = push(desk, tmp_path, [{**one, "reporter": "某某"} for one in records(SOME)], "19:00")

    assert told.status_code == 422
    assert "列“reporter”可能载有个人信息" in told.json()["error"]
    assert "某某" not in told.text
    with opened(load_deployment(tmp_path / "config.toml")) as service:
        assert feed.files(service.store) == []


def past(days: int) -> list[str]:
    """Some six thefts a day in each street, as chance makes them, up to Thursday."""
    chance, rows = np.random.default_rng(7), []
    for n in range(days, 0, -1):
        day = FRIDAY - timedelta(days=n)
        rows += [f"{street}-1 {day} 盗窃 x{1 + chance.poisson(6)}" for street in STREETS]
    return rows


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Service]:
    """The town on Saturday morning, Friday judged and calm."""
    lay(tmp_path)
    said = EVENTS.format(more="").replace('"grid"', '"网格"').replace('"at"', '"时间"')
    say(tmp_path, FILE, said.replace('"category"', '"类别"').replace('"result"', '"结果"'))
    with open_service(tmp_path / "config.toml") as service:
        deliver(service, "网格以前.csv", past(70), "07:00")
        deliver(service, "网格1.csv", FRIDAYS, "07:20")
        pipeline.sweep(service, FRIDAY, now=at(SATURDAY, "07:30"))
        yield service


FRIDAYS = [f"{street}-1 20 盗窃 x7" for street in STREETS]


def deliver(service: Service, name: str, rows: list[str], clock: str) -> None:
    (service.config.path("feeds") / name).write_text(table(*rows), encoding="utf-8")
    (account,) = take_in(service, at(SATURDAY, clock))
    assert account.error is None


def test_a_district_is_judged_by_the_events_of_its_streets(judged: Service) -> None:
    dates = np.array([FRIDAY], dtype="datetime64[D]")

    found = rolled_up(
        judged, [SeriesKey("thefts", code) for code in (EAST, WEST, TOWN)], dates, known_at=at(SATURDAY, "08:00")
    )

    assert found.tolist() == [[14, 7, 21]]
    assert alerts_of.alerts(judged.store) == []


def test_events_that_come_late_are_a_correction_of_the_judged_day(judged: Service) -> None:
    deliver(judged, "网格2.csv", [*FRIDAYS, "010102-5 20 盗窃 x40"], "09:00")

    pipeline.sweep(judged, FRIDAY, now=at(SATURDAY, "09:30"))

    (alert,) = alerts_of.alerts(judged.store)
    events = alerts_of.events(judged.store, alert.number)
    (note,) = {event.note for event in events if event.transition is Transition.CORRECTED}
    assert (alert.key, alert.active) == (SeriesKey("thefts", EAST), Level.RED)
    assert "14" in note
    assert "54" in note


def test_a_file_of_events_can_be_tried_and_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = lay(tmp_path)
    said = EVENTS.format(more="").replace('"grid"', '"网格"').replace('"at"', '"时间"')
    say(tmp_path, FILE, said.replace('"category"', '"类别"').replace('"result"', '"结果"'))
    rows = ("010101-1 19 盗窃 按期 x6", "010201-1 19 火灾 超期 x2", "990101-1 20 盗窃", "010101-1 20 盗窃")
    (tmp_path / "网格.csv").write_text(table(*rows), encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")

    result = CliRunner().invoke(app, ["feed", "try", str(tmp_path / "网格.csv"), "--config", str(config)])

    assert result.exit_code == 0, result.output
    # Thefts 6, 0, 0; closed in time 100, –, 0 in the streets, 100 and 0 in the districts, 75 in the town.
    assert "共 10 行：计入 9，重复 0，隔离 1；整天 1 天，得出 8 个值，其中 4 个为 0" in result.output
    assert "没有对应指标的类别 1 种、2 件：火灾 2" in result.output
    assert "990101-1" in result.output
    assert not (tmp_path / "kapok.db").exists()


def test_a_feed_of_events_that_is_fetched_can_be_tried(database: Path, tmp_path: Path) -> None:
    say(tmp_path, SQL)
    set_clock(tmp_path, at(SATURDAY, "08:00"))

    result = CliRunner().invoke(app, ["feed", "try", "--feed", "grid", "--config", str(tmp_path / "config.toml")])

    assert result.exit_code == 0, result.output
    assert "3 row(s): 3 counted, 0 repeated, 0 to quarantine; 2 whole day(s)" in " ".join(result.output.split())


def test_the_events_of_a_feed_are_listed_with_what_they_are_counted_for(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(tmp_path, SQL)
    monkeypatch.setenv("COLUMNS", "200")

    def listed(*words: str) -> tuple[int, str]:
        config = ["--config", str(tmp_path / "config.toml")]
        result = CliRunner().invoke(app, ["feed", "events", *words, *config])
        return result.exit_code, result.output + str(result.exception or "")

    pulled(tmp_path, SATURDAY, "08:00")
    _, before = listed("grid", "--days", "1")
    insert(database, [("010102-1", "2026-11-22 10:00:00", "噪声", "")])
    pulled(tmp_path, SATURDAY + timedelta(days=2), "08:00")
    code, after = listed("grid")

    assert "2026-11-20 至 2026-11-20：整天 1 天" in before
    assert code == 0
    assert [line.split() for line in after.splitlines() if "盗窃" in line or "噪声" in line][:2] == [
        *(["入室盗窃", "超期", "1", "盗窃警情数、按期办结率"], ["噪声", "未填", "none", "1", "无", "nothing"]),
    ]
    assert "2026-11-19 至 2026-11-22：整天 3 天" in after
    assert "未报完 1 天 / 1 day(s) not whole: 2026-11-21" in after
    assert "是网格事件的映射；有 grid" in listed("gird")[1]


def test_the_faults_of_a_mapping_of_events_are_told_by_check(tmp_path: Path) -> None:
    config = lay(tmp_path)
    say(tmp_path, FILE, EVENTS.format(more='tier = "grid"').replace('"thefts"', '"theft"'))

    with pytest.raises(ConfigError) as error:
        check(config)

    assert "'theft' is unknown; did you mean 'thefts'?" in str(error.value)
    assert "events.tier: 'grid' is not a tier of city.toml; known: city, district, street" in str(error.value)


def test_an_import_says_what_must_be_known_of_the_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = lay(tmp_path)
    say(tmp_path, FILE, EVENTS.format(more="").replace('"grid"', '"网格"').replace('"at"', '"时间"'))
    text = (tmp_path / "city" / "feeds" / "grid.toml").read_text(encoding="utf-8")
    text = text.replace('"category"', '"类别"').replace('"result"', '"结果"')
    (tmp_path / "city" / "feeds" / "grid.toml").write_text(text, encoding="utf-8")
    (tmp_path / "feeds" / "网格.csv").write_text(f"{HEADER}\n010101-1,2026-11-19,噪声,\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "200")

    result = CliRunner().invoke(app, ["import", "--config", str(config)])

    assert result.exit_code == 0, result.output
    assert "网格.csv：没有对应指标的类别 1 种、1 件：噪声 1" in result.output
    with open_service(config) as service:
        assert quarantine.states(service.store) == {}
