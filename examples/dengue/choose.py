"""How the rule's parameters and thresholds were chosen: on the weeks to the end of 2013 and nothing later.

    python -m examples.dengue.choose

tries every combination below, keeps those with at most half the alarms allowed in
the years with few cases (Tainan 2009, 2011 and 2013, Kaohsiung 2013), and of these takes the
longest lead, summed over the six larger seasons, then the fewest alarms.

The detector runs once for each set of its parameters; all thresholds are tried on the scores it gave.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from examples.dengue.quick import orange_alone, read_cases, scored
from examples.dengue.run import HERE, LEARNT
from examples.dengue.score import Watched, period, season
from warning.city import load_city
from warning.condition import Evidence
from warning.ruleset import load_rules

ALLOWED = 0.05 / 2  # alarms a township-year
FEW_CASES = (("tainan", 2009), ("tainan", 2011), ("tainan", 2013), ("kaohsiung", 2013))
SEASONS = (*(("kaohsiung", year) for year in (2009, 2010, 2011, 2012)), ("tainan", 2010), ("tainan", 2012))

EVIDENCE = (1, 2, 3)
RECALIBRATE = (False, True)
WITH_SEASON = (False, True)

SURPRISE = (1.0, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0)
RATIO = (1.5, 2.0, 3.0)
EXTRA = (2.0, 2.5, 3.0, 4.0, 5.0)
QUIET = (4, 8)


@dataclass(frozen=True, order=True)
class Tried:
    """One combination; the least is the best."""

    shortfall: int  # minus the summed lead
    rate: float  # alarms a township-year in years with few cases
    alarms: int  # 2009-2013
    evidence: int
    recalibrate: bool
    season: bool
    surprise: float
    ratio: float
    extra: float
    quiet: int


def tried() -> Iterator[Tried]:
    """Yield every combination."""
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = read_cases(through=LEARNT[-1])
    for asked in itertools.product(EVIDENCE, RECALIBRATE, WITH_SEASON):
        parameters = dict(zip(("evidence", "recalibrate", "season"), asked, strict=True))
        scores = scored(rule.model_copy(update={"parameters": parameters}), cases)
        for surprise, ratio, extra, quiet in itertools.product(SURPRISE, RATIO, EXTRA, QUIET):
            orange = Evidence(surprise=surprise, ratio=ratio, extra=extra)
            candidate = rule.model_copy(update={"lower_after": quiet, "yellow": None, "orange": orange, "red": None})
            seen = orange_alone(city, candidate, cases, scores)
            yield Tried(-_lead(seen), _rate(seen), _alarms(seen), *asked, surprise, ratio, extra, quiet)


def ordered(found: Sequence[Tried]) -> list[Tried]:
    """Return the best first, those with too many alarms last."""
    return sorted(found, key=lambda one: (one.rate > ALLOWED, one))


def _lead(seen: Watched) -> int:
    return sum(max(season(seen, city, year).lead or 0, 0) for city, year in SEASONS)


def _rate(seen: Watched) -> float:
    return period(seen, "", [(city, date(year, 1, 1), date(year, 12, 31)) for city, year in FEW_CASES]).rate


def _alarms(seen: Watched) -> int:
    return int(seen.alarms()[seen.between(date(LEARNT[0], 1, 1), date(LEARNT[-1], 12, 31))].sum())


def main() -> int:
    """Print the ten best of all, then the best of each set of the detector's parameters."""
    best = ordered(list(tried()))
    kinds = {(one.evidence, one.recalibrate, one.season): one for one in reversed(best)}
    print(_HEAD)
    for one in best[:10]:
        print(_line(one))
    print("\nthe best of each set of parameters")
    for one in ordered(list(kinds.values())):
        print(_line(one))
    return 0


_HEAD = (
    "summed lead  alarms/township-year  alarms 2009-2013  evidence  recalibrate  season  surprise  ratio  extra  quiet"
)


def _line(one: Tried) -> str:
    return (
        f"{-one.shortfall:11d}  {one.rate:20.3f}  {one.alarms:16d}  {one.evidence:8d}  {one.recalibrate!s:>11}"
        f"  {one.season!s:>6}  {one.surprise:8.1f}  {one.ratio:5.1f}  {one.extra:5.1f}  {one.quiet:5d}"
    )


if __name__ == "__main__":
    sys.exit(main())
