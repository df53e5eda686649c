"""Files as they should never be: none is a crash, no row of any is lost, and what cannot be read says why."""

from __future__ import annotations

import csv
import gzip
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import EAST, FRIDAY, SATURDAY, WEST, at, deliver, lay, past, set_clock, usual

from warning.city import load_city
from warning.errors import StoreError
from warning.intake import import_folder
from warning.jobs import take_in
from warning.model import FileAccount, Indicator, Place
from warning.service import open_service
from warning.store import Store, feed, open_store, quarantine, run

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
HEADER = "indicator,place,date,value"
REAL = Path(__file__).parents[2] / "shared" / "data" / "municipal"  # beside the checkout, where it is there
NOBODY = 65534

Lines = list[bytes]
Mutation = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Town:
    """What the files are checked against."""

    indicators: dict[str, Indicator]
    places: dict[str, Place]
    grids: Mapping[str, str] = field(default_factory=dict)


def little_town(folder: Path) -> Town:
    lay(folder, history=False)
    city = load_city(folder / "city")
    return Town(dict(city.indicators), dict(city.places))


def native(records: Iterator[tuple[str, str, str, str]]) -> bytes:
    return "\n".join([HEADER, *(",".join(record) for record in records), ""]).encode()


def originals(town: Town) -> list[bytes]:
    """Whole files: of the little city, and of real ones where they are there; their names are added to the town."""
    cells = past()
    files = [native((i, p, str(d), f"{v:g}") for i, p, d, v in cells[n : n + 60]) for n in range(0, 600, 60)]
    pattern = next(iter(town.indicators.values()))
    for name, (indicator, place, day, value) in {
        "nyc_complaints_daily.csv.gz": ("category", "district", "date", "count"),
        "rio_police_monthly.csv.gz": ("category", "CISP", "date", "count"),
        "us_cities_weekly.csv.gz": ("category", "area", "date", "count"),
    }.items():
        if not (REAL / name).exists():
            continue
        with gzip.open(REAL / name, "rt", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for _ in range(10):
                rows = list(islice(reader, 60))
                files.append(native((f'"{r[indicator]}"', f'"{r[place]}"', r[day], r[value]) for r in rows))
                for row in rows:
                    town.indicators[row[indicator]] = pattern
                    town.places[row[place]] = Place(row[place], row[place], row[place], "district", None)
    return files


def some_line(change: Callable[[random.Random, bytes], bytes]) -> Mutation:
    """A mutation of one line that is not the header."""

    def mutate(chance: random.Random, content: bytes) -> bytes:
        lines = content.split(b"\n")
        n = chance.randrange(1, max(2, len(lines)))
        return b"\n".join([*lines[:n], *(change(chance, line) for line in lines[n : n + 1]), *lines[n + 1 :]])

    return mutate


def in_line(piece: bytes) -> Mutation:
    """Put a piece somewhere into a line."""

    def change(chance: random.Random, line: bytes) -> bytes:
        at = chance.randint(0, len(line))
        return line[:at] + piece + line[at:]

    return some_line(change)


def cell(text: str) -> Mutation:
    """Put a text in the stead of some cell."""

    def change(chance: random.Random, line: bytes) -> bytes:
        cells = line.split(b",")
        cells[chance.randrange(len(cells))] = text.encode("utf-8", "surrogatepass")
        return b",".join(cells)

    return some_line(change)


def recoded(encoding: str) -> Mutation:
    return lambda chance, content: content.decode("utf-8", "replace").encode(encoding, "replace")


def shuffled(chance: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def columns_shuffled(chance: random.Random, content: bytes) -> bytes:
    order = chance.sample(range(4), 4)
    return b"\n".join(
        b",".join(cells[n] for n in order) if len(cells := line.split(b",")) == 4 else line
        for line in content.split(b"\n")
    )


def noise(chance: random.Random, content: bytes) -> bytes:
    spoilt = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        if spoilt:
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


SPOILS = {
    **{
        f"cell-{n}": cell(text)
        for n, text in enumerate(
            [
                *(
                    "=cmd|'/c calc'!A1",
                    "@SUM(1,2)",
                    "+1",
                    "-0",
                    "1e308",
                    "1e309",
                    "-1e-400",
                    "inf",
                    "nan",
                    "0x10",
                    "１２",
                ),
                *("1,200", "12起", "42%", "无", "—", "", " ", "\t", "NULL", "#REF!", "<b>", "';DROP TABLE series;--"),
                *("2026-02-30", "9999-12-31", "0000-00-00", "2026/11/20", "2026年11月20日", "45000", "２０２６-11-20"),
                *(
                    "\ufeff",
                    "\u2028",
                    "\u202e",
                    "\x0b",
                    "\x0c",
                    "\x1a",
                    "\ud800",
                    "😀",
                    "e\u0301",
                    "\\",
                    "\\n",
                    '""',
                    '"a""b"',
                ),
                *("9" * 400, "x" * 5000, "，", "；", "'", '"', '"unclosed', "{{ 7*7 }}", "%s%n", "../../etc/passwd"),
            ]
        )
    },
    "nul": in_line(b"\0"),
    "nul-row": some_line(lambda chance, line: b"\0" * 50),
    "not-utf8": in_line(b"\xff\xfe"),
    "comma": in_line(b","),
    "quote": in_line(b'"'),
    "return": in_line(b"\r"),
    "long-quoted": some_line(lambda chance, line: b'"' + b"y" * 140_000 + b'",' + line),
    "gbk-line": some_line(lambda chance, line: "白云区,盗窃,十二".encode("gb18030")),
    "header-again": some_line(lambda chance, line: HEADER.encode()),
    "line-twice": some_line(lambda chance, line: line + b"\n" + line),
    "cut-end": lambda chance, content: content[: chance.randint(0, len(content))],
    "cut-begin": lambda chance, content: content[chance.randint(0, len(content)) :],
    "shuffled": shuffled,
    "columns": columns_shuffled,
    "noise": noise,
    "twice": lambda chance, content: content + content,
    "crlf": lambda chance, content: content.replace(b"\n", b"\r\n"),
    "cr": lambda chance, content: content.replace(b"\n", b"\r"),
    "semicolons": lambda chance, content: content.replace(b",", b";"),
    "no-commas": lambda chance, content: content.replace(b",", b""),
    "zip": lambda chance, content: b"PK\x03\x04" + content,
    "page": lambda chance, content: b"<!DOCTYPE html><title>502 Bad Gateway</title>",
    "xml": lambda chance, content: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>\n' + content,
    **{
        name: recoded(name)
        for name in ("gb18030", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "big5", "ascii", "cp037", "utf-7")
    },
}


def spoilt(number: int, files: list[bytes]) -> tuple[str, bytes]:
    """Return the mutated file of a number, the same whenever asked, and how it was mutated."""
    chance = random.Random(number)
    names, content = chance.sample(sorted(SPOILS), chance.choice((1, 1, 2, 3))), chance.choice(files)
    for name in names:
        content = SPOILS[name](chance, content)
    return "+".join(names), content


def least_and_most(content: bytes) -> tuple[int, int]:
    """How many rows a file has at least and at most, by its lines alone."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")[1:]
    return sum(any(map(str.isalnum, line)) for line in lines), sum(line != "" for line in lines)


def check_folder(store: Store, town: Town, folder: Path, contents: dict[str, tuple[str, bytes]]) -> None:
    """Read a folder of spoilt files, and see that each is accounted for."""
    for name, (_, content) in contents.items():
        (folder / name).write_bytes(content)

    accounts = {account.name: account for account in take(store, town, folder)}
    again = {account.name: account for account in take(store, town, folder)}

    told = {notice.about for notice in run.notices(store, NOW - timedelta(days=1))}
    distinct: set[bytes] = set()
    for name, (how, content) in contents.items():
        account = accounts.get(name)
        if account is None:
            assert content in distinct, f"{name} {how}: passed over in silence"
            continue
        if account.error is not None:
            assert account.error.startswith(f"{name}: "), f"{name} {how}"
            assert name in told, f"{name} {how}"
            assert again[name].error == account.error, f"{name} {how}"
            continue
        distinct.add(content)
        least, most = least_and_most(content)
        assert account.rows == account.accepted + account.unchanged + account.quarantined, f"{name} {how}"
        assert least <= account.rows <= most, f"{name} {how}"
        assert name not in again, f"{name} {how}"
    read = [account for account in accounts.values() if account.error is None]
    assert store.row("SELECT count(*) FROM observation") == (sum(account.accepted for account in read),)
    assert sum(quarantine.states(store).values()) == sum(account.quarantined for account in read)
    kept = quarantine.entries(store, settled=True, limit=10**6)
    assert all(entry.entry.reason and len(entry.entry.value) <= 200 for entry in kept)


def take(store: Store, town: Town, folder: Path) -> list[FileAccount]:
    return import_folder(store, town, folder, now=NOW, late_after=LATE_AFTER, zone=ZONE)


def fuzz(folder: Path, numbers: range, at_once: int = 50) -> None:
    town = little_town(folder)
    files = originals(town)
    for first in range(numbers.start, numbers.stop, at_once):
        base = folder / str(first)
        (base / "feeds").mkdir(parents=True)
        contents = {f"{n}.csv": spoilt(n, files) for n in range(first, min(first + at_once, numbers.stop))}
        with closing(open_store(base / "kapok.db")) as store:
            check_folder(store, town, base / "feeds", contents)


def test_fourteen_hundred_spoilt_files_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    fuzz(tmp_path, range(1400))


@pytest.mark.soak
def test_thousands_of_spoilt_files_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    fuzz(tmp_path, range(10_000, 20_000))


@pytest.mark.parametrize("name", sorted(SPOILS))
def test_a_fault_in_one_row_costs_no_other(tmp_path: Path, name: str) -> None:
    """Of a file of distinct rows, one of which is spoilt, all others are accepted; or the file says why it is none."""
    town = little_town(tmp_path)
    content = native((i, p, str(d), f"{v:g}") for i, p, d, v in past()[:60])
    spoilt = SPOILS[name](random.Random(3), content)
    one_row = len(set(content.split(b"\n")) - set(spoilt.split(b"\n"))) <= 1 and spoilt.startswith(HEADER.encode())
    (tmp_path / "feeds" / "a.csv").write_bytes(spoilt)

    with closing(open_store(tmp_path / "kapok.db")) as store:
        (account,) = take(store, town, tmp_path / "feeds")

    if one_row and account.error is None:
        assert account.accepted >= 59
    if account.error is not None:
        assert account.rows == 0


any_cell = st.one_of(
    st.sampled_from(["thefts", "campus", EAST, WEST, str(FRIDAY), "2026-11-16", "7", "-7", "1.5", "", '"']),
    st.text(max_size=12),
)
tables = st.lists(st.lists(any_cell, min_size=1, max_size=6), max_size=12)


@given(
    tables, st.sampled_from([HEADER, f"{HEADER},received_at", "place,value,indicator,date", ""]), st.binary(max_size=8)
)
def test_any_table_and_any_bytes_behind_it_are_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], header: str, rest: bytes
) -> None:
    folder = tmp_path_factory.mktemp("table")
    town = little_town(folder)
    text = "\n".join([header, *(",".join(row) for row in table)])
    content = text.encode("utf-8", "surrogatepass") + rest

    with closing(open_store(folder / "kapok.db")) as store:
        check_folder(store, town, folder / "feeds", {"a.csv": ("any", content)})


@pytest.mark.parametrize("column", range(4))
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("size", [200_000, pytest.param(100_000_000, marks=pytest.mark.soak)])
def test_a_cell_of_any_size_costs_its_row_only(tmp_path: Path, size: int, quoted: bool, column: int) -> None:
    town = little_town(tmp_path)
    cells = ["thefts", EAST, "2026-11-19", "12"]
    cells[column] = f'"{"9" * size}"' if quoted else "9" * size
    rows = [f"thefts,{EAST},2026-11-18,1", ",".join(cells), f"thefts,{EAST},2026-11-20,3"]
    (tmp_path / "feeds" / "a.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")

    with closing(open_store(tmp_path / "kapok.db")) as store:
        (account,) = take(store, town, tmp_path / "feeds")
        (kept,) = quarantine.entries(store)

    assert (account.rows, account.accepted, account.quarantined) == (3, 2, 1)
    assert (kept.entry.row, len(kept.entry.value)) == (3, 200)


@dataclass(frozen=True)
class Content:
    """What was read, without the instants."""

    files: list[tuple[str, int, int, int, int]]
    observations: list[tuple[int, int, int, float, int]]
    quarantined: int


def content_of(database: Path) -> Content:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return Content(
            connection.execute(
                "SELECT name, rows, accepted, unchanged, quarantined FROM feed_file ORDER BY id"
            ).fetchall(),
            connection.execute(
                "SELECT series_id, day, revision, value, feed FROM observation ORDER BY series_id, day, revision"
            ).fetchall(),
            connection.execute("SELECT count(*) FROM quarantine").fetchone()[0],
        )


def kapok_import(folder: Path, *, most: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``kapok import``; ``most`` bytes may be in any file it writes, as on a disk that is full."""

    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    command = [sys.executable, "-m", "warning", "import", "--config", str(folder / "config.toml")]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        preexec_fn=limit,
    )


def many_days(folder: Path, days: int = 6) -> None:
    """Deliver a file a day, the last of them large, with a row that cannot be used in each."""
    first = FRIDAY - timedelta(days=days)
    for n in range(days):
        extra = f"thefts,{EAST},{FRIDAY},many {n}\n"
        cells = past() if n == days - 1 else usual(first + timedelta(days=n))
        deliver(folder, f"{n:02}.csv", cells, extra=extra)


@pytest.mark.parametrize(
    "room",
    [
        pytest.param(30_000, id="for-some-files"),
        pytest.param(4_096, id="for-none", marks=pytest.mark.soak),
        pytest.param(60_000, id="in-the-large-one", marks=pytest.mark.soak),
        pytest.param(120_000, id="in-the-large-one-later", marks=pytest.mark.soak),
    ],
)
def test_a_disk_that_is_full_in_the_middle_of_an_import_leaves_whole_files_only(tmp_path: Path, room: int) -> None:
    full, never = tmp_path / "full", tmp_path / "never"
    for folder in (full, never):
        lay(folder, history=False)
        open_store(folder / "kapok.db").close()
        many_days(folder)
        set_clock(folder, at(SATURDAY, "07:30"))
    size = (full / "kapok.db").stat().st_size

    stopped = kapok_import(full, most=room)
    between = content_of(full / "kapok.db")
    after = kapok_import(full)
    assert kapok_import(never).returncode == 0

    assert stopped.returncode == 2, (size, stopped.stdout)
    assert "Traceback" not in stopped.stderr
    assert "数据库无法使用" in stopped.stderr
    expected = content_of(never / "kapok.db")
    assert between.files == expected.files[: len(between.files)]
    assert sum(accepted for _, _, accepted, _, _ in between.files) == len(between.observations)
    assert sum(aside for *_, aside in between.files) == between.quarantined
    assert after.returncode == 0
    assert content_of(full / "kapok.db") == expected


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Act as a user without rights, who owns a folder."""
    root = os.geteuid() == 0
    if root:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_becomes_read_only_in_the_middle_of_an_import_leaves_whole_files_only() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = lay(folder, history=False)
        many_days(folder)

        def closes(file: str, number: int, total: int) -> None:
            if number == 3:
                deliver(folder, "06.csv", usual(FRIDAY))
                for path in folder.glob("kapok.db*"):
                    path.chmod(0o444)
                folder.chmod(0o555)

        with as_nobody(folder):
            with open_service(config) as service:
                try:
                    take_in(service, at(SATURDAY, "07:30"), progress=closes)
                except StoreError as error:
                    assert "may be read but not written" in str(error)  # noqa: PT017 - SQLite may have its files open
            with pytest.raises(StoreError, match="may be read but not written"), open_service(config) as service:
                take_in(service, at(SATURDAY, "07:30"))
            folder.chmod(0o755)
            for path in folder.glob("kapok.db*"):
                path.chmod(0o644)
            with open_service(config) as service:
                between = feed.files(service.store)
                take_in(service, at(SATURDAY, "07:30"))
                files = feed.files(service.store)

    assert len(between) >= 2
    assert sorted(file.name for file in files) == [f"{n:02}.csv" for n in range(7)]
    assert all(file.rows == file.accepted + file.unchanged + file.quarantined for file in files)


def test_a_file_that_goes_away_in_the_middle_of_an_import_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    town = little_town(tmp_path)
    many_days(tmp_path)

    def goes(file: str, number: int, total: int) -> None:
        if number == 2:
            (tmp_path / "feeds" / "03.csv").unlink()

    with closing(open_store(tmp_path / "kapok.db")) as store:
        accounts = import_folder(
            store, town, tmp_path / "feeds", now=NOW, late_after=LATE_AFTER, zone=ZONE, progress=goes
        )

    assert [account.error for account in accounts if account.error] == [
        "03.csv: 读不出 / cannot be read: No such file or directory"
    ]
    assert len(accounts) == 6


def test_the_mutations_read_some_files_and_refuse_others(tmp_path: Path) -> None:
    """That the laws above are not kept by refusing everything."""
    town = little_town(tmp_path)
    files = originals(town)
    for n in range(150):
        (tmp_path / "feeds" / f"{n}.csv").write_bytes(spoilt(n, files)[1])

    with closing(open_store(tmp_path / "kapok.db")) as store:
        accounts = take(store, town, tmp_path / "feeds")

    read = [account for account in accounts if account.error is None]
    assert len(read) >= 50
    assert len(accounts) - len(read) >= 20
    assert sum(account.quarantined for account in read) >= 100
    assert date(2025, 7, 7) <= max(account.last for account in read if account.last is not None)
