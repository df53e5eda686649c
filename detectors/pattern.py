"""What a group of count series does every week, on holidays and over the year, pooled so that small series share it.

Nothing is fitted between calendar anchors: what holds from an anchor on is
estimated from the dates before it alone.  Groups are pooled within the panel and
drawn to it as far as their own noise asks for (James and Stein), and everything is
a ratio of group totals, so neither the order of the series nor a second copy of all of
them changes it.

An office that is closed on some days enters what came on them on its first workday after.  For
weekends that is part of its Monday; what a longer closure adds, or a worked weekend takes away, is learnt apart,
so many times the level for each closed day more than usual.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.blocks import FIRST_MONDAY, Blocks
from detectors.panel import DayKind, Floats, Panel

Ints = npt.NDArray[np.int64]

WEEK_WINDOW = 730  # days the weekday and holiday pattern is estimated from
SEASON_YEARS = 6  # the season
FLOOR = 0.002  # of the mean: offices that shut on Sundays still get a letter
REACH = 4.0  # a block counts for the season at most so many times its year's mean: epidemics are no season
SATURDAY = 5
TINY = 1e-12
PRIOR_DAYS = 3.0  # days of a kind it takes to be believed half
OFF = (DayKind.HOLIDAY, DayKind.SPRING_FESTIVAL, DayKind.CLOSURE)  # like Sundays, until seen


def groups(series: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """Return (N,): the number of each series' group, its indicator where keys are tuples, else one for all."""
    names = [key[0] if isinstance(key, tuple) else None for key in series]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def long_run_means(values: Floats, cut: Blocks, minimum: int) -> Floats:
    """Return (J, N): each series' mean before each block, NaN before ``minimum`` values.

    Half an event is added, so that a series that never had one has a mean, too.
    """
    total, seen = (
        np.concatenate([np.zeros((1, values.shape[1])), np.add.reduceat(what, cut.first, axis=0)]).cumsum(axis=0)[:-1]
        for what in (np.nan_to_num(values), (~np.isnan(values)).astype(float))
    )
    return np.where(seen >= minimum, (total + 0.5) / (seen + 1), np.nan)


def pattern(panel: Panel, values: Floats, cut: Blocks, group: Ints, *, season: bool) -> Floats:
    """Return (T, C): what multiplies the level of a group's series on each date, about 1 on average.

    Args:
        panel: For its calendar.
        values: (T, N) counts, NaN where not reported.
        cut: The panel's blocks.
        group: (N,) numbers of the C groups.
        season: Whether to look for a yearly wave.
    """
    totals = _totals(values, cut, group)  # (T, C + 1), the panel last
    shape = np.ones_like(totals)
    if panel.frequency == "daily":
        shape = _weekly(totals, panel, cut)
    if season:
        shape = shape * _season(totals / shape, panel, cut)
    return shape[:, :-1]


def _totals(values: Floats, cut: Blocks, group: Ints) -> Floats:
    """Return (T, C + 1) group totals, made up for what was not reported, NaN where nothing was; the panel is last."""
    seen = ~np.isnan(values)
    membership = np.zeros((values.shape[1], int(group.max(initial=-1)) + 2))
    membership[np.arange(len(group)), group] = membership[:, -1] = 1.0
    counts = np.nan_to_num(values) @ membership
    if seen.all():
        return counts
    usual = np.nan_to_num(
        np.vstack([long_run_means(values, cut, 1)[1:], np.full((1, len(group)), np.nan)])
    )  # at the end
    expected = usual[cut.of]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (expected * seen) @ membership / (expected @ membership)
        return np.where(share > 0.2, counts / share, np.nan)


def _weekly(totals: Floats, panel: Panel, cut: Blocks) -> Floats:
    """Return (T, C + 1) weekday pattern x factor of the day's kind."""
    weekday = ((panel.dates - FIRST_MONDAY).astype(np.int64)) % 7
    kinds = np.zeros(len(weekday), np.int8) if panel.holidays is None else np.asarray(panel.holidays)
    more = _more_closed(weekday, kinds)
    plain = (kinds == DayKind.ORDINARY) & (more == 0)
    local = _local_means(totals, cut, plain)
    shape = np.ones_like(totals)
    stops = [*cut.first[1:], len(totals)]
    begun = False
    for start, stop in zip(cut.first, stops, strict=True):
        rows = np.arange(max(0, start - WEEK_WINDOW), start)
        if np.isfinite(totals[rows, -1]).sum() < 14:
            continue
        now = np.arange(start if begun else 0, stop)  # nothing is judged before the first anchor that knows a week
        begun = True
        past, level = totals[rows], local[rows]
        days = [_factor(past, level, (weekday[rows] == day) & plain[rows]) for day in range(7)]
        week = _drawn(np.stack([day.mean for day in days]), np.stack([day.noise for day in days]))
        week = np.maximum(week / week.mean(axis=0), FLOOR)  # (7, C + 1)
        known = np.arange(min(now[0], rows[0]), stop)
        learnt = slice(rows[0] - known[0], rows[0] - known[0] + len(rows))  # of what is known, the rows learnt from
        usual = week[weekday[known]]
        for kind in set(kinds[known].tolist()) - {DayKind.ORDINARY}:
            alike = kinds[known] == kind
            usual[alike] = _usual(week, kind)[weekday[known[alike]]]
            seen = _factor(past, level * usual[learnt], alike[learnt] & (more[rows] == 0))
            usual[alike] = np.maximum(usual[alike] * _believed(seen), FLOOR)
            # some enter on a Monday what came on the weekend, be it a holiday or not
            monday = alike & (weekday[known] == 0)
            seen = _factor(past, level * usual[learnt], monday[learnt] & (more[rows] == 0))
            usual[monday] = np.maximum(usual[monday] * _believed(seen), FLOOR)
        a_day = _waiting(past, level, usual[learnt], more[rows])
        shape[now] = np.maximum(usual + more[known, None] * a_day, FLOOR)[now - known[0]]
    return shape


def _more_closed(weekday: Ints, kinds: npt.NDArray[np.int8]) -> Ints:
    """Return (T,): on a workday, how many more closed days lie just before it than before its weekday as a rule."""
    closed = np.isin(kinds, OFF) | ((weekday >= SATURDAY) & (kinds != DayKind.MAKE_UP_WORKDAY))
    row = np.arange(len(weekday))
    last_open = np.concatenate([[-1], np.maximum.accumulate(np.where(closed, -1, row))[:-1]])
    before = row - 1 - last_open
    # before the panel's first workday nobody knows how long it was closed
    return np.where(closed | (last_open < 0), 0, before - np.where(weekday == 0, 2, 0)).astype(np.int64)


def _waiting(totals: Floats, level: Floats, usual: Floats, more: Ints) -> Floats:
    """Return (C + 1,): what waits of a closed day, times the level; drawn to none, each group for itself."""
    chosen = more != 0
    size, level = more[chosen, None], level[chosen]
    news = totals[chosen] - level * usual[chosen]
    known = np.isfinite(news)
    news, lever = np.where(known, news, 0.0), np.where(known, size * np.nan_to_num(level), 0.0)
    whole = np.maximum((lever**2).sum(axis=0), TINY)
    mean = (lever * news).sum(axis=0) / whole
    noise = (lever**2 * (news - mean * lever) ** 2).sum(axis=0) / whole**2
    closed = (known * np.abs(size)).sum(axis=0)
    share = np.where(known.sum(axis=0) > 1, closed / (closed + PRIOR_DAYS), 0.0)
    trust = _trust(mean[None], noise[None], np.zeros((1, len(mean))))
    return np.asarray(np.maximum(share * trust * mean, 0.0))  # a closed day takes nothing away


@dataclass(frozen=True)
class _Factor:
    mean: Floats  # (C + 1,) total over what was usual
    noise: Floats  # (C + 1,) its variance
    days: int  # on which anything was reported


def _factor(totals: Floats, usual: Floats, chosen: npt.NDArray[np.bool_]) -> _Factor:
    totals, usual = totals[chosen], usual[chosen]
    known = np.isfinite(totals) & np.isfinite(usual)
    totals, usual = np.where(known, totals, 0.0), np.where(known, usual, 0.0)
    whole = usual.sum(axis=0)
    mean = np.where(whole > 0, totals.sum(axis=0) / np.where(whole > 0, whole, 1.0), np.nan)
    noise = ((totals - np.nan_to_num(mean) * usual) ** 2).sum(axis=0) / np.where(whole > 0, whole, 1.0) ** 2
    return _Factor(mean, noise, int(known[:, -1].sum()))  # a day nobody reported was not seen


def _drawn(means: Floats, noise: Floats) -> Floats:
    """Return (7, C + 1) weekday means, the panel's drawn to evenness and each group's to the panel's."""
    even = np.ones(len(means))
    panel = even + _trust(means[:, -1:], noise[:, -1:], even[:, None])[0] * (
        np.nan_to_num(means[:, -1], nan=1.0) - even
    )
    trust = _trust(means, noise, panel[:, None])
    drawn: Floats = panel[:, None] + trust * (np.nan_to_num(means, nan=1.0) - panel[:, None])
    drawn[:, -1] = panel
    return drawn


def _trust(means: Floats, noise: Floats, centre: Floats) -> Floats:
    """Return (C + 1,) how far a difference from ``centre`` is more than noise, 0 to 1."""
    distance = ((means - centre) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        trust: Floats = np.nan_to_num(np.clip(1 - noise.sum(axis=0) / distance, 0.0, 1.0), nan=0.0)
    return trust


def _usual(week: Floats, kind: int) -> Floats:
    """Return (7, C + 1): what a day of a kind is like until enough of them were seen."""
    if kind in OFF:
        return np.broadcast_to(week[6], week.shape)
    if kind == DayKind.MAKE_UP_WORKDAY:
        return np.broadcast_to(week[:5].mean(axis=0), week.shape)
    return week


def _believed(seen: _Factor) -> Floats:
    share = seen.days / (seen.days + PRIOR_DAYS)
    panel = 1 + share * (np.nan_to_num(seen.mean[-1], nan=1.0) - 1)
    trust = share * _trust(seen.mean[None], seen.noise[None], np.full((1, 1), panel)) if seen.days > 1 else 0.0
    return np.asarray(panel + trust * (np.nan_to_num(seen.mean, nan=1.0) - panel))


def _local_means(totals: Floats, cut: Blocks, ordinary: npt.NDArray[np.bool_]) -> Floats:
    """Return (T, C + 1): the mean of each block's ordinary days, NaN where it is nothing."""
    known = np.isfinite(totals) & ordinary[:, None]
    total = np.add.reduceat(np.where(known, totals, 0.0), cut.first, axis=0)
    days = np.add.reduceat(known.astype(float), cut.first, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, total / days, np.nan)[cut.of]


def _season(totals: Floats, panel: Panel, cut: Blocks) -> Floats:
    """Return (T, C + 1): two yearly waves where the totals show them, 1 where they do not."""
    known = np.isfinite(totals)
    days = np.add.reduceat(known.astype(float), cut.first, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.nan_to_num(totals), cut.first, axis=0) / days
    mean[~cut.whole] = np.nan
    years = (panel.dates.astype("datetime64[D]").astype(np.int64)) / 365.25
    waves = _waves(years)
    middle = _waves(np.add.reduceat(years, cut.first) / np.bincount(cut.of))  # (J, 4)
    ratio, half = _against_its_year(mean, cut.per_year), cut.per_year // 2
    season = np.ones_like(totals)
    for block in range(2 * cut.per_year, len(cut.first)):
        # a block's year reaches to half a year after it
        rows = np.arange(max(half, block - half - SEASON_YEARS * cut.per_year), block - half)
        coefficients = _fitted(middle[rows], ratio[rows], cut.per_year)
        now = cut.of == block
        season[now] = np.clip(1 + waves[now] @ coefficients, 1 / REACH, REACH)
    return season


def _waves(years: Floats) -> Floats:
    return np.stack([wave(2 * np.pi * k * years) for k in (1, 2) for wave in (np.sin, np.cos)], axis=1)


def _against_its_year(mean: Floats, per_year: int) -> Floats:
    """Return (J, C + 1): each block's mean over that of the year around it, less 1; NaN where a year is not whole."""
    half = per_year // 2
    ratio = np.full_like(mean, np.nan)
    if len(mean) < per_year:
        return ratio
    year = np.lib.stride_tricks.sliding_window_view(mean, per_year, axis=0).mean(axis=-1)
    middle = mean[half : half + len(year)]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio[half : half + len(year)] = np.where(year > 0, np.minimum(middle / year, REACH) - 1, np.nan)
    return ratio


def _fitted(waves: Floats, ratio: Floats, least: int) -> Floats:
    """Return (4, C + 1) coefficients, the panel's drawn to none and each group's to the panel's."""
    known = np.isfinite(ratio)
    enough = known.sum(axis=0) >= least
    y = np.where(known, ratio, 0.0)
    gram = np.einsum("jp,jc,jq->cpq", waves, known.astype(float), waves) + 1e-6 * np.eye(4)
    free = np.linalg.solve(gram, (waves.T @ y).T[..., None])[..., 0].T  # (4, C + 1)
    noise = (known * (y - waves @ free) ** 2).sum(axis=0) / np.maximum(known.sum(axis=0) - 5, 1)

    def towards(centre: Floats, free: Floats, noise: Floats, known: npt.NDArray[np.bool_]) -> Floats:
        shown = (known * (waves @ (free - centre)) ** 2).sum(axis=0)
        # what four coefficients fit of pure noise, twice, since neighbouring blocks resemble each other
        trust = np.clip(1 - 8 * noise / np.maximum(shown, 1e-12), 0.0, 1.0)
        drawn: Floats = centre + trust * (free - centre)
        return drawn

    panel = towards(np.zeros((4, 1)), free[:, -1:], noise[-1:], known[:, -1:]) * enough[-1]
    fitted = np.where(enough, towards(panel, free, noise, known), panel)
    fitted[:, -1:] = panel
    return fitted
