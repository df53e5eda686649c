"""Yearly: does this window differ from the same days of past years, more than such windows do? (同比)

For what the year shapes more than the weeks before do: the days around Spring Festival, the school year, the dry
months.  Needs a year and two months, so it is no first detector; ``outbreak`` sees a rise earlier where the
year has no part in it.  Which day of a past year is *the same* is the calendar's business: ``panel.year_ago``.

Source: a ratio estimate with its residuals' own scatter (Cochran (1977), *Sampling Techniques*, ch. 6): this year's
windows of the last half year against the past years' on the same days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.tails import Tails, count_bounds, count_tails, student_bounds, student_tails, surprise
from detectors.windows import at, or_missing, part, rolled

ENOUGH = 8  # windows that tell how past years compare
CAUTION = 1.0  # standard errors added to a dispersion that some two dozen windows tell of
A_YEAR = {"daily": 364, "weekly": 52, "monthly": 12}  # steps back where no calendar says which day is the same
HALF_A_YEAR = {"daily": 182, "weekly": 26, "monthly": 24}  # months: two years, for eight are too few
APART = {"daily": 7, "weekly": 1, "monthly": 1}
AT_ONCE = 2_000_000  # numbers looked at together, so that thousands of series need no more memory than hundreds
LEAST, LEAST_OF_COUNTS = 0.05, 1e-3  # how far off, relative, an amount is at least; a count has its own noise
TINY = 1e-9
FOUND = ("observed", "expected", "lower", "upper", "surprise", "above", "reason")

Judgement = tuple[Floats, tuple[Floats, Floats], Tails]  # expected, bounds, tails; each (K, N)
Rows = npt.NDArray[np.int64]


class _Windows(NamedTuple):
    """This year's windows and the past years' on the same days, years first."""

    now: Floats  # (K, N)
    before: Floats  # (K, B, N)
    then: Floats  # (Y, K, N)
    then_before: Floats  # (Y, K, B, N)


def yearly(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 1,
    years: int = 3,
    baseline: int | None = None,
    gap: int | None = None,
    level: bool = False,
    alpha: float = 0.001,
) -> Scores:
    """Compare the last steps with the same ones of past years.

    Args:
        panel: (T, N).  ``panel.year_ago`` says which date is the same a year before; without it the same weekday 364
            days, the week 52 weeks, the month 12 months before.
        last: K, how many final dates to judge.
        window: Steps in a value: counts and amounts are summed over them, other kinds averaged.  Of days take 7:
            a lunar date falls on another weekday each year.
        years: Past years looked at, as far as they are known.
        baseline: Steps before the window that tell how far past years are off; None is 182 days, 26 weeks, 24 months.
        gap: Steps left out between them and the window; None is 7 days, 1 week, 1 month.
        level: Carry past years to this year's level, by the windows of the baseline; without, ``expected`` is
            the past years' own mean, and a difference that lasts becomes part of the scatter.
        alpha: Tail probability of each bound; surprise does not depend on it.

    Returns:
        Scores with (K, N) arrays.  Counts have a negative-binomial tail, amounts Student's on their logarithm, the
        others Student's, all as wide as the baseline's windows lay off what past years made of them.
        Abstains with SHORT_HISTORY without a year and 8 windows, BASELINE_GAP where these have gaps.

    Raises:
        ValueError: if ``window`` < 1, ``years`` < 1, ``baseline`` < 8 windows, ``gap`` < 0, ``alpha`` is not in
            (0, .5), or the panel has fewer than ``last`` dates.
    """
    frequency = panel.frequency or "daily"
    baseline = max(HALF_A_YEAR[frequency], ENOUGH * window) if baseline is None else baseline
    gap = APART[frequency] if gap is None else gap
    if window < 1 or years < 1 or baseline < ENOUGH * window or gap < 0 or not 0 < alpha < 0.5:
        raise ValueError(
            f"yearly needs window >= 1, years >= 1, baseline >= {ENOUGH} windows, gap >= 0 and 0 < alpha < .5,"
            f" found window={window}, years={years}, baseline={baseline}, gap={gap}, alpha={alpha}"
        )
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    earlier = rows[:, None] - window - gap - window * np.arange(baseline // window)  # (K, B), windows side by side
    same = _same(panel, years)
    found = {name: np.full((last, len(panel.series)), np.nan) for name in FOUND}
    for columns in _blocks(len(panel.series), earlier.size * (years + 1)):
        some = panel.take(columns)
        told = _windows(some, rows, earlier, same, window)
        usable = _usable(told)
        reason = _reasons(some, rows, window, earlier, same[0], told.now, usable)
        found["observed"][:, columns], found["reason"][:, columns] = told.now, reason
        for kinds, judge in (("count",), _counts), (("amount",), _amounts), (("ratio", "rate", "score"), _levels):
            alike = np.isin(some.kinds, kinds)
            expected, (lower, upper), tails = judge(
                _Windows(*(w[..., alike] for w in told)), usable[..., alike], level, alpha
            )
            for name, numbers in (
                ("expected", expected),
                ("lower", lower),
                ("upper", upper),
                ("surprise", surprise(tails)),
                ("above", tails.above),
            ):
                found[name][:, np.array(columns)[alike]] = numbers
    reason = found.pop("reason").astype(np.int8)
    return judged(reason, **found)


def _blocks(series: int, cells: int) -> Iterator[list[int]]:
    width = max(1, AT_ONCE // max(cells, 1))
    for start in range(0, series, width):
        yield list(range(start, min(start + width, series)))


def _same(panel: Panel, years: int) -> list[Rows]:
    """Return for each year back (T,) the row of the same date, -1 where the panel does not hold it."""
    if panel.year_ago is None:
        ago = np.arange(len(panel.dates)) - A_YEAR[panel.frequency or "daily"]
    else:
        ago = _row_of(panel.dates, panel.year_ago)
    rows, found = np.arange(len(panel.dates)), []
    for _ in range(years):
        rows = np.where(rows >= 0, np.maximum(ago[rows], -1), -1)
        found.append(rows)
    return found


def _row_of(dates: Dates, wanted: Dates) -> Rows:
    row = np.searchsorted(dates, wanted)  # NaT is sorted last
    row = np.minimum(row, len(dates) - 1)
    return np.where(dates[row] == wanted, row, -1)


def _windows(panel: Panel, rows: Rows, earlier: Rows, same: list[Rows], window: int) -> _Windows:
    share, start = part(panel, window), max(0, int(earlier.min()) - window + 1)  # what lies before is not asked for
    this = rolled(panel.values[start:], window) * share
    past = [rolled(at(panel.values, ago[start:]), window) * share for ago in same]
    rows, earlier = rows - start, np.where(earlier < 0, -1, earlier - start)
    return _Windows(
        at(this, rows),
        at(this, earlier),
        np.stack([at(values, rows) for values in past]),
        np.stack([at(values, earlier) for values in past]),
    )


def _usable(told: _Windows) -> npt.NDArray[np.bool_]:
    """Return (Y, K, N): the years that hold the same days and enough windows before them."""
    joint = ~np.isnan(told.before) & ~np.isnan(told.then_before)
    return np.asarray((joint.sum(axis=2) >= ENOUGH) & ~np.isnan(told.then))


def _reasons(
    panel: Panel,
    rows: Rows,
    window: int,
    earlier: Rows,
    ago: Rows,
    now: Floats,
    usable: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int8]:
    began = first_reported(panel.values)
    first = earlier[:, ENOUGH - 1] - window + 1  # the least that must be known, this year and the last
    oldest = np.where(first >= 0, ago[np.maximum(first, 0)], -1)
    short = (oldest[:, None] < began) | (oldest < 0)[:, None]
    reason = np.where(usable.any(axis=0), Reason.JUDGED, np.where(short, Reason.SHORT_HISTORY, Reason.BASELINE_GAP))
    return or_missing(reason, panel.values, rows, window, now)


def _joint(told: _Windows, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return (Y, K, B, N): the windows before that are known of this year and of a usable past one."""
    return ~np.isnan(told.before) & ~np.isnan(told.then_before) & usable[:, :, None]


def _counts(told: _Windows, usable: npt.NDArray[np.bool_], level: bool, alpha: float) -> Judgement:
    """Judge counts: what past years make of them, half an event added, and how far off that was before."""
    joint = _joint(told, usable)
    here, there = (np.where(joint, values, 0.0).sum(axis=2) for values in (told.before, told.then_before))
    worth = np.where(usable, (there + 0.5) / (here + 0.5) if level else 1.0, 0.0)  # (Y, K, N) of an event of this year
    events = np.where(usable, told.then, 0.0).sum(axis=0) + 0.5
    expected = events / np.maximum(worth.sum(axis=0), TINY)

    events_before = np.where(joint, told.then_before, 0.0).sum(axis=0) + 0.5  # (K, B, N)
    before = events_before / np.maximum(np.where(joint, worth[:, :, None], 0.0).sum(axis=0), TINY)
    known = joint.any(axis=0)
    by_chance = before + before**2 / events_before  # this year's and the past years' own
    whole = np.maximum(np.where(known, before**2, 0.0).sum(axis=1), TINY)
    more = np.where(known, (told.before - before) ** 2 - by_chance, 0.0).sum(axis=1) / whole
    variance = by_chance + before**2 * np.maximum(more, 0.0)[:, None]
    error = np.sqrt(2 * np.where(known, variance**2, 0.0).sum(axis=1)) / whole
    relative = np.maximum(more + CAUTION * error, 0.0) + 1 / events
    if level:
        relative = relative + 1 / (np.where(known, told.before, 0.0).sum(axis=1) + 0.5)
    lower, upper = count_bounds(alpha, expected, 1 / relative)
    tails = count_tails(told.now, expected, 1 / relative)
    # where both years scatter by more than counting, their ratio has a longer tail than either
    _, (low, high), wider = _amounts(told, usable, level, alpha, floor=LEAST_OF_COUNTS)
    tails = Tails(*(np.maximum(one, other) for one, other in zip(tails, wider, strict=True)))
    return expected, (np.minimum(lower, low), np.maximum(upper, high)), tails


def _amounts(
    told: _Windows, usable: npt.NDArray[np.bool_], level: bool, alpha: float, *, floor: float = LEAST
) -> Judgement:
    logs = _Windows(*(np.log1p(np.maximum(values, 0.0)) for values in told))
    expected, (lower, upper), tails = _levels(logs, usable, level, alpha, floor=floor)
    expected, lower, upper = (
        np.expm1(np.minimum(bound, 700.0)) for bound in (expected, lower, upper)
    )  # where exp ends
    return expected, (np.maximum(lower, 0.0), upper), tails


def _levels(
    told: _Windows, usable: npt.NDArray[np.bool_], level: bool, alpha: float, *, floor: float | None = None
) -> Judgement:
    """Judge what has no counting noise of its own: Student's t on the differences."""
    joint = _joint(told, usable)
    difference = np.where(joint, told.before - told.then_before, 0.0)
    off = difference.sum(axis=2) / np.maximum(joint.sum(axis=2), 1) if level else np.zeros(usable.shape)  # (Y, K, N)
    many = np.maximum(usable.sum(axis=0), 1)
    expected = np.where(usable, told.then + off, 0.0).sum(axis=0) / many

    known, shared = joint.any(axis=0), np.maximum(joint.sum(axis=0), 1)
    rest = np.where(joint, difference - off[:, :, None], 0.0).sum(axis=0) / shared  # (K, B, N)
    df = np.maximum(known.sum(axis=1) - (1 if level else 0), 1)
    least = np.maximum(1e-3 * np.abs(expected), TINY) if floor is None else floor  # it may move a little
    sd = np.maximum(np.sqrt((rest**2).sum(axis=1) / df), least)
    if level:
        sd = sd * np.sqrt(1 + 1 / (df + 1))
    return expected, student_bounds(alpha, expected, sd, df), student_tails(told.now, expected, sd, df)
