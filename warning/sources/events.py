"""The rows of a delivery as events: a grid, a day, a category, a result, and nothing else.

What cannot be used is set aside with its first fault and the one cell that is wrong, without what else stood in its
row.  Of events that are alike to the second, one is counted.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from warning.errors import SourceError
from warning.event_mapping import Events
from warning.model import QuarantineEntry
from warning.sources import personal
from warning.sources.cells import EPOCH, Integers, Mask
from warning.sources.columns import Body, Texts
from warning.sources.days import Span, Wall
from warning.sources.delivery import SOME_DAY, Delivery, Kind, Receipt
from warning.sources.event_tables import ASKED, Gathered, gathered
from warning.sources.grids import Grids
from warning.sources.moments import DAY, Moments
from warning.sources.naming import key

MOST_KINDS = 2000  # categories, or results, of one delivery
MANY_KINDS = 100  # more of them, and more than half as many as there are rows: no codes
LONGEST = 60  # characters of a category or a result
UNUSABLE = 1000  # rows set aside from which a delivery is refused, where they are the most of it
ADDS = ("", "新增", "增加", "1", "+1", "add")
TOO_LONG = "过长，应为代码或简短的名称"


class Said(NamedTuple):
    """What a cell says, and why it cannot be used."""

    text: str
    reason: str


def events_of(
    bodies: Sequence[Body], receipt: Receipt, *, name: str, sha256: str, asked: Span | None = None
) -> Delivery:
    """Return the events of a delivery.

    Args:
        bodies: Its tables.
        receipt: By which feed it came, and when; no event is later.
        name: Of the file or the feed.
        sha256: Of what is read once.
        asked: The first and the last day that were asked for.

    Raises:
        SourceError: if a table has not the columns, or has others, or one that looks personal; if categories or
            results are no codes; or if most rows cannot be used.
    """
    feed, events, city = receipt.feed, receipt.events, receipt.city
    grids = Grids(city, feed.codes, events.tier, feed.places)
    wall = Wall(feed.date_order, feed.year, receipt.today, receipt.zone)
    found = gathered(bodies, feed, events, grids, name=name, wall=wall)
    of = {fact: found.column(fact) for fact in ASKED}
    nothing = {"", *map(key, feed.missing)}
    for fact in ("category", "result"):
        _require_codes(of[fact], found.label(fact, 0) if found.numbers else fact, name)
    moments = Moments(feed.date_order, feed.year, receipt.at, receipt.zone)
    times = [moments.moment(text) for text in of["time"].distinct]
    said = {
        "grid": [_grid(text, grids, nothing) for text in of["grid"].distinct],
        "time": [Said("", moment.reason) for moment in times],
        "category": [_category(text, nothing) for text in of["category"].distinct],
        "result": [_result(text, nothing) for text in of["result"].distinct],
        "change": [_change(text, events) for text in of["change"].distinct],
    }
    day, second = (np.array([moment[n] for moment in times], dtype=np.int64)[of["time"].codes] for n in (0, 1))
    wrong = {fact: np.array([bool(one.reason) for one in said[fact]], dtype=np.bool_)[of[fact].codes] for fact in ASKED}
    day[wrong["time"]] = SOME_DAY
    beyond = _beyond(found, day, events, asked)
    aside = _entries(found, of, said, wrong, day, beyond, name)
    _require_most(len(aside), len(found.numbers) + len(found.ragged), aside, name)
    usable = np.flatnonzero(~np.logical_or.reduce([*wrong.values(), beyond]))
    grid, grid_of = _coded(said["grid"], of["grid"].codes[usable])
    category, category_of = _coded(said["category"], of["category"].codes[usable])
    result, result_of = _coded(said["result"], of["result"].codes[usable])
    pair = category_of * max(len(result), 1) + result_of
    pairs = np.flatnonzero(np.bincount(pair))
    kind_of = np.searchsorted(pairs, pair)
    kinds = [Kind(category[n // len(result)], result[n % len(result)]) for n in pairs.tolist()]
    change = np.where(np.array([one.text == "-1" for one in said["change"]])[of["change"].codes[usable]], -1, 1)
    days = day[usable]
    kept = np.arange(len(usable))
    if events.alike == "once":
        kept = _told_once(
            grid_of, kind_of, days * DAY + second[usable], change, (second[usable] > 0) & (second[usable] % 60 > 0)
        )
    return Delivery(
        name=name,
        sha256=sha256,
        counted=grids.counted,
        grids=grid,
        kinds=tuple(kinds),
        grid=grid_of[kept],
        kind=kind_of[kept],
        days=days[kept],
        change=change[kept],
        rows=np.array(found.numbers, dtype=np.int64)[usable][kept],
        alike=len(usable) - len(kept),
        covered=_covered(found, days, asked if events.days == "asked" else None),
        quarantined=tuple(sorted(aside, key=lambda entry: entry.row)),
        aside=Counter(_day_of(entry) for entry in aside),
        column=found.label("time", 0) if found.numbers else "",
    )


def _grid(text: str, grids: Grids, nothing: Collection[str]) -> Said:
    if key(text) in nothing:
        return Said("", "网格编码为空")
    return Said(_code(text), "") if grids.place(text) else Said("", grids.reason(text))


def _category(text: str, nothing: Collection[str]) -> Said:
    if key(text) in nothing:
        return Said("", "类别为空")
    return Said("", TOO_LONG) if len(text) > LONGEST else Said(_code(text), _personal(text))


def _result(text: str, nothing: Collection[str]) -> Said:
    if key(text) in nothing:
        return Said("", "")
    return Said("", TOO_LONG) if len(text) > LONGEST else Said(_code(text), _personal(text))


def _change(text: str, events: Events) -> Said:
    if key(text) in {*map(key, events.withdrawn)}:
        return Said("-1", "")
    return Said("1", "" if key(text) in ADDS else "看不出是新增还是撤销")


def _personal(text: str) -> str:
    return "像个人信息，不是代码" if personal.looks_so(text) else ""


def _code(text: str) -> str:
    """Return a code as it is kept: full-width forms made narrow, blanks in it made one."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _require_codes(column: Texts, label: str, name: str) -> None:
    """Refuse what is told in words instead of codes.

    Raises:
        SourceError: if hardly two rows have the same text.
    """
    several = len(column.distinct)
    if several > MOST_KINDS or several > max(MANY_KINDS, len(column.codes) / 2):
        raise SourceError(
            f"{name}: 列“{label}”有 {several} 种写法，像是文字而不是代码，整个文件未读 / the column {label!r} holds"
            f" {several} different texts; only codes are taken, and nothing of the file was read"
        )


def _require_most(aside: int, rows: int, entries: Sequence[QuarantineEntry], name: str) -> None:
    """Refuse a delivery most of which cannot be used: it is not as its mapping says, and nobody could look through it.

    Raises:
        SourceError: with the most frequent reasons.
    """
    if aside > UNUSABLE and 2 * aside > rows:
        often = Counter(entry.reason for entry in entries).most_common(3)
        reasons = "；".join(f"{reason}（{count}）" for reason, count in often)
        raise SourceError(
            f"{name}: {rows} 行中有 {aside} 行不能使用，整个文件未读"
            f" / {aside} of {rows} rows cannot be used, so none is: {reasons}"
        )


def _beyond(found: Gathered, day: Integers, events: Events, asked: Span | None) -> Mask:
    """Say which rows are of a day that the delivery is not about."""
    beyond = np.zeros(len(day), dtype=np.bool_)
    for sheet in found.sheets:
        days = asked if events.days == "asked" else sheet.days
        first, last = days or (events.since or EPOCH, date.max)
        rows = slice(sheet.rows.start, sheet.rows.stop)
        beyond[rows] = (day[rows] < _number(first)) | (day[rows] > _number(last))
    return np.asarray(beyond & (day != SOME_DAY), dtype=np.bool_)


def _entries(
    found: Gathered,
    of: Mapping[str, Texts],
    said: Mapping[str, Sequence[Said]],
    wrong: Mapping[str, Mask],
    day: Integers,
    beyond: Mask,
    name: str,
) -> list[QuarantineEntry]:
    """Return an entry for each row that cannot be used, with its first fault."""
    entries = [QuarantineEntry(name, number, sheet, "", "该行的格数与表头不同") for sheet, number in found.ragged]
    done = np.zeros(len(day), dtype=np.bool_)
    for fact, rows in wrong.items():
        for n in np.flatnonzero(rows & ~done).tolist():
            code = int(of[fact].codes[n])
            value, reason = personal.shown(of[fact].distinct[code]), said[fact][code].reason
            value = value if reason != TOO_LONG else ""
            entries.append(_entry(name, found, n, fact, value, reason, int(day[n])))
        done |= rows
    for n in np.flatnonzero(beyond & ~done).tolist():
        entries.append(_entry(name, found, n, "time", _written(int(day[n])), "不是本次所报的日期", int(day[n])))
    return entries


def _entry(name: str, found: Gathered, n: int, fact: str, value: str, reason: str, day: int) -> QuarantineEntry:
    cells = ("", "", "" if day == SOME_DAY else _written(day), "", "")
    return QuarantineEntry(name, found.numbers[n], found.label(fact, n), value, reason, cells)


def _day_of(entry: QuarantineEntry) -> int:
    return _number(date.fromisoformat(entry.cells[2])) if entry.cells and entry.cells[2] else SOME_DAY


def _coded(said: Sequence[Said], codes: Integers) -> tuple[tuple[str, ...], Integers]:
    """Return the codes that some rows have, and which of them each has."""
    index: dict[str, int] = {}
    of = np.zeros(len(said), dtype=np.int64)
    for n in np.flatnonzero(np.bincount(codes, minlength=len(said))).tolist():
        of[n] = index.setdefault(said[n].text, len(index))
    return tuple(index), of[codes]


def _told_once(grid: Integers, kind: Integers, instant: Integers, change: Integers, exact: Mask) -> Integers:
    """Return the rows that do not say what an earlier one does.

    A time without its second, or at a whole minute, may be that of many events.
    """
    what = grid * (int(kind.max(initial=0)) + 1) + kind
    if int(what.max(initial=0)) >= 1 << 28:
        _, what = np.unique(what, return_inverse=True)
    rows = np.flatnonzero(exact)
    # 28 bits of grid and kind, 33 of seconds since 1970 and one of the change make one number.
    alike = (what[rows] << 34) + (instant[rows] << 1) + (change[rows] > 0)
    _, first = np.unique(alike, return_index=True)
    return np.sort(np.concatenate([np.flatnonzero(~exact), rows[first]]))


def _covered(found: Gathered, days: Integers, asked: Span | None) -> Integers:
    """Return the days a delivery holds whole."""
    declared = [asked] if asked is not None else [sheet.days for sheet in found.sheets if sheet.days is not None]
    if not declared:
        return np.unique(days)
    return np.unique(np.concatenate([np.arange(_number(first), _number(last) + 1) for first, last in declared]))


def _number(day: date) -> int:
    return (day - EPOCH).days


def _written(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
