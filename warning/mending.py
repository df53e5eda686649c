"""Rows in quarantine, settled by a person: corrected and taken in, or dropped with a reason.

A corrected row is checked as every row is and becomes a file of its own, of the feed "by hand", known from now on:
what was judged without it was judged by what was known then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from warning.errors import ConfigError
from warning.model import FileAccount
from warning.sources.cells import column_of
from warning.sources.rows import Known, Long, rows_of
from warning.store import Store, feed, quarantine, tally
from warning.store.quarantine import Kept

BY_HAND = "by hand"
OF_EVENTS = (
    "事件只留计数，不能逐行更正；请部门改正后重送，或 kapok quarantine drop"
    " / of events only counts are kept; have the department send it again, or drop the row"
)
CELLS = ("indicator", "place", "date", "value")


def fix(
    store: Store,
    city: Known,
    id: str,
    said: Mapping[str, str],
    *,
    now: datetime,
    late_after: Mapping[str, int],
    zone: tzinfo,
) -> FileAccount:
    """Take in an open row with the cells a person said in the stead of its own, and settle it.

    Args:
        store: The database; no transaction open.
        city: Indicators by id and places by code.
        id: Of the row, as ``kapok quarantine`` lists it.
        said: Some of CELLS.
        now: When it becomes known.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates they are.

    Raises:
        ConfigError: if there is no such open row, cells are missing, or it can still not be used; nothing changes.
        StoreError: if the database refuses.
    """
    with store.write():
        kept, cells = open_row(store, id)
        if tally.counts_events(store, id.partition("-")[0]):
            raise ConfigError(id, [OF_EVENTS])
        texts = {**dict(zip(CELLS, cells, strict=False)), **said}
        lacking = [f"--{name}" for name in CELLS if name not in texts]
        if lacking:
            unknown = "这一行没有可识别的各列，须全部写明 / the row has no cells that could be told apart; say"
            raise ConfigError(id, [f"{unknown} {' '.join(lacking)}"])
        written = [_written(texts[name]) for name in CELLS]
        content = "\n".join([BY_HAND, id, *written])
        indicator, place, date, value = (column_of(name, [text]) for name, text in zip(CELLS, written, strict=True))
        name = f"{kept.entry.file} 第{kept.entry.row}行更正"
        digest, now_received = hashlib.sha256(content.encode()).hexdigest(), column_of("received_at", [""])
        long = Long(name, digest, [kept.entry.row], indicator, place, date, value, now_received)
        rows = rows_of(long, city, now, late_after, zone=zone)
        if rows.quarantined:
            faults = [f"{entry.column}={entry.value!r}：{entry.reason}" for entry in rows.quarantined]
            raise ConfigError(id, faults)
        quarantine.mark_fixed(store, id, now)
        account = feed.import_rows(store, rows, feed=BY_HAND, received=now)
        if account is None:  # only where the row was opened again with other means than ours
            raise ConfigError(id, ["这一更正已读入过 / this correction was taken in before"])
    return account


def drop(store: Store, ids: Sequence[str], reason: str, *, now: datetime) -> int:
    """Drop open rows, all or none of them, and return how many.

    Raises:
        ConfigError: if one of them is no open row, or no reason is given.
        StoreError: if the database refuses.
    """
    said = _required(reason)
    with store.write():
        for id in dict.fromkeys(ids):
            open_row(store, id)
            quarantine.mark_dropped(store, id, said, now)
    return len(set(ids))


def drop_file(store: Store, name: str, reason: str, *, now: datetime) -> int:
    """Drop every open row of the files of a name, and return how many.

    Raises:
        ConfigError: if no reason is given.
        StoreError: if the database refuses.
    """
    said = _required(reason)
    with store.write():
        return quarantine.drop_file(store, name, said, now)


def open_row(store: Store, id: str) -> tuple[Kept, tuple[str, ...]]:
    """Return an open row with its cells.

    Raises:
        ConfigError: if there is none, or it is settled.
    """
    found = quarantine.entry(store, id)
    if found is None:
        raise ConfigError(id, ["没有这一行 / there is no such row; `kapok quarantine` lists them with their ids"])
    if found[0].state != "open":
        raise ConfigError(id, [f"这一行已处理 / the row is settled already: {found[0].state}"])
    return found


def _required(reason: str) -> str:
    if not reason.strip():
        raise ConfigError("--reason", ["须写明原因 / say why"])
    return _written(reason.strip())


def _written(text: str) -> str:
    """What a terminal passed on that is no text is shown as "?"."""
    return text.encode(errors="replace").decode()
