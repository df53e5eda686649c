"""How fast ``outbreak`` is, and how often it is surprised on real quiet feeds.

    python -m benchmarks.bench_outbreak

The feeds are complaints to the 51 New York council districts, 29 categories, 2015-2023; the folder
``../shared/data/municipal`` holds them, and without it the second part is left out.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from detectors import Panel
from detectors.outbreak import outbreak

FEED = Path(__file__).resolve().parents[2] / "shared" / "data" / "municipal" / "nyc_complaints_daily.csv.gz"
SHOCKS = (  # left out: blizzard, first wave, hurricane, turnover of the council
    ("2016-01-18", "2016-02-07"),
    ("2020-03-01", "2020-09-30"),
    ("2021-08-30", "2021-09-19"),
    ("2022-01-01", "2022-04-30"),
)


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


def real(step: str) -> tuple[Panel, np.ndarray]:
    """Return the feed by day ("D") or Monday week ("W-MON"), and (T,) which dates are quiet."""
    import pandas as pd

    rows = pd.read_csv(FEED, parse_dates=["date"])
    weekly = step != "D"
    if weekly:
        rows["date"] -= pd.to_timedelta(rows.date.dt.day_of_week, unit="D")
    dates = pd.date_range("2015-01-05" if weekly else "2015-01-01", "2023-11-20" if weekly else "2023-11-30", freq=step)
    table = rows.groupby(["date", "category", "district"])["count"].sum().unstack(["category", "district"])
    values = table.reindex(dates).fillna(0.0)
    days = dates.to_numpy().astype("datetime64[D]")
    quiet = np.ones(len(days), dtype=bool)
    for first, last in SHOCKS:
        quiet &= ~((days >= np.datetime64(first)) & (days <= np.datetime64(last)))
    return Panel(days, list(values.columns), values.to_numpy(float), "weekly" if weekly else "daily"), quiet


def main() -> int:
    """Print the figures."""
    panel = simulated(1096, 407)
    for last in (1, 14):
        print(f"407 daily series x 1,096 days, last={last}: {seconds(panel, last):.2f} s")
    if not FEED.exists():
        print(f"real feeds: left out, {FEED} is absent")
        return 0
    for name, step in (("daily", "D"), ("weekly", "W-MON")):
        panel, quiet = real(step)
        scores = outbreak(panel, last=len(panel.dates))
        judged = np.isfinite(scores.surprise) & quiet[:, None]
        extra = scores.observed - scores.expected
        gate = (extra >= 5) & (scores.observed >= 1.5 * scores.expected)
        at = {level: judged & (scores.surprise >= level) for level in (2, 3)}
        print(
            f"New York {name}, {judged.sum():,} quiet cells: beyond surprise 2 {at[2].sum() / judged.sum():.3%},"
            f" 3 {at[3].sum() / judged.sum():.3%}, 3 and gated {(at[3] & gate).sum() / judged.sum():.3%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
