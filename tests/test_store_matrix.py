"""The matrix beside the rows: whatever happens to either, what is read is what the rows say."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from detectors.panel import Floats
from warning.errors import StoreError
from warning.model import Rows, SeriesKey
from warning.store import Store, feed, matrix, observation, open_store
from warning.store.packing import packed, unpacked
from warning.store.schema import MIGRATIONS, m009_matrix

MONDAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
KEYS = tuple(SeriesKey(f"indicator_{n}", place) for n in range(2) for place in ("harbour", "market"))
NEVER_MET = SeriesKey("indicator_0", "nowhere")
DAYS = 12  # after MONDAY
HOURS = 30  # after NOON

Claim = tuple[SeriesKey, int, float, int]  # series, days after MONDAY, value, hours after NOON it was received


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def rows_of(name: str, claims: list[Claim]) -> Rows:
    keys = tuple(dict.fromkeys(key for key, *_ in claims))
    return Rows(
        name=name,
        sha256=f"content of {name}",
        keys=keys,
        series=np.array([keys.index(key) for key, *_ in claims], dtype=np.int64),
        dates=np.array([MONDAY + timedelta(days=day) for _, day, _, _ in claims], dtype="datetime64[D]"),
        values=np.array([value for *_, value, _ in claims], dtype=np.float64),
        received=np.array([hours(hour).timestamp() for *_, hour in claims], dtype=np.int64),
        late=np.zeros(len(claims), dtype=bool),
        quarantined=(),
    )


def told(store: Store, name: str, *claims: Claim) -> None:
    with store.write():
        feed.import_rows(store, rows_of(name, list(claims)), feed="csv", received=hours(100))


def refresh(store: Store) -> int:
    return matrix.refresh(store, MONDAY, MONDAY + timedelta(days=DAYS - 1))


def read(store: Store, hour: float, keys: tuple[SeriesKey, ...] = KEYS, days: list[int] | None = None) -> Floats:
    dates = np.datetime64(MONDAY) + np.array(range(DAYS) if days is None else days)
    return observation.window(store, keys, dates, known_at=hours(hour))


def as_the_rows_say(store: Store, hour: float, keys: tuple[SeriesKey, ...], days: list[int]) -> Floats:
    """Return the same by looking at one row after the other."""
    found = np.full((len(days), len(keys)), np.nan)
    first, until = (MONDAY - date(1970, 1, 1)).days, hours(hour).timestamp()
    rows = store.rows(
        "SELECT indicator, place, day, received, revision, value FROM observation JOIN series ON id = series_id"
        " ORDER BY received, revision"
    )
    for indicator, place, day, received, _, value in rows:
        if received <= until and (indicator, place) in keys and day - first in days:
            found[days.index(day - first), keys.index(SeriesKey(indicator, place))] = value
    return found


def by_hand(path: Path, statement: str, *values: object) -> None:
    """Change the database as somebody with any SQLite tool might."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all its tables, to be copied: making them takes longer than what is tested."""
    path = tmp_path_factory.mktemp("empty") / "kapok.db"
    open_store(path).close()
    return path


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "kapok.db"))


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = open_store(path)
    yield store
    store.close()


@dataclass
class City:
    """A store and what is done to it, one thing after the other."""

    path: Path
    store: Store
    files: int = 0
    kept: dict[int, tuple[object, ...]] = field(default_factory=dict)  # BLOBs of earlier

    def arrive(self, claims: list[Claim]) -> None:
        self.files += 1
        told(self.store, f"{self.files}.csv", *claims)

    def refresh(self) -> None:
        refresh(self.store)

    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.path)

    def forget(self, table: str) -> None:
        by_hand(self.path, f"DELETE FROM {table}")  # noqa: S608

    def edit(self, statement: str) -> None:
        by_hand(self.path, statement)

    def keep_blobs(self) -> None:
        self.kept = {row[0]: row for row in self.store.rows("SELECT * FROM matrix")}

    def bring_back_blobs(self) -> None:
        for row in self.kept.values():
            by_hand(self.path, f"INSERT OR REPLACE INTO matrix VALUES ({', '.join('?' * len(row))})", *row)  # noqa: S608


claims = st.tuples(
    st.sampled_from(KEYS),
    st.integers(0, DAYS - 1),
    st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e12]),
    st.integers(0, HOURS - 1),
)
EDITS = (
    "UPDATE observation SET value = value + 1 WHERE revision = 0",
    "UPDATE observation SET day = day + 20 WHERE day % 3 = 0",
    "UPDATE observation SET received = received - 36000",
    "DELETE FROM observation WHERE day % 2 = 0",
    "INSERT OR REPLACE INTO observation SELECT series_id, day, revision, 7.5, received, feed, late FROM observation",
    "UPDATE matrix SET value = zeroblob(length(value))",
    "UPDATE matrix SET series = value, value = series",
    "UPDATE matrix SET received = revised",
    "UPDATE matrix SET newest = oldest",
    "UPDATE matrix SET day = -day WHERE day % 2 = 0",
)
steps = st.one_of(
    st.tuples(st.just("arrive"), st.lists(claims, min_size=1, max_size=12)),
    st.tuples(st.just("refresh")),
    st.tuples(st.just("refresh")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("forget"), st.sampled_from(["matrix", "observed_day"])),
    st.tuples(st.just("edit"), st.sampled_from(EDITS)),
    st.tuples(st.just("keep_blobs")),
    st.tuples(st.just("bring_back_blobs")),
)
looks = st.tuples(
    st.integers(-1, HOURS),
    st.lists(st.sampled_from([*KEYS, NEVER_MET]), min_size=1, max_size=5, unique=True).map(tuple),
    st.lists(st.integers(0, DAYS - 1), min_size=1, unique=True).map(sorted),
)


@given(st.lists(st.tuples(steps, st.lists(looks, min_size=1, max_size=3)), min_size=1, max_size=8))
def test_what_is_read_is_what_the_rows_say(empty: Path, history: list[Any]) -> None:
    path = empty.with_name("history.db")
    for left in path.parent.glob("history.db*"):
        left.unlink()
    shutil.copy(empty, path)
    city = City(path, open_store(path))

    for (step, *arguments), questions in history:
        getattr(city, step)(*arguments)

        for hour, keys, days in questions:
            expected = as_the_rows_say(city.store, hour, keys, days)
            np.testing.assert_array_equal(read(city.store, hour, keys, days), expected)
    city.store.close()


@pytest.mark.parametrize("edit", EDITS)
def test_what_somebody_does_by_hand_is_seen_and_mended(path: Path, store: Store, edit: str) -> None:
    told(store, "a.csv", *((key, day, 3.0, day) for key in KEYS for day in range(DAYS)))
    told(store, "b.csv", (KEYS[0], 4, 8.0, 20), (KEYS[1], 6, 9.0, 21))
    refresh(store)

    by_hand(path, edit)

    for hour in (2, 10, HOURS):
        np.testing.assert_array_equal(read(store, hour), as_the_rows_say(store, hour, KEYS, [*range(DAYS)]))
    assert refresh(store) > 0
    assert refresh(store) == 0
    for hour in (2, 10, HOURS):
        np.testing.assert_array_equal(read(store, hour), as_the_rows_say(store, hour, KEYS, [*range(DAYS)]))


def test_once_refreshed_nothing_is_read_from_rows(store: Store) -> None:
    told(store, "a.csv", *((key, day, 3.0, day) for key in KEYS for day in range(DAYS)))
    told(store, "b.csv", (KEYS[0], 4, 8.0, 20))
    before = read(store, HOURS)

    made = refresh(store)
    with store.write():
        for table in ("observation_came", "observation_changed", "observation_went"):
            store.change(f"DROP TRIGGER {table}")
        store.change("DELETE FROM observation")

    assert made == DAYS
    np.testing.assert_array_equal(read(store, HOURS), before)
    assert read(store, 3)[:, 0].tolist() == pytest.approx([3.0] * 4 + [np.nan] * 8, nan_ok=True)  # day 4: after that


def test_late_data_cost_the_days_they_are_of(store: Store) -> None:
    told(store, "a.csv", *((key, day, 3.0, day) for key in KEYS for day in range(DAYS)))
    refresh(store)

    told(store, "late.csv", (KEYS[0], 2, 8.0, 20), (KEYS[1], 9, 8.0, 20))

    assert refresh(store) == 2
    assert refresh(store) == 0


def test_a_series_met_later_is_missing_in_older_days(store: Store) -> None:
    told(store, "a.csv", (KEYS[0], 0, 3.0, 0))
    refresh(store)
    told(store, "b.csv", (KEYS[1], 1, 4.0, 0))
    refresh(store)

    found = read(store, 1, KEYS[:2], [0, 1])

    np.testing.assert_array_equal(found, [[3.0, np.nan], [np.nan, 4.0]])


def test_a_full_disk_leaves_what_was_made_and_the_answers_as_they_are(store: Store) -> None:
    many = [SeriesKey(f"indicator_{n}", "harbour") for n in range(800)]
    told(store, "a.csv", *((key, day, 3.0, day) for key in many for day in range(DAYS)))
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages + 4}")

    with pytest.raises(StoreError, match="the disk is full"):
        refresh(store)

    np.testing.assert_array_equal(read(store, HOURS, tuple(many)), np.full((DAYS, 800), 3.0))


def test_a_database_of_the_version_before_is_read_as_it_was_and_gets_its_matrix(tmp_path: Path) -> None:
    old = Database(tmp_path / "kapok.db")
    MIGRATIONS.apply(old, stop_before=m009_matrix.__name__)
    first, noon = (MONDAY - date(1970, 1, 1)).days, int(NOON.timestamp())
    with old.atomic():
        old.conn.executemany("INSERT INTO series VALUES (?, ?, ?)", [(n, *key) for n, key in enumerate(KEYS, 1)])
        old.execute(
            "INSERT INTO feed_file (id, sha256, name, feed, rows, accepted, unchanged, quarantined, late, corrected,"
            " received) VALUES (1, 'x', 'a.csv', 'csv', 3, 3, 0, 0, 0, 1, '')"
        )
        old.conn.executemany(
            "INSERT INTO observation VALUES (?, ?, ?, ?, ?, 1, 0)",
            [(1, first, 0, 3.0, noon), (1, first, 1, 8.0, noon + 5 * 3600), (2, first + 3, 0, 4.0, noon)],
        )
    old.close()

    store = open_store(tmp_path / "kapok.db")
    before = read(store, 1, KEYS[:2], [0, 3])
    made = refresh(store)

    np.testing.assert_array_equal(before, [[3.0, np.nan], [np.nan, 4.0]])
    assert made == DAYS
    np.testing.assert_array_equal(read(store, 1, KEYS[:2], [0, 3]), before)
    np.testing.assert_array_equal(read(store, 5, KEYS[:2], [0, 3]), [[8.0, np.nan], [np.nan, 4.0]])
    store.close()


@given(st.sets(st.integers(0, 3000)).map(sorted))
def test_numbers_of_series_come_back(numbers: list[int]) -> None:
    assert unpacked(packed(np.array(numbers, dtype=np.int64))).tolist() == numbers
