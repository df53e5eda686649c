"""A town of two districts and three streets whose grid officers report events, and mappings that count them.

Grids are numbered behind the code of their street: 010101-03.  What is counted: thefts and fires a day, campus calls a
week, inspections a month, the share of what was closed in time a day and a week.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import little_city
from little_city import set_clock

from warning.mapping import Feed
from warning.model import SeriesKey
from warning.service import Service
from warning.store import Store, observation

EAST, WEST, TOWN = "0101", "0102", "01"
BRIDGE, MARKET, HARBOUR = "010101", "010102", "010201"  # two streets in the east, one in the west
STREETS = (BRIDGE, MARKET, HARBOUR)

PLACES = """
code,name_zh,name_en,tier,parent
01,小城,Little City,city,
0101,东区,East District,district,01
0102,西区,West District,district,01
010101,石桥街道,Stone Bridge,street,0101
010102,集市街道,Market,street,0101
010201,港口街道,Harbour,street,0102
"""
INDICATORS = (
    little_city.CITY["indicators.csv"]
    + """
closed,按期办结率,Closed in time,ss_po,positive,%,ratio,daily,,网格办,mean,false,mid
solved,化解率,Solved,ss_po,positive,%,ratio,weekly,,网格办,mean,false,mid
visits,巡查数,Inspections,ss_po,positive,次,count,monthly,,网格办,sum,false,mid
pending,未办结数,Pending,ss_po,negative,件,count,daily,,网格办,last,false,mid
"""
)
EVENTS: dict[str, Any] = {
    "delivery": "days",
    "grid": "网格",
    "time": "时间",
    "category": "类别",
    "result": "结果",
    "counts": [
        {"indicator": "thefts", "categories": ["盗窃", "入室*"]},
        {"indicator": "fires", "categories": "火灾"},
    ],
    "ratios": [{"indicator": "closed", "categories": "*", "results": "按期", "of": "超期"}],
}
HEADER = "网格,时间,类别,结果"


def feed(events: Mapping[str, Any] = {}, **mapping: Any) -> Feed:
    """Return the mapping of the grid officers' files, with what is said otherwise."""
    said = {"id": "grid", "name_zh": "网格事件", "files": ["网格*"], "events": {**EVENTS, **events}, **mapping}
    if said.get("kind", "file") != "file":
        del said["files"]
    return Feed.model_validate(said)


def increments(events: Mapping[str, Any] = {}, **mapping: Any) -> Feed:
    """Return a mapping of new events alone."""
    return feed({"delivery": "increments", "since": "2026-11-16", **events}, **mapping)


def lay(folder: Path) -> Path:
    """Lay the town, on Friday at seven in the evening, without a past; return its configuration."""
    config = little_city.lay(folder, history=False)
    for name, text in (("places.csv", PLACES), ("indicators.csv", INDICATORS)):
        lines = [line for line in text.splitlines() if line]
        (folder / "city" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "city" / "city.toml").open("a", encoding="utf-8") as file:
        file.write('street = { zh = "街道", en = "Street" }\n')
    return config


def table(*rows: str, header: str = HEADER) -> str:
    """Return a file; ``"010101-1 20 盗窃 按期 x3"`` is three thefts of the 20th, in a grid of the bridge's street.

    Where a time of day is told, ``20T09:30:01``, it stands in the file; else events are one at each whole minute.
    """
    lines = [header]
    for row in rows:
        grid, when, category, *rest = row.split()
        times = next((int(word[1:]) for word in rest if word[:1] == "x" and word[1:].isdigit()), 1)
        result = next((word for word in rest if not (word[:1] == "x" and word[1:].isdigit())), "")
        day, _, clock = when.partition("T")
        date = f"2026-11-{day}" if len(day) == 2 else day
        for n in range(times):
            lines.append(f"{grid},{date} {clock or f'{n // 60:02}:{n % 60:02}'},{category},{result}")
    return "\n".join(lines) + "\n"


def values(service: Service | Store, indicator: str, day: str, places: Iterable[str] = STREETS) -> list[list[float]]:
    """Return every value the places ever had for a day of November, or for a date."""
    store = service.store if isinstance(service, Service) else service
    when = datetime.fromisoformat(f"2026-11-{day}" if len(day) == 2 else day).date()
    found = (observation.revisions(store, SeriesKey(indicator, place), when) for place in places)
    return [[one.value for one in revisions] for revisions in found]


__all__ = ["set_clock"]
