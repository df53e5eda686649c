"""Tables of events, column by column: which columns they have, which they must not have, which rows are none.

Of a column that is neither a fact of an event nor passed over by the mapping the feed stops, and says which it is; so
it does of one that may tell more of an event than may be kept, whatever the mapping says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from warning.errors import SourceError
from warning.event_mapping import FACTS, OUTSIDE, Events
from warning.mapping import Feed, named_in
from warning.sources import columns, days, personal
from warning.sources.asides import NOTE
from warning.sources.cells import Mask
from warning.sources.columns import Body, Columns, Texts
from warning.sources.days import Span, Wall
from warning.sources.grids import Grids
from warning.sources.heads import Head, Header, head_of
from warning.sources.naming import key
from warning.sources.shaping import labels_of
from warning.sources.table import Table
from warning.sources.written import shown

ASKED = (*FACTS, "change")

PERSONAL = (
    "列“{label}”可能载有个人信息、地点或经过，整个文件未读；请部门删去该列后重送，ignore 不能放行"
    " / the column {label!r} may tell of a person, of a spot or what happened there, and nothing of the file was read;"
    " have the department take it out"
)
MOST_DAYS = 400  # of one file


@dataclass(frozen=True)
class Sheet:
    """Where one table's rows stand among those of all."""

    title: str  # "" of what has no sheets
    rows: range
    labels: Mapping[str, str]  # under which header each fact stands
    days: Span | None  # which it says to hold whole


@dataclass
class Gathered:
    """The rows of all tables of a delivery."""

    numbers: list[int] = field(default_factory=list)  # as a spreadsheet counts
    parts: dict[str, list[Texts]] = field(default_factory=lambda: {fact: [] for fact in ASKED})
    sheets: list[Sheet] = field(default_factory=list)
    ragged: list[tuple[str, int]] = field(default_factory=list)  # sheet and number of rows that are not as the header

    def column(self, fact: str) -> Texts:
        """Return what stands there of a fact."""
        return columns.together(self.parts[fact])

    def label(self, fact: str, row: int) -> str:
        """Return where a cell stands."""
        sheet = next(sheet for sheet in self.sheets if row in sheet.rows)
        label = sheet.labels.get(fact, fact)
        return f"{sheet.title}!{label}" if len(self.sheets) > 1 else label


def gathered(bodies: Sequence[Body], feed: Feed, events: Events, grids: Grids, *, name: str, wall: Wall) -> Gathered:
    """Return the rows of a delivery.

    Raises:
        SourceError: if a table has not the columns of the mapping, has others, or one that looks personal, or does
            not say which days it holds where the mapping says that it does.
    """
    found = Gathered()
    for body in bodies:
        try:
            _gather(body, feed, events, grids, found, wall)
        except SourceError as error:
            where = f"{name}, sheet {body.table.sheet}" if body.table.sheet else name
            raise SourceError(f"{where}: {error}{named_in(feed)}") from error
    return found


def _gather(body: Body, feed: Feed, events: Events, grids: Grids, found: Gathered, wall: Wall) -> None:
    head, places = _head(body.table, feed, events)
    below = columns.below(body, head)
    _require_no_others(head, below, feed, places, grids)
    there = {fact: below.cells[n] for fact, n in places.items()}
    rows = np.flatnonzero(_is_data(there, {fact: head.headers[n] for fact, n in places.items()}, feed))
    begin, numbers = len(found.numbers), below.numbers[rows]
    found.numbers += numbers.tolist()
    found.ragged += [(body.table.sheet, number) for number in below.ragged]
    blank = Texts(("",), np.zeros(len(rows), dtype=np.int64))
    for fact in ASKED:
        found.parts[fact].append(there[fact].at(rows) if fact in there else blank)
    labels = {fact: head.headers[n].text for fact, n in places.items()}
    held = _declared(body.table, head, events, wall) if events.days in OUTSIDE else None
    found.sheets.append(Sheet(body.table.sheet, range(begin, len(found.numbers)), labels, held))


def _head(table: Table, feed: Feed, events: Events) -> tuple[Head, dict[str, int]]:
    """Return a table's header, and in which column each fact stands."""
    wanted = {fact: getattr(events, fact) for fact in ASKED if getattr(events, fact)}

    def score(found: Head) -> int:
        try:
            return sum(found.find(texts) is not None for texts in wanted.values())
        except SourceError:
            return 1

    try:
        head = head_of(table, None if feed.header == "auto" else feed.header, score)
    except SourceError:  # it would repeat the first line, which may be anything
        named = ", ".join(" / ".join(texts) for texts in wanted.values())
        raise SourceError(f"找不到映射所写的表头 / no header was found with the columns {named}") from None
    there = {fact: head.find(texts) for fact, texts in wanted.items()}
    lacking = [fact for fact, n in there.items() if n is None]
    if lacking:
        said = ", ".join(f"{' / '.join(wanted[fact])} (events.{fact})" for fact in lacking)
        raise SourceError(f"缺列 / no column is called {said}; found: {shown(labels_of(head))}")
    return head, {fact: n for fact, n in there.items() if n is not None}


def _require_no_others(head: Head, below: Columns, feed: Feed, places: Mapping[str, int], grids: Grids) -> None:
    """Refuse a table that tells more of an event than its four facts.

    Raises:
        SourceError: naming every column that is one too many.
    """
    passed, facts = {key(text) for text in feed.ignore}, set(places.values())
    others: list[str] = []
    for n, header in enumerate(head.headers):
        label = header.text or f"{n + 1}"
        named = n not in facts and bool({*map(key, header.names)} & passed)
        told = personal.is_named_so(header) if n in facts else personal.may_tell(header)  # whatever ignore says
        known = grids.place if n == places["grid"] else _nothing
        if told or personal.column_looks_so(below.cells[n], known):
            raise SourceError(PERSONAL.format(label=label))
        if n not in facts and not named and (header.parts or any(below.cells[n].distinct)):
            others.append(label)
    if len(below.ragged) > len(below.numbers):
        others.append(f"{len(head.headers) + 1}")
    if others:
        raise SourceError(
            f"列 {shown(others)} 不是事件的网格、时间、类别或结果，整个文件未读；请部门删去后重送，或在 ignore 中写明"
            f"不读 / {len(others)} column(s) are none of an event's facts, and nothing of the file was read; have the"
            " department take them out, or name them in ignore"
        )


def _nothing(_: str) -> bool:
    return False


def _is_data(there: Mapping[str, Texts], headers: Mapping[str, Header], feed: Feed) -> Mask:
    """Say which rows are events: not empty, no total, no note, not the header once more."""
    totals, nothing = {*map(key, feed.totals)}, {"", *map(key, feed.missing)}
    grid, category = there["grid"], there["category"]
    aside = grid.each(lambda text: key(text) in totals or NOTE.match(text))
    aside &= category.each(lambda text: key(text) in nothing | totals)
    again, empty = np.ones(len(grid.codes), dtype=np.bool_), np.ones(len(grid.codes), dtype=np.bool_)
    for fact, column in there.items():
        empty &= ~column.each(bool)
        if fact in ("grid", "category"):
            again &= column.each(partial(_is_called, {*map(key, headers[fact].names)}))
    return np.asarray(~(aside | again | empty), dtype=np.bool_)


def _is_called(names: Collection[str], text: str) -> bool:
    return key(text) in names


def _declared(table: Table, head: Head, events: Events, wall: Wall) -> Span:
    """Return the first and the last day that a title or a name says."""
    titles = " ".join(cell for line in head.titles for cell in line.cells if cell)
    text = {"@title": titles, "@sheet": table.sheet, "@file": Path(table.name).stem}[events.days]
    found = wall.period(days.within(text))
    if found.reason:
        raise SourceError(
            f"看不出是哪一天 / events.days is {events.days!r}, and no day stands there: {shown([text])!r}"
        )
    first, last = date.fromisoformat(found.first), date.fromisoformat(found.last)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise SourceError(
            f"所写的日期过长 / events.days is {events.days!r}, and what stands there is too long: {shown([text])!r}"
        )
    return first, last
