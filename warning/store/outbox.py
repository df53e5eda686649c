"""The outbox: what is to be told, to whom, and whether it was.

A message is written in the transaction that decided it and sent later; its
Message-ID says what is told, so that the same thing is never written twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from warning.model import Attachment, Message
from warning.store.connection import Store
from warning.store.encoding import instant_of, text_of

_MESSAGE = 'message_id, kind, place, date, recipient, subject, text, html, created, "references"'


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all messages: written = sent + pending + failed."""

    written: int
    sent: int
    pending: int
    failed: int  # for good


@dataclass(frozen=True, slots=True)
class Entry:
    """A message and how its delivery stands."""

    message: Message
    state: str  # pending, sent, failed
    attempts: int
    next_try: datetime
    last_try: datetime | None
    reason: str  # what the last attempt was answered


def enqueue(store: Store, messages: Sequence[tuple[Message, Sequence[tuple[str, str]]]]) -> int:
    """Write messages that are not there yet, to be sent at once, and return how many are new.  Writes.

    Args:
        store: The database, within ``write``.
        messages: Each with the (alert number, transition) pairs it tells.
    """
    new = 0
    for message, told in messages:
        if not _insert(store, message):
            continue
        new += 1
        store.change_all(
            "INSERT INTO outbox_attachment VALUES (?, ?, ?, ?, ?, ?)",
            [
                (message.message_id, n, picture.cid, picture.filename, picture.media_type, picture.content)
                for n, picture in enumerate(message.attachments)
            ],
        )
        store.change_all(
            "INSERT INTO outbox_alert VALUES (?, ?, ?)",
            [(message.message_id, alert, transition) for alert, transition in told],
        )
    return new


def pending(store: Store, now: datetime) -> list[Message]:
    """Return the messages that are due, oldest first, with their attachments."""
    found = store.rows(
        f"SELECT {_MESSAGE} FROM outbox WHERE state = 'pending' AND next_try <= ? ORDER BY id",  # noqa: S608
        (text_of(now),),
    )
    return [_message(store, row) for row in found]


def was_told(store: Store, kind: str, day: date) -> bool:
    """Return whether a message of a kind about a date was ever written."""
    return store.row("SELECT 1 FROM outbox WHERE kind = ? AND date = ?", (kind, day.isoformat())) is not None


def has(store: Store, message_id: str) -> bool:
    """Return whether a message was ever written."""
    return store.row("SELECT 1 FROM outbox WHERE message_id = ?", (message_id,)) is not None


def attempts(store: Store, message_id: str) -> int:
    """Return how often a message was tried in vain; 0 for one that is unknown."""
    found = store.row("SELECT attempts FROM outbox WHERE message_id = ?", (message_id,))
    return 0 if found is None else int(found[0])


def mark_sent(store: Store, message_id: str, at: datetime) -> None:
    """Note that a message was accepted.  Writes."""
    store.change(
        "UPDATE outbox SET state = 'sent', last_try = ?, reason = '' WHERE message_id = ? AND state = 'pending'",
        (text_of(at), message_id),
    )


def mark_failed(store: Store, message_id: str, at: datetime, reason: str, permanent: bool, next_try: datetime) -> None:
    """Note that a message was not accepted: for good, or to be tried again from ``next_try`` on.  Writes."""
    store.change(
        "UPDATE outbox SET state = ?, attempts = attempts + 1, last_try = ?, reason = ?, next_try = ?"
        " WHERE message_id = ? AND state = 'pending'",
        ("failed" if permanent else "pending", text_of(at), reason, text_of(next_try), message_id),
    )


def first_message(store: Store, alert: str, recipient: str) -> str | None:
    """Return the Message-ID of the first mail that told a recipient of an alert, for References."""
    found = store.row(
        "SELECT o.message_id FROM outbox_alert AS a JOIN outbox AS o ON o.message_id = a.message_id"
        " WHERE a.alert = ? AND o.recipient = ? ORDER BY o.id LIMIT 1",
        (alert, recipient),
    )
    return None if found is None else str(found[0])


def account(store: Store) -> Account:
    """Return how many messages were ever written, and what became of them."""
    states = dict(store.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
    sent, waiting, failed = (states.get(state, 0) for state in ("sent", "pending", "failed"))
    return Account(sum(states.values()), sent, waiting, failed)


def messages(store: Store, *, state: str | None = None, limit: int = 100) -> list[Entry]:
    """Return messages with their delivery, newest first; in one state, or all.  Attachments included."""
    found = store.rows(
        f"SELECT {_MESSAGE}, state, attempts, next_try, last_try, reason FROM outbox"  # noqa: S608
        " WHERE ? IS NULL OR state = ? ORDER BY id DESC LIMIT ?",
        (state, state, limit),
    )
    return [
        Entry(
            _message(store, tuple(message)),
            state,
            tries,
            instant_of(next_try),
            None if last_try is None else instant_of(last_try),
            reason,
        )
        for *message, state, tries, next_try, last_try, reason in found
    ]


def refused(store: Store, *, at: datetime) -> list[tuple[str, str]]:
    """Return the recipients and answers of the messages that were refused at an instant, oldest first."""
    found = store.rows(
        "SELECT recipient, reason FROM outbox WHERE last_try = ? AND reason <> '' ORDER BY id", (text_of(at),)
    )
    return [(recipient, reason) for recipient, reason in found]


def _insert(store: Store, message: Message) -> bool:
    return bool(
        store.change(
            f"INSERT INTO outbox ({_MESSAGE}, state, attempts, next_try, reason)"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, '') ON CONFLICT (message_id) DO NOTHING",
            (
                message.message_id,
                message.kind,
                message.place,
                message.date.isoformat(),
                message.recipient,
                message.subject,
                message.text,
                message.html,
                text_of(message.created),
                json.dumps(message.references),
                text_of(message.created),
            ),
        ).rowcount
    )


def _message(store: Store, row: tuple[Any, ...]) -> Message:
    message_id, kind, place, day, recipient, subject, text, html, created, references = row
    pictures = store.rows(
        "SELECT cid, filename, media_type, content FROM outbox_attachment WHERE message_id = ? ORDER BY position",
        (message_id,),
    )
    return Message(
        message_id=message_id,
        kind=kind,
        place=place,
        date=date.fromisoformat(day),
        recipient=recipient,
        subject=subject,
        text=text,
        html=html,
        created=instant_of(created),
        references=tuple(json.loads(references)),
        attachments=tuple(Attachment(*picture) for picture in pictures),
    )
