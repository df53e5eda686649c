"""XLSX workbooks into tables; the only module that knows python-calamine.

Values are taken as the sender's program saved them: no formula is worked out, no macro run, nothing outside the file
fetched.  The reader makes room for every cell between the first and the last one, so a small file can ask for all
memory there is, and the process would be ended; the file is therefore measured before it is opened.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase

from warning.errors import SourceError
from warning.sources.table import Line, Table

MOST_BYTES = 400_000_000  # unpacked, of all parts together
MOST_CELLS = 8_000_000  # of a sheet, between its first and its last cell, empty ones too
MOST_PARTS = 5_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others' errors are of many kinds
CHUNK = 1 << 20

_PLACED = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,9})(\d{1,9})["']""")
_OVERLAP = 64  # bytes a position may stick out of one chunk into the next

Corner = tuple[int, int]


def tables(name: str, content: bytes, sheets: Sequence[str] = ()) -> list[Table]:
    """Return a table for each sheet that is asked for and not empty; merged cells all hold the first one's text.

    Args:
        name: Of the file.
        content: The file.
        sheets: Names, with * and ?; none: every sheet that is not hidden.

    Raises:
        SourceError: if it is no workbook, too large, damaged or locked, or has none of the sheets.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    _measure(name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            there = [sheet.name for sheet in book.sheets_metadata]
            shown = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
            wanted = [n for n in there if any(fnmatchcase(n, pattern) for pattern in sheets)] if sheets else shown
            if not wanted:
                raise SourceError(
                    f"{name}: 没有这样的表 / no sheet is called {' or '.join(sheets)}; there are: {', '.join(there)}"
                )
            found = []
            for title in wanted:
                sheet = book.get_sheet_by_name(title)
                rows = sheet.to_python(skip_empty_area=False)
                merged = sheet.merged_cell_ranges or []
                found.append(Table(name, title, sha256, _lines(rows, merged)))
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(
            f"{name}: 工作簿读不出，请另存 / the workbook cannot be read: {error}; save it anew as .xlsx"
        ) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the reader, written in Rust, raises at its own faults
            raise
        raise SourceError(f"{name}: 工作簿损坏，请另存 / the workbook is damaged; save it anew as .xlsx") from error
    return [table for table in found if table.lines]


def _lines(rows: Sequence[Sequence[object]], merged: Iterable[tuple[Corner, Corner]]) -> tuple[Line, ...]:
    grid = [[_text(cell) for cell in row] for row in rows]
    room = MOST_CELLS
    for (top, left), (bottom, right) in merged:
        down, across = range(top, min(bottom + 1, len(grid))), range(left, min(right + 1, len(grid[0]) if grid else 0))
        room -= len(down) * len(across)
        if room < 0 or not down or not across or isinstance(rows[top][left], int | float):
            continue  # a number that spans several places is not the number of each of them
        for row in down:
            for column in across:
                grid[row][column] = grid[top][left]
    return tuple(Line(number, tuple(cells)) for number, cells in enumerate(grid, start=1) if any(cells))


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def _measure(name: str, content: bytes) -> None:
    """Unpack every part once, within limits, and see how far apart the cells of each lie.

    Raises:
        SourceError: if it is no workbook or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
                raise SourceError(
                    f"{name}: 解开后大于 {MOST_BYTES // 1_000_000} MB，请分开送"
                    f" / unpacked it is larger than {MOST_BYTES // 1_000_000} MB; send it in parts"
                )
            if any(part.compress_type not in METHODS for part in parts):
                raise SourceError(
                    f"{name}: 压缩方式不是 .xlsx 的，请另存 / packed in a way that no .xlsx workbook is; save it anew"
                )
            for part in parts:
                rows, columns = _reach(archive, part)
                if rows * columns > MOST_CELLS:
                    raise SourceError(
                        f"{name}: 表太大，请删去空行空列或分开送"
                        f" / {part.filename} reaches to row {rows}, column {columns}, more than {MOST_CELLS} "
                        "cells; delete the empty rows and columns, or send it in parts"
                    )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise SourceError(
            f"{name}: 不是 .xlsx 工作簿，或已损坏、加了密码，请另存"
            " / not an .xlsx workbook, damaged or locked by a password; save it anew"
        ) from error


def _reach(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Corner:
    """Return the last row and the last column that a part names; reading it to its end checks its size as stated."""
    rows = columns = 1
    rest = b""
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            if part.filename.endswith(".xml"):
                for letters, digits in set(_PLACED.findall(rest + chunk)):
                    rows = max(rows, int(digits))
                    columns = max(columns, _number(letters))
                rest = chunk[-_OVERLAP:]
    return rows, columns


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
