"""What becomes of open alerts when the rules are others.

Pure.  An alert whose rules changed is carried: the next judgement is by the new ones, and the periods below its level
count anew.  One that no rule judges any more ends, or, having been orange or red, is calm and waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from warning.city import City
from warning.model import Alert, Event, Level, Stage, Transition
from warning.rule import Ruleset, judges

GONE = "规则已停用，不再研判 / no rule judges it any more"


@dataclass(frozen=True)
class Changeover:
    """Alerts as they stand with the new rules, and what happened to them."""

    alerts: tuple[Alert, ...]  # those that are others
    events: tuple[Event, ...]


def change_over(
    alerts: Iterable[Alert],
    old: Ruleset,
    new: Ruleset,
    city: City,
    *,
    told: Callable[[str], int],
    day: date,
    at: datetime,
) -> Changeover:
    """Return what becomes of open alerts.

    Args:
        alerts: That are not closed.
        old: The rules until now.
        new: The rules from now on.
        city: As it is from now on; an alert of a place or indicator it no longer has is judged by no rule.
        told: How many events an alert has.
        day: Data date of the last sweep.
        at: The instant of the change.
    """
    before, after = ({rule.id: rule for rule in rules.rules} for rules in (old, new))
    touched: list[Alert] = []
    events: list[Event] = []
    for alert in alerts:
        known = alert.place in city.places and alert.indicator in city.indicators
        if not known or not any(judges(rule, alert.key, city) for rule in new.rules):
            calm = replace(alert, active=Level.CALM, quiet=0, evidence=(), updated=max(alert.updated, day))
            ended = calm if alert.needs_a_person else replace(calm, stage=Stage.CLOSED)
            if ended.active is alert.active and ended.stage is alert.stage:
                continue
            why = Transition.LOWERED if alert.needs_a_person else Transition.ENDED
            touched.append(ended)
            events.append(
                Event(alert.number, told(alert.number) + 1, ended.updated, at, why, alert.active, Level.CALM, GONE)
            )
        elif alert.quiet and any(before.get(s.rule) != after.get(s.rule) for s in alert.evidence):
            touched.append(replace(alert, quiet=0))
    return Changeover(tuple(touched), tuple(events))
