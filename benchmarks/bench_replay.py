"""How long it takes to tell a past year by other thresholds, and by rules whose way of judging never ran.

    nice python -m benchmarks.bench_replay [DISTRICTS ...]

Cities as in ``bench_sweep``: 11 districts are 484 watched series, 33 are 1,452.  Their year is scored once and stored,
which is what rules of a new way cost; then it is told from the store, told by other thresholds, and both compared.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from benchmarks.larger_city import NOW, day_of, filled, lay_city
from warning.graded import graded
from warning.service import Service
from warning.tuning.comparing import Side, differences
from warning.tuning.proposal import with_more
from warning.tuning.rescoring import scores_for
from warning.tuning.retold import retell

Result = TypeVar("Result")

LIMITS = {11: 1.0, 33: 2.0}  # seconds to tell a year by changed thresholds, reading included
MORE = 0.5  # surprise the other rules ask for beyond the shipped ones


def main() -> int:
    """Measure every city in a process of its own; return 1 if a limit is missed."""
    asked = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    if len(asked) == 1:
        return _measured(asked[0])
    status = 0
    for districts in asked or LIMITS:
        command = [sys.executable, "-m", "benchmarks.bench_replay", str(districts)]
        status |= subprocess.run(command, check=False).returncode
    return status


def _measured(districts: int) -> int:
    with tempfile.TemporaryDirectory() as folder, filled(lay_city(Path(folder) / "city", districts)) as service:
        last = day_of(1)
        first = last - timedelta(days=364)
        made, took = _timed(lambda: scores_for(service, first, last, now=NOW, keep=True))
        series = len({key for one in made.judged.values() for key in one.keys})
        print(f"{districts} districts, {series:,} series, {first} to {last}", flush=True)
        print(f"  scored anew and stored: {took:.1f} s for {len(made.anew)} rules", flush=True)
        stricter = _stricter(service)

        def told(there: Service) -> Side:
            judged = scores_for(there, first, last, now=NOW).judged
            return Side(there.rules, graded(there, judged), retell(there, judged, first, last))

        old, once = _timed(lambda: told(service))
        new, again = _timed(lambda: told(stricter))
        found, compared = _timed(lambda: differences(old, new, service.calendar))
    print(f"  told from the store: {once:.2f} s, {len(old.told.alerts)} alerts; by other thresholds: {again:.2f} s")
    print(f"  compared: {compared:.2f} s, {len(found)} differences")
    limit = LIMITS.get(districts)
    if limit is None:
        return 0
    print(f"  {'within' if again <= limit else 'beyond'} its limit of {limit:g} s", flush=True)
    return int(again > limit)


def _stricter(service: Service) -> Service:
    rules = tuple(with_more(rule, MORE) or rule for rule in service.rules.rules)
    return replace(service, rules=replace(service.rules, rules=rules))


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
