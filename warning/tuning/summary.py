"""What a period would have been like for those on duty: how many alerts, when, where, how many of them right.

Pure.  What is counted are rises: an alert that opens, and one that goes higher.  Of alerts that are right or not the
share has an interval: Jeffreys' of 95 % (Brown, Cai & DasGupta 2001, Statistical Science 16(2): 101-133).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from warning.city import City
from warning.model import Alert, Event, Level
from warning.tuning.labels import Label, within
from warning.tuning.retold import Retold

Right = Callable[[Alert], bool | None]  # whether an alert was right; None where nobody knows
Counts = Mapping[Level, int]
LEVELS = (Level.YELLOW, Level.ORANGE, Level.RED)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and between which shares the truth lies."""

    count: int
    of: int

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Jeffreys' interval of 95 %; all there is where nothing was counted."""
        if not self.of:
            return 0.0, 1.0
        from scipy.stats import beta

        a, b = self.count + 0.5, self.of - self.count + 0.5
        low = 0.0 if self.count == 0 else float(beta.ppf(0.025, a, b))
        return low, 1.0 if self.count == self.of else float(beta.ppf(0.975, a, b))


@dataclass(frozen=True)
class Lead:
    """How long after the first day of an event the first alert of a level came, in days; None: never."""

    label: Label
    yellow: int | None
    orange: int | None


@dataclass(frozen=True)
class OfRule:
    """What one rule gave."""

    rises: Counts
    judged: int  # place-days, place-weeks, …
    coloured: int
    right: Share | None


@dataclass(frozen=True)
class Summary:
    """The numbers of a period."""

    first: date
    last: date
    rises: Counts
    by_day: Mapping[date, Counts]  # days without any are left out
    by_place: Mapping[str, Counts]
    by_rule: Mapping[str, OfRule]
    right: Mapping[Level, Share] | None  # by the highest level an alert had; None where nothing is known
    leads: tuple[Lead, ...]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def highest(self, day: date) -> Level:
        """Return the highest level that was told of on a day."""
        return max((level for level, count in self.by_day.get(day, {}).items() if count), default=Level.CALM)

    def urgent(self, day: date) -> int:
        """Return how many orange and red were told of on a day: the load of the shift that got them."""
        return sum(count for level, count in self.by_day.get(day, {}).items() if level >= Level.ORANGE)


def summary(
    told: Retold, rules: Iterable[str], *, right: Right | None = None, labels: Sequence[Label] = (), city: City
) -> Summary:
    """Return the numbers of a period.

    Args:
        told: From ``retell``.
        rules: Ids, in the order to list them.
        right: Which alerts were right; None where nobody knows of any.
        labels: Events that are known, to say how early they were told.
        city: Its tree of places.
    """
    rises = list(told.rises())
    by_rule: dict[str, Counter[Level]] = {rule: Counter() for rule in rules}
    opened_by: dict[str, str] = {}
    by_day: dict[date, Counter[Level]] = {}
    by_place: dict[str, Counter[Level]] = {}
    for event in rises:
        rule, place = told.rule_of(event), told.alerts[event.alert].place
        opened_by.setdefault(event.alert, rule)
        by_rule.setdefault(rule, Counter())[event.after] += 1
        by_day.setdefault(event.known, Counter())[event.after] += 1
        by_place.setdefault(place, Counter())[event.after] += 1
    said = {} if right is None else {number: right(alert) for number, alert in told.alerts.items()}
    known = {number: true for number, true in said.items() if true is not None}
    return Summary(
        told.first,
        told.last,
        Counter(event.after for event in rises),
        by_day,
        by_place,
        {
            rule: OfRule(
                counts,
                told.judged.get(rule, 0),
                told.coloured.get(rule, 0),
                _share([true for number, true in known.items() if opened_by.get(number) == rule], known),
            )
            for rule, counts in by_rule.items()
        },
        None
        if not known
        else {
            level: Share(sum(true for n, true in known.items() if told.alerts[n].peak == level), count)
            for level in LEVELS
            if (count := sum(told.alerts[number].peak == level for number in known))
        },
        tuple(_lead(label, told, rises, city) for label in labels if label.first <= told.last >= told.first),
    )


def by_labels(labels: Sequence[Label], city: City, *, slack: int = 1) -> Right:
    """Return whether an alert is of a known event: its indicator, in its place or one within, while it lasted.

    Args:
        labels: All events there were.
        city: Its tree of places.
        slack: Days after the last day of an event on which an alert still counts as of it.
    """

    def right(alert: Alert) -> bool:
        return any(
            alert.indicator == label.key.indicator
            and within(city, alert.place, label.key.place)
            and alert.opened <= label.last + timedelta(days=slack)
            and alert.updated >= label.first
            for label in labels
        )

    return right


def _share(true: Sequence[bool], known: Mapping[str, bool]) -> Share | None:
    return Share(sum(true), len(true)) if known else None


def _lead(label: Label, told: Retold, rises: Iterable[Event], city: City) -> Lead:
    first: dict[Level, int] = {}
    for event in rises:
        alert = told.alerts[event.alert]
        there = alert.indicator == label.key.indicator and within(city, alert.place, label.key.place)
        if there and label.first <= event.known <= label.last + timedelta(days=1):
            after = (event.known - label.first).days
            for level in (Level.YELLOW, Level.ORANGE):
                if event.after >= level:
                    first[level] = min(after, first.get(level, after))
    return Lead(label, first.get(Level.YELLOW), first.get(Level.ORANGE))
