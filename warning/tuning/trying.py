"""Rules tried over the past, as an analyst asks for it at the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from warning import screen
from warning.errors import ConfigError
from warning.finding import Found, last_of_each
from warning.model import Alert
from warning.ruleset import load_rules
from warning.scoring import Beat
from warning.service import Deployment, Service, load_deployment
from warning.store import alert as alerts_of
from warning.store import finding as findings_of
from warning.tuning import printed
from warning.tuning.labels import Label, read_labels
from warning.tuning.proving import TestRun, run_tests
from warning.tuning.rescoring import scores_for
from warning.tuning.retold import Retold, exactly, retell
from warning.tuning.rule_tests import FOLDER
from warning.tuning.summary import Right, by_labels, summary

LONGEST = 366 * 5  # days of one period

Period = tuple[date, date]  # first and last day


@dataclass(frozen=True)
class Tried:
    """What was asked, and what came of it."""

    service: Service  # with the rules that were tried
    told: Retold
    notes: tuple[str, ...]  # how it was found, in sentences


def with_rules(service: Service, folder: Path | None) -> Service:
    """Return the service with the rules of another folder, its own where none is named.

    Raises:
        ConfigError: with the faults of the rules.
    """
    return service if folder is None else replace(service, rules=load_rules(folder, service.city))


def deployment_with(config: Path, folder: Path | None) -> Deployment:
    """Return a deployment with the rules of a folder, its own where none is named.

    Raises:
        ConfigError: with the faults of its files and of the rules.
    """
    deployment = load_deployment(config)
    if folder is None:
        return deployment
    paths = deployment.config.paths.model_copy(update={"rules": folder.resolve()})
    there = deployment.config.model_copy(update={"paths": paths})
    return replace(deployment, config=there, rules=load_rules(folder, deployment.city))


def tests_of(deployment: Deployment, *, beat: Beat) -> TestRun:
    """Return how the tests beside the rules of a deployment went."""
    return run_tests(deployment, deployment.config.path("rules") / FOLDER, beat=beat)


def period_of(first: date, last: date, service: Service) -> Period:
    """Return a period that can be looked at.

    Raises:
        ConfigError: if it is reversed, not over or too long.
    """
    yesterday = service.config.yesterday(service.clock())
    if first > last:
        raise ConfigError("--from", [f"{first} 在 --to {last} 之后 / lies after it"])
    if last > yesterday:
        raise ConfigError("--to", [f"{last} is not over yet; the last complete day is {yesterday}"])
    if (last - first).days >= LONGEST:
        raise ConfigError("--from", [f"{first} 至 {last} 超过五年 / is more than five years; name a later day"])
    return first, last


def tried(service: Service, first: date, last: date, *, exact: bool, keep: bool, beat: Beat) -> Tried:
    """Return what the rules of a service would have told of a period.

    Raises:
        ConfigError: if there was nothing to judge.
    """
    version = f"规则版本 {service.rules.version} / rules version {service.rules.version}"
    if exact:
        told = exactly(service, first, last, beat=beat)
        how = "逐日按当时所知重演，无人处置 / replayed day by day by what was known then; nobody closes anything"
        return Tried(service, told, (f"{printed.period(first, last)}；{version}", how))
    found = scores_for(service, first, last, now=service.clock(), keep=keep, beat=beat)
    told = retell(service, found.judged, first, last)
    if not any(told.judged.values()):
        raise ConfigError(f"{first} – {last}", ["没有可研判的数据 / there is nothing to judge; import their files"])
    how = "按现在所知研判；转为正常的橙红视为已处置 / judged by what is known now; what is calm again counts as handled"
    notes = [f"{printed.period(first, last)}；{version}", how]
    if found.anew:
        notes.append(f"{len(found.anew)} 条规则或方法的评分为重新计算 / scores of {len(found.anew)} made anew")
    notes += [f"{rule}：{reason}" for rule, reason in found.failures]
    return Tried(service, told, tuple(notes))


def show(one: Tried, *, labels: Path | None, form: str, html: Path | None) -> None:
    """Print what came of it, and write it as a page where asked for.

    Raises:
        ConfigError: with the faults of the labels' file, or if the page cannot be written.
    """
    service = one.service
    events: tuple[Label, ...] = () if labels is None else read_labels(labels, service.city)
    right = by_labels(events, service.city) if events else by_findings(service)
    rules = [rule.id for rule in service.rules.rules]
    found = summary(one.told, rules, right=right, labels=events, city=service.city)
    made = printed.tables(found, service)
    if html is not None:
        simulated = service.config.deployment.simulated
        picture = printed.calendar(found, simulated=simulated)
        title = f"{service.city.name_zh}：规则重演 {one.told.first} 至 {one.told.last}"
        write(html, printed.page(title, one.notes, made, service, picture))
    if form == "json":
        screen.write(json.dumps({"notes": one.notes, **printed.document(found)}, ensure_ascii=False, indent=2))
        return
    if service.config.deployment.simulated:
        screen.say("模拟数据 / simulated data")
    for note in one.notes:
        screen.say(note)
    for table in made:
        show_table(table)
    screen.say("日历 Calendar（. 无 none  y 黄  o 橙  R 红）")
    for line in printed.calendar_lines(found):
        screen.say(f"  {line}")
    if html is not None:
        screen.say(f"网页 page {html}")


def by_findings(service: Service) -> Right:
    """Return whether an alert was right by what officers found of the alerts that were really told.

    One of a past that is told again is the one of the same series that overlaps it in time; of several the last
    finding counts.
    """
    said = last_of_each(findings_of.findings(service.store))
    judged: dict[tuple[str, str], list[tuple[Alert, bool]]] = {}
    for alert in alerts_of.alerts(service.store):
        finding = said.get(alert.number)
        if finding is not None and finding.found is not Found.UNCLEAR:
            judged.setdefault(alert.key, []).append((alert, finding.found is Found.TRUE))

    def right(alert: Alert) -> bool | None:
        overlapping = [
            true
            for one, true in judged.get(alert.key, ())
            if alert.opened <= one.updated + timedelta(days=1) and one.opened <= alert.updated + timedelta(days=1)
        ]
        return overlapping[-1] if overlapping else None

    return right


def show_table(table: printed.Table) -> None:
    """Print a table as it is: brackets in names are no markup."""
    rows = [[screen.literal(str(cell)) for cell in row] for row in table.rows]
    screen.show_table(table.title, table.columns, rows)


def write(path: Path, text: str) -> None:
    """Write a page.

    Raises:
        ConfigError: if it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), [f"写不成 / cannot be written: {error.strerror}"]) from error
