"""What is asked of the simulator, and what comes out of it."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from warning.model import Indicator, Place

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Dates = npt.NDArray[np.datetime64]

OFFSET = 8 * 60  # minutes by which the city's clocks are ahead of UTC
YEARLY_DRIFT = 0.03  # standard deviation between indicators of a year's log trend
BREAKS = 2


class CityLike(Protocol):
    """The part of a city the simulator looks at."""

    @property
    def indicators(self) -> Mapping[str, Indicator]: ...
    @property
    def places(self) -> Mapping[str, Place]: ...
    @property
    def neighbours(self) -> Mapping[str, Collection[str]]: ...
    def population_of(self, place: str, kind: str = ..., *, year: int) -> tuple[int, int] | None: ...


@dataclass(frozen=True)
class Plan:
    """A city's past to be made up.

    Args:
        first: The first day.
        days: How many days.
        seed: The same seed and plan give the same rows; other days or places leave the rest as it was.
        shocks: How many shocks the last ``shock_days`` hold; 0 is a quiet city.
        shock_days: See ``shocks``.
        streets_of: Codes of the districts whose streets report the watched indicators themselves.
        faults: Gaps, outages, late and corrected values, batch entry.
        breaks: How many indicators are counted by another rule from some date on (口径调整).
            None: two, or none in a quiet city.
        drift: Standard deviation between indicators of the log trend of one year.
            None: .03, or 0 in a quiet city, which is stationary but for its season.

    Raises:
        ValueError: if there is no day, or a number is negative.
    """

    first: date
    days: int
    seed: int = 1
    shocks: int = 24
    shock_days: int = 365
    streets_of: tuple[str, ...] = ()
    faults: bool = True
    breaks: int | None = None
    drift: float | None = None

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"a plan needs at least one day, found {self.days}")
        negative = [name for name in ("seed", "shocks", "shock_days") if getattr(self, name) < 0]
        if negative:
            raise ValueError(f"{negative[0]} must not be negative, found {getattr(self, negative[0])}")

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    @property
    def breaks_made(self) -> int:
        return self.breaks if self.breaks is not None else BREAKS * (self.shocks > 0 and self.faults)

    @property
    def yearly_drift(self) -> float:
        return self.drift if self.drift is not None else YEARLY_DRIFT * (self.shocks > 0)

    def without_shocks(self) -> Plan:
        """Return the plan of the same city, draw by draw, in which no shock was injected."""
        return replace(self, shocks=0, breaks=self.breaks_made, drift=self.yearly_drift)


@dataclass(frozen=True)
class Label:
    """One thing the simulator did on purpose."""

    id: str
    kind: str  # spike, step, ramp, week; break for a change of counting rules
    indicator: str
    place: str  # the district, or the whole city for a break
    first: date
    last: date
    factor: float  # what the mean is multiplied with; for a ramp, on its last day
    extra: float = 0.0  # what was added in all, in the indicator's unit
    carried_by: tuple[str, ...] = ()  # the streets that carry most of it, the heaviest first


@dataclass(frozen=True)
class Simulated:
    """A simulated past.

    ``rows`` has the columns ``indicator``, ``place``, ``date`` (first day of the
    period), ``value``, ``received_at`` (UTC), and ``expected``, the mean the value was
    drawn from with shocks and breaks left out, which is never written to a feed.
    Rows are ordered by receipt; a corrected value is a second row.
    """

    plan: Plan
    rows: pd.DataFrame
    labels: tuple[Label, ...]
    departments: Mapping[str, str]  # of each indicator

    @property
    def deliveries(self) -> tuple[date, ...]:
        """The mornings on which something was delivered, in order."""
        local = self.rows["received_at"] + timedelta(minutes=OFFSET)
        return tuple(local.dt.normalize().drop_duplicates().dt.date)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator that belongs to these names, whatever else is drawn."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])
