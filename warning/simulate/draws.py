"""Numbers drawn for one series, by what kind of number it is.

Every draw has a generator of its own, so that a longer plan begins with the
numbers of a shorter one, and what is added to a series leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from warning.model import Indicator
from warning.simulate.habits import Habit
from warning.simulate.plan import Floats

Source = Callable[[str], np.random.Generator]  # a purpose -> its generator
LEFT_FOR_WORKDAY = 0.8  # of the cases of days the office is closed
CASE_SD = 0.8  # of the logarithm of a case's amount


@dataclass(frozen=True)
class Drawn:
    """A series, (P,) each; ``weight`` is what a ratio is out of, else 1.  NaN: nothing to tell."""

    value: Floats
    expected: Floats
    weight: Floats


def kind_of(indicator: Indicator) -> str:
    """Return how the indicator is drawn: count, amount, stock, ratio, or level."""
    if indicator.kind == "count":
        return "stock" if indicator.period_agg == "last" else "count"
    return indicator.kind if indicator.kind in ("amount", "ratio") else "level"


def draw(indicator: Indicator, habit: Habit, relative: Floats, size: float, source: Source) -> Drawn:
    """Draw one series.

    Args:
        indicator: Says which kind of number.
        habit: What is usual for it.
        relative: (P,) each period's mean relative to the base.
        size: The place's size, 1 for a district of mean population.
        source: Gives the generator for a purpose.
    """
    kind = kind_of(indicator)
    mean = habit.base * size * relative
    one = np.ones_like(mean)
    if kind == "count":
        return Drawn(events(source("count"), mean, habit.spread), mean, one)
    if kind == "amount":
        cases = events(source("count"), mean, habit.spread)
        return Drawn(amounts(source("amount"), cases, habit.case_size), mean * habit.case_size, one)
    if kind == "ratio":
        out_of = source("out_of").poisson(mean)
        share = source("share").binomial(out_of, habit.level)
        told = np.divide(100.0 * share, out_of, out=np.full(len(mean), np.nan), where=out_of > 0)
        return Drawn(np.round(told, 2), one * 100 * habit.level, out_of.astype(float))
    memory = 0.8 if indicator.frequency == "daily" else 0.5
    wander = _wander(source("wander").standard_normal(len(mean)), memory)
    if kind == "stock":
        stock = habit.base * size * one
        return Drawn(np.maximum(0, np.round(stock + np.sqrt(stock) * wander)), stock, one)
    own = source("own").normal()
    if indicator.kind == "score":
        level = np.clip(habit.level + 2 * own, 5, 98)
        return Drawn(np.round(np.clip(level + 0.8 * wander, 0, 100), 1), one * level, one)
    level = habit.level * np.exp(0.1 * own)
    return Drawn(np.round(level * np.exp(0.03 * wander), 2), one * level, one)


def events(rng: np.random.Generator, mean: Floats, spread: float) -> Floats:
    """Return negative-binomial counts whose variance is ``spread`` times the mean; sums of such are such again."""
    return rng.negative_binomial(np.maximum(mean, 1e-9) / (spread - 1), 1 / spread).astype(float)


def amounts(rng: np.random.Generator, cases: Floats, case_size: float) -> Floats:
    """Return what each number of cases adds up to; a case is log-normal with mean ``case_size``."""
    counts = cases.astype(int)
    logs = rng.normal(np.log(case_size) - CASE_SD**2 / 2, CASE_SD, int(counts.sum()))
    total = np.concatenate([[0.0], np.cumsum(np.round(np.exp(logs), 2))])
    stops = np.cumsum(counts)
    return np.asarray(np.round(total[stops] - total[stops - counts], 2), dtype=np.float64)


def together(indicator: Indicator, parts: Sequence[Drawn]) -> Drawn:
    """Return what a district tells of its streets: a sum, or a mean weighted by what it is out of."""
    weight = np.sum([part.weight for part in parts], axis=0)
    if kind_of(indicator) in ("ratio", "level"):
        told = np.sum([np.nan_to_num(part.value) * part.weight for part in parts], axis=0)
        usual = np.mean([part.expected for part in parts], axis=0)
        with np.errstate(invalid="ignore"):
            return Drawn(np.round(told / weight, 2), usual, weight)
    value = np.sum([part.value for part in parts], axis=0)
    return Drawn(np.round(value, 2), np.sum([part.expected for part in parts], axis=0), np.ones_like(value))


def entered_when_open(drawn: Drawn, works: npt.NDArray[np.bool_], rng: np.random.Generator) -> Drawn:
    """Return daily counts as an office enters them that leaves most cases of its closed days for its next workday.

    Args:
        drawn: What happened, day by day.
        works: (T,) True where the office is open; after the last such day nothing is entered.
        rng: Says which cases wait.
    """
    left = np.where(works, 0, rng.binomial(drawn.value.astype(int), LEFT_FOR_WORKDAY))
    usually_left = np.where(works, 0, drawn.expected * LEFT_FOR_WORKDAY)
    return Drawn(_moved(drawn.value, left, works), _moved(drawn.expected, usually_left, works), drawn.weight)


def _moved(value: Floats, left: Floats, works: npt.NDArray[np.bool_]) -> Floats:
    entered = np.zeros(len(value))
    entered[works] = np.diff(np.cumsum(left)[works], prepend=0.0)  # what was left since the workday before
    return np.asarray(value - left + entered, dtype=np.float64)


def _wander(noise: Floats, memory: float) -> Floats:
    """Return a mean-reverting walk of variance 1 from (P,) standard normal noise."""
    from scipy.signal import lfilter

    steps = noise * np.sqrt(1 - memory**2)
    steps[:1] = noise[:1]
    return np.asarray(lfilter([1.0], [1.0, -memory], steps), dtype=np.float64)
