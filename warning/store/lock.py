"""One service for each database: the right to run its jobs, which the system takes back when the process ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from warning.errors import StoreError


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Hold the right to run the jobs of a database throughout the block.

    A lock on an empty file beside it: held by a process that was killed, it is free at once.

    Raises:
        StoreError: if another process holds it, or the folder cannot be written.
    """
    path = database.with_name(f"{database.name}.serving")
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be made; give the service's user the right to write its folder") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if (getattr(error, "sqlite_errorname", None) or "").startswith("SQLITE_BUSY"):
                reason = f"{database}: a `kapok serve` runs its jobs, the sending included; stop that one first"
            else:
                reason = f"{path}: cannot be locked; give the service's user the right to write it and its folder"
            raise StoreError(reason) from error
        yield


def held(database: Path) -> bool:
    """Return whether a process holds the right to run the jobs of a database; makes no file."""
    path = database.with_name(f"{database.name}.serving")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        return (getattr(error, "sqlite_errorname", None) or "").startswith("SQLITE_BUSY")
    return False
