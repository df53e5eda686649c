"""Which past steps a date is compared with: those around its anniversaries, and the seasons in between.

The steps within ``half_window`` of an anniversary are of the date's own season; what lies between two anniversaries is
cut into the other seasons, as equal in length as steps allow, the first ones longer.

Source: Noufaily et al. (2013), Statistics in Medicine 32: 1206-1222.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from detectors.farrington.quasipoisson import Ints
from detectors.panel import Dates


@dataclass(frozen=True)
class Seasons:
    """How a year is cut.

    Args:
        half_window: Steps on either side of an anniversary that are of the date's own season.
        periods: Seasons of a year, the date's own included; 1 leaves everything but that out.
        left_out: Steps before the date that are not learnt from.
    """

    half_window: int
    periods: int
    left_out: int


@dataclass(frozen=True)
class Layout:
    """The n steps that are learnt from, oldest first: ``offset`` steps from the date (below 0), of season ``group``."""

    offset: Ints
    group: Ints

    @property
    def own(self) -> int:
        """The number of the date's own season, which is the last."""
        return int(self.group.max())


STEPS = {"weekly": 52, "monthly": 12}  # of a year


def steps_back(dates: Dates, frequency: str, years: int, *, calendar: bool) -> Ints:
    """Return (K, years): how many steps before each date its anniversaries lie, the latest first.

    By the calendar a week's anniversary is the nearest week of the same weekday, of a 29th of February that of 1
    March; else a year is 52 weeks.
    """
    ago = np.arange(1, years + 1)
    months = dates.astype("datetime64[M]")[:, None] - 12 * ago
    if frequency == "monthly" or not calendar:
        return np.broadcast_to(STEPS[frequency] * ago, months.shape).astype(np.int64)
    day = (dates - dates.astype("datetime64[M]")).astype(np.int64)[:, None]
    anniversary = months.astype("datetime64[D]") + day
    apart = (dates[:, None] - anniversary).astype(np.int64)
    return np.asarray((2 * apart + 7) // 14)  # the nearest week; a year is never whole weeks and a half


@lru_cache(maxsize=256)
def layout(back: tuple[int, ...], seasons: Seasons) -> Layout:
    """Return what is learnt from, given the steps to each anniversary, the latest first.

    Raises:
        ValueError: if the seasons do not fit between two anniversaries.
    """
    half, others = seasons.half_window, seasons.periods - 1
    group = dict.fromkeys(range(-half, 0), others)
    for newer, older in zip((0, *back[:-1]), back, strict=True):
        group |= dict.fromkeys(range(-older - half, -older + half + 1), others)
        between = older - newer - 2 * half - 1
        if others == 0:
            continue
        if between < others:
            raise ValueError(f"{seasons.periods} periods do not fit into a year of {older - newer} steps")
        size, longer = divmod(between, others)
        lengths = [size + (number < longer) for number in range(others)]
        starts = -older + half + 1 + np.cumsum([0, *lengths])
        for number, length in enumerate(lengths):
            group |= dict.fromkeys(range(starts[number], starts[number] + length), number)
    known = sorted(step for step in group if step < -seasons.left_out)
    return Layout(np.array(known), np.array([group[step] for step in known]))
