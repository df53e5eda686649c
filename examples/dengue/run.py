"""Run the example over 2008-2016 and say how early it spoke, how often for nothing, and what it missed.

python -m examples.dengue.run            prints the figures
python -m examples.dengue.run --write    puts them into README.md
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from examples.dengue.score import MANY, Period, Season, Struck, Watched, period, season, struck
from warning import jobs
from warning.city import City
from warning.model import Alert, Level, SeriesKey
from warning.replay import as_known, morning_after, replay
from warning.scoring import Known, known
from warning.service import Deployment, Service, load_deployment, opened, writing_to

HERE = Path(__file__).resolve().parent
CASES = HERE / "dengue_weekly.csv.gz"
BEGIN, END = "<!-- figures: python -m examples.dengue.run --write -->", "<!-- end of figures -->"

FIRST = date(2008, 1, 13)  # the last day of the first whole week
CITIES = ("kaohsiung", "tainan")
LEARNT = range(2009, 2014)  # the years thresholds were chosen on; 2008 is history only
JUDGED = range(2014, 2017)
EPIDEMICS = (("kaohsiung", 2014), ("kaohsiung", 2015), ("tainan", 2015))
QUIET = (
    ("tainan", date(2014, 1, 1), date(2014, 12, 31)),
    ("tainan", date(2016, 1, 1), date(2016, 12, 31)),
    ("kaohsiung", date(2016, 7, 1), date(2016, 12, 31)),
)


def laid(folder: Path, through: int = 2016) -> Deployment:
    """Return the example as a deployment that writes to a folder, with its feed laid there, up to a year."""
    deployment = load_deployment(HERE / "config.toml")
    feeds = folder / "feeds"
    feeds.mkdir(parents=True)
    with gzip.open(CASES, "rt", encoding="utf-8") as file:
        head, *rows = file.readlines()
    kept = [row for row in rows if _week(row).year <= through and (_week(row) + timedelta(days=6)).year <= through]
    (feeds / "dengue_weekly.csv").write_text("".join([head, *kept]), encoding="utf-8")
    return writing_to(deployment, folder)


def taken_in(deployment: Deployment) -> Service:
    """Return the deployment opened, its feed imported; the rows say themselves when they were received."""
    service = opened(deployment)
    jobs.take_in(service, datetime(2017, 1, 2, tzinfo=UTC))
    return service


def sundays(through: int) -> list[date]:
    """Return the last day of every week of the feed: what a sweep on the Monday after judges."""
    days = (FIRST + timedelta(days=7 * week) for week in range(52 * 10))
    return [day for day in days if day.year <= through]


def morning(service: Service) -> Callable[[date], datetime]:
    """Return from a Sunday to the instant of its sweep: Monday at nine, an hour after the feed."""
    return lambda day: morning_after(service, day, time(9))


def ran(through: int = 2016) -> tuple[City, Watched]:
    """Return the example's city and ``active`` of every township and week: the service's own steps, week by week."""
    with TemporaryDirectory() as folder, taken_in(laid(Path(folder), through)) as service:
        days = sundays(through)
        weeks = [week.live for week in replay(service, days, as_known(service, morning(service)))]
        [panel] = known(service, days[-1], known_at=morning(service)(days[-1])).values()
        return service.city, _watched(service.city, days, weeks, panel)


def _watched(city: City, days: Sequence[date], weeks: Sequence[Mapping[SeriesKey, Alert]], panel: Known) -> Watched:
    first = int(np.searchsorted(panel.dates, np.datetime64(days[0] - timedelta(days=6))))
    levels = [[live[key].active if key in live else Level.CALM for key in panel.keys] for live in weeks]
    return Watched(
        mondays=tuple(day - timedelta(days=6) for day in days),
        places=tuple(key.place for key in panel.keys),
        cities=tuple(str(city.places[key.place].parent) for key in panel.keys),
        cases=panel.values[first:].astype(np.int64),
        active=np.array(levels, dtype=np.int8),
    )


def _week(row: str) -> date:
    return date.fromisoformat(row.split(",")[2])


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
