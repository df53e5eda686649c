"""The weekly briefings: one for the city, one for each place with its own series."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from warning import gathering, telling
from warning.briefing.html import render_week
from warning.charts import map_chart
from warning.colouring import coverages
from warning.context import Context
from warning.facts import Facts, as_json
from warning.model import Document, Level
from warning.picture import chart_of
from warning.scoring import Beat, known
from warning.service import Service
from warning.store import coverage as coverages_of
from warning.store import document, outbox
from warning.templating import render

CHARTS = 6  # pictures of one briefing


def last_week(yesterday: date) -> date:
    """Return the Monday of the last week that is complete."""
    return yesterday - timedelta(days=(yesterday.weekday() + 1) % 7 + 6)


def write_week(service: Service, monday: date, *, now: datetime, beat: Beat = lambda _: None) -> tuple[int, int]:
    """Write and store the briefings of a week, and put the mail about them into the outbox.

    Returns:
        How many documents are new or changed, and how many messages are new.
    """
    sunday = monday + timedelta(days=6)
    panels = known(service, sunday, known_at=now)
    _, gaps = coverages(service, panels, sunday)
    colours = coverages_of.on(service.store, sunday)
    # What is overdue is so when the week has ended: written again later, it says what it said before.
    ended = datetime.combine(sunday + timedelta(days=1), time(), service.config.zone)
    context = Context(service, sunday, now, panels, colours, gaps, as_of=ended)
    city = gathering.of_city(context, first=monday)
    places = [gathering.of_place(context, code, first=monday) for code in colours]
    editions = [city, *(facts for facts in places if facts.place.code != service.city.root)]
    documents = []
    for facts in editions:
        beat(f"briefing {facts.place.name_zh}")
        documents.append(_edition(context, facts, monday, city=facts is city))
    _write_files(service, documents)
    with service.store.write():
        saved = document.save(service.store, documents)
        messages = outbox.enqueue(service.store, telling.briefing_messages(context, city))
    return saved, messages


def _edition(context: Context, facts: Facts, monday: date, *, city: bool) -> Document:
    service = context.service
    env = telling.environment(service)
    html = render_week(
        env,
        facts,
        monday=monday,
        office=service.city.office,
        charts=_charts(context, facts),
        map_picture=_map(context) if city and context.coverages else None,  # a week that was not judged
    )
    template = "narrative/city" if city else "narrative/place"
    return Document(
        kind="briefing",
        place=facts.place.code,
        date=monday,
        created=context.now,
        title=f"{facts.place.name_zh} {monday.isoformat()}",
        text=render(env, f"{template}.zh.txt.j2", {"facts": facts}),
        html=html,
        facts=as_json(facts),
    )


def _map(context: Context) -> bytes:
    city = context.service.city
    return map_chart(
        city.outline,
        {code: found.colour for code, found in context.coverages.items()},
        {code: city.places[code].name_zh for code in context.coverages},
        note=city.map_note,
        simulated=context.service.config.deployment.simulated,
    )


def _charts(context: Context, facts: Facts) -> dict[str, bytes]:
    """Pictures of the strongest alerts, by alert number."""
    shown = [item.alert for item in facts.items if item.level >= Level.YELLOW][:CHARTS]
    found = {number: context.alert(number) for number in shown}
    return {
        number: chart_of(context.service, alert, now=context.now)
        for number, alert in found.items()
        if alert is not None
    }


def _write_files(service: Service, documents: list[Document]) -> None:
    """Lay the briefings beside the database as files that can be printed or sent on."""
    folder = service.config.path("documents")
    folder.mkdir(parents=True, exist_ok=True)
    for found in documents:
        target = folder / f"briefing-{found.date.isoformat()}-{found.place}.html"
        fresh = target.with_suffix(".new")
        fresh.write_text(found.html, encoding="utf-8")
        fresh.replace(target)
