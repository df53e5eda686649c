"""How many simulated outbreaks ``outbreak`` finds by each of its methods, beside R's ``farringtonFlexible``.

    nice python -m benchmarks.bench_small_outbreaks [--peers]

420 series of 624 weeks with one outbreak each in the last 49 (``../shared/data/noufaily``), each judged with and
without it.  Thresholds are set on the weeks without.  What had to be chosen was chosen on series simulated anew and
on the first half of these (scenario + replicate even); the second half was looked at afterwards.  R is asked about a
few series where it is installed, for its speed and to compare numbers; with ``--peers`` about all of them.  Times are
processor time.  The last lines are of real feeds: how often quiet ones surprise, and how early the dengue example
(``examples/dengue``), which has no part in any choice made here, speaks by its own rule.
"""

from __future__ import annotations

import csv
import gzip
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.real_feeds import feeds
from detectors.outbreak import outbreak
from detectors.panel import Floats, Panel
from examples.dengue import quick, score
from examples.dengue.run import EPIDEMICS, HERE, quiet
from warning.city import load_city
from warning.ruleset import load_rules

SERIES = Path(__file__).resolve().parents[2] / "shared" / "data" / "noufaily" / "series.csv.gz"
PEER = Path(__file__).parent / "farrington_peer.R"
WEEKS, LAST = 624, 49
RATES = (0.005, 0.0095, 0.022, 0.042)  # false alarms a week at which outbreaks found are compared
FASTER = 100  # times R, to be reached
AT_LEAST = 0.48  # best F1, to be reached by some method
R_SAMPLE = 6  # series

METHODS: dict[str, dict[str, Any]] = {
    "adaptive": {},
    "farrington as R has it": {"method": "farrington", "level": False, "calendar": False, "least": 0},
    "farrington with level": {"method": "farrington", "calendar": False},
}


@dataclass(frozen=True)
class Outbreaks:
    """Simulated series, (WEEKS, N)."""

    counts: Floats
    added: Floats  # of the outbreak that is to be found
    even: np.ndarray  # (N,) of the half things were chosen on


def main() -> int:
    """Print the figures; return 1 if a target is missed."""
    if not SERIES.exists():
        print(f"simulated outbreaks: left out, {SERIES} is absent")
        return 0
    data = read()
    print(f"outbreaks found at {', '.join(f'{100 * rate:.2g} %' for rate in RATES)} false alarms a week; best F1")
    found = {}
    for method, asked in METHODS.items():
        for evidence in (1, 2, 3):
            name = f"{method}, {'last week' if evidence == 1 else f'sums of 1 to {evidence} weeks'}"
            found[name] = _reported(name, data, partial(judged, evidence=evidence, **asked))
    peer = beside_r(data)
    if peer.tails:
        found["R"] = _reported("R farringtonFlexible", data, peer.tails)
    _quiet()
    _dengue()
    rivals = found.pop("R", found["farrington as R has it, last week"])
    best = max((np.all(ours[:-1] > rivals[:-1]), ours[-1]) for ours in found.values())
    return int(not best[0] or best[1] < AT_LEAST or peer.times_as_long < FASTER)


def read() -> Outbreaks:
    """Return the simulated series."""
    with gzip.open(SERIES, "rt", encoding="utf-8") as file:
        rows = sorted(
            (
                row["series_id"],
                int(row["week"]),
                int(row["count"]),
                int(row["test_outbreak"]),
                row["scenario"],
                row["rep"],
            )
            for row in csv.DictReader(file)
        )
    counts, added = (np.array([row[which] for row in rows], dtype=float).reshape(-1, WEEKS).T for which in (2, 3))
    even = np.array([(int(row[4]) + int(row[5])) % 2 == 0 for row in rows[::WEEKS]])
    return Outbreaks(counts, added, even)


def judged(counts: Floats, **asked: Any) -> Floats:
    """Return (LAST, N) surprises."""
    dates = np.datetime64("2011-01-03") + 7 * np.arange(len(counts))
    keys = [(f"series {n}", "all") for n in range(counts.shape[1])]  # nothing is pooled
    return outbreak(Panel(dates, keys, counts, "weekly"), last=LAST, **asked).surprise


def _reported(name: str, data: Outbreaks, judge: Callable[[Floats], Floats]) -> Floats:
    """Print and return the shares of outbreaks found at each rate, and the best F1."""
    begin = time.process_time()
    with_it, without = judge(data.counts), judge(data.counts - data.added)
    cost = (time.process_time() - begin) / with_it.size / 2
    whole = found(with_it, without, data.added[-LAST:])
    halves = [found(with_it[:, half], without[:, half], data.added[-LAST:, half]) for half in (data.even, ~data.even)]
    beyond = [(without >= at).mean() for at in (2, 3)]
    print(
        f"{name}: {_told(whole)} (halves {_told(halves[0])} / {_told(halves[1])});"
        f" quiet weeks beyond 2 {beyond[0]:.2%}, 3 {beyond[1]:.2%}; {1e6 * cost:.0f} µs a series-week"
    )
    return whole


def _told(numbers: Floats) -> str:
    return " ".join(f"{number:.3f}".lstrip("0") for number in numbers)


def found(with_it: Floats, without: Floats, added: Floats) -> Floats:
    """Return the share of outbreaks with an alarm from their first to their last week at each rate, and the best F1.

    An alarm is a surprise above a threshold.  A rate is that of the weeks without outbreaks; F1 is by week, of the
    series that have one.
    """
    with_it, without = (np.nan_to_num(surprise, nan=-np.inf) for surprise in (with_it, without))
    has = (added > 0).any(axis=0)
    week = np.arange(len(added))[:, None]
    first, last = (added > 0).argmax(axis=0), len(added) - 1 - (added[::-1] > 0).argmax(axis=0)
    inside = (week >= first) & (week <= last) & has
    most = np.where(inside, with_it, -np.inf).max(axis=0)[has]
    ordered = np.sort(without.ravel())[::-1]
    shares = [(most > ordered[int(rate * ordered.size)]).mean() for rate in RATES]
    hits, others = (np.sort(with_it[:, has][where[:, has]]) for where in (inside, ~inside))
    levels = np.unique(np.concatenate([hits, others]))
    true = len(hits) - np.searchsorted(hits, levels, side="right")
    false = len(others) - np.searchsorted(others, levels, side="right")
    return np.array([*shares, (2 * true / (true + false + len(hits))).max()])


@dataclass(frozen=True)
class Peer:
    """What R said."""

    times_as_long: float
    tails: Callable[[Floats], Floats] | None = None


def beside_r(data: Outbreaks) -> Peer:
    """Print how long R takes, and how far its numbers lie from ours."""
    if shutil.which("Rscript") is None:
        print("R farringtonFlexible: not run, Rscript is not installed")
        return Peer(np.inf)
    ratios = []
    columns = np.linspace(0, data.counts.shape[1] - 1, R_SAMPLE).astype(int)
    quiet = data.counts - data.added
    for weeks, years, what in ((WEEKS, 5, "five years"), (156, 2, "156 weeks")):
        past = quiet[-weeks:]
        last = min(LAST, weeks - 52 * years - 3)
        theirs = _r(past[:, columns], years, last)
        if theirs is None:
            print("R farringtonFlexible: not run, its package surveillance is not installed")
            return Peer(np.inf)
        version, seconds, tails = theirs
        asked = METHODS["farrington as R has it"] | {"years": years}
        begin = time.process_time()
        surprise = judged(past, **asked)[-last:]
        ours = (time.process_time() - begin) / past.shape[1] / LAST
        rise = surprise[:, columns] > 0
        apart = np.abs(10 ** -surprise[:, columns][rise] / tails[rise] - 1).max()
        ratios.append(seconds / tails.size / ours)
        print(
            f"R surveillance {version}, {what}, {R_SAMPLE} series: {1e3 * seconds / tails.size:.1f} ms a series-week,"
            f" ours for all {past.shape[1]} series {1e6 * ours:.0f} µs, {ratios[-1]:.0f} times as fast;"
            f" tails differ by a part of {apart:.0e} at most"
        )
    if "--peers" not in sys.argv:
        print("R farringtonFlexible on all series: not run, ask for it by --peers; its numbers are those above")
        return Peer(min(ratios))
    return Peer(min(ratios), lambda counts: -np.log10(np.maximum(_whole(_r(counts, 5, LAST)), 1e-300)))


def _whole(answer: tuple[str, float, Floats] | None) -> Floats:
    assert answer is not None
    return answer[2]


def _r(counts: Floats, years: int, last: int) -> tuple[str, float, Floats] | None:
    """Return R's version, seconds and tails (last, N); None where its package is missing."""
    with TemporaryDirectory() as folder:
        asked, answers = Path(folder) / "values.csv", Path(folder) / "answers.csv"
        np.savetxt(asked, counts, "%d", ",", header=",".join(f"s{n}" for n in range(counts.shape[1])), comments="")
        command = ["Rscript", str(PEER), str(asked), str(years), str(last), str(answers)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            return None
        version, seconds = run.stdout.split()[-2:]
        return version, float(seconds), np.loadtxt(answers, delimiter=",", skiprows=1, ndmin=2)


def _quiet() -> None:
    """Print how often each method is surprised on real weekly and monthly feeds, judged after two years."""
    for feed, every in feeds("weekly", "monthly"):
        real = every.sample(200)
        for method, asked in METHODS.items():
            for evidence in (1, 3):
                last = len(real.panel.dates) - (112 if feed.frequency == "weekly" else 26)
                scores = outbreak(real.panel, last=last, evidence=evidence, **(asked | {"calendar": True}))
                _, raw, gated = real.beyond(scores, 3.0)
                print(f"{feed.name}, {method}, evidence {evidence}: beyond 3 {raw:.2%}, gated {gated:.2%}")


def _dengue() -> None:
    """Print weeks from the second township orange to the peak of each epidemic, and the alarms of quiet periods."""
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = quick.read_cases()
    for method, asked in METHODS.items():
        for evidence in (1, 3):
            parameters = {**rule.parameters, **asked, "calendar": True, "evidence": evidence}
            one = rule.model_copy(update={"parameters": parameters})
            watched = quick.watched(city, one, cases, quick.scored(one, cases))
            leads = [score.season(watched, *epidemic).lead for epidemic in EPIDEMICS]
            told = ", ".join(
                f"{code} {year} {'never' if lead is None else f'{lead} weeks'} before the peak"
                for (code, year), lead in zip(EPIDEMICS, leads, strict=True)
            )
            print(
                f"dengue, {method}, evidence {evidence}: {told}; {quiet(watched).rate:.3f} alarms a quiet township-year"
            )


if __name__ == "__main__":
    sys.exit(main())
