"""What departments write beside a number and a date, and what must not be taken for something else."""

from __future__ import annotations

from typing import Any

import pytest
from feed_shapes import BY_INDICATOR, CALLS, FIRES, LIWAN, LONG, YUEXIU, feed, workbook
from hypothesis import given
from hypothesis import strategies as st
from test_shaping import LOSS, RATIO, WALL, rows, told

from warning.errors import SourceError
from warning.sources import days

CLEARED = "ss_po_clearance_ratio"  # monthly
SATURDAY = "2026-11-21"


@pytest.mark.parametrize(
    "text",
    [
        "2026/11/21 0:00",
        "2026-11-21 8:30",
        "2026/11/21 0:00:00",
        "2026年11月21日8时",
        "2026/11/21 下午 3:00",
        "2026-11-20T16:00:00Z",  # midnight here
        "2026-11-21T00:00:00.000+08:00",
        "截至2026年11月21日",
        "二〇二六年十一月二十一日",
        "26年11月21日",
        "21-Nov-2026",
        "Nov 21, 2026",
    ],
)
def test_a_time_of_day_changes_no_date(text: str) -> None:
    assert tuple(WALL.period(text)) == (SATURDAY, SATURDAY, "")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026.11.09-2026.11.15", "2026-11-09", "2026-11-15"),
        ("2026-11-09-2026-11-15", "2026-11-09", "2026-11-15"),
        ("11月9日-15日", "2026-11-09", "2026-11-15"),
        ("11.9—11.15", "2026-11-09", "2026-11-15"),
        ("12月28日至1月3日", "2025-12-28", "2026-01-03"),
        ("第46周", "2026-11-09", "2026-11-15"),
        ("2026年第46周（11月9日-15日）", "2026-11-09", "2026-11-15"),
        ("10月", "2026-10-01", "2026-10-31"),
        ("2026年10月份", "2026-10-01", "2026-10-31"),
        ("2026年1-10月", "2026-01-01", "2026-10-31"),
    ],
)
def test_a_week_a_month_and_a_range_have_a_last_day(text: str, first: str, last: str) -> None:
    assert tuple(WALL.period(text)) == (first, last, "")


@pytest.mark.parametrize("text", ["9-15日", "1-10月", "2026年10月1日至今", "11月15日-9日", "46周"])
def test_what_may_mean_several_times_is_no_date(text: str) -> None:
    assert WALL.period(text) == ("", "", "看不出是哪一天")


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("2026年10月公共法律服务月报 填报日期：2026年11月3日", "2026年10月"),
        ("填报日期：2026年11月22日 2026年11月21日警情", "2026年11月21日"),
        ("填报日期：2026年11月22日", "2026年11月22日"),
        ("周报20261116-20261122", "20261116-20261122"),
        ("警情周报（11月16日—11月22日）", "11月16日—11月22日"),
        ("日报2026-11-21-2", "2026-11-21"),  # the second of that day
        ("电话12345热线", ""),
    ],
)
def test_a_title_is_of_the_time_its_data_are_of(title: str, said: str) -> None:
    assert days.within(title) == said


@pytest.mark.parametrize(
    ("indicator", "text", "reason"),
    [
        pytest.param(CALLS, "2026年10月", "长于一天", id="a-month-of-a-daily-one"),
        pytest.param(CALLS, "11月16日-22日", "长于一天", id="a-week-of-a-daily-one"),
        pytest.param(RATIO, "2026年1-10月", "超出一周", id="ten-months-of-a-weekly-one"),
        pytest.param(RATIO, "11月14日-20日", "周一", id="a-week-that-begins-on-saturday"),
        pytest.param(CLEARED, "2026年1-10月", "超出一个月", id="ten-months-of-a-monthly-one"),
    ],
)
def test_a_sum_over_a_longer_time_is_not_taken_for_one_period(indicator: str, text: str, reason: str) -> None:
    found = rows(f"事项,辖区,日期,数量\n{indicator},荔湾区,{text},42\n", feed(**LONG))

    assert told(found) == set()
    assert reason in found.quarantined[0].reason


def test_a_week_that_is_not_ours_is_not_moved_into_one_that_is() -> None:
    found = rows(f"事项,辖区,日期,数量\n{RATIO},荔湾区,11月14日-20日,42%\n", feed(**LONG, align=True))

    assert told(found) == set()
    assert "超出一周" in found.quarantined[0].reason


@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        pytest.param("数量（元）", '"1,234,500"', 123.45, id="in-the-header"),
        pytest.param("数量（亿元）", "0.2", 2000.0, id="a-larger-one"),
        pytest.param("数量（万元）", "5", 5.0, id="the-indicators-own"),
        pytest.param("数量", "1234500元", 123.45, id="in-the-cell"),
        pytest.param("数量（元）", "5万元", 5.0, id="the-cell-says-it-better"),
        pytest.param("数量", "¥5", 5.0, id="a-sign-before-it"),
    ],
)
def test_an_amount_is_heard_in_the_unit_it_is_written_in(header: str, cell: str, value: float) -> None:
    mapping = feed(columns={**LONG["columns"], "value": "数量"})

    found = rows(f"事项,辖区,日期,{header}\n{LOSS},荔湾区,11/21,{cell}\n", mapping)

    assert told(found) == {(LOSS, LIWAN, SATURDAY, value)}


def test_a_unit_above_the_table_is_that_of_its_amounts() -> None:
    content = "电信网络诈骗情况,,,\n单位：元,,,\n辖区,日期,刑事警情数,电信网络诈骗损失金额\n荔湾区,11/21,4,50000\n"

    assert told(rows(content, feed(**BY_INDICATOR))) == {
        (CALLS, LIWAN, SATURDAY, 4.0),
        (LOSS, LIWAN, SATURDAY, 5.0),
    }


def test_a_unit_behind_the_name_of_a_row_is_heard() -> None:
    content = "事项,荔湾区,越秀区\n电信网络诈骗损失金额（元）,50000,0\n刑事警情数（起）,4,5\n"
    mapping = feed(layout="places", columns={"indicator": "事项", "date": "@file"})

    assert told(rows(content, mapping, name="警情20261121.csv")) == {
        (LOSS, LIWAN, SATURDAY, 5.0),
        (LOSS, YUEXIU, SATURDAY, 0.0),
        (CALLS, LIWAN, SATURDAY, 4.0),
        (CALLS, YUEXIU, SATURDAY, 5.0),
    }


def test_a_mapping_knows_the_unit_better_than_a_header() -> None:
    mapping = feed(**{**LONG, "columns": {**LONG["columns"], "value": "数量"}, "factors": {LOSS: 1}})

    found = rows(f"事项,辖区,日期,数量（元）\n{LOSS},荔湾区,11/21,5\n", mapping)

    assert told(found) == {(LOSS, LIWAN, SATURDAY, 5.0)}


def test_a_unit_that_does_not_fit_the_indicator_is_set_aside() -> None:
    mapping = feed(columns={**LONG["columns"], "value": "数量"})

    found = rows("事项,辖区,日期,数量（万元）\n刑事警情数,荔湾区,11/21,5\n", mapping)

    assert told(found) == set()
    assert found.quarantined[0].reason.startswith("写明的单位是“万元”，这项指标的单位是“起”")


@pytest.mark.parametrize(("cell", "value"), [("1.2万", 12_000.0), ("1.2万起", 12_000.0), ("3百件", 300.0)])
def test_a_count_may_be_written_in_thousands(cell: str, value: float) -> None:
    found = rows(f"事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,{cell}\n", feed(**LONG))

    assert told(found) == {(CALLS, LIWAN, SATURDAY, value)}


@pytest.mark.parametrize("text", ["空", "暂无", "无数据", "NA", "#N/A", "–", "…", "None", "nan"])
def test_words_for_no_value_are_no_value(text: str) -> None:
    found = rows(f"事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,{text}\n", feed(**LONG))

    assert (told(found), found.quarantined) == (set(), ())


TWICE = "事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,2\n刑事警情数,荔湾,2026-11-21,4\n刑事警情数,越秀区,11/21,5\n"


def test_two_values_of_one_cell_are_both_set_aside() -> None:
    found = rows(TWICE, feed(**LONG))

    assert told(found) == {(CALLS, YUEXIU, SATURDAY, 5.0)}
    assert [(entry.row, entry.value) for entry in found.quarantined] == [(2, "2"), (3, "4")]
    assert "第 2 行 2、第 3 行 4" in found.quarantined[0].reason


def test_the_same_value_twice_is_one() -> None:
    found = rows(TWICE.replace(",4\n", ",2\n"), feed(**LONG))

    assert told(found) == {(CALLS, LIWAN, SATURDAY, 2.0), (CALLS, YUEXIU, SATURDAY, 5.0)}
    assert found.quarantined == ()


@pytest.mark.parametrize(("repeated", "value"), [("sum", 6.0), ("last", 4.0)])
def test_a_mapping_says_what_two_values_of_one_cell_are(repeated: str, value: float) -> None:
    found = rows(TWICE, feed(**LONG, repeated=repeated))

    assert told(found) == {(CALLS, LIWAN, SATURDAY, value), (CALLS, YUEXIU, SATURDAY, 5.0)}
    assert found.quarantined == ()


def test_several_of_a_departments_kinds_add_up_to_one_indicator() -> None:
    kinds = {"indicator": {"打架": CALLS, "斗殴": CALLS}}
    content = '事项,辖区,日期,数量\n打架,荔湾区,11/21,2起\n斗殴,荔湾区,11/21,"1,000"\n打架,越秀区,11/21,无\n'

    found = rows(content, feed(**LONG, codes=kinds, repeated="sum"))

    assert told(found) == {(CALLS, LIWAN, SATURDAY, 1002.0)}


def test_a_sum_that_lacks_a_part_is_none() -> None:
    found = rows(TWICE.replace(",4\n", ",四\n"), feed(**LONG, repeated="sum"))

    assert told(found) == {(CALLS, YUEXIU, SATURDAY, 5.0)}
    assert [(entry.row, entry.reason) for entry in found.quarantined] == [
        (2, "须与之相加的另一行不能用，合计会不全"),
        (3, "不是数字"),
    ]


def test_percentages_do_not_add_up() -> None:
    content = f"事项,辖区,日期,数量\n{RATIO},荔湾区,2026-11-16,40%\n{RATIO},荔湾区,2026-11-16,41%\n"

    found = rows(content, feed(**LONG, repeated="sum"))

    assert (told(found), len(found.quarantined)) == (set(), 2)


RATIOS = {"ratios": [{"indicator": RATIO, "numerator": "成功数", "denominator": "申请数"}]}
SHARES = {(RATIO, LIWAN, "2026-11-16", 42.857143), (RATIO, YUEXIU, "2026-11-16", 100.0)}  # 3 / 7 and 5 / 5


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        pytest.param(
            "辖区,日期,成功数（起）,申请数（起）\n荔湾区,2026-11-16,3,7\n越秀区,2026-11-16,5,5\n",
            BY_INDICATOR,
            id="columns",
        ),
        pytest.param(
            "事项,辖区,日期,数量\n申请数,荔湾区,2026-11-16,7\n成功数,荔湾,第47周,3\n"
            "成功数,越秀区,2026-11-16,5\n申请数,越秀区,2026-11-16,5\n",
            LONG,
            id="rows",
        ),
        pytest.param(
            "日期,事项,荔湾区,越秀区\n2026-11-16,成功数,3,5\n2026-11-16,申请数,7,5\n",
            {"layout": "places", "columns": {"indicator": "事项", "date": "日期"}},
            id="places-across",
        ),
        pytest.param(
            "辖区,事项,2026-11-16\n荔湾区,成功数,3\n荔湾区,申请数,7\n越秀区,成功数,5\n越秀区,申请数,5\n",
            {"layout": "dates", "columns": {"indicator": "事项", "place": "辖区"}},
            id="dates-across",
        ),
    ],
)
def test_a_ratio_is_made_of_its_two_counts_wherever_they_stand(content: str, mapping: dict[str, Any]) -> None:
    found = rows(content, feed(**mapping, **RATIOS))

    assert told(found) == SHARES
    assert found.quarantined == ()


def test_the_two_counts_of_a_ratio_may_stand_on_two_sheets() -> None:
    header = ["日期", "荔湾区", "越秀区"]
    book = workbook(
        ("成功数", [header, ["2026-11-16", 3, 5]], []),
        ("申请数", [header, ["2026-11-16", 7, 5]], []),
    )
    mapping = feed(layout="places", columns={"indicator": "@sheet", "date": "日期"}, **RATIOS)

    assert told(rows(book, mapping, name="警情.xlsx")) == SHARES


@pytest.mark.parametrize(
    ("rest", "value"),
    [
        pytest.param("", "3 / ？", id="no-denominator"),
        pytest.param("申请数,荔湾区,2026-11-16,7\n申请数,荔湾区,2026-11-16,8\n", "3 / 7、8", id="two-denominators"),
        pytest.param("申请数,荔湾区,2026-11-16,七\n", "3 / 七", id="a-denominator-nobody-can-read"),
    ],
)
def test_a_ratio_that_lacks_a_half_is_set_aside(rest: str, value: str) -> None:
    found = rows(f"事项,辖区,日期,数量\n成功数,荔湾区,2026-11-16,3\n{rest}", feed(**LONG, **RATIOS))

    assert told(found) == set()
    assert [(entry.value, entry.reason) for entry in found.quarantined] == [
        (value, "缺分子或分母，或有不同的数，求不出比率")
    ]


def test_a_count_may_be_an_indicator_and_half_of_a_ratio() -> None:
    ratio = {"indicator": CLEARED, "numerator": "破案", "denominator": "火灾警情数"}
    content = "辖区,日期,破案,火灾警情数\n荔湾区,2026-11-01,3,6\n"

    found = rows(content, feed(**BY_INDICATOR, ratios=[ratio]))

    assert told(found) == {(CLEARED, LIWAN, "2026-11-01", 50.0), (FIRES, LIWAN, "2026-11-01", 6.0)}


def test_a_wide_table_without_a_half_of_a_ratio_is_refused() -> None:
    with pytest.raises(SourceError, match=r"no column is called 申请数 \(ratios\)"):
        rows("辖区,日期,成功数\n荔湾区,2026-11-16,3\n", feed(**BY_INDICATOR, **RATIOS))


CELLS = ["4", "12起", "1,200", "-3", "x", "9" * 12, "无", "", "—", "42%", "1.5"]
NOTHING = {"无", "", "—"}
WIDE: list[tuple[list[str], str, list[list[str]], dict[str, Any]]] = [
    (
        ["刑事警情数", "火灾警情数"],
        "辖区",
        [["荔湾区"], ["越秀区"]],
        {"layout": "indicators", "columns": {"place": "辖区", "date": "@file"}},
    ),
    (
        ["荔湾区", "越秀区"],
        "事项",
        [["刑事警情数"], ["火灾警情数"]],
        {"layout": "places", "columns": {"indicator": "事项", "date": "@file"}},
    ),
    (
        ["11/20", "11/21"],
        "辖区,事项",
        [["荔湾区", "刑事警情数"], ["越秀区", "火灾警情数"]],
        {"layout": "dates", "columns": {"place": "辖区", "indicator": "事项"}},
    ),
]


@given(st.lists(st.lists(st.sampled_from(CELLS), min_size=2, max_size=2), min_size=2, max_size=2), st.data())
def test_every_cell_of_a_wide_table_is_read_set_aside_or_says_nothing(
    grid: list[list[str]], data: st.DataObject
) -> None:
    across, corner, down, columns = data.draw(st.sampled_from(WIDE))
    written = [[f'"{cell}"' for cell in row] for row in grid]
    lines = [f"{corner},{','.join(across)}", *(",".join([*d, *r]) for d, r in zip(down, written, strict=True))]

    found = rows("\n".join(lines), feed(**columns), name="警情20261121.csv")

    says = sum(cell not in NOTHING for row in grid for cell in row)
    assert found.read == says
    assert len(found.values) + len(found.quarantined) == says
