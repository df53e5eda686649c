"""The language of conditions: several methods, all and any, a second threshold, lines scaled to the place, seasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_grading import LETTERS, RISES, rule, scores
from test_lifecycle import FIRST, KEY, signal

from detectors.panel import DayKind, Scores
from warning.active import Active
from warning.calendar import Calendar, Span
from warning.condition import Condition
from warning.duration import Duration, duration
from warning.grading import Beside, kept, levels, speaking
from warning.lifecycle import Hold, advance, verdict
from warning.model import Alert, Level
from warning.rule import Rule

WEEK = {"week": {"detector": "outbreak", "parameters": {"window": 7}}}
DATES = np.arange(np.datetime64("2026-01-01"), np.datetime64("2027-01-01"))


def letters(asked: Rule, own: Scores, week: Scores | None = None) -> str:
    """The levels of one series by its own method and by that of the week."""
    beside = Beside({} if week is None else {"week": week})
    return "".join(LETTERS[Level(level)] for level in levels(asked, own, RISES, beside)[:, 0])


def test_any_of_several_tables_is_enough() -> None:
    asked = rule(yellow={"any": [{"surprise": 5.0}, {"surprise": 3.0, "extra": 20}]})

    assert letters(asked, scores([5.0, 3.0, 3.0], observed=[21, 39, 40], expected=[20, 20, 20])) == "Y.Y"


def test_all_tables_hold_together_and_with_the_numbers_beside_them() -> None:
    asked = rule(yellow={"surprise": 3.0, "all": [{"ratio": 1.5}, {"any": [{"extra": 20}, {"at_least": 35}]}]})

    found = letters(asked, scores([3.0, 3.0, 3.0, 2.0], observed=[29, 30, 35, 40], expected=[20, 20, 20, 20]))

    assert found == "..Y."  # 29: under half as many more; 30: neither 20 more nor 35


def test_a_table_may_ask_another_method() -> None:
    asked = rule(methods=WEEK, yellow={"any": [{"surprise": 4.0}, {"method": "week", "surprise": 3.0}]})

    assert letters(asked, scores([4.0, 1.0, 1.0]), scores([1.0, 3.0, 2.9])) == "YY."


def test_a_method_that_abstains_holds_nothing_and_hides_nothing() -> None:
    asked = rule(methods=WEEK, yellow={"any": [{"surprise": 4.0}, {"method": "week", "surprise": 3.0}]})
    silent = np.nan

    assert letters(asked, scores([silent, 4.0, silent]), scores([3.0, silent, silent])) == "YY/"


def test_persistence_is_counted_in_windows_of_the_longest_method() -> None:
    asked = rule(methods=WEEK, raise_after=2, within=2, yellow={"surprise": 3.0})

    # the first eight days are beyond it; the eighth is a week after the first
    assert letters(asked, scores([3.0] * 8), scores([0.0] * 8)) == ".......Y"


@pytest.mark.parametrize(
    ("own", "week", "month", "speaks"),
    [
        pytest.param(4.5, 9.0, 9.0, "", id="its-own-if-it-holds"),
        pytest.param(1.0, 3.0, 5.0, "month", id="else-the-most-surprising"),
        pytest.param(1.0, 3.0, 2.0, "week", id="of-those-that-hold"),
    ],
)
def test_the_numbers_told_are_those_of_the_method_that_gave_the_level(
    own: float, week: float, month: float, speaks: str
) -> None:
    methods = {**WEEK, "month": {"detector": "outbreak", "parameters": {"window": 28}}}
    more = [{"method": name, "surprise": 3.0} for name in methods]
    asked = rule(methods=methods, yellow={"any": [{"surprise": 4.0}, *more]})
    beside = Beside({"week": scores([week]), "month": scores([month])})

    assert speaking(asked, Level.YELLOW, scores([own]), 1, beside, (0, 0)) == speaks


def test_a_line_is_higher_in_a_larger_place() -> None:
    asked = rule(yellow={"line": 30})
    both = Scores(*(np.repeat(part, 2, axis=1) for part in vars_of(scores([0.5, 0.5], observed=[45, 15]))))
    sizes = np.array([[1.5, 0.5]] * 2)  # of the mean place: its line is 45, the other's 15

    found = levels(asked, both, np.array([1, 1], dtype=np.int8), Beside(sizes={"population": sizes}))

    assert found.tolist() == [[Level.YELLOW, Level.YELLOW], [Level.CALM, Level.YELLOW]]


def vars_of(found: Scores) -> Sequence[Any]:
    return [getattr(found, name) for name in Scores.__dataclass_fields__]


@pytest.mark.parametrize(("persons", "level"), [(40_000, "Y"), (40_001, "."), (np.nan, ".")])
def test_so_many_per_ten_thousand_persons(persons: float, level: str) -> None:
    asked = rule(yellow={"per_10000": 7.5})  # 30 of 40,000

    found = levels(asked, scores([0.1]), RISES, Beside(persons=np.array([[persons]])))

    assert LETTERS[Level(found[0, 0])] == level


def test_a_second_threshold_keeps_a_colour() -> None:
    asked = rule(
        yellow={"surprise": 3.0, "lower": {"surprise": 2.0}}, red={"surprise": 6.0, "lower": {"surprise": 5.0}}
    )

    found = kept(asked, scores([1.9, 2.0, 4.9, 5.0, np.nan]), RISES)

    assert "".join(LETTERS[Level(level)] for level in found[:, 0]) == ".YYR."


def course(said: str, hold: Hold) -> str:
    """Fold days into an alert: capitals raise, small letters keep (y, o, r), a full stop does neither."""
    alert: Alert | None = None
    capitals = {"y": Level.YELLOW, "o": Level.ORANGE, "r": Level.RED}
    active = []
    for n, letter in enumerate(said):
        day = FIRST + timedelta(days=n)
        level = capitals[letter.lower()] if letter.isupper() else Level.CALM
        holding = {"a.rise": capitals[letter]} if letter in capitals else {}
        found = replace(verdict(KEY, day, [signal(level, day)], onset=day), kept=holding)
        alert, _ = advance(alert, found, lambda *_: hold)
        active.append("." if alert is None else LETTERS[alert.active])
    return "".join(active)


@pytest.mark.parametrize(
    ("said", "active"),
    [
        pytest.param("Yyyyy.", "YYYYY.", id="what-keeps-it-up-keeps-it"),
        pytest.param("y", ".", id="and-raises-nothing"),
        pytest.param("Royyy", "ROYYY", id="it-falls-as-far-as-it-is-kept"),
        pytest.param("Ryyy.", "RYYY.", id="and-on-from-there"),
    ],
)
def test_an_alert_falls_to_what_is_kept(said: str, active: str) -> None:
    assert course(said, Hold(quiet=1)) == active


@pytest.mark.parametrize(
    ("stay", "active"),
    [(0, "Y...."), (2, "YY..."), (4, "YYYY.")],
)
def test_a_level_stays_as_long_as_its_rule_says(stay: int, active: str) -> None:
    assert course("Y....", Hold(quiet=1, stay=stay)) == active


def test_a_higher_level_begins_its_stay_anew() -> None:
    assert course("YYR....", Hold(quiet=1, stay=3)) == "YYRRR.."


@given(st.text("YyRr.", max_size=12), st.integers(1, 3), st.integers(0, 3))
def test_keeping_and_staying_never_lower_what_is_raised(said: str, quiet: int, stay: int) -> None:
    with_both = course(said, Hold(quiet, stay))
    with_none = course(said.replace("y", ".").replace("r", "."), Hold(1, 0))

    order = ".YOR"
    assert all(order.index(more) >= order.index(less) for more, less in zip(with_both, with_none, strict=True))


def test_a_season_may_go_over_the_new_year() -> None:
    winter = Active(season=("12-15", "02-10")).in_season(DATES)

    assert winter.sum() == 31 + 10 + 17
    assert DATES[winter][[0, 40, 41]].astype(str).tolist() == ["2026-01-01", "2026-02-10", "2026-12-15"]


def test_dates_count_from_the_first_to_the_last() -> None:
    found = Active(since=date(2026, 3, 1), until=date(2026, 3, 3)).in_season(DATES)

    assert DATES[found].astype(str).tolist() == ["2026-03-01", "2026-03-02", "2026-03-03"]


@pytest.mark.parametrize(
    ("kinds", "days"),
    [
        pytest.param(("workday",), "4 5 6 7 8", id="offices-work"),  # Sunday 4 January is worked for
        pytest.param(("free",), "1 2 3 9", id="or-do-not"),  # Friday 9 January is closed
        pytest.param(("weekend",), "3 4", id="by-weekday-alone"),
        pytest.param(("holiday", "makeup_workday"), "1 2 3 4", id="any-of-two"),
    ],
)
def test_kinds_of_day_are_the_calendar_s(kinds: Any, days: str) -> None:
    spans = (
        Span("元旦", DayKind.HOLIDAY, date(2026, 1, 1), date(2026, 1, 3)),
        Span("调休", DayKind.MAKE_UP_WORKDAY, date(2026, 1, 4), date(2026, 1, 4)),
        Span("停工", DayKind.CLOSURE, date(2026, 1, 9), date(2026, 1, 9)),
    )
    first = DATES[:9]

    asked = Active(days=kinds).asked(first, Calendar(spans, (None, 2026), "none"))

    assert [str(day.item().day) for day in first[asked]] == days.split()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30 min", Duration(timedelta(minutes=30))),
        ("2h", Duration(timedelta(hours=2))),
        ("24 小时", Duration(timedelta(days=1))),
        ("3 天", Duration(timedelta(days=3))),
        ("1 workday", Duration(workdays=1)),
        ("3 个工作日", Duration(workdays=3)),
    ],
)
def test_a_span_of_time_is_read_in_either_language(text: str, found: Duration) -> None:
    assert duration(text) == found


@pytest.mark.parametrize("text", ["", "2", "two hours", "0 h", "-1 h", "400 d", "9" * 5000 + " h", "2 h 30 min"])
def test_anything_else_is_no_span_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no span of time"):
        duration(text)


def test_tables_are_counted_as_deep_as_they_stand_in_each_other() -> None:
    assert Condition.model_validate({"any": [{"all": [{"surprise": 3}]}, {"surprise": 4}]}).depth() == 3
