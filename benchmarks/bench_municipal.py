"""Four real deployments: every file imported whole, and what the service says beside what is known to have happened.

    nice python -m benchmarks.bench_municipal

Complaints to New York's council offices (by 51 districts and 29 categories, by 5 boroughs and 132 kinds, by community
board and week), the police records of Rio de Janeiro (138 areas, 50 kinds, by month) and of eight US cities (by week),
each laid in a temporary folder as ``benchmarks/municipal`` describes it, with the rules that are shipped.  Nothing was
tuned on them.  Days are judged as they would have been known: values come when they are due.  The files lie in
``../shared/data/municipal``; where that folder is absent nothing is measured, and it says so.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.municipal import DATA, TOWNS, Town, laid
from benchmarks.municipal.known_events import Heard, Line, heard, indicator_of, openings, read_lines
from warning import jobs, pipeline
from warning.model import Level, SeriesKey
from warning.replay import Replayed, as_known, morning_after, replay
from warning.scoring import make_ready, score
from warning.service import Service, opened

NOW = datetime(2024, 1, 2, tzinfo=UTC)
BEFORE, AFTER = timedelta(days=21), timedelta(days=13)  # of a line's Monday: what is replayed around it
QUIET = {  # stretches without a known event
    "nyc": (date(2018, 9, 3), date(2018, 10, 14)),
    "nyc_boards": (date(2017, 9, 4), date(2018, 9, 2)),
    "rio": (date(2014, 1, 1), date(2016, 12, 31)),
    "us_cities": (date(2019, 1, 7), date(2020, 1, 5)),
}
SWEPT = {  # one day of each, swept with its texts and mails
    "nyc": date(2020, 3, 24),
    "nyc_boards": date(2020, 3, 29),
    "rio": date(2016, 12, 21),
    "us_cities": date(2020, 3, 29),
}
SHOCK = {"us_cities": (date(2020, 2, 3), date(2020, 5, 3))}  # no line of events.csv is about it
PREFIX = {"nyc": "cc", "nyc_boards": "cb"}
WORDS = {Level.YELLOW: "yellow", Level.ORANGE: "orange", Level.RED: "red"}


def main() -> int:
    """Measure each deployment in a process of its own; return 1 if a row of a file is unaccounted for."""
    if not DATA.is_dir():
        print(f"left out: {DATA} is absent")
        return 0
    if sys.argv[1:]:
        return _measured(next(town for town in TOWNS if town.name == sys.argv[1]))
    status = 0
    for town in TOWNS:
        sys.stdout.flush()
        command = [sys.executable, "-m", "benchmarks.bench_municipal", town.name]
        status |= subprocess.run(command, check=False).returncode
    return status


def _measured(town: Town) -> int:
    with tempfile.TemporaryDirectory() as folder, opened(laid(town, Path(folder) / town.name)) as service:
        city = service.city
        print(f"== {town.name}: {city.name_en}, {len(city.places)} places, {len(city.indicators)} indicators")
        whole = _imported(service)
        _swept(service, SWEPT[town.name])
        if town.name in PREFIX:
            _compared(service, PREFIX[town.name])
        if town.name in SHOCK:
            _told(service, "lockdowns of spring 2020", *SHOCK[town.name])
        _told(service, "quiet", *QUIET[town.name])
        print(f"peak memory {_peak()} MB")
        print()
    return 0 if whole else 1


def _imported(service: Service) -> bool:
    with _clock() as took:
        accounts = jobs.take_in(service, NOW)
    for one in accounts:
        parts = f"{one.accepted:,} accepted + {one.unchanged:,} unchanged + {one.quarantined:,} quarantined"
        print(f"{one.name}: {one.rows:,} rows = {parts}{f'; {one.error}' if one.error else ''}")
    rows = sum(one.rows for one in accounts)
    print(f"imported: {rows:,} rows in {took}; peak memory {_peak()} MB")
    sums = all(one.rows == one.accepted + one.unchanged + one.quarantined and one.rows for one in accounts)
    return sums and len(accounts) == len(service.feeds)


def _swept(service: Service, day: date) -> None:
    with _clock() as took:
        swept = pipeline.sweep(service, day, now=morning_after(service, day))
    print(
        f"sweep of {day}: {swept.watched:,} series, {swept.missing:,} of them missing, {len(swept.events)} event(s),"
        f" {swept.documents} texts, {swept.messages} mails: {took}"
    )


def _compared(service: Service, prefix: str) -> None:
    """Say of each line of events.csv whether the service warned."""
    lines = read_lines(DATA / "events.csv", "nyc_complaints_daily")
    in_week = before = 0
    for monday in sorted({line.monday for line in lines}):
        days = _replayed(service, monday - BEFORE, monday + AFTER)
        for line in (line for line in lines if line.monday == monday):
            indicator = indicator_of(prefix, line.category)
            if indicator not in service.city.indicators:
                continue
            what = heard(line, indicator, days)
            told = what is not None and what.first <= line.monday + timedelta(days=6)
            stood = what is not None and what.first < line.monday
            in_week, before = in_week + (told and not stood), before + stood
            said = _said(what, stood=stood) if what else "missed"
            print(f"- {line.text}: {said}{'' if told else _why(service, line, indicator)}")
    print(f"lines told within their week: {in_week}, standing before it: {before}")


def _said(what: Heard, *, stood: bool) -> str:
    where = f"in {what.where[0]}" + (f" and {len(what.where) - 1} more" if len(what.where) > 1 else "")
    return (
        f"{WORDS[what.level]} {where}, {'standing since' if stood else 'first on'} the data of {what.first:%a %d %b};"
        f" beside it {what.others} other alerts stood ({what.graver} orange or red), {what.opened} opened that day"
    )


def _why(service: Service, line: Line, indicator: str) -> str:
    """Say how far from a threshold the city's own week was at its end."""
    sunday = line.monday + timedelta(days=6)
    key, ways = SeriesKey(indicator, service.city.root), []
    panels = as_known(service)(sunday)
    rules = tuple(
        rule
        for rule in service.rules.rules
        if indicator in rule.indicators and rule.tier == service.city.places[service.city.root].tier
        and (rule.direction == "fall") is not line.rises
    )  # fmt: skip
    chosen = replace(service, rules=replace(service.rules, rules=rules))
    for name, judged in score(chosen, panels, dict.fromkeys(panels, 7))[0].items():
        column = judged.keys.index(key)
        rows = judged.dates >= np.datetime64(line.monday)
        surprise = judged.scores.surprise[rows, column] * (1 if line.rises else -1)
        if np.isfinite(surprise).any():
            row = int(np.nanargmax(surprise))
            observed, expected = (part[rows, column][row] for part in (judged.scores.observed, judged.scores.expected))
            ways.append(f"{name} surprise {surprise[row]:.1f}, {observed:.0f} against {expected:.1f}")
    return f" (nearest: {'; '.join(ways) or 'nothing could be judged'})"


def _told(service: Service, what: str, first: date, last: date) -> None:
    """Count the alerts that opened in a stretch."""
    days = _replayed(service, first - BEFORE, last)
    inside = [day for day in days if day.day >= first]
    levels = Counter(alert.peak for _, alert in openings(inside))
    watched = sum(coverage.watched for coverage in inside[-1].coverages.values())
    places = sum(len(day.coverages) for day in inside)
    coloured = sum(c.colour >= Level.YELLOW for day in inside for c in day.coverages.values())
    standing = np.median([sum(alert.active > Level.CALM for alert in day.live.values()) for day in inside])
    unit = {1: "day", 7: "week"}.get((days[1].day - days[0].day).days, "month")
    opened_ = ", ".join(f"{levels[level]} {WORDS[level]}" for level in WORDS)
    rate = sum(levels.values()) / len(inside)
    print(
        f"{what}, {first} to {last}: {rate:.2f} alerts a {unit} opened in {watched:,} series ({opened_} in all),"
        f" {standing:.0f} stood on the median {unit}, {coloured / places:.1%} of place-{unit}s coloured"
    )


def _replayed(service: Service, first: date, last: date) -> list[Replayed]:
    """Return what the sweeps of days, Sundays or months would have said; months are judged on the 21st."""
    days: Sequence[date] = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    frequencies = {service.city.indicators[rule.indicators[0]].frequency for rule in service.rules.rules}
    if frequencies == {"weekly"}:
        days = [day for day in days if day.weekday() == 6]
    if frequencies == {"monthly"}:
        days = [day for day in days if day.day == 21]
    for day in (days[0], days[-1]):
        make_ready(service, day)
    return list(replay(service, days, as_known(service)))


@dataclass
class _Took:
    """How long something took, on the wall and of the processor."""

    wall: float = 0.0
    processor: float = 0.0

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.processor:.1f} s of CPU)"


@contextmanager
def _clock() -> Iterator[_Took]:
    took, wall, processor = _Took(), time.perf_counter(), time.process_time()
    yield took
    took.wall, took.processor = time.perf_counter() - wall, time.process_time() - processor


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
