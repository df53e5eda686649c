"""Files of events, spoilt: none is a crash, every row is accounted for, and nothing personal is ever kept or said."""

from __future__ import annotations

import io
import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from event_city import HEADER, STREETS, feed, increments, lay
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from test_fuzz_feeds import SPOILS as OF_TEXTS
from test_fuzz_feeds import Mutation, cell, some_line
from test_fuzz_shapes import BOOK_SPOILS

from warning.city import City, load_city
from warning.intake import import_folder
from warning.mapping import Feed
from warning.model import FileAccount
from warning.store import Store, open_store, quarantine, run

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
DAYS, NEW = feed(), increments()
WHOSE = ("13912345678", "440103198501011234", "11010119900307803X", "137****5678")  # nobody's
TABLES = ("feed_file", "observation", "quarantine", "tally")


def column(header: str, value: str) -> Mutation:
    """Put a column behind the others."""

    def mutate(chance: random.Random, content: bytes) -> bytes:
        first, *rest = content.decode("utf-8", "replace").split("\n")
        lines = [f"{first},{header}", *(f"{line},{value}" if line else "" for line in rest)]
        return "\n".join(lines).encode()

    return mutate


TEXT_SPOILS: dict[str, Mutation] = {
    **OF_TEXTS,
    **{f"whose-{n}": cell(number) for n, number in enumerate(WHOSE)},
    **{f"whose-{n}-in-words": cell(f"报警人某某{number}来电") for n, number in enumerate(WHOSE)},
    **{
        f"cell-of-events-{n}": cell(text)
        for n, text in enumerate(["010101-1", "昨天", "2099-01-01", "24:61", "撤销", "*"])
    },
    "a-name": column("上报人", "某某"),
    "a-number": column("编号", WHOSE[0]),
    "a-column": column("备用", "1"),
    "a-column-without-a-name": column("", "1"),
    "header-spoilt": lambda chance, content: content.replace("类别".encode(), "類別".encode(), 1),
    "story": some_line(lambda chance, line: line.replace("盗窃".encode(), ("某户与邻居争吵" * 20).encode())),
    "every-row-twice": lambda chance, content: b"\n".join(line + b"\n" + line for line in content.split(b"\n")),
}


def events(chance: random.Random) -> list[list[str]]:
    rows = []
    for _ in range(chance.randint(20, 160)):
        grid = f"{chance.choice(STREETS)}-{chance.randint(1, 9)}"
        second = chance.randrange(86_400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        day = chance.choice((20, 21, 22, 23))
        rows.append(
            [grid, f"2026-11-{day} {clock}", chance.choice(("盗窃", "火灾", "噪声")), chance.choice(("按期", ""))]
        )
    return rows


def text(rows: list[list[str]]) -> bytes:
    return "\n".join([HEADER, *map(",".join, rows), ""]).encode()


def book(rows: list[list[str]]) -> bytes:
    found = Workbook()
    for row in [HEADER.split(","), *rows]:
        found.active.append(row)
    written = io.BytesIO()
    found.save(written)
    return written.getvalue()


def spoilt(number: int) -> tuple[str, str, Feed, bytes]:
    """Return the mutated file of a number, the same whenever asked: how it was mutated, its name and its mapping."""
    chance = random.Random(number)
    is_book = number % 4 == 0
    content = (book if is_book else text)(events(chance))
    spoils = BOOK_SPOILS if is_book else TEXT_SPOILS
    names = chance.sample(sorted(spoils), chance.choice((1, 1, 2, 3)))
    for name in names:
        content = spoils[name](chance, content)
    return "+".join(names), "网格.xlsx" if is_book else "网格.csv", chance.choice((DAYS, DAYS, NEW)), content


def take(store: Store, city: City, folder: Path, mapping: Feed) -> list[FileAccount]:
    return import_folder(store, city, folder, now=NOW, late_after=LATE_AFTER, zone=ZONE, feeds={"grid": mapping})


def counted(store: Store) -> dict[str, int]:
    return {table: store.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def fuzz(folder: Path, numbers: range) -> tuple[int, int]:
    """Read spoilt files, some dozens of them into a database; return how many were read and refused."""
    lay(folder)
    city = load_city(folder / "city")
    read = refused = 0
    for number in numbers:
        how, name, mapping, content = spoilt(number)
        sent = folder / str(number)
        sent.mkdir()
        (sent / name).write_bytes(content)
        database = folder / f"{number // 40}-{mapping is DAYS}.db"
        with closing(open_store(database)) as store:
            before = counted(store)
            accounts = take(store, city, sent, mapping)
            after = counted(store)
            if not accounts:  # the same content as an earlier file's
                assert after == before, f"{number} {how}"
                continue
            (account,) = accounts
            if account.error is not None:
                refused += 1
                assert account.error.startswith((f"{name}: ", f"{name}, sheet ")), f"{number} {how}"
                assert not any(one in account.error for one in WHOSE), f"{number} {how}"
                assert name in {notice.about for notice in run.notices(store, NOW - timedelta(days=1))}
                assert after == before, f"{number} {how}"
                continue
            read += 1
            assert account.rows == account.accepted + account.unchanged + account.quarantined, f"{number} {how}"
            assert after["quarantine"] - before["quarantine"] == account.quarantined, f"{number} {how}"
            assert after["feed_file"] - before["feed_file"] == 1, f"{number} {how}"
            assert take(store, city, sent, mapping) == [], f"{number} {how}"
            kept = quarantine.entries(store, settled=True, limit=10**6)
            assert all(one.entry.reason and len(one.entry.value) <= 40 for one in kept), f"{number} {how}"
    for database in folder.glob("*.db"):
        written = b"".join(path.read_bytes() for path in folder.glob(f"{database.name}*"))
        assert not any(one.encode() in written for one in WHOSE), database.name
    return read, refused


def test_three_hundred_spoilt_files_of_events_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    read, refused = fuzz(tmp_path, range(300))

    assert read >= 75
    assert refused >= 75


@pytest.mark.soak
def test_thousands_of_spoilt_files_of_events_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    read, refused = fuzz(tmp_path, range(1000, 3500))

    assert read >= 800
    assert refused >= 800


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("town")
    lay(folder)
    return load_city(folder / "city")


any_cell = st.one_of(
    st.sampled_from(["010101-1", "9", "2026-11-20", "2026-11-20 10:11:12", "盗窃", "按期", "", '"', *WHOSE]),
    st.text(max_size=12),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(any_cell, min_size=1, max_size=6), max_size=12),
    st.sampled_from([HEADER, "时间,网格,结果,类别", f"{HEADER},姓名", "时间,类别", ""]),
    st.binary(max_size=8),
    st.booleans(),
)
def test_any_table_and_any_bytes_behind_it_are_accounted_for(
    city: City, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], header: str, rest: bytes, adds: bool
) -> None:
    folder = tmp_path_factory.mktemp("table")
    (folder / "feeds").mkdir()
    content = "\n".join([header, *map(",".join, rows)]).encode("utf-8", "surrogatepass") + rest
    (folder / "feeds" / "网格.csv").write_bytes(content)

    with closing(open_store(folder / "kapok.db")) as store:
        (account,) = take(store, city, folder / "feeds", NEW if adds else DAYS)
        after = counted(store)
        tallied = store.rows("SELECT coalesce(sum(events), 0) FROM tally")[0][0]

    assert account.rows == account.accepted + account.unchanged + account.quarantined
    assert after["quarantine"] == account.quarantined
    assert tallied == account.accepted
    if account.error is not None:
        assert set(after.values()) == {0}
