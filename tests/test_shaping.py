"""Files in all the shapes departments send, into cells; and what cannot be used, with where it stands."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from feed_shapes import BY_INDICATOR, CALLS, FIRES, LIWAN, LONG, SHAPES, YUEXIU, Shape, feed, workbook
from hypothesis import given
from hypothesis import strategies as st

from warning.city import load_city
from warning.errors import SourceError
from warning.guessing import guess
from warning.intake import mapped
from warning.mapping import Feed
from warning.model import Rows
from warning.paths import shipped
from warning.sources import written
from warning.sources.columns import Body
from warning.sources.days import Wall
from warning.sources.files import read_by, tables_of
from warning.sources.shaping import Shaped, shaped
from warning.sources.table import Line, Table

CITY = load_city(shipped("city"))
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
WALL = Wall("mdy", None, TODAY, ZONE)
RATIO = "ss_wa_stop_payment_ratio"  # weekly
LOSS = "ss_wa_fraud_loss"  # 万元


def shape(content: str | bytes, mapping: Feed, *, name: str = "警情.csv") -> Shaped:
    raw = content.encode() if isinstance(content, str) else content
    return shaped(read_by(mapping, name, raw), mapping, CITY, sha256="0", name=name, today=TODAY, zone=ZONE)


def rows(content: str | bytes, mapping: Feed, *, name: str = "警情.csv") -> Rows:
    raw = content.encode() if isinstance(content, str) else content
    return mapped(read_by(mapping, name, raw), mapping, CITY, NOW, LATE_AFTER, zone=ZONE, name=name, sha256="0")


def told(found: Rows) -> set[tuple[str, str, str, float]]:
    keys = [found.keys[n] for n in found.series]
    return {(*key, str(day), value) for key, day, value in zip(keys, found.dates, found.values.tolist(), strict=True)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_tells_the_same(shape: Shape) -> None:
    found = rows(shape.content, shape.feed, name=shape.name)

    assert found.quarantined == ()
    assert told(found) == shape.told


@pytest.mark.parametrize(
    ("row", "where", "value", "reason"),
    [
        pytest.param(
            "刑事警情数,荔弯区,11/21,1", "辖区", "荔弯区", "没有叫“荔弯区”的地区；是否应为“荔湾区”？", id="place"
        ),
        pytest.param(
            "刑事警清数,荔湾区,11/21,1",
            "事项",
            "刑事警清数",
            "没有叫“刑事警清数”的指标；是否应为“刑事警情数”？",
            id="name",
        ),
        pytest.param("刑事警情数,荔湾区,周六,1", "日期", "周六", "看不出是哪一天", id="no-date"),
        pytest.param(
            "刑事警情数,荔湾区,2026年11月31日,1", "日期", "2026年11月31日", "历法中没有这一天", id="no-such-day"
        ),
        pytest.param("刑事警情数,荔湾区,11/21,约10", "数量", "约10", "不是数字", id="about-ten"),
        pytest.param("刑事警情数,荔湾区,11/21,4%", "数量", "4%", "百分号只用于比率指标", id="per-cent-of-a-count"),
        pytest.param('刑事警情数,荔湾区,11/21,"1,23"', "数量", "1,23", "不是数字", id="a-comma-out-of-place"),
        pytest.param("刑事警情数,荔湾区,2026年11月28日,1", "日期", "2026-11-28", "日期晚于收到的日期", id="future"),
        pytest.param("刑事警情数,荔湾区,11/21,-1", "数量", "-1", "计数不能为负", id="negative"),
        pytest.param("刑事警情数,荔湾区,11/21", "", "刑事警情数,荔湾区,11/21", "该行有 3 格，应为 4 格", id="short"),
    ],
)
def test_what_cannot_be_used_is_named_with_where_it_stands(row: str, where: str, value: str, reason: str) -> None:
    found = rows("事项,辖区,日期,数量\n" + row + "\n刑事警情数,越秀区,11/21,2\n", feed(**LONG))

    assert [(q.row, q.column, q.value, q.reason) for q in found.quarantined] == [(2, where, value, reason)]
    assert told(found) == {(CALLS, YUEXIU, "2026-11-21", 2.0)}


def test_of_several_sheets_a_fault_is_named_with_its_sheet() -> None:
    sheet = [["辖区", "日期", "刑事警情数"], ["荔湾区", "2026-11-21", "一"]]
    book = workbook(("东", sheet, []), ("西", sheet, []))

    found = rows(book, feed(**BY_INDICATOR), name="警情.xlsx")

    assert [(q.row, q.column) for q in found.quarantined] == [(2, "东!刑事警情数"), (2, "西!刑事警情数")]


def test_an_unknown_column_of_a_wide_table_is_not_lost() -> None:
    found = rows("辖区,日期,刑事警情数,甲类\n荔湾区,11/21,4,7\n越秀区,11/21,6,\n", feed(**BY_INDICATOR))

    assert [(q.row, q.column, q.value) for q in found.quarantined] == [(2, "甲类", "7")]
    assert found.read == 3


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        pytest.param("当事人姓名", "某某", id="name"),
        pytest.param("联系电话", "020-1", id="telephone"),
        pytest.param("编号", "440103199001011234", id="identity-number-under-another-name"),
        pytest.param("备注", "13800138000", id="mobile-under-another-name"),
        pytest.param("ID number", "1", id="english"),
    ],
)
def test_personal_data_stop_the_feed(header: str, cell: str) -> None:
    content = f"事项,辖区,日期,数量,{header}\n刑事警情数,荔湾区,11/21,1,{cell}\n"

    with pytest.raises(SourceError, match="looks like personal data, and nothing of the file was read"):
        rows(content, feed(**LONG, ignore=[header]))


def test_an_indicator_whose_name_speaks_of_telephones_is_no_personal_data() -> None:
    found = rows("辖区,日期,电话\n荔湾区,11/21,4\n", feed(**BY_INDICATOR, codes={"indicator": {"电话": CALLS}}))

    assert found.quarantined == ()


def test_a_missing_column_is_named_with_what_was_found() -> None:
    with pytest.raises(SourceError, match=r"no column is called 辖区 \(columns.place\); found: 事项、区、日期、数量"):
        rows("事项,区,日期,数量\n刑事警情数,荔湾区,11/21,1\n", feed(**LONG))


def test_an_amount_in_another_unit_is_multiplied() -> None:
    mapping = feed(**{**LONG, "factors": {LOSS: "0.0001"}})

    found = rows(f'事项,辖区,日期,数量\n{LOSS},荔湾区,11/21,"1,234,500"\n', mapping)

    assert told(found) == {(LOSS, LIWAN, "2026-11-21", 123.45)}


@pytest.mark.parametrize(
    ("cell", "factors", "value"),
    [
        pytest.param("42%", {}, 42.0, id="per-cent"),
        pytest.param("４２．５％", {}, 42.5, id="full-width"),
        pytest.param("0.42", {RATIO: 100}, 42.0, id="a-fraction-the-mapping-says-is-one"),
        pytest.param("42%", {RATIO: 100}, 42.0, id="per-cent-all-the-same"),
        pytest.param("0.42", {RATIO: 1}, 0.42, id="less-than-one-per-cent"),
        pytest.param("0", {}, 0.0, id="nothing"),
    ],
)
def test_a_percentage_is_a_percentage(cell: str, factors: dict[str, Any], value: float) -> None:
    found = rows(f"事项,辖区,日期,数量\n{RATIO},荔湾区,2026-11-16,{cell}\n", feed(**{**LONG, "factors": factors}))

    assert told(found) == {(RATIO, LIWAN, "2026-11-16", value)}


def test_a_ratio_up_to_one_is_asked_about_rather_than_guessed() -> None:
    found = rows(f"事项,辖区,日期,数量\n{RATIO},荔湾区,2026-11-16,0.98\n", feed(**LONG))

    assert [entry.value for entry in found.quarantined] == ["0.98"]
    assert "是百分之几，还是小数" in found.quarantined[0].reason


def test_a_ratio_is_made_of_its_two_counts() -> None:
    mapping = feed(
        **BY_INDICATOR,
        ratios=[{"indicator": RATIO, "numerator": "成功数", "denominator": "申请数"}],
    )
    content = "辖区,日期,成功数,申请数\n荔湾区,2026-11-16,3,7\n越秀区,2026-11-16,0,0\n天河区,2026-11-16,1,0\n"

    found = rows(content, mapping)

    assert told(found) == {(RATIO, LIWAN, "2026-11-16", 42.857143)}  # 3 / 7; of nothing there is no share
    assert [(q.row, q.value) for q in found.quarantined] == [(4, "1 / 0")]


ABSENT = {"absent": 0, "indicators": [CALLS, FIRES], "places": [LIWAN, YUEXIU]}


def test_what_a_delivered_date_leaves_out_is_zero_where_the_mapping_says_so() -> None:
    found = rows("事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,4\n火灾警情数,荔湾区,11/21,—\n", feed(**LONG, **ABSENT))

    assert told(found) == {
        (CALLS, LIWAN, "2026-11-21", 4.0),
        (CALLS, YUEXIU, "2026-11-21", 0.0),
        (FIRES, LIWAN, "2026-11-21", 0.0),
        (FIRES, YUEXIU, "2026-11-21", 0.0),
    }


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("刑事警情数,越透区,11/21,9", id="nobody-knows-which-place"),
        pytest.param("刑事警,清,越秀区,11/21,9", id="nobody-can-read-the-row"),
        pytest.param("刑事警情数,越秀区,周六,9", id="nobody-knows-which-day"),
        pytest.param("刑事警情数,越秀区,11/21,九", id="nobody-can-read-the-number"),
    ],
)
def test_what_was_set_aside_is_not_taken_for_zero(row: str) -> None:
    found = rows(f"事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,4\n{row}\n", feed(**LONG, **ABSENT))

    assert (CALLS, YUEXIU, "2026-11-21", 0.0) not in told(found)
    assert len(found.quarantined) == 1


def test_without_absent_a_missing_value_is_neither_a_row_nor_zero() -> None:
    found = shape("事项,辖区,日期,数量\n刑事警情数,荔湾区,11/21,4\n火灾警情数,荔湾区,11/21,无\n", feed(**LONG))

    assert (len(found.long.rows), found.missing, found.zeros, found.long.quarantined) == (1, 1, 0, ())


def test_a_date_within_a_week_stands_for_it_where_the_mapping_says_so() -> None:
    content = f"事项,辖区,日期,数量\n{RATIO},荔湾区,2026-11-22,42%\n"

    assert told(rows(content, feed(**LONG, align=True))) == {(RATIO, LIWAN, "2026-11-16", 42.0)}
    assert "周数据的日期应是周一" in rows(content, feed(**LONG)).quarantined[0].reason


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026年11月21日", "2026-11-21"),
        ("2026-11-21", "2026-11-21"),
        ("2026/11/21 00:00:00", "2026-11-21"),
        ("2026.1.2", "2026-01-02"),
        ("20261121", "2026-11-21"),
        ("２０２６年１１月２１日（星期六）", "2026-11-21"),
        ("11/21", "2026-11-21"),
        ("11月21日", "2026-11-21"),
        ("12/31", "2025-12-31"),  # not yet: last year's
        ("2月29日", "2024-02-29"),
        ("11/21/2026", "2026-11-21"),
        ("46347", "2026-11-21"),  # a spreadsheet's serial number
        ("46347.5", "2026-11-21"),
        ("2026年11月", "2026-11-01"),
        ("202611", "2026-11-01"),
        ("2026年第47周", "2026-11-16"),
        ("2026年11月16日至2026年11月22日", "2026-11-16"),
        ("2026-11-16~2026-11-22", "2026-11-16"),
        ("2026-13-01", ""),
        ("46347起", ""),
        ("", ""),
    ],
)
def test_dates_as_departments_write_them(text: str, day: str) -> None:
    assert WALL.period(text).first == day


def test_the_order_and_year_of_a_short_date_are_the_mappings() -> None:
    wall = Wall("dmy", 2024, TODAY, ZONE)

    assert wall.period("5/3") == ("2024-03-05", "2024-03-05", "")
    assert wall.period("5/3/2023").first == "2023-03-05"


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.booleans(), st.booleans())
def test_a_number_is_the_same_however_it_is_written(value: Decimal, grouped: bool, wide: bool) -> None:
    text = f"{value:,}" if grouped else f"{value}"
    text = text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.,"}) if wide else text

    assert Decimal(written.number(text, "万元", "amount", None)[0]) == value
    assert Decimal(written.number(text + "万元", "万元", "amount", None)[0]) == value


@given(st.text(max_size=30))
def test_no_text_is_too_strange_to_be_answered(text: str) -> None:
    assert sum(map(bool, written.number(text, "起", "count", None))) == 1
    said = WALL.period(text)
    assert bool(said.first) == bool(said.last) != bool(said.reason)


@given(st.lists(st.sampled_from(["刑事警情数", "荔湾区", "11/21", "4", "无", "", "x", '"', "合计", "姓"]), max_size=40))
def test_every_cell_of_a_long_table_is_read_set_aside_or_says_nothing(texts: list[str]) -> None:
    lines = [texts[n : n + 4] for n in range(0, len(texts), 4)]
    content = "事项,辖区,日期,数量\n" + "".join(",".join(line) + "\n" for line in lines)

    found = shape(content, feed(**LONG))

    accounted = {*found.long.rows, *(entry.row for entry in found.long.quarantined)}
    assert len(accounted) == len(found.long.rows) + len(found.long.quarantined)
    assert accounted <= set(range(2, len(lines) + 2))
    if '"' not in texts:
        said = {n for n, line in enumerate(lines, start=2) if line[3:] == ["4"] and "合计" not in line}
        headings = {n for n in said if lines[n - 2][:3] == ["事项", "辖区", "日期"]}
        assert said - headings <= accounted


TEXTS = [
    "辖区",
    "日期",
    "事项",
    "数量",
    "刑事警情数",
    "火灾警情",
    "荔湾区",
    "越秀",
    "2026年11月21日",
    "11/21",
    "46347",
    "4",
    "1,234",
]
TEXTS += [
    "42%",
    "无",
    "",
    "合计",
    "[x]",
    "９",
    "-3",
    "1e999",
    "=1+1",
    "\x00",
    "制表人：某",
    "治安",
    "2月30日",
    "9" * 400,
]


@given(st.lists(st.lists(st.sampled_from(TEXTS), max_size=7), min_size=1, max_size=9), st.sampled_from(list(SHAPES)))
def test_a_table_of_anything_is_read_or_refused(grid: list[list[str]], like: str) -> None:
    lines = tuple(Line(n, tuple(cells)) for n, cells in enumerate(grid, start=1) if any(cells))
    tables = [Table("警情.xlsx", "11月21日", "0", lines)] if lines else []
    mapping = SHAPES[like].feed

    try:
        found = mapped([*map(Body, tables)], mapping, CITY, NOW, LATE_AFTER, zone=ZONE, name="警情.xlsx", sha256="0")
    except SourceError as error:
        refused = str(error)
    else:
        refused = ""
        assert found.read == len(found.values) + len(found.quarantined)
        assert all(entry.reason for entry in found.quarantined)
    assert not refused or "city/feeds/police.toml" in refused


@given(st.lists(st.lists(st.sampled_from(TEXTS), max_size=7), min_size=1, max_size=9))
def test_a_mapping_is_guessed_of_anything_or_refused(grid: list[list[str]]) -> None:
    lines = tuple(Line(n, tuple(cells)) for n, cells in enumerate(grid, start=1) if any(cells))

    try:
        said = guess([Table("警情.xlsx", "", "0", lines)], "警情.xlsx", CITY, TODAY).toml()
    except SourceError as error:
        said = str(error)

    assert said.startswith("警情.xlsx: 找不到表头") or tomllib.loads(said)["name_zh"] == "警情"


WORDS = [
    "刑事警情数",
    "火灾警情数",
    "nonsense",
    "荔湾区",
    "越秀区",
    "合计",
    "注：",
    "备注",
    "",
    "事项",
    "2026年11月20日",
    "11/21",
    "3",
    "无",
]


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=5, max_size=5), max_size=12),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_large_file_says_column_by_column_what_it_says_line_by_line(
    odd: list[list[str]], titles: int, headed: bool
) -> None:
    """Of 130 lines some are odd: totals, notes, headers once more, cells too many, nothing at all."""
    plain = [["刑事警情数", "荔湾区", f"2026-11-{n % 20 + 1:02}", str(n % 7), ""] for n in range(130)]
    for n, line in enumerate(odd):
        plain[7 * n + 3] = line
    header = ["事项", "辖区", "日期", "数量", *(["备注"] if headed else [""])]
    table = [*[["某区警情", "", "", "", ""]] * titles, header, *plain]
    content = "".join(",".join(line) + "\n" for line in table).encode("gb18030")
    mapping = feed(**LONG)
    large, small = read_by(mapping, "a.csv", content), [*map(Body, tables_of("a.csv", content))]
    assert large[0].cells is not None

    by_column, by_line = (
        shaped(bodies, mapping, CITY, sha256="0", name="a.csv", today=TODAY, zone=ZONE) for bodies in (large, small)
    )

    assert _said(by_column) == _said(by_line)


def _said(found: Shaped) -> tuple[object, ...]:
    long = found.long
    columns = (long.indicator, long.place, long.date, long.value, long.received_at)
    cells = [[column.text(n) for column in columns] for n in range(len(long.rows))]
    return list(long.rows), cells, sorted(long.quarantined, key=lambda one: one.row), found.missing, found.zeros
