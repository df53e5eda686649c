"""The answer of a department's database to a query of the mapping, read and never written.

PostgreSQL, and databases that speak its protocol; SQLite files.  The query may ask for ``:since`` and ``:until``,
the first and the last date wanted, which are bound as parameters; nothing else of ours goes into it.
The only module that knows SQLAlchemy.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warning.errors import SourceError
from warning.sources import cells
from warning.sources.table import Line, Table

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, TextClause

MOST_ROWS = 1_000_000
MOST_TEXT = 200_000_000  # characters of all cells together
BATCH = 1000  # rows fetched at once

PARAMETERS = ("since", "until")
_COMMENTS = re.compile(r"\A(\s|--[^\n]*\n)*")
_READS = re.compile(r"(select|with|values)\b", re.IGNORECASE)
_WRITES = ("read-only transaction", "readonly database", "data-modifying")  # what databases say of one that would write
_EXAMPLE = "postgresql://reader:password@host/database, or sqlite:////srv/share/file.db"


def ask(
    name: str,
    address: str,
    query: str,
    *,
    since: date,
    until: date,
    timeout: float = 60.0,  # seconds
    most_rows: int = MOST_ROWS,
    most_text: int = MOST_TEXT,
) -> Table:
    """Return what a database answers to a query.

    Args:
        name: Of the feed.
        address: SQLAlchemy's URL with user and password; it is in no error's text.
        query: One SELECT.
        since: Bound to ``:since``.
        until: Bound to ``:until``.
        timeout: For the connection, and for the whole answer.
        most_rows: More than these are refused, none of them used.
        most_text: Likewise, characters of all cells together.

    Raises:
        SourceError: if the address or the query is wrong, the database cannot be reached in time, refuses, or
            answers more than may be.
    """
    from sqlalchemy.exc import SQLAlchemyError

    url = _url(name, address)
    statement, asked = _statement(name, query, {"since": since, "until": until})
    end = time.monotonic() + timeout
    try:
        with _reading(url, timeout) as connection:
            answer = connection.execution_options(stream_results=True, max_row_buffer=BATCH).execute(statement, asked)
            with closing(answer):
                header = tuple(answer.keys())
                records: list[tuple[str, ...]] = []
                text = 0
                for batch in answer.partitions(BATCH):
                    found = [tuple(map(_text, row)) for row in batch]
                    records += found
                    text += sum(len(cell) for record in found for cell in record)
                    _require_within(name, len(records), text, most_rows, most_text)
                    if time.monotonic() > end:
                        raise SourceError(
                            f"{name}: 查询超时 / the answer took longer than {timeout:g} s; ask for fewer dates"
                        )
    except SQLAlchemyError as error:
        raise SourceError(f"{name}: {_complaint(error, url, timeout)}") from error
    return _table(name, header, records)


def _url(name: str, address: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # Not chained: the library repeats the address, and the password with it.
        raise SourceError(
            f"{name}: 数据库地址不对 / the address of the database is no URL; write e.g. {_EXAMPLE}"
        ) from None
    kind = url.get_backend_name()
    if kind == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise SourceError(
            f"{name}: 不读这种数据库 / databases of the kind {kind!r} are not read; known: postgresql, sqlite"
        )
    if not url.database or url.database == ":memory:":
        raise SourceError(
            f"{name}: 地址中没有文件 / the address names no file; write e.g. sqlite:////srv/share/file.db"
        )
    return url


def _statement(name: str, query: str, known: dict[str, date]) -> tuple[TextClause, dict[str, date]]:
    from sqlalchemy import Date, bindparam, text

    one = _COMMENTS.sub("", query, count=1).strip().rstrip(";")
    if not _READS.match(one):
        raise SourceError(
            f"{name}: 只可查询 / the query begins with {cells.short(one.partition(' ')[0])!r} and may only read;"
            " write one SELECT"
        )
    bare = text(one)
    wanted = set(bare.compile().params)
    unknown = sorted(wanted - set(known))
    if unknown:
        raise SourceError(
            f"{name}: 查询中的参数不认识 / the query asks for :{unknown[0]}; it may ask for {_listed(PARAMETERS)}"
        )
    typed = [bindparam(asked, type_=Date) for asked in PARAMETERS if asked in wanted]
    return bare.bindparams(*typed), {asked: known[asked] for asked in wanted}


@contextmanager
def _reading(url: URL, timeout: float) -> Iterator[Connection]:
    """Open a connection that cannot write, and close it and all that belongs to it."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(_read_only(url), connect_args=_arguments(url, timeout), poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"缺 PostgreSQL 驱动 / PostgreSQL needs the package {error.name!r};"
            " install it: pip install 'kapok-watch[postgresql]'"
        ) from error
    try:
        with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                _stop_after(connection, timeout)
            yield connection
    finally:
        engine.dispose()


def _read_only(url: URL) -> URL:
    if url.get_backend_name() != "sqlite":
        return url
    path = Path(url.database or "").absolute()
    return url.set(database=f"file:{_quoted(path)}", query={"mode": "ro", "uri": "true"})


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _arguments(url: URL, timeout: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": timeout}
    limit = math.ceil(timeout)
    return {
        "connect_timeout": max(limit, 2),  # the library takes less than 2 for 2
        "application_name": "kapok",
        # Read-only for the whole session: also what a query does after ending its transaction.
        "options": f"-c default_transaction_read_only=on -c statement_timeout={math.ceil(timeout * 1000)}",
        # A line that goes dead in the middle of an answer is noticed.
        "keepalives_idle": limit,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": math.ceil(timeout * 1000),
    }


def _stop_after(connection: Connection, timeout: float) -> None:
    """Let SQLite, which knows no limit of time, look at the clock now and then."""
    end = time.monotonic() + timeout
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > end, 10_000)


def _require_within(name: str, rows: int, text: int, most_rows: int, most_text: int) -> None:
    if rows > most_rows:
        raise SourceError(
            f"{name}: 行数太多 / the query returns more than {most_rows} rows; let it ask for the dates"
            f" from :since to :until, in groups by date and place"
        )
    if text > most_text:
        raise SourceError(
            f"{name}: 内容太长 / the answer is longer than {most_text} characters; let the query ask for less"
        )


def _table(name: str, header: tuple[str, ...], records: Sequence[tuple[str, ...]]) -> Table:
    content = hashlib.sha256(f"sql {name}\n".encode())
    for record in (header, *records):
        content.update(json.dumps(record).encode() + b"\n")
    lines = [Line(number, record) for number, record in enumerate((header, *records), start=1)]
    return Table(name, "", content.hexdigest(), tuple(line for line in lines if any(line.cells)))


def _text(value: object) -> str:
    """Return a value of the database as a department would write it."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case datetime() if value.tzinfo is None and value.time() == clock_time.min:
            return value.date().isoformat()  # a date in a column of instants
        case date():  # an instant, too
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))  # a code in a column of floating numbers
        case Decimal() if value.is_finite():
            return format(value, "f")
        case bytes():
            return f"\\x{value[:100].hex()}"
        case _:
            return str(value)


def _complaint(error: Exception, url: URL, timeout: float) -> str:
    """Return what the database says, in one line and without the password."""
    said = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    line = " ".join(said.splitlines()[0].split())
    if url.password:
        line = line.replace(url.password, "***")
    lowered = said.lower()
    if "statement timeout" in lowered or lowered == "interrupted":
        return f"查询超时 / the answer took longer than {timeout:g} s; ask for fewer dates, or raise the feed's timeout"
    if any(sign in lowered for sign in _WRITES):
        return f"只可查询 / the query wants to write, which it may not: {line}; write one SELECT"
    if "unable to open database file" in lowered:
        return f"打不开 / {url.database} cannot be opened; check that it is there and may be read"
    where = url.database if url.get_backend_name() == "sqlite" else f"{url.host or 'localhost'}:{url.port or 5432}"
    return f"数据库拒绝 / {where} answered: {line}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f":{name}" for name in names)
