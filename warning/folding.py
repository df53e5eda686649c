"""A delivery of events folded into what was known of its days.

Whole days take the place of what was known of them; increments are added to it.  A day is whole once nothing of it is
to come any more: when that is, the mapping says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np

from warning.facts import day_zh
from warning.mapping import Feed
from warning.model import QuarantineEntry
from warning.sources.cells import EPOCH, Integers
from warning.sources.delivery import SOME_DAY, Delivery, Receipt
from warning.tallying import NONE, Cells, Day, both, cells_of, common, doubtful

NOT_WHOLE = "这一天的件数远少于已知的或其他各日，不像全天，未采用；如确为更正，请在映射中写 events.least = 0"
TOO_EARLY = (
    "所报的日期尚未过完，均未计；当日即报全的，请在映射中写 due 和 due_days = 0，其他的过了零点再报"
    " / none of the days is over, and none is counted; what is whole on its day needs due and due_days = 0"
)
NOT_THERE = "没有可以撤销的事件：此前未报过，或已撤销"


@dataclass(frozen=True)
class Numbers:
    """By which numbers the grids and kinds of a delivery are kept."""

    grids: Integers  # (G,)
    kinds: Integers  # (K,)


@dataclass
class Folded:
    """What a delivery makes of the days it speaks of."""

    days: dict[int, tuple[Day, Cells | None]] = field(default_factory=dict)  # None: cells as they are
    changed: set[int] = field(default_factory=set)  # whole days with other events than before, or that became whole
    accepted: Counter[int] = field(default_factory=Counter)  # rows that say something new, by day
    unchanged: int = 0
    refused: list[QuarantineEntry] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # why days are not counted that should be
    notes: list[str] = field(default_factory=list)


def begun(delivery: Delivery, receipt: Receipt, known: Mapping[int, Day]) -> Delivery:
    """Return a delivery without the days before the first event there ever was.

    What was asked for from earlier days may be from before there was anything to ask.
    """
    if receipt.events.days != "asked":
        return delivery
    ever = [*(day for day, one in known.items() if one.events), *np.unique(delivery.days).tolist()]
    first = min(ever, default=None)
    kept = delivery.covered[delivery.covered >= first] if first is not None else delivery.covered[:0]
    return replace(delivery, covered=kept)


def spoken_of(delivery: Delivery, receipt: Receipt) -> list[int]:
    """Return the days a delivery may change: of its events, covered, of rows in quarantine, and on which it comes."""
    others = [day for day in delivery.aside if day != SOME_DAY]
    others.append((receipt.today - EPOCH).days)
    return sorted({*np.union1d(delivery.days, delivery.covered).tolist(), *others})


def fold(
    delivery: Delivery,
    receipt: Receipt,
    numbers: Numbers,
    known: Mapping[int, Day],
    cells: Mapping[int, Cells],
) -> Folded:
    """Return what becomes of the days of a delivery, and of those that are whole by now.

    Args:
        delivery: What came.
        receipt: By which feed, and when.
        numbers: By which its grids and kinds are kept.
        known: Every day of the feed, as it is known.
        cells: The events of the days the delivery speaks of, as they are known.
    """
    found, events = Folded(unchanged=delivery.alike), receipt.events
    if events.delivery == "increments":
        _add(found, delivery, receipt, numbers, known, cells)
    else:
        _replace(found, delivery, receipt, numbers, known, cells)
    for day, (one, there) in list(found.days.items()):
        over = _is_over(day, receipt)
        whole = over and one.aside <= events.tolerance * (one.aside + one.events)
        found.days[day] = Day(one.events, one.aside, whole), there
        before = known.get(day)
        other = there is not None and (before is None or not _alike(there, cells.get(day, NONE)))
        if whole and (other or before is None or not before.whole):
            found.changed.add(day)
        if there is not None and not whole:
            _say_why(found, day, is_over=over)
    on_the_day = receipt.feed.kind in ("file", "push") and events.delivery == "days"
    if on_the_day and found.days and not any(_is_over(day, receipt) for day in found.days):
        found.faults.append(TOO_EARLY)
    return found


def closes(feed: Feed, day: date, zone: tzinfo) -> datetime:
    """Return from when on what a feed brings of a day is all of it.

    A file or a push of whole days says so by being there once the day is over, or at the hour it is due if that is
    earlier.  What is fetched, and increments, may come late: these are whole at the hour they are due.
    """
    over = datetime.combine(day + timedelta(days=1), time(), zone)
    if feed.due is None:
        return over
    due = datetime.combine(day + timedelta(days=feed.due_days), time.fromisoformat(feed.due), zone)
    late = feed.kind in ("sql", "http") or (feed.events is not None and feed.events.delivery == "increments")
    return due if late else min(over, due)


def _is_over(day: int, receipt: Receipt) -> bool:
    return receipt.at >= closes(receipt.feed, EPOCH + timedelta(days=day), receipt.zone)


def last_over(feed: Feed, today: date, at: datetime, zone: tzinfo) -> date:
    """Return the last day of which nothing is to come any more."""
    return next(day for n in range(1000) if closes(feed, day := today - timedelta(days=n), zone) <= at)


def _replace(
    found: Folded,
    delivery: Delivery,
    receipt: Receipt,
    numbers: Numbers,
    known: Mapping[int, Day],
    cells: Mapping[int, Cells],
) -> None:
    days = delivery.covered.tolist()
    rows = dict(_by_day(delivery.days))
    now = [len(rows.get(day, ())) for day in days]
    before = [known[day].events if day in known else None for day in days]
    doubt = doubtful(now, before, receipt.events.least)
    for day, few, is_doubtful in zip(days, now, doubt.tolist(), strict=True):
        here = rows.get(day, np.empty(0, dtype=np.int64))
        if is_doubtful and _is_over(day, receipt):
            found.refused += [_entry(delivery, row, NOT_WHOLE) for row in here.tolist()]
            found.faults.append(f"{_zh(day)}仅 {few} 件，不像全天，未采用 / {_iso(day)}: hardly a whole day, not taken")
            continue
        there = cells_of(numbers.grids[delivery.grid[here]], numbers.kinds[delivery.kind[here]], delivery.change[here])
        same = common(there, cells.get(day, NONE))
        found.unchanged += same
        found.accepted[day] += len(here) - same
        aside = delivery.aside.get(day, 0) + delivery.aside.get(SOME_DAY, 0)
        found.days[day] = Day(there.events, aside, whole=False), there


def _add(
    found: Folded,
    delivery: Delivery,
    receipt: Receipt,
    numbers: Numbers,
    known: Mapping[int, Day],
    cells: Mapping[int, Cells],
) -> None:
    today, since = (((day or EPOCH) - EPOCH).days for day in (receipt.today, receipt.events.since))
    nothing = Day(0, 0, whole=False)
    for day, before in known.items():
        if not before.whole:
            found.days[day] = before, None
    for day, here in _by_day(delivery.days):
        before, there = known.get(day, nothing), cells.get(day, NONE)
        gone = _not_there(there, delivery, here, numbers)
        found.refused += [_entry(delivery, row, NOT_THERE) for row in gone.tolist()]
        taken = np.setdiff1d(here, gone)
        new = cells_of(numbers.grids[delivery.grid[taken]], numbers.kinds[delivery.kind[taken]], delivery.change[taken])
        there = both(there, new)
        found.accepted[day] += len(taken)
        found.days[day] = Day(there.events, before.aside + len(gone), whole=False), there
    # A delivery says of the day it comes on that the feed is at work.
    for day, rows in {today: 0, **delivery.aside}.items():
        on = today if day == SOME_DAY else day
        if on < since:
            continue
        before, now = found.days.get(on, (known.get(on, nothing), cells.get(on, NONE)))
        found.days[on] = Day(before.events, before.aside + rows, whole=False), now


def _not_there(there: Cells, delivery: Delivery, rows: Integers, numbers: Numbers) -> Integers:
    """Return the rows that withdraw what is not there; of several the last ones."""
    grid, kind = numbers.grids[delivery.grid[rows]], numbers.kinds[delivery.kind[rows]]
    change = delivery.change[rows]
    if (change > 0).all():
        return np.empty(0, dtype=np.int64)
    left = {
        (g, k): n for g, k, n in zip(there.grids.tolist(), there.kinds.tolist(), there.counts.tolist(), strict=True)
    }
    gone = []
    withdrawn = np.flatnonzero(change < 0)
    asked = {(int(grid[n]), int(kind[n])) for n in withdrawn.tolist()}
    for n in np.flatnonzero(change > 0).tolist():
        pair = int(grid[n]), int(kind[n])
        if pair in asked:
            left[pair] = left.get(pair, 0) + 1
    for n in withdrawn.tolist():
        pair = int(grid[n]), int(kind[n])
        if left.get(pair, 0) > 0:
            left[pair] -= 1
        else:
            gone.append(int(rows[n]))
    return np.array(gone, dtype=np.int64)


def _by_day(days: Integers) -> Iterator[tuple[int, Integers]]:
    """Yield each day with the positions of its rows."""
    order = np.argsort(days, kind="stable")
    distinct, begin = np.unique(days[order], return_index=True)
    yield from zip(distinct.tolist(), np.split(order, begin[1:]), strict=True) if len(distinct) else ()


def _alike(one: Cells, other: Cells) -> bool:
    return all(map(np.array_equal, (one.grids, one.kinds, one.counts), (other.grids, other.kinds, other.counts)))


def _say_why(found: Folded, day: int, *, is_over: bool) -> None:
    """Note why a day is not counted."""
    one, _ = found.days[day]
    if not is_over:
        found.notes.append(f"{_zh(day)}尚未报完，暂不计 / {_iso(day)} is not over, and not counted yet")
        return
    rows = one.events + one.aside
    found.faults.append(
        f"{_zh(day)}的 {rows} 行中有 {one.aside} 行不能使用，当日不计，改正后重送"
        f" / {one.aside} of {rows} rows of {_iso(day)} cannot be used; the day is not counted"
    )


def _entry(delivery: Delivery, row: int, reason: str) -> QuarantineEntry:
    day = _iso(int(delivery.days[row]))
    return QuarantineEntry(
        delivery.name, int(delivery.rows[row]), delivery.column, day, reason, cells=("", "", day, "", "")
    )


def _zh(day: int) -> str:
    return day_zh(EPOCH + timedelta(days=day))


def _iso(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
