"""A deployment of two districts and four indicators, with files of its past up to November 2026.

Small enough to be swept in a second.  What happens in it a test says itself, by adding to
the usual values, leaving some out, or sending a file nobody can read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

FIRST, FRIDAY = date(2025, 7, 7), date(2026, 11, 20)  # the past begins on a Monday
SATURDAY, SUNDAY, MONDAY = (FRIDAY + timedelta(days=n) for n in (1, 2, 3))
EAST, WEST = "0101", "0102"
MEAN = {"thefts": 12.0, "fires": 6.0, "quarrels": 20.0, "campus": 15.0}

CITY = {
    "city.toml": """
name_zh = "小城"
name_en = "Little City"
office = "小城指挥中心"
alert_prefix = "LC"
map_note = "示意图"
[tiers]
city = { zh = "市", en = "City" }
district = { zh = "区", en = "District" }
""",
    "places.csv": """
code,name_zh,name_en,tier,parent
01,小城,Little City,city,
0101,东区,East District,district,01
0102,西区,West District,district,01
""",
    "dimensions.csv": """
dimension,dimension_zh,dimension_en
ss,社会安全度,Social safety
""",
    "level2.csv": """
level2,level2_zh,level2_en,dimension
ss_po,治安安全,Public order,ss
""",
    "indicators.csv": """
id,name_zh,name_en,level2,polarity,unit,kind,frequency,denominator,source_dept,period_agg,watch,volume_class
thefts,盗窃警情数,Theft calls,ss_po,negative,起,count,daily,,公安局,sum,true,mid
fires,火警数,Fire alarms,ss_po,negative,起,count,daily,,消防局,sum,true,mid
quarrels,纠纷警情数,Quarrel calls,ss_po,negative,起,count,daily,,公安局,sum,true,mid
campus,涉校警情数,Campus calls,ss_po,negative,起,count,weekly,,公安局,sum,true,mid
""",
    "calendar.toml": """
announced_through = 2026
[[holiday]]
name = "国庆节"
first = 2026-10-01
last = 2026-10-07
""",
    "duty.toml": """
[[officer]]
name = "值班员"
email = "officer@example.invalid"
[[leader]]
name = "值班领导"
email = "leader@example.invalid"
""",
}

RULES = """
area = "ss_po"
[[rule]]
id = "ss_po.surge"
name_zh = "短期异常升高"
indicators = ["thefts", "fires", "quarrels"]
tier = "district"
detector = "ears"
parameters = { baseline = 28 }
yellow = { surprise = 3.0, extra = 3 }
orange = { surprise = 4.0, extra = 6 }
red = { surprise = 6.0, extra = 9 }
[[rule]]
id = "ss_po.slow"
name_zh = "七日持续偏高"
indicators = ["thefts", "fires", "quarrels"]
tier = "district"
detector = "threshold"
parameters = { window = 7, baseline = 182 }
lower_after = 1
yellow = { surprise = 4.0, ratio = 1.3 }
[[rule]]
id = "ss_po.campus"
name_zh = "每周偏高"
indicators = ["campus"]
tier = "district"
detector = "ears"
parameters = { baseline = 12 }
yellow = { surprise = 3.0, extra = 3 }
"""

CONFIG = """
[paths]
feeds = "feeds"
database = "kapok.db"
maildir = "mail"
documents = "documents"
[sweep]
window_years = 1
[schedule]
feeds = { at = "0,30 * * * *" }
sweep = { at = "30 7 * * *" }
outbox = { at = "5,35 * * * *" }
daily_mail = { at = "0 8 * * *" }
briefing = { at = "30 8 * * mon" }
poll_seconds = 0.05
[web]
port = 0
[clock]
file = "clock"
"""

Cell = tuple[str, str, date, float]  # indicator, place, date, value


def lay(folder: Path, *, config: str = CONFIG, history: bool = True) -> Path:
    """Lay the deployment, on Friday at seven in the evening, and return its configuration."""
    for name, text in CITY.items():
        _write(folder / "city" / name, text.lstrip())
    _write(folder / "rules" / "police.toml", RULES)
    _write(folder / "config.toml", config)
    (folder / "feeds").mkdir()
    set_clock(folder, at(FRIDAY, "19:00"))
    if history:
        deliver(folder, "history.csv", past())
    return folder / "config.toml"


def at(day: date, clock: str) -> datetime:
    """Return an instant by the wall clock of the centre."""
    return datetime.fromisoformat(f"{day}T{clock}:00+08:00")


def set_clock(folder: Path, instant: datetime) -> None:
    """Move the clock file."""
    _write(folder / "clock", instant.isoformat())


def deliver(folder: Path, name: str, cells: Iterable[Cell], *, extra: str = "", encoding: str = "utf-8") -> None:
    """Put a feed file into the watched folder, whole at once."""
    lines = ["indicator,place,date,value", *(f"{i},{p},{d},{v:g}" for i, p, d, v in cells)]
    _write(folder / "feeds" / name, "\n".join(lines) + "\n" + extra, encoding=encoding)


def past() -> list[Cell]:
    """Return all values to Thursday the 19th."""
    days = (FRIDAY - FIRST).days
    return [cell for n in range(days) for cell in usual(FIRST + timedelta(days=n))]


def usual(day: date) -> list[Cell]:
    """Return a day's values as chance makes them: the same whenever asked; a week's calls with its Sunday."""
    random = np.random.default_rng(day.toordinal())
    cells = [
        (name, place, day, float(random.poisson(MEAN[name])))
        for name in ("thefts", "fires", "quarrels")
        for place in (EAST, WEST)
    ]
    monday = day - timedelta(days=6)
    weekly = [("campus", place, monday, float(random.poisson(MEAN["campus"]))) for place in (EAST, WEST)]
    return cells + (weekly if day.weekday() == 6 else [])


def raised(cells: Iterable[Cell], indicator: str, place: str, extra: float) -> list[Cell]:
    """Return cells with something added to the values of one series."""
    return [(i, p, d, v + extra if (i, p) == (indicator, place) else v) for i, p, d, v in cells]


def without(cells: Iterable[Cell], indicator: str, place: str) -> list[Cell]:
    """Return cells without those of one series."""
    return [cell for cell in cells if cell[:2] != (indicator, place)]


def _write(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(text.encode(encoding))
    fresh.replace(path)
