"""When each job ran and how it ended, and the notices that tell an operator what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from warning.store.connection import Store
from warning.store.encoding import instant_of, text_of

STATUSES = ("done", "failed", "missed", "timeout", "interrupted")  # how a run can end

_COLUMNS = "id, job, scheduled_for, started, finished, status, note"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job."""

    id: int
    job: str
    scheduled_for: datetime
    started: datetime
    finished: datetime | None
    status: str  # "running", or one of STATUSES
    note: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator should know."""

    at: datetime
    about: str  # a rule, a file, a job
    text: str


def begin(store: Store, job: str, scheduled_for: datetime, started: datetime) -> int:
    """Note that a job begins, and return the number of the run.  Writes."""
    written = store.change(
        "INSERT INTO run (job, scheduled_for, started, status, note) VALUES (?, ?, ?, 'running', '')",
        (job, text_of(scheduled_for), text_of(started)),
    ).lastrowid
    return int(written or 0)


def finish(store: Store, id: int, finished: datetime, status: str, note: str = "") -> None:
    """Note how a run ended.  Writes.

    Raises:
        ValueError: if ``status`` is not one of STATUSES.
    """
    if status not in STATUSES:
        raise ValueError(f"status {status!r} is unknown; known: {', '.join(STATUSES)}")
    store.change(
        "UPDATE run SET finished = ?, status = ?, note = ? WHERE id = ?", (text_of(finished), status, note, id)
    )


def last_scheduled(store: Store, job: str) -> datetime | None:
    """Return the latest instant a job was scheduled for and dealt with; a run that was cut off is not.

    Of a job that never ran, the instant given to ``wait_from``; None where there is neither.
    """
    found = store.row(
        "SELECT max(scheduled_for) FROM run WHERE job = ? AND status IN ('done', 'failed', 'missed', 'timeout')"
        " UNION ALL SELECT instant FROM due_from WHERE job = ? ORDER BY 1 DESC",
        (job, job),
    )
    return None if found is None or found[0] is None else instant_of(found[0])


def wait_from(store: Store, job: str, instant: datetime) -> None:
    """Note the instant after which a job is due that never ran.  Writes."""
    store.change("INSERT OR REPLACE INTO due_from (job, instant) VALUES (?, ?)", (job, text_of(instant)))


def interrupted(store: Store) -> list[Run]:
    """Return the runs that never ended: asked at start, these are what a kill cut off."""
    return [_run(row) for row in store.rows(f"SELECT {_COLUMNS} FROM run WHERE status = 'running' ORDER BY id")]  # noqa: S608


def prune(store: Store, job: str, *, keep: int) -> int:
    """Forget all but the last ``keep`` runs of a job, and return how many went.  Writes."""
    return store.change(
        "DELETE FROM run WHERE job = ? AND status <> 'running'"
        " AND id NOT IN (SELECT id FROM run WHERE job = ? ORDER BY id DESC LIMIT ?)",
        (job, job, keep),
    ).rowcount


def runs(store: Store, *, job: str | None = None, limit: int = 100) -> list[Run]:
    """Return the last runs, of one job or all, newest first."""
    found = store.rows(
        f"SELECT {_COLUMNS} FROM run WHERE ? IS NULL OR job = ? ORDER BY id DESC LIMIT ?",  # noqa: S608
        (job, job, limit),
    )
    return [_run(row) for row in found]


def last_of_each(store: Store) -> list[Run]:
    """Return the last run of every job, newest first."""
    last = "SELECT max(id) FROM run GROUP BY job"
    return [_run(row) for row in store.rows(f"SELECT {_COLUMNS} FROM run WHERE id IN ({last}) ORDER BY id DESC")]  # noqa: S608


def notice(store: Store, at: datetime, about: str, text: str, *, zone: tzinfo = UTC) -> bool:
    """Note something for the operator, once a day of a zone; return whether it is new.  Writes."""
    written = store.change(
        "INSERT INTO notice (date, about, text, at) VALUES (?, ?, ?, ?) ON CONFLICT (about, text, date) DO NOTHING",
        (at.astimezone(zone).date().isoformat(), about, text, text_of(at)),
    )
    return written.rowcount == 1


def notices(store: Store, since: datetime) -> list[Notice]:
    """Return the notices from ``since`` on, newest first."""
    found = store.rows("SELECT at, about, text FROM notice WHERE at >= ? ORDER BY at DESC, id DESC", (text_of(since),))
    return [Notice(instant_of(at), about, text) for at, about, text in found]


def _run(row: tuple[Any, ...]) -> Run:
    id, job, scheduled_for, started, finished, status, note = row
    end = None if finished is None else instant_of(finished)
    return Run(id, job, instant_of(scheduled_for), instant_of(started), end, status, note)
