"""Percentages from two counts, wherever in a table the two stand: beside each other, or in rows of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from warning.mapping import Ratio
from warning.sources import written
from warning.sources.gathered import Gathered
from warning.sources.naming import key
from warning.sources.table import Line, Table


@dataclass
class _Half:
    """A numerator or a denominator, where it stands first."""

    table: Table
    line: Line
    header: str
    received: str
    value: str
    others: list[str] = field(default_factory=list)


class Halves:
    """The counts of a file that are parts of percentages, until each has its other half."""

    def __init__(self, ratios: Sequence[Ratio], missing: Sequence[str], same: Callable[[str, str], str]) -> None:
        """Begin with none.

        Args:
            ratios: Of the mapping.
            missing: Texts that say there is no value.
            same: What a text says as a place or a date, so that 荔湾 is 荔湾区.
        """
        self._ratios = ratios
        self._nothing = {"", *map(key, missing)}
        self._same = same
        self._parts: dict[str, list[tuple[int, int]]] = {}
        for n, ratio in enumerate(ratios):
            for role, text in enumerate((ratio.numerator, ratio.denominator)):
                self._parts.setdefault(key(text), []).append((n, role))
        self._found: dict[tuple[int, str, str], dict[int, _Half]] = {}

    def named(self, *texts: str) -> str:
        """Return the first text that is part of a percentage, as it is compared; "" if none is."""
        return next((text for text in map(key, texts) if text in self._parts), "")

    def add(
        self, table: Table, line: Line, facts: Mapping[str, str], name: str, value: str, header: str, received: str
    ) -> None:
        """Keep the count that stands in a cell, for every percentage it is part of."""
        where = self._same("place", facts["place"]), self._same("date", facts["date"])
        for n, role in self._parts[name]:
            halves = self._found.setdefault((n, *where), {})
            if role not in halves:
                halves[role] = _Half(table, line, header, received, value)
            elif key(value) != key(halves[role].value):
                halves[role].others.append(value)

    def gather(self, gathered: Gathered) -> None:
        """Add each percentage to the cells of the file; one that lacks a half is set aside when it is understood."""
        for (n, place, date), halves in self._found.items():
            first = halves.get(0) or halves[1]
            facts = {"indicator": self._ratios[n].indicator, "place": place, "date": date}
            share = self._share(halves)
            gathered.add(first.table, first.line, facts, share, first.header, first.received)

    def _share(self, halves: Mapping[int, _Half]) -> str:
        """Return a percentage; "" where there was nothing to count, and what stands there where it cannot be told."""
        several = [half for half in halves.values() if half.others]
        if several:
            return " / ".join("、".join([half.value, *half.others]) for _, half in sorted(halves.items()))
        part, whole = (halves[role].value if role in halves else None for role in (0, 1))
        if any(text is not None and key(text) in self._nothing for text in (part, whole)):
            return ""
        if part is None or whole is None:
            return f"{'？' if part is None else part} / {'？' if whole is None else whole}"
        (above, wrong), (below, wrong_too) = (written.number(text, "", "count", None) for text in (part, whole))
        if wrong or wrong_too or (Decimal(below) == 0 and Decimal(above) != 0):
            return f"{part} / {whole}"
        return f"{round(100 * Decimal(above) / Decimal(below), 6)}%" if Decimal(below) else ""
