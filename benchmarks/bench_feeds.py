"""How fast files in the shapes departments send are read by their mappings.

    nice python -m benchmarks.bench_feeds

Makes its own input, prints medians beside the limits, and ends with 1 if one is missed.
"""

from __future__ import annotations

import hashlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from openpyxl import Workbook

from warning import counting
from warning.city import City, load_city
from warning.intake import mapped
from warning.mapping import Feed
from warning.paths import shipped
from warning.sources.delivery import Receipt
from warning.sources.events import events_of
from warning.sources.files import bodies_of, read_by
from warning.store import Store, open_store, tally

NOW = datetime(2026, 11, 26, tzinfo=UTC)
FIRST = date(2025, 11, 20)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
ZONE = ZoneInfo("Asia/Shanghai")
TIMES = 3
EVENTS = 1_000_000
COMMON = {"id": "bench", "name_zh": "bench", "files": ["a"]}


def main() -> int:
    """Run every measurement; return 1 if a limit is missed."""
    city = load_city(shipped("city"))
    wide = Feed.model_validate(
        {
            **COMMON,
            "layout": "indicators",
            "columns": {"date": "日期"},
            "constants": {"place": "440103"},
            "align": True,
            "repeated": "last",  # of the days of a week or a month
            "factors": dict.fromkeys((one.id for one in city.indicators.values() if one.kind == "ratio"), 1),
        }
    )
    columns = {"indicator": "事项", "place": "辖区", "date": "日期", "value": "数量"}
    long = Feed.model_validate({**COMMON, "columns": columns})
    text, rows = _long(city)
    found = [
        _measured("XLSX, 365 days x 132 indicators, read and understood", city, wide, _wide(city), 365 * 132, 5.0),
        _measured(f"CSV in GB18030, {rows:,} rows, read and understood", city, long, text, rows, 10.0),
    ]
    found += _events(city)
    return 0 if all(found) else 1


def _measured(what: str, city: City, feed: Feed, content: bytes, cells: int, limit: float) -> bool:
    seconds = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        rows = mapped(read_by(feed, "a", content), feed, city, NOW, LATE_AFTER, zone=ZONE, name="a", sha256="0")
        seconds.append(time.perf_counter() - begin)
        assert not rows.quarantined
        assert feed.align or rows.read == cells
    print(f"{what}: {statistics.median(seconds):.2f} s (limit {limit} s, worst of {TIMES}: {max(seconds):.2f} s)")
    return statistics.median(seconds) <= limit


def _events(city: City) -> list[bool]:
    """Measure a million events of a day: read, kept as tallies, and made into values; the last day of a week."""
    content, feed = _million(city), _counting(city)
    assert feed.events is not None
    receipt = Receipt(feed, feed.events, city, NOW, ZONE, LATE_AFTER)
    with tempfile.TemporaryDirectory() as name, closing(open_store(Path(name) / "kapok.db")) as store:
        first = _timed(lambda: _keep(store, content, receipt))
        size = store.rows("SELECT sum(length(cells)) FROM tally")[0][0] / 1e6
        again = _timed(lambda: _keep(store, content.replace(b"0005", b"0006"), receipt))
        _copy(store, feed, range(1, 7))
        last = _timed(lambda: _keep(store, content, receipt))
        new = feed.model_copy(update={"id": "new", "events": feed.events.model_copy(update={"delivery": "increments"})})
        assert new.events is not None
        adds = Receipt(new, new.events, city, NOW, ZONE, LATE_AFTER)
        _keep(store, content, adds)
        lines = content.split(b"\n")
        part = b"\n".join([lines[0], *lines[1 : EVENTS // 288]]) + b"\n"
        added = _timed(lambda: _keep(store, part.replace(b"2026-11-21", b"2026-11-21 "), adds))
    return [
        _said(
            f"{EVENTS:,} events of a day, read, tallied, {len(feed.events.indicators())} indicators kept", first, 8.0
        ),
        _said(f"{EVENTS:,} events of the day once more, one category another, s", again, 8.0),
        _said("the day that completes a week of such days, with a weekly indicator, s", last, 10.0),
        _said(f"{EVENTS // 288:,} more events of such a day, as every five minutes, s", added, 1.0),
        _said(f"what the tallies of {EVENTS:,} events take in the database, MB", size, 10.0),
    ]


def _keep(store: Store, content: bytes, receipt: Receipt) -> None:
    sha256 = hashlib.sha256(content + receipt.feed.id.encode()).hexdigest() + str(time.perf_counter_ns())
    delivery = events_of(bodies_of("a", content), receipt, name="a", sha256=sha256)
    assert not delivery.quarantined
    with store.write():
        counting.keep(store, delivery, receipt)


def _copy(store: Store, feed: Feed, back: range) -> None:
    """Keep a day's tallies for days before it, too."""
    number, _ = tally.feed_of(store, feed.id) or (0, "")
    ((day, one),) = tally.days(store, number).items()
    ((_, cells),) = tally.cells(store, number, [day])
    with store.write():
        tally.keep(store, number, {day - n: (one, cells) for n in back})


def _timed(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _said(what: str, found: float, limit: float) -> bool:
    print(f"{what}: {found:.2f} (limit {limit})")
    return found <= limit


def _counting(city: City) -> Feed:
    """Return a mapping with twenty daily counts, a weekly one, and a percentage."""
    of = [one for one in city.indicators.values() if one.kind == "count" and one.period_agg == "sum"]
    asked = [one.id for one in of if one.frequency == "daily"][:20] + [
        one.id for one in of if one.frequency == "weekly"
    ][:1]
    events = {
        "delivery": "days",
        "grid": "网格编码",
        "time": "上报时间",
        "category": "类别",
        "result": "结果",
        "since": date(2026, 11, 1),
        "counts": [{"indicator": id, "categories": [f"{n:04}", f"{n + 50:04}"]} for n, id in enumerate(asked)],
        "ratios": [
            {"indicator": "is_gr_event_close_ratio", "categories": "*", "results": "按期办结", "of": "超期办结"}
        ],
    }
    return Feed.model_validate({**COMMON, "events": events})


def _million(city: City) -> bytes:
    """Return the events of 21 November 2026, some categories often and most of them rarely, in 21,120 grids."""
    chance = np.random.default_rng(1)
    grids = [f"{place.code}{n:06}" for place in city.at_tier("street") for n in range(120)]
    results = ("按期办结", "超期办结", "未办结", "")
    drawn = zip(
        chance.integers(0, len(grids), EVENTS).tolist(),
        chance.integers(0, 86_400, EVENTS).tolist(),
        np.minimum(chance.pareto(1.0, EVENTS) * 5, 108).astype(int).tolist(),
        chance.choice(4, EVENTS, p=[0.7, 0.05, 0.05, 0.2]).tolist(),
        strict=True,
    )
    clocks = [f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(86_400)]
    lines = [
        f"{grids[grid]},2026-11-21 {clocks[second]},{kind:04},{results[result]}" for grid, second, kind, result in drawn
    ]
    return ("网格编码,上报时间,类别,结果\n" + "\n".join(lines) + "\n").encode()


def _wide(city: City) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(["某区指标日报"])
    sheet.append(["日期", *(one.name_zh for one in city.indicators.values())])
    for n in range(365):
        sheet.append([FIRST + timedelta(days=n), *((n + k) % 90 for k in range(len(city.indicators)))])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _long(city: City) -> tuple[bytes, int]:
    indicators = [one for one in city.indicators.values() if one.frequency == "daily" and one.kind == "count"]
    places = city.at_tier("district")
    days = [FIRST - timedelta(days=n) for n in range(500_000 // (len(indicators) * len(places)))]
    lines = [
        f"{one.name_zh},{place.name_zh},{day.year}年{day.month}月{day.day}日,{(day.day * 7 + k) % 90}\n"
        for day in days
        for k, one in enumerate(indicators)
        for place in places
    ]
    return ("事项,辖区,日期,数量\n" + "".join(lines)).encode("gb18030"), len(lines)


if __name__ == "__main__":
    sys.exit(main())
