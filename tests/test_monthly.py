"""A monthly indicator is watched as a daily one is: judged when its month has come, missing when it is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from httpx import Client
from judged_city import served
from little_city import CITY, CONFIG, EAST, WEST, Cell, at, deliver, lay, set_clock

from warning import jobs, periods, pipeline, weekly
from warning.checking import amounts
from warning.model import Alert, Event, Level, Message, SeriesKey, Stage, Transition
from warning.picture import course_of
from warning.pipeline import Swept
from warning.replay import Replayed, as_known, replay
from warning.service import Service, load_deployment, open_service
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document, outbox
from warning.store import signal as signals_of

OFFICER, JUSTICE = "officer@example.invalid", "justice@example.invalid"
FIRST, SEPTEMBER, OCTOBER, NOVEMBER = date(2023, 1, 1), date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
CASES, TRIALS = SeriesKey("cases", EAST), SeriesKey("trials", EAST)

MONTHLY = """
cases,行政复议案件数,Review cases,ss_po,negative,件,count,monthly,,司法局,sum,true,mid
trials,调解案件数,Mediation cases,ss_po,negative,件,count,monthly,,司法局,sum,true,mid
"""
RULES = """
area = "ss_po"
[[rule]]
id = "ss_po.month"
name_zh = "月度异常升高"
indicators = ["cases", "trials"]
tier = "district"
detector = "outbreak"
lower_after = 2
yellow = { surprise = 2.0, extra = 5 }
orange = { surprise = 3.0, extra = 10 }
red = { surprise = 5.0, extra = 20 }
[[rule]]
id = "ss_po.quarter"
name_zh = "三个月偏高"
indicators = ["cases"]
tier = "district"
detector = "threshold"
parameters = { window = 3, baseline = 24, gap = 1 }
lower_after = 1
yellow = { surprise = 3.0, ratio = 1.3 }
"""
FEED = f"""
name_zh = "复议月报"
department = "司法局"
contact = "{JUSTICE}"
frequency = "monthly"
due = "10:00"
due_days = 8
files = ["nobody-*.csv"]
[columns]
indicator = "指标"
place = "地区"
date = "月份"
value = "数量"
"""


def usual(month: date, place: str, *, extra: float = 0) -> list[Cell]:
    """Return a month's values as chance makes them, the same whenever asked; the cases of the month raised."""
    random = np.random.default_rng([month.toordinal(), int(place)])
    cases, trials = float(random.poisson(40)) + extra, float(random.poisson(25))
    return [("cases", place, month, cases), ("trials", place, month, trials)]


def months(first: date, last: date) -> list[Cell]:
    """Return the usual values of both districts from one month to another."""
    found: list[date] = periods.dates(first, last, "monthly").tolist()
    return [cell for month in found for place in (EAST, WEST) for cell in usual(month, place)]


def lay_monthly(folder: Path) -> Path:
    config = lay(folder, history=False, config=CONFIG.replace("window_years = 1", "window_years = 3"))
    indicators = CITY["indicators.csv"].strip() + MONTHLY
    (folder / "city" / "indicators.csv").write_text(indicators, encoding="utf-8")
    (folder / "rules" / "police.toml").write_text(RULES, encoding="utf-8")
    (folder / "city" / "feeds").mkdir()
    (folder / "city" / "feeds" / "justice.toml").write_text(FEED, encoding="utf-8")
    deliver(folder, "history.csv", months(FIRST, SEPTEMBER))
    return config


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30").astimezone(UTC)


# What comes on the morning after a day: October with its surge, late for the west; November with October corrected.
SENT: dict[date, list[Cell]] = {
    date(2026, 11, 7): usual(OCTOBER, EAST, extra=45),
    date(2026, 12, 2): usual(OCTOBER, WEST, extra=40),
    date(2026, 12, 8): [*months(NOVEMBER, NOVEMBER), *usual(OCTOBER, EAST)[:1]],
    date(2026, 12, 9): usual(OCTOBER, WEST)[:1],
}
DAYS = [
    *(date(2026, 11, day) for day in (1, 7, 8, 9, 10, 22, 30)),
    *(date(2026, 12, day) for day in (2, 3, 8, 9, 10)),
]  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """Some days of two months as they were swept, and the same days replayed afterwards."""

    service: Service
    swept: dict[date, Swept]
    alerts: dict[date, list[Alert]]  # live ones after each sweep
    chart: dict[str, object]
    week: str  # text of the briefing of the week in which October came
    replayed: list[Replayed]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("monthly")
    with open_service(lay_monthly(folder)) as service:
        swept, alerts, chart, week = {}, {}, {}, ""
        for day in DAYS:
            now = morning(day)
            set_clock(folder, now)
            deliver(folder, f"{day}.csv", SENT.get(day, []))
            jobs.take_in(service, now)
            swept[day] = pipeline.sweep(service, day, now=now)
            alerts[day] = alerts_of.live(service.store)
            if day == date(2026, 11, 8):
                weekly.write_week(service, date(2026, 11, 2), now=now)
                written = document.document(service.store, "briefing", EAST, date(2026, 11, 2))
                week = "" if written is None else written.text
                (red,) = alerts[day]
                chart = {"course": course_of(service, red, now=now), "alert": red}
        replayed = list(replay(service, DAYS, as_known(service)))
        yield Lived(service, swept, alerts, chart, week, replayed)


def mails(lived: Lived, day: date, kind: str = "alert") -> list[Message]:
    found = outbox.pending(lived.service.store, morning(DAYS[-1]))
    return [one for one in found if (one.kind, one.date) == (kind, day) and one.recipient in (OFFICER, JUSTICE)]


def narrative(lived: Lived, day: date, kind: str = "narrative") -> str:
    written = document.document(lived.service.store, kind, EAST, day)
    return "" if written is None else written.text


def test_a_month_is_judged_on_the_day_it_comes(lived: Lived) -> None:
    (event,) = lived.swept[date(2026, 11, 7)].events
    (alert,) = lived.alerts[date(2026, 11, 7)]

    assert (event.transition, event.date, event.known) == (Transition.OPENED, OCTOBER, date(2026, 11, 7))
    assert (alert.key, alert.number, alert.active) == (CASES, "LC-20261001-0001", Level.RED)
    assert (alert.opened, alert.onset, alert.updated) == (OCTOBER, OCTOBER, OCTOBER)


def test_its_mail_names_the_month(lived: Lived) -> None:
    (mail,) = mails(lived, date(2026, 11, 7))

    assert mail.subject == "【红色风险提示】东区·行政复议案件数·2026年10月（LC-20261001-0001）"
    assert "2026年10月，东区行政复议案件数" in mail.text
    assert "，较前12个月月均值" in mail.text
    assert "异常自2026年10月起。" in mail.text
    assert "首次触发于2026年10月（编号LC-20261001-0001）。" in mail.text
    assert "2026年10月实际" in mail.text


def test_its_narrative_compares_with_the_month_before_and_the_same_month_last_year(lived: Lived) -> None:
    before, year = (usual(month, EAST)[0][3] for month in (SEPTEMBER, date(2025, 10, 1)))
    now = usual(OCTOBER, EAST, extra=45)[0][3]

    text = narrative(lived, date(2026, 11, 7))

    assert f"2026年10月，东区行政复议案件数{now:.0f}件，环比上升{100 * (now - before) / before:.1f}%" in text
    assert f"同比上升{100 * (now - year) / year:.1f}%" in text
    assert "up to Oct 2026, unusual since Oct 2026" in narrative(lived, date(2026, 11, 7), "narrative-en")


def test_the_briefing_of_the_week_it_came_in_tells_it(lived: Lived) -> None:
    assert "■红色：2026年10月，东区行政复议案件数" in lived.week


def test_a_month_is_missing_from_the_day_it_is_late(lived: Lived) -> None:
    lacking = {day: {c.place: c.missing for c in lived.swept[day].coverages} for day in DAYS}

    assert lacking[date(2026, 11, 8)] == {EAST: 0, WEST: 0}  # ten days after October's end: not yet
    assert lacking[date(2026, 11, 9)] == {EAST: 0, WEST: 2}
    assert lacking[date(2026, 12, 2)] == {EAST: 0, WEST: 0}  # October has come; November is not due
    assert "未报送（2026年10月）" in _city(lived, date(2026, 11, 9))


def _city(lived: Lived, day: date) -> str:
    written = document.document(lived.service.store, "narrative", "01", day)
    return "" if written is None else written.text


def test_the_department_is_asked_for_the_month_once_it_is_overdue_by_its_own_hour(lived: Lived) -> None:
    asked = {day: [mail for mail in mails(lived, day, "notice") if mail.recipient == JUSTICE] for day in DAYS}

    (mail,) = asked[date(2026, 11, 9)]
    assert "- 2026年10月：行政复议案件数、调解案件数，涉及西区，共2项次（最近一期为2026年9月）。" in mail.text
    assert asked[date(2026, 11, 8)] == []


def test_a_month_that_comes_when_the_next_is_over_is_still_judged(lived: Lived) -> None:
    events = lived.swept[date(2026, 12, 2)].events

    assert [(event.transition, event.date) for event in events] == [(Transition.OPENED, OCTOBER)]
    assert {alert.place for alert in lived.alerts[date(2026, 12, 2)]} == {EAST, WEST}


def test_the_month_before_is_judged_again_when_the_next_corrects_it(lived: Lived) -> None:
    (corrected,) = [e for e in lived.swept[date(2026, 12, 8)].events if e.transition is Transition.CORRECTED]
    (alert,) = [one for one in lived.alerts[date(2026, 12, 8)] if one.place == EAST]
    now, old = usual(OCTOBER, EAST)[0][3], usual(OCTOBER, EAST, extra=45)[0][3]

    assert corrected.note == f"因数据更正（2026年10月由{old:.0f}件更正为{now:.0f}件）"
    assert (alert.active, alert.peak, alert.stage) == (Level.CALM, Level.RED, Stage.RAISED)
    (mail,) = [one for one in mails(lived, date(2026, 12, 8)) if one.place == EAST]
    assert f"更正：因数据更正（2026年10月由{old:.0f}件更正为{now:.0f}件），等级由红色调整为正常。" in mail.text


def test_what_the_sweeps_said_is_what_a_replay_says(lived: Lived) -> None:
    store = lived.service.store
    stored = signals_of.signals(store, FIRST, DAYS[-1])
    said = {(s.rule, s.indicator, s.place, s.date): s for day in lived.replayed for s in day.signals}
    for day in lived.replayed:
        for key, first in day.again.items():
            again = {(s.rule, s.indicator, s.place, s.date) for s in day.signals}
            said = {
                cell: s for cell, s in said.items() if (cell[1], cell[2]) != key or cell[3] < first or cell in again
            }

    assert [_happened(day.events) for day in lived.replayed] == [_happened(s.events) for s in lived.swept.values()]
    assert [tuple(day.coverages.values()) for day in lived.replayed] == [s.coverages for s in lived.swept.values()]
    assert sorted(lived.replayed[-1].live.values(), key=lambda a: a.number) == lived.alerts[DAYS[-1]]
    assert sorted(said.values(), key=_cell) == sorted(stored, key=_cell)


def _cell(signal: object) -> tuple[str, ...]:
    return tuple(str(getattr(signal, name)) for name in ("date", "indicator", "place", "rule"))


def _happened(events: tuple[Event, ...]) -> list[tuple[object, ...]]:
    return [(e.alert, e.sequence, e.date, e.known, e.transition, e.before, e.after, e.note) for e in events]


def test_its_picture_goes_from_month_to_month_beside_what_was_expected(lived: Lived) -> None:
    course = lived.chart["course"]

    assert getattr(course, "frequency", "") == "monthly"
    assert [str(day) for day in course.dates[-3:]] == ["2026-08-01", "2026-09-01", "2026-10-01"]  # type: ignore[attr-defined]
    assert np.isfinite(course.upper[-12:]).all()  # type: ignore[attr-defined]


def test_its_page_shows_months(lived: Lived) -> None:
    for client in served(load_deployment(lived.service.config.file)):
        _looked_at(client)


def _looked_at(client: Client) -> None:
    page = client.get("/alerts/LC-20261001-0001").text

    assert '<time datetime="2026-10">2026-10</time>' in page
    assert "走势：2026年11月为正常。" in page
    assert client.get("/alerts/LC-20261001-0001/chart.png").content.startswith(b"\x89PNG")


def test_the_city_is_grey_nowhere_for_a_month_that_may_still_come(lived: Lived) -> None:
    on = coverages_of.on(lived.service.store, date(2026, 11, 8))

    assert {code: found.missing for code, found in on.items()} == {EAST: 0, WEST: 0}


def test_check_names_rules_that_can_never_judge_a_month(tmp_path: Path) -> None:
    config = lay_monthly(tmp_path)
    daily = RULES.replace('"threshold"', '"ears"').replace("window = 3, baseline = 24, gap = 1", "every = 7")
    (tmp_path / "rules" / "police.toml").write_text(daily, encoding="utf-8")

    lines = list(amounts(load_deployment(config)))

    assert [line for line in lines if line.startswith("ss_po.quarter：")] == [
        "ss_po.quarter：monthly 指标在 window_years = 3 的时段内永远不能研判，"
        "所需的历史更长；请加大 sweep.window_years，或缩短基线 /"
        " can never judge monthly indicators in so many years: short history;"
        " raise sweep.window_years or shorten the baseline"
    ]
    assert not any(line.startswith("ss_po.month") for line in lines)


def test_check_names_rules_of_a_frequency_nobody_watches(tmp_path: Path) -> None:
    config = lay_monthly(tmp_path)
    text = config.read_text(encoding="utf-8").replace("[sweep]", '[sweep]\nwatch = ["daily", "weekly"]')
    config.write_text(text, encoding="utf-8")

    lines = list(amounts(load_deployment(config)))

    assert "ss_po.month：sweep.watch 没有 monthly，不研判 / sweep.watch lacks monthly: never judged" in lines
