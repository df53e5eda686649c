"""Observations: every value as it was known then, and no row of a file lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.panel import Dates
from warning.model import Correction, FileAccount, QuarantineEntry, Rows, SeriesKey
from warning.store import Store, feed, observation, open_store, quarantine, series
from warning.store.observation import Revision

MONDAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
THEFTS, FIRES = SeriesKey("thefts", "harbour"), SeriesKey("fires", "harbour")
NOISE = SeriesKey("noise", "harbour")

Claim = tuple[SeriesKey, int, float, int]  # series, days after MONDAY, value, hours after NOON it was received


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "kapok.db")
    yield store
    store.close()


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def week(count: int = 7, step: int = 1) -> Dates:
    return np.datetime64(MONDAY) + np.arange(0, count * step, step)


def rows_of(name: str, claims: list[Claim], *, unusable: int = 0, late: bool = False) -> Rows:
    keys = tuple(dict.fromkeys(key for key, *_ in claims))
    return Rows(
        name=name,
        sha256=f"content of {name}",
        keys=keys,
        series=np.array([keys.index(key) for key, *_ in claims], dtype=np.int64),
        dates=np.array([MONDAY + timedelta(days=day) for _, day, _, _ in claims], dtype="datetime64[D]"),
        values=np.array([value for *_, value, _ in claims], dtype=np.float64),
        received=np.array([hours(hour).timestamp() for *_, hour in claims], dtype=np.int64),
        late=np.full(len(claims), late),
        quarantined=tuple(QuarantineEntry(name, row, "value", "many", "不是数字") for row in range(2, 2 + unusable)),
    )


def take_in(store: Store, rows: Rows) -> FileAccount | None:
    with store.write():
        return feed.import_rows(store, rows, feed="csv", received=hours(100))


def told(store: Store, name: str, *claims: Claim, unusable: int = 0, late: bool = False) -> FileAccount:
    account = take_in(store, rows_of(name, list(claims), unusable=unusable, late=late))
    assert account is not None
    return account


def test_a_window_has_a_row_a_date_and_a_column_a_series(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (THEFTS, 2, 5.0, 0), (FIRES, 1, 0.0, 0))

    found = observation.window(store, [FIRES, THEFTS], week(3), known_at=hours(1))

    nan = np.nan
    np.testing.assert_array_equal(found, [[nan, 3.0], [0.0, nan], [nan, 5.0]])


def test_a_series_never_met_is_a_column_of_nothing(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))

    found = observation.window(store, [THEFTS, FIRES], week(1), known_at=hours(1))

    np.testing.assert_array_equal(found, [[3.0, np.nan]])


def test_a_weekly_window_leaves_out_the_days_between(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (THEFTS, 1, 99.0, 0), (THEFTS, 14, 4.0, 0))

    found = observation.window(store, [THEFTS], week(3, step=7), known_at=hours(1))

    np.testing.assert_array_equal(found, [[3.0], [np.nan], [4.0]])


def test_a_monthly_window_is_read_by_first_days(store: Store) -> None:
    december, january = (date(2026, 12, 1) - MONDAY).days, (date(2027, 1, 1) - MONDAY).days
    told(store, "a.csv", (THEFTS, december, 30.0, 0), (THEFTS, january, 31.0, 0))
    dates = np.array(["2026-11-01", "2026-12-01", "2027-01-01"], dtype="datetime64[D]")

    found = observation.window(store, [THEFTS], dates, known_at=hours(1))

    np.testing.assert_array_equal(found, [[np.nan], [30.0], [31.0]])


def test_an_empty_window_is_empty(store: Store) -> None:
    assert observation.window(store, [], week(3), known_at=NOON).shape == (3, 0)
    assert observation.window(store, [THEFTS], week(0), known_at=NOON).shape == (0, 1)


def test_a_correction_does_not_change_what_was_known_before_it(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))
    told(store, "b.csv", (THEFTS, 0, 8.0, 24))

    known = [observation.window(store, [THEFTS], week(1), known_at=hours(h)).item() for h in (-1, 0, 23, 24)]

    assert known == pytest.approx([np.nan, 3.0, 3.0, 8.0], nan_ok=True)


def test_revisions_keep_every_value_with_its_file(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))
    told(store, "b.csv", (THEFTS, 0, 8.0, 24), late=True)

    found = observation.revisions(store, THEFTS, MONDAY)

    assert found == [Revision(0, 3.0, hours(0), False, "a.csv"), Revision(1, 8.0, hours(24), True, "b.csv")]


def test_values_of_one_file_count_in_the_order_of_their_receipt(store: Store) -> None:
    account = told(store, "a.csv", (THEFTS, 0, 8.0, 2), (THEFTS, 0, 3.0, 1), (THEFTS, 0, 8.0, 3))

    assert observation.window(store, [THEFTS], week(1), known_at=hours(1)).item() == 3.0
    assert observation.window(store, [THEFTS], week(1), known_at=hours(2)).item() == 8.0
    assert (account.accepted, account.corrected, account.unchanged) == (2, 1, 1)


def test_a_value_received_before_what_is_known_is_no_correction_of_it(store: Store) -> None:
    told(store, "corrections.csv", (THEFTS, 0, 8.0, 24))
    told(store, "original.csv", (THEFTS, 0, 3.0, 0))

    assert observation.window(store, [THEFTS], week(1), known_at=hours(48)).item() == 8.0
    assert observation.window(store, [THEFTS], week(1), known_at=hours(1)).item() == 3.0


def test_the_account_says_what_became_of_each_row(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (THEFTS, 1, 4.0, 0))

    account = told(store, "b.csv", (THEFTS, 0, 8.0, 9), (THEFTS, 1, 4.0, 9), (FIRES, 1, 1.0, 9), unusable=2, late=True)

    assert account == FileAccount(
        name="b.csv",
        rows=5,
        accepted=2,  # thefts of Monday again, fires of Tuesday
        unchanged=1,  # thefts of Tuesday
        quarantined=2,
        late=2,  # the unchanged row is late too, but tells nothing
        corrected=1,
        feed="csv",
        first=MONDAY,
        last=MONDAY + timedelta(days=1),
        received=hours(100),
    )
    assert feed.files(store)[0] == account


def test_a_content_read_before_is_read_no_more(store: Store) -> None:
    rows = rows_of("a.csv", [(THEFTS, 0, 3.0, 0)])
    take_in(store, rows)

    again = take_in(store, rows)

    assert again is None
    assert len(feed.files(store)) == 1


def test_a_file_of_nothing_usable_has_an_account_too(store: Store) -> None:
    account = told(store, "a.csv", unusable=3)

    assert (account.rows, account.quarantined, account.first) == (3, 3, None)
    assert observation.reported(store) == []


def test_quarantine_lists_the_newest_file_first(store: Store) -> None:
    told(store, "a.csv", unusable=1)
    told(store, "b.csv", unusable=2)

    found = [(entry.file, entry.row) for entry in quarantine.quarantined(store)]

    assert found == [("b.csv", 2), ("b.csv", 3), ("a.csv", 2)]


def test_feed_health_adds_up_the_files_of_a_feed(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), unusable=1)
    told(store, "b.csv", (THEFTS, 4, 3.0, 0), late=True)

    (health,) = feed.feed_health(store)

    assert (health.files, health.rows, health.quarantined, health.late) == (2, 3, 1, 1)
    assert health.last_date == MONDAY + timedelta(days=4)


def test_latest_dates_are_those_known_then(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (THEFTS, 3, 3.0, 9), (FIRES, 1, 3.0, 9))

    assert observation.latest_dates(store, [FIRES, THEFTS], known_at=hours(1)) == {THEFTS: MONDAY}
    assert observation.latest_dates(store, [THEFTS], known_at=hours(9)) == {THEFTS: MONDAY + timedelta(days=3)}
    assert observation.latest_dates(store, [THEFTS], known_at=hours(-1)) == {}


def test_changed_since_names_values_that_were_known_as_others(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (THEFTS, 1, 4.0, 0), (FIRES, 0, 1.0, 0))
    told(store, "b.csv", (THEFTS, 0, 8.0, 5), (FIRES, 1, 2.0, 5))  # a correction, and news
    told(store, "c.csv", (THEFTS, 1, 9.0, 6), (THEFTS, 1, 4.0, 7))  # there and back again

    assert observation.changed_since(store, hours(1), hours(9)) == [Correction(THEFTS, MONDAY, 3.0, 8.0)]
    assert observation.changed_since(store, hours(5), hours(6)) == [
        Correction(THEFTS, MONDAY + timedelta(days=1), 4.0, 9.0)
    ]


def test_an_instant_without_an_offset_is_refused(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))

    with pytest.raises(ValueError, match="no offset"):
        observation.window(store, [THEFTS], week(1), known_at=datetime(2026, 11, 17))  # noqa: DTZ001


claims = st.tuples(
    st.sampled_from([THEFTS, FIRES]), st.integers(0, 3), st.sampled_from([0.0, 1.0, 2.5]), st.integers(0, 9)
)
files = st.lists(st.tuples(st.lists(claims, max_size=12), st.integers(0, 3)), max_size=4)


@given(files)
def test_rows_read_are_accepted_unchanged_or_quarantined(files: list[tuple[list[Claim], int]]) -> None:
    store = open_store(Path(":memory:"))

    accounts = [told(store, f"{n}.csv", *rows, unusable=bad) for n, (rows, bad) in enumerate(files)]

    assert [a.rows for a in accounts] == [len(rows) + bad for rows, bad in files]
    assert all(a.rows == a.accepted + a.unchanged + a.quarantined for a in accounts)
    assert store.row("SELECT count(*) FROM observation") == (sum(a.accepted for a in accounts),)
    assert store.row("SELECT count(*) FROM quarantine") == (sum(a.quarantined for a in accounts),)
    store.close()


@given(files)
def test_what_is_known_is_the_last_value_received(files: list[tuple[list[Claim], int]]) -> None:
    store = open_store(Path(":memory:"))
    expected = np.full((50, 4, 2), np.nan)  # hour, day, series
    for n, (rows, _) in enumerate(files):  # each file is received after the one before
        moved = [(key, day, value, hour + 10 * n) for key, day, value, hour in rows]
        for key, day, value, hour in sorted(moved, key=lambda claim: claim[3]):
            expected[hour:, day, [THEFTS, FIRES].index(key)] = value
        told(store, f"{n}.csv", *moved)

    found = [observation.window(store, [THEFTS, FIRES], week(4), known_at=hours(hour)) for hour in range(50)]

    np.testing.assert_array_equal(found, expected)
    store.close()


@given(st.lists(claims, max_size=12, unique_by=lambda claim: (claim[0], claim[1], claim[3])))
def test_the_same_rows_under_another_name_change_nothing(rows: list[Claim]) -> None:
    store = open_store(Path(":memory:"))
    told(store, "a.csv", *rows)

    again = told(store, "b.csv", *rows)

    assert (again.accepted, again.unchanged) == (0, len(rows))
    store.close()


def _meet_and_fail(store: Store, key: SeriesKey) -> None:
    series.ids_of(store, [key])
    assert series.numbers(store, [key]).tolist() == [2]
    raise ZeroDivisionError


def test_a_number_that_was_never_committed_is_another_series_later(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))
    with pytest.raises(ZeroDivisionError), store.write():
        _meet_and_fail(store, FIRES)

    told(store, "b.csv", (NOISE, 0, 5.0, 0))

    assert series.numbers(store, [THEFTS, FIRES, NOISE]).tolist() == [1, -1, 2]


def test_a_series_another_process_met_is_known_here(tmp_path: Path, store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0))
    assert series.numbers(store, [THEFTS, FIRES]).tolist() == [1, -1]

    other = open_store(tmp_path / "kapok.db")
    told(other, "b.csv", (FIRES, 0, 5.0, 0))
    other.close()

    assert series.numbers(store, [THEFTS, FIRES]).tolist() == [1, 2]


def test_who_reports_is_what_was_known_then(store: Store) -> None:
    told(store, "a.csv", (THEFTS, 0, 3.0, 0), (FIRES, 1, 3.0, 9))

    assert observation.reported(store, known_at=hours(1)) == [THEFTS]
    assert observation.reported(store) == [THEFTS, FIRES]
