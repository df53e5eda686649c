"""``config.toml`` into a checked, frozen object.

Paths are relative to the file.  A secret is given by an environment variable or
by a file named in one (``KAPOK_SMTP_PASSWORD`` or ``KAPOK_SMTP_PASSWORD_FILE``),
never in the configuration itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from warning.checked import Checked, checked, read_toml
from warning.errors import ConfigError, together
from warning.paths import shipped

SMTP_PASSWORD = "KAPOK_SMTP_PASSWORD"  # noqa: S105 - the name of a variable


def _cron(text: str) -> str:
    if len(text.split()) != 5:
        raise ValueError(f"{text!r} has {len(text.split())} fields, expected 5: minute hour day month weekday")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", text):
        raise ValueError(f"{text!r} is not an address; write e.g. 'kapok@example.com', without a name")
    return text


def _domain(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", text):
        raise ValueError(f"{text!r} is not a domain; write e.g. 'kapok.example.com'")
    return text


Cron = Annotated[str, AfterValidator(_cron)]
Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]


class Deployment(Checked):
    simulated: bool = False
    timezone: str = "Asia/Shanghai"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is not a time zone; write e.g. 'Asia/Shanghai'") from error
        return name


class Paths(Checked):
    city: Path = Path("city")
    rules: Path = Path("rules")
    templates: Path = Path("templates")
    feeds: Path = Path("var/feeds")
    database: Path = Path("var/kapok.db")
    maildir: Path = Path("var/mail")
    documents: Path = Path("var/documents")


class LateAfter(Checked):
    """Days after a period's end from which a value counts as late."""

    daily: Annotated[int, Field(ge=1)] = 1
    weekly: Annotated[int, Field(ge=1)] = 3
    monthly: Annotated[int, Field(ge=1)] = 10


class Feeds(Checked):
    late_after: LateAfter = LateAfter()


class Sweep(Checked):
    watch: tuple[Literal["daily", "weekly", "monthly"], ...] = ("daily", "weekly", "monthly")
    window_years: Annotated[int, Field(ge=1, le=10)] = 3
    rejudge_days: Annotated[int, Field(ge=1, le=60)] = 14


class Job(Checked):
    at: Cron
    limit: Annotated[float, Field(gt=0)] = 600.0  # seconds of wall clock


class Schedule(Checked):
    feeds: Job = Job(at="*/5 * * * *")
    sweep: Job = Job(at="30 7 * * *", limit=900.0)
    outbox: Job = Job(at="* * * * *", limit=120.0)
    daily_mail: Job = Job(at="0 8 * * *", limit=120.0)
    briefing: Job = Job(at="30 8 * * mon")
    poll_seconds: Annotated[float, Field(gt=0)] = 1.0  # how often a clock file is looked at


class Smtp(Checked):
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    timeout: Annotated[float, Field(gt=0)] = 20.0  # seconds
    ca_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _holds_no_secret(cls, content: Any) -> Any:
        if isinstance(content, dict) and "password" in content:
            raise ValueError(f"password does not belong in a file; set {SMTP_PASSWORD} or {SMTP_PASSWORD}_FILE")
        return content


class Mail(Checked):
    channel: Literal["file", "smtp"] = "file"
    sender: Address = "kapok@example.invalid"
    domain: Domain = "kapok.invalid"  # of Message-IDs
    page: str = ""  # address of the page, as an officer's browser reaches it; printed in mails
    smtp: Smtp = Smtp()


class Web(Checked):
    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"  # no login yet, so no other interface
    port: Annotated[int, Field(ge=0, le=65535)] = 8765


class ClockSetting(Checked):
    file: Path | None = None  # drill, replay and tests: an instant with its offset, read at every look


class Settings(Checked):
    """The sections of a configuration file."""

    deployment: Deployment = Deployment()
    paths: Paths = Paths()
    feeds: Feeds = Feeds()
    sweep: Sweep = Sweep()
    schedule: Schedule = Schedule()
    mail: Mail = Mail()
    web: Web = Web()
    clock: ClockSetting = ClockSetting()


class Config(Settings):
    """Every setting of a deployment; ``file`` is where they were read, ``base`` its folder."""

    file: Path = Path("config.toml")
    base: Path = Path()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.deployment.timezone)

    def path(self, name: str) -> Path:
        """Return a path of ``[paths]``, absolute."""
        setting: Path = getattr(self.paths, name)
        return (self.base / setting).resolve()

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """The deployment's own templates first, then the shipped ones."""
        own = self.path("templates")
        return (own, shipped("templates")) if own.is_dir() else (shipped("templates"),)

    def local_date(self, instant: datetime) -> date:
        """Return the date on the centre's wall at an instant."""
        return instant.astimezone(self.zone).date()

    def yesterday(self, instant: datetime) -> date:
        """Return the last complete day at an instant: what a sweep judges."""
        return self.local_date(instant) - timedelta(days=1)


def load_config(path: Path) -> Config:
    """Read and check a configuration.

    Raises:
        ConfigError: with every fault of the file at once.
    """
    config, errors = read_config(path)
    if config is None or errors:
        raise together(errors)
    return config


def read_config(path: Path) -> tuple[Config | None, list[ConfigError]]:
    """Return the configuration, and the error that lists its faults if there are any.

    With faults it has the settings that are sound, so that these and the files they name can be checked all the
    same; None where ``[paths]`` cannot be read.
    """
    try:
        content = read_toml(path)
    except ConfigError as error:
        return None, [error]
    base = path.resolve().parent
    try:
        return Config(**dict(checked(str(path), content, Settings)), file=path, base=base), []
    except ConfigError as error:
        errors = [error]
    found = {name: _sound(path, name, content[name]) for name in Settings.model_fields if name in content}
    sound = {name: section for name, section in found.items() if section is not None}
    if "paths" in content and "paths" not in sound:
        return None, errors
    return Config(**sound, file=path, base=base), errors


def _sound(path: Path, name: str, section: Any) -> Checked | None:
    """Return a section without the settings that have faults; None where nothing of it can be used.

    ``[paths]`` is taken whole: beside a misspelt folder the default one would be checked.
    """

    def read(part: Any) -> Checked | None:
        with suppress(ConfigError):  # it is among the faults of the file
            return getattr(checked(str(path), {name: part}, Settings), name)  # type: ignore[no-any-return]
        return None

    whole = read(section)
    if whole is not None or name == "paths" or not isinstance(section, Mapping):
        return whole
    return read({key: value for key, value in section.items() if read({key: value}) is not None})


def secret(name: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a secret from ``name`` or from the file that ``name``_FILE names; "" when neither is set.

    Raises:
        ConfigError: if both are set, or the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    direct, file = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if direct and file:
        raise ConfigError("environment", [f"{name} and {name}_FILE are both set; keep one"])
    if not file:
        return direct
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("environment", [f"{name}_FILE names {file}, which cannot be read"]) from error
