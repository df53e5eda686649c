"""The mappings of a city's folder, each checked against itself, the city and the others.

The folder may be missing; a file of the watched folder that no feed claims is read as a long CSV with the columns
indicator, place, date, value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from warning.checked import checked, read_toml, suggestion
from warning.city import City
from warning.errors import ConfigError
from warning.event_mapping import city_faults, claimed_twice, faults_of
from warning.mapping import NATIVE, OUTSIDE, Feed, Kind, asks_for_days, indicators_of


def read_feeds(folder: Path, city: City | None) -> tuple[dict[str, Feed], list[ConfigError]]:
    """Return the feeds of a city's folder by name, and an error for each file with faults.

    Args:
        folder: Where the files lie; it may be missing.
        city: What indicators and places are checked against; None, where it has faults of its own.
    """
    feeds: dict[str, Feed] = {}
    errors: list[ConfigError] = []
    claims: dict[str, str] = {}
    counted: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            feed = feed_of(path)
        except ConfigError as error:
            errors.append(error)
            continue
        faults = [*(() if city is None else _city_faults(feed, city, counted)), *_claimed_twice(feed, claims)]
        if faults:
            errors.append(ConfigError(str(path), faults))
        feeds[feed.id] = feed
    return feeds, errors


def feed_of(path: Path) -> Feed:
    """Return the feed a file describes, not yet checked against a city.

    Raises:
        ConfigError: with every fault of the file.
    """
    content = read_toml(path)
    if "id" in content:
        raise ConfigError(str(path), ["id is not a setting; a feed is called as its file is"])
    if path.stem == NATIVE:
        raise ConfigError(str(path), [f"{NATIVE!r} is the feed of files nobody claims; give the file another name"])
    feed = checked(str(path), {**content, "id": path.stem}, Feed)
    faults = [*_kind_faults(feed), *(_layout_faults(feed) if feed.events is None else _event_faults(feed))]
    if faults:
        raise ConfigError(str(path), faults)
    return feed


def _kind_faults(feed: Feed) -> Iterator[str]:
    tables: dict[Kind, object] = {"sql": feed.sql, "http": feed.http, "push": feed.push}
    for kind, table in tables.items():
        if kind == feed.kind and table is None:
            yield f"kind is '{kind}', so the section [{kind}] is needed"
        if kind != feed.kind and table is not None:
            yield f"the section [{kind}] is not used by kind '{feed.kind}'"
    if feed.kind == "file" and not feed.files:
        yield "kind is 'file', so files is needed, e.g. files = [\"police-*.xlsx\"]"
    if feed.kind != "file" and feed.files:
        yield f"files is not used by kind '{feed.kind}'"
    if feed.at is not None and feed.kind in {"file", "push"}:
        yield f"at is not used by kind '{feed.kind}'"


def _layout_faults(feed: Feed) -> Iterator[str]:
    """A cell needs an indicator, a place, a date and a value; each must come from one side, and no two."""
    across = {"long": "", "indicators": "indicator", "places": "place", "dates": "date"}[feed.layout]
    for name in ("indicator", "place", "date"):
        ways = [getattr(feed.columns, name) != (), bool(getattr(feed.constants, name, "")), name == across]
        if sum(ways) == 0:
            constant = "" if name == "date" else f" or constants.{name}"
            yield f"nothing says the {name}: write columns.{name}{constant}"
        if sum(ways) > 1:
            yield f"the {name} is said twice: by layout, columns or constants; leave one"
    if feed.layout == "long" and not feed.columns.value:
        yield "layout is 'long', so columns.value is needed"
    if feed.layout != "long" and feed.columns.value:
        yield f"columns.value is not used by layout '{feed.layout}': every further column holds values"
    if feed.ratios and feed.constants.indicator:
        yield "ratios needs two columns or rows, and constants.indicator says that all are of one indicator"
    for name, texts in feed.columns.model_dump().items():
        for text in texts:
            if text.startswith("@") and (text not in OUTSIDE or name in {"value", "received_at"}):
                yield f"columns.{name}: {text!r} is not allowed; allowed: {', '.join(OUTSIDE)}, but for value"
    if feed.absent is not None and not feed.places:
        yield 'absent needs places: codes, or a tier, e.g. places = ["district"]'
    if feed.absent is not None and not indicators_of(feed):
        yield "absent needs indicators: the ids of what the feed delivers"


def _event_faults(feed: Feed) -> Iterator[str]:
    if feed.events is not None:
        yield from faults_of(feed.events, feed.kind, feed.model_fields_set, asks=asks_for_days(feed))


def _city_faults(feed: Feed, city: City, counted: dict[tuple[str, str], str]) -> Iterator[str]:
    ids, codes = city.indicators, city.places
    yield from _unknown("constants.indicator", [feed.constants.indicator], ids)
    yield from _unknown("constants.place", [feed.constants.place], codes)
    for text, id in feed.codes.indicator.items():
        yield from _unknown(f"codes.indicator.{text}", [id], ids)
    for text, code in feed.codes.place.items():
        yield from _unknown(f"codes.place.{text}", [code], codes)
    yield from _unknown("factors", feed.factors, ids)
    yield from _unknown("indicators", feed.indicators, ids)
    yield from _unknown("places", feed.places, {**codes, **city.tiers})
    yield from _unknown("ratios", [ratio.indicator for ratio in feed.ratios], ids)
    for id in (ratio.indicator for ratio in feed.ratios):
        if id in ids and ids[id].kind != "ratio":
            yield f"ratios: {id!r} is no percentage but a {ids[id].kind}"
    for id in indicators_of(feed) if feed.absent is not None else ():
        if id in ids and (ids[id].kind not in {"count", "amount"} or ids[id].period_agg != "sum"):
            yield f"absent = 0 says nothing of {id!r}: a {ids[id].kind} that was not sent is not 0"
    if feed.events is not None:
        yield from _unknown("events", feed.events.indicators(), ids)
        yield from city_faults(feed.events, feed.places, city)
        yield from claimed_twice(feed.id, feed.events, feed.places, city, counted)


def _unknown(where: str, names: Iterable[str], known: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        if name and name not in known:
            near = suggestion(name, known)
            yield f"{where}: {name!r} is unknown{near if 'did you mean' in near else ''}"


def _claimed_twice(feed: Feed, claims: dict[str, str]) -> Iterator[str]:
    for pattern in feed.files:
        owner = claims.setdefault(pattern.casefold(), feed.id)
        if owner != feed.id:
            yield f"files: {pattern!r} is claimed by {owner}.toml, too"
