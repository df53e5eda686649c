"""``kapok serve``: the jobs and the page, until a signal asks to end."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from queue import Empty, SimpleQueue

from warning.errors import ConfigError, together
from warning.jobs import channel_of
from warning.schedule import Daemon, feed_faults, trigger_faults
from warning.service import Deployment, opened
from warning.store import alone
from warning.web.server import Server

log = logging.getLogger(__name__)

LOOK_UP = 1.0  # seconds


def run_daemon(deployment: Deployment, *, tell: Callable[[str], None] = lambda _: None) -> None:
    """Run until SIGTERM or SIGINT; the running job reaches its next safe point first.

    Args:
        deployment: As loaded; changed files are read before the next job.
        tell: Told the page's address when it answers.

    Raises:
        ConfigError: if a schedule means nothing, a secret is missing, the clock file cannot be read, or the
            page's port is taken.
        StoreError: if the database cannot be used, or another service runs its jobs.
    """
    ended: SimpleQueue[int] = SimpleQueue()  # an Event's lock is not reentrant: set by a signal, it may wait for itself
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda found, _: ended.put(found))
    _require_ready(deployment)
    _log_to_stderr()
    page = Server(deployment)
    daemon = Daemon(deployment, tell=page.show)
    with alone(deployment.config.path("database")):
        try:
            tell(page.start())
            log.info("page at %s", page.address)
            daemon.start()
            log.info("started")
            _wait_for(ended)
            log.info("stopping")
        finally:
            daemon.stop()
            page.stop()
    log.info("stopped")


def _wait_for(ended: SimpleQueue[int]) -> None:
    """Wait for a signal.  One that comes in the instant before the wait begins wakes nobody: look up now and then."""
    while True:
        try:
            ended.get(timeout=LOOK_UP)
        except Empty:
            continue
        return


def _require_ready(deployment: Deployment) -> None:
    """Complain now rather than in the first job."""
    faults = trigger_faults(deployment.config)
    if faults:
        raise ConfigError(str(deployment.config.file), faults)
    wrong = feed_faults(deployment)
    if wrong:
        raise together(wrong)
    channel_of(deployment.config)
    deployment.clock()
    opened(deployment).store.close()


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr, force=True
    )
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # a wake-up left out is no news: the running one looks again
    for talkative in ("fontTools", "uvicorn", "httpx", "httpcore"):  # these tell whole addresses, queries included
        logging.getLogger(talkative).setLevel(logging.WARNING)
