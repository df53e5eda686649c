"""What two sets of rules would have told otherwise, printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from warning import screen
from warning.errors import ConfigError
from warning.facts import LEVEL_ZH, MARK
from warning.graded import graded
from warning.model import Alert, Level
from warning.scoring import Beat
from warning.service import Service
from warning.tuning import comparing, printed, trying
from warning.tuning.comparing import Changed, Difference, Side
from warning.tuning.printed import Cell, Table
from warning.tuning.rescoring import scores_for
from warning.tuning.retold import retell
from warning.tuning.showing import NAMES
from warning.tuning.summary import LEVELS
from warning.tuning.trying import Period, write

KINDS = {
    "new": "新增 new",
    "gone": "不再有 gone",
    "higher": "更高 higher",
    "lower": "更低 lower",
    "earlier": "更早 earlier",
    "later": "更晚 later",
    "ends earlier": "更早结束 ends earlier",
    "ends later": "更晚结束 ends later",
}
WHAT = {"added": "新增 added", "removed": "删去 removed", "changed": "改动 changed"}
WHY = {"gone": "没有这条规则 / no such rule", "after": "升降的期数、保持不同 / it holds otherwise over time"}


def side(service: Service, period: Period, *, beat: Beat) -> Side:
    """Return what the rules of a service would have told of a period.

    Raises:
        ConfigError: if a rule could not be judged by.
    """
    found = scores_for(service, *period, now=service.clock(), beat=beat)
    if found.failures:
        raise ConfigError("rules", [f"{rule}: {reason}" for rule, reason in found.failures])
    return Side(service.rules, graded(service, found.judged), retell(service, found.judged, *period))


def show(service: Service, old: Side, new: Side, *, form: str, html: Path | None) -> None:
    """Print what is told otherwise, and write it as a page where asked for.

    Raises:
        ConfigError: if the page cannot be written.
    """
    rules, found = comparing.changed(old.rules, new.rules), comparing.differences(old, new, service.calendar)
    notes = [
        f"{printed.period(new.told.first, new.told.last)}；"
        f"旧 old {old.rules.version}，新 new {new.rules.version}，按现在所知 / by what is known now"
    ]
    counts, others, alerts = _counts(old, new, found), _rules(rules), _alerts(found, service)
    if html is not None:
        title = f"{service.city.name_zh}：规则比较 {new.told.first} 至 {new.told.last}"
        write(html, printed.page(title, notes, (counts, others, alerts), service))
    if form == "json":
        screen.write(json.dumps({"notes": notes, **comparing.document(found, rules)}, ensure_ascii=False, indent=2))
        return
    if service.config.deployment.simulated:
        screen.say("模拟数据 / simulated data")
    for note in notes:
        screen.say(note)
    for table in (counts, others):
        trying.show_table(table)
    screen.say(f"{alerts.title}：{len(alerts.rows) or '没有不同 no difference'}")
    for day, kind, place, indicator, was, becomes, why in alerts.rows:
        screen.say(f"  {day} {kind}  {place} {indicator}：{was} → {becomes}")
        if why:
            screen.say(f"    {why}")
    if html is not None:
        screen.say(f"网页 page {html}")


def _counts(old: Side, new: Side, found: Sequence[Difference]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in (("旧 old", old), ("新 new", new)):
        counts = Counter(event.after for event in one.told.rises())
        rows.append((name, *(counts[level] for level in LEVELS), sum(counts.values())))
    kinds = Counter(one.kind for one in found)
    title = "，".join(f"{KINDS[kind]} {count}" for kind, count in kinds.items()) or "没有不同 no difference"
    columns = ("", *printed.HEADS, "合计 all")
    return Table(f"新出现和升级的提示 Alerts that opened or rose：{title}", columns, tuple(rows))


def _rules(rules: Sequence[Changed]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in rules:
        rows += [(one.rule, WHAT[one.what], name, _short(a), _short(b)) for name, a, b in one.keys]
        if not one.keys:
            rows.append((one.rule, WHAT[one.what], "", "", ""))
    return Table("规则 Rules", ("规则 rule", "变化 change", "键 key", "旧 old", "新 new"), tuple(rows))


def _alerts(found: Sequence[Difference], service: Service) -> Table:
    city = service.city
    rows: list[tuple[Cell, ...]] = [
        (
            one.day.isoformat(),
            KINDS[one.kind],
            city.places[one.alert.place].name_zh,
            city.indicators[one.alert.indicator].name_zh,
            _told(one.old),
            _told(one.new),
            _because(one),
        )
        for one in found
    ]
    columns = ("日期 day", "变化 change", "地区 place", "指标 indicator", "旧 old", "新 new", "原因 why")
    return Table("提示 Alerts", columns, tuple(rows))


def _told(alert: Alert | None) -> str:
    return "—" if alert is None else f"{alert.opened} {MARK[alert.peak]}{LEVEL_ZH[alert.peak]}"


def _because(one: Difference) -> str:
    """Say which numbers made the difference: those of the side that told, and what the other lacked."""
    if one.signal is None:
        return "" if one.level is Level.CALM else WHY["after"]
    signal = one.signal
    numbers = f"{signal.rule}：实际 {signal.observed:.1f}，预期 {signal.expected:.1f}，意外度 {signal.surprise:.2f}"
    lacking = "，".join(f"{NAMES[t.name]} {t.value:.2f} < {t.asked:g}" for t in one.lacking)
    other = "旧 old" if one.kind in ("new", "higher", "earlier") else "新 new"
    return f"{numbers}；{other}：{lacking or WHY.get(one.why, '')}"


def _short(value: object) -> str:
    return "—" if value is None else json.dumps(value, ensure_ascii=False)
