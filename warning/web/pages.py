"""What all pages share: the head, the store of one request, and how figures are printed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from warning.config import Config
from warning.facts import number, quantity, weekday_zh
from warning.model import Level, Place
from warning.service import Deployment, Service, opened
from warning.store import coverage as coverages_of
from warning.store import document
from warning.templating import Engine, engine, render
from warning.words import TRANSITIONS, stage_of

CLASSES = {
    Level.MISSING: "grey",
    Level.CALM: "calm",
    Level.YELLOW: "yellow",
    Level.ORANGE: "orange",
    Level.RED: "red",
}


@dataclass(frozen=True)
class Desk:
    """A deployment and its templates, ready to answer."""

    deployment: Deployment
    write: Callable[[str, Mapping[str, Any]], str]  # template, context -> HTML


@dataclass(frozen=True, slots=True)
class Head:
    """What the top of a page says."""

    city_zh: str
    city_en: str
    section: str  # which entry of the navigation is this page's: map, alerts, health or ""
    day: date | None = None  # data date shown, None before the first sweep
    cutoff: datetime | None = None  # until when data were taken in
    wall: bool = False


class NotFound(Exception):
    """What was asked for is not there; shown as a page with status 404."""

    def __init__(self, looked_for: str, hint: str, back: tuple[str, str] = ("/", "风险地图")) -> None:
        self.looked_for = looked_for
        self.hint = hint
        self.back = back  # address and name of a page that is there
        super().__init__(looked_for)


def page_engine(config: Config) -> Engine:
    """Return a deployment's template environment with the filters of pages."""
    zone = config.zone
    env = engine(config.template_folders, simulated=config.deployment.simulated)
    env.filters.update(
        shade=lambda level: CLASSES[level],
        stage_zh=lambda alert: stage_of(alert)[0],
        stage_en=lambda alert: stage_of(alert)[1],
        told_zh=lambda transition: TRANSITIONS[transition][0],
        told_en=lambda transition: TRANSITIONS[transition][1],
        long_day=_long_day,
        local=lambda instant: f"{instant.astimezone(zone):%Y-%m-%d %H:%M}",
        figure=figure,
        amount=amount,
    )
    return env


def desk_of(deployment: Deployment) -> Desk:
    """Return a deployment's desk: one template environment for all requests."""
    env = page_engine(deployment.config)

    def write(name: str, context: Mapping[str, Any]) -> str:
        return render(env, f"web/{name}.html.j2", context)

    return Desk(deployment, write)


def desk(request: Request) -> Desk:
    """Return the desk of the application a request came to."""
    found: Desk = request.app.state.desk
    return found


@contextmanager
def reading(request: Request) -> Iterator[Service]:
    """Open the store, read one state of it throughout the block, and close it.

    In the route itself and no dependency: a connection belongs to the thread that opened it, and a
    framework may run the two in different ones.

    Raises:
        StoreError: if the database cannot be used.
    """
    with opened(desk(request).deployment) as service, service.store.snapshot():
        yield service


def page(request: Request, name: str, head: Head, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page written with the template ``web/NAME.html.j2``.

    Raises:
        ConfigError: if the template cannot be used.
    """
    return HTMLResponse(desk(request).write(name, {"head": head, **context}), status)


def head_of(service: Service, section: str, day: date | None = None, *, wall: bool = False) -> Head:
    """Return the head of a page about a date, by default the latest that was judged."""
    shown = day or latest(service)
    return Head(
        service.city.name_zh,
        service.city.name_en,
        section,
        shown,
        None if shown is None else _cutoff(service, shown),
        wall,
    )


def latest(service: Service) -> date | None:
    """Return the last date that was judged."""
    return coverages_of.last_date(service.store)


def asked_day(service: Service, text: str, back: tuple[str, str] = ("/", "风险地图")) -> date | None:
    """Return the date a request asks for, the latest judged one when it asks for none, None before the first.

    Raises:
        NotFound: if it is not a date, or not one that was judged.
    """
    if not text:
        return latest(service)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound(f"日期“{text}”", "日期应写作 2026-11-21 这样的形式。", back) from None
    if not coverages_of.on(service.store, day):
        raise NotFound(f"{day.isoformat()} 的研判结果", "这一天没有研判过，或数据已不在库中。", back)
    return day


def place_named(service: Service, code: str) -> Place:
    """Return a place of the city.

    Raises:
        NotFound: if the city has no such place.
    """
    if code not in service.city.places:
        raise NotFound(f"地区“{code}”", "地区代码以 city/places.csv 为准，请从风险地图进入。")
    return service.city.places[code]


def figure(value: float, kind: str) -> str:
    """Return a value as its kind is printed, a dash where there is none."""
    return quantity(value, kind) if math.isfinite(value) else "—"


def amount(value: float) -> str:
    """Return an expectation or bound to one decimal, a dash where there is none."""
    return number(value) if math.isfinite(value) else "—"


def _long_day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日（{weekday_zh(day)}）"


def _cutoff(service: Service, day: date) -> datetime | None:
    """Return until when data were taken in: what the narrative of the whole city says, so that both say the same."""
    written = document.document(service.store, "narrative", service.city.root, day)
    facts = [] if written is None else json.loads(written.facts)
    said = next((fact["value"] for fact in facts if fact["id"].endswith("/cutoff")), None)
    return None if said is None else datetime.fromisoformat(said)
