"""How long a whole sweep of the example city takes, and what of it each way of judging costs.

    nice python -m benchmarks.bench_sweep

Simulates three years of Guangzhou in a temporary folder.  The first sweep of a week fits what is forecast; later
ones find the fits in the database.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from warning import jobs, pipeline
from warning.demo import TODAY, lay_demo
from warning.scoring import known, score
from warning.service import Service, open_service

Result = TypeVar("Result")


def main() -> int:
    """Print the times; return 0."""
    with tempfile.TemporaryDirectory() as folder:
        config = lay_demo(Path(folder) / "city")
        with open_service(config) as service:
            now = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
            accounts, seconds = _timed(lambda: jobs.take_in(service, now))
            rows = sum(account.rows for account in accounts)
            print(f"import of {rows:,} rows in {len(accounts)} files: {seconds:.1f} s")
            _parts(service, now)
            day = TODAY - timedelta(days=2)
            for what, later in (("first", 0), ("next day, fits stored", 1)):
                date = day + timedelta(days=later)
                swept, seconds = _timed(partial(pipeline.sweep, service, date, now=now))
                print(f"sweep, {what}: {seconds:.2f} s for {swept.watched} series, texts and mails included")
            print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0


def _parts(service: Service, now: datetime) -> None:
    day = TODAY - timedelta(days=9)
    panels, seconds = _timed(lambda: known(service, day, known_at=now))
    series = sum(len(panel.keys) for panel in panels.values())
    print(f"read and roll up {series} series: {seconds:.2f} s")
    marks: list[tuple[str, float]] = []
    score(service, panels, dict.fromkeys(panels, 1), beat=lambda step: marks.append((step, time.perf_counter())))
    marks.append(("end", time.perf_counter()))
    costs: dict[str, float] = {}
    way = ""
    for (step, begun), (_, later) in pairwise(marks):
        way = way if step.endswith(" fits") else step  # forecast tells of its fits as they go on
        costs[way] = costs.get(way, 0.0) + later - begun
    for step, cost in sorted(costs.items(), key=lambda part: -part[1]):
        print(f"  {step}: {cost:.2f} s")


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
