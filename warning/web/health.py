"""Whether the service itself is well: jobs, notices, mail, feeds.  For people, and for a monitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from warning.config import Schedule
from warning.errors import KapokError
from warning.model import Level
from warning.service import Service
from warning.store import coverage as coverages_of
from warning.store import feed, outbox, run
from warning.web.pages import head_of, latest, page, reading

router = APIRouter()
JOBS = {"feeds": "读取数据", "sweep": "研判", "outbox": "发送邮件", "daily_mail": "晨报", "briefing": "周报"}
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
        jobs = _jobs(service)
        account = outbox.account(service.store)
        return page(
            request,
            "health",
            head_of(service, "health"),
            problems=problems(jobs, account),
            jobs=jobs,
            troubled=[
                _job(found.job, found)
                for found in run.runs(service.store, limit=RUNS)
                if STATES[found.status].tone == "bad"
            ][:FILES],
            notices=run.notices(service.store, service.clock() - NOTICES_BACK),
            account=account,
            undelivered=_undelivered(service),
            feeds=feed.feed_health(service.store),
            files=feed.files(service.store, limit=FILES),
            quarantine=feed.quarantined(service.store, limit=ROWS),
        )


@router.get("/healthz")
def tell_health(request: Request) -> JSONResponse:
    """Tell a monitor: 200 while the store can be read, with what is wrong; 503 when it cannot."""
    try:
        with reading(request) as service:
            return JSONResponse(_told(service))
    except KapokError as error:
        return JSONResponse({"status": "unavailable", "problems": str(error).splitlines()}, 503)


def problems(jobs: Sequence[Job], account: outbox.Account) -> list[str]:
    """Return what a person must see to, in sentences; nothing when all is well."""
    found = [
        f"任务“{job.zh}”最近一次运行{job.state.zh}{'：' + job.run.note if job.run and job.run.note else ''}"
        for job in jobs
        if job.state.tone == "bad"
    ]
    if account.failed:
        found.append(f"{account.failed} 封邮件最终未能送达，见下方邮件一节")
    return found


def _told(service: Service) -> dict[str, Any]:
    jobs = _jobs(service)
    account = outbox.account(service.store)
    day = latest(service)
    wrong = problems(jobs, account)
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
        "jobs": {job.name: "never" if job.run is None else job.run.status for job in jobs},
        "mail": {
            "written": account.written,
            "sent": account.sent,
            "pending": account.pending,
            "failed": account.failed,
        },
    }


def _jobs(service: Service) -> list[Job]:
    """The configured jobs, and any other that ever ran, each with its last run."""
    configured = [name for name in Schedule.model_fields if name in JOBS]
    ran = {found.job for found in run.runs(service.store, limit=RUNS)}
    names = [*configured, *sorted(ran - set(configured))]
    return [_job(name, next(iter(run.runs(service.store, job=name, limit=1)), None)) for name in names]


def _job(name: str, last: run.Run | None) -> Job:
    return Job(name, JOBS.get(name, name), STATES["never" if last is None else last.status], last)


def _undelivered(service: Service) -> list[Undelivered]:
    return [
        Undelivered(STATES[state], entry.message.recipient, entry.message.subject, entry.attempts, entry.reason)
        for state in ("failed", "pending")
        for entry in outbox.messages(service.store, state=state, limit=MAILS)
    ]
