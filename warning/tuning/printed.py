"""The numbers of a period as tables: for the terminal, for a page, for a program."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from warning.charts import calendar_chart
from warning.city import City
from warning.facts import LEVEL_ZH, MARK
from warning.model import Level
from warning.service import Deployment
from warning.templating import engine, render
from warning.tuning.summary import LEVELS, Counts, Lead, OfRule, Share, Summary

PAGE = "tuning/replay.zh.html.j2"
BUSIEST = 10  # days that are listed
HEADS = tuple(f"{MARK[level]}{LEVEL_ZH[level]} {level.name.lower()}" for level in LEVELS)

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """One table: heads "中文 English", rows of cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(found: Summary, deployment: Deployment) -> list[Table]:
    """Return the tables of a period, the weightiest first."""
    city, names = deployment.city, {rule.id: rule.name_zh for rule in deployment.rules.rules}
    made = [_totals(found), _rules(found, names), _places(found, city), _busiest(found)]
    return [*made, _leads(found.leads, city)] if found.leads else made


def page(
    title: str, notes: Sequence[str], made: Sequence[Table], deployment: Deployment, picture: bytes | None = None
) -> str:
    """Return tables as one page that needs no other file.

    Raises:
        ConfigError: as ``templating.render``.
    """
    config = deployment.config
    drawn = "" if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
    env = engine(config.template_folders, simulated=config.deployment.simulated)
    return render(env, PAGE, {"title": title, "notes": notes, "tables": made, "picture": drawn})


def calendar(found: Summary, *, simulated: bool) -> bytes:
    """Return the picture of the days."""
    days = {day: (found.highest(day), sum(counts.values())) for day, counts in found.by_day.items()}
    return calendar_chart(days, found.first, found.last, simulated=simulated)


def calendar_lines(found: Summary) -> list[str]:
    """Return a line a month: a full stop for a day without any, y, o and r for the highest level of one with some."""
    letters = {Level.CALM: ".", Level.YELLOW: "y", Level.ORANGE: "o", Level.RED: "R"}
    lines: dict[str, str] = {}
    day = found.first
    while day <= found.last:
        month = f"{day:%Y-%m}"
        lines.setdefault(month, " " * (day.day - 1))
        lines[month] += letters[found.highest(day)]
        day += timedelta(days=1)
    return [f"{month} {days}" for month, days in lines.items()]


def document(found: Summary) -> dict[str, Any]:
    """Return the same as plain tables for JSON; shares with their interval."""
    return {
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "days": found.days,
        "rises": _plain(found.rises),
        "by_day": {day.isoformat(): _plain(counts) for day, counts in sorted(found.by_day.items())},
        "by_place": {place: _plain(counts) for place, counts in sorted(found.by_place.items())},
        "by_rule": {rule: _rule(of) for rule, of in found.by_rule.items()},
        "right": None if found.right is None else {k.name.lower(): _share(v) for k, v in found.right.items()},
        "leads": [
            {
                "label": lead.label.name,
                "indicator": lead.label.key.indicator,
                "place": lead.label.key.place,
                "first": lead.label.first.isoformat(),
                "last": lead.label.last.isoformat(),
                "yellow_after": lead.yellow,
                "orange_after": lead.orange,
            }
            for lead in found.leads
        ],
    }


def _totals(found: Summary) -> Table:
    total = sum(found.rises.values())
    urgent = [found.urgent(day) for day in found.by_day]
    some = sum(1 for count in urgent if count)
    rows: list[tuple[Cell, ...]] = [
        ("提示 alerts told", *_of(found.rises), total),
        (
            "每天 a day",
            *(round(found.rises.get(level, 0) / found.days, 2) for level in LEVELS),
            round(total / found.days, 2),
        ),
        ("有提示的天数 days with some", *_days_with(found), len(found.by_day)),
        ("橙红最多的一班 most orange and red in a shift", "", "", "", max(urgent, default=0)),
        ("有橙红的班次 shifts with any", "", "", "", some),
    ]
    if found.right is not None:
        every = Share(sum(s.count for s in found.right.values()), sum(s.of for s in found.right.values()))
        rows.append(("属实 right", *(_said(found.right.get(level)) for level in LEVELS), _said(every)))
    return Table("总数 Totals", ("", *HEADS, "合计 all"), tuple(rows))


def _days_with(found: Summary) -> tuple[int, ...]:
    return tuple(sum(1 for counts in found.by_day.values() if counts.get(level)) for level in LEVELS)


def _rules(found: Summary, names: Mapping[str, str]) -> Table:
    known = found.right is not None
    columns = ("规则 rule", "名称 name", *HEADS, "着色 % coloured", *(["属实 right"] if known else []))
    rows: list[tuple[Cell, ...]] = []
    for rule, of in sorted(found.by_rule.items(), key=lambda one: (-sum(one[1].rises.values()), one[0])):
        if sum(of.rises.values()):
            share: Cell = round(100 * of.coloured / of.judged, 2) if of.judged else "—"
            rows.append((rule, names.get(rule, ""), *_of(of.rises), share, *([_said(of.right)] if known else [])))
    silent = len(found.by_rule) - len(rows)
    return Table(f"规则 Rules（另有 {silent} 条没有提示 / {silent} others told of nothing）", columns, tuple(rows))


def _places(found: Summary, city: City) -> Table:
    order = sorted(found.by_place.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (city.places[place].name_zh, *_of(counts), sum(counts.values())) for place, counts in order
    )
    return Table("地区 Places", ("地区 place", *HEADS, "合计 all"), rows)


def _busiest(found: Summary) -> Table:
    order = sorted(found.by_day, key=lambda day: (-found.urgent(day), -sum(found.by_day[day].values()), day))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (day.isoformat(), *_of(found.by_day[day]), sum(found.by_day[day].values())) for day in order[:BUSIEST]
    )
    return Table("最忙的日子 Busiest days", ("日期 day", *HEADS, "合计 all"), rows)


def _leads(leads: Sequence[Lead], city: City) -> Table:
    rows = tuple(
        (
            lead.label.name,
            city.indicators[lead.label.key.indicator].name_zh,
            city.places[lead.label.key.place].name_zh,
            lead.label.first.isoformat(),
            lead.label.last.isoformat(),
            _after(lead.yellow),
            _after(lead.orange),
        )
        for lead in leads
    )
    told = sum(lead.yellow is not None for lead in leads)
    heads = ("编号 id", "指标 indicator", "地区 place", "自 from", "至 to", "黄色以上 yellow", "橙色以上 orange")
    title = (
        f"已知事件：{len(leads)} 件中提示 {told} 件（几天后提示） Known events: {told} of {len(leads)} told, days after"
    )
    return Table(title, heads, rows)


def _of(counts: Counts) -> tuple[int, ...]:
    return tuple(counts.get(level, 0) for level in LEVELS)


def _after(days: int | None) -> Cell:
    return "未提示 never" if days is None else days


def _said(share: Share | None) -> str:
    if share is None or not share.of:
        return "—"
    low, high = share.interval
    return f"{share.count}/{share.of}（{100 * low:.0f}–{100 * high:.0f}%）"


def _rule(of: OfRule) -> dict[str, Any]:
    right = None if of.right is None else _share(of.right)
    return {"rises": _plain(of.rises), "judged": of.judged, "coloured": of.coloured, "right": right}


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    value = None if math.isnan(share.share) else share.share
    return {"count": share.count, "of": share.of, "share": value, "low": low, "high": high}


def _plain(counts: Counts) -> dict[str, int]:
    return {level.name.lower(): counts.get(level, 0) for level in LEVELS}


def period(first: date, last: date) -> str:
    """Return the period as a sentence's beginning."""
    return f"{first} 至 {last}，{(last - first).days + 1} 天"
