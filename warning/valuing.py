"""What the events of a feed are counted for: values of indicators in the places its mapping names."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Sequence
from datetime import time
from fnmatch import fnmatchcase

import numpy as np

from warning.event_mapping import Events, counted_in, upwards
from warning.model import Rows
from warning.sources.cells import local_days
from warning.sources.delivery import Delivery, Kind, Receipt
from warning.sources.grids import Grids
from warning.sources.naming import key
from warning.sources.rows import Due, Known, due_seconds, last_days
from warning.tallying import Cells, Mask, Sums, Values, by_place, periods, values_of

UNKNOWN = -2  # of a grid whose place was not looked up yet


def made_by(receipt: Receipt) -> str:
    """Return what decides the values of a feed beside its tallies: where it is another, all are made anew."""
    feed, events, city = receipt.feed, receipt.events, receipt.city
    said = {
        "counts": [one.model_dump() for one in events.counts],
        "ratios": [one.model_dump() for one in events.ratios],
        "places": counted_in(events.tier, feed.places, city.places),
        "frequencies": [city.indicators[id].frequency for id in events.indicators()],
        "codes": dict(feed.codes.place),
        "grids": sorted(city.grids.items()),
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def used_for(events: Events, kinds: Iterable[Kind]) -> dict[Kind, tuple[str, ...]]:
    """Return for each category and result the indicators it is counted for, as part or among what it is a part of."""
    found = {}
    for kind in kinds:
        counts = (one.indicator for one in events.counts if _is_of(kind, one.categories, one.results))
        shares = (one.indicator for one in events.ratios if _is_of(kind, one.categories, (*one.results, *one.of)))
        found[kind] = (*counts, *shares)
    return found


def named_of(events: Events, kinds: Iterable[Kind]) -> set[str]:
    """Return the categories that some indicator asks for by name, not as one of all."""
    named = [*(one.categories for one in events.counts), *(one.categories for one in events.ratios)]
    asked = [patterns for patterns in named if "*" not in patterns]
    return {kind.category for kind in kinds if any(_among(kind.category, patterns) for patterns in asked)}


def silent_of(events: Events, kinds: Iterable[Kind]) -> tuple[str, ...]:
    """Return the categories that are asked for and that none of some kinds is of."""
    named = [*(one.categories for one in events.counts), *(one.categories for one in events.ratios)]
    met = {kind.category for kind in kinds}
    patterns = dict.fromkeys(pattern for patterns in named for pattern in patterns)
    return tuple(pattern for pattern in patterns if not any(_among(category, (pattern,)) for category in met))


def _is_of(kind: Kind, categories: Collection[str], results: Collection[str]) -> bool:
    return _among(kind.category, categories) and _among(kind.result, results)


def _among(text: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(key(text), key(pattern)) for pattern in patterns)


def needed(whole: Sequence[int], changed: Collection[int], frequencies: Collection[str]) -> list[int]:
    """Return the whole days of every period some day of which has changed."""
    if not {*frequencies} - {"daily"}:
        return sorted(changed)
    wanted: set[int] = set()
    for frequency in {*frequencies}:
        first = dict(zip(whole, periods(np.array(whole, dtype=np.int64), frequency)[0].tolist(), strict=True))
        asked = {first[day] for day in changed}
        wanted |= {day for day in whole if first[day] in asked}
    return sorted(wanted)


def values(
    days: Iterable[tuple[int, Cells]],
    changed: Collection[int],
    receipt: Receipt,
    grids: Sequence[str],
    kinds: Sequence[Kind],
) -> tuple[Values, int]:
    """Return the values of the periods some day of which has changed, and how many events lie in no place any more.

    Args:
        days: The whole days of these periods, ascending.
        changed: Which of them have.
        receipt: By which feed of which city.
        grids: By number.
        kinds: By number.
    """
    feed, events, city = receipt.feed, receipt.events, receipt.city
    where = Grids(city, feed.codes, events.tier, feed.places)
    position = {code: n for n, code in enumerate(where.counted)} | {"": -1}
    sums, place_of = _sums(events, city, kinds), np.full(len(grids), UNKNOWN)
    numbers, counted, nowhere = [], [], 0
    for day, cells in days:
        fresh = np.unique(cells.grids[place_of[cells.grids] == UNKNOWN])
        place_of[fresh] = [position[where.place(grids[grid])] for grid in fresh.tolist()]
        numbers.append(day)
        nowhere += int(cells.counts[place_of[cells.grids] < 0].sum())
        counted.append(by_place(cells, place_of, len(where.counted), sums))
    table = np.stack(counted) if counted else np.empty((0, len(where.counted), 2 * len(sums)))
    on = np.array(numbers, dtype=np.int64)
    news = np.isin(on, np.array(sorted(changed), dtype=np.int64))
    return values_of(on, table, news, sums, _within(where.counted, events.tier, city), where.counted), nowhere


def _sums(events: Events, city: Known, kinds: Sequence[Kind]) -> list[Sums]:
    def of(categories: Collection[str], results: Collection[str]) -> Mask:
        return np.array([_is_of(kind, categories, results) for kind in kinds], dtype=np.bool_)

    frequency = {id: city.indicators[id].frequency for id in events.indicators()}
    counts = [Sums(one.indicator, frequency[one.indicator], of(one.categories, one.results)) for one in events.counts]
    shares = [
        Sums(
            one.indicator,
            frequency[one.indicator],
            of(one.categories, one.results),
            of(one.categories, (*one.results, *one.of)),
        )
        for one in events.ratios
    ]
    return [*counts, *shares]


def _within(counted: Sequence[str], tier: str, city: Known) -> dict[str, list[int]]:
    """Return the places all of which a feed counts, each with the positions of those that lie in it, or itself."""
    position = {code: n for n, code in enumerate(counted)}
    inside: dict[str, list[str]] = {}
    for code in counted_in(tier, (), city.places):
        for place in upwards(code, city.places):
            inside.setdefault(place.code, []).append(code)
    return {
        code: [position[one] for one in below]
        for code, below in inside.items()
        if all(one in position for one in below)
    }


def rows_of(delivery: Delivery, found: Values, receipt: Receipt) -> Rows:
    """Return values as the rows of a feed, received with a delivery."""
    indicators = receipt.city.indicators
    frequencies = [indicators[series.indicator].frequency for series in found.keys]
    allowed = np.array([receipt.late_after[frequency] for frequency in frequencies], dtype=np.int64)[found.series]
    of = np.array(frequencies, dtype=str)[found.series]
    ends, now = last_days(found.days, lambda wanted: of == wanted), math.floor(receipt.at.timestamp())
    received = np.full(len(found.days), now)
    if receipt.feed.archive:
        due = Due(receipt.feed.due_days, time.fromisoformat(receipt.feed.due or "00:00"))
        received = np.minimum(due_seconds(ends, due, receipt.zone, now=now), now).astype(np.int64)
    overdue = local_days(received, receipt.zone) - ends
    return Rows(
        name=delivery.name,
        sha256=delivery.sha256,
        keys=found.keys,
        series=found.series,
        dates=found.days.astype("datetime64[D]"),
        values=found.values,
        received=received,
        late=overdue > allowed,
        quarantined=(),
    )
