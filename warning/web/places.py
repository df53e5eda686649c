"""One place: its narrative, its alerts, and whether its data came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from warning.model import Indicator, Level, SeriesKey
from warning.periods import last_complete
from warning.rollup import sources
from warning.rule import series_of
from warning.service import Service
from warning.store import coverage as coverages_of
from warning.store import document, observation
from warning.web.lists import days_around, lines, mondays_with_briefing, standing
from warning.web.pages import asked_day, head_of, latest, page, place_named, reading

router = APIRouter()
FREQUENCIES = {"daily": "每日", "weekly": "每周", "monthly": "每月"}


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched series and until when it has data."""

    indicator: Indicator
    frequency_zh: str
    last: date | None  # first day of the last period with a value
    due: date  # first day of the last period that must be there
    missing: bool


@router.get("/places/{code}")
def show_place(request: Request, code: str, date: str = "") -> HTMLResponse:
    """Show a place on a judged date, by default the latest."""
    with reading(request) as service:
        place = place_named(service, code)
        day = asked_day(service, date, (f"/places/{code}", place.name_zh))
        head = head_of(service, "", day)
        trail = [service.city.places[above] for above in reversed(service.city.ancestors(code))]
        if day is None:
            return page(request, "place", head, place=place, trail=trail, days=None, rows=[])
        on = coverages_of.on(service.store, day)
        everywhere = standing(service, day)
        below = [service.city.places[child] for child in service.city.children[code] if child in on]
        inside = {code, *service.city.descendants(code)} if code == service.city.root else {code}
        rows = [row for row in everywhere if row.alert.place in inside]
        written = document.document(service.store, "narrative", code, day)
        return page(
            request,
            "place",
            head,
            place=place,
            trail=trail,
            days=days_around(service, day),
            coverage=on.get(code),
            coloured=sum(row.level > Level.CALM for row in rows),
            narrative="" if written is None else written.html,
            rows=rows,
            below_too=code == service.city.root,
            lines=lines(below, everywhere, on),
            watched=_watched(service, code, day) if day == latest(service) else [],
            briefings=mondays_with_briefing(service, code, day),
        )


def _watched(service: Service, code: str, day: date) -> list[Watched]:
    """Until when the judged series of a place have data, those that lack it first."""
    judged = chain.from_iterable(series_of(rule, service.city) for rule in service.rules.rules)
    keys = tuple(dict.fromkeys(key for key in judged if key.place == code))
    if not keys:
        return []
    now = service.clock()
    asked = sources(keys, service.city.children, set(observation.reported(service.store, known_at=now)))
    lasts = observation.latest_dates(service.store, asked, known_at=now)
    found = [_series(service, key, _last(service, key, lasts), day) for key in keys]
    return sorted(found, key=lambda series: not series.missing)


def _last(service: Service, key: SeriesKey, lasts: Mapping[SeriesKey, date]) -> date | None:
    """The last date of a place's own value, or of all its children together, whichever is later."""
    own = lasts.get(key)
    below = [_last(service, SeriesKey(key.indicator, child), lasts) for child in service.city.children[key.place]]
    known = [child for child in below if child is not None]
    if not known or len(known) < len(below):
        return own
    return max(own or date.min, min(known))


def _series(service: Service, key: SeriesKey, last: date | None, day: date) -> Watched:
    indicator = service.city.indicators[key.indicator]
    due = due_of(indicator.frequency, day, getattr(service.config.feeds.late_after, indicator.frequency))
    return Watched(indicator, FREQUENCIES[indicator.frequency], last, due, last is None or last < due)


def due_of(frequency: str, day: date, late_after: int) -> date:
    """Return the first day of the last period that must have arrived when ``day`` is judged, the morning after it.

    Args:
        frequency: daily, weekly or monthly.
        day: The judged date.
        late_after: Days after a period's end from which its value is late.
    """
    return last_complete(day + timedelta(days=1 - late_after), frequency)
