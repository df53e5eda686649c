"""How long a whole sweep takes, from the database to alerts, texts and mails, for cities of more and more series.

    nice python -m benchmarks.bench_sweep [DISTRICTS ...]

Each city has the shipped catalogue and rules and three made-up years (``larger_city``), and is swept in a process of
its own: 11 districts are 484 watched series, 33 are 1,452, 528 are 23,232.  The first sweep fits what is forecast and
makes the store's matrix; the days after are what every day costs.  Then a year of scores, of the same shape but drawn
by lot, is graded anew.  Compared with the limits is the processor's time, which other programs do not lengthen.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from benchmarks.larger_city import NOW, day_of, filled, lay_city
from detectors.panel import Dates, Scores
from warning import pipeline
from warning.model import SeriesKey
from warning.regrading import regraded
from warning.rule import series_of
from warning.scoring import groups, window
from warning.service import Service
from warning.store import score

Result = TypeVar("Result")

LARGE = 100  # districts from which on no year is graded anew: its scores alone would take ten times the sweeps
COSTLY = 6  # steps named


class Limit(NamedTuple):
    """What a city may cost."""

    sweep: float  # seconds, warm
    memory: float  # GB
    year: float | None  # seconds to grade a year anew


LIMITS = {11: Limit(2.0, 1.0, 1.0), 33: Limit(5.0, 1.0, 2.0), 528: Limit(60.0, 4.0, None)}


class Spent(NamedTuple):
    """What some work took."""

    seconds: float
    processor: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.processor:.2f} s of the processor)"


def main() -> int:
    """Sweep every city in a process of its own and print what it took; return 1 if a limit is missed."""
    asked = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    if len(asked) == 1:
        return _measured(asked[0])
    status = 0
    for districts in asked or LIMITS:
        command = [sys.executable, "-m", "benchmarks.bench_sweep", str(districts)]
        status |= subprocess.run(command, check=False).returncode
    return status


def _measured(districts: int) -> int:
    limit = LIMITS.get(districts)
    with tempfile.TemporaryDirectory() as folder:
        config = lay_city(Path(folder) / "city", districts)
        service, filling = _timed(lambda: filled(config))
        print(f"{districts} districts, laid and filled in {filling}", flush=True)
        spent = [_swept(service, back) for back in (3, 2, 1)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"  peak memory {memory:.2f} GB", flush=True)
        year = None if districts > LARGE else _year(service)
        service.store.close()
    if limit is None:
        return 0
    found = {"sweep": min(one.processor for one in spent[1:]), "memory": memory, "year": year}
    missed = {
        name: f"{value:.2f} > {most}"
        for name, most in limit._asdict().items()
        if most is not None and (value := found[name]) is not None and value > most
    }
    print(f"  beyond its limits: {missed}" if missed else f"  within its limits: {limit}", flush=True)
    return 1 if missed else 0


def _swept(service: Service, back: int) -> Spent:
    marks: list[tuple[str, float]] = []
    work = partial(
        pipeline.sweep,
        service,
        day_of(back),
        now=NOW - timedelta(days=back - 1),
        beat=lambda step: marks.append((step, time.process_time())),
    )
    swept, spent = _timed(work)
    what = "first sweep" if back == 3 else "next day"
    print(f"  {what}: {spent} for {swept.watched:,} series, {len(swept.events)} events, {swept.documents} texts")
    costs = sorted(_costs([*marks, ("", time.process_time())]).items(), key=lambda part: -part[1])
    print("    " + ", ".join(f"{step} {cost:.2f}" for step, cost in costs[:COSTLY]), flush=True)
    return spent


def _costs(marks: list[tuple[str, float]]) -> dict[str, float]:
    costs: dict[str, float] = {}
    for (step, begun), (_, later) in pairwise(marks):
        first = step.split(" ")[0]
        kind = "texts" if first in {"narrative", "mail"} else "forecast" if step.endswith(" fits") else step
        costs[kind] = costs.get(kind, 0.0) + later - begun
    return costs


def _year(service: Service) -> float:
    """Return the processor seconds that a year takes to be graded anew."""
    first, last = day_of(366), day_of(1)
    with service.store.write():
        for way, keys, dates, scores in _drawn(service):
            score.save_scores(service.store, way, keys, dates, scores, NOW - timedelta(days=400))
    found, spent = _timed(lambda: regraded(service, first, last, known_at=NOW))
    levels = sum(rule.levels.size for rule in found.values())
    print(f"  a year graded anew by {len(found)} rules, {levels:,} levels: {spent}", flush=True)
    return spent.processor


def _drawn(service: Service) -> Iterator[tuple[score.Way, list[SeriesKey], Dates, Scores]]:
    """Yield a year's scores for each way of judging, before any sweep's."""
    generator = np.random.default_rng(5)
    for way, rules in groups(service).items():
        keys = list(dict.fromkeys(key for rule in rules for key in series_of(rule, service.city)))
        dates = window(day_of(1), way.frequency, 1)
        numbers = {name: generator.normal(size=(len(dates), len(keys))) for name in score.FIELDS}
        judged, none = (np.zeros((len(dates), len(keys)), dtype=np.int8) for _ in range(2))
        yield way, keys, dates, Scores(**numbers, reason=judged, remarks=none)


def _timed(work: Callable[[], Result]) -> tuple[Result, Spent]:
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, Spent(time.perf_counter() - started, time.process_time() - processor)


if __name__ == "__main__":
    sys.exit(main())
