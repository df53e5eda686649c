"""A mapping guessed from a file: which column says what, by its header and by what stands below it.

A guess is for a person to read: what it is not sure of stands in it as a comment.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

from warning.errors import SourceError
from warning.event_guess import guess_events
from warning.mapping import MISSING, TOTALS, Codes, Layout
from warning.model import Indicator, Place
from warning.sources import days, written
from warning.sources.days import Wall
from warning.sources.heads import Head, Header, head_of
from warning.sources.naming import Names, indicator_names, key, place_names
from warning.sources.rows import KEYS, Known
from warning.sources.table import Table

WORDS: Mapping[str, tuple[str, ...]] = {
    "place": ("地区", "区", "辖区", "行政区", "区县", "区域", "属地", "镇街", "街道", "place", "district", "area"),
    "date": ("日期", "时间", "统计日期", "数据日期", "月份", "周", "统计周期", "date", "day", "week", "month"),
    "indicator": ("指标", "指标名称", "事项", "类别", "类型", "项目", "indicator", "category", "type"),
    "value": ("数量", "数值", "件数", "起数", "宗数", "值", "金额", "value", "count", "number", "amount"),
}
ASKED = {  # what no table says and a person knows
    "department": '""  # 哪个部门 / whose',
    "contact": '""  # 催报邮箱 / whom to remind',
    "due": '"10:00"  # 次日几时应到 / by when on the next day',
}
ACROSS: Mapping[str, Layout] = {"indicator": "indicators", "place": "places", "date": "dates"}
MOST = 0.5  # share of a column's texts that must be names or dates
_DATED = re.compile(r"第?\d[\d\-_.年月日周第至—~]*")
_SHORT = re.compile(r"(\d{1,2})[/.-](\d{1,2})([/.-]\d{4})?( .*)?")
_NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?%?")
_NOTE = re.compile(r"(注|备注|说明|填报|填表|制表|审核|复核|联系|数据来源)")
_KINDS = ("count", "amount", "ratio")
MOST_UNSURE = 40
_ASIDE = {"", *map(key, (*MISSING, *TOTALS))}


@dataclass(frozen=True)
class Unsure:
    """A text the city does not know, and what it may mean."""

    what: str  # place or indicator
    text: str
    code: str  # "" where nothing is near
    name: str


@dataclass(frozen=True)
class Guess:
    """What a mapping of a file may say."""

    content: Mapping[str, Any]
    unsure: tuple[Unsure, ...]
    tail: tuple[str, ...] = ()  # lines behind it

    def toml(self) -> str:
        """Return it as the file a person goes on from."""
        plain = {name: value for name, value in self.content.items() if not isinstance(value, Mapping)}
        tables = {name: value for name, value in self.content.items() if isinstance(value, Mapping)}
        lines = [f"{name} = {_toml(value)}" for name, value in plain.items()]
        lines[1:1] = [f"# {name} = {example}" for name, example in ASKED.items() if name not in plain]
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{_key(text)} = {_toml(value)}" for text, value in table.items())]
        for what in ("place", "indicator"):
            asked = [one for one in self.unsure if one.what == what]
            if asked:
                lines += ["", f"[codes.{what}]  # 请核对代码，去掉行首的井号 / check the codes, take the # away"]
                lines += [f"# {_key(one.text)} = {_toml(one.code)}  # {one.name or '？'}" for one in asked]
        return "\n".join([*lines, *self.tail]) + "\n"


def guess(tables: Sequence[Table], name: str, city: Known, today: date) -> Guess:
    """Return the mapping a file seems to ask for.

    Args:
        tables: Its sheets; the first that has a header is looked at, and those without one are left out.
        name: Of the file.
        city: Indicators by id and places by code.
        today: The day it is read on.

    Raises:
        SourceError: if no header is found in it, or it is of events and has a column that must not be there.
    """
    events = guess_events(tables, name, city)
    if events is not None:
        ignore = {"ignore": list(events.ignore)} if events.ignore else {}
        return Guess({**_called(name), **ignore, "events": events.section}, (), events.tail)
    names = {"indicator": indicator_names(city, Codes()), "place": place_names(city, Codes())}
    wall = Wall("mdy", None, today, UTC)
    words = {key(word) for group in WORDS.values() for word in group}

    def role(header: Header) -> str:
        """Return what a header is: an indicator, a place or a date; "" for anything else."""
        known = next((what for what, known in names.items() if known.code(*header.names)), "")
        return known or ("date" if any(_day(text, wall) for text in header.parts[-1:]) else "")

    def score(found: Head) -> int:
        return sum(bool(role(one)) or bool({*map(key, one.names)} & words) for one in found.headers)

    heads: dict[str, tuple[Table, Head]] = {}
    for table in tables:
        with suppress(SourceError):  # a sheet of notes
            heads[table.sheet] = table, head_of(table, None, score)
    if not heads:
        raise SourceError(
            f"{name}: 找不到表头，请手写映射 / no header was found; write its mapping by hand: docs/feeds.zh.md"
        )
    table, found = next(iter(heads.values()))
    roles = [role(header) for header in found.headers]
    columns = _columns(found, roles, names, wall)
    across, often = max(Counter(filter(None, roles)).items(), key=lambda item: item[1], default=("", 0))
    layout: Layout = ACROSS[across] if often > 1 or (often and "value" not in columns) else "long"
    if layout == "long" and "indicator" not in columns and "value" not in columns:
        across, layout = "indicator", "indicators"  # columns of numbers under names nobody knows yet
    columns = {what: n for what, n in columns.items() if layout == "long" or what not in ("value", across)}
    said = {what: found.headers[n].text for what, n in columns.items()}
    said |= _outside(table, found, {*KEYS} - {*said} - {across if layout != "long" else ""}, names, name)
    further = [
        n for n in range(len(roles)) if layout != "long" and n not in columns.values() and n not in _totals(found)
    ]
    strange = [n for n in further if roles[n] != across and found.headers[n].parts]
    ignored = [n for n in strange if layout == "dates" or not _counts(found, n) or _running(found, n)]
    of = _values(found, columns, [n for n in further if n not in strange], names, said)
    content = {
        "name_zh": _DATED.sub("", Path(name).stem) or Path(name).stem,
        **_sender([city.indicators[id] for id, _ in of]),
        "files": [re.sub(r"\*+", "*", _DATED.sub("*", Path(name).stem)) + Path(name).suffix],
        **({"sheets": list(heads)} if len(heads) < len(tables) else {}),
        "layout": layout,
        **({"ignore": [found.headers[n].text for n in ignored]} if ignored else {}),
        **({"date_order": "dmy"} if _day_first(_texts(found, columns["date"]) if "date" in columns else ()) else {}),
        "columns": said,
        **({"factors": factors} if (factors := _factors(of, city)) else {}),
    }
    unknown = [(across, found.headers[n].text) for n in strange if n not in ignored]
    unknown += [(what, text) for what in names for text in (_texts(found, columns[what]) if what in columns else ())]
    return Guess(content, tuple(_unsure(unknown, names, city)))


def _called(name: str) -> dict[str, Any]:
    """Return what a file's name says: what it is, and which files are of its kind."""
    stem = Path(name).stem
    files = re.sub(r"\d[\d\-_年月日]*", "*", name) if re.search(r"\d", stem) else name
    return {"name_zh": re.sub(r"[\d\-_.]+", "", stem) or stem, "files": [files]}


def _columns(found: Head, roles: Sequence[str], names: Mapping[str, Names], wall: Wall) -> dict[str, int]:
    """Return where each fact stands: under a header that says so, else above texts that are such names or dates."""
    free = [n for n, role in enumerate(roles) if not role and found.headers[n].parts]
    columns: dict[str, int] = {}
    for what, said in WORDS.items():
        of_words = [n for n in free if {*map(key, found.headers[n].names)} & {*map(key, said)}]
        like = [n for n in free if what != "value" and _share(_texts(found, n), what, names, wall) >= MOST]
        both = [n for n in of_words if n in like] or like or of_words
        if what == "value" and not both and "indicator" in columns:  # then the only column of numbers
            both = [n for n in free if n not in columns.values() and _counts(found, n) and not _running(found, n)]
            both = both if len(both) == 1 else []
        if both and both[0] not in columns.values():
            columns[what] = both[0]
    return columns


def _share(texts: Sequence[str], what: str, names: Mapping[str, Names], wall: Wall) -> float:
    fits = [bool(_day(text, wall) if what == "date" else names[what].code(text)) for text in texts]
    return sum(fits) / max(len(fits), 1)


def _day(text: str, wall: Wall) -> bool:
    """Say whether a text is surely a date; 11.21 may be a number."""
    return not _NUMBER.fullmatch(text) and bool(wall.period(text).first)


def _outside(table: Table, found: Head, wanted: set[str], names: Mapping[str, Names], name: str) -> dict[str, str]:
    """Return where else a fact stands that no column says."""
    titles = " ".join(cell for line in found.titles for cell in line.cells)
    places = (("@sheet", table.sheet), ("@title", titles), ("@file", Path(name).stem))
    there: dict[str, str] = {}
    for what in sorted(wanted):
        for where, text in places:
            if what not in there and (days.within(text) if what == "date" else names[what].within(text)):
                there[what] = where
    return there


def _texts(found: Head, n: int) -> list[str]:
    texts = dict.fromkeys(line.cells[n] for line in found.body if n < len(line.cells))
    return [text for text in texts if key(text) not in _ASIDE and not _NOTE.match(text)]


def _day_first(texts: Sequence[str]) -> bool:
    """Say whether short dates begin with the day: 21/11 is no other."""
    found = [match for text in texts if (match := _SHORT.fullmatch(text))]
    return any(int(match[1]) > 12 for match in found) and all(int(match[2]) <= 12 for match in found)


def _counts(found: Head, n: int) -> bool:
    """Say whether a column may hold values: a single number, also with a word behind it, is enough."""
    return any(any(written.number(text, "万元", kind, None)[0] for kind in _KINDS) for text in _texts(found, n))


def _running(found: Head, n: int) -> bool:
    """Say whether a column only counts the rows."""
    texts = _texts(found, n)
    return len(texts) > 1 and texts == [str(number) for number in range(1, len(texts) + 1)]


def _totals(found: Head) -> set[int]:
    return {n for n, header in enumerate(found.headers) if {*map(key, header.names)} & _ASIDE - {""}}


def _values(
    found: Head, columns: Mapping[str, int], further: Sequence[int], names: Mapping[str, Names], said: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    """Return the indicators that are known, with what stands in the file as their values."""
    values: dict[str, list[str]] = {}
    if "indicator" in columns:
        cells = columns.get("value")
        for line in found.body:
            id = (
                names["indicator"].code(line.cells[columns["indicator"]])
                if len(line.cells) > columns["indicator"]
                else ""
            )
            at = [line.cells[n] for n in ([cells] if cells is not None else further) if n < len(line.cells)]
            values.setdefault(id, []).extend(at)
    elif "indicator" not in said:
        for n in further:
            values.setdefault(names["indicator"].code(*found.headers[n].names), []).extend(_texts(found, n))
    return [(id, texts) for id, texts in values.items() if id]


def _sender(indicators: Sequence[Indicator]) -> dict[str, str]:
    """Return what all indicators of a file have in common."""
    common = {"department": {one.department for one in indicators}, "frequency": {one.frequency for one in indicators}}
    return {name: values.pop() for name, values in common.items() if len(values) == 1 and values != {""}}


def _factors(of: Sequence[tuple[str, Sequence[str]]], city: Known) -> dict[str, int]:
    """Return for each ratio whether its numbers are fractions: all of them are at most 1."""
    found: dict[str, int] = {}
    for id, texts in of:
        plain = [text for text in map(written.plain, texts) if _NUMBER.fullmatch(text) and not text.endswith("%")]
        if city.indicators[id].kind == "ratio" and plain:
            found[id] = 100 if all(float(text.replace(",", "") or 0) <= 1 for text in plain) else 1
    return found


def _unsure(texts: Sequence[tuple[str, str]], names: Mapping[str, Names], city: Known) -> list[Unsure]:
    found: list[Unsure] = []
    for what, text in dict.fromkeys(texts):
        if what not in names or names[what].code(text):
            continue
        known = [name for name, code in names[what].codes.items() if code]
        near = difflib.get_close_matches(key(text), known, n=1)
        code = names[what].codes[near[0]] if near else ""
        catalogue: Mapping[str, Indicator | Place] = city.indicators if what == "indicator" else city.places
        found.append(Unsure(what, text, code, catalogue[code].name_zh if code else ""))
    return found[:MOST_UNSURE]


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)
