"""What departments are told: that data which are due have not arrived, once a day while it lasts.

Nothing is closed for want of data and nothing called calm: the map says grey, and who can act is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from warning.context import Context
from warning.errors import ConfigError
from warning.facts import day_zh
from warning.gaps import Gap, Silent, silent
from warning.model import Message
from warning.periods import last_day, later
from warning.service import Deployment, Service
from warning.store import outbox, run
from warning.telling import Told, environment, message_id
from warning.templating import mail

AGAIN = "恢复报送：此前提醒的数据已收到 / reports again"


def reminders(context: Context) -> list[Told]:
    """Return one mail for each department whose data are due and not there, to whom its feed or its city says to ask.

    The same department is told once about a day, whatever else it turns out to lack.
    """
    service, zone = context.service, context.service.config.zone
    local = context.now.astimezone(zone)
    env = environment(service)
    told: list[Told] = []
    known = contacts(service)
    for department, rows in _lacking(context).items():
        contact = known.get(department)
        if contact is None:
            continue
        content = {
            "department": department,
            "date": context.day,
            "until": f"{day_zh(local.date())}{local:%H:%M}",
            "rows": rows,
            "office": service.city.office,
            "page": "",  # the centre's page is not theirs
        }
        try:
            written = mail(env, "reminder", content)
        except ConfigError as error:
            run.notice(service.store, context.now, "templates", str(error), zone=zone)
            continue
        message = Message(
            message_id=_identity(service, department, contact, context.day),
            kind="notice",
            place=service.city.root,
            date=context.day,
            recipient=contact,
            subject=written.subject,
            text=written.text,
            html=written.html,
            created=context.now,
        )
        told.append((message, ()))
    return told


def note_who_reports_again(context: Context) -> None:
    """Note for the operator which departments lack nothing any more, of those reminded of the day or the one before.

    Writes.
    """
    service, lacking = context.service, _lacking(context)
    for department, contact in contacts(service).items():
        days = (context.day, context.day - timedelta(days=1))
        reminded = any(outbox.has(service.store, _identity(service, department, contact, day)) for day in days)
        if reminded and department not in lacking:
            run.notice(service.store, context.now, department, AGAIN, zone=service.config.zone)


def contacts(deployment: Deployment) -> Mapping[str, str]:
    """Whom to ask, by department: what a feed says comes before what departments.csv says."""
    feeds = {feed.department: feed.contact for feed in deployment.feeds.values() if feed.department and feed.contact}
    return {**deployment.city.contacts, **feeds}


def _lacking(context: Context) -> dict[str, tuple[Silent, ...]]:
    found = (_overdue(context, gap) for gap in context.gaps)
    return silent(gap for gap in found if gap is not None)


def _overdue(context: Context, gap: Gap) -> Gap | None:
    """The gap of the last period its feed should have sent by now, None where that has come.

    A feed that names no hour is due when the sweep counts its data as missing.
    """
    sent_by, of = (gap.indicator.department, gap.indicator.frequency), context.service.feeds.values()
    feed = next((feed for feed in of if feed.due and (feed.department, feed.frequency) == sent_by), None)
    if feed is None or feed.due is None:
        return gap
    hour, after = time.fromisoformat(feed.due), timedelta(days=feed.due_days)
    local, period = context.now.astimezone(context.service.config.zone), gap.expected
    while datetime.combine(last_day(period, feed.frequency) + after, hour, local.tzinfo) > local:
        period = later(period, -1, feed.frequency)
    return replace(gap, expected=period) if gap.last is None or gap.last < period else None


def _identity(service: Service, department: str, contact: str, day: date) -> str:
    content = ((department, "silent"),)
    return message_id("notice", service.city.root, contact, day, content, service.config.mail.domain)
