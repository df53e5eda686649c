"""What a mapping says of events: where their four facts stand, which days a delivery holds, what they are counted for.

An event is a grid, a time, a category and a result, and nothing else.  The section ``[events]`` of a feed's file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from warning.checked import Checked
from warning.city import City, Names
from warning.model import Place

FACTS = ("grid", "time", "category", "result")
OUTSIDE = ("@title", "@sheet", "@file")
BESIDE = (  # the keys of a feed that go with events
    *("id", "name_zh", "name_en", "kind", "department", "contact", "due", "due_days", "at", "files"),
    *("sheets", "header", "ignore", "codes", "missing", "totals", "places", "date_order", "year", "archive"),
    *("sql", "http", "push", "events"),
)

Share = Annotated[float, Field(ge=0, le=1)]


class Counts(Checked):
    """A count: the events of some categories, of some results where these are named."""

    indicator: str
    categories: Names = Field(min_length=1)  # texts, with * and ?
    results: Names = ("*",)


class Shares(Checked):
    """A percentage: the events of some results among those of others, of some categories."""

    indicator: str
    categories: Names = Field(min_length=1)
    results: Names = Field(min_length=1)
    of: Names = ("*",)


class Events(Checked):
    """How the events of a feed are read, and what becomes of them."""

    delivery: Literal["days", "increments"]  # all events of a day, or those that are new
    grid: Names = Field(min_length=1)  # headers; several: the first that is there
    time: Names = Field(min_length=1)
    category: Names = Field(min_length=1)
    result: Names = ()
    change: Names = ()  # of increments: whether a row adds an event or withdraws one
    withdrawn: tuple[str, ...] = ("撤销", "-1")  # what stands there if it withdraws one
    days: Literal["events", "asked", "@title", "@sheet", "@file"] = "events"  # which days a delivery holds whole
    since: date | None = None  # of increments: the first day all of whose events are sent
    tier: str = ""  # of the places events are counted in; "": the undivided ones
    alike: Literal["once", "each"] = "once"  # rows with the same four facts, to the second
    tolerance: Share = 0.05  # share of a day's rows that may be in quarantine; with more the day is not counted
    least: Share = 0.5  # share of a day's events that must be there when the day is sent again
    counts: tuple[Counts, ...] = ()
    ratios: tuple[Shares, ...] = ()

    def indicators(self) -> tuple[str, ...]:
        """Return what the events are counted for."""
        return (*(one.indicator for one in self.counts), *(one.indicator for one in self.ratios))


def counted_in(tier: str, within: Collection[str], places: Mapping[str, Place]) -> tuple[str, ...]:
    """Return the places in which events are counted, in the city's order.

    Args:
        tier: Of these places; "": those that nothing lies in.
        within: Codes and tiers of the places the feed is about; none: the whole city.
        places: The city's.
    """
    divided = {place.parent for place in places.values()}

    def is_about(place: Place) -> bool:
        return any(one.code in within or one.tier in within for one in upwards(place.code, places))

    return tuple(
        place.code
        for place in places.values()
        if (place.tier == tier if tier else place.code not in divided) and (not within or is_about(place))
    )


def upwards(code: str, places: Mapping[str, Place]) -> Iterator[Place]:
    """Yield a place and what it lies in, the root last."""
    above: str | None = code
    while above is not None and above in places:
        yield places[above]
        above = places[above].parent


def faults_of(events: Events, kind: str, given: Collection[str], *, asks: bool) -> Iterator[str]:
    """Yield what is wrong with a section by itself.

    Args:
        events: The section.
        kind: Of the feed.
        given: The keys of its file.
        asks: Whether its query or address names the days that are wanted.
    """
    for key in sorted(set(given) - {*BESIDE}):
        yield f"{key} is not used with [events]"
    if not events.indicators():
        yield "events: nothing is counted; write [[events.counts]] or [[events.ratios]]"
    for id in sorted({id for id in events.indicators() if events.indicators().count(id) > 1}):
        yield f"events: {id!r} is counted twice; name all its categories at once"
    headers = [text for fact in (*FACTS, "change") for text in getattr(events, fact)]
    for text in sorted({text for text in headers if headers.count(text) > 1}):
        yield f"events: the column {text!r} is said to hold two facts"
    yield from _delivery_faults(events, kind, asks=asks)


def _delivery_faults(events: Events, kind: str, *, asks: bool) -> Iterator[str]:
    increments = events.delivery == "increments"
    if increments and events.since is None:
        yield "events.since is needed with increments: the first day all of whose events are sent"
    if increments and kind in ("sql", "http"):
        yield f"events.delivery is 'increments', but kind '{kind}' is asked for whole days; write delivery = \"days\""
    for key in sorted(events.model_fields_set & {"since", "change", "withdrawn"}) if not increments else ():
        yield f"events.{key} is used with increments only"
    for key in sorted(events.model_fields_set & {"days", "least"}) if increments else ():
        yield f"events.{key} is not used with increments"
    if events.days in OUTSIDE and kind != "file":
        yield f"events.days: {events.days!r} is for files; kind '{kind}' has no titles, sheets or names"
    if events.days == "asked" and not asks:
        yield "events.days is 'asked', so the query or the address must name the days: :since and :until, {since} …"


def city_faults(events: Events, within: Collection[str], city: City) -> Iterator[str]:
    """Yield what of a section does not fit the city; ids are known to be checked by whoever calls."""
    ids = city.indicators
    for count in events.counts:
        one = ids.get(count.indicator)
        if one is not None and one.kind != "count":
            yield f"events.counts: {one.id!r} is no count but a {one.kind}"
        elif one is not None and one.period_agg != "sum":
            yield f"events.counts: {one.id!r} is a stock (period_agg {one.period_agg}), which events of a day are not"
    for share in events.ratios:
        found = ids.get(share.indicator)
        if found is not None and found.kind != "ratio":
            yield f"events.ratios: {found.id!r} is no percentage but a {found.kind}"
    if events.tier and events.tier not in city.tiers:
        yield f"events.tier: {events.tier!r} is not a tier of city.toml; known: {', '.join(city.tiers)}"
    elif not counted_in(events.tier, within, city.places):
        yield "events.tier: none of the places of this tier lies in what places names"


def claimed_twice(
    feed: str, events: Events, within: Collection[str], city: City, claims: dict[tuple[str, str], str]
) -> Iterator[str]:
    """Yield a fault for each indicator that another feed counts in some of the same places; ``claims`` is added to."""
    counted = counted_in(events.tier, within, city.places)
    undivided = counted_in("", counted, city.places) if counted else ()
    for id in events.indicators():
        others = {claims.setdefault((id, place), feed) for place in undivided} - {feed}
        if others:
            yield f"events: {id!r} is counted by {min(others)}.toml, too, in some of the same places"
