"""What the commands of rule tuning print."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from detectors.panel import Reason
from warning import grounds, screen
from warning.facts import LEVEL_ZH
from warning.finding import FOUND, REASONS, Finding
from warning.model import Alert, Level
from warning.service import Service
from warning.store import Store, inforce
from warning.store import alert as alerts_of
from warning.store import load as loads_of
from warning.store.inforce import InForce
from warning.tuning import explaining
from warning.tuning.explaining import Asked, Explained, Measured, Table, Term

NAMES = {
    "surprise": "意外度 surprise",
    "ratio": "倍数 ratio",
    "extra": "增量 extra",
    "at_least": "至少 at_least",
    "bound": "界线倍数 bound",
    "line": "折算线 line",
    "per_10000": "每万人 per_10000",
}
SILENT = {
    Reason.NOT_REPORTED: "没有数值，或没有评分 / no value, or never scored",
    Reason.SHORT_HISTORY: "历史太短 / short history",
    Reason.BASELINE_GAP: "基线有缺 / a gap in the baseline",
    Reason.NOT_SUITED: "方法不适用 / the method does not judge it",
    Reason.FAILED: "方法算不出 / the method failed",
}
ASLEEP = {
    "season": "不在起止日期或季节内 / out of its dates or season",
    "day": "这种日子不问 / not asked on such days",
}


def explanation(service: Service, found: Sequence[Explained], form: str) -> None:
    """Print why series have their levels."""
    if form == "json":
        screen.write(json.dumps(explaining.document(found), ensure_ascii=False, indent=2))
        return
    rule = service.rules.rule(found[0].rule)
    file = Path(service.config.paths.rules) / service.rules.files.get(rule.id, "")
    screen.say(f"规则 rule {rule.id} {rule.name_zh}（{file}，版本 version {service.rules.version}）")
    for one in found:
        _explain(service, one)


def _explain(service: Service, one: Explained) -> None:
    indicator, place = service.city.indicators[one.indicator], service.city.places[one.place]
    screen.say("")
    screen.say(f"{place.name_zh} {indicator.name_zh}（{indicator.id}） {one.date}：{LEVEL_ZH[one.level]}")
    for alert in alerts_of.alerts(service.store, first=one.date, last=one.date, place=one.place):
        if alert.indicator == one.indicator:
            quiet = f"，已 {alert.quiet} 期低于此 / {alert.quiet} period(s) below it" if alert.quiet else ""
            screen.say(f"  提示 alert {alert.number} {LEVEL_ZH[alert.active]}（{alert.updated}）{quiet}")
    for measured in one.measured:
        screen.say(f"  {_measured(measured)}")
    if one.asleep:
        screen.say(f"  {ASLEEP[one.asleep]}")
    rows = [(screen.word(asked.level), *row) for asked in one.asked for row in _rows(asked)]
    screen.show_table(
        "证据 Evidence", ("等级 level", "条件 condition", "值 value", "阈值 asked", "余量 margin", "满足 holds"), rows
    )
    for line in _otherwise(one):
        screen.say(f"  {line}")


def _measured(one: Measured) -> str:
    name = f"方法 method {one.method or '（本身）own'} {one.detector}" + (f" {one.window} 期" if one.window > 1 else "")
    if one.reason is not Reason.JUDGED:
        return f"{name}：{SILENT[one.reason]}"
    numbers = f"实际 {one.observed:.1f}，预期 {one.expected:.1f}，范围 {one.lower:.1f}–{one.upper:.1f}"
    return f"{name}：{numbers}，意外度 {one.surprise:.2f}"


def _rows(asked: Asked) -> Iterator[tuple[str, ...]]:
    yield from _of_table(asked.raises, "")
    if asked.within > 1:
        enough = "✓" if asked.hits >= asked.raise_after else "✗"
        more = asked.hits - asked.raise_after
        yield f"{asked.within} 期中的期数 windows", str(asked.hits), str(asked.raise_after), f"{more:+d}", enough
    if asked.keeps is not None:
        yield "保持所需 lower:", "", "", "", _mark(asked.keeps.holds)
        yield from _of_table(asked.keeps, "  ")


def _of_table(table: Table, indent: str) -> Iterator[tuple[str, ...]]:
    for term in table.terms:
        method = f"{term.method}：" if term.method else ""
        name = f"{indent}{method}{NAMES[term.name]}"
        yield name, _number(term.value), f"{term.asked:g}", _signed(term.margin), _mark(term.holds)
    for word, tables in (("全部 all", table.all), ("任一 any", table.any)):
        for n, one in enumerate(tables, start=1):
            yield f"{indent}{word} {n}/{len(tables)}：", "", "", "", _mark(one.holds)
            yield from _of_table(one, indent + "  ")


def _otherwise(one: Explained) -> Iterator[str]:
    """Say what would have made it another level."""
    if one.level is Level.MISSING or one.asleep:
        return
    above = next((asked for asked in one.asked if asked.level > one.level), None)
    given = next((asked for asked in one.asked if asked.level is one.level), None)
    if above is not None:
        lacking = "，".join(_lacks(term) for term in above.raises.lacking())
        if not lacking and above.hits < above.raise_after:
            lacking = f"期数 windows {above.hits} < {above.raise_after}"
        yield f"升到{LEVEL_ZH[above.level]}还差 {lacking} / to reach {above.level.name.lower()}"
    weakest = None if given is None else given.raises.weakest()
    if weakest is not None:
        yield (
            f"{NAMES[weakest.name]} 的阈值高于 {_number(weakest.value)} 即不是{LEVEL_ZH[one.level]}"
            f" / above {_number(weakest.value)} its threshold would not have given {one.level.name.lower()}"
        )


def _lacks(term: Term) -> str:
    return f"{NAMES[term.name]} {_number(term.value)} < {term.asked:g}"


def _number(value: float) -> str:
    return "—" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.2f}"


def _signed(value: float) -> str:
    return "" if not math.isfinite(value) else f"{value:+.2f}"


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"


def in_force(found: InForce | None, version: str, zone: ZoneInfo) -> None:
    """Print which rules the service goes by, and whether the files are others: ``version`` is theirs."""
    if found is None:
        screen.say(f"规则 rules {version}（kapok serve 未曾运行 / the service never ran）")
        return
    screen.say(f"规则 rules {found.version}，自 since {screen.local(found.since, zone)}")
    if found.refused:
        screen.say(f"  改过的文件未采用 changed files refused：{found.refused}")
    elif found.version != version:
        screen.say(f"  现有文件为 {version}，下次任务前采用 / the files are {version}, taken up before the next job")
    if found.waiting:
        screen.say(f"  下次启动时生效 at the next start：{found.waiting}")


def findings(findings: Sequence[Finding], zone: ZoneInfo) -> None:
    """Print what officers found of an alert."""
    screen.show_table(
        "结论 Verdicts",
        ("时间 at", "结论 verdict", "原因 reason", "说明 note", "谁 by"),
        [
            (
                screen.local(one.at, zone),
                " ".join(FOUND[one.found]),
                REASONS[one.found][one.reason][0] if one.reason else "",
                screen.literal(one.note),
                screen.literal(one.by),
            )
            for one in findings
        ],
    )


def to_do(alert: Alert, service: Service) -> None:
    """Print what is to be looked at of an alert, and who is to be asked."""
    found = grounds.to_do(alert, service.rules)
    if found.checks:
        screen.say("核查要点 To look at")
        for n, text in enumerate(found.checks, start=1):
            screen.say(f"  {n}. {text}")
    if found.departments:
        screen.say(f"会商部门 to be asked, too：{'、'.join(found.departments)}")


def load(store: Store) -> None:
    """Print what the last sweep asked of those on duty, and how much of it is chance."""
    for one in loads_of.last(store, 1):
        over = "，超出 over" if one.over else ""
        screen.say(f"负荷 load {one.day}：新的橙红 {one.urgent} 项，一班可承受 {one.budget} 项{over}")
        if one.coloured:
            screen.say(
                f"  着色 {one.coloured} 个序列，其中约 {one.by_chance:.1f} 个为偶然"
                f" / {one.coloured} coloured series, about {one.by_chance:.1f} of them by chance"
            )


def rules(store: Store, version: str, zone: ZoneInfo) -> None:
    """Print which rules are in force, and what the last sweep asked of those on duty."""
    in_force(inforce.in_force(store), version, zone)
    load(store)
