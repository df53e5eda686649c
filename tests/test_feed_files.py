"""Text files and workbooks into tables, the hostile ones too; and which feed a file of the watched folder is of."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from feed_shapes import BY_INDICATOR, CALLS, LIWAN, LONG, SHAPES, feed, workbook
from hypothesis import given
from hypothesis import strategies as st

from warning.city import load_city
from warning.errors import SourceError
from warning.intake import import_folder
from warning.mapping import Feed
from warning.model import FileAccount, Indicator, Place
from warning.paths import shipped
from warning.sources import workbooks
from warning.sources.files import tables_of
from warning.sources.rows import Known
from warning.store import Store, open_store, quarantine
from warning.store import feed as feeds_of

CITY = load_city(shipped("city"))
NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
BOOK = SHAPES["two-header-lines"].content


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "kapok.db")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "feeds"
    made.mkdir()
    return made


def take_in(
    store: Store, folder: Path, *feeds: Feed, now: datetime = NOW, whole: bool = True, city: Known = CITY
) -> list[FileAccount]:
    known = {one.id: one for one in feeds}
    late = {"daily": 1, "weekly": 3, "monthly": 10}
    return import_folder(store, city, folder, now=now, late_after=late, zone=ZONE, feeds=known, whole=whole)


def grid(content: bytes) -> list[tuple[str, ...]]:
    (table,) = tables_of("a", content)
    return [line.cells for line in table.lines]


def answer(content: bytes) -> str:
    """Return what is said of a file: what was read of it, or why nothing was."""
    try:
        return str(tables_of("a", content))
    except SourceError as error:
        return str(error)


def book_of(sheet: str, **parts: str | bytes) -> bytes:
    """Return a workbook whose sheet is this XML."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("a", [["x"]], [])))) as good, zipfile.ZipFile(written, "w", 8) as bad:
        for part in good.infolist():
            own = sheet.encode() if part.filename == "xl/worksheets/sheet1.xml" else good.read(part)
            bad.writestr(part.filename, own)
        for name, content in parts.items():
            bad.writestr(name, content)
    return written.getvalue()


SHEET = (
    '<?xml version="1.0"?>{}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_file_is_the_same_in_every_encoding(encoding: str) -> None:
    assert grid("区,数量\r\n荔湾区,3\r\n".encode(encoding)) == [("区", "数量"), ("荔湾区", "3")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_below_a_title(delimiter: str) -> None:
    content = f"标题，甲\n区{delimiter}数量\n荔湾区{delimiter}3\n".encode()

    assert grid(content)[1:] == [("区", "数量"), ("荔湾区", "3")]


def test_a_lone_quotation_mark_swallows_no_other_row() -> None:
    content = '区,数量\n"荔湾区,3\n' + "越秀区,4\n" * 9

    assert grid(content.encode())[2:] == [("越秀区", "4")] * 9


def test_a_header_may_have_a_line_break() -> None:
    assert grid('区,"刑事\n警情"\n荔湾区,3\n'.encode()) == [("区", "刑事\n警情"), ("荔湾区", "3")]


def test_a_row_is_counted_as_a_spreadsheet_counts() -> None:
    (table,) = tables_of("a", '标题\n\n区,"数\n量"\n荔湾区,3\n'.encode())

    assert [line.number for line in table.lines] == [1, 3, 4]


def test_merged_texts_stand_in_every_cell_and_merged_numbers_in_one() -> None:
    content = workbook(("a", [["甲", None, 5, 1], [None, None, None, 2]], ["A1:B2", "C1:C2"]))

    assert grid(content) == [("甲", "甲", "5", "1"), ("甲", "甲", "", "2")]


def test_hidden_sheets_are_read_only_when_asked_for() -> None:
    book = workbook(("甲", [["x"]], []), ("乙", [["y"]], []))

    assert [table.sheet for table in tables_of("a", book)] == ["甲", "乙"]
    assert [table.sheet for table in tables_of("a", book, ["乙*"])] == ["乙"]
    with pytest.raises(SourceError, match="no sheet is called 丙; there are: 甲, 乙"):
        tables_of("a", book, ["丙"])


def test_no_formula_is_worked_out() -> None:
    assert grid(workbook(("a", [["x", "=1+1", '=WEBSERVICE("http://127.0.0.1/")']], []))) == [("x",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(b"\n\n,,\n", "the file is empty", id="blank"),
        pytest.param(b"\xff\xff\xff\xff", "neither UTF-8 nor GB18030", id="no-text"),
        pytest.param(b"\xd0\xcf\x11\xe0rest", "save it as .xlsx", id="old-workbook"),
        pytest.param(BOOK[:2000], "damaged", id="cut"),
        pytest.param(b"PK\x03\x04" + bytes(100), "damaged", id="no-archive"),
        pytest.param(
            book_of(SHEET.format("", '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>')),
            "reaches to row 1048576, column 16384",
            id="far-corner",
        ),
        pytest.param(book_of("<worksheet><sheetData><row"), "cannot be read|damaged|empty", id="cut-xml"),
        pytest.param(book_of(SHEET.format("", ""), **{"b.xml": bytes(500_000_000)}), "larger than 400 MB", id="bomb"),
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        tables_of("a", content)


def test_an_entity_of_another_file_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2", encoding="utf-8")
    doctype = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    content = book_of(SHEET.format(doctype, '<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>'))

    assert "hunter2" not in answer(content)


@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BOOK) - 1))
    content = BOOK[:at] + data.draw(st.binary(max_size=4)) + BOOK[at + data.draw(st.integers(0, 40)) :]

    assert answer(content)


@given(st.binary(max_size=300))
def test_no_content_is_too_strange_to_be_answered(content: bytes) -> None:
    assert answer(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_a_workbook_packed_as_none_is_stops_no_other_file(method: int) -> None:
    content = book_of(SHEET.format("", ""))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()

    for name in names:  # in the directory at the end of the archive, where a part's name follows 46 bytes of its entry
        at = content.rindex(name.encode()) - 36
        content = content[:at] + method.to_bytes(2, "little") + content[at + 2 :]

    assert "packed in a way that no .xlsx workbook is" in answer(content)


def test_what_lies_in_a_part_that_is_larger_than_it_says_is_not_read() -> None:
    content = book_of(SHEET.format("", '<row r="1"><c r="A1"><v>2</v></c></row>' + " " * 100_000))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size

    lying = content.replace(size.to_bytes(4, "little"), (400).to_bytes(4, "little"))

    with pytest.raises(SourceError, match="damaged"):
        workbooks.tables("a", lying)


def test_a_file_is_read_by_the_feed_that_claims_it_and_once(store: Store, folder: Path) -> None:
    shape = SHAPES["gb18030"]
    (folder / "警情-1.csv").write_bytes(shape.content)
    (folder / "other.csv").write_text(f"indicator,place,date,value\n{CALLS},{LIWAN},2026-11-21,4\n", encoding="utf-8")

    accounts = take_in(store, folder, shape.feed)

    assert [(one.feed, one.rows, one.accepted, one.unchanged) for one in accounts] == [
        ("csv", 1, 1, 0),
        ("police", 6, 5, 1),
    ]
    assert take_in(store, folder, shape.feed) == []


def test_a_mended_mapping_reads_the_file_again(store: Store, folder: Path) -> None:
    (folder / "警情.csv").write_bytes("事项,辖区,日期,数量\n打架,荔湾区,11/21,4\n".encode())

    (first,) = take_in(store, folder, feed(**LONG))
    (second,) = take_in(store, folder, feed(**LONG, codes={"indicator": {"打架": CALLS}}))

    assert (first.accepted, first.quarantined) == (0, 1)
    assert (second.accepted, second.quarantined) == (1, 0)
    assert quarantine.entries(store) == []
    assert [kept.note for kept in quarantine.entries(store, settled=True)] == ["映射改过后重新读入，以新的结果为准"]


def test_rows_put_aside_before_a_mapping_claimed_their_file_are_settled(store: Store, folder: Path) -> None:
    (folder / "警情.csv").write_text(f"indicator,place,date,value\n打架,{LIWAN},2026-11-21,4\n", encoding="utf-8")
    english = {name: name for name in ("indicator", "place", "date", "value")}

    (first,) = take_in(store, folder)
    (second,) = take_in(store, folder, feed(columns=english, codes={"indicator": {"打架": CALLS}}))

    assert (first.quarantined, second.accepted) == (1, 1)
    assert quarantine.entries(store) == []


def test_rows_of_another_content_stay_open_when_a_mapping_is_mended(store: Store, folder: Path) -> None:
    for name, kind in (("警情1.csv", "打架"), ("警情2.csv", "斗殴")):
        (folder / name).write_bytes(f"事项,辖区,日期,数量\n{kind},荔湾区,11/21,4\n".encode())

    take_in(store, folder, feed(**LONG))
    take_in(store, folder, feed(**LONG, codes={"indicator": {"打架": CALLS}}))

    assert [(kept.entry.file, kept.entry.value) for kept in quarantine.entries(store)] == [("警情2.csv", "斗殴")]


@pytest.mark.parametrize(
    ("name", "feeds", "said"),
    [
        pytest.param("日报.xlsx", [feed(**LONG)], "no feed in city/feeds/ claims it", id="nobody's-workbook"),
        pytest.param(
            "警情.csv",
            [feed(**LONG), feed(**{**LONG, "id": "other", "files": ["*.csv"]})],
            "claimed by police and other",
            id="two-owners",
        ),
        pytest.param("警情.csv", [feed(**BY_INDICATOR)], "no header was found", id="another-shape"),
        pytest.param("日报.txt", [feed(**LONG)], "no feed in city/feeds/ claims it", id="nobody's-text"),
        pytest.param("日报.zip", [feed(**LONG)], "no feed in city/feeds/ claims it", id="nobody's-archive"),
        pytest.param("日报", [feed(**LONG)], "no feed in city/feeds/ claims it", id="nobody's-and-nameless"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_stays_and_is_told(
    store: Store, folder: Path, name: str, feeds: list[Feed], said: str
) -> None:
    (folder / name).write_bytes("甲,乙\n1,2\n".encode())

    (account,) = take_in(store, folder, *feeds)

    assert said in (account.error or "")
    assert [file.name for file in feeds_of.refused(store)] == [name]


def changed(path: Path, before: timedelta) -> None:
    """Say that a file was changed so long before NOW."""
    instant = (NOW - before).timestamp()
    os.utime(path, (instant, instant))


def test_a_file_that_is_being_copied_is_read_when_it_rests(store: Store, folder: Path) -> None:
    shape = SHAPES["gb18030"]
    (folder / "警情.csv").write_bytes(shape.content[: len(shape.content) // 2])
    changed(folder / "警情.csv", timedelta(seconds=2))

    assert take_in(store, folder, shape.feed, whole=False) == []
    (folder / "警情.csv").write_bytes(shape.content)
    changed(folder / "警情.csv", timedelta())
    (account,) = take_in(store, folder, shape.feed, now=NOW + timedelta(minutes=5), whole=False)

    assert (account.rows, account.accepted, account.corrected) == (6, 6, 0)


def test_a_file_with_a_time_to_come_does_not_wait_for_it(store: Store, folder: Path) -> None:
    shape = SHAPES["gb18030"]
    (folder / "警情.csv").write_bytes(shape.content)
    changed(folder / "警情.csv", -timedelta(days=30))

    (account,) = take_in(store, folder, shape.feed, whole=False)

    assert account.accepted == 6


@dataclass
class Meanwhile:
    """A city during whose first look at a file the sender writes on."""

    path: Path
    content: bytes

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        self.path.write_bytes(self.content)
        return CITY.indicators

    @property
    def places(self) -> Mapping[str, Place]:
        return CITY.places

    @property
    def grids(self) -> Mapping[str, str]:
        return CITY.grids


def test_of_a_file_that_changes_while_it_is_read_nothing_is_stored(store: Store, folder: Path) -> None:
    shape = SHAPES["gb18030"]
    (folder / "警情.csv").write_bytes(shape.content[: len(shape.content) // 2])
    city = Meanwhile(folder / "警情.csv", shape.content)

    first = take_in(store, folder, shape.feed, city=city)
    (second,) = take_in(store, folder, shape.feed)

    assert first == []
    assert (second.rows, second.accepted, second.corrected) == (6, 6, 0)


@pytest.mark.parametrize(("age", "told"), [(timedelta(hours=2), []), (timedelta(days=2), ["警情.xlsx.part"])])
def test_a_copy_that_is_never_finished_is_told(store: Store, folder: Path, age: timedelta, told: list[str]) -> None:
    (folder / "警情.xlsx.part").write_bytes(b"PK")
    changed(folder / "警情.xlsx.part", age)

    accounts = take_in(store, folder, feed(**LONG), whole=False)

    assert [account.name for account in accounts] == told
    assert all("never finished" in (account.error or "") for account in accounts)


def test_a_folder_with_files_of_a_feed_is_told(store: Store, folder: Path) -> None:
    for name in ("市公安局", "answers"):
        (folder / name).mkdir()
    (folder / "市公安局" / "警情.csv").write_bytes(SHAPES["gb18030"].content)
    (folder / "answers" / "labels.csv").write_text("a,b", encoding="utf-8")

    (account,) = take_in(store, folder, feed(**LONG))

    assert (account.name, "a folder, whose files are not read" in (account.error or "")) == ("市公安局", True)


def test_hidden_files_and_what_a_spreadsheet_locks_with_are_left_alone(store: Store, folder: Path) -> None:
    for name in (".警情.csv.swp", "~$警情.xlsx", "警情.tmp"):
        (folder / name).write_bytes(b"1")

    assert take_in(store, folder, feed(**LONG)) == []


def test_files_whose_names_say_the_date_may_be_alike(store: Store, folder: Path) -> None:
    said = feed(layout="indicators", columns={"place": "辖区", "date": "@file"})
    for day in (20, 21):
        (folder / f"警情202611{day}.csv").write_text("辖区,刑事警情数\n荔湾区,3\n", encoding="utf-8")

    accounts = take_in(store, folder, said)

    assert [(account.accepted, account.first) for account in accounts] == [
        *((1, date(2026, 11, day)) for day in (20, 21)),
    ]
    assert take_in(store, folder, said) == []
