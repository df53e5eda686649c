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
from warning.facts import LEVEL_ZH, MARK, SMALL, Item, Notes, add_change, chance, day_zh, number, quantity, range_zh
from warning.model import Alert, Indicator, Place, Signal


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
    persons: int


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
    due: Mapping[str, str] | None = None,
    conf: Mapping[str, float] | None = None,
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
        peers: The places of the tier with their populations, for rates per 10,000; empty without any.
        conf: Rule id -> what share of usual values its bounds hold, in per cent; a rule without one draws a line.
        due: Texts of the deadlines ("due_verify", "due_plan") that the level sets.
    """
    notes = Notes(f"{place.code}/{indicator.id}/{until.isoformat()}", history.source)
    limit = until - timedelta(days=27 if history.step == 1 else 21)
    first = max(min(alert.onset, until), limit)
    _name_it(notes, alert, indicator, place, rule_names)
    notes.add("onset", alert.onset, day_zh(alert.onset))
    notes.add("first_date", alert.opened, day_zh(alert.opened))
    notes.add("date_range", until, range_zh(first, until + timedelta(days=history.step - 1)))
    _evidence(notes, alert, indicator, conf or {})
    for name, text in (due or {}).items():
        notes.add(name, text)
    now = history.span(first, until)
    if len(now) == 0 or np.isnan(now).any():
        return _done(alert, notes)
    periods, long = len(now), timedelta(days=(until - first).days)
    total = _together(now, indicator)
    notes.add("days", periods * history.step)
    notes.add("per_zh", "日均" if history.step == 1 else "周均")
    notes.add("value", total, quantity(total, indicator.kind), _formula(indicator, first, until))
    notes.add("latest", float(now[-1]), quantity(float(now[-1]), indicator.kind), f"value of {until}")
    _compare(notes, indicator, history, (min(alert.onset, first), first), long, last_year(first), total)
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
    signal = _ground(alert)
    if signal is not None:
        notes.add("rule_id", signal.rule)
        notes.add("rule_zh", rule_names.get(signal.rule))


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


def _evidence(notes: Notes, alert: Alert, indicator: Indicator, conf: Mapping[str, float]) -> None:
    signal = _ground(alert)
    if signal is None or signal.detector == "changepoint":  # its values are means since the change, told as m0 and m1
        return
    kind = indicator.kind
    notes.add("judged", signal.observed, quantity(signal.observed, kind), f"signal {signal.rule} of {signal.date}")
    notes.add("judged_range", signal.date, _judged_range(signal.date, signal.window, indicator.frequency))
    notes.add("expected", signal.expected, number(signal.expected))
    if math.isfinite(signal.surprise) and signal.surprise != 0:
        notes.add("p_text", abs(signal.surprise), chance(signal.surprise), f"10 ** -{abs(signal.surprise):.3g}")
    if signal.rule not in conf:
        return
    if indicator.risk_sign > 0 and signal.observed > signal.upper:
        notes.add("upper", signal.upper, number(signal.upper))
        notes.add("conf", conf[signal.rule], number(conf[signal.rule]), "100 * (1 - alpha) of the rule")
        notes.add("excess", signal.observed - signal.upper, number(signal.observed - signal.upper))
    if indicator.risk_sign < 0 and signal.observed < signal.lower:
        notes.add("lower", signal.lower, number(signal.lower))


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
    rates = {peer.place: 1e4 * totals[peer.place] / peer.persons for peer in peers}
    persons = sum(peer.persons for peer in peers)
    whole = 1e4 * sum(totals.values()) / persons
    if whole <= 0:
        return
    own = rates[place.code]
    notes.add("rate", own, number(own, 2), "1e4 * value / residents")
    notes.add("city_rate", whole, number(whole, 2), f"1e4 * {sum(totals.values()):.10g} / {persons}")
    notes.add("times", own / whole, number(own / whole, 1), f"{own:.6g} / {whole:.6g}")
    notes.add("rank", 1 + sum(rate > own for rate in rates.values()), formula="places with a higher rate, plus 1")
    notes.add("n_peers", len(peers))


def _ground(alert: Alert) -> Signal | None:
    """The signal that is told: the strongest of a single value or sum, else a change of level."""
    ordered = sorted(alert.evidence, key=lambda signal: signal.detector == "changepoint")
    return ordered[0] if ordered else None


def _judged_range(day: date, window: int, frequency: str) -> str:
    step = 7 if frequency == "weekly" else 1
    first = day - timedelta(days=(window - 1) * step)
    return range_zh(first, day + timedelta(days=step - 1))


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
