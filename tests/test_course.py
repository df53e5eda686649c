"""The facts of one alert, with the arithmetic beside the numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from warning.course import Part, item
from warning.facts import Item
from warning.gaps import Gap
from warning.grounds import Judgement
from warning.history import History
from warning.model import Alert, Indicator, Level, Place, Signal, Stage
from warning.tier import Tier

UNTIL = date(2026, 11, 21)
ONSET = date(2026, 11, 17)  # five days
PLACE = Place("440112", "黄埔区", "Huangpu District", "district", "440100")
CALLS = Indicator(
    "fraud", "诈骗警情数", "Fraud calls", "ss", "ss_wa", "钱袋子安全", "Wallet", "negative", "起", "count", "daily",
    "resident_population/10000", "市公安局", "sum", True, "mid",
)  # fmt: skip
RATIO = Indicator(
    "on_time", "按时响应率", "On-time", "pp", "pp_rs", "诉求回应", "Response", "positive", "%", "ratio", "daily",
    "hotline_requests", "市政数局", "mean", True, "high",
)  # fmt: skip


def history(usual: float, now: float, days: int = 400) -> History:
    dates = np.arange(np.datetime64(UNTIL) - days + 1, np.datetime64(UNTIL) + 1)
    values = np.full(days, float(usual))
    values[dates >= np.datetime64(ONSET)] = now
    return History(dates, values, "daily", "here")


def tier(own: float, other: float, persons: tuple[int | None, int | None] = (None, None)) -> Tier:
    """Return the place and another one, with their values from the onset on."""
    both = [history(20, now) for now in (own, other)]
    return Tier((PLACE.code, "440111"), both[0].dates, np.column_stack([one.values for one in both]), persons)


def alert(indicator: Indicator, level: Level = Level.ORANGE) -> Alert:
    signal = Signal(
        "ss_wa.surge", indicator.id, PLACE.code, UNTIL, level, "outbreak", 40.0, 20.0, 8.0, 34.0, 4.5, 1, "v1"
    )
    return Alert(
        "GZ-20261118-0001", indicator.id, PLACE.code, level, level, Stage.RAISED, ONSET, ONSET, UNTIL, 0, (signal,)
    )


def of(indicator: Indicator, found: History, *, level: Level = Level.ORANGE, **more: object) -> Item:
    return item(
        alert(indicator, level), indicator, PLACE, found, until=UNTIL, last_year=lambda day: day - timedelta(days=364),
        rule_names={"ss_wa.surge": "短期异常升高"}, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def printed(found: Item) -> dict[str, str]:
    return {name: fact.text for name, fact in found.facts.items()}


def test_the_span_runs_from_the_onset_to_the_last_day() -> None:
    facts = printed(of(CALLS, history(20, 40)))

    assert facts["date_range"] == "11月17日—21日"
    assert facts["value"] == "200"  # 5 days of 40
    assert facts["onset"] == "11月17日"


def test_it_is_compared_with_the_span_before_last_year_and_the_usual() -> None:
    facts = printed(of(CALLS, history(20, 40)))

    # before, a year ago and usual: 5 days of 20 = 100
    assert (facts["wow_dir"], facts["wow"]) == ("上升", "100.0")
    assert (facts["yoy_dir"], facts["yoy"]) == ("上升", "100.0")
    assert (facts["base"], facts["dev"]) == ("100.0", "100.0")
    assert (facts["m0"], facts["m1"]) == ("20.0", "40.0")


def test_a_small_base_gives_counts_and_no_percentage() -> None:
    facts = printed(of(CALLS, history(4, 9)))

    assert (facts["prev"], facts["ly"]) == ("20", "20")  # 5 days of 4
    assert not {"wow", "yoy", "dev"} & set(facts)


def test_the_evidence_is_the_strongest_signal() -> None:
    facts = printed(of(CALLS, history(20, 40), conf={"ss_wa.surge": 99.9}))

    assert (facts["upper"], facts["conf"], facts["excess"]) == ("34", "99.9", "6")  # 40 - 34
    assert facts["p_text"] == "十万分之3.2"
    assert facts["rule_zh"] == "短期异常升高"


def test_a_missing_day_leaves_the_sums_out() -> None:
    found = history(20, 40)
    found.values[-2] = np.nan

    facts = printed(of(CALLS, found))

    assert "value" not in facts
    assert facts["onset"] == "11月17日"
    assert facts["judged"] == "40"  # the evidence stands all the same


def test_a_rule_that_draws_a_line_has_no_upper_bound() -> None:
    facts = printed(of(CALLS, history(20, 40), conf={}))

    assert "upper" not in facts
    assert (facts["judged"], facts["expected"]) == ("40", "20.0")


def test_a_line_that_was_reached_is_told() -> None:
    facts = printed(of(CALLS, history(20, 40), conf={"ss_wa.surge": None}))

    assert facts["threshold"] == "34"  # the signal's upper bound
    assert "upper" not in facts


def test_a_line_that_was_not_reached_is_not_told() -> None:
    found = alert(CALLS)
    below = replace(found, evidence=(replace(found.evidence[0], observed=33.0),))

    facts = printed(
        item(
            below, CALLS, PLACE, history(20, 40), until=UNTIL, last_year=lambda day: day - timedelta(days=364),
            rule_names={}, conf={"ss_wa.surge": None},
        )
    )  # fmt: skip

    assert "threshold" not in facts
    assert facts["judged"] == "33"


def test_what_a_year_on_year_rule_compares_with_is_said() -> None:
    usual = alert(CALLS)
    of_years = replace(usual, evidence=(replace(usual.evidence[0], detector="yearly"),))

    said, unsaid = (
        item(
            one, CALLS, PLACE, history(20, 40), until=UNTIL, last_year=lambda day: day - timedelta(days=364),
            rule_names={}, conf={"ss_wa.surge": 99.9},
        ).facts
        for one in (of_years, usual)
    )  # fmt: skip

    assert said["by_zh"].text == "往年同期（春节前后按农历对齐）"
    assert said["by_en"].text == "the same days of past years"
    assert "by_zh" not in unsaid  # what came before is what every rule compares with, and the texts say so


def test_a_change_of_level_is_not_told_as_a_day_s_value() -> None:
    found = alert(CALLS)
    changed = replace(found.evidence[0], detector="changepoint", rule="ss_wa.level", observed=27.6)

    both, alone = (
        item(
            replace(found, evidence=evidence), CALLS, PLACE, history(20, 40), until=UNTIL,
            last_year=lambda day: day - timedelta(days=364), rule_names={},
        ).facts
        for evidence in ((changed, found.evidence[0]), (changed,))
    )  # fmt: skip

    assert both["judged"].text == "40"
    assert "judged" not in alone
    assert alone["rule_id"].text == "ss_wa.level"


def test_the_usual_lies_before_the_onset_however_long_it_lasts() -> None:
    dates = np.arange(np.datetime64(UNTIL) - 399, np.datetime64(UNTIL) + 1)
    values = np.where(dates >= np.datetime64(date(2026, 9, 1)), 40.0, 20.0)
    long = replace(alert(CALLS), onset=date(2026, 9, 1))

    facts = item(
        long, CALLS, PLACE, History(dates, values), until=UNTIL, last_year=lambda day: day - timedelta(days=364),
        rule_names={},
    ).facts  # fmt: skip

    assert (facts["m0"].text, facts["m1"].text) == ("20.0", "40.0")


def test_a_ratio_is_averaged_and_changes_by_points() -> None:
    facts = printed(of(RATIO, history(95, 88)))

    assert facts["value"] == "88.0"
    assert (facts["wow_dir"], facts["wow_points"]) == ("下降", "7.0")
    assert "m0" not in facts


def test_the_two_streets_with_most_are_named() -> None:
    parts = [Part("南沙街道", history(1, 5)), Part("黄阁镇", history(10, 30)), Part("横沥镇", history(9, 5))]

    facts = printed(of(CALLS, history(20, 40), parts=parts))

    assert (facts["t1"], facts["v1"], facts["s1"]) == ("黄阁镇", "150", "75.0")  # 5 x 30 of 200
    assert (facts["t2"], facts["v2"]) == ("横沥镇", "25")


def test_a_rate_stands_beside_the_whole_city() -> None:
    # 200 per 1,000,000 is 2.00 per 10,000; the city: (200 + 100) / 4,000,000 = 0.75
    facts = printed(of(CALLS, history(20, 40), tier=tier(40, 20, persons=(1_000_000, 3_000_000))))

    assert (facts["rate"], facts["city_rate"], facts["times"], facts["rank"]) == ("2.00", "0.75", "2.7", "1")


@pytest.mark.parametrize("silent", [0, 1])
def test_a_silent_peer_leaves_the_rate_out(silent: int) -> None:
    both = tier(40, 20, persons=(1_000_000, 3_000_000))
    both.values[-1, silent] = np.nan

    assert "rate" not in of(CALLS, history(20, 40), tier=both).facts


def test_a_course_longer_than_four_weeks_is_cut() -> None:
    found = history(20, 40)
    long = alert(CALLS)
    long = Alert(**{**{f: getattr(long, f) for f in long.__dataclass_fields__}, "onset": date(2026, 8, 1)})

    facts = item(
        long, CALLS, PLACE, found, until=UNTIL, last_year=lambda day: day - timedelta(days=364), rule_names={}
    ).facts

    assert facts["date_range"].text == "10月25日—11月21日"
    assert facts["days"].value == 28


def test_today_stands_beside_the_usual_of_such_a_day() -> None:
    found = history(20, 40)
    found.values[np.isin(found.dates, [np.datetime64(UNTIL - timedelta(days=7 * n)) for n in range(1, 5)])] = 24

    facts = printed(of(CALLS, found))

    assert (facts["latest_range"], facts["latest"]) == ("11月21日", "40")
    # the Saturdays of the 28 days before the onset: 24 each, the other days 20
    assert facts["latest_usual"] == "24.0"


def test_a_place_has_its_share_of_the_city_on_the_last_day() -> None:
    facts = printed(of(CALLS, history(20, 40), tier=tier(40, 60)))

    assert (facts["latest_city"], facts["latest_share"]) == ("100", "40.0")  # 40 of 40 + 60
    assert "rate" not in facts  # nobody counts its residents


@pytest.mark.parametrize(
    ("level", "kept"), [(Level.ORANGE, "待核实"), (Level.YELLOW, "连续正常后自动解除")], ids=["orange", "yellow"]
)
def test_an_alert_held_though_its_value_is_back_says_so_with_the_number(level: Level, kept: str) -> None:
    back = Judgement(UNTIL + timedelta(days=1), 1, 25.0, 8.0, 34.0)

    facts = printed(of(CALLS, history(20, 40), level=level, last=back))

    assert (facts["back_range"], facts["back"], facts["back_bound"]) == ("11月22日", "25", "34")
    assert (facts["back_verb"], facts["held_zh"]) == ("回落", kept)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(Judgement(UNTIL + timedelta(days=1), 1, 35.0, 8.0, 34.0), id="still-above"),
        pytest.param(Judgement(UNTIL, 1, 33.0, 8.0, 34.0), id="the-day-that-fired"),
        pytest.param(Judgement(UNTIL + timedelta(days=1), 1, 25.0, 8.0, np.nan), id="no-bound"),
        pytest.param(None, id="nothing-judged"),
    ],
)
def test_what_is_not_back_is_not_called_so(last: Judgement | None) -> None:
    assert "back" not in of(CALLS, history(20, 40), last=last).facts


FALL = replace(alert(CALLS).evidence[0], observed=3.0, surprise=-4.5, rule="ss_wa.quiet")  # more is worse of calls
RISE = replace(alert(RATIO).evidence[0], observed=99.0, lower=85.0, upper=98.0, surprise=4.5)  # less is worse


@pytest.mark.parametrize(
    ("indicator", "signal", "told", "unsaid"),
    [
        pytest.param(CALLS, FALL, ("lower", "8"), "upper", id="a-fall-where-a-rise-is-the-risk"),
        pytest.param(RATIO, RISE, ("upper", "98.0"), "lower", id="a-rise-where-a-fall-is-the-risk"),
    ],
)
def test_the_bound_that_is_told_is_that_of_the_side_that_was_judged(
    indicator: Indicator, signal: Signal, told: tuple[str, str], unsaid: str
) -> None:
    found = replace(alert(indicator), evidence=(signal,))

    facts = item(
        found, indicator, PLACE, history(20, 3), until=UNTIL, last_year=lambda day: day - timedelta(days=364),
        rule_names={}, conf={signal.rule: 99.9},
    ).facts  # fmt: skip

    name, text = told
    assert facts[name].text == text
    assert unsaid not in facts


@pytest.mark.parametrize(
    ("indicator", "signal", "value", "said"),
    [
        pytest.param(CALLS, FALL, 9.0, ("回升", "下限", "8"), id="a-fall-where-a-rise-is-the-risk"),
        pytest.param(CALLS, FALL, 7.0, None, id="still-low"),
        pytest.param(RATIO, RISE, 97.0, ("回落", "上限", "98.0"), id="a-rise-where-a-fall-is-the-risk"),
        pytest.param(RATIO, RISE, 98.5, None, id="still-high"),
    ],
)
def test_what_is_back_is_told_from_the_side_that_was_judged(
    indicator: Indicator, signal: Signal, value: float, said: tuple[str, str, str] | None
) -> None:
    found = replace(alert(indicator), evidence=(signal,))
    last = Judgement(UNTIL + timedelta(days=1), 1, value, signal.lower, signal.upper)

    facts = item(
        found, indicator, PLACE, history(20, 20), until=UNTIL, last_year=lambda day: day - timedelta(days=364),
        rule_names={}, last=last,
    ).facts  # fmt: skip

    told = tuple(facts[name].text for name in ("back_verb", "back_side", "back_bound") if name in facts)
    assert told == (said or ())


def test_a_level_held_for_some_periods_is_a_streak_and_one_is_none() -> None:
    facts = printed(of(CALLS, history(20, 40), level_since=date(2026, 11, 18)))

    assert facts["k"] == "4日"
    assert "k" not in of(CALLS, history(20, 40), level_since=UNTIL).facts


def test_days_the_calendar_names_are_compared_with_what_they_did_last_year() -> None:
    found = history(20, 40)
    last_year = [np.datetime64(UNTIL - timedelta(days=364 + n)) for n in range(5)]
    found.values[np.isin(found.dates, last_year)] = 30

    facts = printed(of(CALLS, found, days=["国庆节", "国庆节"]))

    # a year ago 5 days of 30 after 28 days of 20: 150 against 100
    assert (facts["event"], facts["lyo_dir"], facts["lyo"]) == ("国庆节", "上升", "50.0")
    assert "event" not in of(CALLS, found).facts


@pytest.mark.parametrize(
    ("arrived", "state"), [(False, "未报送"), (True, "已报送、暂不能研判")], ids=["silent", "unjudged"]
)
def test_an_alert_without_a_value_of_the_day_says_so(arrived: bool, state: str) -> None:
    facts = printed(of(CALLS, history(20, 40), gap=Gap(CALLS, PLACE, date(2026, 11, 22), UNTIL, arrived)))

    assert (facts["gap"], facts["gap_zh"]) == ("11月22日", state)
