"""Feeds into the store: every file of the watched folder once, each whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from warning.errors import SourceError
from warning.model import FileAccount
from warning.sources import csv_files
from warning.sources.rows import Known
from warning.store import Store, feed, run

log = logging.getLogger(__name__)

FEED = "csv"

Progress = Callable[[str, int, int], None]  # file name, its number from 1, of how many


def import_folder(
    store: Store,
    city: Known,
    folder: Path,
    *,
    now: datetime,
    late_after: Mapping[str, int],
    zone: tzinfo,
    progress: Progress | None = None,
) -> list[FileAccount]:
    """Read what is new in the watched folder, in order of name, one transaction a file.

    A file that cannot be read at all has an account with its ``error``, and a notice once a day; it is tried
    again next time.  Files whose content was read before are passed over in silence.

    Args:
        store: The database; no transaction open.
        city: Indicators by id and places by code.
        folder: The watched folder.
        now: The instant of the import, UTC.
        late_after: For each frequency, days after a period's end from which a value is late.
        zone: Whose dates the files' are.
        progress: Told before each file; raising from it stops between two files.

    Raises:
        SourceError: if the folder cannot be listed.
        StoreError: if the database refuses; the files before are stored, this one and those after are not.
    """
    accounts: list[FileAccount] = []
    paths = csv_files.candidates(folder)
    for number, path in enumerate(paths, start=1):
        if progress is not None:
            progress(path.name, number, len(paths))
        try:
            account = _import_file(store, city, path, now, late_after, zone)
        except SourceError as error:
            account = _refused(store, path.name, now, str(error), zone)
        if account is not None:
            accounts.append(account)
    refused = {account.name: account.error for account in accounts if account.error is not None}
    if refused != {file.name: file.reason for file in feed.refused(store)}:
        with store.write():
            feed.note_refused(store, refused, now)
    return accounts


def _import_file(
    store: Store, city: Known, path: Path, now: datetime, late_after: Mapping[str, int], zone: tzinfo
) -> FileAccount | None:
    if feed.known(store, csv_files.fingerprint(path)):
        return None
    rows = csv_files.read(path, city, now, late_after, zone=zone)
    with store.write():
        account = feed.import_rows(store, rows, feed=FEED, received=now)
    if account is not None:
        log.info(
            "file imported name=%s rows=%d accepted=%d unchanged=%d quarantined=%d",
            *(account.name, account.rows, account.accepted, account.unchanged, account.quarantined),
        )
    return account


def _refused(store: Store, name: str, now: datetime, reason: str, zone: tzinfo) -> FileAccount:
    log.warning("file refused name=%s reason=%s", name, reason)
    with store.write():
        run.notice(store, now, name, reason, zone=zone)
    return FileAccount(name=name, feed=FEED, received=now, error=reason)
