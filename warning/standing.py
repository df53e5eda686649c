"""From verdicts to alerts: one series after the other, in order of date.

Pure; ``lifecycle`` says what one verdict does to one alert, ``correction`` what values that
changed do to it, this how many fold into numbered alerts and their histories.  The live
sweep and the replay fold alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from warning.correction import Course, amended, changes, reason_zh, run_through
from warning.lifecycle import Hold, Holds, Verdict, advance
from warning.model import Alert, Correction, Event, Indicator, Level, SeriesKey, Stage, Transition
from warning.rule import Ruleset


@dataclass(frozen=True)
class Standing:
    """The alerts after some verdicts, and what changed on the way."""

    live: Mapping[SeriesKey, Alert]  # all that are not closed
    touched: tuple[Alert, ...]  # those that changed, as they stand now
    events: tuple[Event, ...]
    courses: Mapping[SeriesKey, Course]  # of the dates folded in; what a later correction begins from
    again: Mapping[SeriesKey, date]  # from which date on a series' course is another than it was


@dataclass(frozen=True)
class Past:
    """What a correction goes back to."""

    course: Callable[[SeriesKey], Course]  # of dates folded in before
    closed: Callable[[SeriesKey], date | None]  # until when the alerts went that persons closed


def holds_of(rules: Ruleset) -> Holds:
    """Return how long each rule holds up a level in a place: its windows, end to end; of a rule that is gone, once."""
    known = {rule.id: rule for rule in rules.rules}

    def hold(rule: str, place: str) -> Hold:
        if rule not in known:
            return Hold()
        there = known[rule].at(place)
        return Hold(there.lower_after * there.span, there.stay * there.span)

    return hold


def fold(
    verdicts: Iterable[Verdict],
    live: Mapping[SeriesKey, Alert],
    *,
    holds: Holds,
    judged_until: Mapping[SeriesKey, date],
    corrections: Mapping[SeriesKey, Sequence[Correction]],
    past: Past,
    indicators: Mapping[str, Indicator],
    opened: Callable[[date], int],
    told: Callable[[str], int],
    prefix: str,
    day: date,
    at: datetime,
) -> Standing:
    """Return the alerts after the verdicts.

    Args:
        verdicts: In order of date; of missing values nothing is made, nor of dates judged before, unless the series
            has corrections: then they are those of its dates from the first corrected one on.
        live: The alerts that are not closed.
        holds: From ``holds_of``.
        judged_until: The last date each series had a verdict for.
        corrections: Values of dates judged before that are now others.
        past: What a correction goes back to.
        indicators: The catalogue, to say what was corrected.
        opened: How many alerts of a date were numbered before.
        told: How many events an alert had before.
        prefix: Of the alerts' numbers.
        day: The data date of the sweep.
        at: The instant of the decision.
    """
    book = _Book(dict(live), opened, told, prefix, day, at)
    again: dict[SeriesKey, list[Verdict]] = {key: [] for key in sorted(corrections)}
    new = []
    for found in verdicts:
        if found.level is Level.MISSING:
            continue
        if found.date > judged_until.get(found.key, date.min):
            new.append(found)
        elif found.key in again:
            again[found.key].append(found)
    for key, cells in again.items():
        reason = reason_zh(corrections[key], indicators[key.indicator])
        _correct(book, key, cells, past, holds, reason)
    for found in new:
        before = book.live.get(found.key)
        after, why = advance(before, found, holds)
        if after is None:
            continue
        happened = [] if why is None else [(why, _level(before), after.active)]
        if found.level_changed and after.stage is not Stage.CLOSED:
            happened.append((Transition.LEVEL_CHANGED, after.active, after.active))
        after = book.enter(before, after, happened, after.updated)
        book.courses.setdefault(found.key, {})[found.date] = None if after.stage is Stage.CLOSED else after
    return Standing(book.live, tuple(book.touched.values()), tuple(book.events), book.courses, book.again)


def _correct(book: _Book, key: SeriesKey, verdicts: Sequence[Verdict], past: Past, holds: Holds, reason: str) -> None:
    """Make the alert of a series what it would have been; where that cannot be told, it stays as it is."""
    closed = past.closed(key) or date.min
    cells = [found for found in verdicts if found.date > closed]  # what a person closed is not taken up again
    if not cells:
        return
    alert, first, until = book.live.get(key), cells[0].date, cells[-1].date
    before = {day: state for day, state in past.course(key).items() if closed < day < first}
    if not before and alert is not None and alert.opened < first:
        return  # opened by a version that kept no course
    course = run_through(before[max(before)] if before else None, cells, holds)
    would_be = course[until]
    after = amended(alert, would_be, until)
    if after is not None:
        after = book.enter(alert, after, changes(alert, after), until, reason)
        if would_be is not None:
            course |= {
                day: replace(state, number=after.number)
                for day, state in course.items()
                if state is not None and state.opened == would_be.opened
            }
        course[until] = None if after.stage is Stage.CLOSED else after
    book.courses[key], book.again[key] = course, first


@dataclass
class _Book:
    """What is written of the alerts while they are folded."""

    live: dict[SeriesKey, Alert]
    opened: Callable[[date], int]
    told: Callable[[str], int]
    prefix: str
    day: date
    at: datetime
    touched: dict[str, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    courses: dict[SeriesKey, dict[date, Alert | None]] = field(default_factory=dict)
    again: dict[SeriesKey, date] = field(default_factory=dict)
    numbers: dict[date, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def enter(
        self,
        before: Alert | None,
        after: Alert,
        told: Iterable[tuple[Transition, Level, Level]],
        on: date,
        note: str = "",
    ) -> Alert:
        """Put down an alert as it stands now and what happened to it, and return it with its number."""
        if not after.number:
            n = self.numbers[after.opened] = self.numbers.get(after.opened, self.opened(after.opened)) + 1
            after = replace(after, number=f"{self.prefix}-{after.opened:%Y%m%d}-{n:04d}")
        if after != before:
            self.touched[after.number] = after
        for why, was, now in told:
            sequence = self.sequences.get(after.number, self.told(after.number)) + 1
            self.sequences[after.number] = sequence
            dated = after.opened if why is Transition.OPENED else on
            reason = note if why is Transition.CORRECTED else ""
            swept = self.day if self.day > dated else None
            self.events.append(Event(after.number, sequence, dated, self.at, why, was, now, reason, swept))
        if after.stage is Stage.CLOSED:
            self.live.pop(after.key, None)
        else:
            self.live[after.key] = after
        return after


def _level(alert: Alert | None) -> Level:
    return Level.CALM if alert is None else alert.active
