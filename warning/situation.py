"""The facts of a whole place: how many of what colour, what is new, what is missing.

Pure; ``facts`` has the facts of one alert.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from warning.facts import LEVEL_ZH, MARK, Fact, Facts, Item, Notes, day_zh, number, range_zh, strongest_first
from warning.gaps import Gap, by_department, by_place, totals
from warning.model import Alert, Event, Indicator, Level, Place, Transition
from warning.together import Before, shared, side_by_side

ACTIONS = {3: "发出预警通知书", 4: "约谈", 5: "挂牌督办"}  # by red weeks in a row; proposed to a leader, never done
COUNTED = ((Level.RED, "n_red"), (Level.ORANGE, "n_orange"), (Level.YELLOW, "n_yellow"))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many series were judged in a place on a date, and the colour that came of it."""

    place: str
    date: date
    watched: int
    missing: int
    colour: Level


@dataclass(frozen=True, slots=True)
class Nearest:
    """The calm series that came nearest to a threshold, as a share of it."""

    indicator: Indicator
    place: Place
    share: float


def of_place(
    place: Place,
    period: tuple[date, date],
    coverage: Coverage,
    *,
    alerts: Sequence[Alert],
    events: Sequence[Event],
    items: Sequence[Item],
    gaps: Sequence[Gap],
    nearest: Nearest | None,
    days: Sequence[str],
    rules_version: str,
    cutoff: datetime,
    zone: ZoneInfo,
    waiting: Sequence[Item] = (),
    alerts_before: int | None = None,
    coloured_since: date | None = None,
    before: Before | None = None,
    judged: Collection[date] | None = None,
) -> Facts:
    """Return what may be said of a district (or any place with its own series) and a period.

    Args:
        place: The place.
        period: First and last date, both included; the same date twice for a day.
        coverage: Of the last date.
        alerts: Its alerts that are not closed, with ``active`` as of the last date.
        events: What happened to its alerts within the period.
        items: The facts of its alerts above calm.
        gaps: Its watched series without a verdict.
        nearest: For a calm place: what came nearest to a threshold.
        days: Names the calendar gives to days of the period.
        rules_version: Printed in the data note.
        cutoff: Until when data were taken in.
        zone: Of the centre's wall clock.
        waiting: The facts of its alerts that are calm again and wait for a person.
        alerts_before: How many alerts the period of the same length before had; None where that was not judged.
        coloured_since: Since which day the place has had its colour without a break; None if only today, or calm.
        before: The alerts' values before any of them began, for what went along with what.
        judged: The dates of the period that were judged; None: all of them.
    """
    notes = _head(place, period, coverage.watched, rules_version, cutoff, zone)
    _unjudged(notes, period, judged)
    notes.add("colour_zh", LEVEL_ZH[coverage.colour], formula="district.toml over the alerts' active levels")
    notes.add("mark", MARK[coverage.colour])
    _by_colour(notes, alerts, coverage)
    totals(notes, gaps)
    _by_transition(notes, alerts, events, alerts_before)
    if coloured_since is not None:
        streak = (period[1] - coloured_since).days + 1
        notes.add("streak", streak, formula="days of this colour in a row")
        notes.add("streak_since", coloured_since)
        if coverage.colour is Level.RED and streak // 7 >= min(ACTIONS):
            notes.add("red_weeks", streak // 7, formula=f"{streak} // 7")
            notes.add("action", ACTIONS[min(streak // 7, max(ACTIONS))])
    if days:
        notes.add("event", "、".join(dict.fromkeys(days)))
    if nearest is not None and not items:
        share = number(100 * nearest.share, 0)
        notes.add("nearest", nearest.indicator.name_zh)
        notes.add("nearest_share", 100 * nearest.share, share, "surprise / least surprise of yellow * 100")
    ordered = strongest_first(items)
    return Facts(
        place,
        period[1],
        notes.facts,
        ordered,
        missing=by_department(gaps),
        clues=() if before is None else side_by_side(ordered, before),
        waiting=strongest_first(waiting),
    )


def of_city(
    place: Place,
    period: tuple[date, date],
    coverages: Mapping[str, Coverage],
    places: Mapping[str, Place],
    *,
    alerts: Sequence[Alert],
    events: Sequence[Event],
    items: Sequence[Item],
    before: Mapping[str, Level],
    neighbours: Mapping[str, frozenset[str]],
    indicators: Mapping[str, Indicator],
    gaps: Sequence[Gap],
    days: Sequence[str],
    rules_version: str,
    cutoff: datetime,
    zone: ZoneInfo,
    waiting: Sequence[Item] = (),
    alerts_before: int | None = None,
    judged: Collection[date] | None = None,
) -> Facts:
    """Return what may be said of the whole city: the counts of ``of_place``, its places by colour, and what they share.

    Args beyond those of ``of_place``:
        coverages: Of the places below that have a colour of their own.
        places: The tree.
        before: Their colours in the period before.
        neighbours: Which places touch; empty where nobody knows.
        indicators: The catalogue.
    """
    watched = sum(found.watched for found in coverages.values())
    missing = sum(found.missing for found in coverages.values())
    notes = _head(place, period, watched, rules_version, cutoff, zone)
    _unjudged(notes, period, judged)
    if coverages:
        _by_colour(notes, alerts, Coverage(place.code, period[1], watched, missing, Level.MISSING))
        totals(notes, gaps)
        _by_transition(notes, alerts, events, alerts_before)
        notes.add("n_places", len(coverages))
    for level, name in (*COUNTED, (Level.CALM, "n_calm"), (Level.MISSING, "n_grey")):
        found = [places[code].name_zh for code, coverage in coverages.items() if coverage.colour is level]
        if coverages:
            notes.add(f"places_{name.removeprefix('n_')}", len(found))
        if found:
            notes.add(name.replace("n_", "names_"), "、".join(found))
    _moves(notes, coverages, before, places)
    if days:
        notes.add("event", "、".join(dict.fromkeys(days)))
    groups = shared(items, alerts, places, neighbours, indicators)
    table = tuple(_row(places[code], coverage, alerts) for code, coverage in coverages.items())
    rows = by_place(gaps, coverages)
    return Facts(
        place, period[1], notes.facts, strongest_first(items), groups, rows, table, waiting=strongest_first(waiting)
    )


def _head(
    place: Place, period: tuple[date, date], watched: int, rules_version: str, cutoff: datetime, zone: ZoneInfo
) -> Notes:
    first, last = period
    notes = Notes(f"{place.code}/{first.isoformat()}..{last.isoformat()}", "alert, event, coverage")
    notes.add("period_zh", last, range_zh(first, last))
    notes.add("year", last.year)
    notes.add("district", place.name_zh)
    notes.add("place_en", place.name_en)
    notes.add("n_watch", watched, formula="series some rule judges here")
    notes.add("n_series", watched)
    notes.add("rules_ver", rules_version)
    local = cutoff.astimezone(zone)
    notes.add("cutoff", local.isoformat(), f"{day_zh(local.date())}{local:%H:%M}")
    return notes


def _unjudged(notes: Notes, period: tuple[date, date], judged: Collection[date] | None) -> None:
    """Say which days nobody judged: that nothing is told of them means nothing."""
    days = [period[0] + timedelta(days=n) for n in range((period[1] - period[0]).days + 1)]
    left = [] if judged is None else [day for day in days if day not in judged]
    if len(left) == len(days):
        notes.add("days_none", len(days), formula="days of the period, none of them swept")
    elif left:
        whole = left == [left[0] + timedelta(days=n) for n in range(len(left))]
        notes.add("days_all", len(days))
        notes.add("days_judged", len(days) - len(left), formula="days of the period that were swept")
        notes.add("days_unjudged", len(left), formula="days of the period that were not swept")
        notes.add("days_unjudged_zh", range_zh(left[0], left[-1]) if whole else "、".join(map(day_zh, left)))


def _by_colour(notes: Notes, alerts: Sequence[Alert], coverage: Coverage) -> None:
    coloured = 0
    for level, name in COUNTED:
        count = sum(alert.active is level for alert in alerts)
        coloured += count
        notes.add(name, count, formula=f"alerts with active = {level.name.lower()}")
    notes.add("n_grey", coverage.missing, formula="watched series without a verdict")
    notes.add("n_green", max(0, coverage.watched - coverage.missing - coloured), formula="watched - coloured - missing")


def _by_transition(notes: Notes, alerts: Sequence[Alert], events: Sequence[Event], alerts_before: int | None) -> None:
    opened = {event.alert for event in events if event.transition is Transition.OPENED}
    ended = {event.alert for event in events if event.transition is Transition.ENDED}
    active = {alert.number for alert in alerts if alert.active > Level.CALM}
    notes.add("n_alerts", len(active | opened), formula="alerts above calm, or opened in the period")
    if alerts_before is not None:
        more = len(active | opened) - alerts_before
        notes.add("n_dir", "持平" if more == 0 else "增加" if more > 0 else "减少")
        notes.add("n_diff", abs(more), formula=f"|{len(active | opened)} - {alerts_before}|")
    notes.add("n_new", len(opened))
    notes.add("n_cont", len(active - opened))
    notes.add("n_closed", len(ended))
    notes.add("n_open", len(alerts), formula="alerts not closed by a person")


def _moves(
    notes: Notes, coverages: Mapping[str, Coverage], before: Mapping[str, Level], places: Mapping[str, Place]
) -> None:
    for name, rose in (("up", True), ("down", False)):
        moved = [
            f"{places[code].name_zh}由{LEVEL_ZH[before[code]]}{'升' if rose else '降'}为{LEVEL_ZH[coverage.colour]}"
            for code, coverage in coverages.items()
            if code in before
            and Level.MISSING not in (before[code], coverage.colour)
            and (coverage.colour > before[code] if rose else coverage.colour < before[code])
        ]
        if moved:
            notes.add(f"moved_{name}", "，".join(moved))


def _row(place: Place, coverage: Coverage, alerts: Sequence[Alert]) -> Mapping[str, Fact]:
    notes = Notes(f"{place.code}/{coverage.date.isoformat()}/row", "alert, coverage")
    notes.add("code", place.code)
    notes.add("district", place.name_zh)
    notes.add("colour_zh", LEVEL_ZH[coverage.colour])
    notes.add("mark", MARK[coverage.colour])
    notes.add("level", int(coverage.colour))
    notes.add("n_watch", coverage.watched)
    _by_colour(notes, [alert for alert in alerts if alert.place == place.code], coverage)
    return notes.facts
