"""Lines below a header that are none of the data: totals, notes, the header once more; and the lines that are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from warning.sources.cells import Integers
from warning.sources.columns import Body, Columns, Texts
from warning.sources.naming import key
from warning.sources.table import Line

NOTE = re.compile(r"(注|备注|说明|填报|填表|制表|审核|复核|单位负责人|负责人|联系|数据来源|统计口径|note|source)", re.I)


@dataclass(frozen=True)
class Asides:
    """What says whether a line is none of the data."""

    total: frozenset[str]
    note: frozenset[str]
    again: Mapping[int, frozenset[str]]  # by column that holds a fact, what it is called
    odd: frozenset[str]  # a line without any of these, and whose first cell is not empty, is data

    def holds(self, row: Sequence[str]) -> bool:
        """Say whether a line is one."""
        if row[0] and self.odd.isdisjoint(row):  # hardly any line is looked at further
            return False
        first = next(filter(None, row), "")
        if not first or first in self.total or (first in self.note and self.note.issuperset(row)):
            return True
        if self.total and not self.total.isdisjoint([row[n] for n in self.again]):
            return True
        return bool(self.again) and all(row[n] in names for n, names in self.again.items())


def asides_among(texts: Collection[str], own: Mapping[int, set[str]], totals: set[str]) -> Asides:
    """Return what of a table's texts says so: a large table has few that differ.

    Args:
        texts: All that stand below the header.
        own: By column that holds a fact, its names as they are compared.
        totals: What totals are called, as it is compared.
    """
    total = frozenset(text for text in texts if key(text) in totals)
    note = frozenset(text for text in texts if not text or NOTE.match(text))
    again = {n: frozenset(text for text in texts if key(text) in names) for n, names in own.items()}
    return Asides(total, note, again, total.union(note, *again.values()) - {""})


def texts_below(body: Body, lines: Sequence[Line]) -> set[str]:
    """Return all texts of some lines of a table; of a large one all there are."""
    if body.cells is not None:
        return {text for column in body.cells for text in column.distinct}
    return {cell for line in lines for cell in line.cells}


def data_of(body: Body, columns: Columns, asides: Asides) -> tuple[Integers, list[Texts], list[Line]]:
    """Return of a large table the numbers of its lines of data, their columns, and the lines with too many cells."""
    doubtful = ~columns.cells[0].each(bool)
    for column in columns.cells:
        doubtful |= column.each(asides.odd.__contains__)
    kept = np.ones(len(columns.numbers), dtype=np.bool_)
    for n in np.flatnonzero(doubtful).tolist():
        kept[n] = not asides.holds(_row(columns.cells, n))
    whole = body.cells or ()
    ragged = (Line(number, _row(whole, number - 1)) for number in columns.ragged)
    rows = np.flatnonzero(kept)
    cells = [column.at(rows) for column in columns.cells]
    return columns.numbers[rows], cells, [line for line in ragged if not asides.holds(line.cells)]


def _row(columns: Sequence[Texts], n: int) -> tuple[str, ...]:
    return tuple(column.distinct[int(column.codes[n])] for column in columns)
