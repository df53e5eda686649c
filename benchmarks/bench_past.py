"""How often the detectors that compare with a place's own past are surprised on quiet real feeds.

    nice python -m benchmarks.bench_past

Per cent of quiet cells (``benchmarks/real_feeds.py``), judged from the third year on, of months from the fourth.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from benchmarks.real_feeds import Real, feeds
from detectors.rank import rank
from detectors.yearly import yearly

BEFORE = {"daily": 730, "weekly": 104, "monthly": 36}  # steps that are not judged
WEEK = {"daily": 7, "weekly": 1, "monthly": 1}
LARGEST = 400  # series of a feed that are judged


def main() -> int:
    """Print the shares of quiet cells beyond surprise 2 and 3."""
    for feed, real in feeds("daily", "weekly", "monthly"):
        window = WEEK[feed.frequency]
        for way, some, judge in (
            ("yearly", real.sample(LARGEST), partial(yearly, window=window)),
            ("yearly, level", real.sample(LARGEST), partial(yearly, window=window, level=True)),
            ("rank", _whole_indicators(real), partial(rank, window=window)),
        ):
            begun = time.process_time()
            scores = judge(some.panel, last=len(some.panel.dates) - BEFORE[feed.frequency])
            spent = 1e6 * (time.process_time() - begun) / scores.observed.size
            (_, two, _), (_, three, gated) = some.beyond(scores, 2), some.beyond(scores, 3)
            print(
                f"{feed.name}, {way}, {len(some.places)} series: beyond 2 {two:.2%}, beyond 3 {three:.2%},"
                f" gated {gated:.2%}; {spent:.0f} µs a value"
            )
    return 0


def _whole_indicators(real: Real) -> Real:
    """Return all places of some indicators: those that are ranked must be there."""
    names = list(dict.fromkeys(real.indicators))
    kept = set(names[:: max(1, len(real.indicators) // LARGEST)])
    return real.take(lambda n: real.indicators[n] in kept)


if __name__ == "__main__":
    sys.exit(main())
