"""Series made equally noisy, without spikes, weekdays and last year's course: what a change point is looked for in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from detectors.panel import DayKind, Floats, Panel

SPIKE = 5.0  # robust standard deviations from the running median at which a value is cut off
SMOOTH = 15  # steps of that median
DISPERSION = 2.0  # the largest the transform believes


@dataclass(frozen=True)
class Rhythm:
    """What repeats, in steps."""

    week: int  # 1 where a step is not a day
    year: int
    smooth: int  # of last year's running median; odd, and whole weeks
    apart: int  # steps after which two values are as good as unrelated


RHYTHMS = {"daily": Rhythm(7, 364, 35, 7), "weekly": Rhythm(1, 52, 7, 3), "monthly": Rhythm(1, 12, 3, 2)}


@dataclass(frozen=True)
class Steady:
    """The n steps up to a date: value = inverse(level + pattern), noise of standard deviation ``sd`` about the level.

    ``values`` and ``level`` hold NaN where a step was not reported or is no ordinary day.
    """

    values: Floats  # (n, N), as reported
    level: Floats  # (n, N), transformed, spikes cut, pattern taken out
    pattern: Floats  # (n, N), transformed
    sd: Floats  # (N,)
    correlation: Floats  # (N,) from one step to the next, 0 to .7
    dispersion: Floats  # (N,) of the counts
    kinds: npt.NDArray[np.str_]  # (N,)

    def inverse(self, columns: npt.NDArray[np.int64], transformed: Floats) -> Floats:
        """Return (m, M) values for transformed ones of M of the series."""
        kinds, values, bounded = self.kinds[columns], transformed.copy(), np.minimum(transformed, 700.0)
        counts, amounts = kinds == "count", kinds == "amount"
        root = np.sqrt(self.dispersion[columns[counts]])
        values[:, counts] = np.maximum(np.sinh(bounded[:, counts] / 2 * root) ** 2 / root**2 - 0.375, 0.0)
        values[:, amounts] = np.maximum(np.expm1(bounded[:, amounts]), 0.0)
        return values


def yearly_course(panel: Panel, last: int, window: int) -> Floats | None:
    """Return (T, N) running medians of a season's smoothness, or None where the calendar has no year.

    Known are those that ``steady`` asks for to judge the ``last`` dates; the others are NaN.
    """
    rhythm, length = RHYTHMS[panel.frequency or "daily"], len(panel.dates)
    if length <= rhythm.year:
        return None
    course, half = np.full_like(panel.values, np.nan), rhythm.smooth // 2
    for years in (1, 2):
        stop = length - years * rhythm.year
        start = max(stop - last - window + 1, 0)
        if stop > start:
            first = max(start - half, 0)
            medians = _running_median(panel.values[first : stop + half], rhythm.smooth)
            course[start:stop] = medians[start - first : stop - first]
    return course


def steady(panel: Panel, row: int, window: int, course: Floats | None) -> Steady:
    """Return the ``window`` steps up to ``row``; of ``course``, only rows half a smoothing before it are looked at."""
    rhythm = RHYTHMS[panel.frequency or "daily"]
    rows = np.arange(max(row - window + 1, 0), row + 1)
    values = panel.values[rows]
    if panel.holidays is not None:
        values = np.where((panel.holidays[rows] == DayKind.ORDINARY)[:, None], values, np.nan)
    counts, amounts = panel.kinds == "count", panel.kinds == "amount"
    cut = _without_spikes(values, counts)
    mean = np.maximum(_mean(cut), 1e-9)
    excess = (_half_square_difference(cut, rhythm.apart) - mean) / mean**2
    dispersion = np.clip(np.where(np.isnan(excess), 0.0, excess), 1e-8, DISPERSION)

    level = _transformed(cut, counts, amounts, dispersion)
    pattern = np.zeros_like(level)
    if rhythm.week > 1:
        pattern += _weekdays(level, rhythm.week)
    if course is not None:
        past = _transformed(_years_before(course, rows, rhythm), counts, amounts, dispersion)
        pattern += _as_far_as_it_shows(past, level - pattern)
    level = level - pattern
    far, near = _half_square_difference(level, rhythm.apart), _half_square_difference(level, 1)
    floor = np.where(counts, 0.25, np.where(amounts, 0.01, np.maximum(0.005 * np.abs(_mean(cut)), 1e-9)))
    correlation = np.clip(1 - near / np.maximum(far, floor**2), 0.0, 0.7)
    sd = np.maximum(np.sqrt(far), floor)
    return Steady(values, level, pattern, sd, correlation, dispersion, panel.kinds)


def _transformed(
    values: Floats, counts: npt.NDArray[np.bool_], amounts: npt.NDArray[np.bool_], dispersion: Floats
) -> Floats:
    root = np.sqrt(dispersion)
    stabilised = 2 / root * np.arcsinh(root * np.sqrt(np.maximum(values, 0.0) + 0.375))
    return np.where(counts, stabilised, np.where(amounts, np.log1p(np.maximum(values, 0.0)), values))


def _without_spikes(values: Floats, counts: npt.NDArray[np.bool_]) -> Floats:
    middle = _running_median(values, SMOOTH)
    spread = 1.4826 * _median(np.abs(values - middle))
    # the usual distance of a rare count from its median, which is 0, is 0 too
    scale = np.where(counts, np.maximum(spread, np.sqrt(np.maximum(middle, 0.0) + 1)), spread)
    reach = np.where(scale > 0, SPIKE * scale, np.inf)
    return np.clip(values, middle - reach, middle + reach)


def _weekdays(level: Floats, week: int) -> Floats:
    """Return the (n, N) weekday pattern, shrunk by its own uncertainty, to nothing where there is none."""
    weeks = len(level) // week - 1
    if weeks < 3:
        return np.zeros_like(level)
    about = level - pd.DataFrame(level).rolling(week, center=True, min_periods=week - 2).mean().to_numpy()
    # half a week off either end has no whole week round it
    rest = about[len(level) - week // 2 - weeks * week : len(level) - week // 2].reshape(weeks, week, -1)
    days = (~np.isnan(rest)).sum(axis=0)  # (week, N)
    effect = np.nansum(rest, axis=0) / np.maximum(days, 1)
    effect -= effect.mean(axis=0)
    noise = np.nansum((rest - effect) ** 2, axis=(0, 1)) / np.maximum(days.sum(axis=0) - week, 1)
    signal = (days * effect**2).sum(axis=0) / (week - 1)
    effect *= np.where(signal > noise, 1 - noise / np.maximum(signal, 1e-300), 0.0)  # James and Stein's
    phase = (np.arange(len(level)) - (len(level) - week // 2)) % week
    return np.asarray(effect[phase])


def _years_before(course: Floats, rows: npt.NDArray[np.int64], rhythm: Rhythm) -> Floats:
    """Return (n, N): the mean course one and, where it is known, two years before; NaN where one year is not."""
    known = [rows - year * rhythm.year for year in (1, 2) if rows[0] - year * rhythm.year >= 0]
    if not known:
        return np.full((len(rows), course.shape[1]), np.nan)
    first, *others = (course[earlier] for earlier in known)
    return np.asarray(first if not others else np.where(np.isnan(others[0]), first, (first + others[0]) / 2))


def _as_far_as_it_shows(past: Floats, level: Floats) -> Floats:
    """Return last year's course times how much of it this year's level repeats, 0 to 1; 0 where it has gaps."""
    past = past - past.mean(axis=0)
    around = np.nan_to_num(level - _mean(level))
    strength = (past * around).sum(axis=0) / np.maximum((past**2 * ~np.isnan(level)).sum(axis=0), 1e-9)
    return np.asarray(np.nan_to_num(past * np.clip(strength, 0.0, 1.0)))


def _running_median(values: Floats, length: int) -> Floats:
    if length <= SMOOTH:
        return _sorted_median(values, length)
    medians = pd.DataFrame(values).rolling(length, center=True, min_periods=length // 2).median()
    return np.asarray(medians, dtype=np.float64)


def _sorted_median(values: Floats, length: int) -> Floats:
    """Return the same for short windows, of all series together instead of one after the other."""
    edge = np.full((length // 2, values.shape[1]), np.nan)
    around = sliding_window_view(np.concatenate([edge, values, edge]), length, axis=0)  # (n, N, length)
    ordered, known = np.sort(around, axis=-1), (~np.isnan(around)).sum(axis=-1)[..., None]
    low, high = (
        np.take_along_axis(ordered, np.clip(rank, 0, length - 1), axis=-1) for rank in ((known - 1) // 2, known // 2)
    )
    return np.where(known >= length // 2, (low + high) / 2, np.nan)[..., 0]


def _half_square_difference(values: Floats, apart: int) -> Floats:
    return np.asarray(_mean((values[apart:] - values[:-apart]) ** 2) / 2)


def _mean(values: Floats) -> Floats:
    """Return the mean of what is reported, 0 where nothing is."""
    seen = ~np.isnan(values)
    return np.asarray(np.where(seen, values, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1))


def _median(values: Floats) -> Floats:
    return np.asarray(pd.DataFrame(values).median(), dtype=np.float64)
