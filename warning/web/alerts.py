"""The list of alerts, and one alert with its evidence, history and picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from threading import Lock

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from warning.facts import LEVEL_ZH, chance, day_zh
from warning.model import Alert, Level, Place, Signal
from warning.picture import chart_of
from warning.service import Service
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.web.lists import Row, row_of, standing
from warning.web.pages import CLASSES, NotFound, amount, asked_day, figure, head_of, page, place_named, reading

router = APIRouter()
LIST = ("/alerts", "全部风险提示")
FILTERS = {CLASSES[level]: level for level in (Level.RED, Level.ORANGE, Level.YELLOW, Level.CALM)}
DRAWING = Lock()  # matplotlib draws one picture at a time


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of evidence in words."""

    signal: Signal
    rule_zh: str
    chance: str


@router.get("/alerts")
def list_alerts(request: Request, level: str = "", place: str = "", date: str = "") -> HTMLResponse:
    """List the alerts that stood on a judged date, by default the latest."""
    with reading(request) as service:
        if level and level not in FILTERS:
            raise NotFound(f"等级“{level}”", f"可以选择的等级：{'、'.join(FILTERS)}。", LIST)
        if place:
            place_named(service, place)
        day = asked_day(service, date, LIST)
        rows = [] if day is None else standing(service, day, place=place or None)
        if level:
            rows = [row for row in rows if row.level is FILTERS[level]]
        return page(
            request,
            "alerts",
            head_of(service, "alerts", day),
            rows=rows,
            level=level,
            place=place,
            levels=FILTERS.items(),
            places=_places_to_choose(service, day, place),
        )


@router.get("/alerts/{number}")
def show_alert(request: Request, number: str) -> HTMLResponse:
    """Show what, where, since when, why, and what happened since."""
    with reading(request) as service:
        alert = _alert_numbered(service, number)
        row = row_of(service, alert)
        indicator = service.city.indicators.get(alert.indicator)
        names = {rule.id: rule.name_zh for rule in service.rules.rules}
        evidence = [
            Reason(signal, names.get(signal.rule, "（规则已删除）"), _chance(signal.surprise))
            for signal in alert.evidence
        ]
        return page(
            request,
            "alert",
            head_of(service, "alerts"),
            row=row,
            evidence=evidence,
            events=alerts_of.events(service.store, number),
            alt=_alt(row, "count" if indicator is None else indicator.kind),
            kind="count" if indicator is None else indicator.kind,
            unit="—" if indicator is None else indicator.unit,
            department="" if indicator is None else indicator.department,
            period="周" if indicator is not None and indicator.frequency == "weekly" else "天",
        )


@router.get("/alerts/{number}/chart.png")
def draw_alert(request: Request, number: str) -> Response:
    """Draw an alert's series with its usual range, as known now."""
    with reading(request) as service:
        alert = _alert_numbered(service, number)
        if alert.indicator not in service.city.indicators or alert.place not in service.city.places:
            raise NotFound(f"风险提示“{number}”的图", "它的指标或地区已不在城市资料中。", LIST)
        with DRAWING:
            picture = chart_of(service, alert, now=service.clock())
    return Response(picture, media_type="image/png")


def _alert_numbered(service: Service, number: str) -> Alert:
    alert = alerts_of.alert(service.store, number)
    if alert is None:
        raise NotFound(f"风险提示“{number}”", f"编号形如 {service.city.alert_prefix}-20261122-0007。", LIST)
    return alert


def _places_to_choose(service: Service, day: date | None, chosen: str) -> list[Place]:
    """Return the places judged on a date, and the one chosen already."""
    judged = {chosen} if day is None else {chosen, *coverages_of.on(service.store, day)}
    return [place for code, place in service.city.places.items() if code in judged]


def _chance(surprise: float) -> str:
    if not math.isfinite(surprise):
        return "—"
    return f"{chance(surprise)}（{'偏高' if surprise > 0 else '偏低'}）"


def _alt(row: Row, kind: str) -> str:
    """Say what the picture shows to those who do not see it."""
    said = f"{row.place_zh}{row.indicator_zh}走势"
    if not row.alert.evidence:
        return f"{said}：{day_zh(row.alert.updated)}为{LEVEL_ZH[row.level]}。"
    signal = row.alert.evidence[0]
    bound = signal.upper if signal.surprise > 0 else signal.lower
    side = "正常上限" if signal.surprise > 0 else "正常下限"
    return (
        f"{said}：{day_zh(signal.date)}为{figure(signal.observed, kind)}，{side}{amount(bound)}，"
        f"{LEVEL_ZH[signal.level]}，始于{day_zh(row.alert.onset)}。"
    )
