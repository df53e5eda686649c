"""From verdicts to alerts: one series after the other, in order of date.

Pure; ``lifecycle`` says what one verdict does to one alert, this how many fold into
numbered alerts and their histories.  The live sweep and the replay fold alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from warning.lifecycle import Verdict, advance
from warning.model import Alert, Event, Level, SeriesKey, Stage
from warning.rule import Ruleset


@dataclass(frozen=True)
class Standing:
    """The alerts after some verdicts, and what changed on the way."""

    live: Mapping[SeriesKey, Alert]  # all that are not closed
    touched: tuple[Alert, ...]  # those that changed, as they stand now
    events: tuple[Event, ...]
    judged: Mapping[SeriesKey, date]  # the last date of each series that had a verdict


def holds_of(rules: Ruleset) -> dict[str, int]:
    """Return for each rule how many periods below a level pass before it falls: its quiet windows, end to end."""
    return {rule.id: rule.quiet * rule.window for rule in rules.rules}


def fold(
    verdicts: Iterable[Verdict],
    live: Mapping[SeriesKey, Alert],
    *,
    holds: Mapping[str, int],
    judged_until: Mapping[SeriesKey, date],
    opened: Callable[[date], int],
    told: Callable[[str], int],
    prefix: str,
    day: date,
    at: datetime,
) -> Standing:
    """Return the alerts after the verdicts.

    Args:
        verdicts: In order of date; of dates judged before, and of missing values, nothing is made.
        live: The alerts that are not closed.
        holds: From ``holds_of``.
        judged_until: The last date each series had a verdict for.
        opened: How many alerts of a date were numbered before.
        told: How many events an alert had before.
        prefix: Of the alerts' numbers.
        day: The data date of the sweep.
        at: The instant of the decision.
    """
    standing = dict(live)
    touched: dict[str, Alert] = {}
    events: list[Event] = []
    judged: dict[SeriesKey, date] = {}
    numbers: dict[date, int] = {}
    sequences: dict[str, int] = {}
    for found in verdicts:
        if found.level is Level.MISSING or found.date <= judged_until.get(found.key, date.min):
            continue
        judged[found.key] = found.date
        before = standing.get(found.key)
        after, why = advance(before, found, holds)
        if after is None:
            continue
        if not after.number:
            numbers[found.date] = numbers.get(found.date, opened(found.date)) + 1
            after = replace(after, number=f"{prefix}-{found.date:%Y%m%d}-{numbers[found.date]:04d}")
        if after != before:
            touched[after.number] = after
        if why is not None:
            sequence = sequences[after.number] = sequences.get(after.number, told(after.number)) + 1
            was = before.active if before is not None else Level.CALM
            late = day if day > after.updated else None
            events.append(Event(after.number, sequence, after.updated, at, why, was, after.active, swept=late))
        if after.stage is Stage.CLOSED:
            standing.pop(found.key, None)
        else:
            standing[found.key] = after
    return Standing(standing, tuple(touched.values()), tuple(events), judged)
