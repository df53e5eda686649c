"""How much those on duty can take, and how much of a sweep is chance.

Pure.  Of a sweep that judges hundreds of series some are surprising by chance: of those at least as surprising as the
weakest that has a colour, so many are expected by the rate of false discoveries (Benjamini and Hochberg 1995, J. R.
Statist. Soc. B 57: 289-300; Benjamini and Yekutieli 2001, Ann. Statist. 29: 1165-1188, who show that it holds for tests
that depend on each other positively).  Several rules of one series are one test: the smallest p times their number.
The surprise of a count is that of P(X >= x), no less than the truth, so that the estimate is rather too high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
from pydantic import Field

from warning.checked import Checked
from warning.model import Event, Level, Signal, Transition

RUNNING = 3  # days over the budget, one after the other, before an analyst is told
RISES = (Transition.OPENED, Transition.RAISED, Transition.CORRECTED)


class Budget(Checked):
    """``budget.toml``: what a shift can take."""

    officers_per_shift: Annotated[int, Field(ge=1)] = 2
    per_officer: Annotated[int, Field(ge=1)] = 2  # orange and red an officer can see to in a shift

    @property
    def of_a_shift(self) -> int:
        return self.officers_per_shift * self.per_officer


@dataclass(frozen=True, slots=True)
class Load:
    """What one sweep asked of those on duty."""

    day: date
    urgent: int  # alerts that became orange or red
    budget: int  # how many of them a shift can take
    coloured: int  # series that had a colour
    by_chance: float  # about how many of these are chance
    rules: Mapping[str, int]  # urgent ones by the rule that spoke loudest

    @property
    def over(self) -> bool:
        return self.urgent > self.budget


def load(
    day: date,
    events: Iterable[Event],
    loudest: Mapping[str, Sequence[Signal]],
    surprises: Sequence[Sequence[float]],
    coloured: Sequence[bool],
    budget: Budget,
) -> Load:
    """Return what a sweep asked of those on duty.

    Args:
        day: Its data date.
        events: What happened to alerts.
        loudest: By alert, the signals that hold it, the strongest first.
        surprises: Of each series judged that day, what each of its rules found in the direction it looks for.
        coloured: Which of these series had a colour.
        budget: What a shift can take.
    """
    urgent = {e.alert for e in events if e.transition in RISES and e.before < e.after >= Level.ORANGE}
    rules = Counter(loudest[number][0].rule for number in sorted(urgent) if loudest.get(number))
    count = sum(coloured)
    return Load(day, len(urgent), budget.of_a_shift, count, by_chance(surprises, coloured), rules)


def by_chance(surprises: Sequence[Sequence[float]], coloured: Sequence[bool]) -> float:
    """Return about how many of the coloured series are chance; 0 where none has a colour."""
    found = discoveries(surprises)
    chosen = found[np.array(coloured, dtype=bool)] if len(found) else found
    chosen = chosen[np.isfinite(chosen)]
    return float(chosen.max() * len(chosen)) if len(chosen) else 0.0


def discoveries(surprises: Sequence[Sequence[float]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return (N,) the share of false ones among all series at least as surprising; NaN where none judged it."""
    from scipy.stats import false_discovery_control

    p = np.array([_p(some) for some in surprises], dtype=np.float64)
    judged = np.isfinite(p)
    found = np.full(len(p), np.nan)
    if judged.any():
        found[judged] = false_discovery_control(p[judged])
    return found


def broken(loads: Sequence[Load]) -> bool:
    """Return whether the last days, one after the other, were all over the budget."""
    last = sorted(loads, key=lambda one: one.day)[-RUNNING:]
    return len(last) == RUNNING and all(one.over for one in last) and (last[-1].day - last[0].day).days == RUNNING - 1


def _p(some: Sequence[float]) -> float:
    """The p value of a series by all its rules: the smallest, times how many could say so."""
    known = [one for one in some if np.isfinite(one)]
    return min(1.0, len(known) * 10.0 ** -max(0.0, *known)) if known else float("nan")
