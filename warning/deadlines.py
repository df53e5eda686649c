"""Until when an alert is to be acknowledged, verified and given a plan, and what of it is overdue.

Pure.  The clock starts when the alert last rose to a level with times.  Rules say which (``response``); what they leave
out is as here: red counts in real hours, orange in workdays, yellow has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from warning.calendar import Calendar
from warning.duration import Duration
from warning.facts import Notes, day_zh
from warning.model import Alert, Event, Level, Stage
from warning.rule import Response, Rule, Times

ORDER = tuple(Stage)
DONE, OPEN, OVERDUE = ("已完成", "done"), ("未到期", "not due yet"), ("时限已过", "past")
STEPS = (
    ("sign", "签收", "acknowledge", Stage.ACKNOWLEDGED),
    ("verify", "核实", "verify", Stage.VERIFIED),
    ("plan", "反馈处置方案", "give a plan", Stage.RECTIFYING),
)
RESPONSE = Response(
    orange=Times(sign="2 h", verify="1 workday", plan="3 workdays"),
    red=Times(sign="30 min", verify="2 h", plan="24 h"),
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
    alert: Alert, events: Iterable[Event], calendar: Calendar, zone: ZoneInfo, now: datetime, rules: Iterable[Rule] = ()
) -> tuple[Deadline, ...]:
    """Return the deadlines of an alert, the first due first; none once it is closed.

    Args:
        alert: As it stands.
        events: Its history: the last rise to a level with times sets the deadlines, also when it fell since.
        calendar: Knows the workdays.
        zone: Of the centre's wall clock.
        now: The instant asked about.
        rules: Of the deployment; of those that are its evidence the strictest time counts.
    """
    named = {signal.rule for signal in alert.evidence}
    said = [rule.at(alert.place).response for rule in rules if rule.id in named]
    rises = [event for event in events if event.before < event.after and _times(event.after, said)]
    if not rises or alert.stage is Stage.CLOSED:  # a rise by a correction counts, too
        return ()
    last = max(rises, key=lambda event: (event.at, event.sequence))
    local = last.at.astimezone(zone)
    reached = ORDER.index(alert.stage)
    found = []
    for name, spans in _times(last.after, said).items():
        _, zh, en, stage = next(step for step in STEPS if step[0] == name)
        until = min(span.after(local, calendar.is_workday) for span in spans)
        done = reached >= ORDER.index(stage)
        found.append(Deadline(name, zh, en, until, done, not done and now > until))
    return tuple(found)


def _times(level: Level, said: Sequence[Response]) -> dict[str, list[Duration]]:
    """Return for each step that has one the times that are asked for at a level."""
    found: dict[str, list[Duration]] = {}
    for name, *_ in STEPS:
        own = [span for response in said or [RESPONSE] if (span := response.at(level).of(name)) is not None]
        usual = RESPONSE.at(level).of(name)
        spans = own or ([] if usual is None else [usual])
        if spans:
            found[name] = spans
    return found


def overdue(
    alerts: Iterable[Alert],
    events: Sequence[Event],
    calendar: Calendar,
    zone: ZoneInfo,
    now: datetime,
    rules: Collection[Rule] = (),
) -> Mapping[str, tuple[str, ...]]:
    """Return by alert number what is overdue, in Chinese words; an alert on time has no entry.

    Args:
        alerts: As they stand now.
        events: The history of these alerts, and perhaps of others.
        calendar: Knows the workdays.
        zone: Of the centre's wall clock.
        now: The instant asked about.
        rules: Of the deployment.
    """
    by_alert: dict[str, list[Event]] = {}
    for event in events:
        by_alert.setdefault(event.alert, []).append(event)
    found = {
        alert.number: tuple(
            deadline.zh
            for deadline in deadlines(alert, by_alert.get(alert.number, ()), calendar, zone, now, rules)
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
