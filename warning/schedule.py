"""Which job when: APScheduler, and nothing else.

The scheduler only wakes the daemon; what is due then is read from the store, which
remembers when each job was last due.  So what was missed while the service was down
is recorded and caught up at start, once for each job; jobs due at the same instant
run one after another in the order of ``JOBS``; and a clock file (drill, tests) is no special case.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from warning import anew
from warning.config import Config, Job
from warning.errors import ConfigError, JobTimeout, KapokError, together
from warning.jobs import JOBS, Task
from warning.mapping import FOLDER
from warning.service import Deployment, Service, opened
from warning.store import Store, run

log = logging.getLogger(__name__)

KEPT = 200  # runs remembered for each job, those missed in an outage included
AGAIN = (5, 15, 60)  # minutes after which a job that failed is tried again, unless it is due before
FAILED = ("failed", "timeout")
MADE_UP_FOR = ("feeds", "sweep")  # due on the very first start, so that what has come by then is judged
FIRST_LOOK = timedelta(days=8)  # back for the instant at which they would have been due


class Stopped(JobTimeout):
    """The service is asked to end; the job is due again at the next start."""


class Daemon:
    """The jobs of a deployment, run one after another in one thread."""

    def __init__(self, deployment: Deployment, *, tell: Callable[[Deployment], None] = lambda _: None) -> None:
        """Make the jobs; ``tell`` is given the deployment anew when its files have changed."""
        self._deployment = deployment
        self._files = anew.Anew(deployment)
        self._tell = tell
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
        """Record what a kill interrupted, catch up, and go on by the schedule.

        Raises:
            ConfigError: if the clock file cannot be read.
            StoreError: if the database cannot be used.
        """
        self._begin()
        zone = self._deployment.config.zone
        if self._deployment.config.clock.file is None:
            self._scheduler.add_job(self._catch_up, id="start")
            for name, job in self._settings.items():
                self._scheduler.add_job(self._catch_up, trigger(job, zone), id=name)
        else:
            every = IntervalTrigger(seconds=self._deployment.config.schedule.poll_seconds)
            self._scheduler.add_job(self._look, every, id="clock", next_run_time=datetime.now(zone))
        self._scheduler.start()

    def stop(self) -> None:
        """Let the running job reach its next safe point, then end."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _begin(self) -> None:
        """Record what a kill interrupted; on the very first start, note from when on runs are due."""
        now = self._clock()
        anew.begin(self._deployment, now)
        with opened(self._deployment) as service, service.store.write():
            store = service.store
            for killed in run.interrupted(store):
                run.finish(store, killed.id, now, "interrupted", "the service ended in the middle")
            lasts = {name: run.last_scheduled(store, name) for name in JOBS}
            for name in (name for name, last in lasts.items() if last is None):
                run.wait_from(store, name, self._first(name, now))
            ahead = [f"{name} {last.isoformat()}" for name, last in lasts.items() if last is not None and last > now]
        if ahead:
            log.warning("clock is behind the last runs, nothing is due before them: %s", ", ".join(ahead))

    def _first(self, name: str, now: datetime) -> datetime:
        """Return the instant after which a job that never ran is due."""
        before = due(trigger(self._settings[name], self._deployment.config.zone), now - FIRST_LOOK, now)
        return before[-1] - timedelta(seconds=1) if name in MADE_UP_FOR and before else now

    def _look(self) -> None:
        """Catch up whenever the clock file says something new."""
        try:
            now = self._clock()
        except KapokError as error:
            log.error("clock unreadable reason=%s", error)  # noqa: TRY400 - operators get no traceback
            return
        if now != self._looked and self._catch_up():
            self._looked = now
            log.info("caught up to %s", now.isoformat())

    def _catch_up(self) -> bool:
        """Run what is due until nothing is (a long job lets others become due); return whether that was reached."""
        try:
            self._read_anew()
            with opened(self._deployment) as service:
                while sum(self._run(service, name) for name in JOBS):
                    pass
        except KapokError as error:  # the store itself refuses: nothing can be recorded but in the log
            log.error("jobs not run reason=%s", error)  # noqa: TRY400 - operators get no traceback
            return False
        return not self._stopping.is_set()

    def _read_anew(self) -> None:
        """Go on with the files as they are now; where these have faults, with those in force."""
        found = self._files.look(self._deployment, self._clock(), also=_refuse_triggers)
        if found is None:
            return
        self._deployment = found
        self._tell(found)
        settings: dict[str, Job] = {name: getattr(found.config.schedule, name) for name in JOBS}
        if found.config.clock.file is None:
            for name in (name for name in JOBS if settings[name].at != self._settings[name].at):
                self._scheduler.reschedule_job(name, trigger=trigger(settings[name], found.config.zone))
        self._settings = settings

    def _run(self, service: Service, name: str) -> bool:
        """Run a job once if it is due, record all instants at which it was, and return whether there were any."""
        if self._stopping.is_set():
            return False
        now, store = self._clock(), service.store
        last = run.last_scheduled(store, name) or now
        times = trigger(self._settings[name], self._deployment.config.zone)
        instants = due(times, last, now) or _failed_for(store, name, now)
        if not instants:
            return False
        with store.write():
            for missed in instants[:-1]:
                run.finish(store, run.begin(store, name, missed, now), now, "missed")
            identity = run.begin(store, name, instants[-1], now)
        log.info("job begins job=%s due=%s missed=%d", name, instants[-1].isoformat(), len(instants) - 1)
        status, note = self._done(service, name, instants[-1], now)
        with store.write():
            run.finish(store, identity, self._clock(), status, note)
            run.prune(store, name, keep=KEPT)
            if status in FAILED:
                run.notice(store, now, name, note, zone=self._deployment.config.zone)
        log.info("job %s job=%s due=%s note=%s", status, name, instants[-1].isoformat(), note)
        return True

    def _was_due(self, at: str, after: datetime, until: datetime) -> bool:
        return bool(due(trigger(Job(at=at), self._deployment.config.zone), after, until))

    def _done(self, service: Service, name: str, instant: datetime, now: datetime) -> tuple[str, str]:
        limit = self._settings[name].limit
        end = time.monotonic() + limit

        def beat(step: str) -> None:
            if self._stopping.is_set():
                raise Stopped(f"stopped before: {step}")
            if time.monotonic() > end:
                raise JobTimeout(f"longer than {limit:g} s; stopped before: {step}")

        try:
            return "done", JOBS[name](Task(service, instant, now, beat, self._was_due))
        except Stopped as error:
            return "interrupted", str(error)
        except JobTimeout as error:
            return "timeout", str(error)
        except KapokError as error:
            return "failed", str(error)
        except OSError as error:  # a full disk, a folder that may not be written
            return "failed", f"{error.filename or 'system'}: {error.strerror or error}"
        except Exception as error:
            log.exception("job raised job=%s", name)
            return "failed", f"{type(error).__name__}: {error}"


def _failed_for(store: Store, name: str, now: datetime) -> list[datetime]:
    """Return the instant for which a job ran last and failed, if it is time to try it again; else nothing."""
    last = run.runs(store, job=name, limit=KEPT)
    tries = list(takewhile(lambda one: one.scheduled_for == last[0].scheduled_for, last))
    failed = [one for one in tries if one.status in FAILED]
    if not failed or len(failed) > len(AGAIN) or tries[0].status not in (*FAILED, "interrupted"):
        return []
    wait = timedelta(minutes=AGAIN[len(failed) - 1])
    is_time = tries[0].status == "interrupted" or (failed[0].finished or now) + wait <= now
    return [failed[0].scheduled_for] if is_time else []


def trigger(job: Job, zone: ZoneInfo) -> CronTrigger:
    """Return the times of a job on the centre's wall clock.

    Raises:
        ValueError: if the cron expression means nothing.
    """
    return CronTrigger.from_crontab(job.at, timezone=zone)


def due(times: CronTrigger, last: datetime, now: datetime) -> list[datetime]:
    """Return the instants after ``last`` up to ``now`` at which a job was due, the most recent ``KEPT`` of them."""
    back = timedelta(hours=1)  # a service that was down for a year does not count all its minutes
    while now - back > last:
        found = list(_instants(times, now - back, now))
        if len(found) >= KEPT:
            return found[-KEPT:]
        back *= 4
    return list(_instants(times, last, now))[-KEPT:]


def _instants(times: CronTrigger, last: datetime, now: datetime) -> Iterable[datetime]:
    instant = times.get_next_fire_time(None, last + timedelta(seconds=1))
    while instant is not None and instant <= now:
        yield instant
        instant = times.get_next_fire_time(instant, instant + timedelta(seconds=1))


def trigger_faults(config: Config) -> list[str]:
    """Return one line for each cron expression of ``[schedule]`` that means nothing, or not what it seems to."""
    settings: dict[str, Job] = {f"schedule.{name}.at": getattr(config.schedule, name) for name in JOBS}
    return [line for where, job in settings.items() for line in _cron_faults(where, job, config.zone)]


def feed_faults(deployment: Deployment) -> list[ConfigError]:
    """Return an error for each feed whose cron expression means nothing, or not what it seems to."""
    folder, zone = deployment.config.path("city") / FOLDER, deployment.config.zone
    own = {feed.id: _cron_faults("at", Job(at=feed.at), zone) for feed in deployment.feeds.values() if feed.at}
    return [ConfigError(str(folder / f"{name}.toml"), faults) for name, faults in own.items() if faults]


def _refuse_triggers(deployment: Deployment) -> None:
    """Complain of files of which some job or feed could not be scheduled by."""
    faults = trigger_faults(deployment.config)
    wrong = [ConfigError(str(deployment.config.file), faults)] if faults else []
    if wrong := [*wrong, *feed_faults(deployment)]:
        raise together(wrong)


def _cron_faults(setting: str, job: Job, zone: ZoneInfo) -> list[str]:
    where = f"{setting}: {job.at!r}"
    if any(sign.isdigit() for sign in job.at.split()[4]):  # 1 is Monday to some programs, Tuesday to this one
        return [f"{where} gives a weekday by number; write mon, tue, wed, thu, fri, sat, sun"]
    try:
        times = trigger(job, zone)
    except ValueError as error:
        return [f"{where} is not a cron expression: {str(error)[:1].lower()}{str(error)[1:]}"]
    never = times.get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is None
    return [f"{where} never comes"] if never else []
