"""Opening the database, and what a transaction promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from warning.errors import StoreError
from warning.store import Store, open_store, open_to_read, run
from warning.store.schema import KNOWN, MIGRATIONS

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kapok.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = open_store(path)
    yield store
    store.close()


def texts(store: Store) -> list[str]:
    return [notice.text for notice in run.notices(store, NOW)]


def _half_a_sweep(store: Store) -> None:
    run.notice(store, NOW, "feeds", "half a sweep")
    raise ZeroDivisionError


def _many_notices(store: Store) -> None:
    for n in range(10_000):
        run.notice(store, NOW, "feeds", f"notice {n}")


def test_a_new_database_has_every_migration_and_keeps_what_is_committed_on_disk(store: Store) -> None:
    applied = store.rows("SELECT name FROM _sqlite_migrations ORDER BY id")

    assert tuple(name for (name,) in applied) == KNOWN
    assert store.row("PRAGMA journal_mode") == ("wal",)
    assert store.row("PRAGMA synchronous") == (2,)  # FULL
    assert store.row("PRAGMA foreign_keys") == (1,)


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    first = open_store(path)
    with first.write():
        run.notice(first, NOW, "feeds", "late.csv is empty")
    first.close()

    again = open_store(path)

    assert texts(again) == ["late.csv is empty"]
    again.close()


def test_a_block_that_raises_writes_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write():
        _half_a_sweep(store)

    assert texts(store) == []


def test_writers_do_not_nest(store: Store) -> None:
    with (
        store.write(),
        pytest.raises(ValueError, match="transactions do not nest"),
        store.write(),
    ):
        raise AssertionError


def test_writing_outside_a_transaction_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match=r"with store\.write"):
        run.notice(store, NOW, "feeds", "unprotected")

    assert texts(store) == []


def test_writing_in_a_snapshot_is_refused(store: Store) -> None:
    with store.snapshot(), pytest.raises(ValueError, match=r"with store\.write"):
        run.notice(store, NOW, "feeds", "unprotected")


def test_a_snapshot_does_not_see_what_others_write_meanwhile(path: Path, store: Store) -> None:
    reader = open_store(path)
    with reader.snapshot():
        before = texts(reader)

        with store.write():
            run.notice(store, NOW, "feeds", "news")

        assert texts(reader) == before == []
    assert texts(reader) == ["news"]
    reader.close()


def test_a_second_writer_is_told_to_wait(path: Path, store: Store) -> None:
    other = open_store(path)
    other.rows("PRAGMA busy_timeout = 0")

    with store.write(), pytest.raises(StoreError, match="another process has been writing"), other.write():
        raise AssertionError

    other.close()


def test_a_full_disk_is_a_sentence_and_half_of_nothing(store: Store) -> None:
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="the disk is full"), store.write():
        _many_notices(store)

    assert texts(store) == []


def test_a_database_that_may_not_be_written_says_who_must_do_what(store: Store) -> None:
    store.rows("PRAGMA query_only = 1")

    with pytest.raises(StoreError, match="give the service's user the right to write"), store.write():
        run.notice(store, NOW, "feeds", "news")


def _folder_missing(path: Path) -> Path:
    return path.parent / "nowhere" / path.name


def _is_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _name_too_long(path: Path) -> Path:
    return path.parent / ("k" * 300)


def _no_database(path: Path) -> Path:
    path.write_text("indicator,place,date,value\n" * 100, encoding="utf-8")
    return path


def _of_another_program(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    return path


def _of_a_newer_version(path: Path) -> Path:
    open_store(path).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kapok', 'm999_future', '')"
        )
    connection.close()
    return path


def _damaged(path: Path) -> Path:
    open_store(path).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(_folder_missing, "the folder .*nowhere does not exist; make it", id="folder-missing"),
        pytest.param(_is_folder, "is a folder, expected a file", id="a-folder"),
        pytest.param(_name_too_long, "cannot be opened", id="cannot-be-made"),
        pytest.param(_no_database, "not a database; move it away", id="not-a-database"),
        pytest.param(_of_another_program, "another program .*'bookmarks'", id="another-program"),
        pytest.param(_of_a_newer_version, "newer version .*'m999_future'.* install that version", id="newer-version"),
        pytest.param(_damaged, "restore the last backup", id="damaged"),
    ],
)
def test_what_cannot_be_opened_is_named_with_what_to_do(
    path: Path, make: Callable[[Path], Path], sentence: str
) -> None:
    broken = make(path)

    with pytest.raises(StoreError, match=sentence) as raised:
        open_store(broken)

    assert str(raised.value).startswith(str(broken))


def test_a_strangers_database_is_left_as_it_is(path: Path) -> None:
    _of_another_program(path)
    before = path.read_bytes()

    with pytest.raises(StoreError):
        open_store(path)

    assert path.read_bytes() == before


def test_a_database_of_an_earlier_version_is_not_brought_up_to_date_by_who_only_reads(path: Path) -> None:
    old = Database(path)
    old.enable_wal()
    MIGRATIONS.apply(old, stop_before=KNOWN[1])
    old.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"made by an earlier version .* `kapok import` brings .* up to date"):
        open_to_read(path)

    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_database_of_an_earlier_version_is_brought_up_to_date_by_who_writes(path: Path) -> None:
    old = Database(path)
    MIGRATIONS.apply(old, stop_before=KNOWN[1])
    old.close()

    open_store(path).close()

    open_to_read(path).close()  # refuses what is not of this version


def test_a_mistake_in_the_program_is_not_blamed_on_the_operator(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.rows("SELECT * FROM alerts")
