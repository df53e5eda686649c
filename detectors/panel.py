"""What goes into a detector and what comes out of it.

A panel is many series on one calendar; scores are the verdict-free numbers a
rule is applied to.  Both are plain arrays with names.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Dates = npt.NDArray[np.datetime64]

FREQUENCIES = {"daily": 1, "weekly": 7}  # days in a step; a month has no fixed number
FAR = np.iinfo(np.int16).max  # days from Spring Festival where none is known
MEASURABLE = 1e100  # beyond it a number's square ends, and nothing anybody measured lies there


class Reason(IntEnum):
    """Why a cell has no surprise."""

    JUDGED = 0
    NOT_REPORTED = 1  # the value itself is missing
    SHORT_HISTORY = 2
    BASELINE_GAP = 3  # a value the baseline needs is missing
    NOT_SUITED = 4  # the method does not judge this kind of series
    FAILED = 5  # the method gave up on this series


class Remark(IntFlag):
    """What a method says of a cell beside its score."""

    NONE = 0
    LEVEL_CHANGED = 1  # for good, it seems: from the next date on the new level is the usual one


class DayKind(IntEnum):
    """What a calendar says of a date; ORDINARY days follow their weekday."""

    ORDINARY = 0
    HOLIDAY = 1
    SPRING_FESTIVAL = 2
    MAKE_UP_WORKDAY = 3  # 调休
    FAIR = 4
    EXAM = 5
    CLOSURE = 6  # 停工停课


@dataclass(frozen=True)
class Panel:
    """Series on one calendar.

    Args:
        dates: (T,) datetime64[D], ascending, equally spaced (months: first days).
        series: N keys, usually (indicator, place).
        values: (T, N); NaN = not reported, which is not 0.  Infinities, numbers beyond 1e100 and counts below 0 are
            no reports either, and become NaN.
        frequency: "daily", "weekly" or "monthly"; inferred from the dates when None.
        kind: "count", "amount", "ratio", "rate" or "score"; one for all, or one a series.
        holidays: (T,) of ``DayKind`` codes, or None for no calendar.
        festival: (T,) days since the nearest Spring Festival's first day, negative before it; of a week or month
            since its first day; ``FAR`` where none is known.  None for no lunar calendar.
        year_ago: (T,) datetime64[D], the date that is the same a year before (the lunar calendar's, near Spring
            Festival), each before its own; NaT where none is known.  None for no such calendar.
        denominators: (T, N) what a value is a part of: the persons behind a count, the whole behind a share;
            NaN where it is not known, and so are infinities and numbers below 0.  Or None.
        parents: (N,) numbers of the places directly above those of the series, -1 where there is none; or None.

    Raises:
        ValueError: if shapes disagree, dates are not ascending, or a kind is unknown.
    """

    dates: Dates
    series: Sequence[Hashable]
    values: Floats
    frequency: str | None = None
    kind: str | Sequence[str] = "count"
    holidays: npt.NDArray[np.int8] | None = None
    denominators: Floats | None = None
    festival: npt.NDArray[np.int16] | None = None
    year_ago: Dates | None = None
    parents: npt.NDArray[np.int64] | None = None
    kinds: npt.NDArray[np.str_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        dates = np.asarray(self.dates, dtype="datetime64[D]")
        values = np.asarray(self.values, dtype=np.float64)
        if values.shape != (len(dates), len(self.series)):
            raise ValueError(f"values have shape {values.shape}, expected {(len(dates), len(self.series))} = (T, N)")
        steps = np.diff(dates).astype(int)
        if (steps <= 0).any():
            raise ValueError("dates must ascend")
        for name, told, length in (
            ("holidays", self.holidays, len(dates)),
            ("festival", self.festival, len(dates)),
            ("year_ago", self.year_ago, len(dates)),
            ("parents", self.parents, len(self.series)),
        ):
            if told is not None and len(told) != length:
                raise ValueError(f"{name} have length {len(told)}, expected {length}")
        if self.year_ago is not None and (self.year_ago >= dates).any():
            raise ValueError("year_ago must lie before its date")
        if self.denominators is not None and self.denominators.shape != values.shape:
            raise ValueError(f"denominators have shape {self.denominators.shape}, expected {values.shape}")
        kinds = np.asarray([self.kind] * len(self.series) if isinstance(self.kind, str) else list(self.kind), dtype=str)
        if len(kinds) != len(self.series):
            raise ValueError(f"kind has {len(kinds)} entries, expected one or {len(self.series)}")
        unknown = sorted(set(kinds.tolist()) - {"count", "amount", "ratio", "rate", "score"})
        if unknown:
            raise ValueError(f"kind {unknown[0]!r} is unknown; known: amount, count, rate, ratio, score")
        frequency = self.frequency or _inferred(steps)
        expected_step = FREQUENCIES.get(frequency)
        if expected_step is not None and (steps != expected_step).any():
            raise ValueError(
                f"a {frequency} panel needs dates {expected_step} day(s) apart, found {sorted(set(steps.tolist()))}"
            )
        with np.errstate(invalid="ignore"):
            senseless = (np.abs(values) > MEASURABLE) | ((values < 0) & (kinds == "count"))
        if senseless.any():
            values = np.where(senseless, np.nan, values)
        for name, value in (("dates", dates), ("values", values), ("kinds", kinds), ("frequency", frequency)):
            object.__setattr__(self, name, value)
        if self.denominators is not None:
            known = (self.denominators >= 0) & (self.denominators <= MEASURABLE)
            object.__setattr__(self, "denominators", np.where(known, self.denominators, np.nan))

    def until(self, stop: int) -> Panel:
        """Return the panel of the first ``stop`` dates, as it was before the rest was known."""
        return self._rows(slice(None, stop))

    def take(self, columns: Sequence[int]) -> Panel:
        """Return the panel of some series, in the order given."""
        index = list(columns)
        return replace(
            self,
            series=[self.series[i] for i in index],
            values=self.values[:, index],
            kind=self.kinds[index].tolist(),
            denominators=None if self.denominators is None else self.denominators[:, index],
            parents=None if self.parents is None else self.parents[index],
        )

    def _rows(self, rows: slice) -> Panel:
        return replace(
            self,
            dates=self.dates[rows],
            values=self.values[rows],
            kind=self.kinds.tolist(),
            holidays=None if self.holidays is None else self.holidays[rows],
            festival=None if self.festival is None else self.festival[rows],
            year_ago=None if self.year_ago is None else self.year_ago[rows],
            denominators=None if self.denominators is None else self.denominators[rows],
        )


@dataclass(frozen=True)
class Scores:
    """A detector's answer for the last K dates of a panel: every array is (K, N).

    ``observed`` is what was judged: the value, or a window's sum.  ``surprise`` is
    -log10 of the tail probability, positive for a rise, negative for a fall; for
    counts the tail is P(X >= x) (or P(X <= x)), so that on quiet data it is exceeded
    at most as often as it says.  ``above`` is P(X > x), for the randomised p value; NaN
    where a method has none.  NaN in ``surprise`` means the method abstains, and ``reason`` says why.
    ``remarks`` are ``Remark`` codes, none where they are not given.
    """

    observed: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    surprise: Floats
    above: Floats
    reason: npt.NDArray[np.int8]
    remarks: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int8))

    def __post_init__(self) -> None:
        if self.remarks.size == 0:
            object.__setattr__(self, "remarks", np.zeros(self.reason.shape, dtype=np.int8))


def judged(
    reason: npt.NDArray[np.int8],
    *,
    observed: Floats,
    expected: Floats,
    lower: Floats,
    upper: Floats,
    surprise: Floats,
    above: Floats | None = None,
    remarks: npt.NDArray[np.int8] | None = None,
) -> Scores:
    """Return the scores with NaN in every number of a cell that has a reason to abstain, ``observed`` excepted."""
    calm = reason == Reason.JUDGED
    above = np.full(reason.shape, np.nan) if above is None else above
    expected, lower, upper, surprise, above = (
        np.where(calm, numbers, np.nan) for numbers in (expected, lower, upper, surprise, above)
    )
    remarks = np.zeros(reason.shape, dtype=np.int8) if remarks is None else np.where(calm, remarks, Remark.NONE)
    return Scores(observed, expected, lower, upper, surprise, above, reason, remarks.astype(np.int8))


def checked_last(panel: Panel, last: int) -> int:
    """Return ``last``.

    Raises:
        ValueError: if the panel has no such number of dates.
    """
    if not 1 <= last <= len(panel.dates):
        raise ValueError(f"last is {last}, the panel has {len(panel.dates)} dates")
    return last


def first_reported(values: Floats) -> npt.NDArray[np.int64]:
    """Return (N,): the row of each series' first value, T for a series that has none."""
    seen = ~np.isnan(values)
    return np.where(seen.any(axis=0), seen.argmax(axis=0), len(values)).astype(np.int64)


def _inferred(steps: npt.NDArray[np.int_]) -> str:
    if len(steps) == 0 or (steps == 1).all():
        return "daily"
    if (steps == 7).all():
        return "weekly"
    if ((steps >= 28) & (steps <= 31)).all():
        return "monthly"
    raise ValueError(f"the frequency cannot be inferred from steps of {sorted(set(steps.tolist()))} days; name it")
