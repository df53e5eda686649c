"""The lunar calendar: on which dates its festivals fall.  Beside the simulator, the only place that knows lunardate."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from lunardate import LunarDate

LUNAR_YEARS = range(1901, 2100)  # of which lunardate knows every day


@lru_cache(maxsize=512)
def spring_festival(year: int) -> date | None:
    """Return the first day of the first lunar month, or None outside ``LUNAR_YEARS``."""
    return solar(year, 1, 1)


def solar(year: int, month: int, day: int) -> date | None:
    """Return the date of a day of the lunar calendar, or None outside ``LUNAR_YEARS``."""
    if year not in LUNAR_YEARS:
        return None
    found = LunarDate(year, month, day).to_solar_date()
    return date(found.year, found.month, found.day)


def qingming(year: int) -> date:
    """Return the solar term: the usual formula, right for 2000 to 2099; elsewhere it may be a day off."""
    if year // 100 != 20:
        return date(year, 4, 5)
    within = year % 100
    return date(year, 4, int(within * 0.2422 + 4.81) - within // 4)
