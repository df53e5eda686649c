"""What the dengue example is measured by: lead times, alarms in quiet periods, and what was missed.

Pure: takes the ``active`` level of every township in every week, from whatever ran
the service, and the cases.  An *alarm* is ``active`` rising from below orange to orange or red.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from warning.model import Level

SEASON_BEGINS = (5, 1)  # month, day
TOGETHER = timedelta(days=7)  # from one Monday to the next: two townships within two weeks
MANY = 50  # cases of a township in a year from which it counts as struck

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Watched:
    """Every township of the cities in every week.

    Args:
        mondays: T weeks, ascending.
        places: N codes.
        cities: N, the city each lies in.
        cases: (T, N).
        active: (T, N) of ``Level``.
    """

    mondays: tuple[date, ...]
    places: tuple[str, ...]
    cities: tuple[str, ...]
    cases: npt.NDArray[np.int64]
    active: npt.NDArray[np.int8]

    def of(self, city: str) -> Bools:
        """Return (N,) which townships lie in a city."""
        return np.array([known == city for known in self.cities])

    def between(self, first: date, last: date) -> Bools:
        """Return (T,) which weeks begin in a period, both ends included."""
        return np.array([first <= monday <= last for monday in self.mondays])

    def alarms(self) -> Bools:
        """Return (T, N) where ``active`` reached orange from below."""
        high = self.active >= Level.ORANGE
        before = np.vstack([np.zeros((1, high.shape[1]), dtype=np.bool_), high[:-1]])
        return np.asarray(high & ~before)


@dataclass(frozen=True)
class Season:
    """One city's year: when the service spoke, and when most cases came."""

    city: str
    year: int
    cases: int
    known: int  # of them, up to and with the week ``spoke``
    alarms: int
    peak: date  # Monday of the week with most cases
    spoke: date | None  # first week, from May on, in which a second township reached orange within two weeks

    @property
    def lead(self) -> int | None:
        """Weeks from the first word to the peak; negative if it came after."""
        return None if self.spoke is None else (self.peak - self.spoke).days // 7


@dataclass(frozen=True)
class Period:
    """Alarms of some townships over some weeks."""

    name: str
    alarms: int
    township_years: float

    @property
    def rate(self) -> float:
        """Alarms a township-year."""
        return self.alarms / self.township_years


@dataclass(frozen=True)
class Struck:
    """A township's year with many cases, and how long before its worst week it was orange."""

    place: str
    year: int
    cases: int
    lead: int | None  # weeks from its first orange week of the year; 0: the worst week itself; None: never


def season(watched: Watched, city: str, year: int) -> Season:
    """Return a city's year."""
    here, weeks = watched.of(city), np.flatnonzero(watched.between(date(year, 1, 1), date(year, 12, 31)))
    cases = watched.cases[:, here].sum(axis=1)
    alarms = watched.alarms()[:, here]
    peak = weeks[cases[weeks].argmax()]
    spoke = _spoke(watched.mondays, alarms, [int(week) for week in weeks], date(year, *SEASON_BEGINS))
    known = 0 if spoke is None else int(cases[weeks[0] : watched.mondays.index(spoke) + 1].sum())
    return Season(city, year, int(cases[weeks].sum()), known, int(alarms[weeks].sum()), watched.mondays[peak], spoke)


def period(watched: Watched, name: str, spans: Iterable[tuple[str, date, date]]) -> Period:
    """Return the alarms of spans, each of a city from one date to another; townships without a case count, too."""
    alarms, years = 0, 0.0
    for city, first, last in spans:
        here, weeks = watched.of(city), watched.between(first, last)
        alarms += int(watched.alarms()[np.ix_(weeks, here)].sum())
        years += here.sum() * weeks.sum() * 7 / 365.25
    return Period(name, alarms, years)


def struck(watched: Watched, years: Iterable[int]) -> Iterator[Struck]:
    """Yield the township-years of at least ``MANY`` cases."""
    high = watched.active >= Level.ORANGE
    for year in years:
        weeks = np.flatnonzero(watched.between(date(year, 1, 1), date(year, 12, 31)))
        for place, cases, warned in zip(watched.places, watched.cases[weeks].T, high[weeks].T, strict=True):
            if cases.sum() >= MANY:
                lead = int(cases.argmax()) - int(warned.argmax()) if warned.any() else None
                yield Struck(place, year, int(cases.sum()), lead)


def _spoke(mondays: tuple[date, ...], alarms: Bools, weeks: Iterable[int], begins: date) -> date | None:
    reached: list[tuple[date, int]] = []
    for week in weeks:
        if mondays[week] < begins:
            continue
        reached += [(mondays[week], int(place)) for place in np.flatnonzero(alarms[week])]
        if len({place for monday, place in reached if mondays[week] - monday <= TOGETHER}) >= 2:
            return mondays[week]
    return None
