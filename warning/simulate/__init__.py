"""A city with known shocks: years of rows, their faults on the way, and what was done on purpose.

For the demonstration, drills, load tests, and proofs: how often a quiet city is
coloured, how many shocks are found and when.  It imports nothing of the
detectors or of the service's calendar, so that such a proof is not circular.
Sizes, seasons and events are invented: whatever shows them says 模拟.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from warning.errors import ConfigError
from warning.model import Indicator
from warning.simulate.arrivals import Arrived, Whole, delivery_minute, on_time, outage, spared_by, with_faults
from warning.simulate.days import Days, Periods, days_from, periods_of
from warning.simulate.draws import Drawn, draw, entered_when_open, kind_of, together
from warning.simulate.files import write
from warning.simulate.habits import Habit, habit_of, pattern
from warning.simulate.plan import OFFSET, CityLike, Dates, Floats, Label, Plan, Simulated, generator
from warning.simulate.shocks import added, carriers, choose, choose_breaks, split

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Label", "Plan", "Simulated", "simulate", "write"]

DISTRICT = "district"  # the tier whose places report


@dataclass(frozen=True)
class _Town:
    """What is settled before the first draw."""

    plan: Plan
    root: str
    days: Days
    periods: Mapping[str, Periods]  # by frequency
    habits: Mapping[str, Habit]
    sizes: Mapping[str, float]  # of the districts, 1 on average
    shares: Mapping[str, Mapping[str, float]]  # of the streets, where they report: district -> street -> share
    silent: Mapping[str, Whole]  # department -> (T,) outages


@dataclass
class _Collected:
    """The rows so far, one entry a series."""

    arrived: list[Arrived] = field(default_factory=list)
    starts: list[Dates] = field(default_factory=list)
    expected: list[Floats] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)


def simulate(city: CityLike, plan: Plan, *, progress: Callable[[str, float], None] | None = None) -> Simulated:
    """Make up a city's past.

    Args:
        city: Its indicators say what kind of number, how often and how many; its districts report them.
        plan: Which days, which shocks, which faults.
        progress: Told the step, and the part of it that is done, 0 to 1.

    Returns:
        The rows received up to the morning after the last day, and the labels.

    Raises:
        ConfigError: if the city has no districts, a district of ``streets_of`` is unknown or undivided, or there
            are more shocks than the plan has room for.
    """
    town = _settled(city, plan)
    breaks = choose_breaks(city, plan, town.habits, town.root)
    labels = [
        *breaks,
        *choose(city, plan, carriers(city, town.habits, town.sizes, {label.indicator for label in breaks})),
    ]
    collected, done = _Collected(), []
    for number, indicator in enumerate(city.indicators.values(), 1):
        for district in town.sizes:
            own = [x for x in labels if x.indicator == indicator.id and x.place in (district, town.root)]
            parts, labelled = _drawn(town, indicator, district, own)
            done += labelled
            for place, drawn in parts.items():
                _send(town, indicator, district, place, drawn, own, collected)
        if progress is not None:
            progress("drawing", number / len(city.indicators))
    departments = {indicator.id: indicator.department for indicator in city.indicators.values()}
    return Simulated(plan, _table(collected, plan, list(city.indicators)), _summed(labels, done), departments)


def _settled(city: CityLike, plan: Plan) -> _Town:
    districts = [place.code for place in city.places.values() if place.tier == DISTRICT]
    streets = {code: [place.code for place in city.places.values() if place.parent == code] for code in plan.streets_of}
    faults = [] if districts else [f"the city has no place of the tier {DISTRICT!r}, which is what reports"]
    faults += [f"{code!r} is not a district of the city" for code in streets if code not in districts]
    faults += [
        f"{code!r} has no streets that could report" for code in streets if code in districts and not streets[code]
    ]
    if faults:
        raise ConfigError("simulate", faults)
    days = days_from(plan.first, plan.days)
    indicators = city.indicators.values()
    return _Town(
        plan=plan,
        root=next(place.code for place in city.places.values() if place.parent is None),
        days=days,
        periods={frequency: periods_of(days, frequency) for frequency in ("daily", "weekly", "monthly")},
        habits={
            indicator.id: habit_of(indicator, plan.seed, plan.yearly_drift, plan.faults) for indicator in indicators
        },
        sizes=_sizes(city, plan, districts),
        shares={district: _shares(city, plan, inner) for district, inner in streets.items()},
        silent={name: outage(name, days, plan.seed) for name in {indicator.department for indicator in indicators}},
    )


def _sizes(city: CityLike, plan: Plan, districts: list[str]) -> dict[str, float]:
    """Return each district's size by population; invented for all, where one is not known."""
    counted = [city.population_of(code, year=plan.last.year) for code in districts]
    known = [count[0] for count in counted if count is not None]
    if len(known) == len(districts):
        return {code: number * len(known) / sum(known) for code, number in zip(districts, known, strict=True)}
    return {code: float(np.exp(generator(plan.seed, "size", code).normal(0, 0.4))) for code in districts}


def _shares(city: CityLike, plan: Plan, streets: list[str]) -> dict[str, float]:
    weights = [city.population_of(code, year=plan.last.year) for code in streets]
    known = [float(weight[0]) for weight in weights if weight is not None]
    if len(known) < len(streets):
        known = [float(np.exp(generator(plan.seed, "size", code).normal(0, 0.5))) for code in streets]
    return {code: weight / sum(known) for code, weight in zip(streets, known, strict=True)}


def _drawn(
    town: _Town, indicator: Indicator, district: str, labels: list[Label]
) -> tuple[dict[str, Drawn], list[tuple[str, str, float]]]:
    """Return the series one district reports of an indicator, and (label, place, what was added) of each label."""
    seed, habit, periods = town.plan.seed, town.habits[indicator.id], town.periods[indicator.frequency]
    shares = town.shares.get(district, {}) if indicator.watch else {}
    own = float(np.exp(np.clip(generator(seed, "own", indicator.id, district).normal(0, 0.1), -0.2, 0.2)))
    relative = own * periods.mean_of(pattern(habit, town.days, seed, indicator.id, district))
    parts: dict[str, Drawn] = {}
    for place, share in (shares or {district: 1.0}).items():

        def source(purpose: str, place: str = place) -> np.random.Generator:
            return generator(seed, purpose, indicator.id, place)

        parts[place] = draw(indicator, habit, relative, town.sizes[district] * share, source)
    usual = np.sum([part.expected for part in parts.values()], axis=0)
    labelled = []
    for label in labels:
        for place, share in split(label, parts, seed).items():
            extra = added(label, periods.starts, usual * share, habit, seed, place)
            parts[place] = replace(parts[place], value=np.round(parts[place].value + extra, 2))
            labelled.append((label.id, place, float(extra.sum())))
    if habit.batch:
        works = town.days.works
        parts = {
            place: entered_when_open(part, works, generator(seed, "batch", indicator.id, place))
            for place, part in parts.items()
        }
    if shares and kind_of(indicator) != "count":
        parts[district] = together(indicator, list(parts.values()))
    return parts, labelled


def _send(
    town: _Town, indicator: Indicator, district: str, place: str, drawn: Drawn, labels: list[Label], into: _Collected
) -> None:
    periods, seed = town.periods[indicator.frequency], town.plan.seed
    minute = delivery_minute(indicator.department, seed)
    if town.plan.faults:
        none = np.zeros(len(periods.starts), dtype=int)
        arrived = with_faults(
            indicator,
            place,
            district,
            drawn.value,
            periods,
            minute=minute,
            silent=town.silent[indicator.department] if indicator.frequency == "daily" else none,
            spared=spared_by((label for label in labels if label.kind != "break"), periods),
            seed=seed,
        )
    else:
        arrived = on_time(periods, drawn.value, minute)
    into.arrived.append(arrived)
    into.starts.append(periods.starts[arrived.period])
    into.expected.append(drawn.expected[arrived.period])
    into.keys.append((indicator.id, place))


def _table(collected: _Collected, plan: Plan, indicators: list[str]) -> pd.DataFrame:
    import pandas as pd

    places = sorted({place for _, place in collected.keys})
    position = {name: number for number, name in enumerate([*indicators, *places])}
    sizes = [len(arrived.value) for arrived in collected.arrived]

    def codes(names: list[str], offset: int) -> npt.NDArray[np.int64]:
        return np.repeat(np.array([position[name] - offset for name in names], dtype=np.int64), sizes)

    indicator = codes([key[0] for key in collected.keys], 0)
    place = codes([key[1] for key in collected.keys], len(indicators))
    start = np.concatenate(collected.starts)
    minute = np.concatenate([arrived.minute for arrived in collected.arrived])
    order = np.lexsort((start, place, indicator, minute))
    end = (np.datetime64(plan.last, "D") + 2).astype(np.int64) * 1440 - OFFSET  # the morning after is the last
    order = order[minute[order] < end]
    return pd.DataFrame(
        {
            "indicator": pd.Categorical.from_codes(indicator[order], pd.Index(indicators)),
            "place": pd.Categorical.from_codes(place[order], pd.Index(places)),
            "date": start[order].astype("datetime64[s]"),
            "value": np.concatenate([arrived.value for arrived in collected.arrived])[order],
            "received_at": pd.DatetimeIndex((minute[order] * 60).astype("datetime64[s]")).tz_localize("UTC"),
            "expected": np.concatenate(collected.expected)[order],
        }
    )


def _summed(labels: list[Label], done: list[tuple[str, str, float]]) -> tuple[Label, ...]:
    """Return the labels with what was added in all, and the streets that carry most of a shock."""
    told = []
    for label in labels:
        by_place = {place: extra for name, place, extra in done if name == label.id}
        heavy = sorted(by_place, key=lambda place: -by_place[place])[:2] if label.kind != "break" else []
        carried_by = tuple(place for place in heavy if place != label.place)
        told.append(replace(label, extra=round(sum(by_place.values()), 2), carried_by=carried_by))
    return tuple(told)
