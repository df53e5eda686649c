"""Why a rule gave a series the level it has on a date: every number beside what was asked, and what lacked.

From the stored scores, by the rules as they are now: a day of long ago is explained as they would judge it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from detectors.panel import Reason
from warning import grading
from warning.calendar import Calendar
from warning.condition import Condition
from warning.graded import Graded, graded
from warning.model import Level, SeriesKey
from warning.periods import last_day
from warning.regrading import stored
from warning.rule import OWN, Rule
from warning.service import Service
from warning.store.score import FIELDS

NUMBERS = ("observed", "expected", "lower", "upper", "surprise")


@dataclass(frozen=True)
class Measured:
    """What one method found."""

    method: str  # "" is the rule's own
    detector: str
    window: int
    observed: float
    expected: float
    lower: float
    upper: float
    surprise: float
    reason: Reason


@dataclass(frozen=True)
class Term:
    """One number that is asked for."""

    method: str
    name: str
    value: float
    asked: float
    holds: bool

    @property
    def margin(self) -> float:
        """By how much it is above what is asked; negative: so much is lacking."""
        return self.value - self.asked


@dataclass(frozen=True)
class Table:
    """Conditions that hold together; in ``any`` one is enough."""

    holds: bool
    terms: tuple[Term, ...]
    all: tuple[Table, ...] = ()
    any: tuple[Table, ...] = ()

    def lacking(self) -> Iterator[Term]:
        """Yield what would have had to be otherwise; of several ways the nearest, by share of what is asked."""
        yield from (term for term in self.terms if not term.holds)
        for table in self.all:
            yield from table.lacking()
        if self.any and not any(table.holds for table in self.any):
            yield from min((tuple(table.lacking()) for table in self.any), key=_distance)

    def weakest(self) -> Term | None:
        """Return the number that was nearest to not holding, None where the table does not hold."""
        if not self.holds:
            return None
        found = [*self.terms, *(one for table in self.all if (one := table.weakest()))]
        strong = [one for table in self.any if (one := table.weakest())]
        if strong:
            found.append(max(strong, key=_slack))  # the others need not hold
        return min(found, key=_slack, default=None)


@dataclass(frozen=True)
class Asked:
    """What one colour asks for, and what it found."""

    level: Level
    raises: Table
    hits: int  # of the last ``within`` separate windows
    raise_after: int
    within: int
    keeps: Table | None  # the second threshold

    @property
    def given(self) -> bool:
        return self.raises.holds and self.hits >= self.raise_after


@dataclass(frozen=True)
class Explained:
    """One rule, one series, one date."""

    rule: str
    indicator: str
    place: str
    date: date
    level: Level  # by this rule alone
    kept: Level
    measured: tuple[Measured, ...]
    asked: tuple[Asked, ...]
    asleep: str  # why the rule is not asked: "season", "day", or ""


def explained(service: Service, rule: Rule, place: str, day: date, *, now: datetime) -> list[Explained]:
    """Return why each indicator of a rule has its level in a place; empty where it does not judge the place.

    Args:
        service: An opened deployment.
        rule: One of its rules.
        place: A code.
        day: The first day of a period.
        now: Scores saved later are not looked at.
    """
    frequency = service.city.indicators[rule.indicators[0]].frequency
    judged = stored(service, day, last_day(day, frequency), known_at=now, only=FIELDS)
    found = graded(service, judged).get(rule.id)
    if found is None or found.row(np.datetime64(day)) is None:
        return []
    columns = [n for n, key in enumerate(found.keys) if key.place == place]
    return [of_cell(found, column, day, service.calendar) for column in columns]


def document(found: Sequence[Explained]) -> list[dict[str, Any]]:
    """Return the same as plain tables for JSON; a number that is none is null."""
    plain: list[dict[str, Any]] = _plain([asdict(one) for one in found])
    return plain


def of_cell(found: Graded, column: int, day: date, calendar: Calendar) -> Explained:
    """Return why one series has its level on a date that was judged."""
    key: SeriesKey = found.keys[column]
    row = found.row(np.datetime64(day)) or 0
    rule, cell = found.rule.at(key.place), (row, column)
    measured = []
    for name, view in found.rule.views.items():
        scores = found.scores if name == OWN else found.beside.others[name]
        numbers = {field: float(getattr(scores, field)[cell]) for field in NUMBERS}
        measured.append(Measured(name, view.detector, view.window, reason=Reason(int(scores.reason[cell])), **numbers))
    asked = tuple(_asked(rule, level, found, cell) for level, _ in rule.levels())
    dates = np.array([day], dtype="datetime64[D]")
    season, kind = rule.active.in_season(dates)[0], rule.active.asked(dates, calendar)[0]
    return Explained(
        rule.id,
        key.indicator,
        key.place,
        day,
        Level(int(found.levels[cell])),
        Level(int(found.kept[cell])),
        tuple(measured),
        asked,
        "" if season and kind else "day" if season else "season",
    )


def _asked(rule: Rule, level: Level, found: Graded, cell: tuple[int, int]) -> Asked:
    evidence = dict(rule.levels())[level]
    row, column = cell
    holds = grading.held(evidence, found.scores, found.signs, found.beside)[:, column]
    rows = [row - back * rule.span for back in range(rule.within)]
    hits = sum(bool(holds[one]) for one in rows if one >= 0)
    keeps = None if evidence.lower is None else _table(evidence.lower, found, cell)
    return Asked(level, _table(evidence, found, cell), hits, rule.raise_after, rule.within, keeps)


def _table(condition: Condition, found: Graded, cell: tuple[int, int]) -> Table:
    sign = int(found.signs[cell[1]])
    numbers = grading.measures(condition, found.scores, sign, found.beside, cell)
    terms = tuple(
        Term(condition.method, name, numbers[name], asked, numbers[name] >= asked)
        for name, asked in condition.asked().items()
    )
    every, some = (tuple(_table(one, found, cell) for one in tables) for tables in (condition.all, condition.any))
    holds = all(term.holds for term in terms) and all(table.holds for table in every)
    return Table(holds and (not some or any(table.holds for table in some)), terms, every, some)


def _slack(term: Term) -> float:
    return term.margin / term.asked


def _distance(lacking: Sequence[Term]) -> float:
    return sum(-_slack(term) if math.isfinite(term.value) else math.inf for term in lacking)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Level | Reason):
        return value.name.lower()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date) else value
