"""``kapok rules check``: the faults of rule files, and what is hardly meant, each with file and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from warning import screen
from warning.calendar import load_calendar
from warning.city import load_city
from warning.config import load_config
from warning.errors import Fault, NoDatabase, StoreError
from warning.ruleset import read_rules
from warning.service import Deployment, with_store
from warning.store import coverage as coverages_of
from warning.store import open_to_read
from warning.tuning.lints import Lint, history_of, lints


@dataclass(frozen=True)
class Vetted:
    """What was found in a folder of rules."""

    folder: Path
    version: str
    rules: int
    faults: tuple[tuple[str, int | None, str, str], ...]  # file, line, rule, text
    lints: tuple[Lint, ...]
    without_history: str  # why what needs the past was not looked at, "" where it was

    @property
    def code(self) -> int:
        """The exit code: 2 with faults, 1 with lints alone, 0 with neither."""
        return 2 if self.faults else 1 if self.lints else 0


def vetted(config: Path, folder: Path | None) -> Vetted:
    """Return what is wrong with a folder of rules, by the city of a deployment and what its store knows.

    Args:
        config: Configuration of the deployment; its own rules may have faults.
        folder: Of the rules; None: the deployment's.

    Raises:
        ConfigError: with the faults of configuration, city or calendar.
    """
    settings = load_config(config)
    city = load_city(settings.path("city"))
    there = settings.path("rules") if folder is None else folder
    rules, errors = read_rules(there, city)
    placed = [(error.where, _fault(fault)) for error in errors for fault in error.faults]
    faults = [(where, fault.line, fault.rule, str(fault)) for where, fault in placed]
    if faults:
        return Vetted(there, rules.version, len(rules.rules), tuple(sorted(faults, key=_place)), (), "")
    deployment = Deployment(settings, city, rules, load_calendar(settings.path("city")), {})
    history, why = None, ""
    try:
        with with_store(deployment, open_to_read(settings.path("database"))) as service:
            last = coverages_of.last_date(service.store)
            if last is None:
                why = "还没有研判过 / no day was judged yet"
            else:
                history = history_of(service, last, service.clock())
    except NoDatabase:
        why = "还没有数据库 / there is no database yet"
    except StoreError as error:
        why = str(error)
    return Vetted(there, rules.version, len(rules.rules), (), tuple(lints(deployment, there, history)), why)


def show(found: Vetted, form: str) -> None:
    """Print faults and lints, one a line, as ``file:line: rule: text``."""
    if form == "json":
        screen.write(json.dumps(_document(found), ensure_ascii=False, indent=2))
        return
    for file, line, _, text in found.faults:
        screen.write(f"{_at(file, line)}: {text}")
    for one in found.lints:
        rule = f"{one.rule}: " if one.rule else ""
        screen.write(f"{_at(str(found.folder / one.file), one.line)}: {rule}[{one.code}] {one.zh} / {one.en}")
    if found.without_history:
        screen.say(f"没有看过去 / the past was not looked at：{found.without_history}")
    screen.say(
        f"{found.folder}：规则 {found.rules} 条，错误 {len(found.faults)} 处，提醒 {len(found.lints)} 处"
        f" / {found.rules} rules, {len(found.faults)} fault(s), {len(found.lints)} lint(s)"
    )


def _fault(text: str) -> Fault:
    return text if isinstance(text, Fault) else Fault(text)


def _at(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _place(fault: tuple[str, int | None, str, str]) -> tuple[str, int]:
    return fault[0], fault[1] or 0


def _document(found: Vetted) -> dict[str, Any]:
    plain: Sequence[dict[str, Any]] = [
        {"kind": "fault", "file": file, "line": line, "rule": rule, "code": "fault", "text": text}
        for file, line, rule, text in found.faults
    ]
    more = [{"kind": "lint", **asdict(replace(one, file=str(found.folder / one.file)))} for one in found.lints]
    return {
        "folder": str(found.folder),
        "version": found.version,
        "rules": found.rules,
        "found": [*plain, *more],
        "without_history": found.without_history,
    }
