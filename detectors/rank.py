"""Rank: does a place stand higher among its siblings than it ever stood, and by more than chance?

For what is compared between places: usually 8th of 11, now 1st.  Season, holidays and weather move all places alike
and are no news here; nor is the place that is always first.  Blind to what rises everywhere at once: prefer
``outbreak`` for that.  Two things must have changed: the share of what all siblings have, and the rank.

Source: a share's variance is a binomial's times Pearson's statistic of past windows (McCullagh and Nelder (1989),
*Generalized Linear Models*, 4.5); the rank is judged by Student's t of a new value against the past ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.tails import Tails, count_bounds, count_tails, student_bounds, student_tails, surprise
from detectors.windows import at, or_missing, part, rolled

ENOUGH = 8  # windows a baseline must hold
CAUTION = 0.5  # standard errors added to an estimated dispersion: a tail suffers more from one too small
FEWEST = 3  # siblings, the place included
MISSING = 0.25  # of what siblings usually have that may be missing from a window
A_YEAR = {"daily": 364, "weekly": 52, "monthly": 24}  # months: two, for twelve windows are few
APART = {"daily": 7, "weekly": 1, "monthly": 1}
PLACE = 0.5  # the least a rank moves by itself, in places: one place up is never news
LEAST = 0.05  # and an amount, relative
TINY = 1e-9
AT_ONCE = 1_000_000  # numbers looked at together, so that years need no more memory than weeks

Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class Ranks(NamedTuple):
    """Where each series stands among its siblings, 1 for the most, each (K, N); NaN where one of them is late."""

    now: Floats
    usual: Floats  # the mean of the past windows
    windows: Floats  # how many past windows tell
    siblings: Floats  # how many are ranked, itself included


class _Group(NamedTuple):
    """The windows of the M places that are ranked among each other, what was not reported made up."""

    now: Floats  # (K, M)
    before: Floats  # (K, B, M)
    there: Bools  # (K, M) reported now
    ranked: Bools  # (K, M) enough of its past is known
    seen: Bools  # (K, M) reported now, and enough of its siblings
    known: Bools  # (K, B, M) the same of past windows
    persons_now: Floats  # (K, M), 1 where a place is not counted by its persons
    persons: Floats  # (K, B, M)


def rank(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 1,
    baseline: int | None = None,
    gap: int | None = None,
    alpha: float = 0.001,
) -> Scores:
    """Compare the place of each series among its siblings with the places it had before.

    Args:
        panel: (T, N).  Siblings have one indicator, one parent in ``panel.parents`` and one kind.
        last: K, how many final dates to judge.
        window: Steps in a value: counts and amounts are summed over them, other kinds averaged.
        baseline: Steps before the window that tell how a series usually stands; None is 364 days, 52 weeks, 24 months.
        gap: Steps left out between them and the window; None is 7 days, 1 week, 1 month.
        alpha: Tail probability of each bound; surprise does not depend on it.

    Returns:
        Scores with (K, N) arrays, in the units of the values: ``expected`` is the usual share of what all siblings
        have now.  The tail is the larger of two: of that share (counts: negative-binomial; amounts: Student's t of the
        logarithm beside the siblings'; others: t beside the siblings') and of the rank, by persons where
        ``panel.denominators`` tells them of all siblings; one that is late may stand anywhere.  So a value beyond a
        bound is no surprise while the rank is a usual one.  Abstains with SHORT_HISTORY with fewer than 8 windows
        before, BASELINE_GAP where these have gaps or a quarter of what the siblings have is missing, NOT_SUITED with
        fewer than 3 siblings.

    Raises:
        ValueError: if ``window`` < 1, ``baseline`` < 8 windows, ``gap`` < 0, ``alpha`` is not in (0, .5), or the
            panel has fewer than ``last`` dates.
    """
    rows, earlier = _rows(panel, last, window, baseline, gap, alpha)
    shape = (last, len(panel.series))
    numbers, usable = np.full((6, *shape), np.nan), np.zeros(shape, dtype=bool)  # expected, lower, upper, three tails
    alone = np.ones(len(panel.series), dtype=bool)
    for cells, group, kind in _groups(panel, rows, earlier, window):
        alone[cells[1]] = False
        usable[cells] = group.seen & (group.known.sum(axis=1) >= ENOUGH)
        numbers[:, cells[0], cells[1]] = _judged(group, kind, alpha)
    tails = Tails(*numbers[3:])
    now = (rolled(panel.values[-last - window + 1 :], window) * part(panel, window))[-last:]
    return judged(
        _reasons(panel, rows, window, earlier, usable, alone, now),
        observed=now,
        expected=numbers[0],
        lower=numbers[1],
        upper=numbers[2],
        surprise=surprise(tails),
        above=tails.above,
    )


def ranks(
    panel: Panel, *, last: int = 1, window: int = 1, baseline: int | None = None, gap: int | None = None
) -> Ranks:
    """Return where each series stands among its siblings, and where it usually stood; arguments as of ``rank``."""
    rows, earlier = _rows(panel, last, window, baseline, gap, 0.001)
    found = np.full((4, last, len(panel.series)), np.nan)
    for cells, group, _ in _groups(panel, rows, earlier, window):
        behind, usual, _, windows = _standing(group)
        many, whole = group.now.shape[1], (group.there | ~group.ranked).all(axis=1, keepdims=True)
        siblings = np.broadcast_to(group.ranked.sum(axis=1, keepdims=True), windows.shape)
        told = np.stack([many - behind[0], many - usual, windows, siblings])
        found[:, cells[0], cells[1]] = np.where(group.seen & whole & (windows >= ENOUGH), told, np.nan)
    return Ranks(*found)


def _rows(
    panel: Panel, last: int, window: int, baseline: int | None, gap: int | None, alpha: float
) -> tuple[Rows, Rows]:
    """Return (K,) the rows that are judged, and (K, B) the last rows of the windows before, side by side."""
    frequency = panel.frequency or "daily"
    baseline = max(A_YEAR[frequency], ENOUGH * window) if baseline is None else baseline
    gap = APART[frequency] if gap is None else gap
    if window < 1 or baseline < ENOUGH * window or gap < 0 or not 0 < alpha < 0.5:
        raise ValueError(
            f"rank needs window >= 1, baseline >= {ENOUGH} windows, gap >= 0 and 0 < alpha < .5,"
            f" found window={window}, baseline={baseline}, gap={gap}, alpha={alpha}"
        )
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    return rows, rows[:, None] - window - gap - window * np.arange(baseline // window)


def _groups(
    panel: Panel, rows: Rows, earlier: Rows, window: int
) -> Iterator[tuple[tuple[npt.NDArray[np.intp], ...], _Group, str]]:
    """Yield each group of siblings, some dates at a time: which cells of (K, N) they are, the windows, the kind."""
    start = max(0, int(earlier.min()) - window + 1)  # what lies before is not asked for
    this = rolled(panel.values[start:], window) * part(panel, window)
    this = np.vstack([np.full((start, this.shape[1]), np.nan), this])
    persons = np.full_like(panel.values, np.nan) if panel.denominators is None else panel.denominators
    for columns in _siblings(panel):
        if len(columns) < FEWEST:
            continue
        kind = str(panel.kinds[columns[0]])
        step = max(1, AT_ONCE // (earlier.shape[1] * len(columns)))
        for start in range(0, len(rows), step):
            some = np.arange(start, min(start + step, len(rows)))
            group = _group(this[:, columns], persons[:, columns], rows[some], earlier[some], kind)
            yield np.ix_(some, columns), group, kind


def _siblings(panel: Panel) -> list[Rows]:
    """Return the columns of each group of siblings."""
    labels = [-1] * len(panel.series) if panel.parents is None else panel.parents.tolist()
    found: dict[object, list[int]] = {}
    for n, (key, label) in enumerate(zip(panel.series, labels, strict=True)):
        name = key[0] if isinstance(key, tuple) else None
        found.setdefault((name, label, str(panel.kinds[n])), []).append(n)
    return [np.array(columns) for columns in found.values()]


def _group(this: Floats, persons: Floats, rows: Rows, earlier: Rows, kind: str) -> _Group:
    now, before = this[rows], at(this, earlier)
    reported = ~np.isnan(before)
    own = np.where(reported, before, 0.0).sum(axis=1) / np.maximum(reported.sum(axis=1), 1)  # (K, M) of a window
    ranked = reported.sum(axis=1) >= ENOUGH
    full_now, enough_now = _filled(now[:, None], own, ranked, kind)
    full, enough = _filled(before, own, ranked, kind)
    of_now, of_before = persons[rows], at(persons, earlier)
    counted = kind in ("count", "amount")
    by_persons = np.full(len(rows), counted) & (of_now > 0).all(axis=1)
    by_persons &= ((of_before > 0) | ~reported).all(axis=(1, 2))
    of_before = np.where(of_before > 0, of_before, of_now[:, None])
    return _Group(
        full_now[:, 0],
        full,
        ~np.isnan(now),
        ranked,
        ~np.isnan(now) & ranked & enough_now,
        reported & enough[..., None],
        np.where(by_persons[:, None], of_now, 1.0),
        np.where(by_persons[:, None, None], of_before, 1.0),
    )


def _filled(values: Floats, own: Floats, ranked: Bools, kind: str) -> tuple[Floats, Bools]:
    """Return windows (K, B, M) with what was not reported made up, and (K, B) where little enough was.

    One without a past has none now, either.  A sibling that did not report is taken to have been as usual, on a
    window as high as it was for the others.
    """
    there, usual = ~np.isnan(values) & ranked[:, None], np.broadcast_to(own[:, None], values.shape)
    if kind in ("count", "amount"):
        of_those = np.where(there, usual, 0.0).sum(axis=2)
        high = np.where(there, values, 0.0).sum(axis=2) / np.where(of_those > 0, of_those, 1.0)
        made_up = usual * high[..., None]
    else:
        off = np.where(there, values - usual, 0.0).sum(axis=2) / np.maximum(there.sum(axis=2), 1)
        made_up = usual + off[..., None]
    weight = np.where(ranked[:, None], np.maximum(usual, TINY) if kind == "count" else 1.0, 0.0)
    present = np.where(there, weight, 0.0).sum(axis=2) / np.maximum(weight.sum(axis=2), TINY)
    return np.where(there, values, np.where(ranked[:, None], made_up, 0.0)), (present >= 1 - MISSING) & (
        there.sum(axis=2) >= FEWEST
    )


def _standing(group: _Group) -> tuple[tuple[Floats, Floats], Floats, Floats, Floats]:
    """Return how many siblings lie behind at least and at most, how many usually do, its sd, and of how many windows.

    Each (K, M).  Siblings that are even count half.  One that is late now may lie behind or before; one without a past
    lies behind all.
    """
    from scipy.stats import rankdata  # half a second, and not every detector needs it

    rates = np.where(group.ranked, group.now / group.persons_now, -np.inf)
    late = group.ranked & ~group.there
    least, most = (rankdata(np.where(late, at, rates), axis=-1) - 1.0 for at in (np.inf, -np.inf))
    then = rankdata(np.where(group.ranked[:, None], group.before / group.persons, -np.inf), axis=-1) - 1.0
    windows = group.known.sum(axis=1)
    usual = np.where(group.known, then, 0.0).sum(axis=1) / np.maximum(windows, 1)
    squares = np.where(group.known, (then - usual[:, None]) ** 2, 0.0).sum(axis=1)
    sd = np.maximum(np.sqrt(squares / np.maximum(windows - 1, 1)), PLACE)
    return (least, most), usual, sd * np.sqrt(1 + 1 / np.maximum(windows, 1)), windows.astype(np.float64)


def _judged(group: _Group, kind: str, alpha: float) -> Floats:
    """Return (6, K, M): expected, lower and upper bound, and the three tails."""
    (least, most), usual, sd, windows = _standing(group)
    df = np.maximum(windows - 1, 1)
    rise = student_tails(least - 0.5, usual, sd, df)  # to lie before so many or more
    fall = student_tails(most + 0.5, usual, sd, df)
    of_rank = np.stack([rise.rise, fall.fall, fall.above])
    numbers = _shares(group, alpha) if kind == "count" else _levels(group, kind, alpha)
    numbers[3:] = np.maximum(numbers[3:], of_rank)
    return numbers


def _shares(group: _Group, alpha: float) -> Floats:
    """Judge a count as a share of what all siblings have, as wide as past windows scattered."""
    known, whole = group.known, group.before.sum(axis=2, keepdims=True)
    parts = np.where(known, group.before, 0.0).sum(axis=1)
    wholes = np.where(known, whole, 0.0).sum(axis=1)
    usual = (parts + 0.5) / (wholes + 1)
    variance = whole * (usual * (1 - usual))[:, None]
    seen = known & (variance > 0)
    squares = np.where(seen, (group.before - whole * usual[:, None]) ** 2, 0.0) / np.where(seen, variance, 1.0)
    degrees = np.maximum(seen.sum(axis=1) - 1.0, 1.0)
    dispersion = np.maximum(squares.sum(axis=1) / degrees * (1 + CAUTION * np.sqrt(2 / degrees)), 1.0)
    now = group.now.sum(axis=1, keepdims=True)
    expected = np.maximum(usual * now, TINY)
    spread = now * usual * (1 - usual) * dispersion * (1 + now / np.maximum(wholes, 1.0))  # the share is uncertain, too
    size = expected**2 / np.maximum(spread - expected, TINY * expected)
    lower, upper = count_bounds(alpha, expected, size)
    return np.stack([expected, lower, upper, *count_tails(group.now, expected, size)])


def _levels(group: _Group, kind: str, alpha: float) -> Floats:
    """Judge what is no count by how far it lies from the siblings' median, an amount on its logarithm."""
    logs = kind == "amount"
    now, before = ((np.log1p(np.maximum(v, 0.0)) if logs else v) for v in (group.now, group.before))
    apart = before - _median(before, group.ranked[:, None])
    many = np.maximum(group.known.sum(axis=1), 1)
    usual = np.where(group.known, apart, 0.0).sum(axis=1) / many
    squares = np.where(group.known, (apart - usual[:, None]) ** 2, 0.0).sum(axis=1)
    expected = _median(now, group.ranked) + usual
    least = LEAST if logs else np.maximum(1e-3 * np.abs(expected), TINY)
    df = np.maximum(many - 1.0, 1.0)
    sd = np.maximum(np.sqrt(squares / df), least) * np.sqrt(1 + 1 / many)
    tails, bounds = student_tails(now, expected, sd, df), student_bounds(alpha, expected, sd, df)
    told = np.stack([expected, *bounds])
    if logs:
        told = np.maximum(np.expm1(np.minimum(told, 200.0)), 0.0)  # where nothing that can be measured lies
    return np.concatenate([told, np.stack(tails)])


def _median(values: Floats, ranked: Bools) -> Floats:
    """Return the median over those along the last axis that are ranked, 0 where none is."""
    none = np.where(ranked.any(axis=-1, keepdims=True), np.nan, 0.0)
    return np.asarray(np.nanmedian(np.where(ranked, values, none), axis=-1, keepdims=True))


def _reasons(
    panel: Panel, rows: Rows, window: int, earlier: Rows, usable: Bools, alone: Bools, now: Floats
) -> npt.NDArray[np.int8]:
    first = earlier[:, ENOUGH - 1] - window + 1  # the least that must be known
    short = first[:, None] < first_reported(panel.values)
    reason = np.where(usable, Reason.JUDGED, np.where(alone, Reason.NOT_SUITED, Reason.BASELINE_GAP))
    return or_missing(np.where(~usable & short, Reason.SHORT_HISTORY, reason), panel.values, rows, window, now)
