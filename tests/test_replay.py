"""Replay is live: what the sweeps said day by day is what a replay of the same days says, with what was known then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FRIDAY, WEST, Cell, at, deliver, lay, raised, set_clock, usual

from warning import jobs, pipeline
from warning.model import Alert, Event, SeriesKey, Signal, Transition
from warning.pipeline import Swept
from warning.replay import Replayed, as_known, of_panels, replay, without
from warning.scoring import Known
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store import signal as signals_of

RULES = """
area = "ss_po"
[[rule]]
id = "ss_po.surge"
name_zh = "短期异常升高"
indicators = ["thefts", "fires", "quarrels"]
tier = "district"
detector = "outbreak"
yellow = { surprise = 2.0, extra = 3 }
orange = { surprise = 4.0, extra = 6 }
red = { surprise = 6.0, extra = 9 }
[[rule]]
id = "ss_po.twice"
name_zh = "两日偏高"
indicators = ["thefts", "fires"]
tier = "district"
detector = "ears"
parameters = { baseline = 28 }
raise_after = 2
within = 3
yellow = { surprise = 1.5 }
[[rule]]
id = "ss_po.slow"
name_zh = "七日持续偏高"
indicators = ["thefts", "fires", "quarrels"]
tier = "district"
detector = "threshold"
parameters = { window = 7, baseline = 182 }
lower_after = 1
yellow = { surprise = 2.0 }
[[rule]]
id = "ss_po.level"
name_zh = "水平改变"
indicators = ["quarrels"]
tier = "district"
detector = "changepoint"
parameters = { window = 90 }
yellow = { surprise = 1.5 }
[[rule]]
id = "ss_po.campus"
name_zh = "每周偏高"
indicators = ["campus"]
tier = "district"
detector = "ears"
parameters = { baseline = 12 }
yellow = { surprise = 1.0 }
"""

DAYS = [FRIDAY + timedelta(days=n) for n in range(12)]
THEFTS, QUARRELS = SeriesKey("thefts", EAST), SeriesKey("quarrels", EAST)


@dataclass(frozen=True)
class Lived:
    """Twelve days as they were swept, each on its own morning, and the same twelve replayed afterwards."""

    swept: list[Swept]
    stored: list[Signal]
    standing: list[Alert]
    replayed: list[Replayed]
    calls: list[str]  # detector calls of the replay


def delivered(day: date) -> list[Cell]:
    """Return what comes on the morning after a day: a rise, a late value, an outage made up for, and a correction."""
    cells = usual(day)
    if DAYS[3] <= day <= DAYS[8]:
        cells = raised(cells, *THEFTS, 16)
    if day >= DAYS[4]:
        cells = raised(cells, *QUARRELS, 12)
    if day == DAYS[0]:
        cells = raised(cells, "quarrels", WEST, 14)
    if day == DAYS[9]:
        cells = raised(cells, "campus", EAST, 12)
    silent = {DAYS[5]: ("fires", WEST), DAYS[6]: QUARRELS, DAYS[7]: QUARRELS}
    kept = [cell for cell in cells if cell[:2] != silent.get(day)]
    if day == DAYS[7]:
        kept += [cell for cell in usual(DAYS[5]) if cell[:2] == ("fires", WEST)]
    if day == DAYS[8]:
        kept += [c for back in (6, 7) for c in raised(usual(DAYS[back]), *QUARRELS, 12) if c[:2] == QUARRELS]
    if day == DAYS[9]:
        kept += [cell for cell in raised(usual(DAYS[2]), "thefts", WEST, 30) if cell[:2] == ("thefts", WEST)]
    return kept


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30").astimezone(UTC)


def mended(day: date) -> list[Cell]:
    """Return the same, but that rises are withdrawn afterwards, one is found, and values come late one by one."""
    cells = [cell for cell in delivered(day) if cell[:2] != ("fires", EAST) or day >= DAYS[6]]
    if day == DAYS[6]:
        cells += [cell for back in (5, 3) for cell in usual(DAYS[back]) if cell[:2] == ("fires", EAST)]
    if day == DAYS[7]:
        cells += [
            c for back in (0, 4) for c in raised(usual(DAYS[back]), "fires", EAST, 30) if c[:2] == ("fires", EAST)
        ]
    if day == DAYS[10]:
        cells += [cell for past in DAYS[3:9] for cell in usual(past) if cell[:2] == THEFTS]
        cells += [cell for cell in usual(DAYS[0]) if cell[:2] == ("quarrels", WEST)]
    if day == DAYS[11]:
        cells += [cell for cell in usual(DAYS[9]) if cell[0] == "campus"]
        cells += [cell for cell in usual(DAYS[2]) if cell[:2] == ("thefts", WEST)]
    return cells


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with laid(tmp_path_factory.mktemp("little")) as found:
        yield found


@pytest.fixture(scope="module")
def lived(service: Service) -> Lived:
    return live_through(service, delivered)


@contextmanager
def laid(folder: Path) -> Iterator[Service]:
    config = lay(folder)
    (folder / "rules" / "police.toml").write_text(RULES, encoding="utf-8")
    with open_service(config) as found:
        yield found


def live_through(service: Service, sent: Callable[[date], list[Cell]]) -> Lived:
    swept = []
    for day in DAYS:
        now = morning(day)
        set_clock(service.config.base, now)
        deliver(service.config.base, f"{day}.csv", sent(day))
        jobs.take_in(service, now)
        swept.append(pipeline.sweep(service, day, now=now))
    calls: list[str] = []
    replayed = list(replay(service, DAYS, as_known(service), beat=calls.append))
    stored = signals_of.signals(service.store, DAYS[0] - timedelta(days=30), DAYS[-1])
    return Lived(swept, stored, alerts_of.live(service.store), replayed, calls)


def test_signals_are_those_of_the_sweeps(lived: Lived) -> None:
    found = said_last(lived.replayed)

    assert found == sorted(lived.stored, key=_cell)
    assert {signal.rule for signal in found} == {
        f"ss_po.{name}" for name in ("surge", "twice", "slow", "level", "campus")
    }


def test_what_happened_to_the_alerts_is_what_the_sweeps_said(lived: Lived) -> None:
    found = [_happened(day.events) for day in lived.replayed]

    assert found == [_happened(day.events) for day in lived.swept]
    seen = {event.transition for day in lived.replayed for event in day.events}
    assert seen == set(Transition) - {Transition.LEVEL_CHANGED}  # ``test_level_and_batch`` replays it


def test_the_alerts_stand_as_the_sweeps_left_them(lived: Lived) -> None:
    found = sorted(lived.replayed[-1].live.values(), key=lambda alert: alert.number)

    assert found == sorted(lived.standing, key=lambda alert: alert.number)


def test_every_place_has_the_colour_of_that_morning(lived: Lived) -> None:
    found = [tuple(day.coverages.values()) for day in lived.replayed]

    assert found == [day.coverages for day in lived.swept]
    assert any(coverage.missing for day in found for coverage in day)


def test_what_came_late_or_was_corrected_is_replayed_as_it_was_swept(tmp_path: Path) -> None:
    with laid(tmp_path) as service:
        lived = live_through(service, mended)

    last = sorted(lived.replayed[-1].live.values(), key=lambda alert: alert.number)
    corrected = {
        (event.before, event.after)
        for day in lived.swept
        for event in day.events
        if event.transition is Transition.CORRECTED
    }
    assert [_happened(day.events) for day in lived.replayed] == [_happened(day.events) for day in lived.swept]
    assert [tuple(day.coverages.values()) for day in lived.replayed] == [day.coverages for day in lived.swept]
    assert last == sorted(lived.standing, key=lambda alert: alert.number)
    assert said_last(lived.replayed) == sorted(lived.stored, key=_cell)
    assert {before > after for before, after in corrected} == {True, False}  # found, and withdrawn


def test_days_on_which_nothing_came_late_share_a_call(lived: Lived) -> None:
    stretches = lived.calls.count("outbreak daily")

    assert 3 <= stretches <= 6  # three mornings changed the past; a four-week anchor may lie between


def test_days_replayed_together_say_what_each_day_alone_says(service: Service, lived: Lived) -> None:
    last = lived.replayed[-1].panels
    source = of_panels(service, last)

    together = list(replay(service, DAYS, source))
    one_by_one = list(replay(service, DAYS, lambda day: _apart(source(day))))

    assert [day.signals for day in together] == [day.signals for day in one_by_one]
    assert [day.events for day in together] == [day.events for day in one_by_one]


def test_the_rules_of_a_detector_can_be_left_out(service: Service) -> None:
    fewer = without(service, "changepoint", "ears")

    assert [rule.id for rule in fewer.rules.rules] == ["ss_po.surge", "ss_po.slow"]


def test_before_a_panel_begins_nothing_was_reported(service: Service, lived: Lived) -> None:
    panel = lived.replayed[-1].panels["daily"]
    short = replace(panel, dates=panel.dates[-40:], values=panel.values[-40:])

    found = of_panels(service, {"daily": short})(DAYS[-1])["daily"]

    assert np.array_equal(found.dates, panel.dates)
    assert np.isnan(found.values[:-40]).all()
    assert np.array_equal(found.values[-40:], panel.values[-40:], equal_nan=True)


def _apart(panels: Mapping[str, Known]) -> dict[str, Known]:
    """Return panels that carry on none of the day before: the order of their series turns every day."""
    return {frequency: _turned(panel) for frequency, panel in panels.items()}


def _turned(panel: Known) -> Known:
    order = np.roll(np.arange(len(panel.keys)), len(panel.dates) % 2)
    keys = tuple(panel.keys[n] for n in order)
    return replace(panel, keys=keys, values=panel.values[:, order], index={key: n for n, key in enumerate(keys)})


def said_last(days: list[Replayed]) -> list[Signal]:
    """Return what the rules said last of every series and date."""
    found: dict[tuple[date, str, str, str], Signal] = {}
    for day in days:
        found = {cell: one for cell, one in found.items() if one.date < day.again.get(one.key, date.max)}
        found |= {_cell(one): one for one in day.signals}
    return [found[cell] for cell in sorted(found)]


def _cell(signal: Signal) -> tuple[date, str, str, str]:
    return signal.date, signal.indicator, signal.place, signal.rule


def _happened(events: tuple[Event, ...]) -> list[Event]:
    """Events but for the instant they were decided at."""
    return [replace(event, at=datetime(2000, 1, 1, tzinfo=UTC)) for event in events]
