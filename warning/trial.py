"""Every text template written once with made-up facts, so that a fault shows before the first real mail.

The facts are obliging: whatever a template asks for is there.  A second time an alert has hardly any, so that a
sentence that cannot do without its number shows, too.  Pages are compiled only: what they show is no facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from warning.briefing.html import render_week
from warning.checked import suggestion
from warning.errors import ConfigError
from warning.facts import Fact, Facts, Item
from warning.gaps import Silent
from warning.model import Level, Place, Transition
from warning.templating import Change, Engine, engine, mail, render

MONDAY = date(2026, 11, 16)
ALERT = "XX-20261116-0001"
DATES = {"back_range", "date", "date_range", "first_date", "judged_range", "last", "onset"}
WORDS = {"colour_zh": "红色", "alert_no": ALERT, "p_text": "千分之一", "mark": "■"}
SURE = ("name", "name_en", "district", "place_en", "alert_no", "colour_zh", "mark", "level")  # no alert without them
EXCLUDING = ("days_none",)  # where it is stated, hardly anything else is said
NARRATIVES = ("place.zh.txt", "place.zh.html", "place.en.txt", "city.zh.txt", "city.zh.html")


class Obliging(Mapping[str, Fact]):
    """Has every fact a template asks for, and notes what was asked."""

    def __init__(self, asked: set[str]) -> None:
        self.asked = asked

    def __getitem__(self, name: str) -> Fact:
        self.asked.add(name)
        if name in EXCLUDING:
            raise KeyError(name)
        return _fact(name)

    def __iter__(self) -> Iterator[str]:
        return iter(SURE)

    def __len__(self) -> int:
        return len(SURE)


def faults_of_texts(folders: Sequence[Path]) -> list[str]:
    """Return a line, with file and line, for each text that cannot be written with a deployment's templates."""
    return _written(engine(folders, simulated=True))[0]


def unknown_facts(folders: Sequence[Path]) -> list[str]:
    """Return a line for each fact a deployment's templates ask for and no shipped one does: perhaps misspelt.

    A sentence whose fact is absent is not printed, so that nobody would see the mistake.
    """
    known, asked = _written(engine([], simulated=True))[1], _written(engine(folders, simulated=True))[1]
    return [
        f"模板用到自带模板没有用过的数 / a template asks for the fact {name!r}, no shipped one does{_near(name, known)}"
        for name in sorted(asked - known)
    ]


def _near(name: str, known: set[str]) -> str:
    hint = suggestion(name, known)
    return hint if hint.startswith("; did") else ""


def _written(env: Engine) -> tuple[list[str], set[str]]:
    """The faults of all texts, each once, and the facts they asked for."""
    asked: set[str] = set()
    faults: dict[str, None] = {}
    rich, poor = Obliging(asked), {name: _fact(name) for name in SURE}
    for of_alert in (rich, poor):
        for name, context in _texts(_facts(rich, of_alert)):
            try:
                _write(env, name, context)
            except ConfigError as error:
                faults |= dict.fromkeys(f"{error.where}: {fault}" for fault in error.faults)
    return list(faults), asked


def _write(env: Engine, name: str, context: Mapping[str, Any]) -> None:
    kind, _, text = name.partition("/")
    if kind == "mail":
        mail(env, text, context)
    elif kind == "briefing":
        render_week(env, context["facts"], monday=MONDAY, office="指挥中心", charts={ALERT: b""}, map_picture=b"")
    else:
        render(env, f"{name}.j2", context)


def _texts(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every text with its context; ``templating`` lists what each may use."""
    page = "http://127.0.0.1/"
    changes = [
        Change(facts.items[0], transition, before, after, "chart")
        for transition, before, after in (
            (Transition.RAISED, Level.YELLOW, Level.RED),
            (Transition.ENDED, Level.YELLOW, Level.CALM),
        )
    ]
    for name in NARRATIVES:
        yield f"narrative/{name}", {"facts": facts}
    for some in (changes[:1], changes[1:], changes):
        yield "mail/alert", {"facts": facts, "changes": some, "recipient": "值班员", "page": page}
    for judged in (True, False):
        yield (
            "mail/daily",
            {"facts": facts, "open": 1, "judged": judged, "received": judged, "changes": changes, "page": page},
        )
    yield "mail/notice", {"title": "通知", "lines": ["一行"], "date": MONDAY, "page": page}
    rows = [Silent("11月16日", "指标", "某区", 1, last) for last in ("11月15日", "")]
    about = {"department": "某局", "date": MONDAY, "until": "11月17日07:30", "rows": rows, "office": "中心", "page": ""}
    yield "mail/reminder", about
    yield "mail/briefing", {"facts": facts, "page": page, "path": "briefings/0/2026-11-16"}
    yield "briefing/week", {"facts": facts}


def _facts(rich: Mapping[str, Fact], of_alert: Mapping[str, Fact]) -> Facts:
    place = Place("0", "某区", "Some District", "district", None)
    items = tuple(Item(ALERT, level, "indicator", place.code, of_alert) for level in (Level.RED, Level.YELLOW))
    return Facts(
        place, MONDAY, rich, items, groups=(of_alert,), missing=(of_alert,), table=(rich,), clues=(rich,), waiting=items
    )


def _fact(name: str) -> Fact:
    if name in DATES:
        return Fact(name, MONDAY, "11月16日")
    if name == "level":
        return Fact(name, int(Level.RED), "3")
    return Fact(name, WORDS[name], WORDS[name]) if name in WORDS else Fact(name, 12.0, "12")
