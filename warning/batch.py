"""What a detector is given: the values of some series, with the calendar and the denominators their rules need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Floats, Panel
from warning import periods
from warning.calendar import Calendar
from warning.history import last_year
from warning.model import SeriesKey
from warning.service import Deployment


def panel_of(
    deployment: Deployment,
    keys: Sequence[SeriesKey],
    values: Floats,
    dates: Dates,
    frequency: str,
    denominators: Floats | None,
) -> Panel:
    """Return the panel of N series.

    Args:
        deployment: City and calendar.
        keys: The N series.
        values: (T, N).
        dates: (T,).
        frequency: Of all of them.
        denominators: (T, N) what each is a part of: a whole, or the persons it is counted of; None where none is asked.
    """
    calendar = deployment.calendar
    return Panel(
        dates=dates,
        series=list(keys),
        values=values,
        frequency=frequency,
        kind=[deployment.city.indicators[key.indicator].kind for key in keys],
        holidays=calendar.kinds(dates) if frequency == "daily" else None,
        festival=calendar.festival(dates),
        year_ago=_year_ago(calendar, frequency, dates[0].item(), dates[-1].item()),
        denominators=denominators,
        parents=parents(deployment, keys),
    )


@lru_cache(maxsize=8)
def _year_ago(calendar: Calendar, frequency: str, first: date, last: date) -> Dates:
    """Return (T,) the first days of the periods that those from one to another are compared with for 同比."""
    ago = last_year(calendar, frequency)
    return np.array([ago(day) for day in periods.dates(first, last, frequency).tolist()], dtype="datetime64[D]")


def persons(deployment: Deployment, keys: Sequence[SeriesKey], dates: Dates) -> Floats:
    """Return (T, N) the persons behind each series where the catalogue gives it per 10,000, NaN where it does not."""
    years, row = np.unique(dates.astype("datetime64[Y]"), return_inverse=True)
    city, counted = deployment.city, dict[tuple[str, str], list[float]]()  # one a place and kind of person
    for key in keys:
        group = (city.indicators[key.indicator].denominator, key.place)
        if group not in counted:
            found = (city.denominator_of(*key, year=year.item().year) for year in years)
            counted[group] = [np.nan if one is None else float(one[0]) for one in found]
    table = [counted[city.indicators[key.indicator].denominator, key.place] for key in keys]
    return np.array(table, dtype=np.float64).T[row]


def parents(deployment: Deployment, keys: Sequence[SeriesKey]) -> npt.NDArray[np.int64]:
    """Return (N,) numbers of the places directly above those of the series, -1 for the root."""
    number = {code: n for n, code in enumerate(deployment.city.places)}
    above = (deployment.city.places[key.place].parent for key in keys)
    return np.array([-1 if code is None else number[code] for code in above], dtype=np.int64)
