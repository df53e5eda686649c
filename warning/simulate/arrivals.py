"""What happens to a value on its way: when it comes, whether it comes, and whether it was right at first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from warning.model import Indicator
from warning.simulate.days import Days, Periods
from warning.simulate.plan import OFFSET, Floats, Label, generator

GAP = 0.003
LATE = 0.01
CORRECTED = 0.005
OUTAGE = 0.5 / 365  # a department falls silent every other year, for two to five days
LOST = -1
EARLIEST, LATEST = 120, 345  # minutes after midnight at which departments deliver

Whole = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Arrived:
    """The rows of one series, (R,) each: which period, what was told, and when in minutes since 1970, UTC."""

    period: Whole
    value: Floats
    minute: npt.NDArray[np.int64]


def outage(department: str, days: Days, seed: int) -> Whole:
    """Return how many days later than usual each day's values come, (T,); LOST where they never do."""
    draws = generator(seed, "outage", department).random((len(days.dates), 3))
    delay = np.zeros(len(days.dates), dtype=int)
    for start in np.flatnonzero(draws[:, 0] < OUTAGE):
        length = 2 + int(4 * draws[start, 1])
        silent = np.arange(length)[: len(delay) - start]
        delay[start + silent] = LOST if draws[start, 2] < 0.5 else length - silent
    return delay


def delivery_minute(department: str, seed: int) -> int:
    """Return at which minute after midnight, local time, a department delivers."""
    return int(generator(seed, "delivery", department).integers(EARLIEST, LATEST))


def on_time(periods: Periods, value: Floats, minute: int) -> Arrived:
    """Return a series every value of which comes the morning after its period."""
    told = np.flatnonzero(np.isfinite(value))
    return Arrived(told, value[told], _minutes(periods, told, minute, np.zeros(len(told), dtype=int)))


def with_faults(
    indicator: Indicator,
    place: str,
    unit: str,
    value: Floats,
    periods: Periods,
    *,
    minute: int,
    silent: Whole,
    spared: npt.NDArray[np.bool_],
    seed: int,
) -> Arrived:
    """Return a series with gaps, late and corrected values.

    Args:
        indicator: Whose values they are.
        place: Where.
        unit: The district that sends them; what is lost or late is so for all its streets.
        value: (P,) the right values, NaN where there is nothing to tell.
        periods: Their P periods.
        minute: When its department delivers.
        silent: (P,) delays by an outage, in days, or LOST.
        spared: (P,) True where a value must come, on time: a label speaks of it.
        seed: The plan's.
    """
    way = generator(seed, "way", indicator.id, unit).random((len(value), 3))
    delay = np.where(way[:, 1] < LATE, 1 + (9 * way[:, 2]).astype(int), 0)
    delay = np.where(silent == LOST, LOST, np.maximum(delay, silent))
    delay = np.where(way[:, 0] < GAP, LOST, delay)
    delay = np.where(spared, 0, delay)
    told = np.flatnonzero(np.isfinite(value) & (delay != LOST))

    slip = generator(seed, "slip", indicator.id, place).random((len(value), 3))
    amended = told[slip[told, 0] < CORRECTED]
    first = value.copy()
    first[amended] = _wrong(indicator, value[amended], slip[amended, 1])
    later = delay[amended] + 2 + (9 * slip[amended, 2]).astype(int)
    minutes = [_minutes(periods, told, minute, delay[told]), _minutes(periods, amended, minute, later)]
    return Arrived(
        np.concatenate([told, amended]), np.concatenate([first[told], value[amended]]), np.concatenate(minutes)
    )


def spared_by(labels: Iterable[Label], periods: Periods) -> npt.NDArray[np.bool_]:
    """Return which periods a label speaks of, (P,)."""
    spared = np.zeros(len(periods.starts), dtype=bool)
    for label in labels:
        spared |= (periods.starts >= np.datetime64(label.first, "D")) & (
            periods.starts <= np.datetime64(label.last, "D")
        )
    return spared


def _wrong(indicator: Indicator, value: Floats, slip: Floats) -> Floats:
    """Return what was told at first: mostly too little, never the right value."""
    if indicator.kind in ("ratio", "score"):
        wrong = np.round(np.clip(value - 1 - 4 * slip, 0, 100), 2)
    elif indicator.kind == "count":
        wrong = np.maximum(0, value - np.maximum(1, np.round(value * (0.1 + 0.3 * slip))))
    else:
        wrong = np.round(value * (0.6 + 0.3 * slip), 2)
    return np.where(wrong == value, value + 1, wrong)


def _minutes(periods: Periods, which: Whole, minute: int, delay: Whole) -> npt.NDArray[np.int64]:
    morning = periods.ends[which].astype("datetime64[D]").astype(np.int64) + 1 + delay
    return np.asarray(morning * 1440 + minute - OFFSET, dtype=np.int64)
