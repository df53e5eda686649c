"""Until when an alert is to be acknowledged, verified and given a plan, and what of it is overdue.

Pure.  The clock starts when the alert last became orange or red; red counts in real hours, orange in workdays,
yellow has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from warning.calendar import Calendar
from warning.facts import Notes, day_zh
from warning.model import Alert, Event, Level, Stage

ORDER = tuple(Stage)
DONE, OPEN, OVERDUE = ("已完成", "done"), ("未到期", "not due yet"), ("时限已过", "past")
STEPS = (
    ("sign", "签收", "acknowledge", Stage.ACKNOWLEDGED),
    ("verify", "核实", "verify", Stage.VERIFIED),
    ("plan", "反馈处置方案", "give a plan", Stage.RECTIFYING),
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is to be done, until when, and how it stands at the instant it was asked about."""

    name: str  # sign, verify, plan
    zh: str
    en: str
    until: datetime  # on the centre's wall clock
    done: bool
    overdue: bool  # past, and not known to be done

    @property
    def state(self) -> tuple[str, str]:
        """How it stands, in Chinese and English words."""
        return DONE if self.done else OVERDUE if self.overdue else OPEN

    @property
    def text(self) -> str:
        return f"{day_zh(self.until.date())}{self.until:%H:%M}"


def deadlines(
    alert: Alert, events: Iterable[Event], calendar: Calendar, zone: ZoneInfo, now: datetime
) -> tuple[Deadline, ...]:
    """Return the deadlines of an alert, the first due first; none once it is closed.

    Args:
        alert: As it stands.
        events: Its history: the last one that made it orange or red sets the deadlines, also when it fell since.
        calendar: Knows the workdays.
        zone: Of the centre's wall clock.
        now: The instant asked about.
    """
    rises = [event for event in events if event.before < event.after >= Level.ORANGE]  # by a correction, too
    if not rises or alert.stage is Stage.CLOSED:
        return ()
    last = max(rises, key=lambda event: (event.at, event.sequence))
    local = last.at.astimezone(zone)
    if last.after is Level.RED:
        moments = [local + timedelta(hours=hours) for hours in (0.5, 2, 24)]
    else:
        plans = [_workday(calendar, local.date(), count) - local.date() for count in (1, 3)]
        moments = [local + timedelta(hours=2), *(local + after for after in plans)]
    reached = ORDER.index(alert.stage)
    found = []
    for (name, zh, en, stage), until in zip(STEPS, moments, strict=True):
        done = reached >= ORDER.index(stage)
        found.append(Deadline(name, zh, en, until, done, not done and now > until))
    return tuple(found)


def overdue(
    alerts: Iterable[Alert], events: Sequence[Event], calendar: Calendar, zone: ZoneInfo, now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """Return by alert number what is overdue, in Chinese words; an alert on time has no entry.

    Args:
        alerts: As they stand now.
        events: The history of these alerts, and perhaps of others.
        calendar: Knows the workdays.
        zone: Of the centre's wall clock.
        now: The instant asked about.
    """
    by_alert: dict[str, list[Event]] = {}
    for event in events:
        by_alert.setdefault(event.alert, []).append(event)
    found = {
        alert.number: tuple(
            deadline.zh
            for deadline in deadlines(alert, by_alert.get(alert.number, ()), calendar, zone, now)
            if deadline.overdue
        )
        for alert in alerts
    }
    return {number: late for number, late in found.items() if late}


def add_deadlines(notes: Notes, due: Iterable[Deadline]) -> None:
    """Add each deadline that is not met, which are overdue, and the next one as a short text: 11月24日07:30前核实."""
    waiting = [deadline for deadline in due if not deadline.done]
    for deadline in waiting:
        notes.add(f"due_{deadline.name}", deadline.until.isoformat(), deadline.text)
        if deadline.overdue:
            notes.add(f"late_{deadline.name}", OVERDUE[0], formula="before the instant of the text")
    late = [deadline.zh for deadline in waiting if deadline.overdue]
    ahead = next((deadline for deadline in waiting if not deadline.overdue), None)
    if late:
        notes.add("overdue", "、".join(late), formula="deadlines before the instant of the text")
    if ahead is not None:
        notes.add("due_next", ahead.until.isoformat(), f"{ahead.text}前{ahead.zh}")


def _workday(calendar: Calendar, day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= calendar.is_workday(day)
    return day
