"""What is usual for an indicator: how many, on which weekday, in which season, how unevenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warning.model import Indicator
from warning.simulate.days import Days
from warning.simulate.plan import Floats, generator

VOLUME = {  # events per district of mean population and period: centre, least, most
    "rare": (0.08, 0.02, 0.2),
    "low": (1.6, 1.2, 2.1),
    "mid": (15.0, 12.0, 20.0),
    "high": (170.0, 130.0, 260.0),
}
SPREAD = {"rare": (1.02, 1.2), "low": (1.05, 1.4), "mid": (1.2, 2.5), "high": (1.2, 3.0)}  # variance over mean
CASE_SIZE = (8.0, 12.0)  # mean amount of a case, in the indicator's unit
DENOMINATOR = 10  # a ratio without a volume class is of this many times the events of a mid count
AVERAGE_WORKDAY = 2  # make-up workdays are like Wednesdays
SUNDAY = 6


@dataclass(frozen=True)
class Style:
    """How the days of a kind of department differ; ``festive`` and ``holiday`` multiply a Sunday's number."""

    weekday: tuple[float, ...]
    festive: float
    holiday: float
    office: bool = False


STYLES = {
    "police": Style((0.97, 0.95, 0.95, 0.97, 1.08, 1.12, 0.96), 0.8, 1.0),
    "health": Style((1.20, 1.05, 1.00, 0.98, 0.98, 0.92, 0.87), 0.75, 0.95),
    "hotline": Style((1.15, 1.10, 1.08, 1.06, 1.05, 0.80, 0.76), 0.65, 0.9),
    "office": Style((1.40, 1.32, 1.28, 1.26, 1.24, 0.30, 0.20), 0.6, 0.9, office=True),
}
STYLE_OF = {  # a word in the department's name -> its style; offices are the rest
    "公安": "police",
    "消防": "police",
    "应急": "police",
    "水务": "police",
    "卫生": "health",
    "政务服务": "hotline",
    "交通": "hotline",
    "市场监管": "hotline",
    "生态环境": "hotline",
}
BUSY_FESTIVAL = ("fire", "traffic", "e-bike")  # words in the English name: more at the Spring Festival, not less


@dataclass(frozen=True)
class Habit:
    """One indicator's usual behaviour, the same in every district."""

    base: float  # events per period in a district of mean population
    spread: float  # variance over mean of its counts
    weekday: Floats  # (7,), mean 1
    festive: float
    holiday: float
    season: Floats  # (4,): amplitude and phase of one and of two waves a year
    drift: float  # log trend of a year
    level: float  # of what is not counted: a share, a score, a rate
    case_size: float
    batch: bool  # what comes on closed days is mostly entered on the next workday


def habit_of(indicator: Indicator, seed: int, drift: float, faults: bool) -> Habit:
    """Return an indicator's habit; ``drift`` is the standard deviation of the yearly log trend."""
    rng = generator(seed, "habit", indicator.id)
    style = STYLES[next((style for word, style in STYLE_OF.items() if word in indicator.department), "office")]
    volume = indicator.volume_class if indicator.volume_class in VOLUME else "mid"
    centre, least, most = VOLUME[volume]
    low, high = SPREAD[volume]
    base = float(np.clip(centre * np.exp(rng.normal(0, 0.3)), least, most))
    if indicator.kind == "ratio" and not indicator.volume_class:
        base *= DENOMINATOR
    spread = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    weekday = np.array(style.weekday) * np.exp(rng.normal(0, 0.04, 7))
    season = np.array(
        [rng.uniform(0.05, 0.2), rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.08), rng.uniform(0, 2 * np.pi)]
    )
    trend, where, size, entered = rng.normal(), rng.random(), rng.uniform(*CASE_SIZE), rng.random()
    case_size = size if indicator.kind == "amount" else 1.0
    if indicator.kind == "amount":
        base = float(np.clip(base / case_size, *VOLUME["mid"][1:]))
    return Habit(
        base=base,
        spread=spread,
        weekday=weekday / weekday.mean(),
        festive=1.35 if any(word in indicator.name_en.lower() for word in BUSY_FESTIVAL) else style.festive,
        holiday=style.holiday,
        season=season,
        drift=float(drift * trend),
        level=_level(indicator, where),
        case_size=float(case_size),
        batch=bool(
            faults
            and style.office
            and entered < 0.3
            and (indicator.kind, indicator.frequency, indicator.period_agg) == ("count", "daily", "sum")
        ),
    )


def pattern(habit: Habit, days: Days, seed: int, indicator: str, district: str) -> Floats:
    """Return each day's mean relative to the base, (T,), mostly shared by the districts."""
    rng = generator(seed, "pattern", indicator, district)
    amplitude, phase, slope = rng.uniform(0, 0.03), rng.uniform(0, 2 * np.pi), rng.normal()
    weekday = np.where(days.off, SUNDAY, np.where(days.made_up, AVERAGE_WORKDAY, days.weekday))
    day = habit.weekday[weekday] * np.where(days.off & (days.spring == 0), habit.holiday, 1.0)
    once, once_phase, twice, twice_phase = habit.season
    wave = once * np.cos(days.season - once_phase) + twice * np.cos(2 * days.season - twice_phase)
    wave += amplitude * np.cos(days.season - phase)
    trend = habit.drift * (1 + 0.3 * slope) * days.years
    return np.asarray(day * np.exp(wave + trend + np.log(habit.festive) * days.spring), dtype=np.float64)


def _level(indicator: Indicator, where: float) -> float:
    if indicator.kind == "ratio":
        return 0.86 + 0.11 * where if indicator.polarity == "positive" else 0.05 + 0.15 * where
    if indicator.kind == "score":
        return 78 + 15 * where
    return float(np.exp(np.log(2) + np.log(25) * where))  # a rate of 2 to 50
