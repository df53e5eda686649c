"""A mapping of events guessed from a file: which columns hold the four facts, what its categories may be counted for.

For a person to read: only what is called nearly as an indicator is counted, the rest stands there as a comment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from warning.errors import SourceError
from warning.mapping import MISSING, TOTALS
from warning.model import Indicator
from warning.sources import columns, days
from warning.sources.columns import Body, Texts
from warning.sources.event_tables import PERSONAL
from warning.sources.heads import Head, head_of
from warning.sources.naming import key
from warning.sources.personal import column_looks_so, is_named_so, may_tell
from warning.sources.rows import Known
from warning.sources.table import Table

WORDS: Mapping[str, tuple[str, ...]] = {
    "grid": (
        "网格编码",
        "网格编号",
        "网格代码",
        "网格号",
        "所属网格",
        "网格",
        "grid",
        "grid code",
        "grid id",
        "grid_code",
    ),
    "time": ("上报时间", "发生时间", "受理时间", "登记时间", "发现时间", "事件时间", "时间", "time", "reported at"),
    "category": ("事件类别", "类别", "事件类型", "类型", "问题类别", "事项类别", "事项", "category", "type"),
    "result": ("处置结果", "结果", "办理结果", "处理结果", "办结情况", "处置状态", "状态", "result", "status"),
}
VALUES = ("数量", "件数", "起数", "宗数", "数值", "值", "value", "count", "number")  # of a table of numbers
NEEDED = ("grid", "time", "category")
SHORT = 3  # characters from which a category may stand for the indicator whose name begins with it
MOST = 20  # categories named in a comment
_ASIDE = {"", *map(key, (*MISSING, *TOTALS))}


@dataclass(frozen=True)
class EventGuess:
    """The section of a mapping, the columns it passes over, and what comes behind it."""

    section: Mapping[str, str]
    ignore: tuple[str, ...]
    tail: tuple[str, ...]


def guess_events(tables: Sequence[Table], name: str, city: Known) -> EventGuess | None:
    """Return what a file of events seems to be, None of any other file.

    Args:
        tables: Its sheets; the first with a header of events is looked at.
        name: Of the file.
        city: Indicators by id.

    Raises:
        SourceError: if it has a column that must not be there.
    """
    found = next((one for table in tables if (one := _head(table)) is not None), None)
    if found is None:
        return None
    head, there = found
    below = columns.below(Body(Table(name, "", "", ())), head)
    ignore = []
    for n, header in enumerate(head.headers):
        told = may_tell(header) if n not in there.values() else is_named_so(header)
        if told or column_looks_so(below.cells[n]):
            raise SourceError(f"{name}: {PERSONAL.format(label=header.text or n + 1)}")
        if n not in there.values() and header.parts:
            ignore.append(header.text)
    section = {"delivery": "days", **{fact: head.headers[n].text for fact, n in there.items()}}
    section |= {"days": "@file"} if days.within(name) else {}
    categories = _often(below.cells[there["category"]])
    results = _often(below.cells[there["result"]]) if "result" in there else Counter[str]()
    return EventGuess(section, tuple(ignore), (*_counts(categories, city), *_shares(results, city)))


def _head(table: Table) -> tuple[Head, dict[str, int]] | None:
    """Return a table's header and the columns of the facts, None where it has not those of events."""
    with suppress(SourceError):
        head = head_of(table, None, lambda head: len(_facts(head)))
        there, values = _facts(head), {*map(key, VALUES)}
        of_numbers = any({*map(key, header.names)} & values for header in head.headers)
        if {*NEEDED} <= {*there} and not of_numbers:
            return head, there
    return None


def _facts(head: Head) -> dict[str, int]:
    of = [{*map(key, header.names)} - {""} for header in head.headers]
    there: dict[str, int] = {}
    for fact, words in WORDS.items():
        named = (n for word in map(key, words) for n, names in enumerate(of) if word in names)
        first = next((n for n in named if n not in there.values()), None)
        if first is not None:
            there[fact] = first
    return there


def _often(column: Texts) -> Counter[str]:
    """Return how often each text occurs, those that say nothing left out."""
    many = Counter(column.codes.tolist())
    return Counter({text: many[n] for n, text in enumerate(column.distinct) if key(text) not in _ASIDE})


def _counts(categories: Counter[str], city: Known) -> list[str]:
    counted: dict[str, list[str]] = {}
    unsure = Counter[str]()
    countable = [one for one in city.indicators.values() if one.kind == "count" and one.period_agg == "sum"]
    for category, often in categories.most_common():
        named = _named(category, countable)
        if len(named) == 1:
            counted.setdefault(named[0].id, []).append(category)
        else:
            unsure[category] = often
    lines = []
    for id, said in counted.items():
        lines += ["", "[[events.counts]]", f"indicator = {_toml(id)}  # {city.indicators[id].name_zh}"]
        lines.append(f"categories = {_toml(said)}")
    if unsure:
        lines += ["", "# 没有对应指标的类别，请核对 / categories that make no indicator:"]
        lines += [f"# {_toml(category)}  # {often}" for category, often in unsure.most_common(MOST)]
    return lines


def _named(category: str, indicators: Sequence[Indicator]) -> list[Indicator]:
    """Return the indicators a category is called by, or whose name begins with it."""
    found = key(category)
    exact = [one for one in indicators if found in (key(one.id), key(one.name_zh), key(one.name_en))]
    return exact or [one for one in indicators if len(found) >= SHORT and key(one.name_zh).startswith(found)]


def _shares(results: Counter[str], city: Known) -> list[str]:
    if not results:
        return []
    named = [one for one in city.indicators.values() if one.kind == "ratio" and "事件" in one.name_zh]
    id, name = (named[0].id, named[0].name_zh) if named else ("", "？")
    return [
        *("", "# [[events.ratios]]  # 请核对哪些结果算分子、分母 / check which results are counted"),
        *(f"# indicator = {_toml(id)}  # {name}", '# categories = "*"'),
        f"# results = {_toml([text for text, _ in results.most_common(1)])}",
        f"# of = {_toml([text for text, _ in results.most_common()[1:MOST]])}",
    ]


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
