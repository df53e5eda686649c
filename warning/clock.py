"""The time, as something passed in.

The daemon asks a clock; nothing below it does.  A clock file lets a drill, a
replay or a test hold the time still and move it on by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from warning.errors import ConfigError

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant, UTC."""
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """Return a clock that reads an ISO 8601 instant with its offset from a file at every look.

    Raises (when looked at):
        ConfigError: if the file is missing or holds no instant with an offset.
    """

    def now() -> datetime:
        try:
            found = path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigError(str(path), [f"clock.file cannot be read: {error.strerror}"]) from error
        except UnicodeDecodeError as error:
            raise ConfigError(str(path), ["clock.file holds no ISO 8601 instant"]) from error
        try:
            instant = datetime.fromisoformat(found)
        except ValueError as error:
            raise ConfigError(str(path), [f"{found!r} is not an ISO 8601 instant"]) from error
        if instant.tzinfo is None:
            raise ConfigError(str(path), [f"{found!r} has no offset; write e.g. {found}+08:00"])
        return instant.astimezone(UTC)

    return now
