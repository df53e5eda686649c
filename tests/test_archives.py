"""Packed files, and history that is sent afterwards: read as it would have been known, had it been watched then."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from feed_shapes import CALLS, LIWAN, LONG, SHAPES, feed
from hypothesis import given
from hypothesis import strategies as st
from test_feed_files import CITY, NOW, ZONE, answer, folder, store, take_in

from warning.intake import mapped
from warning.mapping import Feed
from warning.model import SeriesKey
from warning.sources import packed
from warning.sources.files import read_by, tables_of
from warning.store import Store, observation

__all__ = ["folder", "store"]  # fixtures

TEXT = SHAPES["gb18030"].content
DAMAGED = "a: the packed file is damaged or not whole; send it again"
KEY = SeriesKey(CALLS, LIWAN)
MONTHLY = next(one for one in CITY.indicators.values() if one.frequency == "monthly" and one.kind == "count")
WEEKLY = next(one for one in CITY.indicators.values() if one.frequency == "weekly" and one.kind == "count")


def received(text: str, **mapping: object) -> list[datetime]:
    """Return when the rows of a long file count as received."""
    content = f"事项,辖区,日期,数量,收到\n{text}".encode()
    columns = {"indicator": "事项", "place": "辖区", "date": "日期", "value": "数量", "received_at": "收到"}
    by = feed(columns=columns, archive=True, **mapping)
    late = {"daily": 1, "weekly": 3, "monthly": 10}
    rows = mapped(read_by(by, "a", content), by, CITY, NOW, late, zone=ZONE, name="a", sha256="0")
    return [datetime.fromtimestamp(second, ZONE).replace(tzinfo=None) for second in rows.received.tolist()]


def test_a_packed_file_says_what_is_in_it() -> None:
    assert [t.lines for t in tables_of("a", gzip.compress(TEXT))] == [t.lines for t in tables_of("a", TEXT)]


def test_a_packed_file_of_the_watched_folder_is_read_by_its_feed(store: Store, folder: Path) -> None:
    (folder / "警情2026.csv.gz").write_bytes(
        gzip.compress("事项,辖区,日期,数量\n刑事警情数,荔湾区,11/20,3\n".encode("gb18030"))
    )

    (account,) = take_in(store, folder, feed(**LONG))

    assert (account.rows, account.accepted, account.error) == (1, 1, None)


def test_a_packed_file_nobody_claims_is_read_as_a_plain_one_is(store: Store, folder: Path) -> None:
    row = f"{CALLS},{LIWAN},2026-11-20,3"
    (folder / "a.csv.gz").write_bytes(gzip.compress(f"indicator,place,date,value\n{row}\n".encode()))

    (account,) = take_in(store, folder)

    assert (account.rows, account.accepted, account.error) == (1, 1, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(gzip.compress(TEXT)[:-9], DAMAGED, id="cut"),
        pytest.param(b"\x1f\x8b\x08 no gzip", DAMAGED, id="not-one"),
        pytest.param(gzip.compress(b""), "a: 文件是空的 / the file is empty", id="empty"),
    ],
)
def test_a_packed_file_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    assert answer(content) == said


def test_what_unpacks_to_more_than_a_file_may_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_BYTES", 1_000_000)

    said = answer(gzip.compress(b"0" * 1_000_001))

    assert said == "a: larger than 1 MB unpacked; send it in parts"


@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_behind_the_mark_are_read_or_refused(rest: bytes, keep: int) -> None:
    for content in (b"\x1f\x8b" + rest, gzip.compress(rest)[:keep] + rest):
        answer(content)


CALL = "刑事警情数,荔湾区,2026-11-02,3,"


@pytest.mark.parametrize(
    ("row", "mapping", "expected"),
    [
        pytest.param(CALL, {}, "2026-11-03T00:00", id="a-day-on-the-next-midnight"),
        pytest.param(CALL, {"due": "10:00", "due_days": 2}, "2026-11-04T10:00", id="by-the-feed-s-hour"),
        pytest.param(f"{WEEKLY.id},荔湾区,2026-11-02,3,", {"due": "09:00"}, "2026-11-09T09:00", id="a-week"),
        pytest.param(f"{MONTHLY.id},荔湾区,2026-10-01,3,", {"due_days": 5}, "2026-11-05T00:00", id="a-month"),
        pytest.param(f"{CALL}2026-11-02T20:00:00+08:00", {}, "2026-11-02T20:00", id="what-says-so-itself"),
        pytest.param("刑事警情数,荔湾区,2026-11-23,3,", {"due_days": 9}, "2026-11-24T08:00", id="never-after-now"),
    ],
)
def test_what_is_sent_afterwards_was_received_when_it_was_due(
    row: str, mapping: dict[str, object], expected: str
) -> None:
    assert received(row, **mapping) == [datetime.fromisoformat(expected)]


def test_history_sent_afterwards_is_known_at_the_instants_of_its_past(store: Store, folder: Path) -> None:
    (folder / "警情.csv").write_text(
        "事项,辖区,日期,数量\n" + "".join(f"刑事警情数,荔湾区,2025-03-{day:02},{day}\n" for day in range(1, 11)),
        encoding="utf-8",
    )
    archive = feed(**LONG, archive=True, due="10:00")
    dates = np.arange(np.datetime64("2025-03-01"), np.datetime64("2025-03-11"))

    take_in(store, folder, archive)
    at = datetime(2025, 3, 6, 3, tzinfo=UTC)  # 11:00 in Guangzhou
    found = observation.window(store, [KEY], dates, known_at=at)[:, 0]

    assert found[:5].tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(found[5:]).all()


def test_a_date_beyond_all_calendars_is_put_aside_and_not_counted_on_from() -> None:
    content = "事项,辖区,日期,数量\n刑事警情数,荔湾区,9999-12-31,3\n".encode()
    by = Feed.model_validate({**feed(**LONG).model_dump(), "archive": True, "due_days": 366})
    late = {"daily": 1, "weekly": 3, "monthly": 10}

    rows = mapped(read_by(by, "a", content), by, CITY, NOW, late, zone=ZONE, name="a", sha256="0")

    assert [entry.reason for entry in rows.quarantined] == ["日期晚于收到的日期"]
