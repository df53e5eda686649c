"""How an alert lives: signals move ``active``, people move ``stage``.

Pure: no clock, no database.  A day without data changes nothing; a calm day never
closes what a person must still verify; yellow ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from warning.model import Alert, Indicator, Level, SeriesKey, Signal, Stage, Transition
from warning.placecolour import Colour, PlaceColours

SETTLED = timedelta(days=42)  # by then an onset is as old as can be told from the days an estimate looks at
Day = date  # a verdict's own date hides the type


class Hold(NamedTuple):
    """How long a rule holds up the level it gave, in periods."""

    quiet: int = 1  # so many below the level, one after the other, before it falls
    stay: int = 0  # so many at the level at least


Holds = Callable[[str, str], Hold]  # of a rule, by its id, in a place


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all rules together say of one series on one date."""

    key: SeriesKey
    date: date
    level: Level
    signals: tuple[Signal, ...] = ()  # the coloured ones, strongest first
    onset: Day | None = None  # since when, where it can be told
    level_changed: bool = False  # to a level that is the usual one from now on
    kept: Mapping[str, Level] = field(default_factory=dict)  # by rule, the level it keeps up without raising to it


def verdict(key: SeriesKey, day: date, signals: Iterable[Signal], onset: date | None = None) -> Verdict:
    """Return the highest level of a series' rules; MISSING only when every rule abstains."""
    ordered = sorted(signals, key=lambda signal: (-signal.level, -abs(signal.surprise), signal.rule))
    level = max((signal.level for signal in ordered), default=Level.MISSING)
    return Verdict(key, day, level, tuple(s for s in ordered if s.level > Level.CALM), onset)


def advance(alert: Alert | None, verdict: Verdict, holds: Holds) -> tuple[Alert | None, Transition | None]:
    """Return the alert after a verdict, and what to tell people (None: nothing).

    Args:
        alert: The live alert of the series, or None.
        verdict: Of a date after the alert's last.
        holds: How long each rule holds up a level.
    """
    if alert is None:
        if verdict.level <= Level.CALM:
            return None, None
        return opened(verdict), Transition.OPENED
    if verdict.level is Level.MISSING:
        return alert, None
    if verdict.level > alert.active:
        onset = verdict.onset or (alert.onset if alert.active > Level.CALM else verdict.date)  # stronger evidence knows
        peak = max(alert.peak, verdict.level)
        return (
            replace(
                _at(alert, verdict),
                active=verdict.level,
                peak=peak,
                quiet=0,
                stayed=1,
                onset=onset,
                evidence=verdict.signals,
            ),
            Transition.RAISED,
        )
    alert = replace(_at(alert, verdict), stayed=alert.stayed + 1)
    if verdict.level == alert.active:
        return replace(alert, quiet=0, onset=_since(alert, verdict), evidence=verdict.signals), None
    level = max(verdict.level, kept_of(alert, verdict))
    if level >= alert.active:
        return replace(alert, quiet=0), None
    quiet, hold = alert.quiet + 1, hold_of(alert, holds)
    if quiet < hold.quiet or alert.stayed <= hold.stay:
        return replace(alert, quiet=quiet), None
    evidence = alert.evidence if level > verdict.level else verdict.signals  # a rule that keeps a level is its evidence
    lowered = replace(alert, active=level, quiet=0, stayed=1, evidence=evidence)
    if level is Level.CALM and not alert.needs_a_person:
        return replace(lowered, stage=Stage.CLOSED), Transition.ENDED
    return lowered, Transition.LOWERED


def _since(alert: Alert, verdict: Verdict) -> date:
    """Stronger evidence of the same level knows better since when, too, until the alert has settled.

    Never later than it was opened, or came back: what was told then was out of range as well.
    """
    stronger = _strength(verdict.signals) > _strength(alert.evidence)
    if verdict.onset is None or not stronger or verdict.date - alert.opened > SETTLED:
        return alert.onset
    return min(verdict.onset, max(alert.onset, alert.opened))


def _strength(signals: Iterable[Signal]) -> float:
    return max((abs(signal.surprise) for signal in signals), default=0.0)


def opened(verdict: Verdict) -> Alert:
    """Return the alert a first coloured verdict opens; its number is given by the store."""
    return Alert(
        number="",
        indicator=verdict.key.indicator,
        place=verdict.key.place,
        active=verdict.level,
        peak=verdict.level,
        stage=Stage.RAISED,
        onset=verdict.onset or verdict.date,
        opened=verdict.date,
        updated=verdict.date,
        stayed=1,
        evidence=verdict.signals,
    )


def hold_of(alert: Alert, holds: Holds) -> Hold:
    """Return how long an alert holds its level: the longest of the rules that hold it up."""
    found = [holds(signal.rule, alert.place) for signal in alert.evidence] or [Hold()]
    return Hold(max(hold.quiet for hold in found), max(hold.stay for hold in found))


def kept_of(alert: Alert, verdict: Verdict) -> Level:
    """Return the level the rules that hold an alert up keep it at, though none would raise it there."""
    return max((verdict.kept.get(signal.rule, Level.CALM) for signal in alert.evidence), default=Level.CALM)


def colour(
    alerts: Sequence[Alert], indicators: Mapping[str, Indicator], colours: PlaceColours, *, watched: int, missing: int
) -> Level:
    """Return a place's colour on the map from the ``active`` levels of its alerts.

    Args:
        alerts: The place's alerts that are not closed.
        indicators: The catalogue.
        colours: ``district.toml``.
        watched: Series some rule judges there; 0 makes the place grey.
        missing: Those of them without a value for the date.
    """
    for level, condition in ((Level.RED, colours.red), (Level.ORANGE, colours.orange), (Level.YELLOW, colours.yellow)):
        if _meets(alerts, indicators, condition):
            return level
    if not watched or missing >= colours.missing_share * watched:
        return Level.MISSING
    return Level.CALM


def _meets(alerts: Sequence[Alert], indicators: Mapping[str, Indicator], condition: Colour) -> bool:
    if condition.all and all(_meets(alerts, indicators, part) for part in condition.all):
        return True
    if any(_meets(alerts, indicators, part) for part in condition.any):
        return True
    counts = {level: sum(alert.active == level for alert in alerts) for level in Level}
    areas = {level: {indicators[a.indicator].level2 for a in alerts if a.active >= level} for level in Level}
    asked = (
        (condition.red, counts[Level.RED]),
        (condition.orange, counts[Level.ORANGE]),
        (condition.yellow, counts[Level.YELLOW]),
        (condition.orange_areas, len(areas[Level.ORANGE])),
        (condition.yellow_areas, len(areas[Level.YELLOW])),
    )
    return any(limit is not None and found >= limit for limit, found in asked)


def _at(alert: Alert, verdict: Verdict) -> Alert:
    return replace(alert, updated=verdict.date)
