"""What is known to have happened, and whether, when and how loudly the service spoke of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from warning.grounds import ground
from warning.model import Alert, Level, Transition
from warning.replay import Replayed

WEEK = timedelta(days=6)
LATE = timedelta(days=13)  # by then a line is told of a week too late, no longer in its own


@dataclass(frozen=True)
class Line:
    """One line of ``events.csv``: a week in which the city's count of a category left its range."""

    monday: date
    category: str  # "all" for the sum
    event: str
    rises: bool

    @property
    def text(self) -> str:
        return f"{self.monday} {self.category} {'up' if self.rises else 'down'}, {self.event}"


@dataclass(frozen=True)
class Heard:
    """What stood of a line's category and direction, and beside it."""

    first: date  # data date on whose morning after it was first there, or rose; before the Monday: it stood already
    level: Level  # the highest of the line's week
    where: tuple[str, ...]  # places, those of the highest level first
    others: int  # alerts of other categories that stood on the first day
    graver: int  # of them orange or red
    opened: int  # of them opened that very day


def read_lines(path: Path, dataset: str) -> list[Line]:
    """Return the lines of a data set, the earliest first."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset and row["area"] == "city"]
    lines = [
        Line(date.fromisoformat(row["period_start"]), row["category"], row["event"], row["expected"] == "up")
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line.monday, line.category))


def indicator_of(prefix: str, category: str) -> str:
    """Return the id a category has in the catalogue."""
    return f"{prefix}_{re.sub('[^a-z0-9]+', '_', category.lower()).strip('_')}"


def heard(line: Line, indicator: str, days: Sequence[Replayed]) -> Heard | None:
    """Return what the service said of a line from its Monday on; None where nothing did in the fortnight.

    What stood before and did not rise is told with the day it was first there.

    Args:
        line: The line.
        indicator: Its category's.
        days: Replayed, from some days before its Monday on.
    """
    before = _levels(line, indicator, [day for day in days if day.day < line.monday][-1:])
    fortnight = [day for day in days if line.monday <= day.day <= line.monday + LATE]
    first = next((day for day in fortnight if _news(_standing(line, indicator, day), before)), None)
    if first is None and before:
        first = next(day for day in days if _standing(line, indicator, day))
    if first is None:
        return None
    until = max(first.day, line.monday + WEEK)
    levels = _levels(line, indicator, [day for day in days if first.day <= day.day <= until])
    others = [alert for alert in _coloured(first) if alert.indicator != indicator]
    opened = {event.alert for event in first.events if event.transition is Transition.OPENED}
    return Heard(
        first.day,
        max(levels.values()),
        tuple(sorted(levels, key=lambda place: (-levels[place], place))),
        len(others),
        sum(alert.active >= Level.ORANGE for alert in others),
        sum(alert.number in opened for alert in others),
    )


def openings(days: Sequence[Replayed]) -> Iterator[tuple[Replayed, Alert]]:
    """Yield each day with each alert that opened on it, as it stood then."""
    for day in days:
        alerts = {alert.number: alert for alert in day.touched}
        for event in day.events:
            if event.transition is Transition.OPENED:
                yield day, alerts[event.alert]


def _standing(line: Line, indicator: str, day: Replayed) -> dict[str, Level]:
    """By place, the level of the alerts of an indicator that go the line's way."""
    return {
        alert.place: alert.active
        for alert in _coloured(day)
        if alert.indicator == indicator and ((signal := ground(alert)) and (signal.surprise > 0) == line.rises)
    }


def _levels(line: Line, indicator: str, days: Sequence[Replayed]) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for day in days:
        for place, level in _standing(line, indicator, day).items():
            found[place] = max(found.get(place, Level.CALM), level)
    return found


def _news(now: Mapping[str, Level], before: Mapping[str, Level]) -> bool:
    return any(level > before.get(place, Level.CALM) for place, level in now.items())


def _coloured(day: Replayed) -> list[Alert]:
    return [alert for alert in day.live.values() if alert.active > Level.CALM]
