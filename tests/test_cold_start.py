"""A series that starts late is judged by the methods that need little, and grey until one of them can."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, SATURDAY, Cell, at, deliver, lay, past, raised, usual
from test_calendar import GUANGZHOU

from warning import pipeline
from warning.history import weeks_ago
from warning.jobs import take_in
from warning.lunar import spring_festival
from warning.model import Level, SeriesKey
from warning.pipeline import Swept
from warning.service import open_service
from warning.store import alert as alerts_of
from warning.store import document
from warning.store import signal as signals_of

NOW = at(SATURDAY, "07:30")
THEFTS = SeriesKey("thefts", EAST)


def swept(folder: Path, *, days: int) -> tuple[Swept, set[str], str]:
    """Sweep a Friday on which a series that has been reported for so many days rises.

    Returns:
        What was found, the rules that said something of the series, and the district's narrative.
    """
    first = FRIDAY - timedelta(days=days - 1)

    def known(cell: Cell) -> bool:
        return cell[:2] != THEFTS or cell[2] >= first

    with open_service(lay(folder, history=False)) as service:
        deliver(folder, "history.csv", filter(known, past()))
        deliver(folder, "friday.csv", filter(known, raised(usual(FRIDAY), *THEFTS, 60)))
        take_in(service, NOW)
        found = pipeline.sweep(service, FRIDAY, now=NOW)
        said = {signal.rule for signal in signals_of.signals(service.store, FRIDAY, FRIDAY) if signal.key == THEFTS}
        text = document.document(service.store, "narrative", EAST, FRIDAY)
        assert text is not None
        assert {one.key for one in alerts_of.live(service.store)} == ({THEFTS} if said else set())
        return found, said, text.text


@pytest.mark.parametrize(
    ("days", "rules"),
    [
        pytest.param(400, {"ss_po.surge", "ss_po.slow"}, id="a-year"),
        pytest.param(40, {"ss_po.surge"}, id="six-weeks-are-enough-for-the-rule-that-needs-four"),
    ],
)
def test_a_young_series_is_judged_by_the_methods_that_need_little(tmp_path: Path, days: int, rules: set[str]) -> None:
    found, said, text = swept(tmp_path, days=days)

    assert said == rules
    assert {coverage.missing for coverage in found.coverages} == {0}
    assert "暂不能研判" not in text


def test_a_series_no_method_can_judge_yet_is_not_called_calm_and_said_to_be_too_young(tmp_path: Path) -> None:
    found, said, text = swept(tmp_path, days=10)

    east = next(coverage for coverage in found.coverages if coverage.place == EAST)
    assert said == set()
    assert (east.missing, east.colour) == (1, Level.CALM)  # one of four
    assert "11月20日数据1项已报送，因历史不足、口径变动或方法不适用暂不能研判：盗窃警情数。" in text


@given(st.dates(date(1905, 1, 1), date(2095, 12, 31)))
def test_a_week_is_compared_with_one_as_far_from_spring_festival(day: date) -> None:
    monday = day - timedelta(days=day.weekday())
    now, then = spring_festival(monday.year), spring_festival(monday.year - 1)

    found = weeks_ago(GUANGZHOU, monday)

    thursday = timedelta(days=3)
    assert now is not None
    assert then is not None
    assert found.weekday() == 0
    offset = monday + thursday - now
    if abs(offset.days) <= 15:
        assert abs((found + thursday - then - offset).days) <= 3  # the week it falls in
    elif abs(offset.days) > 50:
        assert found == monday - timedelta(days=364)
