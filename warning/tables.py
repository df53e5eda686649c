"""CSV files into checked rows; the only module that knows how a deployment's tables are written.

UTF-8, with or without a spreadsheet's byte-order mark; empty lines are passed over.  Columns nobody
asks for are left alone, so that a city may keep its own notes beside the data.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from pydantic import ValidationError

from warning.checked import Model, faults_of, suggestion


class Faults(defaultdict[str, list[str]]):
    """What is wrong with a folder: a list of sentences for each file name."""

    def __init__(self) -> None:
        super().__init__(list)


@dataclass(frozen=True, slots=True)
class Row(Generic[Model]):
    """One line of a table: as written, and as understood."""

    number: int  # as a spreadsheet counts: the header is row 1
    text: Mapping[str, str]
    value: Model | None  # None: its faults are noted


Table = tuple[Row[Model], ...]


def read_table(path: Path, model: type[Model], faults: Faults) -> Table[Model]:
    """Return the rows of a file; what is wrong with it goes to ``faults`` under its name."""
    found = faults[path.name]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except FileNotFoundError:
        found.append("the file is missing")
        return ()
    except OSError as error:
        found.append(f"the file cannot be read: {error.strerror}")
        return ()
    except UnicodeDecodeError as error:
        found.append(f"byte {error.start + 1} is not UTF-8; save the file as 'CSV UTF-8'")
        return ()
    except csv.Error as error:
        found.append(f"not valid CSV: {error}")
        return ()
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        found.append(f"the file is empty; expected the columns {', '.join(model.model_fields)}")
        return ()
    header = lines[0][1]
    wrong = list(_header_faults(header, model))
    if len(lines) == 1:
        wrong.append("no rows follow the header")
    found.extend(wrong)
    return () if wrong else tuple(_row(number, cells, header, model, found) for number, cells in lines[1:])


def values(table: Table[Model]) -> list[tuple[int, Model]]:
    """Return the rows that were understood, with their numbers."""
    return [(row.number, row.value) for row in table if row.value is not None]


def column(table: Table[Model], name: str) -> dict[str, int]:
    """Return what stands in a column, also in rows with faults, with the first row it stands in."""
    first: dict[str, int] = {}
    for row in table:
        first.setdefault(row.text.get(name, ""), row.number)
    return first


def repeats(table: Table[Model], *names: str) -> Iterable[str]:
    """Yield a fault for each row that repeats what an earlier row has in these columns."""
    first: dict[tuple[str, ...], int] = {}
    for row in table:
        key = tuple(row.text.get(name, "") for name in names)
        if first.setdefault(key, row.number) != row.number and any(key):
            yield f"row {row.number}, {' + '.join(names)}: {' '.join(key)!r} already stands in row {first[key]}"


def unknown(number: int, name: str, found: str, known: Collection[str], file: str) -> Iterable[str]:
    """Yield a fault if ``found`` is not among the names of another file; a file without any has its own fault."""
    if known and found not in known:
        # A city has hundreds of places: the known ones are listed only where they can be read at a glance.
        hint = suggestion(found, known)
        yield f"row {number}, {name}: {found!r} is not in {file}{hint if len(hint) < 100 else ''}"


def _header_faults(header: list[str], model: type[Model]) -> Iterable[str]:
    for name in dict.fromkeys(name for name in header if name and header.count(name) > 1):
        yield f"row 1: the column {name!r} stands there twice"
    for name, field in model.model_fields.items():
        if field.is_required() and name not in header:
            yield f"row 1: the column {name!r} is missing; found: {', '.join(header)}"


def _row(number: int, cells: list[str], header: list[str], model: type[Model], faults: list[str]) -> Row[Model]:
    text = dict(zip(header, cells, strict=False))
    if len(cells) != len(header):
        hint = ": a text with a comma needs quotes" if len(cells) > len(header) else ""
        faults.append(f"row {number} has {len(cells)} cells, expected {len(header)}{hint}")
        return Row(number, text, None)
    try:
        value = model.model_validate({name: text[name] for name in model.model_fields if name in text})
    except ValidationError as error:
        faults.extend(f"row {number}, {fault}" for fault in faults_of(error, model))
        return Row(number, text, None)
    return Row(number, text, value)
