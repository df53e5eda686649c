"""A level that changes for good is told once; a day a whole place enters together is labelled, and nothing hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from little_city import EAST, FIRST, FRIDAY, SATURDAY, WEST, Cell, at, deliver, lay, set_clock, usual

from warning import pipeline
from warning.batches import batches
from warning.jobs import context_of, take_in
from warning.model import Alert, Level, SeriesKey, Transition
from warning.replay import as_known, replay
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store import outbox
from warning.telling import daily_messages

THEFTS = SeriesKey("thefts", EAST)
RULE = """
area = "ss_po"
[[rule]]
id = "ss_po.surge"
name_zh = "短期异常升高"
indicators = ["thefts", "fires", "quarrels", "noise"]
tier = "district"
detector = "outbreak"
yellow = { surprise = 3.0, extra = 3 }
orange = { surprise = 4.5, extra = 5 }
"""
NOISE = "noise,噪声投诉数,Noise complaints,ss_po,negative,起,count,daily,,城管局,sum,true,mid\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    config = lay(tmp_path, history=False)
    (tmp_path / "rules" / "police.toml").write_text(RULE, encoding="utf-8")
    with (tmp_path / "city" / "indicators.csv").open("a", encoding="utf-8") as file:
        file.write(NOISE)
    with open_service(config) as found:
        yield found


def live(service: Service, extra: Callable[[str, str, date, float], float], *days: date) -> list[Alert]:
    """Sweep some days, with something added to what is usual, and return the alerts; days between are caught up."""
    begin = FIRST
    for day in days:
        now = at(day + timedelta(days=1), "07:30")
        dates = (begin + timedelta(days=n) for n in range((day - begin).days + 1))
        cells = [(i, p, d, v + extra(i, p, d, v)) for date in dates for i, p, d, v in noisy(date)]
        deliver(service.config.base, f"{day}.csv", cells)
        take_in(service, now)
        pipeline.sweep(service, day, now=now)
        begin = day + timedelta(days=1)
    return alerts_of.alerts(service.store)


def noisy(day: date) -> list[Cell]:
    cells = [cell for cell in usual(day) if cell[0] != "campus"]
    more = np.random.default_rng(day.toordinal() + 1).poisson(9.0, 2).tolist()
    return cells + [("noise", place, day, float(v)) for place, v in zip((EAST, WEST), more, strict=True)]


def mails(service: Service, day: date) -> list[str]:
    found = outbox.pending(service.store, at(SATURDAY + timedelta(days=9), "00:00"))
    return [f"{m.subject}\n{m.text}" for m in found if (m.kind, m.date) == ("alert", day)]


def test_a_step_that_lasts_is_told_once_and_is_the_usual_then(service: Service) -> None:
    step, sunday = date(2026, 11, 2), date(2026, 11, 15)  # a Monday, and the end of the second week

    found = live(
        service,
        lambda i, p, d, v: 24 if (i, p) == THEFTS and d >= step else 0,
        *(date(2026, 11, n) for n in (2, 15, 18)),
    )

    (alert,) = [alert for alert in found if alert.key == THEFTS]
    events = [(e.transition, e.date) for e in alerts_of.events(service.store) if e.alert == alert.number]
    assert events[0] == (Transition.OPENED, step)
    assert [why for why, _ in events].count(Transition.LEVEL_CHANGED) == 1
    assert events[-1] == (Transition.LEVEL_CHANGED, sunday)
    assert alert.active is Level.CALM
    [(mail, _)] = daily_messages(context_of(service, sunday, at(date(2026, 11, 16), "08:00")))
    assert "水平改变：截至11月15日，近14日稳定在新的水平，此后以新水平为常态研判。" in mail.text


def test_a_replay_tells_of_a_new_level_as_the_sweeps_did(service: Service) -> None:
    days = [date(2026, 11, 2) + timedelta(days=n) for n in range(14)]
    live(service, lambda i, p, d, v: 24 if (i, p) == THEFTS and d >= days[0] else 0, *days)
    set_clock(service.config.base, at(days[-1] + timedelta(days=1), "07:30"))

    replayed = [event for day in replay(service, days, as_known(service)) for event in day.events]

    found, swept = (
        sorted((e.date, e.alert, e.transition) for e in events)
        for events in (replayed, alerts_of.events(service.store))
    )
    assert found == swept
    assert (days[-1], Transition.LEVEL_CHANGED) in {(day, what) for day, _, what in found}


def test_a_burst_of_a_week_is_no_new_level(service: Service) -> None:
    first, last = date(2026, 11, 7), date(2026, 11, 14)

    live(service, lambda i, p, d, v: 24 * ((i, p) == THEFTS and first <= d <= last), last, date(2026, 11, 16))

    assert Transition.LEVEL_CHANGED not in {e.transition for e in alerts_of.events(service.store)}


def test_a_place_that_enters_all_at_once_is_labelled_and_coloured_all_the_same(service: Service) -> None:
    found = live(service, lambda i, p, d, v: 5 * v * ((p, d) == (EAST, FRIDAY)), FRIDAY)

    assert len(found) >= 2
    assert {alert.place for alert in found} == {EAST}
    assert max(alert.active for alert in found) >= Level.ORANGE
    for alert in found:
        total, usually = alert.evidence[0].batch or (0.0, 1.0)
        assert total == sum(6 * v for _, p, _, v in noisy(FRIDAY) if p == EAST)
        assert usually == pytest.approx(12 + 6 + 20 + 9, rel=0.15)
    (told,) = mails(service, FRIDAY)
    assert told.count("〔可能为集中补录〕") == len(found)
    assert "东区各项计数合计" in told


def test_one_indicator_that_soars_is_no_batch(service: Service) -> None:
    (alert,) = live(service, lambda i, p, d, v: 9 * v * ((i, p, d) == (*THEFTS, FRIDAY)), FRIDAY)

    assert alert.key == THEFTS
    assert alert.evidence[0].batch is None
    assert not any("补录" in mail for mail in mails(service, FRIDAY))


USUAL = np.array([10.0, 20.0, 5.0, 15.0])  # 50 in all


@pytest.mark.parametrize(
    ("came", "batch"),
    [
        pytest.param([30, 60, 15, 45], True, id="three-times-everything"),
        pytest.param([30, 60, 15, 44], False, id="one-short-of-three-times"),
        pytest.param([120, 20, 5, 15], False, id="one-that-soars"),
        pytest.param([90, 80, 5, 15], True, id="two-that-soar-and-half-are-high"),  # rest 100 >= 2 x 40, high 2 of 4
        pytest.param([10, 140, 6, 15], False, id="the-rest-is-as-usual"),
        pytest.param([30, 60, np.nan, 45], False, id="three-reported-make-no-whole"),
    ],
)
def test_what_a_batch_is(came: list[float], batch: bool) -> None:
    found = batches(["east"] * 4, np.array(came, dtype=float), USUAL)

    assert found == ({"east": (np.sum(came), 50.0)} if batch else {})


def test_a_few_events_in_a_quiet_place_are_none() -> None:
    assert batches(["east"] * 5, np.array([2.0, 1, 1, 1, 1]), np.full(5, 0.2)) == {}  # five more than usual


def test_each_place_is_a_whole_of_its_own() -> None:
    places = ["east", "west"] * 4
    came = np.where(np.array(places) == "west", 4, 1) * np.repeat(USUAL, 2)

    assert set(batches(places, came, np.repeat(USUAL, 2))) == {"west"}
    assert batches([], np.zeros(0), np.zeros(0)) == {}
