"""From scores to verdicts: what all rules together say of every series and date not judged before, or judged again.

Pure; the same for a live sweep and for a replay of the past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from detectors.panel import Dates, Floats, Remark
from warning import grading
from warning.batches import batches
from warning.graded import Graded
from warning.lifecycle import Verdict, verdict
from warning.model import Correction, Level, SeriesKey, Signal
from warning.periods import MONTHS_AGAIN, last_complete, reach
from warning.rule import series_of
from warning.scoring import Known
from warning.service import Deployment
from warning.since import onset_of
from warning.situation import Nearest

Columns = npt.NDArray[np.int64]  # of a panel, one for each series of a rule

EXPECTING = ("outbreak", "forecast")  # methods that know weekday and holiday
NEVER_FULL = 0.99  # what is called calm has not reached its threshold, whatever the rounding


@dataclass(frozen=True)
class Decided:
    """What was made of dates not judged before, or judged again."""

    verdicts: tuple[Verdict, ...]  # by date and series; calm ones only of series that have, or are given, an alert
    judged: Mapping[SeriesKey, date]  # the last date each series, quiet or not, had a verdict for


def unjudged(panel: Known, judged_until: Mapping[SeriesKey, date], rejudge_days: int) -> int:
    """Return how many final dates hold a value nobody judged yet; where a series begins ``_before_first`` says."""
    rows = reach_of(panel, rejudge_days)
    recent = panel.dates[-rows:]
    until = np.array([np.datetime64(day) for day in _untils(panel, judged_until)])
    unseen = np.isfinite(panel.values[-rows:]) & (recent[:, None] > until[None, :])
    first = np.flatnonzero(unseen.any(axis=1))
    return int(rows - first[0]) if len(first) else 0


def reach_of(panel: Known, rejudge_days: int) -> int:
    """Return how many final dates may still be judged, or judged again."""
    return min(len(panel.dates), reach(rejudge_days, panel.frequency))


def corrections_of(
    panel: Known, before: Floats, judged_until: Mapping[SeriesKey, date], first: date
) -> dict[SeriesKey, tuple[Correction, ...]]:
    """Return the values of judged dates that are others than they were, late ones too, by series.

    Args:
        panel: As it is known now; a series judged beyond its last date is left out.
        before: (R, N) its last R dates as they were known when they were judged.
        judged_until: The last date each series had a verdict for.
        first: The first day that was ever swept: nothing before it was judged.
    """
    recent, now, last = panel.dates[-len(before) :], panel.values[-len(before) :], panel.dates[-1].item()
    untils = [judged_until.get(key, date.min) for key in panel.keys]
    until = np.array([day if day <= last else date.min for day in untils], dtype="datetime64[D]")
    begun = np.datetime64(last_complete(first, panel.frequency))
    judged = (recent[:, None] <= until[None, :]) & (recent >= begun)[:, None]
    found: dict[SeriesKey, list[Correction]] = {}
    for row, n in np.argwhere(np.isfinite(now) & (now != before) & judged):
        key = panel.keys[n]
        one = Correction(key, recent[row].item(), float(before[row, n]), float(now[row, n]))
        found.setdefault(key, []).append(one)
    return {key: tuple(ones) for key, ones in found.items()}


def again(panel: Known, corrections: Mapping[SeriesKey, Sequence[Correction]]) -> int:
    """Return how many final dates are to be judged again, from the first corrected one on."""
    first = min((one.date for key in panel.keys for one in corrections.get(key, ())), default=None)
    return 0 if first is None else len(panel.dates) - int(np.searchsorted(panel.dates, np.datetime64(first)))


def unsure(deployment: Deployment, found: Mapping[str, Graded]) -> set[SeriesKey]:
    """Return the series some rule of which could not be asked: what it said before stands until it can be."""
    silent = (rule for rule in deployment.rules.rules if rule.id not in found)
    return {key for rule in silent for key in series_of(rule, deployment.city)}


def verdicts(
    deployment: Deployment,
    panels: Mapping[str, Known],
    lasts: Mapping[str, int],
    found: Mapping[str, Graded],
    judged_until: Mapping[SeriesKey, date],
    corrections: Mapping[SeriesKey, Sequence[Correction]],
    live: Collection[SeriesKey],
) -> Decided:
    """Return the verdicts of dates not judged before, or judged again; missing values have none.

    Args:
        deployment: City, calendar, and the rules' version.
        panels: As they are known, up to the day that is judged.
        lasts: For each frequency, how many final dates of its panel to look at.
        found: From ``graded``; their dates may go on beyond the panels'.
        judged_until: The last date each series had a verdict for.
        corrections: Series that are judged again from the first corrected date on.
        live: Series that have an alert.
    """
    cells: list[Verdict] = []
    judged: dict[SeriesKey, date] = {}
    first = {key: min(one.date for one in ones) for key, ones in corrections.items()}
    for frequency, panel in panels.items():
        rules = [rule for rule in found.values() if rule.frequency == frequency]
        days = panel.dates[len(panel.dates) - lasts.get(frequency, 0) :]
        columns = {rule.rule.id: np.array([panel.index[key] for key in rule.keys]) for rule in rules}
        counted = np.array(
            [deployment.city.indicators[key.indicator].kind == "count" for key in panel.keys], dtype=bool
        )
        best, changed = _best(rules, panel, days, columns)
        new = (best > Level.MISSING) & (days[:, None] > np.array(_untils(panel, judged_until), dtype=days.dtype))
        for n in np.flatnonzero(new.any(axis=0)):
            judged[panel.keys[n]] = days[np.flatnonzero(new[:, n])[-1]].item()
        since = np.array([first.get(key, date.max) for key in panel.keys], dtype=days.dtype)
        told = new | ((best > Level.MISSING) & (days[:, None] >= since))
        followed = np.array([key in live or key in first for key in panel.keys], dtype=bool)
        followed |= (told & (best > Level.CALM)).any(axis=0)
        for row in np.flatnonzero((told & followed).any(axis=1)):
            when: date = days[row].item()
            scored = [(rule, there) for rule in rules if (there := rule.row(days[row])) is not None]
            together = _batches(panel, counted, scored, columns) if frequency == "daily" else {}
            coloured = _coloured(scored, when, deployment.rules.version, together)
            keeping = _keeping(scored, len(panel.keys), columns)
            for n in np.flatnonzero(told[row] & followed):
                cell = _verdict(deployment, panel, int(n), when, coloured)
                kept = {rule: levels[n] for rule, levels in keeping.items() if levels[n] > Level.CALM}
                cells.append(replace(cell, level_changed=bool(changed[row, n]), kept=kept))
    return Decided(tuple(sorted(cells, key=lambda cell: (cell.date, cell.key))), judged)


def _best(
    rules: Sequence[Graded], panel: Known, days: Dates, columns: Mapping[str, Columns]
) -> tuple[grading.Levels, npt.NDArray[np.bool_]]:
    """Return (K, N) the highest level any rule gives a series on a day, and where one says that its level changed."""
    changed = np.zeros((len(days), len(panel.keys)), dtype=bool)
    best = np.full((len(days), len(panel.keys)), Level.MISSING, dtype=np.int8)
    for rule in rules:
        _, to, of = np.intersect1d(days, rule.dates, assume_unique=True, return_indices=True)
        cells = np.ix_(to, columns[rule.rule.id])
        best[cells] = np.maximum(best[cells], rule.levels[of])
        changed[cells] |= (rule.scores.remarks[of] & Remark.LEVEL_CHANGED) > 0
    return best, changed


def _verdict(
    deployment: Deployment, panel: Known, column: int, day: date, coloured: Mapping[SeriesKey, Sequence[Signal]]
) -> Verdict:
    key = panel.keys[column]
    if key not in coloured:
        return Verdict(key, day, Level.CALM)
    strongest = verdict(key, day, coloured[key])
    rising = strongest.signals[0].surprise > 0
    return replace(strongest, onset=onset_of(deployment, panel, key, day, rising=rising))


def nearest(deployment: Deployment, lasts: Mapping[str, int], found: Mapping[str, Graded]) -> dict[str, Nearest]:
    """Return for each place the calm series that came nearest to yellow on the last date, by surprise.

    One that is beyond the surprise yellow asks for, and calm for want of something else, is not near but past it.
    """
    city, best = deployment.city, dict[str, tuple[float, SeriesKey]]()
    for rule in found.values():
        least = min((e.surprise for _, e in rule.rule.levels() if e.surprise is not None), default=None)
        if least is None or not lasts.get(rule.frequency, 0):
            continue
        shares = np.where(rule.levels[-1] == Level.CALM, rule.signs * rule.scores.surprise[-1] / least, 0.0)
        near = np.flatnonzero((shares > 0) & (shares < 1))
        near = near[np.argsort(-shares[near], kind="stable")]
        _, first = np.unique([rule.keys[n].place for n in near], return_index=True)  # the nearest of each place
        for n in near[first]:
            key, share = rule.keys[n], float(shares[n])
            if key.place not in best or share > best[key.place][0]:
                best[key.place] = share, key
    return {
        place: Nearest(city.indicators[key.indicator], city.places[key.place], min(share, NEVER_FULL))
        for place, (share, key) in best.items()
    }


def _batches(
    panel: Known, counted: npt.NDArray[np.bool_], scored: Iterable[tuple[Graded, int]], columns: Mapping[str, Columns]
) -> dict[str, tuple[float, float]]:
    """Return the places whose day looks like a batch, by what the methods that expect single counts expected."""
    observed, expected = np.full((2, len(panel.keys)), np.nan)
    for rule, row in scored:
        if rule.rule.detector not in EXPECTING or rule.rule.window > 1:
            continue
        column = columns[rule.rule.id]
        new = np.isnan(expected[column])  # of several rules the first speaks
        observed[column[new]] = rule.scores.observed[row, new]
        expected[column[new]] = rule.scores.expected[row, new]
    series = np.flatnonzero(counted & np.isfinite(expected))
    return batches([panel.keys[n].place for n in series], observed[series], expected[series])


def _coloured(
    scored: Iterable[tuple[Graded, int]], day: date, version: str, together: Mapping[str, tuple[float, float]]
) -> dict[SeriesKey, list[Signal]]:
    found: dict[SeriesKey, list[Signal]] = {}
    for rule, row in scored:
        for n in np.flatnonzero(rule.levels[row] > Level.CALM):
            signal = rule.signal(row, int(n), day, version)
            found.setdefault(signal.key, []).append(replace(signal, batch=together.get(signal.place)))
    return found


def _keeping(
    scored: Iterable[tuple[Graded, int]], series: int, columns: Mapping[str, Columns]
) -> dict[str, list[Level]]:
    """Return for each rule that keeps up some level on a date the level it keeps of each of N series."""
    found = {}
    for rule, row in scored:
        if (rule.kept[row] > Level.CALM).any():
            levels = np.zeros(series, dtype=np.int8)
            levels[columns[rule.rule.id]] = rule.kept[row]
            found[rule.rule.id] = [Level(int(level)) for level in levels]
    return found


def _untils(panel: Known, judged_until: Mapping[SeriesKey, date]) -> list[date]:
    """Return (N,) until when each series was judged; one that never was counts as judged before its first."""
    first = _before_first(panel)
    return [judged_until.get(key, first[n]) for n, key in enumerate(panel.keys)]


def _before_first(panel: Known) -> list[date]:
    """Return (N,) the day before the date a series begins to be judged with: the last of the panel.

    A month's value comes long after the month, so a monthly one begins with the last it has, or the next would be the
    first, weeks later.
    """
    rows = np.full(len(panel.keys), len(panel.dates) - 1)
    if panel.frequency == "monthly":
        recent = np.isfinite(panel.values[-MONTHS_AGAIN:])
        rows -= np.where(recent.any(axis=0), recent[::-1].argmax(axis=0), 0)
    firsts: list[date] = panel.dates[rows].tolist()
    return [first - timedelta(days=1) for first in firsts]
