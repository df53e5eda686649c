"""Whether the service itself is well: jobs, notices, mail, feeds.  For people, and for a monitor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from warning import health
from warning.errors import KapokError
from warning.model import Level
from warning.service import Service
from warning.store import coverage as coverages_of
from warning.store import feed, outbox, quarantine, run
from warning.web.pages import head_of, latest, page, reading
from warning.words import JOBS

router = APIRouter()
NOTICES_BACK = timedelta(days=7)
RUNS, FILES, ROWS, MAILS = 200, 20, 50, 20  # how many the page lists


@dataclass(frozen=True, slots=True)
class State:
    """How something stands, in a word, a mark and a tone; never by colour alone."""

    zh: str
    mark: str
    tone: str  # good, bad, or plain


STATES = {
    "done": State("完成", "✓", "good"),
    "running": State("进行中", "…", "plain"),
    "failed": State("失败", "×", "bad"),
    "missed": State("错过", "！", "bad"),
    "timeout": State("超时", "！", "bad"),
    "interrupted": State("中断", "！", "bad"),
    "pending": State("待发", "…", "plain"),
    "never": State("尚未运行", "—", "plain"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job and one of its runs."""

    name: str
    zh: str
    state: State
    run: run.Run | None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A mail that did not reach its reader yet, or never will."""

    state: State
    recipient: str
    subject: str
    attempts: int
    reason: str


@router.get("/health")
def show_health(request: Request) -> HTMLResponse:
    """Show the jobs, the notices, the mail and the feeds."""
    with reading(request) as service:
        state = health.seen(service, service.clock())
        return page(
            request,
            "health",
            head_of(service, "health"),
            problems=health.problems(service, state),
            watched=sum(c.watched for c in state.coverages),
            missing=sum(c.missing for c in state.coverages),
            date=latest(service),
            refused=state.refused,
            jobs=[_job(name, last) for name, last in state.last_runs.items()],
            troubled=[
                _job(found.job, found)
                for found in run.runs(service.store, limit=RUNS)
                if STATES[found.status].tone == "bad"
            ][:FILES],
            notices=run.notices(service.store, service.clock() - NOTICES_BACK),
            account=state.account,
            undelivered=_undelivered(service),
            feeds=feed.feed_health(service.store),
            files=feed.files(service.store, limit=FILES),
            quarantine=quarantine.quarantined(service.store, limit=ROWS),
        )


@router.get("/healthz")
def tell_health(request: Request) -> JSONResponse:
    """Tell a monitor: 200 while the store can be read, with what is wrong; 503 when it cannot."""
    try:
        with reading(request) as service:
            return JSONResponse(_told(service))
    except KapokError as error:
        return JSONResponse({"status": "unavailable", "problems": str(error).splitlines()}, 503)


def _told(service: Service) -> dict[str, Any]:
    state = health.seen(service, service.clock())
    day, account = latest(service), state.account
    wrong = health.problems(service, state)
    colours = {} if day is None else coverages_of.on(service.store, day)
    return {
        "status": "degraded" if wrong else "ok",
        "problems": wrong,
        "simulated": service.config.deployment.simulated,
        "date": None if day is None else day.isoformat(),
        "places": {
            level.name.lower(): sum(found.colour is level for found in colours.values())
            for level in sorted(Level, reverse=True)
        },
        "series": {
            "watched": sum(c.watched for c in state.coverages),
            "missing": sum(c.missing for c in state.coverages),
        },
        "refused_files": [file.name for file in state.refused],
        "jobs": {name: "never" if last is None else last.status for name, last in state.last_runs.items()},
        "mail": {
            "written": account.written,
            "sent": account.sent,
            "pending": account.pending,
            "failed": account.failed,
        },
    }


def _job(name: str, last: run.Run | None) -> Job:
    return Job(name, JOBS.get(name, name), STATES["never" if last is None else last.status], last)


def _undelivered(service: Service) -> list[Undelivered]:
    return [
        Undelivered(STATES[state], entry.message.recipient, entry.message.subject, entry.attempts, entry.reason)
        for state in ("failed", "pending")
        for entry in outbox.messages(service.store, state=state, limit=MAILS)
    ]
