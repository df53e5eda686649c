"""Whether SQLite and the file of the database can be relied on; asked by ``kapok doctor``, changes nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from warning.store.complaints import complaint
from warning.store.encoding import instant_of

OLDEST = (3, 38, 0)  # the first with JSON functions in every build; series are handed over as JSON

_NEWEST = """
    SELECT max(at) FROM (
        SELECT max(received) AS at FROM feed_file UNION ALL
        SELECT max(started) FROM run UNION ALL
        SELECT max(at) FROM notice
    )
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look into the database's file says."""

    fault: str | None  # a sentence
    newest: datetime | None  # the last instant at which anything was noted


def version() -> tuple[str, bool]:
    """Return SQLite's version, and whether it will do."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= OLDEST


def look(database: Path) -> Found:
    """Look through a database that is there, to read alone."""
    # Without a writer's log beside it, it is read as a file nobody changes: otherwise SQLite would leave files there,
    # of whoever asks, which the service's own user may then be unable to write.
    how = "mode=ro" if database.with_name(f"{database.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        address = f"file:{quote(str(database.absolute()))}?{how}"
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
            (checked,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if checked != "ok":
                return Found(f"the database is damaged ({checked}); restore the last backup", None)
            (newest,) = connection.execute(_NEWEST).fetchone()
            return Found(None, None if newest is None else instant_of(newest))
    except sqlite3.Error as error:
        return Found(complaint(error) or str(error), None)


def try_folder(folder: Path) -> str | None:
    """Write a small database where the real one lies, ahead of it as the real one does; return what went wrong."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".kapok-doctor-") as name:
            with closing(sqlite3.connect(Path(name) / "trial.db", timeout=5, isolation_level=None)) as connection:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute("CREATE TABLE trial (value INTEGER)")
                connection.execute("INSERT INTO trial VALUES (1)")
                (kept,) = connection.execute("SELECT value FROM trial").fetchone()
            return None if (mode, kept) == ("wal", 1) else f"write-ahead mode is refused, found {mode!r}"
    except OSError as error:
        return error.strerror or str(error)
    except sqlite3.Error as error:
        return complaint(error) or str(error)
