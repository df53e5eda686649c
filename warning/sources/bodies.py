"""The bodies of answers and pushes: JSON or CSV, into one table.

Numbers stay as they are written, so that nothing is rounded on the way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from warning.errors import SourceError
from warning.sources import text_files
from warning.sources.table import Line, Table

MOST_COLUMNS = 1000
MOST_CELLS = 20_000_000  # of rows and columns together: objects with few keys in common make a table mostly empty


def fingerprint(kind: str, name: str, bodies: Iterable[bytes]) -> str:
    """Return the SHA-256 of what came by a feed, the feed's own: two feeds may send the same and both are read."""
    content = hashlib.sha256(f"{kind} {name}\n".encode())
    for body in bodies:
        content.update(hashlib.sha256(body).digest())
    return content.hexdigest()


def parsed(name: str, body: bytes, *, said: str = "") -> Any:
    """Return the content of a JSON body, its numbers as texts.

    Args:
        name: Of the feed.
        body: As it came.
        said: Which kind of content the sender says it is, for the error.

    Raises:
        SourceError: if it is no JSON, or says something twice.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once
        )
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: 不是 UTF-8 编码 / byte {error.start + 1} is not UTF-8, which JSON must be"
        ) from error
    except json.JSONDecodeError as error:
        kind = f"; it says it is {said}" if said and "json" not in said else ""
        raise SourceError(
            f"{name}: 不是 JSON / no JSON in line {error.lineno}, character {error.colno}{kind}"
        ) from error
    except _Twice as error:
        raise SourceError(f"{name}: 键重复 / an object has the key {_cell(str(error))[:40]!r} twice") from error
    except RecursionError as error:
        raise SourceError(
            f"{name}: JSON 嵌套太深 / the JSON is nested too deeply; expected a list of flat objects"
        ) from error


def at(content: Any, path: str) -> Any:
    """Return what stands at a path such as ``data.items`` in a JSON content, None where nothing does."""
    for key in path.split(".") if path else ():
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def records_at(name: str, content: Any, path: str) -> list[Mapping[str, Any]]:
    """Return the list of objects at a path.

    Raises:
        SourceError: if something else stands there.
    """
    found = at(content, path)
    if not isinstance(found, list):
        where = f"at {path!r}" if path else "at its beginning"
        keys = f"; it is an object with {_listed(content)}" if isinstance(content, Mapping) else ""
        raise SourceError(f"{name}: JSON 中没有所写的列表 / the JSON has no list {where}{keys}")
    odd = next((number for number, one in enumerate(found, start=1) if not isinstance(one, Mapping)), None)
    if odd is not None:
        raise SourceError(
            f"{name}: 列表中的一项不是对象 / entry {odd} of the JSON's list is no object with named values"
        )
    return found


def table_of_records(name: str, sha256: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """Return objects as a table: a column for each key, in the order in which they first occur.

    Raises:
        SourceError: if there are too many columns, or too few keys in common.
    """
    columns: dict[str, None] = {}
    for record in records:
        columns |= dict.fromkeys(record)
        if len(columns) > MOST_COLUMNS:
            raise SourceError(f"{name}: 列太多 / the objects have more than {MOST_COLUMNS} different keys")
    if len(columns) * len(records) > MOST_CELLS:
        raise SourceError(
            f"{name}: 太多 / {len(records)} objects of {len(columns)} keys are too many; send fewer at once"
        )
    rows = [tuple(map(_cell, columns)), *(tuple(_cell(record.get(key)) for key in columns) for record in records)]
    lines = [Line(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)]
    return Table(name, "", sha256, tuple(lines))


def table_of_csv(name: str, sha256: str, body: bytes) -> Table:
    """Return the table of a CSV body, without lines where it is empty.

    Raises:
        SourceError: if it is in none of the encodings that are read.
    """
    found = text_files.tables(name, body)
    return Table(name, "", sha256, found[0].lines if found else ())


def joined(name: str, sha256: str, pages: Sequence[Table]) -> Table:
    """Return pages that each begin with the same header as one table.

    Raises:
        SourceError: if one begins with another header.
    """
    filled = [page for page in pages if page.lines]
    lines: list[Line] = list(filled[0].lines) if filled else []
    for page in filled[1:]:
        if page.lines[0].cells != lines[0].cells:
            raise SourceError(f"{name}: 各页表头不同 / a later page begins with another header than the first")
        lines += [Line(lines[-1].number + n, line.cells) for n, line in enumerate(page.lines[1:], start=1)]
    return Table(name, "", sha256, tuple(lines))


class _Twice(Exception):
    """An object names a key twice; nobody knows which value is meant."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in found if keys.count(key) > 1))
    return found


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():  # half a character, as JSON may hold one, is none that can be stored
            return value.strip().encode("utf-8", "replace").decode()
        case bool():
            return "true" if value else "false"
        case _:
            return _cell(json.dumps(value, ensure_ascii=False))


def _listed(content: Mapping[str, Any]) -> str:
    names = [_cell(key)[:40] for key in content]
    return f"the keys {', '.join(names[:5])}{', …' if len(names) > 5 else ''}" if names else "no key"
