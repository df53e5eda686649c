"""The first page: the city in colours, the alerts of the day, the places as a table."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from warning.city import City
from warning.model import Level, Place
from warning.situation import Coverage
from warning.store import coverage as coverages_of
from warning.web.drawing import Tally, drawing
from warning.web.lists import days_around, lines, mondays_with_briefing, standing
from warning.web.pages import asked_day, head_of, page, reading

router = APIRouter()
SHOWN = 20  # alerts on the first page


@router.get("/")
def show_map(request: Request, date: str = "", wall: str = "") -> HTMLResponse:
    """Show a judged date, by default the latest; ``wall=1`` is for a screen on the wall."""
    with reading(request) as service:
        day = asked_day(service, date)
        head = head_of(service, "map", day, wall=wall == "1")
        if day is None:
            return page(request, "map", head, drawing=None, days=None)
        on = coverages_of.on(service.store, day)
        places = mapped(service.city, on)
        rows = [row for row in standing(service, day) if row.level > Level.CALM]
        listed = lines(places, rows, on)
        tallies = {line.code: Tally(line.name_zh, line.level, line.red + line.orange + line.yellow) for line in listed}
        return page(
            request,
            "map",
            head,
            drawing=drawing(service.city.outline, {place.code: tallies[place.code] for place in places}),
            days=days_around(service, day),
            rows=rows,
            shown=SHOWN,
            lines=listed,
            root=service.city.root,
            briefings=mondays_with_briefing(service, service.city.root, day),
            note=service.city.map_note,
            approval=service.city.map_approval_no,
        )


def mapped(city: City, on: Mapping[str, Coverage]) -> tuple[Place, ...]:
    """Return the places a map shows: those of the outline, else the highest tier below the root that was judged."""
    if city.outline is not None:
        return tuple(place for code, place in city.places.items() if code in city.outline.shapes)
    for tier in list(city.tiers)[1:]:
        places = city.at_tier(tier)
        if any(place.code in on for place in places):
            return places
    return (city.places[city.root],)
