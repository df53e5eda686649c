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
from warning.model import SeriesKey
from warning.rule import Rule, series_of
from warning.schedule import feed_faults, trigger_faults
from warning.scoring import groups, window
from warning.service import Deployment, clock_of, read_deployment
from warning.templating import faults_of
from warning.trial import faults_of_texts, unknown_facts
from warning.web.pages import page_engine

NAMED = 3  # departments named in one line
PLACES = 5  # under one, of a made-up panel
WHY = {  # and what to do
    Reason.NOT_REPORTED: ("没有数值", "not reported"),
    Reason.SHORT_HISTORY: (
        "所需的历史更长；请加大 sweep.window_years，或缩短基线",
        "short history; raise sweep.window_years or shorten the baseline",
    ),
    Reason.BASELINE_GAP: ("基线有缺；请改参数", "a gap in the baseline; change the parameters"),
    Reason.NOT_SUITED: ("方法不适用；请换一种方法或参数", "not suited; take another method or other parameters"),
    Reason.FAILED: ("方法算不出；请改参数", "the method fails; change the parameters"),
}
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
    places, dimensions, level2, all_three = map(len, (city.places, city.dimensions, city.level2, city.indicators))
    yield f"{city.name_zh} {city.name_en}：{places} 个地区 / {places} places"
    yield (
        f"指标：一级 {dimensions}、二级 {level2}、三级 {all_three}，逆向 {negative}、正向 {all_three - negative}"
        f" / indicators: {dimensions} dimensions, {level2} areas, {all_three} in all, of which {negative} negative"
    )
    series = {key for rule in rules.rules for key in series_of(rule, city)}
    yield (
        f"规则 {len(rules.rules)} 条（版本 {rules.version}），研判 {len(series)} 个序列"
        f" / {len(rules.rules)} rules, version {rules.version}, judge {len(series)} series"
    )
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
                f"{named}：{frequency} 指标在 window_years = {sweep.window_years} 的时段内永远不能研判，{WHY[why][0]} /"
                f" can never judge {frequency} indicators in so many years: {WHY[why][1]}"
            )


def _why_not(deployment: Deployment, rule: Rule, frequency: str) -> Reason | None:
    """Return why a rule abstains at the end of a window full of ordinary values, None where it judges.

    The values are those of several places under one, each part of a whole: what any method may ask for is there.
    """
    dates = window(date(2026, 6, 30), frequency, deployment.config.sweep.window_years)
    keys = [SeriesKey(name, str(place)) for name in rule.indicators for place in range(PLACES)]
    kinds = [deployment.city.indicators[key.indicator].kind for key in keys]
    usual = np.tile(10.0 + np.arange(len(dates)) % 3, (len(keys), 1)).T
    under_one = np.zeros(len(keys), dtype=np.int64)
    panel = Panel(dates, keys, usual, frequency, kinds, denominators=10 * usual, parents=under_one)
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
