"""How the rule's thresholds were chosen: on the weeks to the end of 2013 and nothing later.

    python -m examples.dengue.choose

tries every combination below, keeps those with at most half the alarms allowed in
the years with few cases (Tainan 2009, 2011 and 2013, Kaohsiung 2013), and of these takes the
longest lead, summed over the six larger seasons, then the fewest alarms.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from datetime import date

from examples.dengue.quick import read_cases, scored, watched
from examples.dengue.run import HERE, LEARNT
from examples.dengue.score import Watched, period, season
from warning.city import load_city
from warning.rule import Evidence
from warning.ruleset import load_rules

ALLOWED = 0.05 / 2  # alarms a township-year
FEW_CASES = (("tainan", 2009), ("tainan", 2011), ("tainan", 2013), ("kaohsiung", 2013))
SEASONS = (*(("kaohsiung", year) for year in (2009, 2010, 2011, 2012)), ("tainan", 2010), ("tainan", 2012))
WITH_SEASON = (False, True)
SURPRISE = (1.3, 1.5, 1.7, 2.0, 2.5, 3.0)
EXTRA = (2.0, 2.5, 3.0, 4.0)
QUIET = (4, 8)


@dataclass(frozen=True, order=True)
class Tried:
    """One combination; the least is the best."""

    shortfall: int  # minus the summed lead
    rate: float  # alarms a township-year in years with few cases
    alarms: int  # 2009-2013
    season: bool
    surprise: float
    extra: float
    quiet: int


def tried() -> list[Tried]:
    """Return every combination, the best first, those with too many alarms last."""
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = read_cases(through=LEARNT[-1])
    found = []
    for with_season in WITH_SEASON:
        scores = scored(rule.model_copy(update={"parameters": {"season": with_season}}), cases)
        for surprise, extra, quiet in itertools.product(SURPRISE, EXTRA, QUIET):
            orange = Evidence(surprise=surprise, ratio=2.0, extra=extra)
            candidate = rule.model_copy(update={"quiet": quiet, "yellow": None, "orange": orange, "red": None})
            seen = watched(city, candidate, cases, scores)
            found.append(Tried(-_lead(seen), _rate(seen), _alarms(seen), with_season, surprise, extra, quiet))
    return sorted(found, key=lambda one: (one.rate > ALLOWED, one))


def _lead(seen: Watched) -> int:
    return sum(max(season(seen, city, year).lead or 0, 0) for city, year in SEASONS)


def _rate(seen: Watched) -> float:
    return period(seen, "", [(city, date(year, 1, 1), date(year, 12, 31)) for city, year in FEW_CASES]).rate


def _alarms(seen: Watched) -> int:
    return int(seen.alarms()[seen.between(date(LEARNT[0], 1, 1), date(LEARNT[-1], 12, 31))].sum())


def main() -> int:
    """Print the ten best."""
    print("summed lead  alarms/township-year  alarms 2009-2013  season  surprise  extra  quiet")
    for one in tried()[:10]:
        print(
            f"{-one.shortfall:11d}  {one.rate:20.3f}  {one.alarms:16d}  {one.season!s:>6}"
            f"  {one.surprise:8.1f}  {one.extra:5.1f}  {one.quiet:5d}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
