"""A department's file, tried: what would be read of it, by its mapping or by one that is guessed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from warning import counting
from warning.counting import Counted
from warning.errors import ConfigError, SourceError
from warning.feedset import feed_of, read_feeds
from warning.guessing import Guess, guess
from warning.intake import mapped
from warning.mapping import FOLDER, GUESSED, NAME, NATIVE, Feed
from warning.model import Rows
from warning.service import Deployment
from warning.sources import csv_files, files
from warning.sources.columns import Body
from warning.sources.delivery import Receipt
from warning.sources.events import events_of
from warning.sources.shaping import shaped
from warning.sources.table import Table


@dataclass(frozen=True)
class Tried:
    """What would become of a file."""

    feed: str | None  # whose mapping read it; None: it is read as it is, or by a guess
    guess: Guess | None
    faults: tuple[str, ...]  # of the guess
    rows: Rows | None  # None where the guess lacks something, and of events
    missing: int
    zeros: int
    counted: Counted | None = None  # of events


def try_file(deployment: Deployment, path: Path, name: str | None) -> Tried:
    """Read a file as if it lay in the watched folder, and keep nothing.

    Args:
        deployment: Whose city and mappings.
        path: The file.
        name: Of the mapping; None: that which claims the file, or one that is guessed.

    Raises:
        ConfigError: if there is no such mapping.
        SourceError: if the file cannot be read.
    """
    now = deployment.clock()
    feeds = deployment.feeds
    if name is not None and name not in feeds:
        known = "、".join(feeds) or "无 none"
        raise ConfigError("--feed", [f"{name!r} is not a mapping of city/feeds/; known: {known}"])
    content = files.content_of(path)
    if name is not None:
        return _by(deployment, feeds[name], path.name, content, now)
    try:
        feed = files.feed_for(path.name, feeds)
    except SourceError:
        if any(files.claims(one, path.name) for one in feeds.values()):
            raise
        feed = None
    if feed is not None:
        return _by(deployment, feed, path.name, content, now)
    native = _native(deployment, path, now)
    if native is not None:
        return Tried(None, None, (), native, 0, 0)
    guessed = _guess(deployment, path.name, files.tables_of(path.name, content), now)
    try:
        feed = _checked(guessed, GUESSED, deployment)
    except ConfigError as error:
        return Tried(None, guessed, error.faults, None, 0, 0)
    tried = _by(deployment, feed, path.name, content, now)
    return replace(tried, feed=None, guess=guessed)


def try_tables(
    deployment: Deployment,
    feed: Feed,
    name: str,
    bodies: Sequence[Body],
    now: datetime,
    asked: tuple[date, date] | None = None,
) -> Tried:
    """Read tables by a mapping as if they had come by its feed, and keep nothing.

    Args:
        deployment: Whose city.
        feed: The mapping.
        name: Of the file or the feed.
        bodies: The tables.
        now: When they are read.
        asked: The first and the last day that were asked for.

    Raises:
        SourceError: if a table is not what the mapping says.
    """
    zone, late_after = deployment.config.zone, deployment.config.feeds.late_after.model_dump()
    if feed.events is not None:
        receipt = Receipt(feed, feed.events, deployment.city, now, zone, late_after)
        delivery = events_of(bodies, receipt, name=name, sha256="", asked=asked)
        return Tried(feed.id, None, (), None, 0, 0, counting.tried(delivery, receipt))
    today = now.astimezone(zone).date()
    said = shaped(bodies, feed, deployment.city, sha256="", name=name, today=today, zone=zone)
    rows = mapped(bodies, feed, deployment.city, now, late_after, zone=zone, name=name, sha256="")
    return Tried(feed.id, None, (), rows, said.missing, said.zeros)


def add_feed(deployment: Deployment, path: Path, name: str) -> Path:
    """Write the mapping guessed from a file, and return where it is.

    Raises:
        ConfigError: if there is one of that name, or the guess lacks something.
        SourceError: if the file cannot be read.
    """
    if not re.fullmatch(NAME, name) or name == NATIVE:
        raise ConfigError("--name", [f"{name!r} is no name of a mapping; write small letters, digits, - and _"])
    target = deployment.config.path("city") / FOLDER / f"{name}.toml"
    if target.exists():
        raise ConfigError(str(target), ["it is there already; choose another name, or change it by hand"])
    guessed = _guess(deployment, path.name, files.tables_of(path.name, files.content_of(path)), deployment.clock())
    _checked(guessed, name, deployment)
    try:
        target.parent.mkdir(exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(guessed.toml())
    except OSError as error:
        raise ConfigError(str(target), [f"cannot be written: {error.strerror}"]) from error
    return target


def _by(deployment: Deployment, feed: Feed, name: str, content: bytes, now: datetime) -> Tried:
    return try_tables(deployment, feed, name, files.read_by(feed, name, content), now)


def _native(deployment: Deployment, path: Path, now: datetime) -> Rows | None:
    """Return the rows of a file that needs no mapping, None for any other."""
    late_after = deployment.config.feeds.late_after.model_dump()
    try:
        return csv_files.read(path, deployment.city, now, late_after, zone=deployment.config.zone)
    except SourceError:
        return None


def _guess(deployment: Deployment, name: str, tables: list[Table], now: datetime) -> Guess:
    return guess(tables, name, deployment.city, now.astimezone(deployment.config.zone).date())


def _checked(guessed: Guess, name: str, deployment: Deployment) -> Feed:
    """Return a guess as the mapping it would be.

    Raises:
        ConfigError: with what it lacks.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(guessed.toml(), encoding="utf-8")
        try:
            feed_of(path)
        except ConfigError as error:
            raise ConfigError(f"city/{FOLDER}/{name}.toml", error.faults) from error
        feeds, errors = read_feeds(Path(folder), deployment.city)
    if errors:
        raise ConfigError(f"city/{FOLDER}/{name}.toml", errors[0].faults)
    return feeds[name]
