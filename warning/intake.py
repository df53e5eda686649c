"""Feeds into the store: every file of the watched folder once, each whole or not at all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, tzinfo
from functools import partial
from pathlib import Path

from warning import counting
from warning.errors import SourceError
from warning.mapping import NATIVE, Feed
from warning.model import FileAccount, Rows
from warning.sources import csv_files, files
from warning.sources.columns import Body
from warning.sources.delivery import Delivery, Receipt
from warning.sources.events import events_of
from warning.sources.rows import Due, Known, rows_of
from warning.sources.shaping import shaped
from warning.store import Store, feed, quarantine, run

READ_ANEW = "映射改过后重新读入，以新的结果为准"

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # file name, its number from 1, of how many


def import_folder(
    store: Store,
    city: Known,
    folder: Path,
    *,
    now: datetime,
    late_after: Mapping[str, int],
    zone: tzinfo,
    feeds: Mapping[str, Feed] | None = None,
    progress: Progress | None = None,
    whole: bool = True,
) -> list[FileAccount]:
    """Read what is new in the watched folder, in order of name, one transaction a file.

    A file that cannot be read at all has an account with its ``error``, and a notice once a day; it is tried
    again next time.  Files whose content was read before, by the same mapping, are passed over in silence, and so
    are those that are still being written: nothing of them is read until they rest.

    Args:
        store: The database; no transaction open.
        city: Indicators by id and places by code.
        folder: The watched folder.
        now: The instant of the import, UTC.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates the files' are.
        feeds: The mappings by name; a CSV file that none of them claims is read as it is.
        progress: Told before each file; raising from it stops between two files.
        whole: Whether all files are whole; else those that changed within ``files.COPYING`` of ``now`` wait.

    Raises:
        SourceError: if the folder cannot be listed.
        StoreError: if the database refuses; the files before are stored, this one and those after are not.
    """
    accounts: list[FileAccount] = []
    known = feeds or {}
    own = {store.path.with_name(store.path.name + end).absolute() for end in ("", "-wal", "-shm", "-journal")}
    paths = [path for path in files.candidates(folder, known, None if whole else now) if path.absolute() not in own]
    for number, path in enumerate(paths, start=1):
        if progress is not None:
            progress(path.name, number, len(paths))
        try:
            account = _import_file(store, city, path, known, now, late_after, zone)
        except SourceError as error:
            account = _refused(store, path.name, _feed_name(path.name, known), now, str(error), zone)
        if account is not None:
            accounts.append(account)
    refused = {account.name: account.error for account in accounts if account.error is not None}
    if refused != {file.name: file.reason for file in feed.refused(store)}:
        with store.write():
            feed.note_refused(store, refused, now)
    return accounts


def mapped(
    bodies: Sequence[Body],
    mapping: Feed,
    city: Known,
    received: datetime,
    late_after: Mapping[str, int],
    *,
    zone: tzinfo,
    name: str,
    sha256: str,
) -> Rows:
    """Return the rows of tables as a mapping reads them.

    Args:
        bodies: The sheets of a file, or the answer of a database or a server.
        mapping: Their feed's.
        city: Indicators by id and places by code.
        received: When the service reads them.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates the tables' are.
        name: Of the account.
        sha256: Of what is read once.

    Raises:
        SourceError: if a table is not as the mapping says, or has a column that looks like personal data.
    """
    today = received.astimezone(zone).date()
    found = shaped(bodies, mapping, city, sha256=sha256, name=name, today=today, zone=zone)
    if found.missing or found.zeros:
        log.info("cells without a value name=%s missing=%d taken_as_zero=%d", name, found.missing, found.zeros)
    due = Due(mapping.due_days, time.fromisoformat(mapping.due or "00:00")) if mapping.archive else None
    return rows_of(found.long, city, received, late_after, zone=zone, due=due)


def _import_file(
    store: Store,
    city: Known,
    path: Path,
    feeds: Mapping[str, Feed],
    now: datetime,
    late_after: Mapping[str, int],
    zone: tzinfo,
) -> FileAccount | None:
    files.require_file(path)
    mapping, before = files.feed_for(path.name, feeds), files.state(path)
    keep: Callable[[], FileAccount | None]
    if mapping is None:
        if feed.known(store, csv_files.fingerprint(path)):
            return None
        rows = csv_files.read(path, city, now, late_after, zone=zone)
        keep = partial(feed.import_rows, store, rows, feed=NATIVE, received=now)
    else:
        content = files.content_of(path)
        sha256 = _fingerprint(content, mapping, city, path.name)
        if feed.known(store, sha256):
            return None
        bodies = files.read_by(mapping, path.name, content)
        if mapping.events is not None:
            receipt = Receipt(mapping, mapping.events, city, now, zone, late_after)
            delivery = _each_once(events_of(bodies, receipt, name=path.name, sha256=sha256))
            if feed.known(store, delivery.sha256):
                return None
            keep = partial(counting.keep, store, delivery, receipt)
        else:
            rows = mapped(bodies, mapping, city, now, late_after, zone=zone, name=path.name, sha256=sha256)
            keep = partial(feed.import_rows, store, rows, feed=mapping.id, received=now)
    if files.state(path) != before:
        log.info("file changed while it was read name=%s", path.name)
        return None
    with store.write():
        account = keep()
        if mapping is not None:
            quarantine.settle_reread(store, sha256, hashlib.sha256(content).hexdigest(), READ_ANEW, now)
    if account is not None:
        log.info(
            "file imported name=%s feed=%s rows=%d accepted=%d unchanged=%d quarantined=%d",
            *(account.name, account.feed, account.rows, account.accepted, account.unchanged, account.quarantined),
        )
    return account


def _each_once(delivery: Delivery) -> Delivery:
    """Return a delivery that is told by its file's name, too, where it holds no event: all such files are alike."""
    if delivery.read:
        return delivery
    return replace(delivery, sha256=hashlib.sha256(f"{delivery.sha256} {delivery.name}".encode()).hexdigest())


def _fingerprint(content: bytes, mapping: Feed, city: Known, name: str) -> str:
    """Return what stands for a content: another mapping, table of grids or date in the name reads it otherwise."""
    found = files.fingerprint(content, mapping)
    if any("@file" in texts for _, texts in mapping.columns):
        return hashlib.sha256(f"{found} {name}".encode()).hexdigest()
    if mapping.events is None or mapping.events.delivery == "increments":
        return found
    return hashlib.sha256(f"{found} {sorted(city.grids.items())}".encode()).hexdigest()


def _feed_name(name: str, feeds: Mapping[str, Feed]) -> str:
    try:
        mapping = files.feed_for(name, feeds)
    except SourceError:
        return NATIVE
    return mapping.id if mapping else NATIVE


def _refused(store: Store, name: str, source: str, now: datetime, reason: str, zone: tzinfo) -> FileAccount:
    log.warning("file refused name=%s reason=%s", name, reason)
    with store.write():
        run.notice(store, now, name, reason, zone=zone)
    return FileAccount(name=name, feed=source, received=now, error=reason)
