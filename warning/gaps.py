"""The facts of what is missing: which series nobody could judge, where, and for which period.

Pure.  Two things are told apart: what has not arrived, for which a department can be asked, and what arrived and
no rule could judge (too short a history, too soon after a break, a method that abstains).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from warning.facts import Fact, Notes, span_zh
from warning.model import Indicator, Place

NAMED = 3  # names printed before 等


@dataclass(frozen=True, slots=True)
class Gap:
    """A watched series without a verdict for the date."""

    indicator: Indicator
    place: Place
    expected: date  # first day of the period
    last: date | None  # of the last value before, None without any
    arrived: bool = False  # the value is there, and no rule could judge it


def by_department(gaps: Iterable[Gap]) -> tuple[Mapping[str, Fact], ...]:
    """Return one mapping for each department and period that is silent, and one for what arrived and was not judged.

    Of one place: every name is another series, so that the names and the count agree.
    """
    grouped: dict[tuple[bool, str, date, str], list[Gap]] = {}
    for gap in gaps:
        whose = "" if gap.arrived else gap.indicator.department
        grouped.setdefault((gap.arrived, whose, gap.expected, gap.indicator.frequency), []).append(gap)
    rows = []
    for (arrived, department, expected, frequency), members in sorted(grouped.items()):
        notes = Notes(f"missing/{department or 'unjudged'}/{frequency}/{expected.isoformat()}", "observation")
        if not arrived:
            notes.add("dept", department)
            last = {member.last for member in members}
            if len(last) == 1:
                (only,) = last
                notes.add("last", only, None if only is None else period_zh(only, frequency))
        notes.add("name", named([member.indicator.name_zh for member in members]))
        notes.add("k", len(members), formula="series without a value" if not arrived else "values without a verdict")
        notes.add("date", expected, period_zh(expected, frequency))
        rows.append(notes.facts)
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Silent:
    """What of one period a department has not sent."""

    period: str  # 11月21日
    names: str  # of the indicators
    places: str
    count: int  # series
    last: str  # period of the newest value before, "" without any


def silent(gaps: Iterable[Gap]) -> dict[str, tuple[Silent, ...]]:
    """Return by department what is due and has not arrived, the oldest period first."""
    grouped: dict[str, dict[tuple[date, str], list[Gap]]] = {}
    for gap in gaps:
        if not gap.arrived:
            periods = grouped.setdefault(gap.indicator.department, {})
            periods.setdefault((gap.expected, gap.indicator.frequency), []).append(gap)
    return {
        department: tuple(_silent(*period, members) for period, members in sorted(periods.items()))
        for department, periods in sorted(grouped.items())
    }


def _silent(expected: date, frequency: str, gaps: Sequence[Gap]) -> Silent:
    places = list(dict.fromkeys(gap.place.name_zh for gap in gaps))
    more = f"等{len(places)}个地区" if len(places) > NAMED else ""
    last = max((gap.last for gap in gaps if gap.last is not None), default=None)
    return Silent(
        period_zh(expected, frequency),
        named(dict.fromkeys(gap.indicator.name_zh for gap in gaps)),
        "、".join(places[:NAMED]) + more,
        len(gaps),
        "" if last is None else period_zh(last, frequency),
    )


def by_place(gaps: Sequence[Gap], order: Iterable[str]) -> tuple[Mapping[str, Fact], ...]:
    """Return how many, which ones and for which periods; places that lack the very same share one mapping.

    Args:
        gaps: Of all places.
        order: Codes of the places, in the order they are told.
    """
    alike: dict[frozenset[tuple[str, date, bool]], list[list[Gap]]] = {}
    codes = list(order)
    for code in codes:
        mine = [gap for gap in gaps if gap.place.code == code]
        if mine:
            lacking = frozenset((gap.indicator.id, gap.expected, gap.arrived) for gap in mine)
            alike.setdefault(lacking, []).append(mine)
    rows = []
    for members in alike.values():
        places = [mine[0].place for mine in members]
        notes = Notes(f"missing/{'+'.join(place.code for place in places)}", "observation")
        every = len(places) == len(codes) and len(places) > 1
        notes.add("place", "各区" if every else "、".join(place.name_zh for place in places))
        if len(places) > 1:
            notes.add("each", "各")
        notes.add("k", len(members[0]), formula="watched series without a verdict")
        notes.add("detail", _detail(members[0]))
        rows.append(notes.facts)
    return tuple(rows)


def _detail(gaps: Iterable[Gap]) -> str:
    grouped: dict[tuple[bool, str, date], list[str]] = {}
    for gap in gaps:
        grouped.setdefault((gap.arrived, gap.indicator.frequency, gap.expected), []).append(gap.indicator.name_zh)
    return "；".join(
        f"{named(names)}{state_zh(arrived)}（{period_zh(expected, frequency)}）"
        for (arrived, frequency, expected), names in sorted(grouped.items())
    )


def totals(notes: Notes, gaps: Sequence[Gap]) -> None:
    """Add how many series are silent, and how many arrived and were not judged."""
    unjudged = sum(gap.arrived for gap in gaps)
    notes.add("n_silent", len(gaps) - unjudged, formula="watched series whose due value has not arrived")
    notes.add("n_unjudged", unjudged, formula="watched series with a value and without a verdict")


def named(names: Iterable[str]) -> str:
    """Return up to three names; of more, how many there are in all: 甲、乙、丙等5项."""
    found = list(names)
    return "、".join(found) if len(found) <= NAMED else f"{'、'.join(found[:NAMED])}等{len(found)}项"


def state_zh(arrived: bool) -> str:
    """Return what is wrong with a value that is there, and with one that is not."""
    return "已报送、暂不能研判" if arrived else "未报送"


def period_zh(first: date, frequency: str) -> str:
    """Return 11月21日, 11月16日—22日当周 of a week, 2026年10月 of a month."""
    return span_zh(first, first, frequency) + ("当周" if frequency == "weekly" else "")
