"""What a sweep tells people: narratives, alert mails, the daily mail, the weekly briefing.

Everything is rendered here from facts; who gets what, and when, is decided here too.
A message's identity depends only on what it tells, so that telling it again is the
same message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from html import escape

from warning import gathering
from warning.city import Person
from warning.context import Context
from warning.errors import ConfigError
from warning.facts import LEVEL_ZH, Facts, Item, as_json
from warning.model import Alert, Attachment, Document, Event, Level, Message, Transition
from warning.picture import chart_of
from warning.service import Service
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import feed, outbox, run
from warning.templating import Change, Engine, Mail, engine, mail, render

Told = tuple[Message, tuple[tuple[str, str], ...]]  # a message, and the (alert, numbered transition) pairs it tells
Beat = Callable[[str], None]
CHARTS_A_MAIL = 4
ENGLISH = "narrative-en"
WORDS = {"daily": "每日邮件", "briefing": "风险研判周报"}  # of the bare mail that stands in for a broken template


def environment(service: Service) -> Engine:
    """Return the template environment of a deployment."""
    return engine(service.config.template_folders, simulated=service.config.deployment.simulated)


def narratives(context: Context, *, beat: Beat = lambda _: None) -> list[Document]:
    """Return the "+1" narrative of every place with judged series and of the whole city, in Chinese and in English.

    What is overdue in it was so when its day ended: swept again at noon, it says what it said in the morning.
    """
    midnight = datetime.combine(context.day + timedelta(days=1), time(), context.service.config.zone)
    context = replace(context, as_of=midnight)
    env = environment(context.service)
    documents = []
    for code in context.coverages:
        beat(f"narrative {code}")
        documents += _narrative(context, env, "narrative/place", gathering.of_place(context, code))
    if context.service.city.root not in context.coverages:
        documents += _narrative(context, env, "narrative/city", gathering.of_city(context))
    return documents


def alert_messages(context: Context, events: Sequence[Event], *, beat: Beat = lambda _: None) -> list[Told]:
    """Return one mail for each place that must hear at once, listing all its transitions.

    Yellow alone waits for the daily mail; the leaders get a copy where something became red.
    """
    service = context.service
    env = environment(service)
    by_place: dict[str, list[tuple[Event, Alert]]] = {}
    for event in events:
        alert = alerts_of.alert(service.store, event.alert)
        if alert is not None:
            by_place.setdefault(alert.place, []).append((event, alert))
    told: list[Told] = []
    for place, changes in sorted(by_place.items()):
        if not any(max(event.before, event.after) >= Level.ORANGE for event, _ in changes):
            continue
        beat(f"mail {place}")
        became_red = any(event.after is Level.RED for event, _ in changes)
        people = [*service.city.duty.officers, *(service.city.duty.leaders if became_red else ())]
        told += _alert_mails(context, env, place, changes, people)
    return told


def daily_messages(context: Context) -> list[Told]:
    """Return the 08:00 mail: what was watched, the colours, what changed, every red and orange that lasts; also when
    nothing happened.
    """
    service = context.service
    facts = gathering.of_city(context)
    judged = bool(coverages_of.on(service.store, context.day))
    if not judged:  # what was not judged is grey, whatever the day before said
        grey = {c.place: replace(c, missing=c.watched, colour=Level.MISSING) for c in context.coverages.values()}
        facts = gathering.of_city(replace(context, coverages=grey))
    events = alerts_of.events(service.store, first=context.day, last=context.day)
    pairs = [(event, context.alert(event.alert)) for event in events]
    changes = [
        Change(_item(context, facts, alert), transition_of(mine), mine[0].before, mine[-1].after)
        for alert, mine in _by_alert([(event, alert) for event, alert in pairs if alert is not None])
    ]
    waiting = [alert for alert in context.alerts if alert.needs_a_person]
    told = {"facts": facts, "changes": changes, "open": len(waiting), "judged": judged}
    told["received"] = bool(feed.files(service.store, limit=1))
    return _to_officers(context, "daily", told, () if judged else (("day", "not judged"),))


def briefing_messages(context: Context, facts: Facts) -> list[Told]:
    """Return the mail that says the weekly briefing is there."""
    monday = context.day - timedelta(days=6)
    return _to_officers(context, "briefing", {"facts": facts, "path": f"briefings/{facts.place.code}/{monday}"})


def transition_of(events: Sequence[Event]) -> Transition:
    """Return what several events of one alert amount to: opened and raised at once is opened.

    That its level has changed is told beside any other news, and is the news where there is none.
    """
    found = [event.transition for event in events if event.transition is not Transition.LEVEL_CHANGED]
    if not found:
        return Transition.LEVEL_CHANGED
    first, last = found[0], found[-1]
    return Transition.OPENED if first is Transition.OPENED and last is Transition.RAISED else last


def message_id(kind: str, place: str, recipient: str, day: date, pairs: Iterable[tuple[str, str]], domain: str) -> str:
    """Return the Message-ID of what is told: the same for the same content, whenever it is told."""
    content = "\n".join([kind, place, recipient, day.isoformat(), *(f"{a} {t}" for a, t in sorted(pairs))])
    return f"<{hashlib.sha256(content.encode()).hexdigest()[:32]}@{domain}>"


def _domain(service: Service) -> str:
    """A drill's is another one: a mail program that knows the drill's mail must not hide the real one."""
    domain = service.config.mail.domain
    return f"drill.{domain}" if service.config.deployment.simulated else domain


def _alert_mails(
    context: Context, env: Engine, place: str, changes: Sequence[tuple[Event, Alert]], people: Sequence[Person]
) -> list[Told]:
    service = context.service
    facts = gathering.of_place(context, place)
    lines, pictures = [], []
    for n, (alert, mine) in enumerate(_by_alert(changes)):
        item = _item(context, facts, alert)
        cid = ""
        if n < CHARTS_A_MAIL:
            cid = f"{alert.number}@{service.config.mail.domain}"
            picture = chart_of(service, alert, now=context.now)
            pictures.append(Attachment(cid, f"{alert.number}.png", "image/png", picture))
        lines.append(Change(item, transition_of(mine), mine[0].before, mine[-1].after, cid))
    pairs = tuple((event.alert, f"{event.sequence} {event.transition.value}") for event, _ in changes)
    bare = f"{LEVEL_ZH[max(event.after for event, _ in changes)]}风险提示·{facts.place.name_zh}·" + "、".join(
        dict.fromkeys(event.alert for event, _ in changes)
    )
    told: list[Told] = []
    for person in people:
        content = {"facts": facts, "changes": lines, "recipient": person.name, "page": service.config.mail.page}
        written = _written(context, env, "alert", content, bare)
        identity = message_id("alert", place, person.email, context.day, pairs, _domain(service))
        earlier = (outbox.first_message(service.store, alert.number, person.email) for _, alert in changes)
        message = Message(
            message_id=identity,
            kind="alert",
            place=place,
            date=context.day,
            recipient=person.email,
            subject=written.subject,
            text=written.text,
            html=written.html,
            created=context.now,
            references=tuple(dict.fromkeys(found for found in earlier if found is not None and found != identity)),
            attachments=tuple(pictures),
        )
        told.append((message, pairs))
    return told


def _item(context: Context, facts: Facts, alert: Alert) -> Item:
    known = (item for item in (*facts.items, *facts.waiting) if item.alert == alert.number)
    return next(known, None) or gathering.item_of(context, alert)


def _to_officers(
    context: Context, kind: str, content: dict[str, object], pairs: Sequence[tuple[str, str]] = ()
) -> list[Told]:
    service = context.service
    written = _written(context, environment(service), kind, {**content, "page": service.config.mail.page}, WORDS[kind])
    root, domain = service.city.root, _domain(service)
    message = Message(
        message_id="",
        kind=kind,
        place=root,
        date=context.day,
        recipient="",
        subject=written.subject,
        text=written.text,
        html=written.html,
        created=context.now,
    )
    return [
        (
            replace(message, recipient=p.email, message_id=message_id(kind, root, p.email, context.day, pairs, domain)),
            (),
        )
        for p in service.city.duty.officers
    ]


def _by_alert(changes: Sequence[tuple[Event, Alert]]) -> list[tuple[Alert, list[Event]]]:
    """The events of each alert in their order, the alerts that stand highest now first."""
    alerts = {alert.number: alert for _, alert in changes}
    found = [(alert, [event for event, _ in changes if event.alert == number]) for number, alert in alerts.items()]
    return sorted(found, key=lambda one: (-one[1][-1].after, one[0].number))


def _written(context: Context, env: Engine, kind: str, content: Mapping[str, object], bare: str) -> Mail:
    """The mail, or where its template is broken one bare line: a red is told all the same."""
    try:
        return mail(env, kind, content)
    except ConfigError as error:
        run.notice(context.service.store, context.now, "templates", str(error), zone=context.service.config.zone)
        stamp = "【模拟】" if context.service.config.deployment.simulated else ""
        line = f"{stamp}{bare}"
        return Mail(
            line,
            f"{line}\n\n邮件模板有误，详见运行状况。\n",
            f"<p>{escape(line)}</p><p>邮件模板有误，详见运行状况。</p>",
        )


def _narrative(context: Context, env: Engine, template: str, facts: Facts) -> list[Document]:
    try:
        return [_document(context, env, "narrative", template, facts), _english(context, env, facts)]
    except ConfigError as error:
        run.notice(context.service.store, context.now, "templates", str(error), zone=context.service.config.zone)
        return []


def _english(context: Context, env: Engine, facts: Facts) -> Document:
    """The short English edition: the same facts, text only."""
    text = render(env, "narrative/place.en.txt.j2", {"facts": facts})
    title = f"{facts.place.name_en} {context.day.isoformat()}"
    return Document(ENGLISH, facts.place.code, context.day, context.now, title, text, "", as_json(facts))


def _document(context: Context, env: Engine, kind: str, template: str, facts: Facts) -> Document:
    content = {"facts": facts}
    return Document(
        kind=kind,
        place=facts.place.code,
        date=context.day,
        created=context.now,
        title=f"{facts.place.name_zh} {context.day.isoformat()}",
        text=render(env, f"{template}.zh.txt.j2", content),
        html=render(env, f"{template}.zh.html.j2", content),
        facts=as_json(facts),
    )
