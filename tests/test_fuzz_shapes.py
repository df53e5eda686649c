"""Files as departments send them, spoilt: workbooks and texts that a mapping reads, by the laws of all feeds."""

from __future__ import annotations

import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from feed_shapes import BY_INDICATOR, CALLS, FIRES, FRIDAY, LIWAN, SHAPES, Shape, feed
from test_fuzz_feeds import SPOILS, Mutation, noise

from warning import mending
from warning.city import load_city
from warning.intake import import_folder
from warning.model import FileAccount, SeriesKey
from warning.paths import shipped
from warning.store import Store, observation, open_store, quarantine, run

CITY = load_city(shipped("city"))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
TEXTS, BOOKS = (
    sorted(name for name, shape in SHAPES.items() if shape.name.endswith(".xlsx") is book) for book in (False, True)
)
WORDS = [
    *(
        "12起",
        "-3",
        "1,200",
        "42%",
        "=1+1",
        "@SUM(A1)",
        "1e999",
        "nan",
        "无",
        "合计",
        "某地",
        "荔湾",
        "11/31",
        "2099-01-01",
    ),
    *(
        "0",
        "46346.5",
        "x" * 50_000,
        "\u2028",
        "😀",
        "\ufffe",
        "_x0000_",
        "&amp;#0;",
        "姓名",
        "2026年13月1日",
        " ",
        "1_000",
    ),
]

Part = Callable[[random.Random, bytes], bytes]


def in_parts(change: Part) -> Mutation:
    """A mutation of one part of a workbook, which stays an archive."""

    def mutate(chance: random.Random, content: bytes) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                parts = {part.filename: book.read(part) for part in book.infolist()}
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            OSError,
            RuntimeError,
            EOFError,
            ValueError,
        ):  # spoilt before
            return content
        chosen = chance.choice([name for name in parts if name.endswith(".xml")] or sorted(parts))
        parts[chosen] = change(chance, parts[chosen])
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as book:
            for name, part in parts.items():
                book.writestr(name, part)
        return written.getvalue()

    return mutate


def other_method(chance: random.Random, content: bytes) -> bytes:
    """Say of every part that it is packed by another method than it is."""
    method = chance.choice((0, 1, 9, 12, 14, 93, 99)).to_bytes(2, "little")
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content = re.sub(re.escape(mark) + b".{%d}" % (at - 4), lambda found: found[0] + b"@@", content, flags=re.S)
        content = re.sub(b"@@..", method, content, flags=re.S)
    return content


def other_value(chance: random.Random, part: bytes) -> bytes:
    """Put some word in the stead of some text between two tags."""
    places = [match.span(1) for match in re.finditer(rb">([^<>]+)<", part)]
    if not places:
        return part
    first, last = chance.choice(places)
    return part[:first] + chance.choice(WORDS).encode("utf-8", "replace") + part[last:]


def other_attribute(chance: random.Random, part: bytes) -> bytes:
    places = [match.span(1) for match in re.finditer(rb'="([^"<>]*)"', part)]
    if not places:
        return part
    first, last = chance.choice(places)
    value = chance.choice(
        [b"", b"0", b"-1", b"A1", b"XFD1048576", b"A0", b"s", b"str", b"e", b"d", b"99999999999", b"\xff"]
    )
    return part[:first] + value + part[last:]


def without_a_tag(chance: random.Random, part: bytes) -> bytes:
    places = [match.span() for match in re.finditer(rb"<[^<>]+>", part)]
    if not places:
        return part
    first, last = chance.choice(places)
    return part[:first] + part[last:]


BOOK_SPOILS: dict[str, Mutation] = {
    "cut-end": SPOILS["cut-end"],
    "cut-begin": SPOILS["cut-begin"],
    "noise": noise,
    "text-before": lambda chance, content: b"\r\n" * 3 + content,
    "text-behind": lambda chance, content: content + b"\0" * 100,
    "twice": lambda chance, content: content + content,
    "method": other_method,
    "value": in_parts(other_value),
    "values": in_parts(lambda chance, part: other_value(chance, other_value(chance, other_value(chance, part)))),
    "attribute": in_parts(other_attribute),
    "tag": in_parts(without_a_tag),
    "part-noise": in_parts(noise),
    "part-empty": in_parts(lambda chance, part: b""),
    "part-cut": in_parts(lambda chance, part: part[: chance.randint(0, len(part))]),
    "part-nul": in_parts(lambda chance, part: part.replace(b"</", b"\0</", 1)),
    "part-utf16": in_parts(lambda chance, part: part.decode("utf-8", "replace").encode("utf-16")),
    "entity": in_parts(
        lambda chance, part: (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + part.replace(b"</t>", b"&e;</t>", 1)
        )
    ),
    "laughs": in_parts(
        lambda chance, part: (
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "'
            + b"&a;" * 1000
            + b'"><!ENTITY c "'
            + b"&b;" * 1000
            + b'">]>'
            + part.replace(b"</t>", b"&c;</t>", 1)
        )
    ),
    "deep": in_parts(lambda chance, part: b"<a>" * 20_000 + part),
}


def spoilt(number: int) -> tuple[str, Shape, bytes]:
    """Return the mutated file of a number, the same whenever asked; how it was mutated, and its shape."""
    chance = random.Random(number)
    book = number % 3 != 0
    shape = SHAPES[chance.choice(BOOKS if book else TEXTS)]
    spoils = BOOK_SPOILS if book else SPOILS
    names, content = chance.sample(sorted(spoils), chance.choice((1, 1, 2))), shape.content
    for name in names:
        content = spoils[name](chance, content)
    return "+".join(names), shape, content


def take(store: Store, folder: Path, shape: Shape) -> list[FileAccount]:
    zone, feeds = ZoneInfo("Asia/Shanghai"), {shape.feed.id: shape.feed}
    return import_folder(store, CITY, folder, now=NOW, late_after=LATE_AFTER, zone=zone, feeds=feeds)


def fuzz(folder: Path, numbers: range) -> tuple[int, int]:
    """Read spoilt files, each in a folder and a database of a few; return how many were read and refused."""
    read = refused = 0
    for number in numbers:
        how, shape, content = spoilt(number)
        feeds = folder / str(number)
        feeds.mkdir()
        (feeds / shape.name).write_bytes(content)
        with closing(open_store(folder / f"{number // 50}-{shape.feed.layout}.db")) as store:
            before = dict(counted(store))
            accounts = take(store, feeds, shape)
            after = dict(counted(store))
            if not accounts:  # the same content as an earlier file's
                assert after == before, f"{number} {how}"
                continue
            (account,) = accounts
            if account.error is not None:
                refused += 1
                assert account.error.startswith((f"{shape.name}: ", f"{shape.name}, sheet ")), f"{number} {how}"
                assert shape.name in {notice.about for notice in run.notices(store, NOW - timedelta(days=1))}
                assert after == before, f"{number} {how}"
                continue
            read += 1
            assert account.rows == account.accepted + account.unchanged + account.quarantined, f"{number} {how}"
            assert after["observation"] - before["observation"] == account.accepted, f"{number} {how}"
            assert after["quarantine"] - before["quarantine"] == account.quarantined, f"{number} {how}"
            assert take(store, feeds, shape) == [], f"{number} {how}"
            assert all(kept.entry.reason for kept in quarantine.entries(store, settled=True, limit=10**6))
    return read, refused


def counted(store: Store) -> list[tuple[str, int]]:
    return [
        (table, store.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
        for table in ("observation", "quarantine")
    ]


def test_two_faults_in_one_row_of_a_wide_table_are_two_cells_put_aside_and_each_can_be_fixed(tmp_path: Path) -> None:
    (tmp_path / "警情.csv").write_text(
        "辖区,日期,刑事警情数,火灾警情数\n荔湾区,11/20,many,few\n越秀区,11/20,5,6\n", encoding="utf-8"
    )
    shape = Shape("警情.csv", b"", feed(**BY_INDICATOR))

    with closing(open_store(tmp_path / "kapok.db")) as store:
        (account,) = take(store, tmp_path, shape)
        ids = [kept.id for kept in quarantine.entries(store)]
        fixed = mending.fix(
            *(store, CITY, ids[1], {"value": "2"}), now=NOW, late_after=LATE_AFTER, zone=ZoneInfo("Asia/Shanghai")
        )
        (revision,) = observation.revisions(store, SeriesKey(FIRES, LIWAN), FRIDAY)

    assert (account.rows, account.accepted, account.quarantined) == (4, 2, 2)
    assert ids == ["1-2", "1-2-2"]
    assert (fixed.accepted, revision.value) == (1, 2.0)


def test_a_cell_whose_place_is_fixed_is_taken_in_with_its_unit(tmp_path: Path) -> None:
    (tmp_path / "警情.csv").write_text("辖区,日期,刑事警情数\n某地,11/20,1.2\n", encoding="utf-8")
    shape = Shape("警情.csv", b"", feed(**BY_INDICATOR, factors={CALLS: 10_000}))

    with closing(open_store(tmp_path / "kapok.db")) as store:
        take(store, tmp_path, shape)
        mending.fix(
            *(store, CITY, "1-2", {"place": LIWAN}), now=NOW, late_after=LATE_AFTER, zone=ZoneInfo("Asia/Shanghai")
        )
        (revision,) = observation.revisions(store, SeriesKey(CALLS, LIWAN), FRIDAY)

    assert revision.value == 12_000


def test_seven_hundred_spoilt_files_of_departments_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    read, refused = fuzz(tmp_path, range(700))

    assert read >= 175
    assert refused >= 175


@pytest.mark.soak
def test_thousands_of_spoilt_files_of_departments_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    read, refused = fuzz(tmp_path, range(10_000, 14_000))

    assert read >= 1000
    assert refused >= 1000
