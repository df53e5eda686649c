"""Events into the store: tallies by grid, day, category and result, and from these the values of indicators."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

import numpy as np

from warning import valuing
from warning.event_mapping import Events
from warning.folding import Folded, Numbers, begun, fold, spoken_of
from warning.mapping import Feed
from warning.model import FileAccount, QuarantineEntry, Rows
from warning.sources.cells import EPOCH
from warning.sources.delivery import Delivery, Kind, Receipt
from warning.store import Store, quarantine, run, tally
from warning.store import feed as feeds_of
from warning.tallying import Day

Name = TypeVar("Name", str, tuple[str, str])

NO_KIND = ("", "")
NAMED = 5  # categories named in a sentence
SAME = "与此前收到的完全相同，未再计 / the same as before, not counted again"


@dataclass(frozen=True)
class Counted:
    """What a delivery comes to, before anything is kept."""

    delivery: Delivery
    folded: Folded
    values: Rows
    uses: Mapping[Kind, tuple[str, ...]]  # of each category and result, the indicators it is counted for
    notes: tuple[str, ...]

    @property
    def quarantined(self) -> tuple[QuarantineEntry, ...]:
        """Rows that cannot be used, by number."""
        return tuple(_aside(self.delivery, self.folded))


def tried(delivery: Delivery, receipt: Receipt) -> Counted:
    """Return what a delivery would come to if nothing had been known before."""
    numbers = Numbers(*(np.arange(len(names), dtype=np.int64) for names in (delivery.grids, delivery.kinds)))
    delivery = begun(delivery, receipt, {})
    folded = fold(delivery, receipt, numbers, {}, {})
    days = ((day, cells) for day, (one, cells) in folded.days.items() if one.whole and cells is not None)
    values, _ = valuing.values(days, folded.changed, receipt, delivery.grids, delivery.kinds)
    uses = valuing.used_for(receipt.events, delivery.kinds)
    notes = (*folded.faults, *folded.notes, *_unused(delivery, valuing.named_of(receipt.events, delivery.kinds)))
    return Counted(delivery, folded, valuing.rows_of(delivery, values, receipt), uses, notes)


def keep(store: Store, delivery: Delivery, receipt: Receipt) -> FileAccount:
    """Keep the tallies of a delivery, and the values they make.  Writes.

    A content that came before is not counted again.

    Args:
        store: The database, within ``write``.
        delivery: What came.
        receipt: By which feed, and when; its values are known from then on.
    """
    feed, events, city = receipt.feed, receipt.events, receipt.city
    if (delivery.read or feed.kind == "file") and feeds_of.known(store, delivery.sha256):
        return FileAccount(
            delivery.name, delivery.read, unchanged=delivery.read, feed=feed.id, received=receipt.at, notes=(SAME,)
        )
    met = {category for category, _ in tally.kinds(store)}
    grids, kinds = tally.grids_of(store, delivery.grids), tally.kinds_of(store, delivery.kinds)
    numbers = Numbers(
        np.array([grids[code] for code in delivery.grids], dtype=np.int64),
        np.array([kinds[kind] for kind in delivery.kinds], dtype=np.int64),
    )
    before, made_by = tally.feed_of(store, feed.id), valuing.made_by(receipt)
    number = tally.keep_feed(store, feed.id, made_by)
    known = _with_open_rows(store, receipt, tally.days(store, number))
    delivery = begun(delivery, receipt, known)
    folded = fold(delivery, receipt, numbers, known, dict(tally.cells(store, number, spoken_of(delivery, receipt))))
    tally.keep(store, number, folded.days)
    whole = [day for day, one in tally.days(store, number).items() if one.whole]
    changed = set(whole) if before is not None and before[1] != made_by else folded.changed
    needed = valuing.needed(whole, changed, {city.indicators[id].frequency for id in events.indicators()})
    names = _by_number(grids, ""), [Kind(*pair) for pair in _by_number(kinds, NO_KIND)]
    values, nowhere = valuing.values(tally.cells(store, number, needed), changed, receipt, *names)
    if nowhere:
        folded.faults.append(
            f"{nowhere} 件事件的网格已不在任何地区，未计入 / {nowhere} event(s) lie in no place any more"
        )
    named = valuing.named_of(events, delivery.kinds)
    account = _account(delivery, receipt, folded, known, (*folded.faults, *folded.notes, *_unused(delivery, named)))
    _store(store, delivery, receipt, folded, valuing.rows_of(delivery, values, receipt), account)
    for text in (*folded.faults, *_never_met(delivery, named, met)):
        run.notice(store, receipt.at, feed.id, text, zone=receipt.zone)
    return account


def _with_open_rows(store: Store, receipt: Receipt, known: dict[int, Day]) -> dict[int, Day]:
    """Return days with as many rows in quarantine as are still open: what a person settled is held against none.

    Of whole days that does not matter: each brings all its rows.
    """
    if receipt.events.delivery == "days" or not any(one.aside for one in known.values()):
        return known
    aside = Counter(
        (date.fromisoformat(day) if day else received.astimezone(receipt.zone).date())
        for day, received in quarantine.open_days(store, receipt.feed.id)
    )
    return {day: replace(one, aside=aside[EPOCH + timedelta(days=day)]) for day, one in known.items()}


@dataclass(frozen=True)
class Tallied:
    """What is known of the events of a feed in its last days."""

    first: date
    last: date
    whole: int  # days
    lacking: tuple[date, ...]  # days between that are not whole
    events: Counter[Kind]
    uses: Mapping[Kind, tuple[str, ...]]
    silent: tuple[str, ...]  # categories of the mapping that none of them is of


def tallied(store: Store, feed: Feed, events: Events, days: int) -> Tallied | None:
    """Return what is known of the last days of a feed, None where it never brought an event.

    Args:
        store: The database.
        feed: The mapping.
        events: Its section.
        days: How many.
    """
    found = tally.feed_of(store, feed.id)
    known = {} if found is None else tally.days(store, found[0])
    if found is None or not known:
        return None
    last = max(known)
    first = max(min(known), last - days + 1)
    names = _by_number(tally.kinds(store), NO_KIND)
    counted: Counter[Kind] = Counter()
    for _, cells in tally.cells(store, found[0], [day for day in known if day >= first]):
        for kind, count in enumerate(np.bincount(cells.kinds, weights=cells.counts).tolist()):
            if count:
                counted[Kind(*names[kind])] += int(count)
    lacking = [day for day in range(first, last + 1) if day not in known or not known[day].whole]
    return Tallied(
        first=EPOCH + timedelta(days=first),
        last=EPOCH + timedelta(days=last),
        whole=last + 1 - first - len(lacking),
        lacking=tuple(EPOCH + timedelta(days=day) for day in lacking),
        events=counted,
        uses=valuing.used_for(events, counted),
        silent=valuing.silent_of(events, counted),
    )


def _store(
    store: Store, delivery: Delivery, receipt: Receipt, folded: Folded, rows: Rows, account: FileAccount
) -> None:
    new, sha256 = feeds_of.news(store, rows), delivery.sha256
    if receipt.feed.kind != "file" and not delivery.read:
        if not len(new.rows):
            return  # a sign of life that changes nothing needs no account
        sha256 = hashlib.sha256(f"{sha256} {receipt.at.isoformat()}".encode()).hexdigest()
    file = feeds_of.enter(store, sha256, account, receipt.at)
    feeds_of.observe(store, file, rows, new)
    quarantine.settle_delivered(store, rows, file, receipt.at)
    if receipt.events.delivery == "days":
        quarantine.settle_days(store, receipt.feed.id, list(folded.days), file, receipt.at)
    quarantine.put(store, file, _aside(delivery, folded))


def _aside(delivery: Delivery, folded: Folded) -> list[QuarantineEntry]:
    """Return the rows that cannot be used, by number."""
    return sorted([*delivery.quarantined, *folded.refused], key=lambda entry: entry.row)


def _account(
    delivery: Delivery, receipt: Receipt, folded: Folded, known: Mapping[int, Day], notes: tuple[str, ...]
) -> FileAccount:
    today, accepted = (receipt.today - EPOCH).days, folded.accepted
    late_after = today if receipt.feed.archive else receipt.late_after["daily"]
    spoken = [EPOCH + timedelta(days=day) for day in np.union1d(delivery.days, delivery.covered).tolist()]
    return FileAccount(
        name=delivery.name,
        rows=delivery.read,
        accepted=accepted.total(),
        unchanged=folded.unchanged,
        quarantined=len(delivery.quarantined) + len(folded.refused),
        late=sum(rows for day, rows in accepted.items() if today - day > late_after),
        corrected=sum(rows for day, rows in accepted.items() if day in known and known[day].whole),
        feed=receipt.feed.id,
        first=spoken[0] if spoken else None,
        last=spoken[-1] if spoken else None,
        received=receipt.at,
        notes=notes,
    )


def _by_number(numbers: Mapping[Name, int], nothing: Name) -> list[Name]:
    """Return names at the positions of their numbers."""
    found = [nothing] * (max(numbers.values(), default=0) + 1)
    for name, number in numbers.items():
        found[number] = name
    return found


def _events_of(delivery: Delivery) -> Counter[str]:
    many = np.bincount(delivery.kind, minlength=len(delivery.kinds)).tolist()
    found: Counter[str] = Counter()
    for kind, events in zip(delivery.kinds, many, strict=True):
        found[kind.category] += events
    return found


def _unused(delivery: Delivery, named: Collection[str]) -> list[str]:
    """Say which categories make no indicator of their own."""
    idle = Counter({name: events for name, events in _events_of(delivery).items() if name not in named})
    if not idle:
        return []
    return [
        f"没有对应指标的类别 {len(idle)} 种、{idle.total()} 件：{_listed(idle)}"
        f" / {len(idle)} categories with {idle.total()} event(s) make no indicator"
    ]


def _never_met(delivery: Delivery, named: Collection[str], met: Collection[str]) -> list[str]:
    """Say which categories make no indicator and came for the first time: a known one may have a new name."""
    new = Counter({name: events for name, events in _events_of(delivery).items() if name not in {*named, *met}})
    if not new:
        return []
    return [f"新出现的类别没有对应指标：{_listed(new)} / categories that are new make no indicator"]


def _listed(found: Counter[str]) -> str:
    named = "、".join(f"{name} {events}" for name, events in found.most_common(NAMED))
    return f"{named} 等" if len(found) > NAMED else named
