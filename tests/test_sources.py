"""Feed files into rows, with a reason for every row that cannot be used."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning.errors import SourceError, StoreError
from warning.intake import import_folder
from warning.model import FileAccount, Indicator, Place, Rows, SeriesKey
from warning.sources import cells, csv_files
from warning.store import Store, feed, observation, open_store, run

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)  # Wednesday, 08:00 on the wall
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
HEADER = "indicator,place,date,value\n"


@dataclass(frozen=True)
class Town:
    indicators: dict[str, Indicator]
    places: dict[str, Place]
    grids: Mapping[str, str] = field(default_factory=dict)


def indicator(id: str, kind: str, frequency: str) -> Indicator:
    return Indicator(
        id=id,
        name_zh=id,
        name_en=id,
        dimension="ss",
        level2="ss_po",
        level2_zh="",
        level2_en="",
        polarity="negative",
        unit="起",
        kind=kind,
        frequency=frequency,
        denominator="",
        department="",
        period_agg="sum",
        watch=True,
        volume_class="mid",
    )


TOWN = Town(
    {
        "thefts": indicator("thefts", "count", "daily"),
        "losses": indicator("losses", "amount", "daily"),
        "disputes": indicator("disputes", "count", "weekly"),
        "on_time": indicator("on_time", "ratio", "monthly"),
    },
    {code: Place(code, code, code, "district", None) for code in ("440103", "440104")},
)


def read(path: Path, content: str | bytes, *, received: datetime = NOW) -> Rows:
    file = path / "feed.csv"
    file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return csv_files.read(file, TOWN, received, LATE_AFTER, zone=ZONE)


def test_a_large_number_is_used_up_to_what_a_city_can_have(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + "thefts,440103,2026-11-24,100000000\nlosses,440104,2026-11-23,1e13\n")

    assert rows.values.tolist() == [1e8, 1e13]


def test_a_row_becomes_a_value_of_a_series_on_a_date(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + "thefts,440103,2026-11-24,12\nlosses,440104,2026-11-23,-0.1\n")

    assert [rows.keys[n] for n in rows.series] == [SeriesKey("thefts", "440103"), SeriesKey("losses", "440104")]
    assert rows.dates.tolist() == [date(2026, 11, 24), date(2026, 11, 23)]
    assert rows.values.tolist() == [12.0, -0.1]
    assert rows.received.tolist() == [int(NOW.timestamp())] * 2
    assert rows.quarantined == ()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfindicator,place,date,value\nthefts,440103,2026-11-24,12\n", id="byte-order-mark"),
        pytest.param(b"indicator,place,date,value\r\nthefts,440103,2026-11-24,12\r\n", id="windows-line-ends"),
        pytest.param(b"indicator,place,date,value\rthefts,440103,2026-11-24,12", id="old-mac-line-ends"),
        pytest.param(b'"indicator","place","date","value"\n"thefts","440103","2026-11-24","12"\n', id="all-quoted"),
        pytest.param(b"value,date,place,indicator\n12,2026-11-24,440103,thefts\n", id="columns-in-any-order"),
        pytest.param(b"indicator , place,date,value\n thefts,440103 ,2026-11-24, 12\n", id="blanks-around-cells"),
        pytest.param(b"indicator,place,date,value,,\nthefts,440103,2026-11-24,12,,\n,,,,,\n\n", id="spreadsheet-rests"),
        pytest.param(
            b"indicator,place,date,value,received_at\nthefts,440103,2026-11-24,12,\n", id="receipt-left-empty"
        ),
    ],
)
def test_the_same_row_is_read_however_it_is_written(tmp_path: Path, content: bytes) -> None:
    rows = read(tmp_path, content)

    assert (rows.keys, rows.values.tolist(), rows.read) == ((SeriesKey("thefts", "440103"),), [12.0], 1)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        pytest.param(
            "theft,440103,2026-11-24,1", "indicator", "没有代码为“theft”的指标；是否应为“thefts”？", id="misspelt"
        ),
        pytest.param("zzz,440103,2026-11-24,1", "indicator", "没有代码为“zzz”的指标", id="unknown-indicator"),
        pytest.param(",440103,2026-11-24,1", "indicator", "指标代码为空", id="no-indicator"),
        pytest.param(
            "thefts,440203,2026-11-24,1", "place", "没有代码为“440203”的地区；是否应为“440103”？", id="unknown-place"
        ),
        pytest.param("thefts,440103,2026/11/24,1", "date", "日期应写成 2026-11-22 的形式", id="slashes"),
        pytest.param("thefts,440103,2026-02-30,1", "date", "历法中没有这一天", id="no-such-day"),
        pytest.param("thefts,440103,1026-11-24,1", "date", "日期早于 1970 年", id="a-thousand-years-off"),
        pytest.param("thefts,440103,,1", "date", "日期为空", id="no-date"),
        pytest.param("thefts,440103,2026-11-26,1", "date", "日期晚于收到的日期", id="future"),
        pytest.param(
            "disputes,440103,2026-11-18,1", "date", "周数据的日期应是周一；该周的周一是 2026-11-16", id="not-a-monday"
        ),
        pytest.param(
            "on_time,440103,2026-10-31,1", "date", "月数据的日期应是每月一日；该月应写 2026-10-01", id="not-a-first"
        ),
        pytest.param("thefts,440103,2026-11-24,", "value", "数值为空", id="no-value"),
        pytest.param(
            "thefts,440103,2026-11-24,12起", "value", "不是数字；只写数字，不带单位和千位分隔符", id="with-unit"
        ),
        pytest.param(
            'thefts,440103,2026-11-24,"1,200"', "value", "不是数字；只写数字，不带单位和千位分隔符", id="thousands"
        ),
        pytest.param(
            "thefts,440103,2026-11-24,1_2", "value", "不是数字；只写数字，不带单位和千位分隔符", id="underscore"
        ),
        pytest.param("thefts,440103,2026-11-24,NaN", "value", "不是数字；没有数据的日期请勿上报", id="nan"),
        pytest.param("thefts,440103,2026-11-24,1e999", "value", "不是有限的数", id="infinite"),
        pytest.param("thefts,440103,2026-11-24,-1", "value", "计数不能为负", id="negative-count"),
        pytest.param("thefts,440103,2026-11-24,1.5", "value", "计数应为整数", id="half-a-theft"),
        pytest.param("thefts,440103,2026-11-24,100000001", "value", "数值过大，请核实单位和位数", id="too-many-thefts"),
        pytest.param("losses,440103,2026-11-24,-1e14", "value", "数值过大，请核实单位和位数", id="too-much-money"),
        pytest.param(
            "thefts,440103,2026-11-24,４０", "value", "数字应为半角；请将全角字符（如 ４０）改为 40", id="wide"
        ),
        pytest.param(
            "thefts,440103,2026-11-24,٤٠", "value", "不是数字；只写数字，不带单位和千位分隔符", id="other-digits"
        ),
        pytest.param("on_time,440103,2026-10-01,100.5", "value", "百分比应在 0 到 100 之间", id="beyond-100-per-cent"),
        pytest.param("thefts,440103,2026-11-24", "", "该行有 3 格，应为 4 格", id="a-cell-short"),
        pytest.param("thefts,440103,2026-11-24,1,2", "", "该行有 5 格，应为 4 格", id="a-cell-too-many"),
        pytest.param('thefts,"440103,2026-11-24,1', "", "该行有 2 格，应为 4 格", id="a-lone-quotation-mark"),
        pytest.param(
            "thefts,440203,2026-02-30,-1", "place", "没有代码为“440203”的地区；是否应为“440103”？", id="first-fault"
        ),
    ],
)
def test_an_unusable_row_is_named_with_its_reason(tmp_path: Path, row: str, column: str, reason: str) -> None:
    rows = read(tmp_path, HEADER + "thefts,440103,2026-11-23,1\n\n" + row + "\nthefts,440104,2026-11-23,1\n")

    (entry,) = rows.quarantined
    assert (entry.file, entry.row, entry.column, entry.reason) == ("feed.csv", 4, column, reason)
    assert len(rows.values) == 2


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        pytest.param("yesterday", "收到时刻应写成 2026-11-22T08:00:00+08:00 的形式", id="no-instant"),
        pytest.param(
            "2026-11-24T08:00:00", "收到时刻缺少时区；应写成 2026-11-22T08:00:00+08:00 的形式", id="no-offset"
        ),
        pytest.param("2026-11-25T00:10:00Z", "收到时刻晚于读入时刻；请检查发送方的时钟", id="after-the-import"),
        pytest.param("0001-01-01T00:00:00+08:00", "收到时刻早于 1970 年", id="long-ago"),
    ],
)
def test_a_receipt_that_cannot_be_is_refused(tmp_path: Path, receipt: str, reason: str) -> None:
    rows = read(tmp_path, f"indicator,place,date,value,received_at\nthefts,440103,2026-11-23,1,{receipt}\n")

    assert [(entry.column, entry.value, entry.reason) for entry in rows.quarantined] == [
        ("received_at", receipt, reason)
    ]


def test_a_senders_clock_may_be_a_little_ahead(tmp_path: Path) -> None:
    rows = read(
        tmp_path, "indicator,place,date,value,received_at\nthefts,440103,2026-11-24,1,2026-11-25T08:00:59+08:00\n"
    )

    assert rows.received.tolist() == [int(NOW.timestamp())]


def test_today_is_the_date_on_the_wall(tmp_path: Path) -> None:
    just_after_midnight = datetime(2026, 11, 24, 16, 1, tzinfo=UTC)  # 00:01 of the 25th in Guangzhou

    rows = read(tmp_path, HEADER + "thefts,440103,2026-11-25,1\n", received=just_after_midnight)

    assert rows.quarantined == ()


@pytest.mark.parametrize(
    ("row", "late"),
    [
        pytest.param("thefts,440103,2026-11-24", False, id="yesterday"),
        pytest.param("thefts,440103,2026-11-23", True, id="the-day-before"),
        pytest.param("disputes,440103,2026-11-16", False, id="week-that-ended-three-days-ago"),
        pytest.param("disputes,440103,2026-11-09", True, id="week-before"),
        pytest.param("on_time,440103,2026-11-01", False, id="month-not-over"),
        pytest.param("on_time,440103,2026-10-01", True, id="month-that-ended-25-days-ago"),
    ],
)
def test_late_is_counted_from_the_end_of_the_period(tmp_path: Path, row: str, late: bool) -> None:
    rows = read(tmp_path, HEADER + row + ",1\n")

    assert rows.late.tolist() == [late]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "the file is empty; expected the columns indicator, place, date, value", id="empty"),
        pytest.param(b"\n \n", "the file is empty", id="blank"),
        pytest.param(b"thefts,440103,2026-11-24,12\n", "the first line is no header", id="no-header"),
        pytest.param(
            b"indicator;place;date;value\n", "the first line is no header; .*'indicator;place", id="semicolons"
        ),
        pytest.param("指标,place,date,value\n".encode("gb18030"), "byte 3 is not UTF-8; save .* 'CSV UTF-8'", id="gbk"),
        pytest.param(
            b"indicator,place,date,vale,date\n",
            r"3 problem\(s\)\n  the column 'date' stands there twice\n  the column 'value' is missing\n"
            "  'vale' is not a column; did you mean 'value'",
            id="all-faults-at-once",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence) as raised:
        read(tmp_path, content)

    assert str(raised.value).startswith("feed.csv: ")


def test_a_file_that_vanished_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.csv: .*cannot be read: No such file"):
        csv_files.read(tmp_path / "gone.csv", TOWN, NOW, LATE_AFTER, zone=ZONE)


def test_a_text_far_too_long_to_be_a_name_is_not_compared_with_names() -> None:
    column = cells.column_of("indicator", ["x" * 1_000_000])
    tracemalloc.start()

    found = cells.names(column, TOWN.indicators, "指标")

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.reason(0) == f"没有代码为“{'x' * 39}…”的指标"
    assert most < 1_000_000  # bytes; comparing it took forty for each character


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("feed")

    try:
        rows = read(folder, HEADER.encode() + content)
    except SourceError as error:
        assert "is not UTF-8" in str(error)  # noqa: PT017 - either is right, and each has its fact
        return

    lines = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert rows.read <= len(lines)
    assert [entry.row for entry in rows.quarantined] == sorted({entry.row for entry in rows.quarantined})


cell = st.sampled_from(
    ["thefts", "on_time", "440103", "2026-11-24", "2026-10-01", "2026-12-31", "7", "-7", "x", '"', ""]
)


@given(st.lists(st.lists(cell, min_size=1, max_size=5).filter(any), max_size=20))
def test_every_row_of_a_file_is_usable_or_quarantined(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]
) -> None:
    rows = read(tmp_path_factory.mktemp("feed"), HEADER + "".join(",".join(row) + "\n" for row in table))

    blank = sum(not any(c.strip('"') for c in row) for row in table)  # a lone quotation mark opens an empty cell
    assert len(table) - blank <= rows.read <= len(table)
    assert np.isfinite(rows.values).all()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "kapok.db")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    folder.mkdir()
    return folder


def drop(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def take_in(store: Store, folder: Path, now: datetime = NOW) -> list[FileAccount]:
    return import_folder(store, TOWN, folder, now=now, late_after=LATE_AFTER, zone=ZONE)


def test_a_folder_is_read_in_order_of_name_and_each_file_once(store: Store, folder: Path) -> None:
    drop(folder, "b.csv", "thefts,440103,2026-11-24,9", "thefts,440103,2026-11-24,many")
    drop(folder, "a.csv", "thefts,440103,2026-11-24,3")

    accounts = take_in(store, folder)

    assert [(a.name, a.rows, a.accepted, a.corrected, a.quarantined) for a in accounts] == [
        ("a.csv", 1, 1, 0, 0),
        ("b.csv", 2, 1, 1, 1),
    ]
    assert take_in(store, folder) == []


def test_the_same_content_under_two_names_is_read_once(store: Store, folder: Path) -> None:
    drop(folder, "a.csv", "thefts,440103,2026-11-24,3")
    drop(folder, "copy of a.csv", "thefts,440103,2026-11-24,3")

    assert [account.name for account in take_in(store, folder)] == ["a.csv"]


def test_a_file_that_is_still_written_is_passed_over(store: Store, folder: Path) -> None:
    for name in (".a.csv", "a.csv.part", "a.csv.tmp", "Thumbs.db"):
        drop(folder, name, "thefts,440103,2026-11-24,3")
    (folder / "folder.csv").mkdir()

    assert take_in(store, folder) == []


def test_a_broken_file_is_a_notice_and_the_next_goes_on(store: Store, folder: Path) -> None:
    (folder / "a.csv").write_bytes("指标\n".encode("gb18030"))
    drop(folder, "b.csv", "thefts,440103,2026-11-24,3")

    broken, whole = take_in(store, folder)

    assert broken.error == (
        "a.csv: 不是 UTF-8 编码，请另存为“CSV UTF-8”，或写一个映射 / byte 3 is not UTF-8; save the file as 'CSV UTF-8'"
    )
    assert whole.accepted == 1
    assert [notice.about for notice in run.notices(store, NOW)] == ["a.csv"]
    assert [account.name for account in feed.files(store)] == ["b.csv"]


def test_a_broken_file_is_read_once_it_is_mended(store: Store, folder: Path) -> None:
    (folder / "a.csv").write_bytes(b"")
    take_in(store, folder)
    drop(folder, "a.csv", "thefts,440103,2026-11-24,3")

    assert [account.accepted for account in take_in(store, folder)] == [1]


def test_a_folder_that_cannot_be_listed_names_its_setting(store: Store, folder: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere: .*cannot be listed: .*; correct paths\.feeds"):
        take_in(store, folder / "nowhere")


def test_a_file_the_disk_has_no_room_for_is_not_half_stored(store: Store, folder: Path) -> None:
    drop(folder, "a.csv", *(f"losses,440103,{date.fromordinal(738000 + n)},{n}" for n in range(1500)))
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(StoreError, match="the disk is full"):
        take_in(store, folder)

    assert feed.files(store) == []
    assert observation.reported(store) == []
    store.rows(f"PRAGMA max_page_count = {pages + 1000}")
    assert [account.accepted for account in take_in(store, folder)] == [1500]


def test_progress_names_each_file_and_may_stop_between_two(store: Store, folder: Path) -> None:
    drop(folder, "a.csv", "thefts,440103,2026-11-24,3")
    drop(folder, "b.csv", "thefts,440104,2026-11-24,3")
    seen: list[tuple[str, int, int]] = []

    def stop(name: str, number: int, of: int) -> None:
        seen.append((name, number, of))
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(store, TOWN, folder, now=NOW, late_after=LATE_AFTER, zone=ZONE, progress=stop)

    assert seen == [("a.csv", 1, 2), ("b.csv", 2, 2)]
    assert [account.name for account in feed.files(store)] == ["a.csv"]
