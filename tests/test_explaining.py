"""Why a series has its level: every number beside what was asked of it, and what would have made it another."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, SATURDAY, at, deliver, lay, raised, set_clock, usual
from test_grading import RISES, rule, scores
from typer.testing import CliRunner

from detectors.panel import Scores
from warning.calendar import Calendar
from warning.cli import app
from warning.graded import Graded
from warning.grading import Beside, kept, levels
from warning.jobs import take_in
from warning.model import Level, SeriesKey
from warning.pipeline import sweep
from warning.rule import Rule
from warning.service import open_service
from warning.tuning.explaining import Explained, document, of_cell

DAY = date(2026, 11, 20)
NO_CALENDAR = Calendar((), (None, 2026), "none")
WEEK = {"week": {"detector": "outbreak", "parameters": {"window": 7}}}


def explained(asked: Rule, own: Scores, week: Scores | None = None) -> Explained:
    """Explain the last date of one series."""
    beside = Beside({} if week is None else {"week": week})
    dates = np.datetime64(DAY) - np.arange(len(own.surprise))[::-1]
    found = levels(asked, own, RISES, beside), kept(asked, own, RISES, beside)
    graded = Graded(asked, "daily", (SeriesKey("thefts", "harbour"),), dates, own, RISES, *found, beside)
    return of_cell(graded, 0, DAY, NO_CALENDAR)


def test_every_number_stands_beside_what_is_asked() -> None:
    asked = rule(yellow={"surprise": 3.0, "ratio": 1.2, "extra": 5, "at_least": 20, "bound": 1.0})

    (yellow,) = explained(asked, scores([2.5], observed=[24], expected=[20])).asked

    # 24 / 20 = 1.2; 24 - 20 = 4; the upper bound is 30: 24 / 30 = .8
    assert [(t.name, round(t.value, 3), t.asked, t.holds) for t in yellow.raises.terms] == [
        ("surprise", 2.5, 3.0, False),
        ("ratio", 1.2, 1.2, True),
        ("extra", 4.0, 5.0, False),
        ("at_least", 24.0, 20.0, True),
        ("bound", 0.8, 1.0, False),
    ]
    assert [(t.name, round(t.margin, 3)) for t in yellow.raises.lacking()] == [
        ("surprise", -0.5),
        ("extra", -1.0),
        ("bound", -0.2),
    ]


def test_of_several_ways_the_nearest_is_what_lacked() -> None:
    asked = rule(methods=WEEK, yellow={"any": [{"surprise": 4.0}, {"method": "week", "surprise": 3.0}]})

    (yellow,) = explained(asked, scores([1.0]), scores([2.9])).asked

    assert [(t.method, t.asked, round(t.margin, 3)) for t in yellow.raises.lacking()] == [("week", 3.0, -0.1)]


def test_what_was_nearest_to_not_holding_is_named_but_not_where_another_way_holds() -> None:
    asked = rule(yellow={"ratio": 1.2, "any": [{"surprise": 3.0}, {"extra": 5}]})

    (yellow,) = explained(asked, scores([3.0], observed=[30], expected=[20])).asked
    weakest = yellow.raises.weakest()

    # the ratio is 1.5, a quarter above 1.2; of the two ways extra = 10 is twice what is asked, so that surprise may go
    assert weakest is not None
    assert (weakest.name, weakest.value) == ("ratio", 1.5)


def test_hits_are_counted_in_windows_that_do_not_overlap() -> None:
    asked = rule(raise_after=2, within=3, parameters={"window": 7}, yellow={"surprise": 3.0})
    seen = scores([3.0] + [0.0] * 7 + [3.0] * 7)  # today, a week ago not: the seventh day back is calm

    (yellow,) = explained(asked, seen).asked

    assert (yellow.raises.holds, yellow.hits, yellow.given) == (True, 2, True)  # today and fourteen days ago


def test_out_of_its_season_it_says_so() -> None:
    asked = rule(active={"season": ["06-01", "09-30"]}, yellow={"surprise": 3.0})

    assert explained(asked, scores([5.0])).asleep == "season"


NAMES = ("surprise", "ratio", "extra", "at_least", "bound")
numbers = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from([1.5, 3.0, 10.0]) for name in NAMES},
)
methods = st.sampled_from([{}, {"method": "week"}])
leaves = st.builds(lambda one, other: {**one, **other}, numbers.filter(bool), methods)
parts = st.sampled_from(["all", "any"])
tables = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda own, word, some: {**own, word: some}, numbers, parts, st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
).filter(lambda table: depth(table) <= 4)
cells = st.tuples(*(st.floats(0, 40) for _ in range(2)), st.one_of(st.floats(-8, 8), st.just(np.nan)))


def depth(table: dict[str, Any]) -> int:
    return 1 + max((depth(one) for word in ("all", "any") for one in table.get(word, ())), default=0)


@given(tables, cells, cells)
def test_what_is_explained_is_what_was_graded(table: Any, own: Any, week: Any) -> None:
    asked = rule(methods=WEEK, yellow=table)

    found = explained(asked, *(scores([surprise], [seen], [usual]) for seen, usual, surprise in (own, week)))

    (yellow,) = found.asked
    if found.level is not Level.MISSING:
        assert yellow.given is (found.level is Level.YELLOW)
    assert yellow.raises.holds is not bool(list(yellow.raises.lacking()))
    assert (yellow.raises.weakest() is not None) is yellow.raises.holds


def test_the_same_is_a_document() -> None:
    (found,) = document([explained(rule(yellow={"surprise": 3.0}), scores([np.nan]))])

    assert json.loads(json.dumps(found))["measured"][0]["surprise"] is None
    assert (found["level"], found["date"]) == ("missing", "2026-11-20")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment in which thefts in the east were red on Friday."""
    there = tmp_path_factory.mktemp("explained")
    lay(there)
    deliver(there, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
    with open_service(there / "config.toml") as service:
        take_in(service, at(SATURDAY, "07:00"))
        sweep(service, FRIDAY, now=at(SATURDAY, "07:30"))
    set_clock(there, at(SATURDAY, "08:00"))
    return there


def ask(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["rules", "explain", *words, "--config", str(folder / "config.toml")])
    return result.output if result.exception is None else str(result.exception)


def test_an_analyst_reads_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    told = ask(folder, "ss_po.surge", "东区", "2026-11-20")

    assert "规则 rule ss_po.surge 短期异常升高（rules/police.toml" in told
    assert "东区 盗窃警情数（thefts） 2026-11-20：红色" in told
    assert "提示 alert LC-20261120-0001 红色" in told
    assert "的阈值高于" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("ss_po.surg", "东区", "2026-11-20"), "did you mean 'ss_po.surge'?", id="rule"),
        pytest.param(
            ("ss_po.surge", "小城", "2026-11-20"), "这条规则不研判小城 / the rule does not judge 01", id="place"
        ),
        pytest.param(("ss_po.surge", "东区", "20.11.2026"), "'20.11.2026' is not a date", id="date"),
        pytest.param(("ss_po.surge", "东区", "2031-01-01"), "数据不足", id="nothing-there"),
    ],
)
def test_what_cannot_be_explained_is_said(folder: Path, words: tuple[str, ...], said: str) -> None:
    assert said in ask(folder, *words)
