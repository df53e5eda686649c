"""How long 1.6 million rows take from the file to the store, and whether memory grows with the number of files.

    nice python -m benchmarks.bench_import

Makes its own input in a temporary folder; each measurement is a process of its own, so that its peak memory is its
own.  Ends with 1 if a limit is missed.
"""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from warning.city import City, load_city
from warning.intake import import_folder
from warning.mapping import Feed
from warning.paths import shipped
from warning.store import open_store

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LAST = date(2026, 11, 20)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
ZONE = ZoneInfo("Asia/Shanghai")
ROWS, SECONDS = 1_600_000, 30.0
DAYS_A_FILE, FEW, MANY, GROWTH = 30, 10, 200, 16.0  # MB that 190 files more may take
LARGE = {
    "native": "without a mapping, UTF-8",
    "mapped": "by a mapping, GB18030",
    "packed": "by a mapping, GB18030 packed by gzip",
}
COLUMNS = {"indicator": "事项", "place": "辖区", "date": "日期", "value": "数量"}
FEED = Feed.model_validate({"id": "bench", "name_zh": "bench", "files": ["long*"], "columns": COLUMNS})


def main() -> int:
    """Run every measurement; return 1 if a limit is missed."""
    if sys.argv[1:]:
        return _one(*sys.argv[1:])
    status = 0
    for kind, what in LARGE.items():
        rows, seconds, processor, before, peak = _measured(kind, "1")
        print(
            f"{rows:,.0f} rows {what}: {seconds:.1f} s (limit {SECONDS} s; {processor:.1f} s of CPU),"
            f" {peak - before:.0f} MB beyond the program"
        )
        status |= seconds > SECONDS or rows < 0.99 * ROWS
    grown = {}
    for files in (FEW, MANY):
        rows, seconds, _, before, peak = _measured("files", str(files))
        grown[files] = peak - before
        print(f"{files} files of {rows / files:,.0f} rows: {seconds:.1f} s, {grown[files]:.1f} MB beyond the program")
    print(f"{MANY - FEW} files more: {grown[MANY] - grown[FEW]:+.1f} MB (limit {GROWTH} MB)")
    return int(status or grown[MANY] - grown[FEW] > GROWTH)


def _measured(kind: str, files: str) -> tuple[float, ...]:
    """Return rows stored, seconds, those of CPU, and peak memory before and after, MB, of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_import", kind, files]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(map(float, answer.split()))


def _one(kind: str, files: str) -> int:
    city = load_city(shipped("city"))
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder) / "feeds"
        feeds.mkdir()
        if kind == "files":
            for n in range(int(files)):
                lines = _lines(city, kind, DAYS_A_FILE, LAST - timedelta(days=DAYS_A_FILE * n))
                (feeds / f"long{n:04}.csv").write_text("".join(lines), encoding="gb18030")
        else:
            _write_large(feeds, city, kind)
        store = open_store(Path(folder) / "kapok.db")
        before, begin, processor = _peak(), time.perf_counter(), time.process_time()
        mappings = {} if kind == "native" else {FEED.id: FEED}
        accounts = import_folder(
            store, city, feeds, now=NOW, late_after=LATE_AFTER, zone=ZONE, feeds=mappings
        )  # fmt: skip
        seconds, processor = time.perf_counter() - begin, time.process_time() - processor
        store.close()
    assert all(one.accepted == one.rows and one.error is None for one in accounts)
    print(sum(one.rows for one in accounts), seconds, processor, before, _peak())
    return 0


def _write_large(feeds: Path, city: City, kind: str) -> None:
    encoding = "utf-8" if kind == "native" else "gb18030"
    path = feeds / ("long.csv.gz" if kind == "packed" else "long.csv")
    opened = gzip.open if kind == "packed" else open
    with opened(path, "wt", encoding=encoding) as file:
        file.writelines(_lines(city, kind, ROWS // _series(city), LAST))


def _lines(city: City, kind: str, days: int, last: date) -> Iterator[str]:
    """Yield the lines of a long file: every daily count of every district, day by day back from a date."""
    indicators = [one for one in city.indicators.values() if one.frequency == "daily" and one.kind == "count"]
    places = city.at_tier("district")
    yield "indicator,place,date,value\n" if kind == "native" else "事项,辖区,日期,数量\n"
    for n in range(days):
        day = last - timedelta(days=n)
        text = f"{day}" if kind == "native" else f"{day.year}年{day.month}月{day.day}日"
        for k, one in enumerate(indicators):
            name = one.id if kind == "native" else one.name_zh
            for place in places:
                where = place.code if kind == "native" else place.name_zh
                yield f"{name},{where},{text},{(day.toordinal() * 7 + k) % 90}\n"


def _series(city: City) -> int:
    daily = sum(one.frequency == "daily" and one.kind == "count" for one in city.indicators.values())
    return daily * len(city.at_tier("district"))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
