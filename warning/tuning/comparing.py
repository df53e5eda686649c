"""Two sets of rules over the same past: which alerts would have been others, and by which numbers.

Pure.  Alerts of one series that overlap in time are the same alert, told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from warning.calendar import Calendar
from warning.graded import Graded
from warning.model import Alert, Event, Level, Signal
from warning.rule import Rule, Ruleset
from warning.tuning.explaining import Term, of_cell
from warning.tuning.retold import Retold

Kind = Literal["gone", "new", "higher", "lower", "earlier", "later", "ends earlier", "ends later"]


@dataclass(frozen=True)
class Side:
    """One set of rules, and what it would have told."""

    rules: Ruleset
    graded: Mapping[str, Graded]
    told: Retold


@dataclass(frozen=True)
class Changed:
    """A rule that is another: which of its keys, from what to what; a rule that came or went has none."""

    rule: str
    what: Literal["added", "removed", "changed"]
    keys: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True)
class Difference:
    """An alert that is not told by both alike."""

    kind: Kind
    old: Alert | None
    new: Alert | None
    day: date  # on which the difference shows
    level: Level  # that only one side reached then
    signal: Signal | None  # what made it so there
    lacking: tuple[Term, ...]  # what the rule of the same name lacked on the other side
    why: str = ""  # "gone": there is no such rule on the other side; "after": it holds otherwise over time

    @property
    def alert(self) -> Alert:
        found = self.new or self.old
        assert found is not None  # noqa: S101 - one of them is there
        return found


def changed(old: Ruleset, new: Ruleset) -> list[Changed]:
    """Return the rules that are others, in the order of the new set, those that went last."""
    before = {rule.id: rule for rule in old.rules}
    found = []
    for rule in new.rules:
        if rule.id not in before:
            found.append(Changed(rule.id, "added"))
        elif keys := tuple(_keys(before[rule.id], rule)):
            found.append(Changed(rule.id, "changed", keys))
    there = {rule.id for rule in new.rules}
    return found + [Changed(rule.id, "removed") for rule in old.rules if rule.id not in there]


def differences(old: Side, new: Side, calendar: Calendar) -> list[Difference]:
    """Return what would have been told otherwise, by day.

    Args:
        old: Rules as they were.
        new: Rules as they would be, over the same period.
        calendar: Of the city.
    """
    found: list[Difference] = []
    for one, other in _paired(old.told, new.told):
        if one is None and other is not None:
            found.append(_made("new", None, other, (new, old), calendar))
        elif other is None and one is not None:
            found.append(_made("gone", one, None, (old, new), calendar))
        elif one is not None and other is not None:
            found += _of_both(one, other, old, new, calendar)
    return sorted(found, key=lambda one: (one.day, one.alert.place, one.alert.indicator, one.kind))


def _of_both(one: Alert, other: Alert, old: Side, new: Side, calendar: Calendar) -> Iterator[Difference]:
    if other.peak > one.peak:
        yield _made("higher", one, other, (new, old), calendar)
    elif other.peak < one.peak:
        yield _made("lower", one, other, (old, new), calendar)
    if other.opened < one.opened:
        yield _made("earlier", one, other, (new, old), calendar, first=True)
    elif other.opened > one.opened:
        yield _made("later", one, other, (old, new), calendar, first=True)
    first, then = old.told.calm_since(one.number), new.told.calm_since(other.number)
    if first != then:
        later = first is None or (then is not None and then < first)
        yield Difference(
            "ends earlier" if later else "ends later", one, other, then or first or new.told.last, Level.CALM, None, ()
        )


def _made(
    kind: Kind,
    one: Alert | None,
    other: Alert | None,
    sides: tuple[Side, Side],
    calendar: Calendar,
    *,
    first: bool = False,
) -> Difference:
    """Say what one side told and the other did not, and why: at its first day, or where it rose to its highest."""
    telling, silent = sides
    alert = other if kind in ("new", "higher", "earlier") else one
    assert alert is not None  # noqa: S101 - the side that tells has it
    rises = [event for event in telling.told.rises() if event.alert == alert.number]
    event = rises[0] if first or kind in ("new", "gone") else next(e for e in rises if e.after == alert.peak)
    signals = telling.told.signals.get((event.alert, event.sequence), ())
    signal = signals[0] if signals else None
    lacking, why = _lacking(silent, signal, event, calendar)
    return Difference(kind, one, other, event.known, event.after, signal, lacking, why)


def _lacking(side: Side, signal: Signal | None, event: Event, calendar: Calendar) -> tuple[tuple[Term, ...], str]:
    if signal is None:
        return (), "after"
    graded = side.graded.get(signal.rule)
    if graded is None or signal.key not in graded.keys:
        return (), "gone"
    row = graded.row(np.datetime64(signal.date))
    if row is None:
        return (), "gone"
    explained = of_cell(graded, graded.keys.index(signal.key), signal.date, calendar)
    asked = next((one for one in explained.asked if one.level == event.after), None)
    if asked is None:
        return (), "gone"
    lacking = tuple(asked.raises.lacking())
    return lacking, "" if lacking else "after"


def _paired(old: Retold, new: Retold) -> Iterator[tuple[Alert | None, Alert | None]]:
    """Yield the alerts of both sides that are the same, and those of one side alone."""
    left: dict[tuple[str, str], list[Alert]] = {}
    for alert in new.alerts.values():
        left.setdefault(alert.key, []).append(alert)
    for one in old.alerts.values():
        others = left.get(one.key, [])
        same = next((other for other in others if _overlap(one, old, other, new)), None)
        if same is not None:
            others.remove(same)
        yield one, same
    yield from ((None, other) for others in left.values() for other in others)


def _overlap(one: Alert, old: Retold, other: Alert, new: Retold) -> bool:
    ends = old.calm_since(one.number) or old.last, new.calm_since(other.number) or new.last
    return one.opened <= ends[1] and other.opened <= ends[0]


def _keys(old: Rule, new: Rule) -> Iterator[tuple[str, Any, Any]]:
    before, after = (rule.model_dump(mode="json", exclude_defaults=True) for rule in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def document(found: Sequence[Difference], rules: Sequence[Changed]) -> dict[str, Any]:
    """Return the same as plain tables for JSON."""
    return {
        "rules": [
            {"rule": one.rule, "what": one.what, "keys": {name: {"old": a, "new": b} for name, a, b in one.keys}}
            for one in rules
        ],
        "alerts": [
            {
                "kind": one.kind,
                "indicator": one.alert.indicator,
                "place": one.alert.place,
                "day": one.day.isoformat(),
                "level": one.level.name.lower(),
                "old": _alert(one.old),
                "new": _alert(one.new),
                "rule": None if one.signal is None else one.signal.rule,
                "surprise": None if one.signal is None else one.signal.surprise,
                "observed": None if one.signal is None else one.signal.observed,
                "expected": None if one.signal is None else one.signal.expected,
                "lacking": [_term(term) for term in one.lacking],
                "why": one.why,
            }
            for one in found
        ],
    }


def _term(term: Term) -> dict[str, Any]:
    value = term.value if np.isfinite(term.value) else None
    return {"method": term.method, "name": term.name, "value": value, "asked": term.asked}


def _alert(alert: Alert | None) -> dict[str, str] | None:
    if alert is None:
        return None
    return {"number": alert.number, "opened": alert.opened.isoformat(), "peak": alert.peak.name.lower()}
