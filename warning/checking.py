"""Is a deployment fit to be run?  All of it is looked at; a fault in one file hides none in another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np

from detectors import DETECTORS
from detectors.panel import Panel, Reason
from warning import reminding
from warning.checked import suggestion
from warning.config import Config, read_config
from warning.errors import ConfigError, together
from warning.jobs import channel_of
from warning.rule import Rule, series_of
from warning.schedule import feed_faults, trigger_faults
from warning.scoring import groups, window
from warning.service import Deployment, clock_of, read_deployment
from warning.templating import faults_of
from warning.trial import faults_of_texts, unknown_facts
from warning.web.pages import page_engine

NAMED = 3  # departments named in one line
DISTRIBUTION = "kapok-watch"


def check(path: Path) -> Deployment:
    """Return the deployment whose configuration is at ``path``.

    Raises:
        ConfigError: with the faults of configuration, city, calendar, rules, templates and installation at once.
    """
    config, errors = read_config(path)
    if config is None:
        raise together(errors)
    errors += _settings(config)
    deployment, wrong = read_deployment(config)
    wrong += [] if deployment is None else feed_faults(deployment)
    errors += [*wrong, *_templates(config), *_installation()]
    if deployment is None or errors:
        raise together(errors)
    return deployment


def amounts(deployment: Deployment) -> Iterator[str]:
    """Yield what a deployment holds, in lines."""
    city, rules = deployment.city, deployment.rules
    negative = sum(indicator.polarity == "negative" for indicator in city.indicators.values())
    yield f"{city.name_zh} {city.name_en}: {len(city.places)} places, {len(city.indicators)} indicators"
    yield (
        f"{len(city.dimensions)} / {len(city.level2)} / {len(city.indicators)}, {negative} negative,"
        f" {len(city.indicators) - negative} positive"
    )
    series = {key for rule in rules.rules for key in series_of(rule, city)}
    yield f"{len(rules.rules)} rules, version {rules.version}, judge {len(series)} series"
    yield from _before_going_live(deployment)
    yield from _never_judged(deployment)
    yield from _whom_to_remind(deployment)
    yield from unknown_facts(deployment.config.template_folders)
    year = deployment.clock().astimezone(deployment.config.zone).year
    yield from deployment.calendar.notices(date(year - 3, 1, 1), date(year, 12, 31))


def _before_going_live(deployment: Deployment) -> Iterator[str]:
    """What is well formed and yet not meant for real work."""
    mail, duty = deployment.config.mail, deployment.city.duty
    if deployment.config.deployment.simulated:
        return
    if mail.channel == "file":
        yield 'mail.channel = "file"：邮件写进 Maildir，不发出 / mails are written to a Maildir and sent to nobody'
    if any(person.email.endswith(".invalid") for person in (*duty.officers, *duty.leaders)):
        yield "duty.toml：收件地址以 .invalid 结尾，是样例 / the addresses end in .invalid: they are samples"
    if not mail.page:
        yield "mail.page 为空：邮件中没有网页链接 / mails will hold no link to the page"


def _never_judged(deployment: Deployment) -> Iterator[str]:
    """Rules that say nothing however long they run: frequencies nobody watches, methods that need a longer window."""
    sweep = deployment.config.sweep
    for (frequency, detector, _), rules in groups(deployment).items():
        named = "、".join(rule.id for rule in rules)
        if frequency not in sweep.watch:
            yield f"{named}：sweep.watch 没有 {frequency}，不研判 / sweep.watch lacks {frequency}: never judged"
            continue
        if (detector, frequency) == ("forecast", "daily"):  # which would fit
            continue
        why = _why_not(deployment, rules[0], frequency)
        if why is not None:
            yield (
                f"{named}：{frequency} 指标在 window_years = {sweep.window_years} 的时段内永远不能研判 /"
                f" can never judge {frequency} indicators in so many years: {why.name.lower().replace('_', ' ')}"
            )


def _why_not(deployment: Deployment, rule: Rule, frequency: str) -> Reason | None:
    """Return why a rule abstains at the end of a window full of ordinary values, None where it judges."""
    dates = window(date(2026, 6, 30), frequency, deployment.config.sweep.window_years)
    kinds = [deployment.city.indicators[name].kind for name in rule.indicators]
    usual = np.tile(10.0 + np.arange(len(dates)) % 3, (len(kinds), 1)).T
    panel = Panel(dates, list(rule.indicators), usual, frequency, kinds)
    scores = DETECTORS[rule.detector](panel, last=1, **rule.parameters)
    found = [Reason(int(reason)) for reason in scores.reason[-1]]
    return next((reason for reason in found if reason is not Reason.JUDGED), None)


def _whom_to_remind(deployment: Deployment) -> Iterator[str]:
    """Which departments are not reminded when their data are due and not there."""
    city, rules = deployment.city, deployment.rules
    asked = reminding.contacts(deployment)
    watched = {city.indicators[key.indicator].department for rule in rules.rules for key in series_of(rule, city)}
    silent = sorted(watched - set(asked))
    if silent:
        some = "、".join(silent[:NAMED]) + (f"等 {len(silent)} 个部门" if len(silent) > NAMED else "")
        yield (
            f"{some}没有联系邮箱，逾期不报不会催；写在映射的 contact 或 city/departments.csv 中"
            f" / {len(silent)} department(s) have no contact and get no reminder"
        )
    known = {one.department for one in city.indicators.values()}
    for feed in deployment.feeds.values():
        if feed.department and feed.department not in known:
            yield (
                f"city/feeds/{feed.id}.toml：指标目录中没有部门“{feed.department}”，其联系邮箱不起作用"
                f" / no indicator is of this department{suggestion(feed.department, known)}"
            )


def _settings(config: Config) -> list[ConfigError]:
    """What the sections say is well formed; is it possible, too?"""
    faults = trigger_faults(config)
    errors = [ConfigError(str(config.file), faults)] if faults else []
    for asked in (lambda: channel_of(config), clock_of(config)):
        try:
            asked()
        except ConfigError as error:
            errors.append(error)
    return errors


def _templates(config: Config) -> list[ConfigError]:
    broken = faults_of(page_engine(config))
    lines = {fault.split(": ")[0] for fault in broken}
    faults = broken + [one for one in faults_of_texts(config.template_folders) if one.split(": ")[0] not in lines]
    return [ConfigError("templates", faults)] if faults else []


def _installation() -> list[ConfigError]:
    owners = set(packages_distributions().get("detectors", [])) - {DISTRIBUTION}
    faults = [f"distribution {name!r} also installs 'detectors'; uninstall it" for name in sorted(owners)]
    return [ConfigError("python", faults)] if faults else []
