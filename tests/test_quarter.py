"""A quarter lived day by day, with late and corrected values, and replayed afterwards: the same, word for word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FRIDAY, WEST, Cell, at, deliver, lay, set_clock, usual

from warning import jobs, pipeline
from warning.model import Event, Level, SeriesKey, Signal, Transition
from warning.pipeline import Swept
from warning.replay import Replayed, as_known, replay
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store import signal as signals_of

RULES = f"""
area = "ss_po"
[defaults]
tier = "district"
detector = "ears"
parameters = {{ baseline = 28 }}
[[rule]]
id = "ss_po.surge"
name_zh = "短期异常升高"
indicators = ["level2:ss_po"]
frequency = "daily"
lower_after = 2
stay = 4
yellow = {{ surprise = 2.0, extra = 3, lower = {{ surprise = 1.0 }} }}
orange = {{ any = [{{ surprise = 3.5 }}, {{ method = "week", surprise = 5.0 }}], lower = {{ surprise = 1.5 }} }}
red = {{ surprise = 6.0, all = [{{ extra = 9 }}, {{ ratio = 1.5 }}] }}
override = [{{ places = ["{WEST}"], yellow = {{ surprise = 3.0 }}, lower_after = 1 }}]
[rule.methods.week]
detector = "threshold"
parameters = {{ window = 7, baseline = 182 }}
[[rule]]
id = "ss_po.workdays"
name_zh = "工作日两次"
indicators = ["thefts"]
raise_after = 2
within = 3
yellow = {{ surprise = 1.3, line = 14, scale = "usual" }}
active = {{ days = ["workday"], until = {FRIDAY + timedelta(days=70)} }}
[[rule]]
id = "ss_po.campus"
name_zh = "每周偏高"
indicators = ["campus"]
parameters = {{ baseline = 12 }}
yellow = {{ surprise = 1.0 }}
"""
DAYS = [FRIDAY + timedelta(days=n) for n in range(91)]
SERIES = [SeriesKey(name, place) for name in ("thefts", "fires", "quarrels") for place in (EAST, WEST)]


@dataclass(frozen=True)
class Lived:
    swept: list[Swept]
    replayed: list[Replayed]


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30")


def arrivals() -> dict[date, list[Cell]]:
    """Return what comes with each day's file: one value in twenty late, one in thirty wrong at first, some spikes."""
    chance = np.random.default_rng(91)
    found: dict[date, list[Cell]] = {day: [] for day in DAYS}
    for n, day in enumerate(DAYS):
        for indicator, place, when, value in usual(day):
            true = value + (chance.integers(8, 40) if chance.random() < 0.03 else 0)
            late = int(chance.integers(1, 5)) if chance.random() < 0.05 else 0
            wrong = chance.random() < 0.03
            found[DAYS[min(n + late, 90)]].append((indicator, place, when, true + 25.0 * wrong))
            if wrong:
                mended = DAYS[min(n + late + int(chance.integers(1, 11)), 90)]
                found[mended] = [*found[mended], (indicator, place, when, float(true))]
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("quarter")
    lay(folder)
    (folder / "rules" / "police.toml").write_text(RULES, encoding="utf-8")
    with open_service(folder / "config.toml") as found:
        yield found


@pytest.fixture(scope="module")
def lived(service: Service) -> Lived:
    folder: Path = service.config.base
    swept = []
    for day, cells in arrivals().items():
        for n, part in enumerate(
            (cells[: len(cells) // 2], cells[len(cells) // 2 :])
        ):  # a correction in a file of its own
            deliver(folder, f"{day}-{n}.csv", part)
        set_clock(folder, morning(day))
        jobs.take_in(service, morning(day))
        swept.append(pipeline.sweep(service, day, now=morning(day)))
    return Lived(swept, list(replay(service, DAYS, as_known(service))))


def happened(events: tuple[Event, ...]) -> list[tuple[str, int, date, Transition, Level, Level, str, date]]:
    return [(e.alert, e.sequence, e.date, e.transition, e.before, e.after, e.note, e.known) for e in events]


def test_each_sweep_is_replayed_word_for_word(lived: Lived) -> None:
    for swept, replayed in zip(lived.swept, lived.replayed, strict=True):
        assert happened(replayed.events) == happened(swept.events), swept.day
        assert tuple(replayed.coverages.values()) == swept.coverages, swept.day

    seen = {event.transition for swept in lived.swept for event in swept.events}
    assert seen == set(Transition) - {Transition.LEVEL_CHANGED}
    assert sum(len(swept.events) for swept in lived.swept) > 40


def test_the_signals_are_those_the_store_has(service: Service, lived: Lived) -> None:
    said: dict[tuple[str, SeriesKey, date], Signal] = {}
    for day in lived.replayed:
        gone = {cell for cell in said if cell[1] in day.again and cell[2] >= day.again[cell[1]]}
        said = {cell: signal for cell, signal in said.items() if cell not in gone}
        said |= {(signal.rule, signal.key, signal.date): signal for signal in day.signals}

    stored = signals_of.signals(service.store, DAYS[0] - timedelta(days=30), DAYS[-1])
    assert {(s.rule, s.key, s.date): (s.level, s.observed, s.expected, s.surprise) for s in said.values()} == {
        (s.rule, s.key, s.date): (s.level, s.observed, s.expected, s.surprise) for s in stored
    }
    assert {signal.detector for signal in stored} == {"ears", "threshold"}  # by another method than the rule's own, too


def test_the_alerts_stand_as_the_sweeps_left_them(service: Service, lived: Lived) -> None:
    found = sorted(lived.replayed[-1].live.values(), key=lambda alert: alert.number)

    assert found == sorted(alerts_of.live(service.store), key=lambda alert: alert.number)
    assert len(found) > 3
