"""How often the detectors that compare with a place's own past are surprised on quiet real feeds.

    nice python -m benchmarks.bench_past

The real feeds are read by ``../shared/tools``; without that folder they are left out.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.quiet_feeds import reader
from detectors.panel import Panel, Scores
from detectors.yearly import yearly

FREQUENCY = {"D": "daily", "W": "weekly", "M": "monthly"}
TWO_YEARS = {"daily": 730, "weekly": 104, "monthly": 36}  # before them nothing is judged; months need three
WEEK = {"daily": 7, "weekly": 1, "monthly": 1}
LARGEST = 400  # series of a feed that are judged


def main() -> int:
    """Print the shares of quiet cells beyond surprise 2 and 3, for rises and falls."""
    if (feeds := reader()) is None:
        return 0
    for name in feeds.FEEDS:
        table, letter, quiet = feeds.load(name)
        _feed(feeds, name, table, FREQUENCY[letter], quiet)
    return 0


def _feed(feeds: Any, name: str, table: Any, frequency: str, quiet: Any) -> None:
    few = table.iloc[:, :: max(1, table.shape[1] // LARGEST)]
    dates = table.index.to_numpy().astype("datetime64[D]")
    panel = Panel(dates, [tuple(reversed(key)) for key in few.columns], few.to_numpy(float), frequency)
    last = len(dates) - TWO_YEARS[frequency]
    for level in (False, True):
        begun = time.process_time()
        scores = yearly(panel, last=last, window=WEEK[frequency], level=level)
        print(f"{name}, yearly{', level' if level else ''}: {_told(feeds, scores, quiet[-last:])}", end="")
        print(f"; {1e6 * (time.process_time() - begun) / scores.observed.size:.0f} µs a value")


def _told(feeds: Any, scores: Scores, quiet: Any) -> str:
    rises = {at: feeds.exceedance(scores.observed, scores.expected, scores.surprise, quiet, at) for at in (2, 3)}
    falls = feeds.exceedance(-scores.observed, -scores.expected, -scores.surprise, quiet, 3)
    return (
        f"{rises[2]['raw']:.2f} % beyond 2, {rises[3]['raw']:.2f} % beyond 3, gated {rises[3]['gated']:.2f} %;"
        f" falls beyond 3 {falls['raw']:.2f} %"
    )


if __name__ == "__main__":
    sys.exit(main())
