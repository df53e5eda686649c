"""What a person typed at the command line, understood: a file, a date, a place, an alert; or what is near to it."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime, timedelta
from pathlib import Path

from warning.checked import suggestion
from warning.city import City
from warning.errors import ConfigError
from warning.model import Alert
from warning.paths import shipped
from warning.service import Deployment, Service, load_deployment, opened
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of

NEAR = 5  # alerts named where nothing is near


def own_or_shipped(config: Path | None) -> Path:
    """Return the configuration named, else the one of this folder, else the shipped one."""
    here = Path("config.toml")
    return config or (here if here.exists() else shipped("config.toml"))


def deployment_of(config: Path | None) -> Deployment:
    """Return the deployment named, else the one of this folder.

    Raises:
        ConfigError: if there is none, or with the faults of all its files.
    """
    path = config or Path("config.toml")
    if not path.exists():
        raise ConfigError(
            str(path), ["the file is missing; name one with --config, or lay a deployment: kapok init DIR"]
        )
    return load_deployment(path)


def service_of(config: Path | None) -> Service:
    """Return the deployment with its database opened.

    Raises:
        ConfigError: as ``deployment_of``.
        StoreError: if the database cannot be used.
    """
    return opened(deployment_of(config))


def day_of(text: str, *, option: str = "--date") -> date:
    """Return a date written as YYYY-MM-DD.

    Raises:
        ConfigError: naming what was probably meant.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(option, [f"{text!r} is not a date{_meant(text)}"]) from error


def day_to_sweep(service: Service, text: str | None, now: datetime) -> date:
    """Return a date that is over and not before the last swept one; yesterday if none is named.

    Raises:
        ConfigError: if the date is not over yet, or a later one was swept.
    """
    yesterday = service.config.yesterday(now)
    day = yesterday if text is None else day_of(text)
    if day > yesterday:
        raise ConfigError("--date", [f"{day} is not over yet; the last complete day is {yesterday}"])
    last = coverages_of.last_date(service.store)
    if last is not None and day < last:
        late = "what came late is taken up by the next sweep"
        raise ConfigError("--date", [f"{day} lies before {last}, which was swept: later days were judged; {late}"])
    return day


def full_week(service: Service, text: str | None, now: datetime) -> date:
    """Return the Monday of a week that is over, the last one if none is named.

    Raises:
        ConfigError: if the date is no Monday, or its week is not over yet.
    """
    from warning.weekly import last_week

    last = last_week(service.config.yesterday(now))
    monday = last if text is None else day_of(text)
    if monday.weekday() != 0:
        raise ConfigError("--date", [f"{monday} is not a Monday; that week's is {monday - _since_monday(monday)}"])
    if monday > last:
        raise ConfigError("--date", [f"the week of {monday} is not over yet; the last full week began on {last}"])
    return monday


def place_of(city: City, text: str) -> str:
    """Return the code of a place given by code or name; the whole city for "".

    Raises:
        ConfigError: naming the nearest place.
    """
    if not text:
        return city.root
    by_name = {name: p.code for p in city.places.values() for name in (p.name_zh, p.name_en) if name}
    code = by_name.get(text, text)
    if code in city.places:
        return code
    near = difflib.get_close_matches(text, list(city.places) if text.isdigit() else list(by_name), n=3, cutoff=0.5)
    top = [city.places[code].name_zh for code in (city.root, *city.children[city.root])]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {'、'.join(top)}, and those below"
    raise ConfigError(text, [f"there is no such place; {hint}"])


def alert_of(service: Service, number: str) -> Alert:
    """Return the alert of a number.

    Raises:
        ConfigError: naming the nearest alert.
    """
    found = alerts_of.alert(service.store, number)
    if found is not None:
        return found
    known = [alert.number for alert in alerts_of.alerts(service.store)]
    if not known:
        raise ConfigError(number, ["there is no such alert, and none at all yet; `kapok sweep` judges a day"])
    hint = suggestion(number, known)
    if not hint.startswith("; did"):
        hint = f"; the last ones: {', '.join(known[-NEAR:])}"
    raise ConfigError(number, [f"there is no such alert{hint}"])


def _meant(text: str) -> str:
    numbers = [int(digits) for digits in re.findall(r"\d+", text)]
    try:
        return f"; did you mean {date(*numbers)}?"
    except (TypeError, ValueError, OverflowError):
        return "; write e.g. 2026-11-22"


def _since_monday(day: date) -> timedelta:
    return timedelta(days=day.weekday())
