"""Text files of cells into tables: UTF-8 with or without a mark, UTF-16 with one, GB18030; comma, semicolon or tab.

Which encoding it is shows in its decoding without a fault: hardly a Chinese text in GB18030 is also valid UTF-8.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable

from warning.errors import SourceError
from warning.sources.columns import Body, of_text
from warning.sources.table import Line, Table

DELIMITERS = (",", ";", "\t")
_LOOKED_AT = 50  # lines a delimiter is judged by
MANY = 100  # lines; in the first of them the header is looked for
_LINE_BREAKS = 3  # more of them in one cell: a lone quotation mark, not a cell


def tables(name: str, content: bytes) -> list[Table]:
    """Return the table of a file, none where it is empty.

    Raises:
        SourceError: if it is in none of the encodings.
    """
    text = decoded(name, content).replace("\r\n", "\n").replace("\r", "\n")
    records = _records(text, _delimiter(text))
    known: dict[str, str] = {}  # a large table says the same few texts again and again: each is kept once
    once = known.setdefault
    stripped = (
        (number, tuple([once(cell, cell) for cell in map(str.strip, record)]))
        for number, record in enumerate(records, start=1)
    )
    lines = tuple(Line(number, cells) for number, cells in stripped if any(cells))
    return [Table(name, "", hashlib.sha256(content).hexdigest(), lines)] if lines else []


def even(name: str, content: bytes) -> Body | None:
    """Return a large file column by column, None where it is small or its lines are not even.

    Even are lines without quotation marks that all have as many cells, whatever stands in them.  What is returned says
    the same as ``tables`` does, in a fraction of time and memory.

    Raises:
        SourceError: if it is in none of the encodings.
    """
    text = decoded(name, content).replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    if '"' in text or text.count("\n") < MANY:
        return None
    delimiter = _delimiter(text)
    cells = of_text(text, delimiter)
    if cells is None:
        return None
    top = (tuple(map(str.strip, line.split(delimiter))) for line in text.split("\n", MANY)[:MANY])
    lines = tuple(Line(number, line) for number, line in enumerate(top, start=1) if any(line))
    return Body(Table(name, "", hashlib.sha256(content).hexdigest(), lines), cells)


def decoded(name: str, content: bytes) -> str:
    """Return a file's text.

    Raises:
        SourceError: if it is neither UTF-8 nor GB18030, nor UTF-16 with its mark.
    """
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SourceError(
        f"{name}: 编码不明，请另存为“CSV UTF-8” / neither UTF-8 nor GB18030; save the file as 'CSV UTF-8'"
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the most lines of one width, the widest of them."""
    lines = [line for line in text[:1_000_000].split("\n", 2 * _LOOKED_AT)[:-1] or [text] if line.strip()][:_LOOKED_AT]

    def fit(delimiter: str) -> tuple[int, int]:
        widths = Counter(line.count(delimiter) for line in lines if delimiter in line)
        width, often = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return often, width

    return max(DELIMITERS, key=fit)


def _records(text: str, delimiter: str) -> Iterable[list[str]]:
    if '"' not in text:
        return (line.split(delimiter) for line in text.split("\n"))
    try:
        records = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:  # a cell beyond the library's limit of 128 KB
        records = []
    if records and not any(cell.count("\n") > _LINE_BREAKS for record in records for cell in record):
        return records
    return [_record(line, delimiter) for line in text.split("\n")]


def _record(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
