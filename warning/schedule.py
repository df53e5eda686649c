"""Which job when: APScheduler, and nothing else.

Each job remembers in the store when it was last due, so that what was missed while
the service was down is recorded and caught up at start, once for each job.  With a
clock file (drill, tests) the scheduler only looks at the clock; what is due is decided alike.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from warning.config import Job
from warning.errors import JobTimeout, KapokError
from warning.jobs import JOBS, Task
from warning.service import Deployment, Service, opened
from warning.store import run

log = logging.getLogger(__name__)

MOST_MISSED = 500  # runs recorded as missed for one job after an outage


class Stopped(JobTimeout):
    """The service is asked to end; the job is due again at the next start."""


class Daemon:
    """The jobs of a deployment, run one after another in one thread."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._clock = deployment.clock
        self._settings: dict[str, Job] = {name: getattr(deployment.config.schedule, name) for name in JOBS}
        self._stopping = threading.Event()
        self._looked: datetime | None = None
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=deployment.config.zone,
        )

    def start(self) -> None:
        """Record what a kill interrupted, catch up, and go on by the schedule."""
        self._begin()
        if self._deployment.config.clock.file is not None:
            every = IntervalTrigger(seconds=self._deployment.config.schedule.poll_seconds)
            self._scheduler.add_job(
                self._look, every, id="clock", next_run_time=datetime.now(self._deployment.config.zone)
            )
        else:
            self._scheduler.add_job(self._catch_up, id="catch up")
            for name, job in self._settings.items():
                self._scheduler.add_job(self._fire, trigger(job, self._deployment.config.zone), [name], id=name)
        self._scheduler.start()

    def stop(self) -> None:
        """Let the running job reach its next safe point, then end."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)

    def _begin(self) -> None:
        """Record what a kill interrupted; on the very first start, note from when on runs are due."""
        service = opened(self._deployment)
        try:
            now = self._clock()
            with service.store.write():
                for killed in run.interrupted(service.store):
                    run.finish(service.store, killed.id, now, "interrupted", "the service ended in the middle")
                for name in JOBS:
                    if run.last_scheduled(service.store, name) is None:
                        run.finish(service.store, run.begin(service.store, name, now, now), now, "done", "first start")
        finally:
            service.store.close()

    def _look(self) -> None:
        """Catch up whenever the clock file says something new."""
        now = self._clock()
        if now != self._looked:
            self._catch_up()
            self._looked = now
            log.info("caught up to %s", now.isoformat())

    def _catch_up(self) -> None:
        for name in JOBS:
            self._fire(name)

    def _fire(self, name: str) -> None:
        if self._stopping.is_set():
            return
        try:
            service = opened(self._deployment)
            try:
                self._run(service, name)
            finally:
                service.store.close()
        except KapokError as error:  # the store itself refuses: nothing can be recorded but in the log
            log.error("job failed job=%s reason=%s", name, error)  # noqa: TRY400 - operators get no traceback

    def _run(self, service: Service, name: str) -> None:
        now = self._clock()
        last = run.last_scheduled(service.store, name) or now
        instants = due(trigger(self._settings[name], self._deployment.config.zone), last, now)
        if not instants:
            return
        with service.store.write():
            for instant in instants[:-1]:
                run.finish(service.store, run.begin(service.store, name, instant, now), now, "missed")
            identity = run.begin(service.store, name, instants[-1], now)
        status, note = self._done(service, name, instants[-1], now)
        with service.store.write():
            run.finish(service.store, identity, self._clock(), status, note)
            if status != "done":
                run.notice(service.store, now, name, note)
        log.info("job %s job=%s due=%s note=%s", status, name, instants[-1].isoformat(), note)

    def _done(self, service: Service, name: str, instant: datetime, now: datetime) -> tuple[str, str]:
        limit = self._settings[name].limit
        end = time.monotonic() + limit

        def beat(step: str) -> None:
            if self._stopping.is_set():
                raise Stopped(f"stopped before: {step}")
            if time.monotonic() > end:
                raise JobTimeout(f"longer than {limit:g} s; stopped before: {step}")

        try:
            return "done", JOBS[name](Task(service, instant, now, beat))
        except Stopped as error:
            return "interrupted", str(error)
        except JobTimeout as error:
            return "timeout", str(error)
        except Exception as error:
            if not isinstance(error, KapokError):
                log.exception("job raised job=%s", name)
            return "failed", f"{type(error).__name__}: {error}" if not isinstance(error, KapokError) else str(error)


def trigger(job: Job, zone: ZoneInfo) -> CronTrigger:
    """Return the times of a job on the centre's wall clock.

    Raises:
        ValueError: if the cron expression means nothing.
    """
    return CronTrigger.from_crontab(job.at, timezone=zone)


def due(times: CronTrigger, last: datetime, now: datetime) -> list[datetime]:
    """Return the instants after ``last`` up to ``now`` at which a job was due; the most recent few hundred of them."""
    return list(_instants(times, last, now))[-MOST_MISSED:]


def _instants(times: CronTrigger, last: datetime, now: datetime) -> Iterable[datetime]:
    instant = times.get_next_fire_time(None, last + timedelta(seconds=1))
    while instant is not None and instant <= now:
        yield instant
        instant = times.get_next_fire_time(instant, instant + timedelta(seconds=1))


def trigger_faults(deployment: Deployment) -> list[str]:
    """Return one line for each cron expression of ``[schedule]`` that means nothing."""
    faults = []
    for name in JOBS:
        setting: Job = getattr(deployment.config.schedule, name)
        try:
            trigger(setting, deployment.config.zone)
        except ValueError as error:
            faults.append(f"schedule.{name}.at: {setting.at!r} is not a cron expression: {error}")
    return faults
