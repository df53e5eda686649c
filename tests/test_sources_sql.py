"""A department's database, asked and never written: SQLite, and a real PostgreSQL that says no."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import postgres
import psycopg
import pytest
from department_server import in_english

from warning.errors import SourceError
from warning.sources import sql
from warning.sources.table import Table

SINCE, UNTIL = date(2026, 11, 20), date(2026, 11, 22)
BETWEEN = "SELECT kind, area, day, n FROM calls WHERE day BETWEEN :since AND :until ORDER BY day, kind"
CALLS = [
    ("盗窃", "0101", "2026-11-19", 3),
    ("盗窃", "0101", "2026-11-20", 12),
    ("火警", "0102", "2026-11-22", None),
    ("火警", "0102", "2026-11-23", 5),
]
WANTED = [
    (1, ("kind", "area", "day", "n")),
    (2, ("盗窃", "0101", "2026-11-20", "12")),
    (3, ("火警", "0102", "2026-11-22", "")),
]
FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "报表 100%?.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE calls (kind TEXT, area TEXT, day TEXT, n INTEGER)")
        database.executemany("INSERT INTO calls VALUES (?, ?, ?, ?)", CALLS)
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip(postgres.missing())
    with postgres.server(programs) as port:
        with _connected(port) as database:
            database.execute("CREATE TABLE calls (kind text, area text, day date, n integer)")
            database.execute("CREATE SEQUENCE numbers")
            database.cursor().executemany("INSERT INTO calls VALUES (%s, %s, %s, %s)", CALLS)
        yield port


def _connected(port: int) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host="127.0.0.1", port=port, user="kapok", password=postgres.PASSWORD, dbname="postgres")


def at(where: Path | int) -> str:
    """Return the address of a file, or of the server at a port."""
    if isinstance(where, Path):
        return f"sqlite:///{str(where).replace('%', '%25').replace('?', '%3F')}"
    return f"postgresql://kapok:s3cret%20pass%3Aword@127.0.0.1:{where}/postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> str:
    return at(request.getfixturevalue("file" if request.param == "sqlite" else "server"))


def asked(address: str, query: str, *, timeout: float = 20.0, most_rows: int = 1000) -> Table:
    return sql.ask("police", address, query, since=SINCE, until=UNTIL, timeout=timeout, most_rows=most_rows)


def refused(address: str, query: str, *, timeout: float = 20.0, most_rows: int = 1000) -> str:
    with pytest.raises(SourceError) as error:
        asked(address, query, timeout=timeout, most_rows=most_rows)
    assert "s3cret" not in str(error.value)
    assert "s3cret" not in repr(error.value.__cause__)
    return in_english(str(error.value))


def test_the_dates_asked_for_are_what_is_answered(address: str) -> None:
    table = asked(address, BETWEEN)

    assert [(line.number, line.cells) for line in table.lines] == WANTED
    assert (table.name, table.sheet) == ("police", "")


def test_the_same_answer_has_the_same_content_and_another_one_another(address: str) -> None:
    first, again = asked(address, BETWEEN), asked(address, f"  {BETWEEN} ;\n")
    other = asked(address, f"{BETWEEN} LIMIT 1")

    assert first.sha256 == again.sha256 != other.sha256


def test_a_query_need_not_ask_for_dates_and_may_hold_percent_signs_and_times(address: str) -> None:
    table = asked(address, "SELECT count(*) AS n, '08:30' AS t FROM calls WHERE kind LIKE '盗%'")

    assert [line.cells for line in table.lines] == [("n", "t"), ("2", "08:30")]


@pytest.mark.parametrize("query", ["DELETE FROM calls", "-- n\n  drop TABLE calls", "COMMIT; DELETE FROM calls", ""])
def test_a_query_that_is_no_question_is_not_asked(address: str, query: str) -> None:
    said = refused(address, query)

    assert "and may only read; write one SELECT" in said
    assert len(asked(address, "SELECT * FROM calls").lines) == 1 + len(CALLS)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("sqlite", "WITH n AS (SELECT 1) DELETE FROM calls"),
        ("postgresql", "WITH gone AS (DELETE FROM calls RETURNING n) SELECT n FROM gone"),
        ("postgresql", "SELECT nextval('numbers')"),
    ],
)
def test_a_question_that_writes_is_refused_by_the_database(
    request: pytest.FixtureRequest, kind: str, query: str
) -> None:
    address = at(request.getfixturevalue("file" if kind == "sqlite" else "server"))

    said = refused(address, query)

    assert said.startswith("police: the query wants to write, which it may not: ")
    assert len(asked(address, "SELECT * FROM calls").lines) == 1 + len(CALLS)


@pytest.mark.parametrize("query", ["SELECT 1; DELETE FROM calls", "SELECT 1; COMMIT; DELETE FROM calls"])
def test_a_second_statement_is_refused(address: str, query: str) -> None:
    refused(address, query)

    assert len(asked(address, "-- all of it\nSELECT * FROM calls").lines) == 1 + len(CALLS)


def test_more_rows_than_may_be_are_refused_whole(address: str) -> None:
    exact = asked(address, "SELECT * FROM calls", most_rows=len(CALLS))

    assert len(exact.lines) == 1 + len(CALLS)
    assert "the query returns more than 3 rows" in refused(address, "SELECT * FROM calls", most_rows=3)


def test_more_text_than_may_be_is_refused_whole(address: str) -> None:
    with pytest.raises(
        SourceError, match="police: 内容太长 / the answer is longer than 40 characters; let the query ask for less"
    ):
        sql.ask("police", address, "SELECT * FROM calls", since=SINCE, until=UNTIL, most_text=40)


def test_an_answer_that_takes_too_long_is_ended(address: str) -> None:
    said = refused(address, FOR_EVER, timeout=0.2)

    assert said.startswith("police: the answer took longer than 0.2 s")


def test_a_query_that_is_wrong_is_answered_by_the_database(address: str) -> None:
    said = refused(address, "SELECT day FROM nowhere")

    assert "nowhere" in said
    assert len(said.splitlines()) == 1


def test_a_query_may_ask_for_no_other_parameter() -> None:
    said = refused("sqlite:////nowhere.db", "SELECT * FROM calls WHERE area = :place")

    assert said == "police: the query asks for :place; it may ask for :since and :until"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3cret", "the address of the database is no URL"),
        ("postgresql://kapok:s3cret@host:many/db", "the address of the database is no URL"),
        ("mysql://kapok:s3cret@host/db", "databases of the kind 'mysql' are not read; known: postgresql, sqlite"),
        ("sqlite://", "the address names no file"),
        ("sqlite:////nowhere/at/all.db", "/nowhere/at/all.db cannot be opened"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_sentence(address: str, said: str) -> None:
    assert said in refused(address, "SELECT 1")


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    refused(at(tmp_path / "police.db"), "SELECT 1")

    assert list(tmp_path.iterdir()) == []


def test_a_wrong_password_is_refused_without_being_told(server: int) -> None:
    said = refused(at(server).replace("s3cret", "s3cret-of-old"), "SELECT 1")

    assert f"127.0.0.1:{server} answered: " in said
    assert 'password authentication failed for user "kapok"' in said


def test_a_server_that_is_down_is_named(server: int) -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

        said = refused(at(port), "SELECT 1")

    assert said.startswith(f"police: 127.0.0.1:{port} answered: ")


def test_a_server_that_accepts_and_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accepted: list[socket.socket] = []
        threading.Thread(target=lambda: accepted.append(silent.accept()[0]), daemon=True).start()

        said = refused(at(silent.getsockname()[1]), "SELECT 1", timeout=0.5)

        for connection in accepted:
            connection.close()
    assert "timeout" in said


def test_values_are_written_as_a_department_would(server: int) -> None:
    table = asked(
        at(server),
        "SELECT 440106::float8 AS code, 12.50::numeric AS a, 1e3::numeric AS b, timestamp '2026-11-22' AS day,"
        " timestamptz '2026-11-22 08:00+08' AS received, ' 天河区 ' AS name, 'NaN'::float8 AS odd, true AS yes",
    )

    received = table.lines[1].cells[4]
    assert date.fromisoformat(received[:10]) in (date(2026, 11, 21), date(2026, 11, 22))
    assert received[-6] in "+-"
    assert table.lines[1].cells[:4] == ("440106", "12.50", "1000", "2026-11-22")
    assert table.lines[1].cells[5:] == ("天河区", "nan", "True")


def test_an_empty_answer_is_a_table_of_its_header(address: str) -> None:
    table = asked(address, "SELECT kind, n FROM calls WHERE n > 1000000")

    assert [line.cells for line in table.lines] == [("kind", "n")]
