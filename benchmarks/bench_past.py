"""How often the detectors that compare with a place's own past are surprised on quiet real feeds.

    nice python -m benchmarks.bench_past

The real feeds are read by ``../shared/tools``; without that folder they are left out.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

from benchmarks.quiet_feeds import reader
from detectors.panel import Panel, Scores
from detectors.rank import rank
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
    last, window = len(table) - TWO_YEARS[frequency], WEEK[frequency]
    for way, columns, judge in (
        ("yearly", _every(table), partial(yearly, window=window)),
        ("yearly, level", _every(table), partial(yearly, window=window, level=True)),
        ("rank", _whole_indicators(table), partial(rank, window=window)),
    ):
        few = table.loc[:, columns]
        dates = few.index.to_numpy().astype("datetime64[D]")
        panel = Panel(dates, [tuple(reversed(key)) for key in few.columns], few.to_numpy(float), frequency)
        begun = time.process_time()
        scores = judge(panel, last=last)
        print(f"{name}, {way}, {len(columns)} series: {_told(feeds, scores, quiet[-last:])}", end="")
        print(f"; {1e6 * (time.process_time() - begun) / scores.observed.size:.0f} µs a value")


def _every(table: Any) -> Any:
    """Return a sample of the series."""
    return table.columns[:: max(1, table.shape[1] // LARGEST)]


def _whole_indicators(table: Any) -> Any:
    """Return all places of some indicators: those that are ranked must be there."""
    names = list(dict.fromkeys(table.columns.get_level_values(-1)))
    step = max(1, table.shape[1] // LARGEST)
    return table.columns[table.columns.get_level_values(-1).isin(names[::step])]


def _told(feeds: Any, scores: Scores, quiet: Any) -> str:
    rises = {at: feeds.exceedance(scores.observed, scores.expected, scores.surprise, quiet, at) for at in (2, 3)}
    falls = feeds.exceedance(-scores.observed, -scores.expected, -scores.surprise, quiet, 3)
    return (
        f"{rises[2]['raw']:.2f} % beyond 2, {rises[3]['raw']:.2f} % beyond 3, gated {rises[3]['gated']:.2f} %;"
        f" falls beyond 3 {falls['raw']:.2f} %"
    )


if __name__ == "__main__":
    sys.exit(main())
