"""The facts of one alert over its course: from its onset to the last period known, 28 days or 3 months at most.

Pure.  What is compared with what: 环比 with the span of the same length just before,
同比 with the same span last year (aligned by the caller), and with what the span would
hold if each day were the mean of its weekday over the 28 days before the onset; each month
that of the 12 months before it, in which every season is once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from detectors.panel import Floats
from warning import periods
from warning.deadlines import Deadline, add_deadlines
from warning.facts import (
    LEVEL_ZH,
    MARK,
    SMALL,
    Item,
    Notes,
    add_change,
    begun_zh,
    month_zh,
    number,
    period_en,
    quantity,
    span_zh,
)
from warning.gaps import Gap, period_zh, state_zh
from warning.grounds import (
    Judgement,
    Standing,
    ToDo,
    add_batch,
    add_evidence,
    add_fallen_back,
    add_settled,
    add_standing,
    add_to_do,
    ground,
)
from warning.history import History
from warning.model import Alert, Indicator, Level, Place
from warning.periods import WORD_ZH
from warning.tier import Tier
from warning.words import stage_of

LONGEST = {"daily": 28, "weekly": 4, "monthly": 3}  # periods a course is told over
MEAN_ZH = {"daily": "日均", "weekly": "周均", "monthly": "月均"}


@dataclass(frozen=True, slots=True)
class Part:
    """A place below the alert's place, with its history of the same indicator."""

    name_zh: str
    history: History


def item(
    alert: Alert,
    indicator: Indicator,
    place: Place,
    history: History,
    *,
    until: date,
    last_year: Callable[[date], date],
    rule_names: Mapping[str, str],
    parts: Sequence[Part] = (),
    tier: Tier | None = None,
    due: tuple[Deadline, ...] = (),
    conf: Mapping[str, float | None] | None = None,
    last: Judgement | None = None,
    level_since: date | None = None,
    days: Sequence[str] = (),
    gap: Gap | None = None,
    corrected: str = "",
    settled: date | None = None,
    standing: Standing | None = None,
    to_do: ToDo | None = None,
) -> Item:
    """Return the facts of one alert over its course: from its onset to ``until``, ``LONGEST`` periods at most.

    Args:
        alert: With its evidence.
        indicator: What is counted.
        place: Where.
        history: At least ``history.BEFORE`` periods before the onset, and last year's for 同比.
        until: The last period known.
        last_year: From the first day of the span to the first day it is compared with.
        rule_names: Rule id -> its Chinese name.
        parts: The places below, where they report the indicator themselves.
        tier: The places of the tier, for shares, and with their populations for rates per 10,000; None where not
            all of them are watched.
        conf: Rule id -> what share of usual values its bounds hold, in per cent; None: its bound is a line.
        due: What is to be done until when.
        last: The last judgement of the series, to say whether it is back within its usual range.
        level_since: Data date since which it has had its level.
        days: Names the calendar gives to days of the span; with them goes what last year's days did.
        gap: The due period nobody could judge, if there is one.
        corrected: What a correction did to it on the day that is told, "" where there was none.
        settled: The date on which its level was last seen to have changed for good.
        standing: Where the place stands among its siblings, where its rule ranks.
        to_do: What its rule says is to be looked at.
    """
    notes = Notes(f"{place.code}/{indicator.id}/{until.isoformat()}", history.source)
    frequency = history.frequency
    first = max(min(alert.onset, until), history.later(until, 1 - LONGEST[frequency]))
    _name_it(notes, alert, indicator, place, rule_names)
    notes.add("onset", alert.onset, begun_zh(alert.onset, frequency))
    notes.add("onset_en", alert.onset, period_en(alert.onset, frequency))
    notes.add("first_date", alert.opened, begun_zh(alert.opened, frequency))
    notes.add("date_range", until, span_zh(first, until, frequency))
    if frequency == "monthly":
        notes.add("month", until, month_zh(until))
    notes.add("until_en", until, period_en(until, frequency))
    add_evidence(notes, alert, indicator, conf or {})
    add_standing(notes, standing)
    add_fallen_back(notes, alert, indicator, last)
    add_settled(notes, indicator, settled)
    add_batch(notes, alert)
    add_deadlines(notes, due)
    add_to_do(notes, to_do or ToDo())
    _streak(notes, alert, history, until, level_since)
    _latest(notes, indicator, history, alert.onset, until, tier)
    if corrected:
        notes.add("corrected", corrected, formula="revisions of the observations, judged again")
    if gap is not None:
        notes.add("gap", gap.expected, period_zh(gap.expected, frequency))
        notes.add("gap_zh", state_zh(gap.arrived))
    now = history.span(first, until)
    if len(now) == 0 or np.isnan(now).any():
        return _done(alert, notes)
    total = _together(now, indicator)
    notes.add("days", (periods.last_day(until, frequency) - first).days + 1)
    notes.add("per_zh", MEAN_ZH[frequency])
    if first > alert.onset:  # of a long course only its last part is counted
        notes.add("clipped_zh", f"近{len(now)}{WORD_ZH[frequency]}")
    notes.add("value", total, quantity(total, indicator.kind), _formula(indicator, first, until))
    _compare(notes, indicator, history, (min(alert.onset, first), first), len(now), last_year(first), total)
    if days:
        _holiday(notes, indicator, history, days, last_year(first), len(now))
    _distribution(notes, indicator, parts, first, until, total)
    _per_head(notes, indicator, place, tier, first, until)
    return _done(alert, notes)


def _name_it(notes: Notes, alert: Alert, indicator: Indicator, place: Place, rule_names: Mapping[str, str]) -> None:
    notes.add("name", indicator.name_zh)
    notes.add("name_en", indicator.name_en)
    notes.add("district", place.name_zh)
    notes.add("place_en", place.name_en)
    notes.add("unit", indicator.unit)
    notes.add("dept", indicator.department)
    notes.add("alert_no", alert.number)
    notes.add("colour_zh", LEVEL_ZH[alert.active])
    notes.add("mark", MARK[alert.active])
    notes.add("stage_zh", stage_of(alert)[0])
    signal = ground(alert)
    if signal is not None:
        notes.add("rule_id", signal.rule)
        notes.add("rule_zh", rule_names.get(signal.rule))


def _streak(notes: Notes, alert: Alert, history: History, until: date, since: date | None) -> None:
    """For how many periods in a row it has had its level; one is no streak."""
    if since is None or alert.active <= Level.CALM:
        return
    count = periods.between(since, until, history.frequency) + 1
    if count > 1:
        notes.add("k", count, f"{count}{WORD_ZH[history.frequency]}", f"periods from {since} to {until}")


def _latest(notes: Notes, indicator: Indicator, history: History, onset: date, until: date, tier: Tier | None) -> None:
    """The last value known, beside the usual one of such a day, and what the whole tier had."""
    (value,) = history.span(until, until) if len(history.span(until, until)) == 1 else (math.nan,)
    if not math.isfinite(value):
        return
    notes.add("latest", float(value), quantity(float(value), indicator.kind), f"value of {until}")
    notes.add("latest_range", until, period_zh(until, history.frequency))
    after = max(0, periods.between(onset, until, history.frequency))
    usual = history.usual(min(onset, until), after, 1, indicator)
    notes.add("latest_usual", usual, number(usual) if math.isfinite(usual) else "", history.usual_of)
    totals = [] if tier is None else tier.totals(until, until, indicator)
    if indicator.period_agg != "sum" or len(totals) < 2 or not all(math.isfinite(total) for total in totals):
        return
    whole = sum(totals)
    notes.add("latest_city", whole, quantity(whole, indicator.kind), f"sum of the tier on {until}")
    if whole >= SMALL:
        share = 100 * float(value) / whole
        notes.add("latest_share", share, number(share), f"100 * {value:.10g} / {whole:.10g}")


def _compare(
    notes: Notes,
    indicator: Indicator,
    history: History,
    begun: tuple[date, date],  # the onset, and the first day of the span that is told
    count: int,  # periods it has
    last_year: date,
    total: float,
) -> None:
    kind = indicator.kind
    onset, first = begun
    before = history.span(history.later(first, -count), history.later(first, -1))
    year = history.span(last_year, history.later(last_year, count - 1))
    then = _together(before, indicator) if len(before) == count else math.nan
    ago = _together(year, indicator) if len(year) == count else math.nan
    if not add_change(notes, "wow", total, then, kind=kind) and math.isfinite(then):
        notes.add("prev", then, quantity(then, kind), "the period of the same length before")
    if not add_change(notes, "yoy", total, ago, kind=kind) and math.isfinite(ago):
        notes.add("ly", ago, quantity(ago, kind), f"the same period from {last_year}")
    base = history.usual(onset, periods.between(onset, first, history.frequency), count, indicator)
    notes.add("base", base, number(base) if math.isfinite(base) else "", history.usual_of)
    if indicator.period_agg == "sum" and math.isfinite(base) and base > 0:
        notes.add("m0", base / count, number(base / count), f"{base:.10g} / {count}")
        notes.add("m1", total / count, number(total / count), f"{total:.10g} / {count}")
    if add_change(notes, "dev", total, base, kind=kind):
        return
    if math.isfinite(base):
        notes.add("more", total - base, number(abs(total - base)), f"{total:.10g} - {base:.10g}")


def _holiday(
    notes: Notes, indicator: Indicator, history: History, days: Sequence[str], first: date, count: int
) -> None:
    """What the span did a year ago, when the calendar had the same days, beside what was usual before it."""
    year = history.span(first, history.later(first, count - 1))
    usual = history.usual(first, 0, count, indicator)
    if len(year) == count and add_change(notes, "lyo", _together(year, indicator), usual, kind=indicator.kind):
        notes.add("event", "、".join(dict.fromkeys(days)))


def _distribution(
    notes: Notes, indicator: Indicator, parts: Sequence[Part], first: date, until: date, total: float
) -> None:
    """The two places below with most, where parts add up."""
    if indicator.period_agg != "sum" or total <= 0:
        return
    sums = [(_together(part.history.span(first, until), indicator), part.name_zh) for part in parts]
    known = sorted(((value, name) for value, name in sums if math.isfinite(value) and value > 0), reverse=True)
    for n, (value, name) in enumerate(known[:2], start=1):
        notes.add(f"t{n}", name)
        notes.add(f"v{n}", value, quantity(value, indicator.kind), _formula(indicator, first, until))
        if total >= SMALL:
            notes.add(f"s{n}", 100 * value / total, number(100 * value / total), f"100 * {value:.10g} / {total:.10g}")


def _per_head(notes: Notes, indicator: Indicator, place: Place, tier: Tier | None, first: date, until: date) -> None:
    """Per 10,000 persons, beside the whole tier; nothing where any place lacks a value or a population."""
    if tier is None or indicator.period_agg != "sum" or len(tier.places) < 2 or None in tier.persons:
        return
    totals = dict(zip(tier.places, tier.totals(first, until, indicator), strict=True))
    if not all(math.isfinite(total) for total in totals.values()) or place.code not in totals:
        return
    residents = {code: count for code, count in zip(tier.places, tier.persons, strict=True) if count is not None}
    rates = {code: 1e4 * totals[code] / persons for code, persons in residents.items()}
    persons = sum(residents.values())
    whole = 1e4 * sum(totals.values()) / persons
    if whole <= 0:
        return
    own = rates[place.code]
    notes.add("rate", own, number(own, 2), "1e4 * value / residents")
    notes.add("city_rate", whole, number(whole, 2), f"1e4 * {sum(totals.values()):.10g} / {persons}")
    notes.add("times", own / whole, number(own / whole, 1), f"{own:.6g} / {whole:.6g}")
    notes.add("rank", 1 + sum(rate > own for rate in rates.values()), formula="places with a higher rate, plus 1")
    notes.add("n_peers", len(rates))


def _together(values: Floats, indicator: Indicator) -> float:
    """One value of several periods, as the catalogue aggregates them."""
    if len(values) == 0 or np.isnan(values).any():
        return math.nan
    if indicator.period_agg == "last":
        return float(values[-1])
    return float(values.sum() if indicator.period_agg == "sum" else values.mean())


def _formula(indicator: Indicator, first: date, until: date) -> str:
    return f"{indicator.period_agg}({first} .. {until})"


def _done(alert: Alert, notes: Notes) -> Item:
    return Item(alert.number, alert.active, alert.indicator, alert.place, notes.facts)
