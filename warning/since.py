"""Since when a series that has a colour is out of its usual range: what is usual is taken from all places together."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from detectors.onset import onset
from detectors.panel import DayKind, Floats
from warning.model import SeriesKey
from warning.scoring import Known
from warning.service import Deployment

LOOKS = {  # periods an onset lies back, and those before
    "daily": ((24, 14), (49, 14)),
    "weekly": ((8, 8), (16, 8)),
    "monthly": ((4, 8), (8, 8)),
}
ALREADY = 1.2  # times the usual: what came before an onset was out of range itself
SHAPED = 56  # days that tell what the days of a week are like
AROUND = 3  # days before and after the Spring Festival that are not as usual either
OTHERS = 3  # places that tell what such a day was like
LEAST_SHARE = 0.1  # of the mean day: a rare event on a day that had none yet counts, too
TINY = 1e-9


def onset_of(deployment: Deployment, panel: Known, key: SeriesKey, day: date, *, rising: bool) -> date:
    """Return since when a series is out of its usual range, looking back from ``day``.

    Three weeks back and the days an onset may be off; further, where what lies just before was out of range
    already.  What days of the week are like is taken from all places of the indicator, over the eight weeks
    before those looked at, and what a holiday was like from the others (every week is alike, and every month).
    The same eight weeks tell, fading, of the level before.

    Args:
        deployment: For the calendar and the kind of the indicator.
        panel: Up to ``day`` or beyond it; what lies beyond is not looked at.
        key: The series.
        day: A date on which it is coloured.
        rising: Whether it is high or low.
    """
    end = int(np.searchsorted(panel.dates, np.datetime64(day))) + 1
    within = 3 if panel.frequency == "daily" else 0
    least = 1.0 if deployment.city.indicators[key.indicator].kind == "count" else TINY
    since = day
    for reach, level in LOOKS[panel.frequency]:
        start = end - reach - level
        if start < 0:
            break
        first = max(0, start - SHAPED)
        shares = np.ones(end - first)
        if panel.frequency == "daily":
            shares = _shares(deployment, panel, key, first, start, end)
        values = panel.of(key)[first:end]
        told = 0 if panel.frequency == "daily" else start - first  # a year of weeks has seasons
        began = (
            first
            + told
            + onset(values[told:], shares[told:], reach=reach, level=level, rising=rising, within=within, least=least)
        )
        since = panel.dates[began].item()
        usual, before = (
            _rate(values, shares, slice(0, start - first)),
            _rate(values, shares, slice(start - first, began - first)),
        )
        if not (before > ALREADY * usual if rising else before * ALREADY < usual):
            break
    return since


def _rate(values: Floats, shares: Floats, rows: slice) -> float:
    """Return the mean of some rows with their weekdays made alike; NaN where nothing can be told."""
    seen = np.isfinite(values[rows]) & np.isfinite(shares[rows])
    exposure = float(shares[rows][seen].sum())
    return float(values[rows][seen].sum()) / exposure if exposure > 0 else math.nan


def _shares(deployment: Deployment, panel: Known, key: SeriesKey, first: int, start: int, end: int) -> Floats:
    """Return (end - first,): each day's usual share of its week, by the days before ``start`` in all places.

    Days the calendar names, and those around a Spring Festival, are as the other places had them: no weekday
    tells of them.  NaN where too few others reported.
    """
    kinds = deployment.calendar.kinds(panel.dates[first:end])
    weekday = panel.dates[first:end].astype(np.int64) % 7
    festive = np.convolve(kinds == DayKind.SPRING_FESTIVAL, np.ones(2 * AROUND + 1), "same") > 0
    named = festive | (kinds != DayKind.ORDINARY)
    columns = panel.columns[key.indicator]
    values = panel.values[first:end, columns]
    before = np.arange(end - first) < start - first
    usual = np.stack([_mean(values[before & ~named & (weekday == n)]) for n in range(7)]).sum(axis=1)  # (7,)
    if not usual.mean() > 0:
        return np.ones(end - first)
    shares = np.maximum(usual / usual.mean(), LEAST_SHARE)[weekday]
    others = values[:, [panel.keys[n] != key for n in columns]]
    level = _mean(others[before & ~named])
    told = np.isfinite(others)
    expected = (told * level).sum(axis=1)
    as_elsewhere = np.nansum(others, axis=1) / np.where(expected > 0, expected, np.nan)
    shares[named] = np.where(told.sum(axis=1) >= OTHERS, np.maximum(as_elsewhere, LEAST_SHARE), np.nan)[named]
    return np.asarray(shares)


def _mean(values: Floats) -> Floats:
    """Return (N,) means of what is reported, 0 where nothing is."""
    return np.asarray(np.nansum(values, axis=0) / np.maximum(np.isfinite(values).sum(axis=0), 1))
