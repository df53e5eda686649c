"""Opening the database, and transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from warning.errors import NoDatabase, StoreError
from warning.store.complaints import BUSY_TIMEOUT, complaint

if TYPE_CHECKING:
    from sqlite_utils import Database  # brings pandas along: half a second `kapok --help` need not wait

Parameters = Sequence[Any] | dict[str, Any]


class Store:
    """One connection to the service's database, used by the thread that opened it.

    Other threads and processes open their own: readers never wait, writers wait for each other.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self._database = database
        self._writing = False

    @contextmanager
    def write(self) -> Iterator[Store]:
        """Write everything in the block, or nothing if it raises.

        Raises:
            StoreError: if the database is locked for too long, the disk is full, …
            ValueError: if a transaction is open already; writers do not nest.
        """
        with self._transaction("BEGIN IMMEDIATE"):
            self._writing = True
            try:
                yield self
            finally:
                self._writing = False

    @property
    def writing(self) -> bool:
        """Whether a transaction that writes is open."""
        return self._writing

    @contextmanager
    def snapshot(self) -> Iterator[Store]:
        """Read one state of the database throughout the block, whatever others write meanwhile.

        Raises:
            ValueError: if a transaction is open already.
        """
        with self._transaction("BEGIN DEFERRED"):
            yield self

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """Read one state of the database throughout the block: that of the open transaction, or a snapshot's."""
        if self._database.conn.in_transaction:
            yield self
            return
        with self.snapshot():
            yield self

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.translated():
            return self._database.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        with self.translated():
            found: tuple[Any, ...] | None = self._database.execute(sql, parameters).fetchone()
            return found

    def cursor(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Return the rows of a query as they come; read them inside ``translated``."""
        return self._database.execute(sql, parameters)

    def change(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Run a statement that writes.

        Raises:
            ValueError: outside ``write``.
        """
        self._require_write()
        with self.translated():
            return self._database.execute(sql, parameters)

    def change_all(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Run a statement once for each row; return how many rows it wrote.

        Raises:
            ValueError: outside ``write``.
        """
        self._require_write()
        with self.translated():
            return max(self._database.conn.executemany(sql, parameters).rowcount, 0)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what SQLite says into a StoreError; mistakes in the SQL stay what they are."""
        try:
            yield
        except sqlite3.Error as error:
            sentence = complaint(error, self.path)
            if sentence is None:
                raise
            raise StoreError(f"{self.path}: {sentence}") from error

    def close(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        self._database.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if self._database.conn.in_transaction:
            raise ValueError(f"{begin}: a transaction is open already; transactions do not nest")
        with self.translated():
            self._database.execute(begin)
        try:
            yield
            with self.translated():
                self._database.execute("COMMIT")
        finally:
            # A full disk makes SQLite end the transaction by itself; `rollback` then has nothing to do.
            with self.translated():
                self._database.rollback()

    def _require_write(self) -> None:
        if not self._writing:
            raise ValueError("what writes is called inside `with store.write():`")


def open_store(path: Path, *, migrate: bool = True) -> Store:
    """Open the database, making or migrating it where needed.

    Args:
        path: Where it is.
        migrate: Whether one of an earlier version is brought up to date, or refused.

    Raises:
        StoreError: if its folder is missing or may not be written, the file is no database or another program's, it
            was made by a newer version (where it is not migrated, also by an earlier one), the disk is full, or
            another process keeps it locked.
    """
    from sqlite_utils import Database

    try:
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the folder {path.parent} does not exist; make it, or correct paths.database")
        if path.is_dir():
            raise StoreError(f"{path}: is a folder, expected a file; correct paths.database")
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened: {error.strerror}; correct paths.database") from error
    connection: sqlite3.Connection | None = None
    try:
        # Without isolation_level=None the driver would begin deferred transactions by itself.
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
        store = Store(path, Database(connection, execute_plugins=False))
        if not migrate:
            _require_current(store)
        _prepare(store)
    except BaseException as error:
        if connection is not None:
            connection.close()
        sentence = complaint(error, path)
        if sentence is None:
            raise
        raise StoreError(f"{path}: {sentence}") from error
    return store


def open_to_read(path: Path) -> Store:
    """Open a database that is there; where it or its folder may not be written, to read alone.

    Raises:
        NoDatabase: if there is none; none is made.
        StoreError: as ``open_store``, or if its writer ended without tidying up and its folder may not be written.
    """
    if not _is_there(path):
        folder = "" if path.parent.is_dir() else f" (after `mkdir -p {path.parent}`)"
        raise NoDatabase(
            f"还没有数据库：{path}；`kapok import` 或 `kapok sweep` 会建立它\n"
            f"there is no database yet at {path}; `kapok import` or `kapok sweep` makes it{folder}"
        )
    try:
        return open_store(path, migrate=False)
    except StoreError as error:
        if not _may_not_write(error.__cause__):
            raise
        return _opened_to_read(path)


def _opened_to_read(path: Path) -> Store:
    from sqlite_utils import Database

    # In write-ahead mode a reader makes files beside the database.  Where it may not, the database is read as a
    # file nobody changes, which is true while no such file of a writer lies there.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    address = f"file:{quote(str(path.absolute()))}?mode=ro{still}"
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
        store = Store(path, Database(connection, execute_plugins=False))
        _require_current(store)
    except BaseException as error:
        if connection is not None:
            connection.close()
        sentence = complaint(error, path)
        if sentence is None:
            raise
        raise StoreError(f"{path}: {sentence}") from error
    return store


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be looked into: opening says so
        return True


def _require_current(store: Store) -> None:
    from warning.store.schema import MIGRATIONS

    database = store._database
    _refuse_strangers(store.path, database, [migration.name for migration in MIGRATIONS.applied(database)])
    if MIGRATIONS.pending(database):
        raise StoreError(
            f"{store.path}: made by an earlier version of Kapok Watch; stop that version's `kapok serve`, then"
            " `kapok import` brings the database up to date"
        )


def _prepare(store: Store) -> None:
    from warning.store.schema import MIGRATIONS

    database = store._database
    applied = [migration.name for migration in MIGRATIONS.applied(database)]
    _refuse_strangers(store.path, database, applied)
    database.enable_wal()
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    if MIGRATIONS.pending(database):
        with store.write():  # two processes that start together: the second finds nothing left to do
            MIGRATIONS.apply(database)


def _refuse_strangers(path: Path, database: Database, applied: Sequence[str]) -> None:
    from warning.store.schema import KNOWN

    newer = sorted(set(applied) - set(KNOWN))
    if newer:
        raise StoreError(
            f"{path}: made by a newer version of Kapok Watch (it has {newer[0]!r}, this version knows up to"
            f" {KNOWN[-1]!r}); install that version, or restore a backup made before it"
        )
    strange = [] if applied else database.table_names()
    if strange:
        raise StoreError(
            f"{path}: is the database of another program (it has the table {strange[0]!r}); correct paths.database"
        )


def _may_not_write(error: BaseException | None) -> bool:
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
