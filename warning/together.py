"""The facts of what happens in several places at once: one indicator high where places touch.

Pure.  What is stated is side by side in time, never a cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warning.facts import SMALL, Fact, Item, Notes, number, quantity
from warning.model import Alert, Indicator, Place


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
        notes.add("onset", first)
        if first != last:
            notes.add("onset_last", last)
        _together(notes, touching, indicators[indicator])
        groups.append(notes.facts)
    return tuple(groups)


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
