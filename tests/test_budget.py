"""What those on duty can take, and how much of a sweep is chance."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, WEST, at, deliver, lay, raised, set_clock, usual
from test_lifecycle import signal

from warning.budget import Budget, Load, broken, by_chance, discoveries, load
from warning.errors import ConfigError
from warning.jobs import take_in
from warning.model import Event, Level, Transition
from warning.pipeline import sweep
from warning.service import load_deployment, open_service
from warning.store import load as loads_of
from warning.store import run

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def surprises(*p: float) -> list[list[float]]:
    return [[-math.log10(one)] for one in p]


def test_false_discoveries_of_five_series() -> None:
    # p times 5 / rank, made to rise: .001*5/1, .008*5/2, .039*5/3 = .065 and .041*5/4 = .05125 -> .05125, .6*5/5
    found = discoveries(surprises(0.001, 0.008, 0.039, 0.041, 0.6))

    assert found.tolist() == pytest.approx([0.005, 0.02, 0.05125, 0.05125, 0.6])


def test_several_rules_of_a_series_are_one_test() -> None:
    assert discoveries([[3.0, 1.0, 0.2]]).tolist() == pytest.approx([0.003])  # three chances of .001


def test_about_so_many_of_the_coloured_are_chance() -> None:
    found = by_chance(surprises(0.001, 0.008, 0.039, 0.041, 0.6), [True, True, False, False, False])

    assert found == pytest.approx(2 * 0.02)
    assert by_chance(surprises(0.5), [False]) == 0.0
    assert by_chance([], []) == 0.0


@given(st.lists(st.lists(st.floats(-9, 12) | st.just(math.nan), min_size=1, max_size=3), max_size=9))
def test_what_is_more_surprising_is_no_likelier_chance(some: list[list[float]]) -> None:
    found = discoveries(some)
    single = [n for n, one in enumerate(some) if len(one) == 1 and math.isfinite(one[0])]

    assert ((found >= 0) & (found <= 1) | np.isnan(found)).all()
    for one in single:
        for other in single:
            if some[one][0] >= some[other][0]:
                assert found[one] <= found[other] + 1e-12


def event(number: str, before: Level, after: Level, transition: Transition = Transition.RAISED) -> Event:
    return Event(number, 1, FRIDAY, NOW, transition, before, after)


def test_what_becomes_orange_or_red_counts_once_an_alert() -> None:
    events = [
        event("a", Level.CALM, Level.ORANGE, Transition.OPENED),
        event("a", Level.ORANGE, Level.RED),
        event("b", Level.CALM, Level.YELLOW, Transition.OPENED),
        event("c", Level.RED, Level.ORANGE, Transition.LOWERED),
        event("d", Level.CALM, Level.RED, Transition.CORRECTED),
    ]
    loudest = {"a": (signal(Level.RED, rule="x.one"),), "d": (signal(Level.RED, rule="x.two"),)}

    found = load(FRIDAY, events, loudest, [], [], Budget(officers_per_shift=1, per_officer=1))

    assert (found.urgent, found.budget, found.over) == (2, 1, True)
    assert found.rules == {"x.one": 1, "x.two": 1}


@pytest.mark.parametrize(
    ("urgent", "days", "said"),
    [
        pytest.param([5, 5, 5], [0, 1, 2], True, id="three-days-running"),
        pytest.param([5, 4, 5], [0, 1, 2], False, id="just-kept-to-on-one"),
        pytest.param([5, 5], [0, 1], False, id="two-days"),
        pytest.param([5, 5, 5], [0, 1, 3], False, id="a-day-nobody-judged"),
        pytest.param([0, 5, 5, 5], [0, 1, 2, 3], True, id="whatever-was-before"),
    ],
)
def test_an_analyst_is_told_of_three_days_running(urgent: list[int], days: list[int], said: bool) -> None:
    loads = [Load(date(2026, 1, 1) + timedelta(days=n), u, 4, u, 0.0, {}) for u, n in zip(urgent, days, strict=True)]

    assert broken(loads[::-1]) is said


def test_sweeps_note_their_load_and_tell_of_too_much(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "rules" / "budget.toml").write_text("officers_per_shift = 1\nper_officer = 1\n", encoding="utf-8")
    with open_service(tmp_path / "config.toml") as service:
        for n, names in enumerate((["thefts"], ["fires"], ["quarrels"])):
            day = FRIDAY + timedelta(days=n)
            cells = usual(day)
            for name in names:
                cells = raised(raised(cells, name, EAST, 60), name, WEST, 60)
            deliver(tmp_path, f"{day}.csv", cells)
            now = at(day + timedelta(days=1), "07:30")
            set_clock(tmp_path, now)
            take_in(service, now)
            sweep(service, day, now=now)

        found = loads_of.last(service.store, 9)
        notices = [one.text for one in run.notices(service.store, NOW - timedelta(days=30)) if one.about == "budget"]

    assert [one.urgent for one in found] == [2, 2, 2]
    assert all(one.coloured >= 2 and one.by_chance < 0.1 for one in found)
    (text,) = notices
    assert "连续 3 天超过负荷预算（2 > 1），主要来自 ss_po.surge 6" in text


def test_a_misspelt_budget_is_named_with_its_line(tmp_path: Path) -> None:
    config = lay(tmp_path, history=False)
    (tmp_path / "rules" / "budget.toml").write_text("\nofficers = 1\n", encoding="utf-8")

    with pytest.raises(ConfigError) as refusal:
        load_deployment(config)

    assert "第 2 行 line 2: officers is not a setting; did you mean 'per_officer'?" in refusal.value.framed()
