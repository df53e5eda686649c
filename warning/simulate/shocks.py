"""What happens on purpose: where, when, how much, and that much exactly.

Extra events are drawn by generators of their own and added, so the same city
without shocks is the same rows less the extra ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from warning.errors import ConfigError
from warning.model import Indicator, SeriesKey
from warning.simulate.draws import Drawn, amounts, events, kind_of
from warning.simulate.habits import Habit
from warning.simulate.plan import CityLike, Dates, Floats, Label, Plan, generator

KINDS = ("week", "spike", "ramp", "step")
LENGTH = {"week": 7, "spike": 1, "ramp": 21, "step": 42}  # days
LEAST = {"week": 55.0, "spike": 10.0, "ramp": 10.0, "step": 10.0}  # events a period that such a shock needs to show
FACTOR = {"week": 1.5, "ramp": 2.0, "step": 1.6}  # a spike's is drawn between 2.5 and 4
DEMO_DAYS = 10  # the plan ends with a few shocks that can be seen on its last day
GRAVE = ("telecom", "fraud", "calls", "complaints")  # the strong shock prefers these, in this order
CARRIED = (0.6, 0.25)  # shares of a district's extra events in its two heaviest streets


@dataclass(frozen=True)
class Carrier:
    """A series that can carry a shock, and how many events it usually has a period."""

    key: SeriesKey
    mean: float
    frequency: str


def carriers(city: CityLike, habits: Mapping[str, Habit], sizes: Mapping[str, float], taken: set[str]) -> list[Carrier]:
    """Return the watched counts and amounts of every district whose indicator is not ``taken``, by key."""
    return sorted(
        (
            Carrier(SeriesKey(indicator.id, place), habits[indicator.id].base * size, indicator.frequency)
            for indicator in city.indicators.values()
            if can_carry(indicator, habits[indicator.id]) and indicator.id not in taken
            for place, size in sizes.items()
        ),
        key=lambda carrier: carrier.key,
    )


def can_carry(indicator: Indicator, habit: Habit) -> bool:
    """True where extra events can be added and seen on the day they happen."""
    return (
        indicator.watch
        and indicator.frequency in ("daily", "weekly")
        and kind_of(indicator) in ("count", "amount")
        and not habit.batch
    )


def choose(city: CityLike, plan: Plan, free: Sequence[Carrier]) -> list[Label]:
    """Return the plan's shocks, each in a series of its own; the last days get theirs first.

    Raises:
        ConfigError: if there are more shocks than series that can carry one.
    """
    rng = generator(plan.seed, "shocks")
    left = {free[i].key: free[i] for i in rng.permutation(len(free))}
    chosen: list[Label] = []
    for kind, first, last, factor, carrier in _for_the_demo(city, plan, left):
        left.pop(carrier.key)
        chosen.append(Label("", kind, *carrier.key, first, last, factor))
    chosen = chosen[: plan.shocks]
    horizon = min(plan.shock_days, plan.days) - DEMO_DAYS
    for number in range(plan.shocks - len(chosen)):
        kind = KINDS[number % len(KINDS)]
        length = LENGTH[kind]
        found = _first_fit(left.values(), LEAST[kind], weekly=kind == "step")
        if found is None or horizon < length:
            fault = f"{plan.shocks} shocks do not fit into the last {horizon + DEMO_DAYS} days of {len(free)} series"
            raise ConfigError("simulate", [f"{fault}: a {kind} found no place; ask for fewer, or more days"])
        left.pop(found.key)
        first = plan.last - timedelta(days=int(rng.integers(DEMO_DAYS + length - 1, DEMO_DAYS + horizon)))
        if found.frequency == "weekly":
            first -= timedelta(days=first.weekday())
        factor = FACTOR.get(kind) or round(float(rng.uniform(2.5, 4.0)), 2)
        chosen.append(Label("", kind, *found.key, first, first + timedelta(days=length - 1), factor))
    return [
        Label(f"S{number:03d}", shock.kind, shock.indicator, shock.place, shock.first, shock.last, shock.factor)
        for number, shock in enumerate(sorted(chosen, key=lambda shock: (shock.first, shock.indicator, shock.place)), 1)
    ]


def choose_breaks(city: CityLike, plan: Plan, habits: Mapping[str, Habit], root: str) -> list[Label]:
    """Return the changes of counting rules, city-wide, in the first half of the plan and lasting."""
    fit = sorted(
        indicator.id
        for indicator in city.indicators.values()
        if can_carry(indicator, habits[indicator.id])
        and indicator.volume_class in ("mid", "high")
        and not any(word in indicator.id for word in GRAVE[:2])  # left for the strong shock
    )
    rng = generator(plan.seed, "breaks")
    picked = [fit[i] for i in rng.permutation(len(fit))[: plan.breaks_made]]
    return [
        Label(
            f"B{number:03d}",
            "break",
            indicator,
            root,
            plan.first + timedelta(days=int(plan.days * rng.uniform(0.2, 0.5))),
            plan.last,
            round(float(rng.uniform(1.25, 1.5)), 2),
        )
        for number, indicator in enumerate(picked, 1)
    ]


def added(label: Label, starts: Dates, usual: Floats, habit: Habit, seed: int, place: str) -> Floats:
    """Return what the label adds to a series whose mean is ``usual``, (P,): events, or amounts."""
    more = rise(label, starts) * usual
    affected = more > 0
    extra = np.zeros(len(starts))
    source = ("added", label.id, place)
    count = events(generator(seed, *source), more[affected] / habit.case_size, habit.spread)
    is_amount = habit.case_size != 1.0
    extra[affected] = amounts(generator(seed, *source, "amount"), count, habit.case_size) if is_amount else count
    return extra


def rise(label: Label, starts: Dates) -> Floats:
    """Return by how much of the usual mean each period is raised, (P,)."""
    first, last = np.datetime64(label.first, "D"), np.datetime64(label.last, "D")
    within = (starts >= first) & (starts <= last)
    if label.kind != "ramp":
        return np.where(within, label.factor - 1, 0.0)
    length = (last - first).astype(int) + 1
    return np.where(within, (label.factor - 1) * ((starts - first).astype(int) + 1) / length, 0.0)


def split(label: Label, parts: Mapping[str, Drawn], seed: int) -> dict[str, float]:
    """Return each street's share of a district's extra events, two streets carrying most; a break hits all alike."""
    usual = {street: float(part.expected.sum()) for street, part in parts.items()}
    total = sum(usual.values())
    even = {street: mean / total for street, mean in usual.items()}
    if label.kind == "break" or len(even) <= len(CARRIED):
        return even
    picked = generator(seed, "split", label.id).choice(
        sorted(even), len(CARRIED), replace=False, p=[even[s] for s in sorted(even)]
    )
    heavy = dict(zip(picked.tolist(), CARRIED, strict=True))
    rest = sum(share for street, share in even.items() if street not in heavy)
    return {street: heavy.get(street, (1 - sum(CARRIED)) * share / rest) for street, share in even.items()}


def _for_the_demo(
    city: CityLike, plan: Plan, left: Mapping[SeriesKey, Carrier]
) -> list[tuple[str, date, date, float, Carrier]]:
    """Return the shocks of the last days: a strong one, neighbours, one in streets, a spike, and a week."""
    if plan.days < 2 * DEMO_DAYS or plan.shocks == 0:
        return []
    free = [carrier for carrier in left.values() if carrier.frequency == "daily"]
    used: set[str] = set()

    def take(
        least: float, most: float = np.inf, *, words: Sequence[str] = (), places: Sequence[str] = ()
    ) -> list[Carrier]:
        fit = [
            c
            for c in free
            if least <= c.mean < most and c.key.indicator not in used and (not places or c.key.place in places)
        ]
        fit.sort(
            key=lambda carrier: next((i for i, word in enumerate(words) if word in carrier.key.indicator), len(words))
        )
        used.update(carrier.key.indicator for carrier in fit[:1])
        return fit[:1]

    strong = take(10, words=GRAVE)
    streets = take(5, 55, places=plan.streets_of)
    pair = _pair(city, [c for c in free if 10 <= c.mean < 55 and c.key.indicator not in used])
    used.update(carrier.key.indicator for carrier in pair)
    planned = [
        *(("step", 4, 0, 2.5, carrier) for carrier in strong),
        *(("step", 6, 0, 2.0, carrier) for carrier in streets),
        *(("week", 7, 1, 1.5, carrier) for carrier in take(LEAST["week"])),
        *(("step", 5, 0, 1.9, carrier) for carrier in pair),
        *(("spike", 0, 0, 3.5, carrier) for carrier in take(20)),
    ]
    back = timedelta(days=1)
    return [
        (kind, plan.last - back * first, plan.last - back * last, factor, carrier)
        for kind, first, last, factor, carrier in planned[: plan.shocks]
    ]


def _pair(city: CityLike, fit: Sequence[Carrier]) -> list[Carrier]:
    """Return one indicator's carriers in two neighbouring districts, if there are such."""
    by_key = {carrier.key: carrier for carrier in fit}
    for carrier in fit:
        for other in sorted(city.neighbours.get(carrier.key.place, ())):
            beside = by_key.get(SeriesKey(carrier.key.indicator, other))
            if beside is not None:
                return [carrier, beside]
    return []


def _first_fit(carriers: Iterable[Carrier], least: float, *, weekly: bool) -> Carrier | None:
    fit = (carrier for carrier in carriers if carrier.mean >= least and (weekly or carrier.frequency == "daily"))
    return next(fit, None)
