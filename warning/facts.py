"""Every number the narrative may use, each with an id, its formula and where it came from.

Pure.  A number that cannot be had is an absent key, never a placeholder: the
sentence that needs it is then not printed.  A number is formatted once, here,
so that text, table and picture cannot disagree.

Changes follow the usual practice of Chinese bulletins: 环比 is against the period
of the same length just before, 同比 against the same period last year; below 30 in
the comparison only counts are given, never percentages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from warning.model import Level, Place
from warning.periods import last_day

SMALL = 30  # events in the comparison below which no percentage is printed
LEVEL_ZH = {
    Level.MISSING: "数据不足",
    Level.CALM: "正常",
    Level.YELLOW: "黄色",
    Level.ORANGE: "橙色",
    Level.RED: "红色",
}
MARK = {Level.MISSING: "／", Level.CALM: "", Level.YELLOW: "△", Level.ORANGE: "◆", Level.RED: "■"}
COLOUR = {
    Level.MISSING: "#9a9a9a",
    Level.CALM: "#2e8b57",
    Level.YELLOW: "#e6b800",
    Level.ORANGE: "#e8710a",
    Level.RED: "#c8102e",
}
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Raw = int | float | str | date


@dataclass(frozen=True, slots=True)
class Fact:
    """One number or name, with the text it is printed as."""

    id: str
    value: Raw
    text: str
    formula: str = ""
    source: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Item:
    """The facts of one alert."""

    alert: str
    level: Level
    indicator: str
    place: str
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Facts:
    """What may be said of one place and period."""

    place: Place
    date: date
    overall: Mapping[str, Fact]
    items: tuple[Item, ...] = ()
    groups: tuple[Mapping[str, Fact], ...] = ()  # one indicator high in neighbouring places
    missing: tuple[Mapping[str, Fact], ...] = ()  # series without a verdict
    table: tuple[Mapping[str, Fact], ...] = ()  # one row a place below
    clues: tuple[Mapping[str, Fact], ...] = ()  # several indicators high in the place
    waiting: tuple[Item, ...] = ()  # calm again, and not closed before a person has looked

    def all(self) -> Iterable[Fact]:
        """Yield every fact, whatever part it stands in."""
        parts: list[Mapping[str, Fact]] = [self.overall, *(item.facts for item in (*self.items, *self.waiting))]
        for mapping in (*parts, *self.groups, *self.clues, *self.missing, *self.table):
            yield from mapping.values()


@dataclass
class Notes:
    """Collects facts under ids that begin alike."""

    prefix: str
    source: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)

    def add(self, name: str, value: Raw | None, text: str | None = None, formula: str = "") -> None:
        """Keep a fact, unless there is none to keep."""
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return
        self.facts[name] = Fact(
            f"{self.prefix}/{name}", value, _text(value) if text is None else text, formula, self.source
        )


def number(value: float, decimals: int = 1) -> str:
    """Return a figure rounded half up, without a sign of its own style: 12.25 -> "12.3", 7.0 -> "7.0"."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be printed")
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)  # no "-0.0"


def quantity(value: float, kind: str) -> str:
    """Return a value as its kind is printed: counts whole, everything else to one decimal."""
    return number(value, 0) if kind == "count" and float(value).is_integer() else number(value, 1)


def day_zh(day: date) -> str:
    return f"{day.month}月{day.day}日"


def month_zh(day: date) -> str:
    return f"{day.year}年{day.month}月"


def weekday_zh(day: date) -> str:
    """Return 周一 to 周日."""
    return f"周{'一二三四五六日'[day.weekday()]}"


def range_zh(first: date, last: date) -> str:
    """Return 11月16日, 11月16日—22日 or 10月30日—11月5日."""
    if first == last:
        return day_zh(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{day_zh(first)}—{last.day}日"
    return f"{day_zh(first)}—{day_zh(last)}"


def span_zh(first: date, last: date, frequency: str) -> str:
    """Return the periods from one to another as one span: 11月16日—22日, or 2026年8月—10月 of months."""
    if frequency != "monthly":
        return range_zh(first, last_day(last, frequency))
    if first == last:
        return month_zh(first)
    return f"{month_zh(first)}—{month_zh(last) if first.year != last.year else f'{last.month}月'}"


def begun_zh(first: date, frequency: str) -> str:
    """Return since which period something is so, by its first day: 11月16日, or 2026年10月 of a month."""
    return month_zh(first) if frequency == "monthly" else day_zh(first)


def day_en(day: date) -> str:
    return f"{day.day} {MONTHS_EN[day.month - 1]}"


def period_en(first: date, frequency: str) -> str:
    """Return 21 Nov, the week of 16 Nov, or Oct 2026 of a month."""
    if frequency == "monthly":
        return f"{MONTHS_EN[first.month - 1]} {first.year}"
    return f"the week of {day_en(first)}" if frequency == "weekly" else day_en(first)


def when_en(first: date, frequency: str) -> str:
    """Return on 21 Nov, in the week of 16 Nov, or in Oct 2026."""
    return f"{'on' if frequency == 'daily' else 'in'} {period_en(first, frequency)}"


def degree(percent: float) -> str:
    """Return the one word that stands for a size of change."""
    for limit, word in ((2, "基本持平"), (5, "略有"), (15, "有所"), (30, "明显")):
        if percent < limit:
            return word
    return "大幅"


def chance(surprise: float) -> str:
    """Return the chance behind a surprise in words: 3.0 -> "千分之一", 3.5 -> "万分之3.2"."""
    one_in = 10 ** abs(surprise)
    for unit, word in ((1e2, "百"), (1e3, "千"), (1e4, "万"), (1e5, "十万")):
        if one_in <= unit:
            parts = number(unit / one_in, 1).removesuffix(".0")
            return f"{word}分之{'一' if parts == '1' else parts}"
    return "不足十万分之一"


def add_change(notes: Notes, name: str, now: float, then: float, *, kind: str) -> bool:
    """Add direction, size and degree word of a change under ``name``; return whether there was one to state.

    Ratios change by percentage points and have no lower limit; everything else by per cent of ``then``,
    not below ``SMALL`` for counts.
    """
    if not (math.isfinite(now) and math.isfinite(then)):
        return False
    if kind == "ratio":
        points = now - then
        notes.add(f"{name}_dir", _direction(points, 0.05))
        notes.add(f"{name}_points", abs(points), number(abs(points)), f"|{now:.4g} - {then:.4g}|")
        return True
    if then <= 0 or (kind == "count" and then < SMALL):
        return False
    percent = 100 * (now - then) / then
    notes.add(f"{name}_dir", _direction(percent, 0.05))
    notes.add(name, abs(percent), number(abs(percent)), f"100 * |{now:.10g} - {then:.10g}| / {then:.10g}")
    notes.add(f"{name}_word", degree(abs(percent)))
    return True


def as_json(facts: Facts) -> str:
    """Return every fact with its id, value, text, formula and source, in a stable order."""
    rows = [
        {"id": f.id, "value": str(f.value), "text": f.text, "formula": f.formula, "source": f.source}
        for f in facts.all()
    ]
    return json.dumps(sorted(rows, key=lambda row: row["id"]), ensure_ascii=False)


def strongest_first(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items red first, then by indicator and place."""
    return tuple(sorted(items, key=lambda found: (-found.level, found.indicator, found.place)))


def _direction(change: float, flat: float) -> str:
    if abs(change) < flat:
        return "持平"
    return "上升" if change > 0 else "下降"


def _text(value: Raw) -> str:
    if isinstance(value, date):
        return day_zh(value)
    return number(value) if isinstance(value, float) else str(value)
