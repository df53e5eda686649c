"""The rows below a header, column by column: a million rows are a few columns of numbers, not a million objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from warning.sources.cells import Integers, Mask
from warning.sources.heads import Head
from warning.sources.table import Line, Table

BLOCK = 5_000_000  # characters of a file that are taken apart at once


@dataclass(frozen=True, slots=True)
class Texts:
    """A column as positions among its distinct texts, which all occur."""

    distinct: tuple[str, ...]
    codes: Integers  # (R,)

    def each(self, of: Callable[[str], object]) -> Mask:
        """Return (R,) whether something is true of each text."""
        return np.array([bool(of(text)) for text in self.distinct], dtype=np.bool_)[self.codes]

    def texts(self) -> list[str]:
        """Return (R,) the cells."""
        every = np.empty(len(self.distinct), dtype=object)
        every[:] = self.distinct
        return list(every[self.codes])

    def at(self, rows: Integers) -> Texts:
        """Return some of the rows."""
        codes = self.codes[rows]
        there = np.flatnonzero(np.bincount(codes, minlength=len(self.distinct)))
        dense = np.zeros(len(self.distinct), dtype=np.int64)
        dense[there] = np.arange(len(there))
        return Texts(tuple(self.distinct[n] for n in there.tolist()), dense[codes])


@dataclass(frozen=True, slots=True)
class Body:
    """A table, and where it is large and even all its lines column by column."""

    table: Table  # of a large one the first lines
    cells: Sequence[Texts] | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The rows of a table that have as many cells as its header, and those that have not."""

    numbers: Integers  # (R,) as a spreadsheet counts
    cells: Sequence[Texts]  # (W,)
    ragged: tuple[int, ...] = ()  # numbers of the other rows


def below(body: Body, head: Head) -> Columns:
    """Return the rows of a table below its header; cells beyond the header are none where they are empty."""
    width = len(head.headers)
    if body.cells is None:
        even = [line for line in head.body if len(line.cells) >= width and not any(line.cells[width:])]
        ragged = {line.number for line in head.body} - {line.number for line in even}
        cells = list(zip(*(line.cells[:width] for line in even), strict=True)) if even else [()] * width
        return Columns(_numbers(even), [texts(column) for column in cells], tuple(sorted(ragged)))
    lines = body.table.lines
    begin = lines[len(lines) - len(head.body) - 1].number  # of the header's last line
    of_all = [column.codes[begin:] for column in body.cells]
    filled = np.zeros(len(of_all[0]), dtype=np.bool_)
    for column, codes in zip(body.cells[width:], of_all[width:], strict=True):
        filled |= np.array([bool(text) for text in column.distinct], dtype=np.bool_)[codes]
    rows = begin + np.flatnonzero(~filled)
    kept = [column.at(rows) for column in body.cells[:width]]
    return Columns(rows + 1, kept, tuple((begin + 1 + np.flatnonzero(filled)).tolist()))


def texts(column: Sequence[str]) -> Texts:
    """Return a column's distinct texts; blanks around them are left out."""
    import pandas as pd  # its table of texts is several times as fast as a dict here

    raw = np.empty(len(column), dtype=object)
    raw[:] = column
    codes, found = pd.factorize(raw)
    index: dict[str, int] = {}
    of_raw = np.array([index.setdefault(str(text).strip(), len(index)) for text in found], dtype=np.int64)
    return Texts(tuple(index), of_raw[codes] if len(codes) else np.empty(0, dtype=np.int64))


def together(parts: Sequence[Texts]) -> Texts:
    """Return columns one below the other."""
    if len(parts) == 1:
        return parts[0]
    index: dict[str, int] = {}
    codes = [np.array([index.setdefault(text, len(index)) for text in one.distinct], dtype=np.int64) for one in parts]
    whole = [of[one.codes] for of, one in zip(codes, parts, strict=True)]
    return Texts(tuple(index), np.concatenate([*whole, np.empty(0, dtype=np.int64)]))


def of_text(text: str, delimiter: str) -> list[Texts] | None:
    """Return the columns of a text all of whose lines have as many cells as the first; None where one has not."""
    width = text[: text.find("\n")].count(delimiter) + 1
    parts: list[list[Texts]] = [[] for _ in range(width)]
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + BLOCK)
        block = text[begin : end if end >= 0 else len(text)]
        # A line break becomes a cell of its own: it must stand behind every line's last cell, and nowhere else.
        cells = block.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        lines = block.count("\n") + 1
        if len(cells) != lines * (width + 1) - 1 or cells[width :: width + 1].count("\n") != lines - 1:
            return None
        for n, column in enumerate(parts):
            column.append(texts(cells[n :: width + 1]))
        begin += len(block) + 1
    return [together(column) for column in parts]


def _numbers(lines: Sequence[Line]) -> Integers:
    return np.array([line.number for line in lines], dtype=np.int64)
