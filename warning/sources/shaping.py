"""Tables of any shape into long cells, as the mapping of their feed says.

A cell that holds or should hold a value is one row of the account; one that says there is no value (empty, 无, —) is
none.  What cannot be understood is set aside with its first fault; a fault costs its cell, or its row, alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from warning.errors import SourceError
from warning.mapping import Feed, named_in
from warning.model import QuarantineEntry
from warning.sources import cells, days, units, written
from warning.sources.asides import Asides, asides_among, data_of, texts_below
from warning.sources.columns import Body, below
from warning.sources.days import Wall
from warning.sources.gathered import Gathered, understood
from warning.sources.heads import Head, head_of, personal
from warning.sources.naming import Names, indicator_names, key, place_names
from warning.sources.ratios import Halves
from warning.sources.rows import KEYS, Known, Long
from warning.sources.table import Line, Table
from warning.sources.units import above

ACROSS = {"long": "", "indicators": "indicator", "places": "place", "dates": "date"}  # what further columns are


@dataclass(frozen=True)
class Shaped:
    """What was found in a file."""

    long: Long
    heads: Mapping[str, Head]  # by sheet
    missing: int  # cells that say there is no value
    zeros: int  # values a feed left out, which its mapping says are 0


def shaped(
    bodies: Sequence[Body], feed: Feed, city: Known, *, sha256: str, name: str, today: date, zone: tzinfo
) -> Shaped:
    """Return the cells of a file.

    Args:
        bodies: Its sheets, as ``files.read_by`` returns them.
        feed: Its mapping.
        city: Indicators by id and places by code.
        sha256: Of what is read once.
        name: Of the file.
        today: The day it is read on; a date without a year is not after it, and no later date is filled with zeros.
        zone: Whose dates the file's are.

    Raises:
        SourceError: if a sheet has no header as the mapping says, or a column that looks like personal data.
    """
    names = {"indicator": indicator_names(city, feed.codes), "place": place_names(city, feed.codes)}
    wall = Wall(feed.date_order, feed.year, today, zone)
    gathered, heads = Gathered(), {}

    def same(fact: str, text: str) -> str:
        return (names["place"].code(text) if fact == "place" else wall.period(text).first) or text

    halves = Halves(feed.ratios, feed.missing, same)
    for body in bodies:
        sheet = body.table.sheet
        try:
            heads[sheet] = _gather(body, feed, names, gathered, halves, wall)
        except SourceError as error:
            where = f"{name}, sheet {sheet}" if sheet else name
            raise SourceError(f"{where}: {error}{named_in(feed)}") from error
    halves.gather(gathered)
    long, missing, zeros = understood(gathered, feed, city, names, sha256=sha256, name=name, wall=wall)
    return Shaped(long, heads, missing, zeros)


def head(table: Table, feed: Feed, names: Mapping[str, Names], wall: Wall) -> tuple[Head, dict[str, int]]:
    """Return a table's header, and in which column each fact of the mapping stands.

    Raises:
        SourceError: if there is no such header, or a column is missing.
    """
    wanted = {fact: texts for fact, texts in feed.columns if texts and not texts[0].startswith("@")}

    def placed(found: Head) -> dict[str, int | None]:
        return {fact: found.find(texts) for fact, texts in wanted.items()}

    def score(found: Head) -> int:
        try:
            there = placed(found)
        except SourceError:
            return 1
        columns = set(there.values())
        further = [n for n in range(len(found.headers)) if n not in columns]
        known = sum(bool(_across(feed, found, n, names, wall)) for n in further) if ACROSS[feed.layout] else 0
        return 2 * sum(n is not None for n in there.values()) + 2 * known

    best = head_of(table, None if feed.header == "auto" else feed.header, score)
    there = placed(best)
    lacking = [fact for fact, n in there.items() if n is None and fact != "received_at"]
    if lacking:
        said = ", ".join(f"{' / '.join(wanted[fact])} (columns.{fact})" for fact in lacking)
        raise SourceError(f"缺列 / no column is called {said}; found: {written.shown(labels_of(best))}")
    return best, {fact: n for fact, n in there.items() if n is not None}


def _across(feed: Feed, found: Head, n: int, names: Mapping[str, Names], wall: Wall) -> str:
    """Return what a further column of a wide table is of: an id, a code or a date; "" where it is not known."""
    header = found.headers[n]
    if feed.layout != "dates":
        return names[ACROSS[feed.layout]].code(*header.names)
    lowest = header.parts[-1] if header.parts else ""  # with what stands above it 3/5 would be a date, too
    return wall.period(lowest).first


def _gather(body: Body, feed: Feed, names: Mapping[str, Names], gathered: Gathered, halves: Halves, wall: Wall) -> Head:
    table = body.table
    found, columns = head(table, feed, names, wall)
    large = below(body, found) if body.cells is not None else None
    width = len(found.headers)
    ignored = {n for n, header in enumerate(found.headers) if {*map(key, header.names)} & {*map(key, feed.ignore)}}
    totals = {key(text) for text in feed.totals} - {key(text) for text in (*feed.codes.place, *feed.codes.indicator)}
    known = {n for n in range(width) if names["indicator"].code(*found.headers[n].names)}
    further: list[int] = []
    if ACROSS[feed.layout]:
        aside = {*columns.values(), *ignored}
        further = [n for n in range(width) if n not in aside and found.headers[n].parts]
        further = [n for n in further if not {*map(key, found.headers[n].names)} & totals]
    values = {*further, *((columns["value"],) if "value" in columns else ())}
    named = personal(found, known, values, None if large is None else [column.distinct for column in large.cells])
    if named:
        raise SourceError(
            f"“{named}”一列像个人信息，整个文件没有读，请部门删去该列后重送"
            f" / the column {named!r} looks like personal data,"
            " and nothing of the file was read; only counts may be sent"
        )
    _require_halves(feed, found)
    outside = {fact: _outside(feed, fact, table, found, names) for fact in KEYS if fact not in columns}
    across, labels = ACROSS[feed.layout], [header.text for header in found.headers]
    said = above(cell for line in found.titles for cell in line.cells)
    stated = [units.stated(label) or said for label in labels]
    what = {n: _across(feed, found, n, names, wall) or labels[n] for n in further}
    half = {n: halves.named(*found.headers[n].names) for n in further} if across == "indicator" else {}
    valued = further if across else [columns["value"]]
    own = {columns[fact]: {*map(key, found.headers[columns[fact]].names)} for fact in KEYS if fact in columns}
    asides = asides_among(texts_below(body, found.body), own, totals)
    if large is not None:
        numbers, cells_of, ragged = data_of(body, large, asides)
        gathered.quarantined += [_ragged(table, line, width) for line in ragged]
        facts = {fact: cells_of[n].texts() for fact, n in columns.items()}
        _add_long(gathered, table.sheet, numbers.tolist(), {**outside, **facts}, labels[valued[0]], stated[valued[0]])
        return found
    lines, ragged = _data(found.body, width, asides)
    gathered.quarantined += [_ragged(table, line, width) for line in ragged]
    if is_long(feed):
        facts = {fact: [line.cells[n] for line in lines] for fact, n in columns.items()}
        there_are = [line.number for line in lines]
        _add_long(gathered, table.sheet, there_are, {**outside, **facts}, labels[valued[0]], stated[valued[0]])
        return found
    for line in lines:
        row = line.cells
        of_line = {fact: row[columns[fact]] if fact in columns else outside[fact] for fact in KEYS}
        received = row[columns["received_at"]] if "received_at" in columns else ""
        part = halves.named(of_line["indicator"]) if feed.ratios and across != "indicator" else ""
        for n in valued:
            there = {**of_line, across: what[n]} if across else of_line
            counted = part or half.get(n, "")
            if counted:
                halves.add(table, line, there, counted, row[n], labels[n], received)
            if not counted or names["indicator"].code(there["indicator"]):
                unit = units.stated(there["indicator"]) or stated[n]
                gathered.add(table, line, there, row[n], labels[n], received, unit=unit)
    return found


def is_long(feed: Feed) -> bool:
    """Say whether each line of a table is one cell, and none is part of another: the shape of the largest."""
    return feed.layout == "long" and not feed.ratios


def _data(body: Sequence[Line], width: int, asides: Asides) -> tuple[list[Line], list[Line]]:
    """Return the lines of data, and those that have too few or too many cells."""
    lines: list[Line] = []
    ragged: list[Line] = []
    gap = [""] * width
    for line in body:
        row = line.cells if len(line.cells) >= width else (*line.cells, *gap[len(line.cells) :])
        if not asides.holds(row):
            (ragged if len(line.cells) < width or any(row[width:]) else lines).append(line)
    return lines, ragged


def _add_long(
    gathered: Gathered,
    sheet: str,
    numbers: Sequence[int],
    facts: Mapping[str, str | Sequence[str]],
    header: str,
    unit: str,
) -> None:
    given = {"received_at": "", **facts}
    gathered.add_all(sheet, numbers, given, header, lambda indicator: units.stated(indicator) or unit)


def _require_halves(feed: Feed, found: Head) -> None:
    """Complain of a wide table that lacks a column of a ratio; in other layouts the two are rows."""
    for text in (text for ratio in feed.ratios for text in (ratio.numerator, ratio.denominator)):
        if feed.layout == "indicators" and found.find((text,)) is None:
            raise SourceError(f"缺列 / no column is called {text} (ratios); found: {written.shown(labels_of(found))}")


def _outside(feed: Feed, fact: str, table: Table, found: Head, names: Mapping[str, Names]) -> str:
    """Return a fact that has no column: a constant, or what stands in a title or a name."""
    texts = getattr(feed.columns, fact)
    if not texts:
        return str(getattr(feed.constants, fact, ""))
    titles = " ".join(dict.fromkeys(cell for line in found.titles for cell in line.cells if cell))
    text = {"@title": titles, "@sheet": table.sheet, "@file": table.name}[texts[0]]
    within = days.within(text) if fact == "date" else names[fact].within(text)
    return within or text


def _ragged(table: Table, line: Line, width: int) -> QuarantineEntry:
    value = cells.short(",".join(line.cells), 200)
    return QuarantineEntry(table.name, line.number, "", value, f"该行有 {len(line.cells)} 格，应为 {width} 格")


def labels_of(found: Head) -> list[str]:
    """Return what the columns of a table are called."""
    return [header.text for header in found.headers]
