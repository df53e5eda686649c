"""Rows put aside, and how they are settled: by a later file, by a correction, by a reason why not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, SATURDAY, WEST, at, deliver, lay, set_clock, usual
from sqlite_utils import Database
from typer.testing import CliRunner

from warning import health, mending
from warning.cli import app
from warning.errors import ConfigError, KapokError
from warning.jobs import take_in
from warning.model import FileAccount, QuarantineEntry, Rows, SeriesKey
from warning.service import Service, open_service
from warning.store import feed, observation, open_store, quarantine, schema

THURSDAY = FRIDAY - timedelta(days=1)
MORNING = at(SATURDAY, "07:30")
THEFTS = SeriesKey("thefts", EAST)
MANY = f"thefts,{EAST},{FRIDAY},many\n"  # a value nobody can read
MISSPELT = f"theft,{EAST},{FRIDAY},12\n"
RAGGED = f"thefts,{EAST},{FRIDAY}\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path, history=False)) as service:
        yield service


def bring(service: Service, name: str, extra: str) -> FileAccount:
    """Read a file of the rows in ``extra`` alone."""
    assert service.config.file.parent
    deliver(service.config.base, name, [], extra=extra)
    (account,) = take_in(service, MORNING)
    return account


def mend(service: Service, id: str, **said: str) -> FileAccount:
    """Correct a row an hour after the files were read."""
    return mending.fix(
        service.store,
        service.city,
        id,
        said,
        now=MORNING + timedelta(hours=1),
        late_after=service.config.feeds.late_after.model_dump(),
        zone=service.config.zone,
    )


def value(service: Service, key: SeriesKey = THEFTS) -> list[float]:
    return [revision.value for revision in observation.revisions(service.store, key, FRIDAY)]


def named(service: Service) -> list[str]:
    """The files health speaks of."""
    return [name for name, _ in health.seen(service, MORNING).quarantined]


def types(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--config", str(folder / "config.toml")])
    if isinstance(result.exception, KapokError):
        return 2, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_corrected_row_is_accepted_and_known_from_then_on(service: Service) -> None:
    bring(service, "friday.csv", MANY)

    account = mend(service, "1-2", value="31")

    assert (account.rows, account.accepted, account.quarantined, account.feed) == (1, 1, 0, "by hand")
    assert account.name == "friday.csv 第2行更正"
    (revision,) = observation.revisions(service.store, THEFTS, FRIDAY)
    assert (revision.value, revision.received) == (31.0, MORNING + timedelta(hours=1))
    assert named(service) == []


def test_the_account_of_a_file_stays_what_it_was_when_its_rows_are_settled(service: Service) -> None:
    before = bring(service, "friday.csv", MANY + MISSPELT)

    mend(service, "1-2", value="31")
    mending.drop(service.store, ["1-3"], "重复", now=MORNING)

    by_hand, friday = feed.files(service.store)
    assert friday == before
    assert (friday.rows, friday.quarantined, by_hand.rows) == (2, 2, 1)


def test_health_names_a_file_until_all_its_rows_are_settled(service: Service) -> None:
    bring(service, "friday.csv", MANY + MISSPELT)

    mend(service, "1-3", indicator="fires")
    one_left = named(service)
    mending.drop(service.store, ["1-2"], "无从核实", now=MORNING)

    assert one_left == ["friday.csv"]
    assert named(service) == []
    assert quarantine.states(service.store) == {"dropped": 1, "fixed": 1}


def test_a_row_is_settled_when_its_value_is_delivered_again(service: Service) -> None:
    bring(service, "friday.csv", MANY)

    bring(service, "friday again.csv", f"thefts,{EAST},{FRIDAY},12\n")

    assert quarantine.states(service.store) == {"delivered": 1}
    assert named(service) == []


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(f"thefts,{WEST},{FRIDAY},12\n", id="another-place"),
        pytest.param(f"fires,{EAST},{FRIDAY},12\n", id="another-indicator"),
        pytest.param(f"thefts,{EAST},{THURSDAY},12\n", id="another-date"),
        pytest.param(f"thefts,{EAST},{FRIDAY},more\n", id="unusable-once-more"),
    ],
)
def test_a_row_stays_open_when_something_else_is_delivered(service: Service, again: str) -> None:
    bring(service, "friday.csv", MANY)

    bring(service, "again.csv", again)

    assert quarantine.entry(service.store, "1-2")[0].state == "open"  # type: ignore[index]
    assert "friday.csv" in named(service)


def test_a_value_that_was_known_before_does_not_settle_a_later_row(service: Service) -> None:
    bring(service, "a.csv", f"thefts,{EAST},{FRIDAY},12\n")

    bring(service, "b.csv", MANY)

    assert named(service) == ["b.csv"]


def test_a_correction_that_says_what_is_known_settles_the_row_and_changes_nothing(service: Service) -> None:
    bring(service, "a.csv", f"thefts,{EAST},{FRIDAY},12\n")
    bring(service, "b.csv", MANY)

    account = mend(service, "2-2", value="12")

    assert (account.accepted, account.unchanged) == (0, 1)
    assert value(service) == [12.0]
    assert named(service) == []


@pytest.mark.parametrize(
    ("extra", "said", "complaint"),
    [
        pytest.param(MANY, {"value": "-1"}, "value='-1'：计数不能为负", id="still-wrong"),
        pytest.param(
            MISSPELT, {"value": "12"}, "没有代码为“theft”的指标；是否应为“thefts”？", id="another-cell-is-wrong"
        ),
        pytest.param(RAGGED, {"value": "12"}, "say --indicator --place --date", id="cells-are-not-known"),
    ],
)
def test_a_correction_that_does_not_help_changes_nothing(
    service: Service, extra: str, said: dict[str, str], complaint: str
) -> None:
    bring(service, "friday.csv", extra)

    with pytest.raises(ConfigError) as raised:
        mend(service, "1-2", **said)

    assert complaint in str(raised.value)
    assert named(service) == ["friday.csv"]
    assert (len(feed.files(service.store)), value(service)) == (1, [])


def test_a_row_without_cells_is_corrected_by_saying_all_of_them(service: Service) -> None:
    bring(service, "friday.csv", RAGGED)

    mend(service, "1-2", indicator="thefts", place=EAST, date=str(FRIDAY), value="12")

    assert value(service) == [12.0]


@pytest.mark.parametrize("id", ["1-3", "9-2", "1", "-", "1-²", "12-" + "9" * 40, "x-y"])
def test_a_row_that_is_not_there_is_a_sentence(service: Service, id: str) -> None:
    bring(service, "friday.csv", MANY)

    with pytest.raises(ConfigError, match="there is no such row"):
        mend(service, id, value="1")


def test_a_row_is_settled_once(service: Service) -> None:
    bring(service, "friday.csv", MANY)
    mend(service, "1-2", value="31")

    with pytest.raises(ConfigError, match="settled already: fixed"):
        mending.drop(service.store, ["1-2"], "重复", now=MORNING)

    assert quarantine.states(service.store) == {"fixed": 1}


def test_of_several_rows_all_are_dropped_or_none(service: Service) -> None:
    bring(service, "friday.csv", MANY + MISSPELT)

    with pytest.raises(ConfigError, match="1-9"):
        mending.drop(service.store, ["1-2", "1-9"], "重复", now=MORNING)

    assert quarantine.states(service.store) == {"open": 2}


def test_nothing_is_dropped_without_a_reason(service: Service) -> None:
    bring(service, "friday.csv", MANY)

    with pytest.raises(ConfigError, match="须写明原因"):
        mending.drop(service.store, ["1-2"], " ", now=MORNING)


rows = st.sampled_from([MANY, MISSPELT, RAGGED, f"thefts,{EAST},{FRIDAY},7\n", f"fires,{EAST},{FRIDAY},7\n", MANY * 2])
acts = st.lists(
    st.one_of(
        st.tuples(st.just("bring"), rows),
        st.tuples(st.just("fix"), st.integers(0, 9)),
        st.tuples(st.just("drop"), st.integers(0, 9)),
    ),
    max_size=8,
)


@given(acts)
def test_every_row_put_aside_is_open_delivered_fixed_or_dropped(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str | int]]
) -> None:
    with open_service(lay(tmp_path_factory.mktemp("centre"), history=False)) as service:
        for number, (act, what) in enumerate(acts):
            if isinstance(what, str):
                bring(service, f"{number:02}.csv", what + f"fires,{WEST},{THURSDAY},{number}\n")
                continue
            ids = [kept.id for kept in quarantine.entries(service.store)]
            if what < len(ids) and act == "drop":
                mending.drop(service.store, [ids[what]], "试", now=MORNING)
            elif what < len(ids):
                mend(service, ids[what], indicator="thefts", place=EAST, date=str(FRIDAY), value="31")

        files, states = feed.files(service.store), quarantine.states(service.store)
        assert all(file.rows == file.accepted + file.unchanged + file.quarantined for file in files)
        assert sum(states.values()) == sum(file.quarantined for file in files)
        assert states.get("fixed", 0) == sum(file.feed == "by hand" for file in files)
        (stored,) = service.store.rows("SELECT count(*) FROM observation")[0]
        assert stored == sum(file.accepted for file in files)


def test_at_the_command_line_rows_are_listed_with_ids_fixed_and_dropped(tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    deliver(tmp_path, "friday.csv", usual(FRIDAY)[2:4], extra=MANY + MISSPELT + RAGGED)
    set_clock(tmp_path, MORNING)
    types(tmp_path, "import")

    listed = types(tmp_path, "quarantine")
    assert types(tmp_path, "quarantine", "list", "--file", "friday.csv") == types(
        tmp_path, "quarantine", "--file", "friday.csv"
    )
    fixed = types(tmp_path, "quarantine", "fix", "1-4", "--value", "31")
    status = types(tmp_path, "status")[1]
    dropped = types(tmp_path, "quarantine", "drop", "--file", "friday.csv", "--reason", "部门另行报送")
    rest = types(tmp_path, "quarantine")
    every = types(tmp_path, "quarantine", "--all")[1]

    assert listed[0] == fixed[0] == dropped[0] == rest[0] == 0
    assert "1-4" in listed[1]
    assert "friday.csv 第4行更正" in fixed[1]
    assert "friday.csv：隔离 3 行 / 3 row(s) quarantined，未处理 2 行 / 2 of them open" in status
    assert "剔除 2 行" in dropped[1]
    assert "隔离的行 Quarantine: 无 none" in rest[1]
    assert every.count("已剔除") == 2
    assert every.count("已更正") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(("fix", "1-2"), "须写明更正什么", id="fix-what"),
        pytest.param(("drop", "--reason", "重复"), "二者取一", id="drop-which"),
        pytest.param(("drop", "1-2", "--file", "friday.csv", "--reason", "重复"), "二者取一", id="drop-which-of-both"),
        pytest.param(("drop", "--file", "freitag.csv", "--reason", "重复"), "friday.csv", id="drop-of-no-file"),
        pytest.param(("drop", "1-2"), "须写明原因", id="drop-why"),
    ],
)
def test_what_is_lacking_at_the_command_line_is_said(tmp_path: Path, words: tuple[str, ...], complaint: str) -> None:
    lay(tmp_path, history=False)
    deliver(tmp_path, "friday.csv", [], extra=MANY)
    set_clock(tmp_path, MORNING)
    types(tmp_path, "import")

    code, said = types(tmp_path, "quarantine", *words)

    assert code == 2
    assert complaint in said


def test_without_a_database_mending_makes_none(tmp_path: Path) -> None:
    lay(tmp_path)

    code, said = types(tmp_path, "quarantine", "fix", "1-2", "--value", "31")

    assert (code, "还没有数据库" in said, (tmp_path / "kapok.db").exists()) == (2, True, False)


def test_several_cells_of_one_row_are_put_aside_and_settled_each_for_itself(service: Service) -> None:
    cells = ("thefts", EAST, str(FRIDAY), "many", "")
    entry = QuarantineEntry("wide.csv", 2, "thefts", "many", "不是数字", cells)
    nothing = np.array([], dtype=np.int64)
    rows = Rows(
        name="wide.csv",
        sha256="wide",
        keys=(),
        series=nothing,
        dates=nothing.astype("datetime64[D]"),
        values=nothing.astype(np.float64),
        received=nothing,
        late=nothing.astype(np.bool_),
        quarantined=(entry, replace(entry, column="fires", cells=("fires", *cells[1:])), replace(entry, row=3)),
    )
    with service.store.write():
        feed.import_rows(service.store, rows, feed="wide", received=MORNING)

    mend(service, "1-2-2", value="7")
    mending.drop(service.store, ["1-3"], "重复", now=MORNING)

    states = [(kept.id, kept.state) for kept in quarantine.entries(service.store, settled=True) if kept.entry.row < 4]
    assert states == [("1-2", "open"), ("1-2-2", "fixed"), ("1-3", "dropped")]
    assert value(service, SeriesKey("fires", EAST)) == [7.0]


def test_rows_put_aside_by_earlier_versions_stay_open(tmp_path: Path) -> None:
    path = tmp_path / "kapok.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        schema.m001_first_tables(Database(database))
        schema.m002_waiting_refused_and_fits(Database(database))
        database.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
        for name in schema.KNOWN[:2]:
            database.execute("INSERT INTO _sqlite_migrations VALUES ('kapok', ?, '')", (name,))
        database.execute("INSERT INTO feed_file VALUES (1, 'x', 'old.csv', 'csv', 1, 0, 0, 1, 0, 0, NULL, NULL, '')")
        database.execute("INSERT INTO quarantine VALUES (1, 2, 'value', 'many', '不是数字')")

    store = open_store(path)

    (kept,) = quarantine.entries(store)
    assert (kept.id, kept.state, quarantine.entry(store, "1-2")) == ("1-2", "open", (kept, ()))
    store.close()
