"""Fits in processes of their own: what hangs is ended, what the system ended is not waited for."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from detectors.fits import all_fits

PATIENCE = 60.0  # seconds until what should have ended is said to live


def doubles(task: int) -> int | None:
    return 2 * task if task > 0 else None


def hangs(_: int) -> None:
    threading.Event().wait()


def dies(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def starts_a_program(pipe: Path, task: int) -> None:
    """Hang as Prophet may: in a program of its own, which holds the pipe."""
    with pipe.open("wb") as out:
        program = "import threading; print('started', flush=True); threading.Event().wait()"
        subprocess.Popen([sys.executable, "-c", program], stdout=out)
    hangs(task)


@pytest.mark.parametrize("spawned", [False, True])
def test_fits_come_in_the_order_of_their_tasks(spawned: bool) -> None:
    assert all_fits([3, -1, 5], doubles, spawned=spawned) == [6, None, 10]


@pytest.mark.parametrize("spawned", [False, True])
def test_it_is_told_how_many_fits_are_left(spawned: bool) -> None:
    told: list[str] = []

    all_fits([1, 2, 3], doubles, spawned=spawned, beat=told.append)

    assert told[0] == "3 fits"
    assert {one.split()[1] for one in told} == {"fits"}


def test_a_process_that_hangs_is_ended_at_the_limit() -> None:
    assert all_fits([1, 2], hangs, spawned=True, limit=1.0) == [None, None]


def test_a_process_that_the_system_ended_is_not_waited_for() -> None:
    assert all_fits([1, 2, 3], dies, spawned=True, limit=1e9) == [None] * 3  # or this would never end


def test_what_a_process_started_is_ended_with_it_when_the_caller_stops(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    heard = b""

    def stop_once_it_runs(_: str) -> None:
        nonlocal heard
        with suppress(BlockingIOError):
            heard += os.read(reader, 100)
        if heard:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        all_fits([1], partial(starts_a_program, pipe), spawned=True, limit=1e9, beat=stop_once_it_runs)

    ended, _, _ = select.select([reader], [], [], PATIENCE)  # nobody holds the other end any more
    assert ended
    assert (heard, os.read(reader, 100)) == (b"started\n", b"")
    os.close(reader)
