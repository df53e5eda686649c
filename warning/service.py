"""One deployment, opened: configuration, city, rules, calendar and store together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from warning.calendar import Calendar, load_calendar
from warning.city import City, read_city
from warning.clock import Clock, file_clock, system_clock
from warning.config import Config, read_config
from warning.errors import ConfigError, together
from warning.feedset import read_feeds
from warning.mapping import FOLDER, Feed
from warning.rule import Ruleset
from warning.ruleset import read_rules
from warning.store import Store, open_store


@dataclass(frozen=True)
class Deployment:
    """What the files of a deployment say, all checked."""

    config: Config
    city: City
    rules: Ruleset
    calendar: Calendar
    feeds: Mapping[str, Feed]

    @property
    def clock(self) -> Clock:
        return clock_of(self.config)


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
    config, errors = read_config(path)
    deployment = None
    if config is not None:
        deployment, wrong = read_deployment(config)
        errors += wrong
    if deployment is None or errors:
        raise together(errors)
    return deployment


def read_deployment(config: Config) -> tuple[Deployment | None, list[ConfigError]]:
    """Return city, calendar, rules and feeds together with the configuration that names them.

    Or None, and an error for each faulty file; a fault in one hides none in another.
    """
    folder = config.path("city")
    city, errors = read_city(folder)
    calendar = None
    if folder.is_dir():
        try:
            calendar = load_calendar(folder)
        except ConfigError as error:
            errors.append(error)
    rules, wrong = read_rules(config.path("rules"), city)
    feeds, misread = read_feeds(folder / FOLDER, city)
    errors += [*wrong, *misread]
    if errors or city is None or calendar is None:
        return None, errors
    return Deployment(config, city, rules, calendar, feeds), []


def writing_to(found: Deployment, folder: Path) -> Deployment:
    """Return a deployment whose feeds, database, mails and documents lie in a folder, apart from its own."""
    places = {
        "feeds": folder / "feeds",
        "database": folder / "kapok.db",
        "maildir": folder / "mail",
        "documents": folder / "documents",
    }
    paths = found.config.paths.model_copy(update=places)
    return replace(found, config=found.config.model_copy(update={"paths": paths}))


def clock_of(config: Config) -> Clock:
    """Return the clock ``[clock]`` names."""
    file = config.clock.file
    return system_clock if file is None else file_clock(config.base / file)


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
    return with_store(deployment, open_store(deployment.config.path("database")))


def with_store(found: Deployment, store: Store) -> Service:
    """Return a deployment together with its store."""
    return Service(found.config, found.city, found.rules, found.calendar, found.feeds, store)
