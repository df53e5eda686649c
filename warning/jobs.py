"""What each job of the daemon does; ``schedule`` decides when.

A job is safe to run again: it writes in transactions that either happened or did
not, and a message told twice is the same message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from warning import pipeline, pulling, telling, weekly
from warning.colouring import coverages
from warning.config import SMTP_PASSWORD, Config, secret
from warning.context import Context
from warning.errors import ConfigError, DeliveryError, SourceError
from warning.intake import Progress, import_folder
from warning.model import FileAccount
from warning.notify import CHANNELS, Channel, deliver
from warning.scoring import Beat, known
from warning.service import Service
from warning.store import coverage as coverages_of
from warning.store import feed, outbox, run

log = logging.getLogger(__name__)

RETRY = (1, 2, 5, 10, 20, 40, 60)  # minutes before the next try; the last one repeats


@dataclass(frozen=True)
class Task:
    """One run of a job: when it was due, the instant it runs at, whom to tell of progress, and which cron was due."""

    service: Service
    scheduled_for: datetime
    now: datetime
    beat: Beat
    due: pulling.Due = pulling.always


def feeds(task: Task) -> str:
    """Read every new file of the watched folder, and fetch the feeds whose time has come."""
    accounts = take_in(task.service, task.now, progress=_told(task.beat), whole=False)
    said = f"{len(accounts)} file(s), {sum(account.error is not None for account in accounts)} refused"
    if not pulling.fetched(task.service):
        return said
    pulled = pulling.pull_due(task.service, task.now, due=task.due, beat=task.beat)
    failed = sum(account.error is not None for account in pulled)
    return f"{said}; {len(pulled) - failed} feed(s) brought something new, {failed} failed"


def sweep(task: Task) -> str:
    """Take in what has arrived, then judge every day up to yesterday that has not been swept."""
    take_in(task.service, task.now, progress=_told(task.beat), whole=False)
    if not feed.files(task.service.store, limit=1):
        return "no file was ever read, nothing to judge"
    days = days_to_sweep(task.service, task.service.config.yesterday(task.scheduled_for))
    swept = []
    for day in days:
        swept.append(pipeline.sweep(task.service, day, now=task.now, beat=task.beat))
        if outbox.was_told(task.service.store, "daily", day):
            _write_daily(task, day)  # its mail said that nobody had judged it: one that says more is another mail
    return f"{len(swept)} day(s), {sum(len(found.events) for found in swept)} event(s)"


def daily_mail(task: Task) -> str:
    """Write the morning's mail about yesterday, also when nothing happened."""
    day = task.service.config.yesterday(task.scheduled_for)
    return f"{_write_daily(task, day)} message(s) about {day}"


def _write_daily(task: Task, day: date) -> int:
    task.beat(f"mail of {day}")
    context = context_of(task.service, day, task.now)
    with task.service.store.write():
        return outbox.enqueue(task.service.store, telling.daily_messages(context))


def briefing(task: Task) -> str:
    """Write the briefings of the last full week, one for the city and one for each place with its own series."""
    monday = weekly.last_week(task.service.config.yesterday(task.scheduled_for))
    documents, messages = weekly.write_week(task.service, monday, now=task.now, beat=task.beat)
    return f"week of {monday}: {documents} document(s), {messages} message(s)"


def send(task: Task) -> str:
    """Send what waits in the outbox; what is refused for now is tried again later, with growing pauses."""
    sent, refused = send_waiting(task)
    return f"{sent} sent, {refused} refused"


def send_waiting(task: Task) -> tuple[int, int]:
    """Send what is due in the outbox, each once; return how many messages were sent and how many refused."""
    store = task.service.store
    out = channel_of(task.service.config)
    sent = failed = 0
    for message in outbox.pending(store, task.now):
        task.beat(f"outbox {message.message_id}")
        try:
            deliver(message, out)
        except DeliveryError as error:
            failed += 1
            tries = outbox.attempts(store, message.message_id) + 1
            later = task.now + timedelta(minutes=RETRY[min(tries, len(RETRY)) - 1])
            with store.write():
                outbox.mark_failed(
                    store, message.message_id, task.now, str(error), permanent=error.permanent, next_try=later
                )
                if error.permanent:
                    run.notice(
                        store,
                        task.now,
                        "outbox",
                        f"{message.recipient}: {error}",
                        zone=task.service.config.zone,
                    )
            continue
        with store.write():
            outbox.mark_sent(store, message.message_id, task.now)
        sent += 1
    return sent, failed


JOBS: dict[str, Callable[[Task], str]] = {
    "feeds": feeds,
    "sweep": sweep,
    "daily_mail": daily_mail,
    "briefing": briefing,
    "outbox": send,
}


def take_in(
    service: Service, now: datetime, *, progress: Progress | None = None, whole: bool = True
) -> list[FileAccount]:
    """Read the watched folder, made if it is missing; a file that cannot be read becomes a notice and stays there.

    With ``whole`` a person vouches for the files; else those that may still be growing wait for the next time.

    Raises:
        SourceError: if the folder can be neither made nor listed.
        StoreError: if the database refuses.
    """
    folder = service.config.path("feeds")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(
            f"{folder}: 目录建不成 / the folder cannot be made: {error.strerror}; correct paths.feeds"
        ) from error
    late_after = service.config.feeds.late_after.model_dump()
    return import_folder(
        service.store,
        service.city,
        folder,
        now=now,
        late_after=late_after,
        zone=service.config.zone,
        feeds=service.feeds,
        progress=progress,
        whole=whole or service.config.clock.file is not None,  # a drill's clock tells nothing of a file's age
    )


def take_in_all(service: Service, now: datetime, *, progress: Progress, beat: Beat) -> list[FileAccount]:
    """Read the watched folder and fetch every feed that is fetched, due or not; else as ``take_in``."""
    accounts = take_in(service, now, progress=progress)
    return accounts + pulling.pull(service, pulling.fetched(service), now, beat=beat)


def days_to_sweep(service: Service, until: date) -> list[date]:
    """Return the days after the last swept one, up to ``until``; the last day alone on a first start.

    None where a later day was swept already.
    """
    last = coverages_of.last_date(service.store)
    reach = service.config.sweep.rejudge_days
    first = until if last is None else max(last + timedelta(days=1), until - timedelta(days=reach - 1))
    days = [first + timedelta(days=n) for n in range((until - first).days + 1)]
    if days or last is None or last > until:
        return days
    return [until]  # swept already: again, for what has come late


def context_of(service: Service, day: date, now: datetime) -> Context:
    """Return what a later job needs to write about a day that was swept."""
    panels = known(service, day, known_at=now)
    found, gaps = coverages(service, panels, day)
    return Context(service, day, now, panels, found, gaps)


def channel_of(config: Config) -> Channel:
    """Return the channel ``[mail]`` names.

    Raises:
        ConfigError: if the secrets it needs are set twice or cannot be read.
    """
    mail, simulated = config.mail, config.deployment.simulated
    if mail.channel == "file":
        return CHANNELS["file"](config.path("maildir"), mail.sender, simulated, config.zone)
    password = secret(SMTP_PASSWORD)
    if mail.smtp.user and not password:
        raise ConfigError("environment", [f"mail.smtp.user is set, so {SMTP_PASSWORD} or {SMTP_PASSWORD}_FILE must be"])
    settings = mail.smtp.model_dump(exclude={"ca_file"})
    ca_file = None if mail.smtp.ca_file is None else config.base / mail.smtp.ca_file
    settings |= {"ca_file": ca_file, "simulated": simulated, "zone": config.zone}
    return CHANNELS["smtp"](sender=mail.sender, password=password, **settings)


def _told(beat: Beat) -> Progress:
    """Return a progress that passes the names of files on to a beat."""

    def progress(name: str, number: int, total: int) -> None:
        beat(f"file {number} of {total}: {name}")

    return progress
