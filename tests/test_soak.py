"""Killed at any moment, an import and a sweep happened or did not: nothing is ever half there."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, at, deliver, lay, raised, set_clock, usual

ROUNDS = 60
LONGEST = 2.5  # seconds until the kill: about what the slower of the two commands takes

TIMES = {"at", "received", "known_at", "created", "next_try", "last_try"}


def killed(folder: Path, *command: str, after: float) -> None:
    """Run a command and kill it, unless it ends before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "warning", *command, "--config", str(folder / "config.toml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(folder: Path, *command: str) -> None:
    """Run a command to its end."""
    arguments = [sys.executable, "-m", "warning", *command, "--config", str(folder / "config.toml")]
    subprocess.run(arguments, check=True, capture_output=True)


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every table but the runs of jobs, without its instants."""
    with sqlite3.connect(folder / "kapok.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for name in sorted(set(names) - {"run", "_sqlite_migrations", "sqlite_sequence"}):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})") if row[1] not in TIMES]
            chosen = ", ".join(f'"{column}"' for column in columns)
            found[name] = sorted(database.execute(f"SELECT {chosen} FROM {name}"), key=repr)  # noqa: S608
        return found


def laid(folder: Path) -> Path:
    """Lay a city with a striking Friday still to be read and judged."""
    folder.mkdir()
    lay(folder)
    run(folder, "import")
    deliver(folder, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 60))
    set_clock(folder, at(FRIDAY + timedelta(days=1), "07:30"))
    return folder


@pytest.mark.soak
def test_killed_at_any_moment_it_ends_as_if_it_never_was(tmp_path: Path) -> None:
    unbroken = laid(tmp_path / "unbroken")
    run(unbroken, "import")
    run(unbroken, "sweep", "--date", FRIDAY.isoformat())
    expected, moments = content(unbroken), random.Random(7)

    for number in range(ROUNDS):
        folder = laid(tmp_path / str(number))
        killed(folder, "import", after=moments.uniform(0.1, LONGEST))
        run(folder, "import")
        killed(folder, "sweep", "--date", FRIDAY.isoformat(), after=moments.uniform(0.1, LONGEST))
        run(folder, "sweep", "--date", FRIDAY.isoformat())

        assert content(folder) == expected, f"round {number}"
        assert expected["outbox"], "the Friday must be told"
