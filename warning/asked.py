"""What a person typed at the command line, understood: a file, a date, a place, an alert; or what is near to it."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime, timedelta
from pathlib import Path

from warning import periods
from warning.checked import suggestion
from warning.city import City
from warning.errors import ConfigError
from warning.model import Alert, Document
from warning.past import overdue_in
from warning.paths import shipped
from warning.rule import Rule, series_of
from warning.service import Deployment, Service, load_deployment, opened, with_store
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document, open_to_read, quarantine
from warning.tuning.explaining import Explained, explained

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
            str(path),
            ["the file is missing; name one with --config, or lay a deployment: kapok init DIR"],
        )
    return load_deployment(path)


def service_of(config: Path | None) -> Service:
    """Return the deployment with its database opened.

    Raises:
        ConfigError: as ``deployment_of``.
        StoreError: if the database cannot be used.
    """
    return opened(deployment_of(config))


def records_of(config: Path | None) -> Service:
    """Return the deployment with its database opened to read: none is made.

    Raises:
        ConfigError: as ``deployment_of``.
        NoDatabase: if nothing was imported or swept yet.
        StoreError: if the database cannot be used.
    """
    found = deployment_of(config)
    store = open_to_read(found.config.path("database"))
    return with_store(found, store)


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
    raise ConfigError(text, [f"没有这个地区 / there is no such place; {hint}"])


def narrative_of(service: Service, code: str, text: str | None, *, english: bool, typed: str) -> Document:
    """Return the narrative of a place on a date, the last judged one if none is named.

    Raises:
        ConfigError: naming the date or the places there are narratives of.
    """
    last = coverages_of.last_date(service.store)
    if last is None:
        raise ConfigError("narrative", ["还没有研判过 / no day was judged yet; `kapok import` and `kapok sweep` do"])
    chosen = last if text is None else day_of(text)
    found = document.document(service.store, "narrative-en" if english else "narrative", code, chosen)
    if found is not None:
        return found
    told = [d.place for d in document.documents(service.store, "narrative", chosen)]
    raise ConfigError(typed or code, [_untold(service, chosen, last, told)])


def late_in(service: Service, code: str, text: str | None) -> list[str]:
    """Return a line for each alert of a place, or of the whole city, with something overdue now.

    Only below the last judged date: a narrative of the past is read as it was.
    """
    if text is not None and day_of(text) != coverages_of.last_date(service.store):
        return []
    live = [a for a in alerts_of.live(service.store) if code in (a.place, service.city.root)]
    late = overdue_in(service, live)
    now = f"{service.clock().astimezone(service.config.zone):%Y-%m-%d %H:%M}"
    return [f"截至{now}，{number}时限已过：{'、'.join(what)}。" for number, what in late.items()]


def rule_files(service: Service) -> dict[str, str]:
    """Return the file of each rule, as seen from the configuration."""
    return {rule: str(Path(service.config.paths.rules) / name) for rule, name in service.rules.files.items()}


def service_to_mend(config: Path | None) -> Service:
    """Return the deployment with its database opened to write: none is made.

    Raises:
        ConfigError: as ``deployment_of``.
        NoDatabase: if nothing was imported or swept yet.
        StoreError: if the database cannot be used.
    """
    records_of(config).store.close()
    return service_of(config)


def quarantine_of(service: Service, file: str | None, *, settled: bool = False) -> int:
    """Return how many open rows of a file, or of all, are quarantined; those that are settled, too, where asked for.

    Raises:
        ConfigError: naming the nearest file that has any.
    """
    known = quarantine.quarantines(service.store, settled=settled)
    if file is None:
        return sum(known.values())
    if file in known:
        return known[file]
    if not known:
        raise ConfigError(file, ["没有隔离的行 / no row of any file is quarantined"])
    hint = suggestion(file, known)
    if not hint.startswith("; did"):
        hint = f"; the last ones that have: {', '.join(list(known)[-NEAR:])}"
    raise ConfigError(file, [f"此文件没有隔离的行 / no row of this file is quarantined{hint}"])


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
        raise ConfigError(
            number, ["没有这条风险提示 / there is no such alert, and none at all yet; `kapok sweep` judges a day"]
        )
    hint = suggestion(number, known)
    if not hint.startswith("; did"):
        hint = f"; the last ones: {', '.join(known[-NEAR:])}"
    raise ConfigError(number, [f"没有这条风险提示 / there is no such alert{hint}"])


def _untold(service: Service, day: date, last: date, told: list[str]) -> str:
    """Why there is no narrative of a day."""
    if not told:
        hint = f"; `kapok sweep --date {day}` writes it" if day > last else ""
        return f"这一天没有研判 / there is no narrative of {day}, the last is of {last}{hint}"
    names = "、".join(service.city.places[code].name_zh for code in told)
    return f"这个地区没有研判 / there is no narrative of this place; of {day} there are: {names}"


def _meant(text: str) -> str:
    numbers = [int(digits) for digits in re.findall(r"\d+", text)]
    try:
        return f"; did you mean {date(*numbers)}?"
    except (TypeError, ValueError, OverflowError):
        return "; write e.g. 2026-11-22"


def _since_monday(day: date) -> timedelta:
    return timedelta(days=day.weekday())


def rule_of(service: Service, text: str) -> Rule:
    """Return the rule of an id.

    Raises:
        ConfigError: naming the nearest rule.
    """
    known = {rule.id: rule for rule in service.rules.rules}
    if text in known:
        return known[text]
    hint = suggestion(text, known)
    more = hint if hint.startswith("; did") else f"; there are {len(known)}, e.g. {next(iter(known))}"
    raise ConfigError(text, [f"没有这条规则 / there is no such rule{more}"])


def explained_of(service: Service, rule: str, place: str, day: str) -> list[Explained]:
    """Return why a rule gave a place its level, for each indicator it judges.

    Raises:
        ConfigError: if there is no such rule, place or date, or nothing to judge.
    """
    asked, code, chosen = rule_of(service, rule), place_of(service.city, place), day_of(day, option="DATE")
    if not any(key.place == code for key in series_of(asked, service.city)):
        name = service.city.places[code].name_zh
        raise ConfigError(asked.id, [f"这条规则不研判{name} / the rule does not judge {code}"])
    frequency = service.city.indicators[asked.indicators[0]].frequency
    first = periods.first_day(chosen, frequency)
    found = explained(service, asked, code, first, now=service.clock())
    if not found:
        raise ConfigError(asked.id, [f"{first} 还没有可研判的数据 / there is nothing to judge of {first} yet"])
    return found
