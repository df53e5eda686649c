"""Scores of a past period for rules that are tried: from the store, and made anew where their way never ran."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from detectors.panel import Reason, Scores
from warning import periods
from warning.model import SeriesKey
from warning.regrading import stored
from warning.rule import Rule
from warning.scoring import Beat, Judged, groups, known, score, window
from warning.service import Service
from warning.store import score as scores_of
from warning.store.score import FIELDS


@dataclass(frozen=True)
class Rescored:
    """The scores of every rule, and what had to be done for them."""

    judged: Mapping[str, Judged]  # by the id of each rule as one method judges
    anew: tuple[str, ...]  # of these, which were scored again
    failures: tuple[tuple[str, str], ...]  # id and reason where a detector raised


def scores_for(
    service: Service, first: date, last: date, *, now: datetime, keep: bool = False, beat: Beat = lambda _: None
) -> Rescored:
    """Return the scores from ``first`` to ``last`` for the rules of a service, which may be others than those that ran.

    A date nobody scored is scored as live, from the window its sweep would have looked at, by values as known now.

    Args:
        service: An opened deployment.
        first: The first date to be judged; of as many before as rules look back for persistence there are scores, too.
        last: The last date.
        now: What is known then.
        keep: Store what was scored anew, so that the next time it is there.  Writes.
        beat: Told before each step that may be long; raising from it stops.
    """
    found = stored(service, first, last, known_at=now, only=FIELDS)
    lacking = {name: one for name, one in found.items() if _unscored(one.scores).any()}
    if not lacking:
        return Rescored(found, (), ())
    views = {view.id: view for rules in groups(service).values() for view in rules}
    failures: dict[str, str] = {}
    for frequency in sorted({one.way.frequency for one in lacking.values()}):
        some = {name: one for name, one in lacking.items() if one.way.frequency == frequency}
        made, failed = _made(service, frequency, some, [views[name] for name in some], now, beat)
        found |= made
        failures |= dict(failed)
    anew = tuple(name for name in lacking if name not in failures)
    if keep:
        with service.store.write():
            for one in {found[name].way: found[name] for name in anew}.values():
                scores_of.save_scores(service.store, one.way, one.keys, one.dates, one.scores, now)
    return Rescored({name: one for name, one in found.items() if name not in failures}, anew, tuple(failures.items()))


def _unscored(scores: Scores) -> npt.NDArray[np.bool_]:
    """(K,) dates of which nothing was ever scored."""
    return np.asarray((scores.reason == Reason.NOT_REPORTED).all(axis=1))


def _made(
    service: Service, frequency: str, some: Mapping[str, Judged], views: Collection[Rule], now: datetime, beat: Beat
) -> tuple[dict[str, Judged], list[tuple[str, str]]]:
    """Return the scores with those of the dates that lack them, a stretch of dates with one window after the other."""
    alone = tuple(view.model_copy(update={"methods": {}}) for view in views)  # each as its own method judges
    there = replace(service, rules=replace(service.rules, rules=alone))
    dates = np.unique(np.concatenate([one.dates[_unscored(one.scores)] for one in some.values()]))
    tables = {name: {f.name: getattr(one.scores, f.name).copy() for f in fields(Scores)} for name, one in some.items()}
    failures: dict[str, str] = {}
    while len(dates):
        stretch = _stretch(dates, frequency, service.config.sweep.window_years)
        beat(f"{stretch[0]} – {stretch[-1]}")
        day = periods.last_day(stretch[-1].item(), frequency)
        panels = {frequency: known(there, day, known_at=now)[frequency]}
        rows = len(panels[frequency].dates) - int(np.searchsorted(panels[frequency].dates, stretch[0]))
        judged, failed = score(there, panels, {frequency: rows}, beat=beat)
        failures |= dict(failed)
        for name, one in judged.items():
            _laid_in(tables[name], some[name], one, stretch)
        dates = dates[len(stretch) :]
    made = {name: replace(one, scores=Scores(**tables[name])) for name, one in some.items() if name not in failures}
    return made, list(failures.items())


def _stretch(dates: npt.NDArray[np.datetime64], frequency: str, years: int) -> npt.NDArray[np.datetime64]:
    """Return as many of the first dates as are judged from a window that begins on the same day."""
    begins = [window(periods.last_day(day, frequency), frequency, years)[0] for day in dates[:400].tolist()]
    same = [begin == begins[0] for begin in begins]
    return dates[: same.index(False) if False in same else len(same)]


def _laid_in(
    table: dict[str, npt.NDArray[np.generic]], to: Judged, made: Judged, stretch: npt.NDArray[np.datetime64]
) -> None:
    """Put the scores of some dates in their places, for the series that are asked for."""
    shared = np.intersect1d(np.intersect1d(stretch, made.dates), to.dates)
    rows, of = np.searchsorted(to.dates, shared), np.searchsorted(made.dates, shared)
    place: dict[SeriesKey, int] = {key: n for n, key in enumerate(made.keys)}
    columns = np.array([place[key] for key in to.keys], dtype=np.intp)
    unscored = rows[_unscored_rows(table, rows)]
    of = of[_unscored_rows(table, rows)]
    for name, numbers in table.items():
        numbers[unscored] = getattr(made.scores, name)[of][:, columns]


def _unscored_rows(table: Mapping[str, npt.NDArray[np.generic]], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    return np.asarray((table["reason"][rows] == Reason.NOT_REPORTED).all(axis=1))
