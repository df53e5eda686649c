"""The facts of why an alert has its colour: the rule, its bounds, and whether the value is back within them.

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from detectors.level import PACES
from warning.facts import Notes, chance, day_en, number, quantity, span_zh, when_en
from warning.model import Alert, Indicator, Signal
from warning.periods import WORD_ZH, last_day, later
from warning.rule import Ruleset

FIRST_MARK, MARKS = 0x2460, 20  # ① to ⑳
BY = {  # detectors that compare with something else than what came just before, and what they compare with
    "rank": ("在同级地区中的往常水平", "its usual standing among its siblings"),
    "yearly": ("往年同期（春节前后按农历对齐）", "the same days of past years"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule measured last in the series of an alert, whatever came of it."""

    date: date
    window: int  # periods summed in `observed`
    observed: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a place stands among its siblings, 1 for the most; places that are even share theirs."""

    whole: str  # what they are the places of
    now: float
    usual: float  # mean of the windows before
    windows: int
    siblings: int  # itself included


def ground(alert: Alert) -> Signal | None:
    """Return the signal that is told: the strongest of a single value or sum, else a change of level."""
    ordered = sorted(alert.evidence, key=lambda signal: signal.detector == "changepoint")
    return ordered[0] if ordered else None


def add_evidence(notes: Notes, alert: Alert, indicator: Indicator, conf: Mapping[str, float | None]) -> None:
    """Add what was judged, its bounds and how rare it is.

    Args:
        notes: Takes the facts.
        alert: With its evidence.
        indicator: What is counted.
        conf: Rule id -> what share of usual values its bounds hold, in per cent; None: its bound is a line that was
            drawn, and is told once it was reached.
    """
    signal = ground(alert)
    if signal is None or signal.detector == "changepoint":  # its values are means since the change, told as m0 and m1
        return
    kind = indicator.kind
    notes.add("judged", signal.observed, quantity(signal.observed, kind), f"signal {signal.rule} of {signal.date}")
    notes.add("judged_range", signal.date, _range(signal.date, signal.window, indicator.frequency))
    notes.add("expected", signal.expected, number(signal.expected))
    if signal.detector in BY:
        notes.add("by_zh", BY[signal.detector][0])
        notes.add("by_en", BY[signal.detector][1])
    if math.isfinite(signal.surprise) and signal.surprise != 0:
        notes.add("p_text", abs(signal.surprise), chance(signal.surprise), f"10 ** -{abs(signal.surprise):.3g}")
    if signal.rule not in conf:
        return
    share = conf[signal.rule]
    if share is None:
        line = signal.upper if signal.surprise > 0 else signal.lower
        if signal.observed >= line if signal.surprise > 0 else signal.observed <= line:
            notes.add("threshold", line, quantity(line, kind), f"line of {signal.rule}")
        return
    if signal.surprise > 0 and signal.observed > signal.upper:
        notes.add("upper", signal.upper, quantity(signal.upper, kind))
        notes.add("conf", share, number(share), "100 * (1 - alpha) of the rule")
        notes.add("excess", signal.observed - signal.upper, quantity(signal.observed - signal.upper, kind))
    if signal.surprise < 0 and signal.observed < signal.lower:
        notes.add("lower", signal.lower, quantity(signal.lower, kind))


def add_batch(notes: Notes, alert: Alert) -> None:
    """Add what the whole place reported on a day that may have been entered together."""
    signal = next((one for one in alert.evidence if one.batch is not None), None)
    if signal is None or signal.batch is None:
        return
    total, usual = signal.batch
    notes.add("batch", total, quantity(total, "count"), f"sum of the place's daily counts of {signal.date}")
    notes.add("batch_usual", usual, number(usual), "sum of what was expected of them")
    notes.add("batch_times", total / usual, number(total / usual), f"{total:.10g} / {usual:.10g}")
    notes.add("batch_range", signal.date, span_zh(signal.date, signal.date, "daily"))
    notes.add("batch_en", signal.date, day_en(signal.date))


def add_settled(notes: Notes, indicator: Indicator, settled: date | None) -> None:
    """Add that the level has changed for good, as it was seen on a date."""
    if settled is None:
        return
    lasting = PACES[indicator.frequency].lasting
    notes.add("settled", settled, span_zh(settled, settled, indicator.frequency), "event: level changed")
    notes.add("settled_long", lasting, f"{lasting}{WORD_ZH[indicator.frequency]}", "periods a level must have lasted")
    words = {"daily": "days", "weekly": "weeks", "monthly": "months"}
    notes.add("settled_en", lasting, f"{lasting} {words[indicator.frequency]}")
    notes.add("settled_on_en", settled, day_en(last_day(settled, indicator.frequency)))


def add_standing(notes: Notes, standing: Standing | None) -> None:
    """Add where the place stands among its siblings, and where it usually does."""
    if standing is None:
        return
    notes.add("rank_whole", standing.whole)
    notes.add("rank_of", standing.siblings)
    notes.add(
        "rank_now", standing.now, f"{standing.now:g}", "siblings with more, and half of those even with it, plus 1"
    )
    notes.add("rank_usual", standing.usual, number(standing.usual), f"mean of {standing.windows} windows before")
    notes.add("rank_windows", standing.windows)


def add_fallen_back(notes: Notes, alert: Alert, indicator: Indicator, last: Judgement | None) -> None:
    """Add the last value where it lies within the usual range though the alert is held.

    Args:
        notes: Takes the facts.
        alert: Held by the quiet periods its rules ask for, or until a person has verified it.
        indicator: What is counted.
        last: The last judgement by the rule that raised it, or by another that judges single values.
    """
    signal = ground(alert)
    if last is None or (signal is not None and last.date <= signal.date):  # what fired on that very date is not over
        return
    high = indicator.risk_sign > 0 if signal is None else signal.surprise > 0  # a rule may look for the other side
    bound, usual = (last.upper, "上限") if high else (last.lower, "下限")
    inside = last.observed <= bound if high else last.observed >= bound
    if not inside:  # also where either is unknown
        return
    notes.add("back", last.observed, quantity(last.observed, indicator.kind), f"score of {last.date}")
    notes.add("back_range", last.date, _range(last.date, last.window, indicator.frequency))
    notes.add("back_en", last.date, when_en(last.date, indicator.frequency))
    notes.add("back_bound", bound, quantity(bound, indicator.kind), "bound of the same score")
    notes.add("back_side", usual)
    notes.add("back_verb", "回落" if high else "回升")
    notes.add("held_zh", "待核实" if alert.needs_a_person else "连续正常后自动解除")


def _range(day: date, window: int, frequency: str) -> str:
    return span_zh(later(day, 1 - window, frequency), day, frequency)


@dataclass(frozen=True, slots=True)
class ToDo:
    """What the rule that speaks loudest says is to be looked at, in order, and who is to be asked."""

    checks: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


def to_do(alert: Alert, rules: Ruleset) -> ToDo:
    """Return what is to be done about an alert by the rule that holds it up; nothing where none does."""
    signal = ground(alert)
    rule = next((one for one in rules.rules if signal is not None and one.id == signal.rule), None)
    return ToDo() if rule is None else ToDo(rule.checks, rule.departments)


def add_to_do(notes: Notes, found: ToDo) -> None:
    """Add what to look at as one line, ①…；②…, and who is to be asked beside the indicator's own department."""
    marked = (f"{chr(FIRST_MARK + n)}{text}" for n, text in enumerate(found.checks[:MARKS]))
    notes.add("check_list", "；".join(marked) or None)
    notes.add("ask_too", "、".join(found.departments) or None)
