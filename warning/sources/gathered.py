"""Cells as they were found in a department's tables into cells as the city calls them, or set aside with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np

from warning.mapping import Feed
from warning.model import Indicator, QuarantineEntry
from warning.periods import first_day, last_day
from warning.sources import cells, repeats, units, written
from warning.sources.cells import Column, Integers, column_of
from warning.sources.days import Period, Wall
from warning.sources.naming import Names, key, without_unit
from warning.sources.repeats import combined
from warning.sources.rows import KEYS, Known, Long
from warning.sources.table import Line, Table
from warning.sources.zeros import NO_ZEROS, left_out, with_zeros

FACTS = (*KEYS, "value", "received_at")

Unit = Callable[[str], str]
Meaning = tuple[str, str]  # of a text: what it says, and why it cannot be used; one of the two is ""
NOTHING: Meaning = ("", "")  # it says there is no value
NO_RATIO = "缺分子或分母，或有不同的数，求不出比率"
TOO_LONG = {
    "daily": "所写的时间长于一天，而这项指标按日报送",
    "weekly": "所写的时间超出一周（周一至周日），而这项指标按周报送",
    "monthly": "所写的时间超出一个月，而这项指标按月报送",
}


@dataclass
class Gathered:
    """Cells as they stand there, one list a fact."""

    rows: list[int] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FACTS})
    headers: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)  # as the table states them
    quarantined: list[QuarantineEntry] = field(default_factory=list)

    def add(
        self,
        table: Table,
        line: Line,
        facts: Mapping[str, str],
        value: str,
        header: str,
        received: str,
        *,
        unit: str = "",
    ) -> None:
        """Add the cell of a line under a header."""
        self.rows.append(line.number)
        self.headers.append(header)
        self.sheets.append(table.sheet)
        self.units.append(unit)
        for fact in KEYS:
            self.facts[fact].append(facts[fact])
        self.facts["value"].append(value)
        self.facts["received_at"].append(received)

    def add_all(
        self, sheet: str, numbers: Sequence[int], facts: Mapping[str, str | Sequence[str]], header: str, unit: Unit
    ) -> None:
        """Add one cell of each of R lines under one header.

        Args:
            sheet: Which they are of.
            numbers: (R,) as a spreadsheet counts.
            facts: (R,) texts of each fact, or the one all have.
            header: What the column of values is called.
            unit: From what an indicator is called to the unit that is stated of it.
        """
        self.rows += numbers
        self.headers += [header] * len(numbers)
        self.sheets += [sheet] * len(numbers)
        for fact, found in facts.items():
            texts = [found] * len(numbers) if isinstance(found, str) else found
            self.facts[fact] += texts
            if fact == "indicator":
                units = {text: unit(text) for text in dict.fromkeys(texts)}
                self.units += [units[text] for text in texts]


def understood(
    found: Gathered, feed: Feed, city: Known, names: Mapping[str, Names], *, sha256: str, name: str, wall: Wall
) -> tuple[Long, int, int]:
    """Return the cells that say a value, how many say there is none, and how many zeros the mapping adds."""
    columns = {fact: column_of(_header(feed, fact), texts) for fact, texts in found.facts.items()}
    periods = [wall.period(text) for text in columns["date"].distinct]
    meanings = {
        "indicator": _meanings(columns["indicator"], lambda text: _named(names["indicator"], text)),
        "place": _meanings(columns["place"], lambda text: _named(names["place"], text)),
        "date": [(period.first, period.reason) for period in periods],
    }
    indicators = [city.indicators.get(id) for id, _ in meanings["indicator"]]
    values, meant = _values(columns["indicator"], _units(found.units), columns["value"], indicators, feed)
    if feed.align or any(period.first != period.last for period in periods):
        columns["date"], meanings["date"] = _placed(
            columns["indicator"], columns["date"], indicators, periods, align=feed.align
        )
    said = {
        fact: Column(columns[fact].name, [text for text, _ in meanings[fact]], columns[fact].codes) for fact in KEYS
    }
    said["value"] = Column("", [text for text, _ in meant], values)
    said["received_at"] = columns["received_at"]
    missing = np.array([meaning == NOTHING for meaning in meant], dtype=bool)[values]
    faults: dict[int, tuple[str, str]] = {}
    reasons = {**{fact: (columns[fact].codes, meanings[fact]) for fact in KEYS}, "value": (values, meant)}
    for fact, (codes, meaning) in reasons.items():
        wrong = np.array([bool(reason) for _, reason in meaning], dtype=bool)[codes] & ~missing
        for n in np.flatnonzero(wrong).tolist():
            faults.setdefault(n, (fact, meaning[int(codes[n])][1]))
    usable = ~missing
    usable[list(faults)] = False
    if feed.repeated is not None:
        one = combined(said, np.flatnonzero(usable), [*faults], feed.repeated, city.indicators)
        said["value"] = one.value
        faults |= dict.fromkeys(one.in_part.tolist(), ("value", repeats.IN_PART))
        usable[:] = False
        usable[one.rows] = True
    long = Long(
        name,
        sha256,
        found.rows,
        said["indicator"],
        said["place"],
        said["date"],
        said["value"],
        said["received_at"],
        headers=column_of("", found.headers),
        sheets=column_of("", found.sheets) if len({*found.sheets}) > 1 else None,
    )
    aside = [
        QuarantineEntry(
            name,
            found.rows[n],
            long.label(columns[fact], n),
            cells.short(_shown(found, columns[fact], fact, n), 200),
            reason,
            cells=tuple(
                cells.short(said[one].text(n) or (columns[one].text(n) if one in KEYS else found.facts[one][n]), 200)
                for one in FACTS
            ),
        )
        for n, (fact, reason) in faults.items()
    ]
    zeros = NO_ZEROS
    absent = np.zeros(len(found.rows), dtype=bool)
    if feed.absent is not None:
        days = {day for day, _ in meanings["date"] if day and day <= wall.today.isoformat()}
        good = np.array([text in days for text in said["date"].distinct], dtype=bool)[said["date"].codes]
        for fact in ("indicator", "place"):
            good &= np.array([bool(text) for text in said[fact].distinct], dtype=bool)[said[fact].codes]
        absent = missing & good
        zeros = left_out(said, feed, city, days, [*faults], ragged=bool(found.quarantined))
    long = with_zeros(long, np.flatnonzero(usable), np.flatnonzero(absent), zeros, (*found.quarantined, *aside))
    return long, int((missing & ~absent).sum()), int(absent.sum()) + len(zeros)


def _shown(found: Gathered, column: Column, fact: str, row: int) -> str:
    """Return what stands in a cell; of one under a header that is not known, its value."""
    return found.facts[fact if column.name else "value"][row]


def _header(feed: Feed, fact: str) -> str:
    """Return under which header a fact stands; "" where that differs from cell to cell."""
    texts = getattr(feed.columns, fact)
    return texts[0] if texts and fact != "value" else ""


def _meanings(column: Column, meaning: Callable[[str], Meaning]) -> list[Meaning]:
    return [meaning(text) for text in column.distinct]


def _named(names: Names, text: str) -> Meaning:
    code = names.code(text, *([without_unit(text)] if units.stated(text) else []))
    return (code, "") if code else ("", names.reason(text))


def _units(texts: Sequence[str]) -> Column:
    """Return what a table states of its units; most state none."""
    return column_of("", texts) if any(texts) else Column("", [""], np.zeros(len(texts), dtype=np.int64))


def _pairs(first: Column, second: Column) -> tuple[Iterable[tuple[int, int]], Integers]:
    """Return the distinct pairs of what stands in two columns, and which of them each row has."""
    if len(second.distinct) <= 1:
        return [(n, 0) for n in range(len(first.distinct))], first.codes
    width = len(second.distinct)
    pairs, codes = np.unique(first.codes * width + second.codes, return_inverse=True)
    return [divmod(pair, width) for pair in pairs.tolist()], codes


def _values(
    indicator: Column, unit: Column, value: Column, indicators: Sequence[Indicator | None], feed: Feed
) -> tuple[Integers, list[Meaning]]:
    """Return which meaning each value has, and the meanings: what 42% says depends on indicator and unit."""
    nothing = {"", *map(key, feed.missing)}
    computed = {ratio.indicator for ratio in feed.ratios}
    pairs, of = _pairs(indicator, unit)
    scales = [_scale(indicators[i], unit.distinct[u], feed, computed) for i, u in pairs]
    pairs, codes = _pairs(Column("", [""] * len(scales), of), value)
    meanings: list[Meaning] = []
    for s, v in pairs:
        (one, factor, misfit), text = scales[s], value.distinct[v]
        if key(text) in nothing:
            meanings.append(NOTHING)
        elif one is None:
            meanings.append((text, ""))
        else:
            meaning = ("", misfit) if misfit else written.number(text, one.unit, one.kind, factor)
            meanings.append(("", NO_RATIO) if meaning[1] and one.id in computed else meaning)
    return codes, meanings


def _scale(
    one: Indicator | None, unit: str, feed: Feed, computed: Collection[str]
) -> tuple[Indicator | None, Decimal | None, str]:
    """Return an indicator, by what its numbers are multiplied, and why they cannot be used: the mapping comes first."""
    if one is None or one.id in computed:
        return one, None, ""
    if one.id in feed.factors:
        return one, feed.factors[one.id], ""
    return one, *units.scale(unit, one)


def _placed(
    indicator: Column,
    day: Column,
    indicators: Sequence[Indicator | None],
    periods: Sequence[Period],
    *,
    align: bool,
) -> tuple[Column, list[Meaning]]:
    """Return the dates as first days of the indicator's periods; what says a longer time than one cannot be used."""
    pairs, codes = _pairs(indicator, day)
    texts: list[str] = []
    placed: list[Meaning] = []
    for i, d in pairs:
        one, said = indicators[i], periods[d]
        texts.append(day.distinct[d])
        if one is None or not said.first:
            placed.append((said.first, said.reason))
            continue
        first = date.fromisoformat(said.first)
        if align:
            first = first_day(first, one.frequency)
        too_long = date.fromisoformat(said.last) > last_day(first, one.frequency)
        placed.append(("", TOO_LONG[one.frequency]) if too_long else (first.isoformat(), ""))
    return Column(day.name, texts, codes), placed
