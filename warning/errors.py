"""Errors an operator can act on: who, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Sequence


class KapokError(Exception):
    """Base of everything the command line prints without a traceback; exit code 2."""

    heading = ""  # Chinese beside English, above what is said for analysts

    def framed(self) -> str:
        """Return the error as the command line prints it."""
        said = str(self)
        return f"{self.heading}\n" + "\n".join(f"  {line}" for line in said.splitlines()) if self.heading else said


class Fault(str):
    """What is wrong, and where it stands, as far as that is known."""

    __slots__ = ("line", "rule")

    line: int | None  # from 1
    rule: str  # id of the rule it is of, "" where of none

    def __new__(cls, text: str, *, line: int | None = None, rule: str = "") -> Fault:
        """Return the text, with its place beside it."""
        found = super().__new__(cls, text)
        found.line, found.rule = line, rule
        return found

    @property
    def placed(self) -> str:
        """The text after the line it is about."""
        return self if self.line is None else f"第 {self.line} 行 line {self.line}: {self}"


class ConfigError(KapokError):
    """A configuration, city, rule or calendar file is missing or wrong.

    Every fault of a file is in ``faults``; the text names the file first.
    """

    def __init__(self, where: str, faults: Sequence[str]) -> None:
        self.where = where
        self.faults = tuple(faults)
        self.heading = f"{where}：有 {len(faults)} 处错误 / {len(faults)} problem(s)"
        super().__init__(f"{where}: {len(self.faults)} problem(s)\n" + "\n".join(f"  {fault}" for fault in self.faults))

    def framed(self) -> str:
        """Return the heading above the faults."""
        placed = (fault.placed if isinstance(fault, Fault) else fault for fault in self.faults)
        return self.heading + "".join(f"\n  {fault}" for fault in placed)


class ConfigErrors(ConfigError):
    """Several files are wrong: ``errors`` has one for each, the text lists all of them."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__(errors[0].where, [f"{error.where}: {fault}" for error in errors for fault in error.faults])

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))

    def framed(self) -> str:
        """Return the files one after another, each with its heading."""
        return "\n".join(error.framed() for error in self.errors)


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """Return one error that lists the faults of all, file by file; at least one is needed."""
    return errors[0] if len(errors) == 1 else ConfigErrors(errors)


class SourceError(KapokError):
    """A feed could not be read at all; the file stays where it is."""

    heading = "数据无法读入 / the data cannot be read"


class StoreError(KapokError):
    """The database cannot be used: newer version, unwritable folder, full disk, not a database."""

    heading = "数据库无法使用 / the database cannot be used"


class NoDatabase(StoreError):
    """There is nothing to read yet: no file was imported and no day swept."""

    heading = ""


class JobTimeout(KapokError):
    """A job reached its wall-clock limit and was stopped at the next safe point."""


class DeliveryError(KapokError):
    """A message was not accepted.  ``permanent``: trying again is pointless."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        self.permanent = permanent
        super().__init__(reason)
