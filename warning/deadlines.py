"""Until when an alert is to be acknowledged, verified and given a plan, and whether that is past.

Pure.  The clock starts when the alert was opened or last raised; red counts in real hours, orange in workdays,
yellow has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from warning.calendar import Calendar
from warning.model import Alert, Event, Level, Stage, Transition

ORDER = list(Stage)
DONE, OPEN, OVERDUE = ("已完成", "done"), ("未到期", "not due yet"), ("已逾期", "overdue")


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is to be done, until when, and whether people have done it."""

    zh: str
    en: str
    until: datetime  # on the centre's wall clock
    done: bool

    def state(self, now: datetime) -> tuple[str, str]:
        """Return how it stands, in Chinese and English words."""
        if self.done:
            return DONE
        return OVERDUE if now > self.until else OPEN


def deadlines(alert: Alert, events: Iterable[Event], calendar: Calendar, zone: ZoneInfo) -> tuple[Deadline, ...]:
    """Return the deadlines of an alert at its present level, the first due first.

    Args:
        alert: As it stands now.
        events: Its history.
        calendar: Knows the workdays.
        zone: Of the centre's wall clock.
    """
    told = [event.at for event in events if event.transition in (Transition.OPENED, Transition.RAISED)]
    if not told or alert.active < Level.ORANGE or alert.stage is Stage.CLOSED:
        return ()
    local = max(told).astimezone(zone)
    if alert.active is Level.RED:
        times = tuple(local + timedelta(hours=hours) for hours in (0.5, 2, 24))
    else:
        verify, plan = (local + (_workday(calendar, local.date(), count) - local.date()) for count in (1, 3))
        times = (local + timedelta(hours=2), verify, plan)
    asked = (
        ("签收", "acknowledge", Stage.ACKNOWLEDGED),
        ("核实", "verify", Stage.VERIFIED),
        ("反馈处置方案", "give a plan", Stage.RECTIFYING),
    )
    reached = ORDER.index(alert.stage)
    return tuple(
        Deadline(zh, en, until, reached >= ORDER.index(stage))
        for (zh, en, stage), until in zip(asked, times, strict=True)
    )


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
            for deadline in deadlines(alert, by_alert.get(alert.number, ()), calendar, zone)
            if deadline.state(now) == OVERDUE
        )
        for alert in alerts
    }
    return {number: late for number, late in found.items() if late}


def _workday(calendar: Calendar, day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= calendar.is_workday(day)
    return day
