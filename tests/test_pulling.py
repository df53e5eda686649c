"""Feeds that are fetched: when, what they brought, and what is said of one that fails."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from department_server import Asked, answer, department
from little_city import CONFIG, EAST, FRIDAY, SATURDAY, WEST, at, lay, set_clock
from typer.testing import CliRunner
from written import blocks

from warning import pulling
from warning.checking import check
from warning.cli import app
from warning.errors import ConfigError, SourceError
from warning.feedset import read_feeds
from warning.health import problems, seen
from warning.jobs import JOBS, Task, take_in_all
from warning.model import FileAccount
from warning.schedule import Daemon
from warning.service import Service, load_deployment, open_service
from warning.store import feed, pull, quarantine, run

TABLE = """
name_zh = "公安警情"
columns = { indicator = "indicator", place = "place", date = "day", value = "n" }
"""
QUERY = "SELECT indicator, place, day, n FROM calls WHERE day BETWEEN :since AND :until ORDER BY day"
SQL = f"""
kind = "sql"
{TABLE}
[sql]
url_env = "KAPOK_POLICE_URL"
query = "{QUERY}"
"""
HTTP = f"""
kind = "http"
{TABLE}
[http]
url = "ADDRESS/daily?since={{since}}&until={{until}}"
token_env = "KAPOK_POLICE_TOKEN"
"""
OTHER = HTTP.replace("公安警情", "消防警情").replace("POLICE", "FIRE")

EVENING = at(FRIDAY, "19:00")
NAMELESS = [{"indicator": "thefts", "place": EAST, "day": str(FRIDAY), "n": 1}]
Cells = list[tuple[str, str, date, float]]


def say(folder: Path, name: str, text: str) -> None:
    (folder / "city" / "feeds").mkdir(exist_ok=True)
    (folder / "city" / "feeds" / f"{name}.toml").write_text(text, encoding="utf-8")


def body(cells: Cells) -> bytes:
    return answer(json.dumps([{"indicator": i, "place": p, "day": str(d), "n": n} for i, p, d, n in cells]))


def thefts(value: float, *, day: date = FRIDAY, place: str = EAST) -> Cells:
    return [("thefts", place, day, value)]


class Police:
    """A department's server that answers what it was told last."""

    def __init__(self) -> None:
        self.says: bytes | None = answer("[]")
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> bytes | None:
        self.asked.append(asked)
        return self.says


@pytest.fixture
def police() -> Police:
    return Police()


@pytest.fixture
def service(tmp_path: Path, police: Police, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("KAPOK_POLICE_TOKEN", "t0ken")
    config = lay(tmp_path, history=False)
    with department(police) as server:
        say(tmp_path, "police", HTTP.replace("ADDRESS", server.address))
        with open_service(config) as service:
            yield service


def feeds_job(service: Service, folder: Path, now: datetime, due: pulling.Due = pulling.always) -> str:
    """Run the job at an instant."""
    set_clock(folder, now)
    return JOBS["feeds"](Task(service, now, now, lambda _: None, due))


def pulled(service: Service, now: datetime = EVENING) -> list[FileAccount]:
    return pulling.pull(service, pulling.fetched(service), now, beat=lambda _: None)


def values(service: Service) -> list[float]:
    """Return every value ever stored, in order of arrival."""
    return [row[0] for row in service.store.rows("SELECT value FROM observation ORDER BY revision")]


def wrong(service: Service) -> list[str]:
    return [text for text in problems(service, seen(service, service.clock())) if "数据来源" in text]


def test_what_a_server_answers_is_stored_with_its_account(service: Service, police: Police) -> None:
    police.says = body([*thefts(12), ("fires", WEST, FRIDAY, 3), ("thefts", "0199", FRIDAY, 1)])

    (account,) = pulled(service)

    assert (account.feed, account.rows, account.accepted, account.quarantined) == ("police", 3, 2, 1)
    (entry,) = quarantine.quarantined(service.store)
    assert (entry.file, entry.row, entry.value) == ("police", 4, "0199")


def test_what_a_database_answers_is_stored_with_its_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "police.db")) as database, database:
        database.execute("CREATE TABLE calls (indicator TEXT, place TEXT, day TEXT, n INTEGER)")
        database.execute("INSERT INTO calls VALUES ('thefts', ?, ?, 12)", (EAST, str(FRIDAY)))
    config = lay(tmp_path, history=False)
    say(tmp_path, "police", SQL)
    (tmp_path / "address").write_text(f"sqlite:///{tmp_path}/police.db\n", encoding="utf-8")
    monkeypatch.setenv("KAPOK_POLICE_URL_FILE", str(tmp_path / "address"))

    with open_service(config) as service:
        (account,) = pulled(service)

    assert (account.error, account.accepted) == (None, 1)


def test_the_same_answer_is_read_once(service: Service, police: Police) -> None:
    police.says = body(thefts(12))
    pulled(service)

    assert pulled(service) == []
    assert len(feed.files(service.store)) == 1


def test_a_value_that_is_corrected_and_corrected_back_ends_as_it_was_sent_last(
    service: Service, police: Police
) -> None:
    for minute, value in enumerate((5, 6, 5)):
        police.says = body(thefts(value))
        pulled(service, at(FRIDAY, "19:00") + timedelta(minutes=minute))

    assert values(service) == [5, 6, 5]


def test_a_row_nobody_can_use_is_open_once_however_often_it_is_answered(service: Service, police: Police) -> None:
    for minute, value in enumerate((5, 6, 7)):
        police.says = body([*thefts(value), ("thefts", "0199", FRIDAY, 1), ("thefts", WEST, FRIDAY, -value)])
        pulled(service, EVENING + timedelta(minutes=minute))

    opened = quarantine.quarantined(service.store)
    everything = quarantine.states(service.store)

    assert sorted(entry.value for entry in opened) == ["-5", "-6", "-7", "0199"]
    assert everything == {"dropped": 2, "open": 4}


def test_the_first_pull_asks_for_the_years_looked_back_at_and_the_next_for_what_may_change(
    service: Service, police: Police
) -> None:
    police.says = body(thefts(12))

    pulled(service)
    pulled(service)

    assert [asked.query for asked in police.asked] == [
        {"since": "2025-11-01", "until": "2026-11-20"},
        {"since": "2026-11-01", "until": "2026-11-20"},
    ]


def test_an_answer_is_read_as_its_mapping_says(service: Service, police: Police, tmp_path: Path) -> None:
    wide = [{"日期": "2026年11月20日", "区": "东区", "盗窃警情数": "1,012", "火警数": "无"}]
    police.says = answer(json.dumps(wide, ensure_ascii=False))
    text = (tmp_path / "city" / "feeds" / "police.toml").read_text(encoding="utf-8")
    columns = 'layout = "indicators"\ncolumns = { place = "区", date = "日期" }\n'
    say(tmp_path, "police", text.replace(TABLE, f'name_zh = "公安警情"\n{columns}'))

    with open_service(tmp_path / "config.toml") as mended:
        (account,) = pulled(mended)

    assert (account.error, account.rows, account.accepted) == (None, 1, 1)
    assert values(service) == [1012]


def test_the_same_answer_is_read_again_by_another_mapping(service: Service, police: Police, tmp_path: Path) -> None:
    police.says = body([("偷盗", EAST, FRIDAY, 12)])
    pulled(service)
    text = (tmp_path / "city" / "feeds" / "police.toml").read_text(encoding="utf-8")
    say(tmp_path, "police", text.replace(TABLE, f'{TABLE}codes.indicator = {{ "偷盗" = "thefts" }}\n'))

    with open_service(tmp_path / "config.toml") as mended:
        (account,) = pulled(mended)

    assert account.accepted == 1


def test_an_answer_that_names_persons_is_refused_whole(service: Service, police: Police) -> None:
    police.says = answer(json.dumps([{**one, "报警人": "某某"} for one in NAMELESS], ensure_ascii=False))

    (account,) = pulled(service)

    assert account.error is not None
    assert "the column '报警人' looks like personal data" in account.error
    assert "某某" not in account.error
    assert feed.files(service.store) == []


def test_a_server_that_has_nothing_yet_is_no_failure(service: Service) -> None:
    assert pulled(service) == []
    assert wrong(service) == []


def test_a_failed_pull_stores_nothing_and_is_a_notice_and_a_line_until_it_succeeds(
    service: Service, police: Police, tmp_path: Path
) -> None:
    police.says = answer("", status=503)
    said = feeds_job(service, tmp_path, at(FRIDAY, "19:00"))
    told = [(notice.about, notice.text) for notice in run.notices(service.store, at(FRIDAY, "00:00"))]
    health = wrong(service)
    police.says = body(thefts(12))
    feeds_job(service, tmp_path, at(FRIDAY, "19:30"))

    [(about, text)] = told
    assert said == "0 file(s), 0 refused; 0 feed(s) brought something new, 1 failed"
    assert about == "police"
    assert text.endswith("/daily answered 503 Service Unavailable")
    assert len(health) == 1
    assert health[0].startswith("数据来源“公安警情”11月20日起连续 1 次未能获取：没有给数据 / 127.0.0.1:")
    assert wrong(service) == []
    assert values(service) == [12]


def test_one_feed_that_fails_costs_no_other(service: Service, police: Police, tmp_path: Path) -> None:
    say(tmp_path, "a-fire", OTHER.replace("ADDRESS", "http://127.0.0.1:1"))  # its token is not set
    police.says = body(thefts(12))

    with open_service(tmp_path / "config.toml") as both:
        first, second = pulled(both)

    assert (first.feed, second.feed, second.accepted) == ("a-fire", "police", 1)
    assert first.error is not None
    assert "KAPOK_FIRE_TOKEN or KAPOK_FIRE_TOKEN_FILE must be set; the feed 'a-fire' needs it" in first.error


def test_a_failed_pull_is_made_again_after_growing_pauses(service: Service, police: Police, tmp_path: Path) -> None:
    police.says = answer("", status=503)
    start = at(FRIDAY, "00:00")

    for minute in range(0, 240, 5):
        feeds_job(service, tmp_path, start + timedelta(minutes=minute))
    tried = pull.last(service.store, "police")

    assert tried is not None
    assert tried.failures == len(police.asked) == 6  # at 0, 5, 20, 80, 140 and 200 minutes
    assert tried.since == start
    assert tried.tried == start + timedelta(minutes=200)


def test_a_feed_with_hours_of_its_own_is_fetched_then_and_made_up_for(tmp_path: Path, police: Police) -> None:
    config = lay(tmp_path, history=False, config=CONFIG)
    with department(police) as server:
        own = HTTP.replace("ADDRESS", server.address).replace('token_env = "KAPOK_POLICE_TOKEN"', "")
        say(tmp_path, "police", f'at = "15 6 * * *"\n{own}')
        set_clock(tmp_path, at(FRIDAY, "19:00"))
        daemon = Daemon(load_deployment(config))
        daemon._begin()
        asked = []
        for hour in ("19:00", "19:30", "23:30"):
            set_clock(tmp_path, at(FRIDAY, hour))
            daemon._catch_up()
            asked.append(len(police.asked))
        for hour in ("06:00", "06:30", "07:00"):
            set_clock(tmp_path, at(SATURDAY, hour))
            daemon._catch_up()
            asked.append(len(police.asked))

    assert asked == [1, 1, 1, 1, 2, 2]


def test_what_is_asked_by_hand_is_asked_at_once(service: Service, police: Police, tmp_path: Path) -> None:
    police.says = body(thefts(12))

    accounts = take_in_all(service, at(FRIDAY, "19:00"), progress=lambda *_: None, beat=lambda _: None)

    assert [account.feed for account in accounts] == ["police"]
    assert feeds_job(service, tmp_path, at(FRIDAY, "19:05"), lambda *_: False).endswith("0 failed")


def test_an_answer_without_the_columns_of_the_mapping_is_refused_whole(service: Service, police: Police) -> None:
    police.says = answer('[{"indicator": "thefts", "area": "0101", "day": "2026-11-20", "n": 3}]')

    (account,) = pulled(service)

    assert account.error is not None
    assert feed.files(service.store) == []


def test_a_job_that_is_stopped_keeps_the_feeds_before(service: Service, police: Police) -> None:
    police.says = body(thefts(12))

    def stop(step: str) -> None:
        raise TimeoutError(step)

    with pytest.raises(TimeoutError, match="feed police"):
        pulling.pull(service, pulling.fetched(service), at(FRIDAY, "19:00"), beat=stop)
    assert police.asked == []


def test_a_feed_can_be_tried_and_nothing_is_kept(service: Service, police: Police) -> None:
    police.says = body([*thefts(12), ("thefts", "0199", FRIDAY, 1)])

    tried = pulling.try_fetched(service, "police")

    assert tried.rows is not None
    assert (len(tried.rows.values), len(tried.rows.quarantined)) == (1, 1)
    assert police.asked[0].query == {"since": "2026-10-01", "until": "2026-11-20"}
    assert feed.files(service.store) == []
    assert pull.last(service.store, "police") is None


def test_the_command_line_lists_what_a_feed_would_bring(service: Service, police: Police, tmp_path: Path) -> None:
    police.says = body([*thefts(12), ("thefts", "0199", FRIDAY, 1)])

    result = CliRunner().invoke(app, ["feed", "try", "--feed", "police", "--config", str(tmp_path / "config.toml")])

    assert result.exit_code == 0, result.output
    assert "2 row(s): 1 usable" in result.output
    assert "0199" in result.output
    assert feed.files(service.store) == []


def test_a_feed_that_has_nothing_to_try_says_of_which_days(service: Service) -> None:
    with pytest.raises(SourceError, match=r"police: .*answers nothing of 2026-10-01 to 2026-11-20"):
        pulling.try_fetched(service, "police")


@pytest.mark.parametrize("name", [None, "polce"])
def test_only_what_is_fetched_is_tried_without_a_file(service: Service, name: str | None) -> None:
    with pytest.raises(ConfigError, match="with --feed a feed that is fetched; known: police"):
        pulling.try_fetched(service, name)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("15 6 * * 1", "gives a weekday by number"),
        ("99 6 * * *", "is not a cron expression"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_hours_that_mean_nothing_are_a_fault_of_the_feeds_file(tmp_path: Path, expression: str, said: str) -> None:
    config = lay(tmp_path, history=False)
    say(tmp_path, "police", f'at = "{expression}"\n{SQL}')

    with pytest.raises(ConfigError) as error:
        check(config)

    assert str(error.value).startswith(f"{tmp_path}/city/feeds/police.toml: 1 problem(s)\n  at: '{expression}' {said}")


@pytest.mark.parametrize("page", ["docs/guide.zh.md", "docs/guide.en.md"])
def test_the_feeds_of_a_guide_are_feeds(page: str, tmp_path: Path) -> None:
    examples = [block for block in blocks(page, "toml") if block.startswith("# city/feeds/")]
    for block in examples:
        (tmp_path / block.splitlines()[0].rpartition("/")[2]).write_text(block, encoding="utf-8")

    feeds, errors = read_feeds(tmp_path, None)

    assert errors == []
    assert {feed.kind for feed in feeds.values()} == {"sql", "http", "push"}
