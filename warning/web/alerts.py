"""The list of alerts, and one alert with its evidence, history and picture."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from threading import Lock

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from warning.deadlines import deadlines
from warning.facts import LEVEL_ZH, begun_zh, chance, day_zh, number, quantity
from warning.finding import FOUND, REASONS
from warning.grounds import ground, to_do
from warning.model import SUMMED, Alert, Level, Place, Signal
from warning.periods import WINDOW_ZH
from warning.picture import chart_of
from warning.service import Service
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import finding as findings_of
from warning.web.lists import Row, ended, row_of, standing
from warning.web.pages import CLASSES, NotFound, amount, asked_day, figure, head_of, page, place_named, reading

router = APIRouter()
LIST = ("/alerts", "风险提示清单")
FILTERS = {CLASSES[level]: level for level in (Level.RED, Level.ORANGE, Level.YELLOW, Level.CALM)}
DRAWING = Lock()  # matplotlib draws one picture at a time


STATES = {"live": ("未结束", "Live"), "ended": ("已结束", "Ended"), "all": ("全部", "All")}
SHOWN = 100  # alerts on a page of the list


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of evidence in words."""

    signal: Signal
    rule_zh: str
    file: str  # where the rule stands, "" when it was deleted
    chance: str


@router.get("/alerts")
def list_alerts(
    request: Request, state: str = "live", level: str = "", place: str = "", date: str = "", sheet: str = "1"
) -> HTMLResponse:
    """List the alerts as they stood on a judged date, by default the latest: those live, those ended, or all."""
    with reading(request) as service:
        if state not in STATES:
            raise NotFound(f"状态“{state}”", f"可以选择的状态：{'、'.join(STATES)}。", LIST)
        if level and level not in FILTERS:
            raise NotFound(f"等级“{level}”", f"可以选择的等级：{'、'.join(FILTERS)}。", LIST)
        if place:
            place_named(service, place)
        day = asked_day(service, date, LIST)
        rows = {"live": [], "ended": []} if day is None else _by_state(service, day, place, level)
        rows["all"] = [*rows["live"], *rows["ended"]]
        sheets = max(1, math.ceil(len(rows[state]) / SHOWN))
        number = _sheet(sheet, sheets)
        return page(
            request,
            "alerts",
            head_of(service, "alerts", day),
            rows=rows[state][(number - 1) * SHOWN : number * SHOWN],
            total=len(rows[state]),
            first=(number - 1) * SHOWN + 1,
            states=[(name, zh, en, len(rows[name])) for name, (zh, en) in STATES.items()],
            state=state,
            level=level,
            place=place,
            asked=[("level", level), ("place", place), ("date", date)],
            sheet=number,
            sheets=sheets,
            levels=FILTERS.items(),
            places=_places_to_choose(service, day, place),
        )


@router.get("/alerts/{number}")
def show_alert(request: Request, number: str) -> HTMLResponse:
    """Show what, where, since when, why, until when what is to be done, and what happened since."""
    with reading(request) as service:
        alert = _alert_numbered(service, number)
        row = row_of(service, alert)
        indicator = service.city.indicators.get(alert.indicator)
        kind = "count" if indicator is None else indicator.kind
        frequency = "daily" if indicator is None else indicator.frequency
        events = alerts_of.events(service.store, number)
        now = service.clock()
        return page(
            request,
            "alert",
            head_of(service, "alerts"),
            row=row,
            evidence=_reasons(service, alert),
            batch=_batch(alert),
            deadlines=[
                (deadline, *deadline.state, deadline.overdue)
                for deadline in deadlines(
                    alert, events, service.calendar, service.config.zone, now, service.rules.rules
                )
            ],
            now=now,
            events=events,
            alt=_alt(row, kind, frequency),
            kind=kind,
            unit="—" if indicator is None else indicator.unit,
            department="" if indicator is None else indicator.department,
            to_do=to_do(alert, service.rules),
            findings=[
                (one, FOUND[one.found], REASONS[one.found].get(one.reason, ("",))[0])
                for one in findings_of.findings(service.store, number)
            ],
            period=WINDOW_ZH[frequency],
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


def _batch(alert: Alert) -> dict[str, str]:
    """Return what the place reported on the day of the evidence that may have been entered together, {} for none."""
    for signal in alert.evidence:
        if signal.batch is not None:
            total, usual = signal.batch
            return {"day": day_zh(signal.date), "total": quantity(total, "count"), "usual": number(usual)}
    return {}


def _alert_numbered(service: Service, number: str) -> Alert:
    alert = alerts_of.alert(service.store, number)
    if alert is None:
        raise NotFound(f"风险提示“{number}”", f"编号形如 {service.city.alert_prefix}-20261122-0007。", LIST)
    return alert


def _by_state(service: Service, day: date, place: str, level: str) -> dict[str, list[Row]]:
    """Return the alerts that stood on a date and those that had ended, of one place or level or all."""
    found = {"live": standing(service, day, place=place or None), "ended": ended(service, day, place=place or None)}
    if level:
        found = {state: [row for row in rows if row.level is FILTERS[level]] for state, rows in found.items()}
    return found


def _sheet(text: str, last: int) -> int:
    """Return the number of a page of the list.

    Raises:
        NotFound: if the list has no such page.
    """
    if not re.fullmatch("[1-9][0-9]{0,5}", text) or int(text) > last:
        raise NotFound(f"第“{text}”页", f"清单共 {last} 页。", LIST)
    return int(text)


def _reasons(service: Service, alert: Alert) -> list[Reason]:
    names, files = {rule.id: rule.name_zh for rule in service.rules.rules}, service.rules.files
    folder = service.config.paths.rules
    return [
        Reason(
            signal,
            names.get(signal.rule, "（规则已删除）"),
            str(folder / files[signal.rule]) if signal.rule in files else "",
            _chance(signal.surprise),
        )
        for signal in alert.evidence
    ]


def _places_to_choose(service: Service, day: date | None, chosen: str) -> list[Place]:
    """Return the places judged on a date, and the one chosen already."""
    judged = {chosen} if day is None else {chosen, *coverages_of.on(service.store, day)}
    return [place for code, place in service.city.places.items() if code in judged]


def _chance(surprise: float) -> str:
    if not math.isfinite(surprise):
        return "—"
    return f"{chance(surprise)}（{'偏高' if surprise > 0 else '偏低'}）"


def _alt(row: Row, kind: str, frequency: str) -> str:
    """Say what the picture shows to those who do not see it."""
    said = f"{row.place_zh}{row.indicator_zh}走势"
    signal = ground(row.alert)
    if signal is None:
        return f"{said}：{begun_zh(row.alert.updated, frequency)}为{LEVEL_ZH[row.level]}。"
    bound = signal.upper if signal.surprise > 0 else signal.lower
    side = "正常上限" if signal.surprise > 0 else "正常下限"
    when = begun_zh(signal.date, frequency)
    if signal.window > 1:  # the sum that was judged; the picture shows means
        when = f"截至{when}的{signal.window}{WINDOW_ZH[frequency]}{'合计' if kind in SUMMED else '平均'}"
    return (
        f"{said}：{when}为{figure(signal.observed, kind)}，{side}{amount(bound)}，"
        f"{LEVEL_ZH[signal.level]}，始于{begun_zh(row.alert.onset, frequency)}。{_since(row.alert)}"
    )


def _since(alert: Alert) -> str:
    """Say that what was judged since did not reach the level the alert still has."""
    if not alert.quiet:
        return ""
    return f"此后{alert.quiet}期未再达到{LEVEL_ZH[alert.active]}，提示保留。"
