"""What corrected and late values make of an alert: as it would have been, had they been known.

Pure.  The history that was written stays; what differs is added to it.  What people did
stays, too: a stage is never undone, and what was ever orange waits for a person.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from warning.facts import quantity
from warning.gaps import period_zh
from warning.lifecycle import Holds, Verdict, advance
from warning.model import Alert, Correction, Indicator, Level, Stage, Transition
from warning.periods import WORD_ZH

NAMED = 3  # corrections printed before 等

Change = tuple[Transition, Level, Level]  # what is told, from which level to which
Course = Mapping[date, Alert | None]  # after which date's verdict which alert of a series was live


def run_through(start: Alert | None, verdicts: Iterable[Verdict], holds: Holds) -> dict[date, Alert | None]:
    """Return which alert would have been live after each verdict; one that would have been new has no number."""
    alert, found = start, {}
    for verdict in verdicts:
        alert, _ = advance(alert, verdict, holds)
        if alert is not None and alert.stage is Stage.CLOSED:
            alert = None
        found[verdict.date] = alert
    return found


def amended(alert: Alert | None, would_be: Alert | None, until: date) -> Alert | None:
    """Return the alert of a series as it stands once its values are known.

    Args:
        alert: The live alert, if there is one; it keeps its number, its stage and the highest level it ever had.
        would_be: From ``run_through``, after the last date.
        until: The last date that was judged again.
    """
    if alert is None:
        return would_be
    if would_be is not None:
        peak = max(alert.peak, would_be.peak)
        return replace(would_be, number=alert.number, stage=alert.stage, opened=alert.opened, peak=peak)
    calm = replace(alert, active=Level.CALM, quiet=0, evidence=(), updated=until)
    return calm if alert.needs_a_person else replace(calm, stage=Stage.CLOSED)


def changes(before: Alert | None, after: Alert) -> list[Change]:
    """Return what is told of a correction, in order: an orange or red that came and went is told, too."""
    was, peak = (Level.CALM, Level.CALM) if before is None else (before.active, before.peak)
    levels = [was, after.peak] if after.peak > max(peak, after.active) else [was]
    steps = list(zip(levels, [*levels[1:], after.active], strict=True))
    told: list[Change] = [(Transition.CORRECTED, *step) for step in steps if step[0] is not step[1]]
    if not after.number:
        first = Level(max(after.peak, after.active))
        return [(Transition.OPENED, was, first), (Transition.CORRECTED, first, after.active)]
    if after.stage is Stage.CLOSED:
        told.append((Transition.ENDED, Level.CALM, Level.CALM))
    return told


def reason_zh(corrections: Sequence[Correction], indicator: Indicator) -> str:
    """Return why: 因数据更正（11月19日由12件更正为31件）."""
    found = sorted(corrections, key=lambda one: one.date)
    what = "补报" if all(math.isnan(one.old) for one in found) else "更正"
    named = "；".join(_one_zh(one, indicator) for one in found[:NAMED])
    many = f"；等{len(found)}{WORD_ZH[indicator.frequency]}" if len(found) > NAMED else ""
    return f"因数据{what}（{named}{many}）"


def _one_zh(one: Correction, indicator: Indicator) -> str:
    period = period_zh(one.date, indicator.frequency)
    new = f"{quantity(one.new, indicator.kind)}{indicator.unit}"
    if math.isnan(one.old):
        return f"{period}补报{new}"
    return f"{period}由{quantity(one.old, indicator.kind)}{indicator.unit}更正为{new}"
