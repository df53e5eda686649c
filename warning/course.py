"""The facts of one alert over its course: from its onset to the last period known, 28 days at most.

Pure.  What is compared with what: 环比 with the span of the same length just before,
同比 with the same span last year (aligned by the caller), and with what the span would
hold if each day were the mean of its weekday over the 28 days before the onset.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from detectors.panel import Dates, Floats
from warning.deadlines import Deadline, add_deadlines
from warning.facts import LEVEL_ZH, MARK, SMALL, Item, Notes, add_change, day_zh, number, quantity, range_zh
from warning.gaps import Gap, period_zh, state_zh
from warning.grounds import Judgement, add_evidence, add_fallen_back, ground
from warning.model import Alert, Indicator, Level, Place
from warning.words import stage_of


@dataclass(frozen=True, slots=True)
class History:
    """A series as it was known: (T,) dates ascending, (T,) values, NaN = not reported."""

    dates: Dates
    values: Floats
    frequency: str = "daily"
    source: str = ""

    @property
    def step(self) -> int:
        return 7 if self.frequency == "weekly" else 1

    def span(self, first: date, last: date) -> Floats:
        """Return the values of the periods from ``first`` to ``last``, both included."""
        inside = (self.dates >= np.datetime64(first)) & (self.dates <= np.datetime64(last))
        return self.values[inside]


@dataclass(frozen=True, slots=True)
class Part:
    """A place below the alert's place, with its history of the same indicator."""

    name_zh: str
    history: History


@dataclass(frozen=True, slots=True)
class Peer:
    """A place of the same tier, the alert's own included: its history and the persons behind a rate."""

    place: str
    history: History
    persons: int | None = None  # None where the indicator has no rate


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
    peers: Sequence[Peer] = (),
    due: tuple[Deadline, ...] = (),
    conf: Mapping[str, float] | None = None,
    last: Judgement | None = None,
    level_since: date | None = None,
    days: Sequence[str] = (),
    gap: Gap | None = None,
    corrected: str = "",
) -> Item:
    """Return the facts of one alert over its course: from its onset to ``until``, 28 days (4 weeks) at most.

    Args:
        alert: With its evidence.
        indicator: What is counted.
        place: Where.
        history: At least 28 days (4 weeks) before the onset, and last year's days for 同比.
        until: The last period known.
        last_year: From the first day of the span to the first day it is compared with.
        rule_names: Rule id -> its Chinese name.
        parts: The places below, where they report the indicator themselves.
        peers: The places of the tier, for shares, and with their populations for rates per 10,000; empty where not
            all of them are watched.
        conf: Rule id -> what share of usual values its bounds hold, in per cent; a rule without one draws a line.
        due: What is to be done until when.
        last: The last judgement of the series, to say whether it is back within its usual range.
        level_since: Data date since which it has had its level.
        days: Names the calendar gives to days of the span; with them goes what last year's days did.
        gap: The due period nobody could judge, if there is one.
        corrected: What a correction did to it on the day that is told, "" where there was none.
    """
    notes = Notes(f"{place.code}/{indicator.id}/{until.isoformat()}", history.source)
    limit = until - timedelta(days=27 if history.step == 1 else 21)
    first = max(min(alert.onset, until), limit)
    _name_it(notes, alert, indicator, place, rule_names)
    notes.add("onset", alert.onset, day_zh(alert.onset))
    notes.add("first_date", alert.opened, day_zh(alert.opened))
    notes.add("date_range", until, range_zh(first, until + timedelta(days=history.step - 1)))
    add_evidence(notes, alert, indicator, conf or {})
    add_fallen_back(notes, alert, indicator, last)
    add_deadlines(notes, due)
    _streak(notes, alert, history, until, level_since)
    _latest(notes, indicator, history, alert.onset, until, peers)
    if corrected:
        notes.add("corrected", corrected, formula="revisions of the observations, judged again")
    if gap is not None:
        notes.add("gap", gap.expected, period_zh(gap.expected, history.frequency))
        notes.add("gap_zh", state_zh(gap.arrived))
    now = history.span(first, until)
    if len(now) == 0 or np.isnan(now).any():
        return _done(alert, notes)
    periods, long = len(now), timedelta(days=(until - first).days)
    total = _together(now, indicator)
    notes.add("days", periods * history.step)
    notes.add("per_zh", "日均" if history.step == 1 else "周均")
    if first > alert.onset:  # of a long course only its last part is counted
        notes.add("clipped_zh", f"近{periods}{'日' if history.step == 1 else '周'}")
    notes.add("value", total, quantity(total, indicator.kind), _formula(indicator, first, until))
    _compare(notes, indicator, history, (min(alert.onset, first), first), long, last_year(first), total)
    if days:
        _holiday(notes, indicator, history, days, last_year(first), periods)
    _distribution(notes, indicator, parts, first, until, total)
    _per_head(notes, indicator, place, peers, first, until)
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
    periods = (until - since).days // history.step + 1
    if periods > 1:
        notes.add("k", periods, f"{periods}{'日' if history.step == 1 else '周'}", f"periods from {since} to {until}")


def _latest(
    notes: Notes, indicator: Indicator, history: History, onset: date, until: date, peers: Sequence[Peer]
) -> None:
    """The last value known, beside the usual one of such a day, and what the whole tier had."""
    (value,) = history.span(until, until) if len(history.span(until, until)) == 1 else (math.nan,)
    if not math.isfinite(value):
        return
    notes.add("latest", float(value), quantity(float(value), indicator.kind), f"value of {until}")
    notes.add("latest_range", until, period_zh(until, history.frequency))
    usual = _usual(history, min(onset, until), max(0, (until - onset).days), 1, indicator)
    notes.add("latest_usual", usual, number(usual) if math.isfinite(usual) else "", "same weekdays before the onset")
    totals = [_together(peer.history.span(until, until), indicator) for peer in peers]
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
    long: timedelta,
    last_year: date,
    total: float,
) -> None:
    kind, periods = indicator.kind, long.days // history.step + 1
    onset, first = begun
    step = timedelta(days=history.step)
    before = history.span(first - long - step, first - step)
    year = history.span(last_year, last_year + long)
    then = _together(before, indicator) if len(before) == periods else math.nan
    ago = _together(year, indicator) if len(year) == periods else math.nan
    if not add_change(notes, "wow", total, then, kind=kind) and math.isfinite(then):
        notes.add("prev", then, quantity(then, kind), "the period of the same length before")
    if not add_change(notes, "yoy", total, ago, kind=kind) and math.isfinite(ago):
        notes.add("ly", ago, quantity(ago, kind), f"the same period from {last_year}")
    base = _usual(history, onset, (first - onset).days, periods, indicator)
    notes.add(
        "base", base, number(base) if math.isfinite(base) else "", "same weekdays of the 28 days before the onset"
    )
    if indicator.period_agg == "sum" and math.isfinite(base) and base > 0:
        notes.add("m0", base / periods, number(base / periods), f"{base:.10g} / {periods}")
        notes.add("m1", total / periods, number(total / periods), f"{total:.10g} / {periods}")
    if add_change(notes, "dev", total, base, kind=kind):
        return
    if math.isfinite(base):
        notes.add("more", total - base, number(abs(total - base)), f"{total:.10g} - {base:.10g}")


def _holiday(
    notes: Notes, indicator: Indicator, history: History, days: Sequence[str], first: date, periods: int
) -> None:
    """What the span did a year ago, when the calendar had the same days, beside the 28 days before it."""
    year = history.span(first, first + timedelta(days=(periods - 1) * history.step))
    usual = _usual(history, first, 0, periods, indicator)
    if len(year) == periods and add_change(notes, "lyo", _together(year, indicator), usual, kind=indicator.kind):
        notes.add("event", "、".join(dict.fromkeys(days)))


def _usual(history: History, onset: date, after: int, periods: int, indicator: Indicator) -> float:
    """What a span would hold if each day were the mean of its weekday over the 28 days before the onset.

    The span begins ``after`` days after the onset.
    """
    step = history.step
    before = history.span(onset - timedelta(days=28), onset - timedelta(days=step))
    if len(before) != 28 // step or np.isnan(before).sum() > len(before) // 4:
        return math.nan
    table = before.reshape(4, -1)  # a week a row
    if np.isnan(table).all(axis=0).any():
        return math.nan
    means = np.roll(np.nanmean(table, axis=0), -(after // step))
    usual = np.resize(means, periods)
    return float(usual.sum()) if indicator.period_agg == "sum" else float(usual.mean())


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


def _per_head(
    notes: Notes, indicator: Indicator, place: Place, peers: Sequence[Peer], first: date, until: date
) -> None:
    """Per 10,000 persons, beside the whole tier; nothing where any place lacks a value or a population."""
    if indicator.period_agg != "sum" or len(peers) < 2:
        return
    totals = {peer.place: _together(peer.history.span(first, until), indicator) for peer in peers}
    if not all(math.isfinite(total) for total in totals.values()) or place.code not in totals:
        return
    residents = {peer.place: peer.persons for peer in peers if peer.persons is not None}
    if len(residents) < len(peers):
        return
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
    notes.add("n_peers", len(peers))


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
