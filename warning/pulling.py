"""Feeds that are fetched, and those that are sent to us: which is due, and what becomes of what it brings.

A pull that fails brings nothing, is told once a day, and is made again as a whole after a growing pause.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from warning import counting
from warning.config import secret
from warning.errors import ConfigError, SourceError
from warning.feeding import Tried, try_tables
from warning.folding import last_over
from warning.intake import mapped
from warning.mapping import Feed, Http, Sql, asks_for_days
from warning.model import FileAccount
from warning.scoring import Beat
from warning.service import Deployment, Service
from warning.sources import http, sql
from warning.sources.columns import Body
from warning.sources.delivery import Receipt
from warning.sources.events import events_of
from warning.sources.files import fingerprint
from warning.sources.table import Table
from warning.store import feed as feeds_of
from warning.store import pull as pulls_of
from warning.store import quarantine, run

log = logging.getLogger(__name__)

AGAIN = (5, 15, 60)  # minutes after which a failed pull is made again, unless it is due before; the last one repeats
AT_ONCE = 31  # days of events asked for at once: there may be a million a day
AGAIN_SENT = "同一来源又送来这一行，以新的一条为准"

Due = Callable[[str, datetime, datetime], bool]  # cron expression, after, until: was there an instant between?


def always(at: str, after: datetime, until: datetime) -> bool:  # noqa: ARG001
    """Say of every expression that it was due."""
    return True


def pull_due(service: Service, now: datetime, *, due: Due, beat: Beat) -> list[FileAccount]:
    """Fetch the feeds whose time has come, each in a transaction of its own.

    Args:
        service: The deployment; no transaction open.
        now: The instant of the pull, UTC.
        due: Whether a feed's own cron expression was due.
        beat: Told before each feed and page; raising from it stops there.

    Returns:
        An account for each feed that brought something new or failed; that one has an ``error``.

    Raises:
        StoreError: if the database refuses; the feeds before are stored.
    """
    return pull(service, (feed for feed in fetched(service) if _is_due(service, feed, now, due)), now, beat=beat)


def pull(service: Service, feeds: Iterable[Feed], now: datetime, *, beat: Beat) -> list[FileAccount]:
    """Fetch feeds, whenever they are due; else as ``pull_due``."""
    accounts = []
    for feed in feeds:
        beat(f"feed {feed.id}")
        try:
            for account in _pulled(service, feed, now, beat):
                accounts.append(account)
        except (SourceError, ConfigError) as error:
            accounts.append(_failed(service, feed, now, str(error)))
    return accounts


def fetched(deployment: Deployment) -> list[Feed]:
    """Return the feeds of a deployment that are fetched, by name."""
    return [feed for _, feed in sorted(deployment.feeds.items()) if feed.kind in ("sql", "http")]


def table_of(feed: Feed, since: date, until: date, *, beat: Beat = lambda _: None) -> Table:
    """Return what a feed that is fetched answers; nothing is stored.

    Args:
        feed: Of kind sql or http.
        since: First date wanted.
        until: Last date wanted.
        beat: Told before each page.

    Raises:
        SourceError: if it cannot be had.
        ConfigError: if its secret is not set, or set twice.
    """
    match feed:
        case Feed(sql=Sql() as asked):
            address = _needed(feed, asked.url_env)
            return sql.ask(
                feed.id,
                address,
                asked.query,
                since=since,
                until=until,
                timeout=asked.timeout,
                most_rows=asked.max_rows,
            )
        case Feed(http=Http() as asked):
            token = _needed(feed, asked.token_env) if asked.token_env else ""
            return http.pull(feed.id, asked, token, since=since, until=until, beat=beat)
    raise SourceError(f"{feed.id}: kind '{feed.kind}' is not fetched")


def try_fetched(deployment: Deployment, name: str | None) -> Tried:
    """Read what a feed answers of this month and the one before (of events, of the last days) and keep nothing.

    Raises:
        ConfigError: if no feed of this name is fetched.
        SourceError: if it cannot be had, or answers nothing, or is not what its mapping says.
    """
    known = {feed.id: feed for feed in fetched(deployment)}
    if name not in known:
        names = ", ".join(known) or "无 none"
        raise ConfigError("kapok feed try", [f"name a FILE, or with --feed a feed that is fetched; known: {names}"])
    now = deployment.clock()
    until = deployment.config.local_date(now)
    back = timedelta(days=deployment.config.sweep.rejudge_days)
    of_events = known[name].events is not None
    since = until - back if of_events else (until.replace(day=1) - timedelta(days=1)).replace(day=1)
    table = table_of(known[name], since, until)
    if not table.lines:
        raise SourceError(f"{name}: 没有这些日期的数 / answers nothing of {since} to {until}")
    return try_tables(deployment, known[name], name, [Body(table)], now, (since, until))


def wanted(service: Service, feed: Feed, now: datetime) -> tuple[date, date]:
    """Return the first and the last date a feed is asked for.

    From where late values and corrections are looked at again, whole months (of events, which are many and of which
    a month's days are kept, the days alone); all the years that are looked back at where it never brought anything.
    """
    until = service.config.local_date(now)
    last = pulls_of.last_date(service.store, feed.id)
    sweep = service.config.sweep
    first = until - timedelta(days=366 * sweep.window_years) if last is None else min(last, until)
    since = first - timedelta(days=sweep.rejudge_days)
    return (since if feed.events is not None and last is not None else since.replace(day=1)), until


def taken(
    service: Service, feed: Feed, table: Table, now: datetime, asked: tuple[date, date] | None = None
) -> FileAccount:
    """Store what a feed brought, even where it brought the same before; new events alone are counted once.  Writes.

    Args:
        service: The deployment, within ``store.write``.
        feed: The feed.
        table: What it brought.
        now: When.
        asked: The first and the last day it was asked for.

    Raises:
        SourceError: if the table is not what the mapping says; nothing is stored.
    """
    # What a feed says now counts, also where it said so before and something else in between.
    ordinal = pulls_of.contents(service.store, feed.id)
    content = hashlib.sha256(f"{feed.id} {ordinal} {table.sha256}".encode()).hexdigest()
    late_after, zone = service.config.feeds.late_after.model_dump(), service.config.zone
    account: FileAccount | None
    if feed.events is not None:
        once = hashlib.sha256(f"{feed.id} {table.sha256}".encode()).hexdigest()
        receipt = Receipt(feed, feed.events, service.city, now, zone, late_after)
        bodies, sha256 = [Body(table)] if table.lines else [], once if feed.events.delivery == "increments" else content
        delivery = events_of(bodies, receipt, name=feed.id, sha256=sha256, asked=asked)
        account = counting.keep(service.store, delivery, receipt)
    else:
        rows = mapped([Body(table)], feed, service.city, now, late_after, zone=zone, name=feed.id, sha256=content)
        account = feeds_of.import_rows(service.store, rows, feed=feed.id, received=now)
    if account is None:
        raise ValueError(f"{feed.id}: content {ordinal} was there before it came")
    if feed.events is None or feed.events.delivery == "days":  # of new events a row like another is another event
        quarantine.settle_repeated(service.store, feed.id, AGAIN_SENT, now)
    log.info(
        "feed taken in feed=%s rows=%d accepted=%d unchanged=%d quarantined=%d",
        *(feed.id, account.rows, account.accepted, account.unchanged, account.quarantined),
    )
    return account


def _pulled(service: Service, feed: Feed, now: datetime, beat: Beat) -> Iterator[FileAccount]:
    """Yield the account of what a feed brings; of years of events one for each part of them, each kept by itself."""
    store = service.store
    for since, until in _parts(feed, *wanted(service, feed, now)):
        table = table_of(feed, since, until, beat=beat)
        # The same events say more once another day is over.
        over = "" if feed.events is None else str(last_over(feed, until, now, service.config.zone))
        content = fingerprint(f"{table.sha256}{over}".encode(), feed)
        with store.write():
            before = pulls_of.last(store, feed.id)
            account = None
            if table.lines and (before is None or before.sha256 != content):
                account = taken(service, feed, table, now, (since, until))
            pulls_of.succeeded(store, feed.id, content, now)
        if account is not None and (account.rows or account.first is not None):
            yield account


def _parts(feed: Feed, since: date, until: date) -> Iterator[tuple[date, date]]:
    """Yield what is asked for at once: all of it, or of events so many days."""
    several = feed.events is not None and asks_for_days(feed)
    step = timedelta(days=AT_ONCE if several else (until - since).days + 1)
    while since <= until:
        yield since, min(since + step - timedelta(days=1), until)
        since += step


def _failed(service: Service, feed: Feed, now: datetime, reason: str) -> FileAccount:
    log.warning("pull failed feed=%s reason=%s", feed.id, reason)
    with service.store.write():
        pulls_of.failed(service.store, feed.id, reason, now)
        run.notice(service.store, now, feed.id, reason, zone=service.config.zone)
    return FileAccount(name=feed.id, feed=feed.id, received=now, error=reason)


def _is_due(service: Service, feed: Feed, now: datetime, due: Due) -> bool:
    last = pulls_of.last(service.store, feed.id)
    if last is None:
        return True
    if last.failures and now >= last.tried + timedelta(minutes=AGAIN[min(last.failures, len(AGAIN)) - 1]):
        return True
    if feed.at is None:
        return not last.failures
    return due(feed.at, last.tried, now)


def _needed(feed: Feed, name: str) -> str:
    found = secret(name)
    if not found:
        raise ConfigError("environment", [f"{name} or {name}_FILE must be set; the feed {feed.id!r} needs it"])
    return found
