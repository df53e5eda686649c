"""The facts of what happens at once: one indicator high where places touch, several indicators high in one place.

Pure.  What is stated is side by side in time, never a cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.panel import Floats
from warning.facts import SMALL, Fact, Item, Notes, begun_zh, number, quantity
from warning.model import Alert, Indicator, Place

CLUES = 2  # other alerts of a place compared with its strongest
ENOUGH = 12  # weeks or months
ALIKE = 0.576  # |r| that chance passes once in twenty over twelve: t(.975, 10) = 2.228, t / sqrt(10 + t**2)
NOTHING: Floats = np.empty(0)


@dataclass(frozen=True, slots=True)
class Before:
    """The values of a place's alerts before any of them began, to see what went along with what."""

    values: Mapping[str, Floats]  # by alert, (P,); one with a gap is compared with nothing
    frequency: str  # weekly or monthly


def shared(
    items: Sequence[Item],
    alerts: Sequence[Alert],
    places: Mapping[str, Place],
    neighbours: Mapping[str, frozenset[str]],
    indicators: Mapping[str, Indicator],
) -> tuple[dict[str, Fact], ...]:
    """Return one mapping for each indicator that is high in places that touch each other, the earliest first.

    Args:
        items: The facts of the alerts above calm.
        alerts: The same alerts, for their onsets.
        places: The tree.
        neighbours: Which places touch; empty where nobody knows.
        indicators: The catalogue.
    """
    onsets = {alert.number: alert.onset for alert in alerts}
    by_indicator: dict[str, list[Item]] = {}
    for found in items:
        by_indicator.setdefault(found.indicator, []).append(found)
    groups = []
    for indicator, members in sorted(by_indicator.items()):
        touching = [m for m in members if any(o.place in neighbours.get(m.place, frozenset()) for o in members)]
        if len(touching) < 2:
            continue
        touching.sort(key=lambda m: (onsets[m.alert], m.place))
        notes = Notes(f"{'+'.join(m.place for m in touching)}/{indicator}")
        notes.add("name", touching[0].facts["name"].text)
        notes.add("names", "、".join(places[m.place].name_zh for m in touching))
        notes.add("k", len(touching))
        first, last = onsets[touching[0].alert], onsets[touching[-1].alert]
        frequency = indicators[indicator].frequency
        notes.add("onset", first, begun_zh(first, frequency))
        if first != last:
            notes.add("onset_last", last, begun_zh(last, frequency))
        _together(notes, touching, indicators[indicator])
        groups.append(notes.facts)
    return tuple(groups)


def side_by_side(items: Sequence[Item], before: Before) -> tuple[dict[str, Fact], ...]:
    """Return how the strongest alert of a place went along with its next ones: clues to look into, never causes.

    Args:
        items: The facts of the place's alerts above calm, the strongest first.
        before: Their values before any of them began.
    """
    if len(items) < 2:
        return ()
    first, clues = items[0], []
    for other in items[1 : 1 + CLUES]:
        one, two = before.values.get(first.alert, NOTHING), before.values.get(other.alert, NOTHING)
        if len(one) < ENOUGH or len(one) != len(two) or not (np.ptp(one) > 0 and np.ptp(two) > 0):  # NaN is no range
            continue
        r = float(np.corrcoef(one, two)[0, 1])
        if abs(r) < ALIKE:
            continue
        notes = Notes(f"{first.place}/{first.indicator}+{other.indicator}", "observation")
        notes.add("name", first.facts["name"].text)
        notes.add("other", other.facts["name"].text)
        for name in ("date_range", "per_zh", "dev_dir", "dev", "dev_points"):
            if name in other.facts:
                notes.add(f"other_{name}", other.facts[name].value, other.facts[name].text, other.facts[name].formula)
        notes.add("weeks" if before.frequency == "weekly" else "months", len(one))
        notes.add("r", r, number(r, 2), f"Pearson's r of the {before.frequency} values")
        clues.append(notes.facts)
    return tuple(clues)


def _together(notes: Notes, members: Sequence[Item], indicator: Indicator) -> None:
    """Add what the places hold together in the last period, and their share of the whole tier, where all is known."""
    periods = {str(m.facts.get("latest_range", m.alert)) for m in members}
    latest = [_value(m, "latest") for m in members]
    if indicator.period_agg != "sum" or len(periods) != 1 or None in latest:
        return
    total = sum(value for value in latest if value is not None)
    notes.add("range", periods.pop())
    notes.add("value", total, quantity(total, indicator.kind), "sum of the places")
    notes.add("unit", indicator.unit)
    whole = _value(members[0], "latest_city")
    if whole is not None and whole >= SMALL:
        notes.add("share", 100 * total / whole, number(100 * total / whole), f"100 * {total:.10g} / {whole:.10g}")


def _value(item: Item, name: str) -> float | None:
    fact = item.facts.get(name)
    return float(fact.value) if fact is not None and isinstance(fact.value, int | float) else None
