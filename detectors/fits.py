"""Work that may hang, in processes that can be ended: Prophet starts a program of its own for each fit."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

PROCESSES = 2
STARTING, PATIENCE = 60.0, 5.0  # seconds that spawned processes may take to start, and for each fit: usually .1
LOOK = 0.5  # seconds after which the caller is told again how far it is

Task = TypeVar("Task")
Fit = TypeVar("Fit")
Beat = Callable[[str], None]  # told how far it is; what it raises ends the fits


def all_fits(
    tasks: Sequence[Task],
    fit: Callable[[Task], Fit | None],
    *,
    spawned: bool,
    limit: float | None = None,
    beat: Beat | None = None,
) -> list[Fit | None]:
    """Return the fit of every task in order, None where it gave up or did not come to an end.

    Args:
        tasks: What to fit.
        fit: What fits one.
        spawned: In processes of their own.  Spawned and not forked: a forked child would inherit the service's
            threads, locks and database.
        limit: Seconds for all of them when spawned, by default far more than they need.  A process that hangs is
            ended with all it started; one that the system ended, for want of memory say, is not waited for.
        beat: Called now and then while they fit; raising from it ends them at once.
    """
    found: list[Fit | None] = [None] * len(tasks)
    if not spawned:
        for number, task in enumerate(tasks):
            if beat is not None:
                beat(f"{len(tasks) - number} fits")
            found[number] = fit(task)
        return found
    numbered = list(enumerate(tasks))
    end = time.monotonic() + (STARTING + PATIENCE * len(tasks) if limit is None else limit)
    workers = dict(_started(fit, numbered[n::PROCESSES]) for n in range(min(PROCESSES, len(tasks))))
    left = len(tasks)
    try:
        while workers and (time_left := end - time.monotonic()) > 0:
            if beat is not None:
                beat(f"{left} fits")
            ready = wait(list(workers), min(time_left, LOOK))
            for pipe in [one for one in workers if one in ready]:
                try:
                    number, found_one = pipe.recv()
                    found[number], left = found_one, left - 1
                except EOFError:  # at its end, or ended
                    workers.pop(pipe).join()
    finally:
        for process in workers.values():
            _end(process)
    return found


def _started(fit: Callable[[Task], Fit | None], share: Sequence[tuple[int, Task]]) -> tuple[Connection, BaseProcess]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, fit, share), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends with the process
    return ours, process


def _work(out: Connection, fit: Callable[[Task], Fit | None], share: Sequence[tuple[int, Task]]) -> None:
    if hasattr(os, "setsid"):
        os.setsid()  # Prophet starts a program of its own: both are ended together, and by nobody's Ctrl+C
    for number, task in share:
        out.send((number, fit(task)))


def _end(process: BaseProcess) -> None:
    if process.pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has not come so far
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
