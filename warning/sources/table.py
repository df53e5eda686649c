"""A table as it came: the texts of its cells, before anybody asked what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Line(NamedTuple):  # of which a large file makes millions
    """One row of a table."""

    number: int  # as a spreadsheet counts, from 1
    cells: tuple[str, ...]  # dates as 2026-11-22, numbers without a unit, "" where there is nothing


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet of a workbook, one text file, one answer of a database or a server; empty rows are left out."""

    name: str  # of the file or the feed
    sheet: str  # "" of what has none
    sha256: str  # of the whole content it came from
    lines: tuple[Line, ...]
