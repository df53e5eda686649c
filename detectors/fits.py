"""Prophet's fits: what is fitted, by whom, and what is remembered of it.

One fit takes a tenth of a second, so it is made once and kept by its content.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from detectors.panel import DayKind, Floats

PROCESSES = 2
STARTING, PATIENCE = 60.0, 5.0  # seconds that spawned processes may take to start, and for each fit: usually .1
LOOK = 0.5  # seconds after which the caller is told again how far it is
REMEMBERED = 2_000  # fits, a few hundred bytes each
FORM = 1  # of a fit; another one, and none that was kept is used

Place = TypeVar("Place", bound=Hashable)
Beat = Callable[[str], None]  # told how far it is; what it raises ends the fits

logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())  # without a handler it adds its own, which talks


@dataclass(frozen=True, eq=False)
class Task:
    """One fit: everything it depends on, so that equal tasks have equal outcomes."""

    dates: npt.NDArray[np.datetime64]  # (n,), those reported
    values: Floats  # (n,)
    days: npt.NDArray[np.int8]  # (n,) DayKind
    anchor: np.datetime64  # the first day forecast
    ahead: int  # days forecast
    flexibility: float

    @property
    def key(self) -> str:
        """A hash of the content and of what fits it, in hexadecimal digits."""
        head = repr((FORM, version("prophet"), str(self.anchor), self.ahead, self.flexibility)).encode()
        parts = (self.dates.astype("datetime64[D]").tobytes(), self.values.tobytes(), self.days.tobytes())
        return hashlib.blake2b(b"|".join((head, *parts)), digest_size=16).hexdigest()


@dataclass(frozen=True, eq=False)
class Fit:
    """What Prophet expects of each day ahead under each kind of day, and how far off it was."""

    ahead: Floats  # (days, kinds of DayKind)
    residuals: Floats  # three numbers: sum of squares, sum of fitted, sum of fitted²
    n: int

    def text(self) -> str:
        """Return the fit as text that loses no digit."""
        return json.dumps([self.ahead.tolist(), self.residuals.tolist(), self.n])


def fit_of(text: str) -> Fit:
    """Return the fit that a text holds."""
    ahead, residuals, n = json.loads(text)
    return Fit(np.array(ahead), np.array(residuals), n)


Cache = MutableMapping[str, str]  # a task's content -> its fit as text


class _Memory(OrderedDict[str, str]):
    """The fits of this process, for callers that keep none: it can change no answer."""

    def __setitem__(self, key: str, text: str) -> None:
        super().__setitem__(key, text)
        while len(self) > REMEMBERED:
            self.popitem(last=False)


_memory = _Memory()
_lock = Lock()


def fits_of(
    tasks: Mapping[Place, Task],
    *,
    cache: Cache | None = None,
    spawned: bool = False,
    limit: float | None = None,
    beat: Beat | None = None,
) -> dict[Place, Fit | None]:
    """Return the fit of every task, from the cache where it is known; None where Prophet gave up or was ended.

    Only fits are kept: what failed is tried again.  Without a cache it is this process's own memory.
    """
    cache = _memory if cache is None else cache
    keys = {place: task.key for place, task in tasks.items()}
    with _lock:
        found = {key: cache[key] for key in keys.values() if key in cache}
    missing = {key: tasks[place] for place, key in keys.items() if key not in found}
    fresh = dict(zip(missing, all_fits(list(missing.values()), spawned=spawned, limit=limit, beat=beat), strict=True))
    with _lock:
        cache.update((key, text) for key, text in fresh.items() if text is not None)
    texts = {**found, **fresh}
    return {place: None if (text := texts[key]) is None else fit_of(text) for place, key in keys.items()}


def all_fits(
    tasks: Sequence[Task],
    *,
    spawned: bool,
    limit: float | None = None,
    fit: Callable[[Task], Fit | None] | None = None,
    beat: Beat | None = None,
) -> list[str | None]:
    """Return the fit of every task in order as text, None where Prophet gave up or did not come to an end.

    Args:
        tasks: What to fit.
        spawned: In processes of their own.  Spawned and not forked: a forked child would inherit the service's
            threads, locks and database.
        limit: Seconds for all of them when spawned, by default far more than they need.  A process that hangs is
            ended with all it started; one that the system ended, for want of memory say, is not waited for.
        fit: What fits one, for tests of what goes wrong.
        beat: Called now and then while processes fit; raising from it ends them at once.
    """
    fit = fit or fitted
    if not spawned:
        return [_text(fit(task)) for task in tasks]
    found: list[str | None] = [None] * len(tasks)
    numbered = list(enumerate(tasks))
    end = time.monotonic() + (STARTING + PATIENCE * len(tasks) if limit is None else limit)
    workers = dict(_started(fit, numbered[n::PROCESSES]) for n in range(min(PROCESSES, len(tasks))))
    try:
        while workers and (left := end - time.monotonic()) > 0:
            if beat is not None:
                beat(f"{len(tasks)} fits")
            ready = wait(list(workers), min(left, LOOK))
            for pipe in [one for one in workers if one in ready]:
                try:
                    number, text = pipe.recv()
                    found[number] = text
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
        out.send((number, _text(fit(task))))


def _end(process: BaseProcess) -> None:
    if process.pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has not come so far
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _text(fit: Fit | None) -> str | None:
    return None if fit is None else fit.text()


def fitted(task: Task) -> Fit | None:
    """Return Prophet's fit, or None if it gives up."""
    import pandas as pd

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it would rather draw, and says so on import
    from prophet import Prophet

    for talkative in ("prophet", "cmdstanpy"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)  # set again by its own import

    # A kind of day is a column of its own with Prophet's prior for holidays; a kind the history lacks has no effect.
    seen = [kind for kind in DayKind if kind is not DayKind.ORDINARY and (task.days == kind).any()]
    model = Prophet(changepoint_prior_scale=task.flexibility, uncertainty_samples=0, daily_seasonality=False)
    for kind in seen:
        model.add_regressor(kind.name, prior_scale=10.0, standardize=False)
    past = pd.DataFrame({"ds": task.dates.astype("datetime64[ns]"), "y": task.values})
    to_come = task.anchor + np.repeat(np.arange(task.ahead), len(DayKind))
    ahead = pd.DataFrame({"ds": to_come.astype("datetime64[ns]")})
    for kind in seen:
        past[kind.name] = (task.days == kind).astype(float)
        ahead[kind.name] = np.tile(np.arange(len(DayKind)) == kind, task.ahead).astype(float)
    with contextlib.suppress(RuntimeError, ValueError, ArithmeticError):
        model.fit(past, seed=1)
        mean = np.maximum(model.predict(past)["yhat"].to_numpy(), 0.0 if (task.values >= 0).all() else -np.inf)
        residuals = np.array([((task.values - mean) ** 2).sum(), mean.sum(), (mean**2).sum()])
        table = model.predict(ahead)["yhat"].to_numpy().reshape(task.ahead, len(DayKind))
        if np.isfinite(residuals).all() and np.isfinite(table).all():
            return Fit(table, residuals, len(past))
    return None
