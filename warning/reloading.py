"""The files of a running service, read anew when they have changed.

They are read aside; only all of them together, without a fault, take the place of those in force.  Files that change
while they are read are still being written, and are left for the next look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from warning.config import Config
from warning.errors import ConfigError
from warning.service import Deployment

Stamp = tuple[str, int, int, int]  # of a file: path, inode, size, time of its last change

FOLDERS = ("city", "rules", "templates")
LASTING = (  # settings that hold until the next start
    ("deployment", "timezone"),
    ("paths", "database"),
    ("web", "host"),
    ("web", "port"),
    ("clock", "file"),
)


class Files:
    """Looks at the files of a deployment and remembers what they were like."""

    def __init__(self, deployment: Deployment) -> None:
        """Take them for what the deployment was loaded from."""
        self._seen = _stamps(deployment.config)
        self._digest = _digest(self._seen)

    def changed(self, deployment: Deployment, load: Callable[[Path], Deployment]) -> Deployment | None:
        """Return the deployment as its files say now; None while these are as they were, or still being written.

        Args:
            deployment: That is in force.
            load: Reads and checks all of it aside.

        Raises:
            ConfigError: if the files that changed have faults; told once, until they change again.
        """
        stamps = _stamps(deployment.config)
        if stamps == self._seen:
            return None
        digest = _digest(stamps)
        if digest == self._digest:  # touched, or put back
            self._seen = stamps
            return None
        try:
            found = load(deployment.config.file)
        except ConfigError:
            if self._moved_on(deployment, stamps):
                return None
            raise
        return None if self._moved_on(deployment, stamps) else found

    def _moved_on(self, deployment: Deployment, stamps: list[Stamp]) -> bool:
        """Whether the files changed while they were read; if not, they are what was looked at last."""
        if _stamps(deployment.config) != stamps:
            return True
        self._seen, self._digest = stamps, _digest(stamps)
        return False


def lasting(old: Deployment, new: Deployment) -> tuple[Deployment, list[str]]:
    """Return the new deployment with what holds until the next start as it was, and which settings these are."""
    waiting = []
    config = new.config
    for section, name in LASTING:
        before, after = getattr(getattr(old.config, section), name), getattr(getattr(config, section), name)
        if before != after:
            waiting.append(f"{section}.{name}")
            kept = getattr(config, section).model_copy(update={name: before})
            config = config.model_copy(update={section: kept})
    return replace(new, config=config), waiting


def _stamps(config: Config) -> list[Stamp]:
    return sorted(_looked_at(config))


def _looked_at(config: Config) -> Iterator[Stamp]:
    folders = [config.path(name) for name in FOLDERS]
    for path in (config.file, *(path for folder in folders if folder.is_dir() for path in folder.rglob("*"))):
        try:
            found = path.stat()
        except OSError:  # gone in between, or a link that leads nowhere
            continue
        if path.is_file():
            yield str(path), found.st_ino, found.st_size, found.st_mtime_ns


def _digest(stamps: list[Stamp]) -> str:
    """Return what names and contents are, whenever they were written."""
    digest = hashlib.sha256()
    for name, *_ in stamps:
        try:
            content = Path(name).read_bytes()
        except OSError:
            content = b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
