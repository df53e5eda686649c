"""A little city swept as it would be live, so that a drift of the facts shows in its texts.

Friday thefts jump in the east; on Saturday they are higher still, quarrels rise in both districts, and the west's fires
are not reported; on Sunday all is calm again.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from little_city import CONFIG, EAST, FRIDAY, MONDAY, SATURDAY, SUNDAY, WEST, at, deliver, lay, raised, usual, without

from warning import jobs, pipeline, weekly
from warning.jobs import Task
from warning.model import Message
from warning.service import Service, open_service
from warning.store import document, outbox

SIMULATED = '[deployment]\nsimulated = true\n[mail]\npage = "http://127.0.0.1:8765/"\n'
NEIGHBOURS = f"place,neighbour\n{EAST},{WEST}\n"
WEEK = SUNDAY - timedelta(days=6)


def texts(folder: Path) -> dict[str, str]:
    """Return a text of each kind, by the name of its golden file."""
    config = lay(folder, config=SIMULATED + CONFIG)
    (folder / "city" / "neighbours.csv").write_text(NEIGHBOURS, encoding="utf-8")
    with open_service(config) as service:
        _live(service, folder)
        store = service.store
        mails = {(m.kind, m.date, m.recipient[:7]): m for m in (e.message for e in outbox.messages(store))}
        alert = mails["alert", SATURDAY, "officer"]
        found = {
            "chain-alert.txt": _mail(alert),
            "chain-alert.html": alert.html,
            "chain-briefing.txt": _mail(mails["briefing", SUNDAY, "officer"]),
        }
        for day, name in ((SATURDAY, "daily"), (SUNDAY, "daily-back")):
            found[f"chain-{name}.txt"] = _mail(mails["daily", day, "officer"])
        found["chain-daily.html"] = mails["daily", SATURDAY, "officer"].html
        for place, day, name in (("01", SATURDAY, "city"), (EAST, SATURDAY, "place"), (EAST, SUNDAY, "place-back")):
            [text] = [d.text for d in document.documents(store, "narrative", day) if d.place == place]
            found[f"chain-narrative-{name}.txt"] = text
        week = document.document(store, "briefing", "01", WEEK)
        assert week is not None
        found["chain-week.txt"] = week.text
        found["chain-week.html"] = re.sub(r"data:image/png;base64,[^\"]+", "data:picture", week.html)
    return found


def _mail(message: Message) -> str:
    return f"{message.subject}\n\n{message.text}"


def _live(service: Service, folder: Path) -> None:
    friday = raised(usual(FRIDAY), "thefts", EAST, 14)
    saturday = without(usual(SATURDAY), "fires", WEST)
    for name, place, extra in (("thefts", EAST, 25), ("quarrels", EAST, 30), ("quarrels", WEST, 35)):
        saturday = raised(saturday, name, place, extra)
    for day, cells in ((FRIDAY, friday), (SATURDAY, saturday), (SUNDAY, usual(SUNDAY))):
        morning = day + timedelta(days=1)
        deliver(folder, f"{day}.csv", cells)
        jobs.take_in(service, at(morning, "07:00"))
        pipeline.sweep(service, day, now=at(morning, "07:30"))
        jobs.daily_mail(Task(service, at(morning, "08:00"), at(morning, "08:00"), lambda _: None))
    weekly.write_week(service, WEEK, now=at(MONDAY, "08:30"))
