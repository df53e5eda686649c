"""What SQLite complains of, as sentences an operator reads."""

from __future__ import annotations

import shutil
from pathlib import Path

BUSY_TIMEOUT = 60.0  # seconds to wait for another process that writes

NO_ROOM = 64 * 1024  # bytes; with fewer left a disk is full

_COMPLAINTS = {  # SQLite's primary error codes, as an operator reads them
    "SQLITE_BUSY": f"another process has been writing for more than {BUSY_TIMEOUT:.0f} s; try again when it is done",
    "SQLITE_LOCKED": "another part of the service is using it; try again",
    "SQLITE_FULL": "the disk is full; free some space, nothing was half-written",
    "SQLITE_READONLY": "it may be read but not written; give the service's user the right to write it and its folder",
    "SQLITE_PERM": "the service's user may not open it; give it the right to",
    "SQLITE_CANTOPEN": "it cannot be opened; check that it is a file and that the service's user may write its folder",
    "SQLITE_IOERR": "the disk refused to read or write; check the disk",
    "SQLITE_NOTADB": "the file is not a database; move it away, or correct paths.database",
    "SQLITE_CORRUPT": "the database is damaged; restore the last backup",
}


def complaint(error: BaseException, path: Path | None = None) -> str | None:
    """Return what SQLite says as an operator reads it, None where it is a mistake of ours.

    Args:
        error: What was raised.
        path: Of the database, if its disk is to be looked at: SQLite calls some writes to a full one an I/O error.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith("SQLITE_IOERR") and path is not None and _no_room(path.parent):
        name = "SQLITE_FULL"
    return next((sentence for code, sentence in _COMPLAINTS.items() if name.startswith(code)), None)


def _no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < NO_ROOM
    except OSError:
        return False
