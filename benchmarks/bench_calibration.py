"""How often detectors are surprised on real quiet feeds, and what they find there at an equal load of false alarms.

    nice python -m benchmarks.bench_calibration

Six municipal feeds (``benchmarks/real_feeds.py``), every date judged by what lay before it.  Per cent of quiet cells
beyond surprise 2 and 3, and beyond 3 with at least 5 events more and 1.5 times as many as expected ("gated").  Power:
a third of New York's daily series, with spikes of 4 standard deviations, and rises to as much within 21 days, put into
quiet days; each method's threshold is what .1 % of its own quiet cells exceed, by class of volume.  Step: for
a year three years' counts of the same weekday are added up, so that three times as many scatter as they would.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.real_feeds import BOARDS, DAILY, DATA, FEEDS, RIO, WEEKLY, Feed, Real, read
from detectors import DETECTORS, Panel, Scores
from detectors.panel import Floats
from detectors.recalibration import VOLUMES

EXTRA, RATIO = 5.0, 1.5  # the gate
SPIKE, RISING = 4.0, 21  # standard deviations, days
ROUNDS = 3  # each with an injection into every series
LOAD = 0.001  # of quiet cells
DISCOVERIES = 0.1  # rate of false ones
AGAIN = {"daily": 364, "weekly": 52, "monthly": 12}  # steps to the same weekday a year later
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Method:
    """A detector with parameters, and the dates it needs before the first it judges."""

    name: str
    detector: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: int = 0

    def scores(self, panel: Panel) -> Scores:
        """Judge every date that can be."""
        return DETECTORS[self.detector](panel, last=len(panel.dates) - self.needs, **self.parameters)


OUTBREAK = Method("outbreak", "outbreak")
EARS = Method("ears C2", "ears", {"baseline": 7, "gap": 2}, needs=9)
METHODS = (OUTBREAK, EARS)
OWN_TAILS = Method("its own tails", "outbreak", {"recalibrate": False})
FORECAST = Method("forecast", "forecast", {"fit_every": 28})  # where a fit for every four weeks is no work of hours
OTHERS = {
    "New York, 51 x 29 weekly": (OWN_TAILS,),
    "Rio monthly": (OWN_TAILS,),
    "US cities weekly": (OWN_TAILS, FORECAST),
}


@dataclass(frozen=True)
class Judged:
    """The scores of a method over the quiet dates of a feed; arrays (T, N)."""

    surprise: Floats
    expected: Floats
    judged: Bools
    gated: Bools  # enough more than expected


def judged(method: Method, real: Real) -> Judged:
    """Judge a feed; of the dates a method cannot begin with nothing is known."""
    found = method.scores(real.panel)
    missing = np.full((len(real.panel.dates) - len(found.surprise), found.surprise.shape[1]), np.nan)
    surprise, expected = (np.concatenate([missing, part]) for part in (found.surprise, found.expected))
    more = real.panel.values - expected
    gate = (more >= EXTRA) & (real.panel.values >= RATIO * expected)
    return Judged(surprise, expected, np.isfinite(surprise) & real.quiet[:, None], gate)


def exceedances(feed: Feed, found: Mapping[Method, Judged]) -> npt.NDArray[np.int64]:
    """Print a feed's shares; return how many cells the first method judged, and how many lay beyond 2, 3, 3 gated."""
    counts = {}
    for method, one in found.items():
        second, third = (one.judged & (one.surprise >= level) for level in (2, 3))
        counts[method] = np.array([part.sum() for part in (one.judged, second, third, third & one.gated)])
        if counts[method][0]:
            print(f"{feed.name if method is OUTBREAK else '':26}{method.name:15}{told(counts[method])}")
    return counts[OUTBREAK]


def told(counts: npt.NDArray[np.int64]) -> str:
    """Return cells, and per cent of them."""
    cells, *beyond = counts.tolist()
    return f"{cells:>10,}" + "".join(f"{part / cells:10.3%}" for part in beyond)


def sweep_load(real: Real, found: Mapping[Method, Judged]) -> None:
    """Print how many findings beyond 3 a day of all daily series brings."""
    print(
        f"\n{real.panel.values.shape[1]:,} daily series, cells beyond 3 on a quiet day: raw, gated, and false-discovery"
    )
    print("controlled as well")
    for method, one in found.items():
        days = np.flatnonzero(one.judged.any(axis=1))
        beyond = one.judged & (one.surprise >= 3)
        kept = [_discovered(one.surprise[row], one.gated[row] & one.judged[row]) for row in days]
        raw, gated = (part.sum() / len(days) for part in (beyond, beyond & one.gated))
        print(f"  {method.name:15}{raw:6.2f}{gated:6.2f}{np.mean(kept):6.2f}")


def _discovered(surprise: Floats, candidate: Bools) -> int:
    """Return how many gated cells beyond 3 of a day Benjamini and Hochberg's procedure over all of them leaves."""
    p = np.sort(10.0 ** -surprise[candidate])
    line = DISCOVERIES * np.arange(1, len(p) + 1) / np.isfinite(surprise).sum()
    passed = np.flatnonzero(p <= line)
    return 0 if not len(passed) else int((p[: passed[-1] + 1] <= 1e-3).sum())


def power(real: Real) -> None:
    """Print what share of injected spikes and slow rises each method finds at an equal load."""
    third = sorted(set(real.places))[::3]
    real = real.take(lambda n: real.places[n] in third)
    panel, generator, injections = real.panel, np.random.default_rng(6), 0
    plain = {method: judged(method, real) for method in METHODS}
    found: dict[Method, list[tuple[Bools, Bools]]] = {method: [] for method in METHODS}
    for _ in range(ROUNDS):  # one into a series: what was injected before would have taught it
        rows, series = _where(real, generator)
        size = np.rint(SPIKE * _scatter(panel.values, rows, series))
        spiked, rising = panel.values.copy(), panel.values.copy()
        spiked[rows, series] += size
        for day in range(RISING):
            rising[rows + day, series] += np.rint(size * (day + 1) / RISING)
        injections += len(rows)
        for method in METHODS:
            line = _lines(plain[method])
            both = (_seen(method, real, values, line, rows, series) for values in (spiked, rising))
            spike, rise = both
            found[method].append((spike[0], np.asarray(rise.any(axis=0))))
    print(
        f"\n{injections:,} injections into {panel.values.shape[1]} daily series: spikes and slow rises that are found,"
    )
    print(f"the threshold of each class of volume being what {LOAD:.1%} of its quiet cells exceed")
    for method in METHODS:
        spikes, rises = (np.concatenate(parts) for parts in zip(*found[method], strict=True))
        print(f"  {method.name:15}{spikes.mean():6.1%} {rises.mean():6.1%}")


def _seen(
    method: Method,
    real: Real,
    values: Floats,
    line: Floats,
    rows: npt.NDArray[np.int64],
    series: npt.NDArray[np.int64],
) -> Bools:
    """Return (RISING, injections): which days from each injection on lie beyond the line of their class."""
    one = judged(method, replace(real, panel=replace(real.panel, values=values)))
    beyond = one.surprise >= line[np.searchsorted(VOLUMES, one.expected, side="right")]
    return np.stack([beyond[rows + day, series] for day in range(RISING)])


def _where(real: Real, generator: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of an injection into each series: quiet for all its days, two years after the first."""
    first, last = 2 * AGAIN["daily"], len(real.quiet) - RISING
    quiet = np.array([real.quiet[row : row + RISING].all() for row in range(first, last)])
    columns = np.arange(real.panel.values.shape[1])
    return generator.choice(first + np.flatnonzero(quiet), len(columns)), columns


def _scatter(values: Floats, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Floats:
    """Return the standard deviation of each cell's year before, at least 1/2."""
    year = AGAIN["daily"]
    return np.array(
        [max(values[row - year : row, column].std(), 0.5) for row, column in zip(rows, columns, strict=True)]
    )


def _lines(plain: Judged) -> Floats:
    """Return for each class of volume the surprise that a share LOAD of its quiet cells exceeds."""
    classes = np.searchsorted(VOLUMES, plain.expected[plain.judged], side="right")
    surprise = plain.surprise[plain.judged]
    parts = (surprise[classes == number] for number in range(len(VOLUMES) + 1))
    return np.array([np.quantile(part, 1 - LOAD) + 1e-9 if len(part) else np.inf for part in parts])


def steps(real: dict[str, Real]) -> None:
    """Print what of the last quarter of a year of three times the usual level is beyond 3."""
    print("\nthree times the usual for a year: share beyond 3 in the first quarter, in the last")
    for name, one in real.items():
        values, year = one.panel.values.copy(), AGAIN[one.panel.frequency or "daily"]
        start = 3 * year
        values[start : start + year] += values[start - year : start] + values[start - 2 * year : start - year]
        stepped = replace(one, panel=replace(one.panel, values=values))
        known = (one.panel.values[start - year : start].mean(axis=0) >= 1)[None]
        for method in METHODS:
            found = judged(method, stepped)
            shares = []
            for quarter in (slice(start, start + year // 4), slice(start + 3 * year // 4, start + year)):
                cells = np.isfinite(found.surprise[quarter]) & known
                shares.append((cells & (found.surprise[quarter] >= 3)).sum() / max(cells.sum(), 1))
            print(f"  {name if method is OUTBREAK else '':26}{method.name:15}{shares[0]:8.2%}{shares[1]:8.2%}")


def main() -> int:
    """Print the tables."""
    if not DATA.is_dir():
        print(f"left out: {DATA} is absent")
        return 0
    begin, pooled = time.process_time(), np.zeros(4, dtype=np.int64)
    print(f"{'feed':26}{'method':15}{'cells':>10}{'beyond 2':>10}{'3':>10}{'3, gated':>10}")
    kept, loads = {}, {}
    for feed in FEEDS:
        real = read(feed)
        found = {method: judged(method, real) for method in (*METHODS, *OTHERS.get(feed.name, ()))}
        pooled += exceedances(feed, found)
        sys.stdout.flush()
        if feed in (DAILY, WEEKLY, BOARDS, RIO):
            kept[feed.name] = real
        if feed is DAILY:
            loads = found
    print(f"{'all':26}{'outbreak':15}{told(pooled)}")
    daily = kept[DAILY.name]
    sweep_load(daily, loads)
    power(daily)
    steps(kept)
    print(f"\n{time.process_time() - begin:.0f} s of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
