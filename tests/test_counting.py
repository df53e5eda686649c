"""What the events of a feed come to: days replaced, increments added, zeros and gaps, weeks, months and percentages."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from event_city import EAST, EVENTS, HEADER, STREETS, TOWN, WEST, feed, increments, lay, table, values
from hypothesis import given, settings
from hypothesis import strategies as st
from little_city import at

from warning import mending
from warning.city import City, load_city
from warning.errors import ConfigError
from warning.folding import closes, last_over
from warning.intake import import_folder
from warning.mapping import Feed
from warning.model import FileAccount, SeriesKey
from warning.store import Store, observation, open_store, quarantine, run, tally

ZONE = ZoneInfo("Asia/Shanghai")
LATE_AFTER = {"daily": 1, "weekly": 3, "monthly": 10}
DAYS = {n: date(2026, 11, n) for n in range(1, 31)}
COUNTS: dict[str, Any] = {"counts": EVENTS["counts"], "ratios": []}


@dataclass
class Desk:
    """A town's watched folder and database."""

    folder: Path
    city: City
    store: Store

    def send(self, content: str, when: str, mapping: Feed | None = None, *, name: str = "网格.csv") -> FileAccount:
        """Take in a file at an instant of November, ``"21 08:00"``; it is gone afterwards."""
        day, _, clock = when.partition(" ")
        path = self.folder / "feeds" / name
        path.write_text(content, encoding="utf-8")
        (account,) = self.takes_in(at(DAYS[int(day)], clock), mapping or feed())
        path.unlink()
        return account

    def takes_in(self, now: datetime, mapping: Feed) -> list[FileAccount]:
        """Take in the folder, all of whose files the mapping claims."""
        folder, feeds = self.folder / "feeds", {mapping.id: mapping}
        return import_folder(self.store, self.city, folder, now=now, late_after=LATE_AFTER, zone=ZONE, feeds=feeds)

    def thefts(self, day: str) -> list[list[float]]:
        return values(self.store, "thefts", day)

    def open_rows(self) -> list[str]:
        return [entry.reason for entry in quarantine.quarantined(self.store)]

    def notices(self) -> list[str]:
        return [notice.text for notice in run.notices(self.store, at(DAYS[1], "00:00"))]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("town")
    lay(folder)
    return load_city(folder / "city")


@pytest.fixture
def desk(tmp_path: Path, city: City) -> Iterator[Desk]:
    (tmp_path / "feeds").mkdir()
    with closing(open_store(tmp_path / "kapok.db")) as store:
        yield Desk(tmp_path, city, store)


def numbers(account: FileAccount) -> tuple[int, int, int, int]:
    """Rows = accepted + unchanged + quarantined."""
    assert account.error is None, account.error
    return account.rows, account.accepted, account.unchanged, account.quarantined


def test_a_delivered_day_has_a_value_in_every_place_and_nothing_happened_is_zero(desk: Desk) -> None:
    account = desk.send(
        table("010101-1 20 盗窃 x3", "010101-2 20 入室盗窃", "010201-1 20 火灾", "010102-1 20 噪声 x2"), "21 08:00"
    )

    assert numbers(account) == (7, 7, 0, 0)
    assert desk.thefts("20") == [[4.0], [0.0], [0.0]]
    assert values(desk.store, "fires", "20") == [[0.0], [0.0], [1.0]]
    assert (account.first, account.last) == (DAYS[20], DAYS[20])


def test_a_day_that_was_not_delivered_is_missing(desk: Desk) -> None:
    desk.send(table("010101-1 18 盗窃", "010101-1 20 盗窃"), "21 08:00")

    assert [desk.thefts(day) for day in ("18", "19", "20")] == [[[1], [0], [0]], [[], [], []], [[1], [0], [0]]]


def test_a_file_that_says_its_days_makes_a_day_without_any_event_zero(desk: Desk) -> None:
    named = feed({"days": "@file"})

    desk.send(table("010101-1 18 盗窃"), "21 08:00", named, name="网格20261118-20261120.csv")

    assert [desk.thefts(day) for day in ("18", "19", "20")] == [[[1], [0], [0]], [[0], [0], [0]], [[0], [0], [0]]]


def test_a_day_sent_again_takes_the_place_of_what_was_known_and_the_old_value_stays(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x3", "010102-1 20 盗窃 x2"), "21 08:00")

    account = desk.send(table("010101-1 20 盗窃 x4", "010102-1 20 盗窃 x1", "010201-1 20 盗窃"), "21 14:00")

    # The bridge has its three again and one more, the market one of its two, the harbour a new one.
    assert numbers(account) == (6, 2, 4, 0)
    assert account.corrected == 2
    assert desk.thefts("20") == [[3, 4], [2, 1], [0, 1]]


def test_the_same_day_again_changes_nothing(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x3"), "21 08:00")

    account = desk.send(table("010101-1 20 盗窃 x3") + "\n\n", "21 14:00")

    assert numbers(account) == (3, 0, 3, 0)
    assert desk.thefts("20") == [[3], [0], [0]]


def test_the_same_file_is_read_once(desk: Desk) -> None:
    (desk.folder / "feeds" / "网格.csv").write_text(table("010101-1 20 盗窃"), encoding="utf-8")

    first, again = (desk.takes_in(at(DAYS[21], "08:00"), feed()) for _ in range(2))

    assert (len(first), again) == (1, [])


def test_history_sent_at_once_counts_as_received_when_it_was_due(desk: Desk) -> None:
    account = desk.send(table("010101-1 10 盗窃", "010101-1 20 盗窃"), "21 08:00", feed(archive=True, due="10:00"))

    key = SeriesKey("thefts", STREETS[0])
    found = [observation.revisions(desk.store, key, DAYS[day]) for day in (10, 20)]
    assert [[(one.received, one.late) for one in revisions] for revisions in found] == [
        [(at(DAYS[11], "10:00"), False)],
        [(at(DAYS[21], "08:00"), False)],  # it is due at ten, and here already
    ]
    assert account.late == 0


def test_an_event_may_be_withdrawn_by_sending_its_day_without_it(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x3"), "21 08:00")

    account = desk.send(table("010101-1 20 盗窃 x2"), "21 14:00")

    assert numbers(account) == (2, 0, 2, 0)
    assert desk.thefts("20") == [[3, 2], [0], [0]]


def test_a_day_that_is_not_over_is_kept_and_not_counted(desk: Desk) -> None:
    account = desk.send(table("010101-1 20 盗窃 x3"), "20 18:00")
    partial = desk.thefts("20")
    desk.send(table("010101-1 20 盗窃 x5"), "21 00:00")

    assert account.accepted == 3
    assert [note[:12] for note in account.notes] == ["所报的日期尚未过完，均未", "11月20日尚未报完，暂"]
    assert [notice[:9] for notice in desk.notices()] == ["所报的日期尚未过完"]
    assert partial == [[], [], []]
    assert desk.thefts("20") == [[5], [0], [0]]


def test_a_day_may_be_over_before_midnight_where_its_file_is_due_then(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃"), "20 23:40", feed(due="23:30", due_days=0))

    assert desk.thefts("20") == [[1], [0], [0]]


@pytest.mark.parametrize(
    ("mapping", "instant"),
    [
        pytest.param(feed(), "2026-11-21T00:00", id="files-of-days-are-whole-at-midnight"),
        pytest.param(feed(due="10:00"), "2026-11-21T00:00", id="also-where-they-are-due-later"),
        pytest.param(feed(due="22:00", due_days=0), "2026-11-20T22:00", id="or-when-they-are-due-if-that-is-earlier"),
        pytest.param(increments(), "2026-11-21T00:00", id="increments-at-midnight"),
        pytest.param(increments(due="06:00"), "2026-11-21T06:00", id="increments-when-they-are-due"),
        pytest.param(
            feed(kind="sql", due="06:00", due_days=2, sql={"url_env": "URL", "query": "q"}),
            "2026-11-22T06:00",
            id="what-is-fetched-when-it-is-due",
        ),
    ],
)
def test_from_when_on_a_day_is_whole(mapping: Feed, instant: str) -> None:
    found = closes(mapping, DAYS[20], ZONE)

    assert found == datetime.fromisoformat(f"{instant}:00+08:00")
    assert last_over(mapping, DAYS[25], found, ZONE) == DAYS[20]
    assert last_over(mapping, DAYS[25], found - timedelta(seconds=1), ZONE) == DAYS[19]


def test_most_of_a_day_that_is_gone_is_not_believed(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x40"), "21 08:00")

    account = desk.send(table("010101-1 20 盗窃 x19", "010101-1 21 盗窃 x30"), "22 08:00")

    assert numbers(account) == (49, 30, 0, 19)
    assert desk.thefts("20") == [[40], [0], [0]]
    assert desk.thefts("21") == [[30], [0], [0]]
    assert len(desk.notices()) == 1
    assert "11月20日仅 19 件，不像全天，未采用" in desk.notices()[0]


def test_it_is_believed_where_the_mapping_says_so(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x40"), "21 08:00", feed({"least": 0}))

    desk.send(table("010101-1 20 盗窃 x2"), "22 08:00", feed({"least": 0}))

    assert desk.thefts("20") == [[40, 2], [0], [0]]


def test_a_straggler_of_another_day_does_not_make_that_day(desk: Desk) -> None:
    usual = [f"010101-1 {day} 盗窃 x60" for day in (17, 18, 19)]

    account = desk.send(table(*usual, "010101-1 16 盗窃", "010101-1 2025-11-20 盗窃"), "21 08:00")

    assert numbers(account) == (182, 180, 0, 2)
    assert desk.thefts("16") == [[], [], []]


def test_a_day_that_has_just_begun_is_no_straggler(desk: Desk) -> None:
    usual = [f"010101-1 {day} 盗窃 x60" for day in (17, 18, 19)]

    account = desk.send(table(*usual, "010101-1 20 盗窃"), "20 00:05")

    assert numbers(account) == (181, 181, 0, 0)
    assert desk.notices() == []


def test_a_day_many_of_whose_rows_cannot_be_used_is_missing_until_they_are_mended(desk: Desk) -> None:
    rows = ["010101-1 20 盗窃 x90"]

    account = desk.send(table(*rows, "990101-1 20 盗窃 x10"), "21 08:00")
    missing, told = desk.thefts("20"), desk.notices()
    mended = desk.send(table(*rows, "010102-1 20 盗窃 x10"), "21 10:00")

    assert numbers(account) == (100, 90, 0, 10)
    assert missing == [[], [], []]
    assert "11月20日的 100 行中有 10 行不能使用，当日不计，改正后重送" in told[0]
    assert numbers(mended) == (100, 10, 90, 0)
    assert desk.thefts("20") == [[90], [10], [0]]
    assert quarantine.states(desk.store) == {"delivered": 10}


def test_a_few_rows_that_cannot_be_used_do_not_cost_the_day(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x95", "990101-1 20 盗窃 x5"), "21 08:00")

    assert desk.thefts("20") == [[95], [0], [0]]
    assert len(desk.open_rows()) == 5


def test_a_known_day_stays_as_it_is_while_a_later_delivery_of_it_is_faulty(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x90"), "21 08:00")

    desk.send(table("010101-1 20 盗窃 x80", "990101-1 20 盗窃 x10"), "21 10:00")

    assert desk.thefts("20") == [[90], [0], [0]]


def test_rows_in_quarantine_are_settled_when_their_day_is_sent_again(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x60", "990101-1 20 盗窃", "010101-1 昨天 盗窃"), "21 08:00")

    desk.send(table("010101-1 20 盗窃 x61"), "21 10:00")

    assert quarantine.states(desk.store) == {"delivered": 1, "open": 1}  # nobody knows of which day the other is


def test_a_row_of_events_cannot_be_fixed_by_hand(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x60", "990101-1 20 盗窃"), "21 08:00")
    (kept,) = quarantine.entries(desk.store)

    with pytest.raises(ConfigError, match="事件只留计数，不能逐行更正"):
        mending.fix(
            *(desk.store, desk.city, kept.id, {"indicator": "thefts", "place": EAST, "value": "1"}),
            now=at(DAYS[21], "09:00"),
            late_after=LATE_AFTER,
            zone=ZONE,
        )
    assert mending.drop(desk.store, [kept.id], "已核实", now=at(DAYS[21], "09:00")) == 1


def test_increments_add_up_and_their_day_is_counted_once_something_comes_after_it(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x2"), "20 10:00", increments())
    desk.send(table("010101-2 20 盗窃", "010201-1 20 盗窃"), "20 23:50", increments())
    before = desk.thefts("20")
    account = desk.send(table("010102-1 21 盗窃"), "21 00:05", increments())

    assert numbers(account) == (1, 1, 0, 0)
    assert before == [[], [], []]
    assert desk.thefts("20") == [[3], [0], [1]]
    assert desk.thefts("21") == [[], [], []]


def test_the_same_increment_is_counted_once_under_any_name_and_mapping(desk: Desk) -> None:
    rows = table("010101-1 20 盗窃 x2")
    desk.send(rows, "21 08:00", increments())
    (desk.folder / "feeds" / "网格2.csv").write_text(rows, encoding="utf-8")
    other = increments({"counts": [{"indicator": "fires", "categories": "盗窃"}]})

    again = import_folder(
        *(desk.store, desk.city, desk.folder / "feeds"),
        now=at(DAYS[21], "09:00"),
        late_after=LATE_AFTER,
        zone=ZONE,
        feeds={"grid": other},
    )

    assert again == []
    assert desk.thefts("20") == [[2], [0], [0]]


def test_a_day_on_which_an_increment_came_and_nothing_happened_is_zero(desk: Desk) -> None:
    desk.send(table("010101-1 18 盗窃"), "18 10:00", increments())
    desk.send(table(), "19 10:00", increments(), name="网格19日.csv")
    desk.send(table(), "20 10:00", increments(), name="网格20日.csv")
    desk.send(table("010101-1 22 盗窃"), "22 10:00", increments())

    # The 21st was silent: nothing came on it, and nothing of it since.
    assert [desk.thefts(day) for day in ("18", "19", "20", "21")] == [
        *([[1], [0], [0]], [[0], [0], [0]], [[0], [0], [0]], [[], [], []]),
    ]


def test_an_increment_that_cannot_be_used_leaves_what_was_counted(desk: Desk) -> None:
    desk.send(table("010101-1 18 盗窃"), "20 10:00", increments({"tolerance": 1}))

    desk.send(table("9901 18 盗窃"), "21 08:00", increments({"tolerance": 1}))
    desk.send(table("010101-2 18 盗窃"), "21 10:00", increments({"tolerance": 1}))

    assert desk.thefts("18") == [[1, 2], [0], [0]]


def test_an_empty_increment_that_lies_in_the_folder_is_a_sign_of_life_once(desk: Desk) -> None:
    (desk.folder / "feeds" / "网格空.csv").write_text(table(), encoding="utf-8")

    taken_in = [desk.takes_in(at(DAYS[day], "08:00"), increments()) for day in (18, 19)]

    assert [len(accounts) for accounts in taken_in] == [1, 0]
    assert list(tally.days(desk.store, 1)) == [(DAYS[18] - date(1970, 1, 1)).days]


def test_a_silent_day_is_counted_once_its_events_come_late(desk: Desk) -> None:
    desk.send(table("010101-1 18 盗窃"), "18 10:00", increments())
    desk.send(table("010101-1 20 盗窃 x3", "010101-1 21 盗窃"), "21 10:00", increments())

    account = desk.send(table("010102-1 20 盗窃"), "22 10:00", increments())

    assert desk.thefts("20") == [[3], [0, 1], [0]]
    assert (account.late, account.corrected) == (1, 1)


def test_an_increment_may_withdraw_what_was_added_and_nothing_else(desk: Desk) -> None:
    mapping = increments({"change": "变更", "tolerance": 1})
    header = f"变更,{HEADER}"
    desk.send(f"{header}\n,010101-1,2026-11-20 10:00,盗窃,\n,010101-1,2026-11-20 11:00,盗窃,\n", "20 12:00", mapping)
    withdrawn = "撤销,010101-1,2026-11-20 10:00,盗窃,\n"

    account = desk.send(
        f"{header}\n{withdrawn},010101-1,2026-11-20 10:00,盗窃,按期\n撤销,010102-1,2026-11-20 10:00,盗窃,\n"
        f"{withdrawn}{withdrawn}",
        "21 08:00",
        mapping,
    )

    assert numbers(account) == (5, 3, 0, 2)
    assert set(desk.open_rows()) == {"没有可以撤销的事件：此前未报过，或已撤销"}
    assert desk.thefts("20") == [[1], [0], [0]]


def test_a_result_that_changed_is_a_withdrawal_and_a_new_event(desk: Desk) -> None:
    mapping, header = increments({"change": "变更", "tolerance": 1}), f"变更,{HEADER}"
    desk.send(f"{header}\n,010101-1,2026-11-20 10:00,盗窃,超期\n", "20 12:00", mapping)
    desk.send(f"{header}\n,010101-1,2026-11-21 10:00,盗窃,\n", "21 12:00", mapping)

    desk.send(
        f"{header}\n撤销,010101-1,2026-11-20 10:00,盗窃,超期\n,010101-1,2026-11-20 10:00,盗窃,按期\n",
        "21 13:00",
        mapping,
    )

    assert values(desk.store, "closed", "20") == [[0, 100], [], []]
    assert desk.thefts("20") == [[1], [0], [0]]


def test_a_day_of_increments_is_counted_once_its_bad_rows_are_settled(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 x9", "Q-7 20 盗窃", "010101-1 昨天 盗窃"), "20 10:00", increments())
    desk.send(table("010101-1 21 盗窃"), "21 08:00", increments())
    missing = desk.thefts("20")
    mending.drop(desk.store, [kept.id for kept in quarantine.entries(desk.store)], "另报", now=at(DAYS[21], "09:00"))
    desk.send(table("010102-1 20 盗窃"), "21 10:00", increments())

    assert missing == [[], [], []]
    assert desk.thefts("20") == [[9], [1], [0]]


def test_a_week_has_a_value_once_all_its_days_are_there(desk: Desk) -> None:
    weekly = feed({"counts": [{"indicator": "campus", "categories": "涉校"}], "ratios": []})
    desk.send(
        table("010101-1 16 涉校 x2", "010201-1 18 涉校", *(f"010102-1 {d} 其他" for d in (17, 19, 20, 21))),
        "22 08:00",
        weekly,
    )
    before = values(desk.store, "campus", "16")

    account = desk.send(table("010101-1 22 涉校 x3"), "23 08:00", weekly)

    assert before == [[], [], []]
    assert account.accepted == 3
    assert values(desk.store, "campus", "16") == [[5], [0], [1]]


def test_a_month_has_a_value_once_all_its_days_are_there(desk: Desk) -> None:
    monthly = feed({"counts": [{"indicator": "visits", "categories": "巡查"}], "ratios": [], "days": "@file"})
    rows = table(*(f"010101-1 2026-10-{day:02} 巡查" for day in range(1, 31)))

    desk.send(rows, "01 08:00", monthly, name="网格20261001-20261030.csv")
    before = values(desk.store, "visits", "2026-10-01")
    desk.send(table("010201-1 2026-10-31 巡查"), "02 08:00", monthly, name="网格20261031.csv")

    assert before == [[], [], []]
    assert values(desk.store, "visits", "2026-10-01") == [[30], [0], [1]]


def test_a_percentage_is_made_of_events_in_every_place_and_of_nothing_there_is_none(desk: Desk) -> None:
    desk.send(
        table("010101-1 20 盗窃 按期 x9", "010101-1 20 火灾 超期", "010102-1 20 噪声 超期", "010102-1 20 噪声 x7"),
        "21 08:00",
    )

    # 9 of 10 at the bridge, 0 of 1 at the market (seven have no result yet), nothing at the harbour.
    assert values(desk.store, "closed", "20") == [[90], [0], []]
    # 9 of 11 in the east and in the town: not the mean of 90 and 0.
    assert values(desk.store, "closed", "20", [EAST, WEST, TOWN]) == [[81.818182], [], [81.818182]]


def test_a_percentage_of_a_week_is_that_of_its_events(desk: Desk) -> None:
    weekly = feed(
        {"counts": [], "ratios": [{"indicator": "solved", "categories": "纠纷", "results": "成功", "of": "失败"}]}
    )
    rows = ["010101-1 16 纠纷 成功", "010101-1 17 纠纷 失败 x3", *(f"010101-1 {d} 其他" for d in range(18, 23))]

    desk.send(table(*rows), "23 08:00", weekly)

    assert values(desk.store, "solved", "16", [*STREETS, EAST, TOWN]) == [[25], [], [], [25], [25]]


def test_a_feed_of_one_district_says_nothing_of_the_others_nor_of_the_town(desk: Desk) -> None:
    account = desk.send(table("010101-1 20 盗窃 按期 x60", "010201-1 20 盗窃 按期"), "21 08:00", feed(places=[EAST]))

    assert numbers(account) == (61, 60, 0, 1)
    assert desk.thefts("20") == [[60], [0], []]
    assert values(desk.store, "closed", "20", [EAST, WEST, TOWN]) == [[100], [], []]


def test_events_counted_by_district_have_no_value_in_streets(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃 按期", "西区 20 盗窃 超期"), "21 08:00", feed({"tier": "district"}))

    assert values(desk.store, "thefts", "20", [*STREETS, EAST, WEST]) == [[], [], [], [1], [1]]
    assert values(desk.store, "closed", "20", [EAST, WEST, TOWN]) == [[100], [0], [50]]


def test_an_indicator_that_is_added_has_its_past_from_the_tallies_that_are_kept(desk: Desk) -> None:
    desk.send(table("010101-1 19 噪声 x4"), "20 08:00")
    more = feed({"counts": [*EVENTS["counts"], {"indicator": "quarrels", "categories": "噪声"}]})

    account = desk.send(table("010102-1 20 噪声"), "21 08:00", more)

    assert account.accepted == 1
    assert values(desk.store, "quarrels", "19") == [[4], [0], [0]]
    assert values(desk.store, "quarrels", "20") == [[0], [1], [0]]


def test_a_grid_that_lies_elsewhere_by_now_does_so_in_the_past_too(tmp_path: Path) -> None:
    lay(tmp_path)
    with closing(open_store(tmp_path / "kapok.db")) as store:
        Desk(tmp_path, load_city(tmp_path / "city"), store).send(table("010101-7 19 盗窃"), "20 08:00")
        (tmp_path / "city" / "grids.csv").write_text("grid,place\n010101-7,010102\n", encoding="utf-8")
        moved = Desk(tmp_path, load_city(tmp_path / "city"), store)
        moved.send(table("010101-7 20 盗窃"), "21 08:00")

        assert moved.thefts("19") == [[1, 0], [0, 1], [0]]
        assert moved.thefts("20") == [[0], [1], [0]]


def test_events_of_a_grid_that_lies_nowhere_any_more_are_told(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "city" / "grids.csv").write_text("grid,place\nQ-7,010102\n", encoding="utf-8")
    with closing(open_store(tmp_path / "kapok.db")) as store:
        Desk(tmp_path, load_city(tmp_path / "city"), store).send(
            table("Q-7 19 盗窃 x2", "010101-1 19 盗窃"), "20 08:00"
        )
        (tmp_path / "city" / "grids.csv").unlink()
        without = Desk(tmp_path, load_city(tmp_path / "city"), store)
        account = without.send(table("010101-1 20 盗窃"), "21 08:00")

        assert account.notes[0].startswith("2 件事件的网格已不在任何地区")
        assert without.thefts("19") == [[1], [2, 0], [0]]


def test_a_new_table_of_grids_reads_the_files_that_still_lie_there_again(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "feeds" / "网格.csv").write_text(table("010101-1 20 盗窃 x60", "Q-7 20 盗窃"), encoding="utf-8")
    found = []
    with closing(open_store(tmp_path / "kapok.db")) as store:
        for grids in ("grid,place\nZ-1,010102\n", "grid,place\nQ-7,010102\n"):
            (tmp_path / "city" / "grids.csv").write_text(grids, encoding="utf-8")
            found += import_folder(
                *(store, load_city(tmp_path / "city"), tmp_path / "feeds"),
                now=at(DAYS[21], "08:00"),
                late_after=LATE_AFTER,
                zone=ZONE,
                feeds={"grid": feed()},
            )
        states = quarantine.states(store)

    assert list(map(numbers, found)) == [(61, 60, 0, 1), (61, 1, 60, 0)]
    assert states == {"delivered": 1}


def test_categories_that_make_no_indicator_are_kept_and_told(desk: Desk) -> None:
    account = desk.send(table("010101-1 20 盗窃", "010101-1 20 噪声 x3", "010101-1 20 占道 x2"), "21 08:00")

    told = "没有对应指标的类别 2 种、5 件：噪声 3、占道 2"
    assert [note.partition(" / ")[0] for note in account.notes] == [told]
    assert [note.partition(" / ")[0] for note in desk.notices()] == ["新出现的类别没有对应指标：噪声 3、占道 2"]


def test_only_categories_that_were_never_met_are_a_notice(desk: Desk) -> None:
    desk.send(table("010101-1 20 盗窃", "010101-1 20 噪声"), "21 08:00")
    desk.send(table("010101-1 21 盗窃", "010101-1 21 噪声", "010101-1 21 噪音扰民"), "22 08:00")

    assert [note.partition(" / ")[0] for note in desk.notices()] == [
        "新出现的类别没有对应指标：噪音扰民 1",
        "新出现的类别没有对应指标：噪声 1",
    ]


def test_nothing_of_an_event_is_kept_but_counts(desk: Desk) -> None:
    rows = [f"010101-1 20T10:11:{second} 盗窃 按期" for second in (12, 13)]
    desk.send(table(*rows, "010101-2 30T10:11:14 盗窃", "Q-7 20T10:11:15 盗窃"), "21 08:00", feed({"tolerance": 1}))

    columns = {
        table: [row[1] for row in desk.store.rows(f"PRAGMA table_info({table})")]
        for table in ("tally_feed", "tally_grid", "tally_kind", "tally")
    }
    ((_, cells),) = tally.cells(desk.store, 1, [(DAYS[20] - date(1970, 1, 1)).days])
    content = (desk.folder / "kapok.db").read_bytes() + (desk.folder / "kapok.db-wal").read_bytes()

    assert columns == {
        "tally_feed": ["id", "name", "sums"],
        "tally_grid": ["id", "code"],
        "tally_kind": ["id", "category", "result"],
        "tally": ["feed", "day", "events", "aside", "whole", "cells"],
    }
    assert cells.counts.tolist() == [2]
    assert set(tally.grids(desk.store)) == {"010101-1"}
    assert [entry.value for entry in quarantine.quarantined(desk.store)] == ["2026-11-30 10:11:14", "Q-7"]
    assert re.findall(rb"10:11:..", content) == [b"10:11:14"]  # the time that cannot be right, for who must mend it


any_row = st.tuples(
    st.sampled_from(["010101-1", "010101-2", "010102-1", "010201-5", "9901", ""]),
    st.sampled_from(["2026-11-18", "2026-11-19 10:00", "2026-11-20 10:11:12", "2026-11-30", "?"]),
    st.sampled_from(["盗窃", "火灾", "噪声", ""]),
    st.sampled_from(["按期", "超期", ""]),
)
deliveries = st.lists(st.lists(any_row, max_size=12), min_size=1, max_size=4)


@settings(max_examples=20)
@given(deliveries, st.booleans())
def test_every_row_is_accounted_for_and_what_is_known_is_what_was_delivered_last(
    city: City, tmp_path_factory: pytest.TempPathFactory, sent: list[list[tuple[str, ...]]], adds: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "feeds").mkdir()
    mapping = increments({"tolerance": 1}) if adds else feed({"least": 0, "tolerance": 1})
    expected: dict[str, Counter[str]] = {}
    seen: set[str] = set()

    with closing(open_store(folder / "kapok.db")) as store:
        desk = Desk(folder, city, store)
        for n, rows in enumerate(sent):
            content = "\n".join([HEADER, *map(",".join, rows)]) + "\n"
            if content in seen:
                continue
            seen.add(content)
            account = desk.send(content, f"21 {8 + n:02}:00", mapping)
            assert account.rows == account.accepted + account.unchanged + account.quarantined == sum(map(any, rows))
            good = [row for row in rows if row[0].startswith("01") and row[1] < "2026-11-21" and row[2]]
            exact = Counter(row for row in good if row[1].endswith(":12"))
            good = [row for row in good if row not in exact] + [*exact]
            for day in {row[1][:10] for row in good}:
                there = Counter(row[0][:6] for row in good if row[1][:10] == day and row[2] == "盗窃")
                expected[day] = (expected.get(day, Counter()) if adds else Counter()) + there
        found = {day: [one[-1] for one in values(store, "thefts", day)] for day in expected}
        aside = sum(quarantine.states(store).values())
        accounts = store.row("SELECT coalesce(sum(quarantined), 0) FROM feed_file")

    assert found == {day: [float(there[street]) for street in STREETS] for day, there in expected.items()}
    assert (aside,) == accounts


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(STREETS), st.integers(18, 20)), min_size=1, max_size=40), st.integers(0, 99))
def test_increments_in_any_parts_and_order_come_to_what_the_days_do_at_once(
    city: City, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int]], seed: int
) -> None:
    chance, found = random.Random(seed), []
    rows = [f"{street}-1,2026-11-{day} 10:00,盗窃,{n % 3 or '按期'}" for n, (street, day) in enumerate(events)]
    shuffled = chance.sample(rows, len(rows))
    cut = sorted(chance.sample(range(len(rows) + 1), 2)) if len(rows) > 1 else [0, 1]
    parts = [shuffled[: cut[0]], shuffled[cut[0] : cut[1]], shuffled[cut[1] :]]
    for deliver, mapping in (([rows], feed({"least": 0})), (parts, increments())):
        folder = tmp_path_factory.mktemp("parts")
        (folder / "feeds").mkdir()
        with closing(open_store(folder / "kapok.db")) as store:
            desk = Desk(folder, city, store)
            for n, some in enumerate(deliver):
                desk.send("\n".join([HEADER, *some, f"010101-9,2026-11-21,第{n}次,"]), f"21 {8 + n:02}:00", mapping)
            days = {day for _, day in events}
            found.append({day: [one[-1:] for one in values(store, "thefts", str(day))] for day in days})

    assert found[0] == found[1]
