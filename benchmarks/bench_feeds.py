"""How fast files in the shapes departments send are read by their mappings.

    nice python -m benchmarks.bench_feeds

Makes its own input, prints medians beside the limits, and ends with 1 if one is missed.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from warning.city import City, load_city
from warning.intake import mapped
from warning.mapping import Feed
from warning.paths import shipped
from warning.sources.files import tables_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
FIRST = date(2025, 11, 20)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
ZONE = ZoneInfo("Asia/Shanghai")
TIMES = 3
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
    return 0 if all(found) else 1


def _measured(what: str, city: City, feed: Feed, content: bytes, cells: int, limit: float) -> bool:
    seconds = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        rows = mapped(tables_of("a", content), feed, city, NOW, LATE_AFTER, zone=ZONE, name="a", sha256="0")
        seconds.append(time.perf_counter() - begin)
        assert (rows.read, len(rows.quarantined)) == (cells, 0)
    print(f"{what}: {statistics.median(seconds):.2f} s (limit {limit} s, worst of {TIMES}: {max(seconds):.2f} s)")
    return statistics.median(seconds) <= limit


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
