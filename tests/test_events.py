"""Events as they stand in a department's tables: what is taken of them, what stops the feed, what is set aside."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from event_city import BRIDGE, HARBOUR, MARKET, feed, increments, lay, table
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from warning.city import City, load_city
from warning.errors import SourceError
from warning.mapping import Feed
from warning.sources.columns import Body
from warning.sources.delivery import Delivery, Receipt
from warning.sources.events import events_of
from warning.sources.files import bodies_of, tables_of
from warning.sources.grids import Grids
from warning.sources.moments import Moments
from warning.sources.personal import shown
from warning.sources.text_files import MANY

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday, nine in the morning
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("town")
    lay(folder)
    return load_city(folder / "city")


def receipt_of(city: City, mapping: Feed, at: datetime = NOW) -> Receipt:
    assert mapping.events is not None
    return Receipt(mapping, mapping.events, city, at, ZONE, LATE_AFTER)


def read(city: City, content: str | bytes, mapping: Feed | None = None, *, name: str = "网格.csv") -> Delivery:
    raw = content.encode() if isinstance(content, str) else content
    return events_of(bodies_of(name, raw), receipt_of(city, mapping or feed()), name=name, sha256="0")


def told(found: Delivery) -> Counter[tuple[str, str, str, str]]:
    """Return how often each grid, day, category and result was told."""
    days = [(date(1970, 1, 1) + timedelta(days=day)).isoformat() for day in found.days.tolist()]
    return Counter(
        (found.grids[grid], day, *found.kinds[kind])
        for grid, day, kind in zip(found.grid.tolist(), days, found.kind.tolist(), strict=True)
    )


def reasons(found: Delivery) -> list[tuple[int, str, str, str]]:
    return [(one.row, one.column, one.value, one.reason) for one in found.quarantined]


def test_an_event_is_its_grid_its_day_its_category_and_its_result(city: City) -> None:
    found = read(city, table("010101-1 20 盗窃 按期 x2", "010201-7 21 火灾"))

    assert told(found) == {
        ("010101-1", "2026-11-20", "盗窃", "按期"): 2,
        ("010201-7", "2026-11-21", "火灾", ""): 1,
    }
    assert (found.read, found.alike, found.quarantined) == (3, 0, ())
    assert found.counted == (BRIDGE, MARKET, HARBOUR)


@pytest.mark.parametrize("header", ["序号", "街道", "来源"])
def test_any_other_column_stops_the_feed_and_is_named(city: City, header: str) -> None:
    content = f"网格,时间,类别,结果,{header}\n010101-1,2026-11-20,盗窃,,甲\n"

    with pytest.raises(SourceError, match=f"网格.csv: 列 {header} 不是事件的网格、时间、类别或结果"):
        read(city, content)


def test_a_column_that_may_tell_of_a_person_is_not_one_that_a_mapping_may_ignore(city: City) -> None:
    content = "网格,时间,类别,结果,处置人\n010101-1,2026-11-20,盗窃,,甲\n"

    with pytest.raises(SourceError, match=r"列“处置人”可能载有个人信息.*ignore 不能放行"):
        read(city, content)


def test_all_columns_that_are_too_many_are_named_at_once(city: City) -> None:
    with pytest.raises(SourceError, match=r"列 序号、来源 不是.*2 column\(s\) are none of an event's facts"):
        read(city, "序号,网格,时间,类别,来源,结果\n1,010101-1,2026-11-20,盗窃,热线,\n")


def test_a_column_without_a_header_stops_the_feed(city: City) -> None:
    with pytest.raises(SourceError, match="列 3 不是"):
        read(city, "网格,时间,,类别,结果\n010101-1,2026-11-20,甲,盗窃,\n")
    with pytest.raises(SourceError, match="列 5 不是"):
        read(city, "网格,时间,类别,结果\n" + "010101-1,2026-11-20,盗窃,,甲\n" * 3)


def test_a_column_the_mapping_passes_over_is_not_read(city: City) -> None:
    content = "序号,网格,时间,类别,结果\n1,010101-1,2026-11-20,盗窃,按期\n"

    found = read(city, content, feed(ignore=["序号"]))

    assert told(found) == {("010101-1", "2026-11-20", "盗窃", "按期"): 1}


@pytest.mark.parametrize(
    "header",
    [
        *("上报人", "网格员", "处置人员", "当事人姓名", "联系电话", "手机号", "身份证号", "地址", "事发地点", "经度"),
        *("事件描述", "处理内容", "备注", "车牌号", "reporter name", "Description", "lat"),
    ],
)
def test_what_tells_of_a_person_a_spot_or_a_story_is_never_passed_over(city: City, header: str) -> None:
    content = f"网格,时间,类别,结果,{header}\n010101-1,2026-11-20,盗窃,按期,甲\n"

    with pytest.raises(SourceError, match=f"列“{header.replace(' ', '')}”可能载有个人信息") as error:
        read(city, content, feed(ignore=[header]))

    assert "甲" not in str(error.value)


@pytest.mark.parametrize(
    "number",
    [
        *("440103198501011234", "44010319850101123X", "13800000000", "+8613800000000", "138****0000"),
        *("４４０１０３１９８５０１０１１２３４", "440103********1234", "报 13800000000"),
    ],
)
@pytest.mark.parametrize("header", ["编号", "网格", "类别", "结果"])
def test_identity_and_mobile_numbers_stop_the_feed_whatever_their_header(city: City, number: str, header: str) -> None:
    cells = {"网格": "010101-1", "时间": "2026-11-20 10:00", "类别": "盗窃", "结果": "按期", "编号": "7"}
    rows = "\n".join(",".join({**cells, header: number}.values()) for _ in range(5))

    with pytest.raises(SourceError, match=r"列“.*”可能载有个人信息") as error:
        read(city, f"{','.join(cells)}\n{rows}\n", feed(ignore=["编号"]))

    assert number not in str(error.value)


def test_a_single_number_of_a_person_among_many_rows_costs_its_row_and_is_not_kept(city: City) -> None:
    content = table("010101-1 20 盗窃 按期 x40") + "13800000000,2026-11-20,盗窃,\n010101-2,2026-11-20,报13800000000,\n"

    found = read(city, content)

    assert [(one.row, one.column) for one in found.quarantined] == [(42, "网格"), (43, "类别")]
    assert all("13800000000" not in f"{one}" for one in found.quarantined)


def test_no_quarantined_row_keeps_more_than_the_cell_that_is_wrong(city: City) -> None:
    found = read(city, table("990101-1 20T10:11:12 盗窃 按期", "010101-1 20 盗窃 按期"))

    (entry,) = found.quarantined
    assert (entry.value, entry.cells) == ("990101-1", ("", "", "2026-11-20", "", ""))


def test_categories_that_are_a_text_each_are_no_codes(city: City) -> None:
    stories = [f"010101-1 20 某户与邻居因噪声争吵第{n}次 按期" for n in range(150)]

    with pytest.raises(SourceError, match="列“类别”有 150 种写法，像是文字而不是代码"):
        read(city, table(*stories))


def test_a_long_text_in_the_place_of_a_code_costs_its_row_and_is_not_kept(city: City) -> None:
    story = "某户反映隔壁装修" * 10

    found = read(city, table(f"010101-1 20 {story}", "010101-1 20 盗窃"))

    assert reasons(found) == [(2, "类别", "", "过长，应为代码或简短的名称")]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        pytest.param(",2026-11-20,盗窃,", "网格", "网格编码为空", id="no-grid"),
        pytest.param("无,2026-11-20,盗窃,", "网格", "网格编码为空", id="says-no-grid"),
        pytest.param("020101-1,2026-11-20,盗窃,", "网格", "不以任何地区的代码开头", id="elsewhere"),
        pytest.param("东区,2026-11-20,盗窃,", "网格", "只看得出在东区，看不出是其中哪一处", id="too-large"),
        pytest.param("1.0101e+14,2026-11-20,盗窃,", "网格", "被表格软件写成了数字", id="spoilt-by-a-spreadsheet"),
        pytest.param("010101-1,,盗窃,", "时间", "时间为空", id="no-time"),
        pytest.param("010101-1,昨天,盗窃,", "时间", "看不出是什么时间", id="unreadable"),
        pytest.param("010101-1,2026-02-30 10:00,盗窃,", "时间", "看不出是什么时间", id="no-such-day"),
        pytest.param("010101-1,2026年11月,盗窃,", "时间", "看不出是什么时间", id="a-month"),
        pytest.param("010101-1,2026-11-23 09:06,盗窃,", "时间", "时间晚于收到的时刻", id="six-minutes-to-come"),
        pytest.param("010101-1,2026-11-24,盗窃,", "时间", "时间晚于收到的时刻", id="tomorrow"),
        pytest.param("010101-1,1969-12-31,盗窃,", "时间", "时间早于 1970 年", id="before-1970"),
        pytest.param("010101-1,2026-11-20,,", "类别", "类别为空", id="no-category"),
        pytest.param("010101-1,2026-11-20,—,", "类别", "类别为空", id="says-no-category"),
        pytest.param("010101-1,2026-11-20,盗窃", "", "该行的格数与表头不同", id="too-few-cells"),
        pytest.param("010101-1,2026-11-20,盗窃,按期,甲", "", "该行的格数与表头不同", id="too-many-cells"),
    ],
)
def test_a_row_that_cannot_be_used_costs_no_other(city: City, row: str, column: str, reason: str) -> None:
    found = read(city, table("010101-1 20 盗窃 x3") + row + "\n")

    ((number, where, _, why),) = reasons(found)
    assert (number, where) == (5, column)
    assert reason in why
    assert (found.read, len(found.days)) == (4, 3)


def test_totals_notes_and_empty_rows_are_no_events(city: City) -> None:
    around = "\n,,,\n网格,时间,类别,结果\n合计,,1,\n合计,,,\n填报单位：网格办,,,\n"
    content = f"网格事件明细,,,\n{table('010101-1 20 盗窃')}{around}"

    found = read(city, content)

    assert (found.read, len(found.days)) == (2, 1)  # "合计" beside a category is none
    assert [entry.row for entry in found.quarantined] == [7]


def test_full_width_letters_and_digits_are_read_as_narrow_ones(city: City) -> None:
    found = read(city, "网格,时间,类别,结果\n０１０１０１－１,２０２６－１１－２０ １０：００,０１０３,按期\n")

    assert told(found) == {("010101-1", "2026-11-20", "0103", "按期"): 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_text_file_may_be_in_any_encoding_and_with_any_delimiter(city: City, encoding: str, delimiter: str) -> None:
    content = table("010101-1 20 盗窃 按期", "010201-7 21 火灾 超期").replace(",", delimiter)

    assert told(read(city, content.encode(encoding))).total() == 2


def test_a_workbook_is_read_with_its_own_dates_and_each_sheet_is_named(city: City) -> None:
    book = Workbook()
    for n, sheet in enumerate([book.active, book.create_sheet("下午")]):
        sheet.append(["网格", "时间", "类别", "结果"])
        sheet.append(["010101-1", datetime(2026, 11, 20, 9 + 6 * n, 30), "盗窃", "按期"])  # noqa: DTZ001 - as a cell holds it
    book["下午"].append(["010101-1", 46346.5, "盗窃", None])
    book["下午"].append(["无此网格", 46346, "盗窃", None])
    written = io.BytesIO()
    book.save(written)

    found = read(city, written.getvalue(), name="网格.xlsx")

    assert told(found) == {("010101-1", "2026-11-20", "盗窃", "按期"): 2, ("010101-1", "2026-11-20", "盗窃", ""): 1}
    assert reasons(found)[0][:3] == (4, "下午!网格", "无此网格")


def test_a_large_file_is_read_as_a_small_one_is(city: City) -> None:
    rows = [
        f"0101{n % 2 + 1:02}-{n % 7} {10 + n % 10} {'盗窃' if n % 3 else '火灾'} {'按期' if n % 5 else ''}"
        for n in range(300)
    ]
    content = table(*rows, "990101-1 20 盗窃", "010101-1 20 盗窃").encode()
    (large,) = bodies_of("网格.csv", content)
    small = [Body(one) for one in tables_of("网格.csv", content)]

    fast = read(city, content)
    slow = events_of(small, receipt_of(city, feed()), name="网格.csv", sha256="0")

    assert large.cells is not None
    assert len(content.splitlines()) > MANY
    assert told(fast) == told(slow)
    assert reasons(fast) == reasons(slow)
    assert fast.rows.tolist() == slow.rows.tolist()


@given(st.lists(st.sampled_from(["a,b", "a,b,c", ",", "", " a ,b", "1;2", "a,,", "合计,"]), min_size=1, max_size=5))
def test_what_is_read_column_by_column_is_what_is_read_line_by_line(kinds: list[str]) -> None:
    content = "\n".join(["x,y", *(kinds * 150)]).encode()

    fast, slow = bodies_of("a.csv", content), tables_of("a.csv", content)

    if fast[0].cells is None:
        assert fast[0].table == slow[0]
        return
    rows = zip(*([column.distinct[code] for code in column.codes.tolist()] for column in fast[0].cells), strict=True)
    assert [row for row in rows if any(row)] == [line.cells for line in slow[0].lines]


def test_events_that_are_alike_to_the_second_are_one(city: City) -> None:
    rows = ["010101-1 20T10:11:12 盗窃 按期"] * 3 + ["010101-1 20T10:11:13 盗窃 按期", "010102-1 20T10:11:12 盗窃 按期"]

    found = read(city, table(*rows))

    assert (found.read, found.alike, len(found.days)) == (5, 2, 3)


@pytest.mark.parametrize("clock", ["10:11", "10:11:00", ""])
def test_events_of_one_minute_or_day_are_not_taken_for_one(city: City, clock: str) -> None:
    found = read(city, "网格,时间,类别,结果\n" + f"010101-1,2026-11-20 {clock},盗窃,按期\n" * 3)

    assert (found.alike, len(found.days)) == (0, 3)


def test_alike_events_are_all_counted_where_the_mapping_says_so(city: City) -> None:
    found = read(city, table(*["010101-1 20T10:11:12 盗窃"] * 3), feed({"alike": "each"}))

    assert (found.alike, len(found.days)) == (0, 3)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-20 23:59:59", "2026-11-20"),
        ("2026/11/20 9:03", "2026-11-20"),
        ("2026年11月20日14时03分", "2026-11-20"),
        ("2026年11月20日 下午2:03", "2026-11-20"),
        ("11/20 14:03", "2026-11-20"),
        ("20261120140322", "2026-11-20"),
        ("202611201403", "2026-11-20"),
        ("46346.9999", "2026-11-20"),
        ("46346", "2026-11-20"),
        ("2026-11-20 24:00", "2026-11-20"),
        # By the clock of Shanghai, eight hours ahead:
        ("2026-11-20T15:59:59Z", "2026-11-20"),
        ("2026-11-20T16:00:00Z", "2026-11-21"),
        ("2026-11-20T16:00:00.123+0000", "2026-11-21"),
        ("2026-11-21 00:30:00+09:00", "2026-11-20"),
        ("1795190400", "2026-11-21"),
        ("1795190399999", "2026-11-20"),
    ],
)
def test_the_time_of_an_event_decides_its_day_in_the_time_zone_of_the_deployment(
    city: City, text: str, day: str
) -> None:
    found = read(city, f"网格,时间,类别,结果\n010101-1,{text},盗窃,\n")

    assert [key[1] for key in told(found)] == [day]


@given(st.text(max_size=80))
def test_no_time_is_too_strange_to_be_answered(text: str) -> None:
    found = Moments("mdy", None, NOW, ZONE).moment(text)

    assert bool(found.reason) != (found.day > 0)


@given(st.datetimes(NOW.replace(year=2000, tzinfo=None), NOW.replace(tzinfo=None)))
def test_a_time_is_the_same_however_it_is_written(when: datetime) -> None:
    moments = Moments("mdy", None, NOW, ZONE)
    forms = [
        f"{when:%Y-%m-%d %H:%M:%S}",
        f"{when:%Y/%m/%d} {when.hour}:{when:%M:%S}",
        f"{when.year}年{when.month}月{when.day}日{when.hour}时{when.minute}分{when.second}秒",
        f"{when:%Y%m%d%H%M%S}",
        when.replace(tzinfo=ZONE).astimezone(UTC).isoformat(),
    ]

    assert len({moments.moment(form)[:2] for form in forms}) == 1


def grids_of(city: City, **mapping: Any) -> Grids:
    said = feed(**mapping)
    assert said.events is not None
    return Grids(city, said.codes, said.events.tier, said.places)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("010101-03", BRIDGE),
        ("010101", BRIDGE),
        ("０１０１０２００１", MARKET),
        ("港口街道", HARBOUR),
        ("港口", HARBOUR),
        ("Harbour", HARBOUR),
        ("桥头", BRIDGE),  # by the mapping's own words
        ("0101", ""),
        ("东区", ""),
        ("0103", ""),
        ("", ""),
    ],
)
def test_a_grid_lies_where_its_code_begins_or_its_name_says(city: City, text: str, place: str) -> None:
    assert grids_of(city, codes={"place": {"桥头": BRIDGE}}).place(text) == place


def test_a_table_of_the_city_says_where_grids_lie_whatever_their_codes(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "city" / "grids.csv").write_text("grid,place\nA-7,010102\n010101-9,010201\n", encoding="utf-8")

    grids = grids_of(load_city(tmp_path / "city"))

    assert [grids.place(text) for text in ("a-7", "010101-9", "010101-8")] == [MARKET, HARBOUR, BRIDGE]


def test_codes_of_several_lengths_must_be_followed_by_a_sign(tmp_path: Path) -> None:
    lay(tmp_path)
    places = (tmp_path / "city" / "places.csv").read_text(encoding="utf-8").replace("010102,集市", "A1,集市")
    (tmp_path / "city" / "places.csv").write_text(places, encoding="utf-8")

    grids = grids_of(load_city(tmp_path / "city"))

    assert [grids.place(text) for text in ("A1-2", "A12", "010101/1", "0101011")] == ["A1", "", BRIDGE, ""]


def test_events_may_be_counted_by_district_and_of_one_district(city: City) -> None:
    by_district = grids_of(city, events={**feed().events.model_dump(exclude_unset=True), "tier": "district"})  # type: ignore[union-attr]
    of_the_east = grids_of(city, places=["0101"])

    assert by_district.counted == ("0101", "0102")
    assert [by_district.place(text) for text in ("010102-1", "西区", "0101999")] == ["0101", "0102", "0101"]
    assert of_the_east.counted == (BRIDGE, MARKET)
    assert of_the_east.place("010201-1") == ""
    assert of_the_east.reason("010201-1") == "网格不在本数据源所报的地区内"


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("网格事件20261121.csv", (21, 21)),
        ("网格事件20261116-20261122.csv", (16, 22)),
        ("2026年11月16日至22日网格事件.csv", (16, 22)),
        ("网格事件2026年第47周.csv", (16, 22)),
        ("网格事件2026年11月.csv", (1, 30)),
    ],
)
def test_a_name_says_which_days_a_file_holds(city: City, name: str, days: tuple[int, int]) -> None:
    found = read(city, table(), feed({"days": "@file"}), name=name).covered.tolist()

    assert [(date(1970, 1, 1) + timedelta(days=day)).day for day in (found[0], found[-1])] == list(days)
    assert len(found) == days[1] - days[0] + 1


@pytest.mark.parametrize("name", ["网格事件.csv", "网格20240101-20261116.csv"])
def test_a_file_that_does_not_say_its_days_is_refused_where_it_should(city: City, name: str) -> None:
    with pytest.raises(SourceError, match=r"events\.days is '@file', and "):
        read(city, table("010101-1 21 盗窃"), feed({"days": "@file"}), name=name)


def test_an_event_of_another_day_than_the_file_says_is_set_aside(city: City) -> None:
    content = table("010101-1 21 盗窃", "010101-1 20 盗窃")

    found = read(city, content, feed({"days": "@file"}), name="网格20261121.csv")

    assert reasons(found) == [(3, "时间", "2026-11-20", "不是本次所报的日期")]
    assert (found.covered + 0).tolist() == [20778]  # 2026-11-21


def test_a_file_with_a_header_alone_holds_its_day_and_no_event(city: City) -> None:
    found = read(city, table(), feed({"days": "@file"}), name="网格20261121.csv")

    assert (found.read, len(found.covered)) == (0, 1)


def test_increments_before_their_first_day_are_set_aside(city: City) -> None:
    found = read(city, table("010101-1 15 盗窃", "010101-1 16 盗窃"), increments())

    assert reasons(found) == [(2, "时间", "2026-11-15", "不是本次所报的日期")]


def test_a_row_says_whether_it_adds_an_event_or_withdraws_one(city: City) -> None:
    content = "变更,网格,时间,类别,结果\n" + "".join(
        f"{said},010101-1,2026-11-20,盗窃,\n" for said in ("", "撤销", "改")
    )

    found = read(city, content, increments({"change": "变更"}))

    assert found.change.tolist() == [1, -1]
    assert reasons(found) == [(4, "变更", "改", "看不出是新增还是撤销")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            "网格,类别,结果\n1,2,3\n", r"no column is called 时间 \(events.time\); found: 网格、类别、结果", id="column"
        ),
        pytest.param(
            "甲,乙\n某某,13800000000\n", "no header was found with the columns 网格, 时间, 类别, 结果", id="header"
        ),
        pytest.param("网格,时间,类别,类别,结果\n1,2,3,4,5\n", "the column '类别' stands there 2 times", id="twice"),
    ],
)
def test_a_table_that_is_not_as_the_mapping_says_is_refused_without_its_content(
    city: City, content: str, said: str
) -> None:
    with pytest.raises(SourceError, match=said) as error:
        read(city, content)

    assert "13800000000" not in str(error.value)


def test_a_delivery_most_of_which_cannot_be_used_is_refused_whole(city: City) -> None:
    content = table("990101-1 20 盗窃 x1200", "010101-1 20 盗窃 x500", "010101-1 20 — x100")

    with pytest.raises(SourceError, match=r"1300 of 1800 rows cannot be used, so none is: .*（1200）；类别为空（100）"):
        read(city, content)


@given(st.text(max_size=60))
def test_what_is_shown_of_a_cell_never_holds_a_number_of_a_person(text: str) -> None:
    assert "13800000000" not in shown(f"{text} 13800000000 {text}")
    assert len(shown(text)) <= 40
