"""Run the example over 2008-2016 and say how early it spoke, how often for nothing, and what it missed.

python -m examples.dengue.run            prints the figures
python -m examples.dengue.run --write    puts them into README.md
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from detectors import DETECTORS, Panel, Scores
from examples.dengue.score import MANY, Period, Season, Struck, Watched, period, season, struck
from warning import grading, lifecycle
from warning.city import City, load_city
from warning.model import Alert, Level, SeriesKey
from warning.ruleset import Rule, load_rules, series_of

HERE = Path(__file__).resolve().parent
CASES = HERE / "dengue_weekly.csv.gz"
BEGIN, END = "<!-- figures: python -m examples.dengue.run --write -->", "<!-- end of figures -->"

CITIES = ("kaohsiung", "tainan")
LEARNT = range(2009, 2014)  # the years thresholds were chosen on; 2008 is history only
JUDGED = range(2014, 2017)
EPIDEMICS = (("kaohsiung", 2014), ("kaohsiung", 2015), ("tainan", 2015))
QUIET = (
    ("tainan", date(2014, 1, 1), date(2014, 12, 31)),
    ("tainan", date(2016, 1, 1), date(2016, 12, 31)),
    ("kaohsiung", date(2016, 7, 1), date(2016, 12, 31)),
)


@dataclass(frozen=True)
class Cases:
    """The weeks of the file: (T,) Mondays, N series, (T, N) cases."""

    mondays: tuple[date, ...]
    keys: tuple[SeriesKey, ...]
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def read_cases(path: Path = CASES, through: int = 2016) -> Cases:
    """Return the weeks that end in the year ``through`` or before; later rows are passed over unread."""
    found: dict[tuple[date, SeriesKey], float] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            monday = date.fromisoformat(row["date"])
            if (monday + timedelta(days=6)).year <= through:
                found[monday, SeriesKey(row["indicator"], row["place"])] = float(row["value"])
    mondays = tuple(sorted({monday for monday, _ in found}))
    keys = tuple(dict.fromkeys(key for _, key in found))
    return Cases(mondays, keys, np.array([[found[monday, key] for key in keys] for monday in mondays]))


def scored(rule: Rule, cases: Cases) -> Scores:
    """Return the rule's scores of every week: in one call, since no score depends on a later week."""
    panel = Panel(np.array(cases.mondays, dtype="datetime64[D]"), list(cases.keys), cases.values, "weekly")
    return DETECTORS[rule.detector](panel, last=len(cases.mondays), **rule.parameters)


def watched(city: City, rule: Rule, cases: Cases, scores: Scores) -> Watched:
    """Return ``active`` of every township and week: the scores graded by the rule, folded as alerts are."""
    dates = np.array(cases.mondays, dtype="datetime64[D]")
    signals = grading.signals(rule, cases.keys, dates, scores, city.indicators, last=len(dates), version="example")
    alerts: dict[SeriesKey, Alert | None] = dict.fromkeys(cases.keys)
    active = np.zeros(cases.values.shape, dtype=np.int8)
    for week, told in enumerate(signals):
        for column, (key, signal) in enumerate(zip(cases.keys, told, strict=True)):
            found = lifecycle.verdict(key, cases.mondays[week], [signal])
            alert, _ = lifecycle.advance(alerts[key], found, {rule.id: rule.quiet})
            alerts[key] = alert
            active[week, column] = Level.CALM if alert is None else alert.active
    places = tuple(key.place for key in cases.keys)
    return Watched(
        mondays=cases.mondays,
        places=places,
        cities=tuple(str(city.places[place].parent) for place in places),
        cases=cases.values.astype(np.int64),
        active=active,
    )


def ran(through: int = 2016) -> tuple[City, Watched]:
    """Return the example's city and what its rule made of the years."""
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = read_cases(through=through)
    assert set(cases.keys) == set(series_of(rule, city))  # noqa: S101 - the file and the rule are ours
    return city, watched(city, rule, cases, scored(rule, cases))


def quiet(watched: Watched) -> Period:
    """Return the alarms of the periods without an epidemic."""
    return period(watched, "Tainan 2014 and 2016, Kaohsiung July-December 2016", QUIET)


def figures(city: City, watched: Watched) -> str:
    """Return the README's figures, in Markdown."""
    return "\n".join(_figures(city, watched)) + "\n"


def _figures(city: City, watched: Watched) -> Iterator[str]:
    seasons = [season(watched, code, year) for year in (*LEARNT, *JUDGED) for code in CITIES]
    yield "| city, year | cases | alarms | second township orange | cases by then | most cases | lead, weeks |"
    yield "| --- | ---: | ---: | --- | ---: | --- | ---: |"
    yield from (_row(city, one) for one in seasons)
    yield ""
    yield "Bold: the three epidemics of the years judged.  2009–2013 are the years the thresholds were chosen on."
    yield ""
    yield "| period | alarms | township-years | alarms a township-year |"
    yield "| --- | ---: | ---: | ---: |"
    learnt = (date(LEARNT[0], 1, 1), date(LEARNT[-1], 12, 31))
    for span in (quiet(watched), *(period(watched, f"{_name(city, c)} 2009–2013", [(c, *learnt)]) for c in CITIES)):
        yield f"| {span.name} | {span.alarms} | {span.township_years:.1f} | {span.rate:.3f} |"
    yield ""
    hit = [*struck(watched, LEARNT), *struck(watched, JUDGED)]
    early = [one for one in hit if one.lead is not None and one.lead > 0]
    yield f"Township-years with {MANY} cases or more: {len(hit)}; orange before their own worst week: {len(early)},"
    yield f"by a median of {statistics.median(one.lead or 0 for one in early):.0f} weeks.  The others:"
    yield ""
    for one in hit:
        if one not in early:
            yield f"- {_name(city, one.place)}, {_name(city, str(city.places[one.place].parent))}, {one.year}: " + (
                f"{one.cases} cases, {_late(one)}"
            )


def _late(one: Struck) -> str:
    if one.lead is None:
        return "never orange"
    return "orange in the worst week itself" if one.lead == 0 else f"orange {-one.lead} week(s) after the worst"


def _row(city: City, one: Season) -> str:
    bold = "**" if (one.city, one.year) in EPIDEMICS else ""
    lead = "–" if one.lead is None else str(one.lead)
    known = "–" if one.spoke is None else one.known
    cells = (f"{_name(city, one.city)} {one.year}", one.cases, one.alarms, one.spoke or "never", known, one.peak, lead)
    return "| " + " | ".join(f"{bold}{cell}{bold}" for cell in cells) + " |"


def _name(city: City, code: str) -> str:
    return city.places[code].name_en


def main(arguments: list[str] | None = None) -> int:
    """Print the figures, or write them into README.md."""
    parser = argparse.ArgumentParser(description="How early, how often for nothing, what was missed.")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md")
    asked = parser.parse_args(arguments)
    text = figures(*ran())
    if not asked.write:
        print(text, end="")
        return 0
    readme = HERE / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
