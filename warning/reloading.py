"""The mappings of a running service, read anew when their files have changed.

They are read aside and checked; only all of them together, without a fault, take the place of those in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from warning.errors import together
from warning.feedset import read_feeds
from warning.mapping import FOLDER
from warning.service import Deployment

Stamp = tuple[str, int, int, int]  # of a file: name, inode, size, time of its last change


class Mappings:
    """Looks at the files of ``city/feeds/`` and remembers what they were like."""

    def __init__(self, deployment: Deployment) -> None:
        """Take them for what the deployment was loaded from."""
        self._folder = deployment.config.path("city") / FOLDER
        self._seen = sorted(_stamps(self._folder))

    def changed(self, deployment: Deployment) -> Deployment | None:
        """Return the deployment with its mappings as their files say now, None while these are as they were.

        Raises:
            ConfigError: if the files that changed have faults; told once, until they change again.
        """
        stamps = sorted(_stamps(self._folder))
        if stamps == self._seen:
            return None
        self._seen = stamps
        feeds, errors = read_feeds(self._folder, deployment.city)
        if errors:
            raise together(errors)
        return replace(deployment, feeds=feeds)


def _stamps(folder: Path) -> Iterator[Stamp]:
    for path in folder.glob("*.toml") if folder.is_dir() else ():
        try:
            found = path.stat()
        except OSError:  # gone in between, or a link that leads nowhere
            continue
        yield path.name, found.st_ino, found.st_size, found.st_mtime_ns
