"""How fast ``outbreak`` is; how often it is surprised on real quiet feeds, ``bench_calibration`` measures.

    python -m benchmarks.bench_outbreak

Simulated series of the size of a city, one date and a fortnight.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from detectors import Panel
from detectors.outbreak import outbreak


def simulated(days: int, series: int) -> Panel:
    """Return counts of means from 0.1 to 30 with a weekday pattern and a season."""
    rng = np.random.default_rng(5)
    dates = np.datetime64("2023-01-02") + np.arange(days)
    wave = (1 + 0.3 * np.sin(2 * np.pi * np.arange(days) / 365.25)) * np.where(np.arange(days) % 7 < 5, 1.0, 0.6)
    mean = 10 ** rng.uniform(-1, 1.5, series) * wave[:, None]
    keys = [(f"indicator {n % 37}", f"place {n // 37}") for n in range(series)]
    return Panel(dates, keys, rng.negative_binomial(6, 6 / (6 + mean)).astype(float), "daily")


def seconds(panel: Panel, last: int, repeats: int = 3) -> float:
    """Return the best of some runs."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        outbreak(panel, last=last)
        found.append(time.perf_counter() - begin)
    return min(found)


def main() -> int:
    """Print the figures."""
    panel = simulated(1096, 407)
    for last in (1, 14):
        print(f"407 daily series x 1,096 days, last={last}: {seconds(panel, last):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
