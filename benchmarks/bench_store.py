"""How fast the store reads a window, takes in a large CSV file and keeps a sweep's scores.

    nice python -m benchmarks.bench_store

Makes its own input in a temporary folder, prints medians beside the limits, and ends with 1 if one is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from detectors.panel import Scores
from warning.intake import import_folder
from warning.model import Indicator, Place, SeriesKey
from warning.store import Store, matrix, observation, open_store, score
from warning.store.score import Way

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LAST = date(2026, 11, 20)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
PLACES = 11


@dataclass(frozen=True)
class Town:
    """As much of a city as a feed is checked against."""

    indicators: dict[str, Indicator]
    places: dict[str, Place]
    grids: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Run every measurement; return 1 if a limit is missed."""
    town = Town(
        {f"daily_{n}": _indicator(f"daily_{n}", "daily") for n in range(37)}
        | {f"weekly_{n}": _indicator(f"weekly_{n}", "weekly") for n in range(7)},
        {f"place_{n}": Place(f"place_{n}", "", "", "district", None) for n in range(PLACES)},
    )
    daily = [SeriesKey(f"daily_{n}", place) for n in range(37) for place in town.places]
    weekly = [SeriesKey(f"weekly_{n}", place) for n in range(7) for place in town.places]
    days = np.arange(np.datetime64(LAST) - 1094, np.datetime64(LAST) + 1)
    mondays = days[(days.astype(int) + 3) % 7 == 0]
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder) / "feeds"
        feeds.mkdir()
        rows = _write(feeds / "three_years.csv", {"daily": (daily, days), "weekly": (weekly, mondays)})
        path = Path(folder) / "kapok.db"

        def imported() -> None:
            path.unlink(missing_ok=True)
            store = open_store(path)
            (account,) = import_folder(
                store, town, feeds, now=NOW, late_after=LATE_AFTER, zone=ZoneInfo("Asia/Shanghai")
            )
            store.close()
            assert account.rows == rows
            assert account.quarantined == 0

        def windows() -> None:
            store = open_store(path)  # a new connection: nothing in SQLite's own cache
            for keys, dates in ((daily, days), (weekly, mondays)):
                assert np.isfinite(observation.window(store, keys, dates, known_at=NOW)).all()
            store.close()

        found = [
            _measured(f"{rows:,} CSV rows read, checked and stored", imported, 15.0, times=3),
            _measured("window, 407 x 1,095 daily and 77 x 156 weekly, from the rows", windows, 0.5, times=7),
        ]
        store = open_store(path)
        matrix.refresh(store, days[0].item(), LAST)
        store.close()
        found.append(_measured("the same from the matrix, as a sweep reads it", windows, 0.1, times=7))
        store = open_store(path)
        found.append(_measured("5,291 new scores of a sweep saved", _saving(store, daily), 0.1, times=7))
        store.close()
    return 0 if all(found) else 1


def _write(path: Path, parts: dict[str, tuple[list[SeriesKey], np.ndarray]]) -> int:
    """Write 500,000 rows: every value of the window, and corrections of the last ones."""
    generator = np.random.default_rng(1)
    lines = []
    for frequency, (keys, dates) in parts.items():
        delay = {"daily": 1, "weekly": 8}[frequency]
        for day in dates.tolist():
            received = f"{day + timedelta(days=delay)}T06:00:00+08:00"
            counts = generator.poisson(30, len(keys)).tolist()
            lines += [
                f"{key.indicator},{key.place},{day},{count},{received}\n"
                for key, count in zip(keys, counts, strict=True)
            ]
    corrections = [line.replace("T06", "T18") for line in lines[: 500_000 - len(lines)]]
    path.write_text("indicator,place,date,value,received_at\n" + "".join(lines + corrections), encoding="utf-8")
    return len(lines) + len(corrections)


def _saving(store: Store, keys: list[SeriesKey]) -> Callable[[], None]:
    generator = np.random.default_rng(2)
    dates = np.arange(np.datetime64(LAST) - 12, np.datetime64(LAST) + 1)  # 13 x 407 = 5,291 cells
    instants = iter(NOW + timedelta(days=n) for n in range(1000))

    def save() -> None:
        numbers: dict[str, Any] = {name: generator.normal(size=(len(dates), len(keys))) for name in score.FIELDS}
        with store.write():
            scores = Scores(**numbers, reason=np.zeros((len(dates), len(keys)), dtype=np.int8))
            score.save_scores(store, Way("daily", "outbreak", ""), keys, dates, scores, next(instants))

    return save


def _measured(what: str, work: Callable[[], None], limit: float, *, times: int) -> bool:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    median = statistics.median(taken)
    print(f"{what}: {median:.3f} s (limit {limit} s, worst of {times}: {max(taken):.3f} s)")
    return median <= limit


def _indicator(id: str, frequency: str) -> Indicator:
    return Indicator(
        id=id,
        name_zh="",
        name_en="",
        dimension="",
        level2="",
        level2_zh="",
        level2_en="",
        polarity="negative",
        unit="",
        kind="count",
        frequency=frequency,
        denominator="",
        department="",
        period_agg="sum",
        watch=True,
        volume_class="mid",
    )


if __name__ == "__main__":
    sys.exit(main())
