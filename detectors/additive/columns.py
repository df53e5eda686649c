"""What a date is to Prophet's model, besides its place on the trend: the seasons it lies in and the days set apart.

The formulas are the package's own (``Prophet.fourier_series``); a test compares them to the last digit.
They are written out here because importing the package takes half a second and a hundred megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import FREQUENCIES, Dates, DayKind, Floats, Panel

YEARLY, WEEKLY = 10, 3  # pairs of sine and cosine, Prophet's defaults
TWO_YEARS, TWO_WEEKS = 730, 14  # days between a series' first and last date from which Prophet expects a season
BEFORE, AFTER = (
    14,
    15,
)  # days around Spring Festival that move with it: from the last market days to the Lantern Festival

KINDS = tuple(kind for kind in DayKind if kind is not DayKind.ORDINARY)
AROUND = ("BEFORE_FESTIVAL", "AFTER_FESTIVAL")
WEEKS = ("WEEK_BEFORE_FESTIVAL", "WEEK_OF_FESTIVAL", "WEEK_AFTER_FESTIVAL")


@dataclass(frozen=True, eq=False)
class Columns:
    """Seasons and special days of T dates: one column of ``features`` for each coefficient of the model."""

    features: Floats  # (T, K): yearly, weekly, special
    yearly: int  # how many of them are of the year
    weekly: int  # and of the week
    step: int  # days from one date to the next

    def rows(self, rows: slice) -> Columns:
        """Return the columns of some of the dates."""
        return Columns(self.features[rows], self.yearly, self.weekly, self.step)

    def seasons(self, span: npt.NDArray[np.int64], dense: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return (N, K) which columns Prophet would give each series.

        Args:
            span: (N,) days from first to last reported date.
            dense: (N,) whether any two reported dates lie less than a week apart.
        """
        found = np.ones((len(span), self.features.shape[1]), dtype=bool)
        found[:, : self.yearly] = (span >= TWO_YEARS)[:, None]
        found[:, self.yearly : self.yearly + self.weekly] = ((span >= TWO_WEEKS) & dense)[:, None]
        return found


def columns_of(dates: Dates, frequency: str, special: Floats) -> Columns:
    """Return the columns of daily or weekly dates; ``special`` is (T, C)."""
    year, week = fourier(dates, 365.25, YEARLY), fourier(dates, 7, WEEKLY)
    if frequency == "weekly":
        week = week[:, :0]
    return Columns(np.hstack([year, week, special]), year.shape[1], week.shape[1], FREQUENCIES[frequency])


def fourier(dates: Dates, period: float, order: int) -> Floats:
    """Return (T, 2 · order) sines and cosines of dates, as Prophet has them."""
    days = np.asarray(dates, dtype="datetime64[D]").astype(np.float64)
    angles = (np.arange(order) + 1) / period * (np.pi * 2 * days)[:, None]  # (T, order)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(days), 2 * order)


def special_names(frequency: str) -> tuple[str, ...]:
    """Return the names of the columns of ``special_days``."""
    return WEEKS if frequency == "weekly" else (*(kind.name for kind in KINDS), *AROUND)


def special_days(panel: Panel) -> Floats:
    """Return (T, C) zeros and ones: what each date of a daily or weekly panel is besides its season.

    Days have the calendar's kinds, and are before or after Spring Festival while they are no holiday;
    weeks lie before, in, or after that of the first lunar day.
    """
    away = np.full(len(panel.dates), np.iinfo(np.int16).max) if panel.festival is None else panel.festival.astype(int)
    if panel.frequency == "weekly":  # the date is a week's first day
        return np.stack([(away > start) & (away <= start + 7) for start in (-14, -7, 0)], axis=1).astype(np.float64)
    kinds = np.zeros(len(panel.dates), dtype=np.int8) if panel.holidays is None else np.asarray(panel.holidays)
    usual = ~np.isin(kinds, (DayKind.SPRING_FESTIVAL, DayKind.HOLIDAY))
    around = ((away >= -BEFORE) & (away < 0) & usual, (away >= 0) & (away < AFTER) & usual)
    return np.stack([*(kinds == kind for kind in KINDS), *around], axis=1).astype(np.float64)
