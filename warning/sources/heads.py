"""Where in a table the header stands, and what its columns are called.

Above it may be titles; it may itself be two or three lines, of which the upper ones span several columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from warning.errors import SourceError
from warning.sources.naming import key, without_unit
from warning.sources.table import Line, Table
from warning.sources.written import plain, shown

DEEPEST = 3  # lines of a header
HIGHEST = 30  # lines a header is looked for in

PERSONAL = re.compile(
    r"(.*姓名|.*身份证.*|证件号码?|.*手机号?码?|(联系|报警|举报|投诉|办公|固定|家庭)?电话(号码)?|联系方式|微信号?|"
    r"(家庭|居住|户籍|现|详细)?(住址|地址)|(当事|报警|举报|投诉|来访|信访|受害|嫌疑|联系|填报|申请)人|"
    r"(full|first|last|person)?name|(mobile|cell|tele)?phone(number|no)?|mobile|id(card|number|no)|address)"
)
IDENTITY = re.compile(r"[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dXx]")
MOBILE = re.compile(r"(\+?86-?)?1[3-9]\d{9}")


@dataclass(frozen=True)
class Header:
    """One column's, from its lines: 治安 above 刑事警情."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is named in messages and mappings."""
        return "/".join(self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """By what it may be found, the most exact first."""
        last = self.parts[-1] if self.parts else ""
        return tuple(dict.fromkeys((self.text, last, without_unit(self.text), without_unit(last))))


@dataclass(frozen=True)
class Head:
    """A header and the lines around it."""

    titles: tuple[Line, ...]
    headers: tuple[Header, ...]
    body: tuple[Line, ...]

    def find(self, wanted: Sequence[str]) -> int | None:
        """Return the first column that is called so, by its most exact name.

        Raises:
            SourceError: if several are.
        """
        for name in map(key, wanted):
            for depth in range(4):
                found = [n for n, one in enumerate(self.headers) if key((*one.names, "", "", "")[depth]) == name]
                if len(found) > 1:
                    raise SourceError(
                        f"有 {len(found)} 列同名 / the column {self.headers[found[0]].text!r} stands there"
                        f" {len(found)} times"
                    )
                if found:
                    return found[0]
        return None


def head_of(table: Table, row: int | None, score: Callable[[Head], int]) -> Head:
    """Return the header that scores highest; of equal ones the widest, the shortest, the highest up.

    Args:
        table: The table.
        row: Where the header begins, as a spreadsheet counts; None: it is looked for.
        score: How many columns of a header are known; 0 where it is none.

    Raises:
        SourceError: if none scores.
    """
    begins = [n for n, line in enumerate(table.lines[:HIGHEST]) if row is None or line.number == row]
    heads = (_head(table, n, depth) for depth in range(1, DEEPEST + 1) for n in begins if n + depth <= len(table.lines))
    best, most = None, (0, 0)
    for head in heads:
        points = score(head), sum(bool(header.parts) for header in head.headers)
        if points[0] and points > most:
            best, most = head, points
    if best is None:
        first = table.lines[begins[0]].cells if begins else ()
        raise SourceError(
            f"找不到映射所写的表头 / no header was found; the first line is {shown([cell for cell in first if cell])!r}"
        )
    return best


def personal(
    head: Head, known: Collection[int], values: Collection[int], cells: Sequence[Collection[str]] | None = None
) -> str:
    """Return the first header under which a person's name, telephone or number stands, "" if there is none.

    Args:
        head: The table's.
        known: Columns that are called as an indicator is; their names are not looked at.
        values: Columns of values; a long number there is no telephone.
        cells: What stands in each column, where the head has not all of the body.
    """
    for n, header in enumerate(head.headers):
        named = any(PERSONAL.fullmatch(key(name)) for name in header.names)
        if named and n not in known:
            return header.text
        there = cells[n] if cells is not None else {line.cells[n] for line in head.body if n < len(line.cells)}
        several = list(map(plain, {*there} - {""}))
        looks = (lambda text: bool(IDENTITY.fullmatch(text))) if n in values else _looks_personal
        if several and 2 * sum(map(looks, several)) >= len(several):
            return header.text or f"{n + 1}"
    return ""


def _looks_personal(text: str) -> bool:
    return bool(IDENTITY.fullmatch(text) or MOBILE.fullmatch(text))


def _head(table: Table, begin: int, depth: int) -> Head:
    lines = table.lines[begin : begin + depth]
    width = max((n for line in lines for n, cell in enumerate(line.cells, start=1) if cell), default=0)
    rows = [(*line.cells, *("",) * (width - len(line.cells)))[:width] for line in lines]
    # A text over several columns stands in the first of them only; the lowest line has one of its own for each.
    spread = [list(accumulate(row, _or_left)) for row in rows[:-1]]
    headers = []
    for n, lowest in enumerate(rows[-1]):
        above = [row[n] for row in (spread if lowest else rows[:-1])]
        headers.append(Header(tuple(dict.fromkeys(plain(text) for text in (*above, lowest) if text))))
    return Head(table.lines[:begin], tuple(headers), table.lines[begin + depth :])


def _or_left(left: str, cell: str) -> str:
    return cell or left
