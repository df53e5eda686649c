"""``kapok serve``: the jobs and the page, until a signal asks to end."""

from __future__ import annotations

import logging
import signal
import threading

from warning.errors import ConfigError
from warning.schedule import Daemon, trigger_faults
from warning.service import Deployment, opened
from warning.web.server import Server


def run_daemon(deployment: Deployment) -> None:
    """Run until SIGTERM or SIGINT; the running job reaches its next safe point first.

    Raises:
        ConfigError: if a schedule means nothing, or the page's port is taken.
        StoreError: if the database cannot be used.
    """
    faults = trigger_faults(deployment)
    if faults:
        raise ConfigError("config.toml", faults)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    opened(deployment).store.close()  # complains now rather than in the first job
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    page = Server(deployment)
    page.start()
    log = logging.getLogger(__name__)
    log.info("page at %s", page.address)
    daemon = Daemon(deployment)
    try:
        daemon.start()
        log.info("started")
        ended.wait()
        log.info("stopping")
    finally:
        daemon.stop()
        page.stop()
    log.info("stopped")
