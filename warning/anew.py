"""The files of a running service, taken up: read and tested aside, then put into force whole, with what that does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from warning.changeover import change_over
from warning.errors import ConfigError, together
from warning.reloading import Files, lasting
from warning.rule import Ruleset
from warning.service import Deployment, Service, load_deployment, opened
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import inforce, run
from warning.trial import faults_of_texts
from warning.tuning.proving import run_tests
from warning.tuning.rule_tests import FOLDER

log = logging.getLogger(__name__)

ABOUT = "files"  # of the notices
REFUSED = "改过的文件有错，仍按原来的运行 / changed files have faults, the old ones go on"


class Anew:
    """Looks for changed files between jobs."""

    def __init__(self, deployment: Deployment) -> None:
        self._files = Files(deployment)

    def look(
        self, deployment: Deployment, now: datetime, *, also: Callable[[Deployment], None] = lambda _: None
    ) -> Deployment | None:
        """Return the deployment to go on with, None for the one there is; why not is noted for the operator.

        Args:
            deployment: That is in force; the rules a test failed with, or files with faults, never are.
            now: The instant of the look.
            also: Raises a ConfigError for what else is wrong with files that were read.
        """

        def load(path: Path) -> Deployment:
            found = _loaded(path, deployment)
            also(found)
            return found

        try:
            found = self._files.changed(deployment, load)
        except ConfigError as error:
            log.warning("files not taken up, the old ones go on: %s", error)
            _refuse(deployment, now, str(error))
            return None
        if found is None:
            return None
        kept, waiting = lasting(deployment, found)
        _take_up(deployment, kept, now, waiting)
        log.info("files read anew rules=%s waiting=%s", kept.rules.version, ",".join(waiting))
        return kept


def begin(deployment: Deployment, now: datetime) -> None:
    """Note which rules a service starts with, and let go what none of them judges any more."""
    with opened(deployment) as service, service.store.write():
        before = inforce.in_force(service.store)
        if before is None or before.version != deployment.rules.version or before.refused or before.waiting:
            inforce.note(service.store, now, deployment.rules.version)
            _carry(service, deployment.rules, now)


def _loaded(path: Path, before: Deployment) -> Deployment:
    """Return a deployment whose files are without fault, and whose rules pass their tests if they are others.

    Raises:
        ConfigError: with all that is wrong.
    """
    found = load_deployment(path)
    faults = faults_of_texts(found.config.template_folders)
    if faults:
        raise ConfigError("templates", faults)
    if found.rules.version != before.rules.version:
        tested = run_tests(found, found.config.path("rules") / FOLDER)
        if tested.errors:
            raise together(tested.errors)
        if tested.failed:
            raise ConfigError(str(found.config.path("rules") / FOLDER), tested.faults)
    return found


def _refuse(deployment: Deployment, now: datetime, why: str) -> None:
    with opened(deployment) as service, service.store.write():
        inforce.note(service.store, now, deployment.rules.version, refused=why)
        run.notice(service.store, now, ABOUT, f"{REFUSED}: {why}", zone=deployment.config.zone)


def _take_up(old: Deployment, new: Deployment, now: datetime, waiting: list[str]) -> None:
    """Put the new files into force: in one transaction, with what becomes of open alerts."""
    named = ", ".join(waiting)
    with opened(new) as service, service.store.write():
        store = service.store
        inforce.note(store, now, new.rules.version, waiting=named)
        if waiting:
            text = f"{named}：下次启动时生效 / take effect at the next start"
            run.notice(store, now, ABOUT, text, zone=new.config.zone)
        if old.rules.version != new.rules.version:
            _carry(service, old.rules, now)


def _carry(service: Service, old: Ruleset, now: datetime) -> None:
    """Do with the open alerts what their rules being others does to them.  Writes."""
    store, day = service.store, coverages_of.last_date(service.store)
    if day is None:
        return
    found = change_over(
        alerts_of.live(store),
        old,
        service.rules,
        service.city,
        told=lambda number: alerts_of.last_sequence(store, number),
        day=day,
        at=now,
    )
    alerts_of.save(store, found.alerts)
    alerts_of.append_events(store, found.events)
