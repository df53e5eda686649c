"""One deployment, opened: configuration, city, rules, calendar and store together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from warning.calendar import Calendar, load_calendar
from warning.city import City, load_city
from warning.clock import Clock, file_clock, system_clock
from warning.config import Config, load_config
from warning.errors import ConfigError
from warning.paths import shipped
from warning.ruleset import Ruleset, load_rules
from warning.store import Store, open_store

Found = TypeVar("Found")


@dataclass(frozen=True)
class Deployment:
    """What the files of a deployment say, all checked."""

    config: Config
    city: City
    rules: Ruleset
    calendar: Calendar

    @property
    def clock(self) -> Clock:
        file = self.config.clock.file
        return system_clock if file is None else file_clock(self.config.base / file)

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """The deployment's own templates first, then the shipped ones."""
        own = self.config.path("templates")
        return (own, shipped("templates")) if own.is_dir() else (shipped("templates"),)


@dataclass(frozen=True)
class Service(Deployment):
    """A deployment with its store; one for each thread."""

    store: Store

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()


def load_deployment(path: Path) -> Deployment:
    """Read and check every file of a deployment.

    Raises:
        ConfigError: with the faults of every file at once.
    """
    config = load_config(path)
    faults: list[str] = []
    city = _tried(lambda: load_city(config.path("city")), faults)
    calendar = _tried(lambda: load_calendar(config.path("city")), faults)
    rules = None if city is None else _tried(lambda: load_rules(config.path("rules"), city), faults)
    if city is None or calendar is None or rules is None:
        raise ConfigError(str(path), faults)
    return Deployment(config, city, rules, calendar)


def open_service(path: Path) -> Service:
    """Load a deployment and open its store, making the database if there is none.

    Raises:
        ConfigError: with the faults of every file at once.
        StoreError: if the database cannot be used.
    """
    deployment = load_deployment(path)
    return opened(deployment)


def opened(deployment: Deployment) -> Service:
    """Open a store for a deployment that is loaded already."""
    database = deployment.config.path("database")
    return Service(deployment.config, deployment.city, deployment.rules, deployment.calendar, open_store(database))


def _tried(read: Callable[[], Found], faults: list[str]) -> Found | None:
    """What was read, or None with its faults added to the list."""
    try:
        return read()
    except ConfigError as error:
        faults += [f"{error.where}: {fault}" for fault in error.faults]
        return None
