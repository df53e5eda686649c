"""The mapping of a feed: what is read from its file, and what is said when it is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from little_city import CITY

from warning.city import City, load_city
from warning.errors import ConfigError
from warning.feedset import feed_of, read_feeds
from warning.mapping import Feed, indicators_of, places_of

BAD_FILES = sorted((Path(__file__).parent / "bad_feeds").iterdir())
THEFTS = """
name_zh = "盗窃日报"
files = ["盗窃*.xlsx"]
constants = { indicator = "thefts" }
columns = { place = ["区", "辖区"], date = "日期", value = "数量" }
"""


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    for name, text in CITY.items():
        (folder / name).write_text(text.lstrip(), encoding="utf-8")
    return load_city(folder)


def feeds_of(folder: Path, city: City, **files: str) -> tuple[dict[str, Feed], list[ConfigError]]:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return read_feeds(folder, city)


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_a_fault_of_a_mapping_is_named(path: Path, tmp_path: Path, little: City) -> None:
    text = path.read_text(encoding="utf-8")
    expected = text.splitlines()[0].removeprefix("# expect: ")

    _, errors = feeds_of(tmp_path, little, **{path.stem: text})

    assert [fault for error in errors for fault in error.faults] == [expected]


def test_a_city_without_the_folder_has_no_feeds(tmp_path: Path, little: City) -> None:
    assert read_feeds(tmp_path / "feeds", little) == ({}, [])


def test_a_feed_is_called_as_its_file_is_and_takes_one_header_or_several(tmp_path: Path, little: City) -> None:
    feeds, errors = feeds_of(tmp_path, little, thefts=THEFTS)

    feed = feeds["thefts"]

    assert errors == []
    assert (feed.id, feed.columns.place, feed.columns.date) == ("thefts", ("区", "辖区"), ("日期",))
    assert (feed.kind, feed.layout, feed.header, feed.due_days) == ("file", "long", "auto", 1)
    assert indicators_of(feed) == ("thefts",)


def test_a_tier_stands_for_its_places(tmp_path: Path, little: City) -> None:
    feeds, errors = feeds_of(tmp_path, little, thefts=THEFTS + 'absent = 0\nplaces = ["district"]\n')

    assert errors == []
    assert places_of(feeds["thefts"], little.places) == ("0101", "0102")


def test_two_feeds_cannot_claim_the_same_files(tmp_path: Path, little: City) -> None:
    _, errors = feeds_of(tmp_path, little, one=THEFTS, two=THEFTS)

    assert [(Path(error.where).name, error.faults) for error in errors] == [
        ("two.toml", ("files: '盗窃*.xlsx' is claimed by one.toml, too",))
    ]


EVENTS = """
name_zh = "网格事件"
files = ["网格*.csv"]
[events]
delivery = "days"
grid = "网格"
time = "时间"
category = "类别"
[[events.counts]]
indicator = "thefts"
categories = "盗窃"
"""


def test_two_feeds_cannot_count_the_same_in_the_same_places(tmp_path: Path, little: City) -> None:
    east, west = (
        EVENTS.replace("[events]", f'places = ["{code}"]\n[events]', 1).replace("网格*", code)
        for code in ("0101", "0102")
    )

    _, apart = feeds_of(tmp_path, little, east=east, west=west)
    _, both = feeds_of(tmp_path, little, whole=EVENTS)

    assert apart == []
    assert [(Path(error.where).name, error.faults) for error in both] == [
        ("whole.toml", ("events: 'thefts' is counted by east.toml, too, in some of the same places",))
    ]


def test_a_stock_cannot_be_made_of_events(tmp_path: Path, little: City) -> None:
    stock = replace(little.indicators["thefts"], period_agg="last")
    city = replace(little, indicators={**little.indicators, "thefts": stock})

    _, errors = feeds_of(tmp_path, city, grid=EVENTS)

    assert [fault for error in errors for fault in error.faults] == [
        "events.counts: 'thefts' is a stock (period_agg last), which events of a day are not"
    ]


def test_new_events_are_the_same_content_whatever_their_mapping_says_by_now(tmp_path: Path, little: City) -> None:
    new = EVENTS.replace('"days"', '"increments"\nsince = 2026-11-20')
    feeds, errors = feeds_of(tmp_path, little, days=EVENTS, new=new.replace("网格*", "新增*"))
    named = {name: feed.shape() for name, feed in feeds.items()}

    (tmp_path / "new.toml").write_text(new.replace('"盗窃"', '"偷盗"').replace("网格*", "新增*"), encoding="utf-8")
    (tmp_path / "days.toml").write_text(EVENTS.replace('"盗窃"', '"偷盗"'), encoding="utf-8")
    renamed = {name: feed.shape() for name, feed in read_feeds(tmp_path, little)[0].items()}

    assert [error.faults for error in errors] == [
        ("events: 'thefts' is counted by days.toml, too, in some of the same places",)
    ]
    assert named["new"] == renamed["new"]
    assert named["days"] != renamed["days"]


def test_the_faults_of_all_mappings_are_told_at_once(tmp_path: Path, little: City) -> None:
    _, errors = feeds_of(tmp_path, little, one=THEFTS.replace("thefts", "theft"), two="name_zh = 1\n")

    assert [Path(error.where).name for error in errors] == ["one.toml", "two.toml"]


def test_a_new_contact_does_not_change_how_a_content_is_read(tmp_path: Path, little: City) -> None:
    feeds, _ = feeds_of(
        tmp_path,
        little,
        one=THEFTS,
        two=THEFTS.replace("盗窃*", "偷盗*") + 'contact = "a@example.com"\ndue = "10:00"\n',
        three=THEFTS.replace("盗窃*", "失窃*") + "factors = { thefts = 2 }\n",
    )

    one, two, three = (feeds[name].shape().replace(f'"{name}"', "") for name in ("one", "two", "three"))

    assert one == two
    assert one != three


def test_the_name_of_unclaimed_files_is_taken(tmp_path: Path) -> None:
    (tmp_path / "csv.toml").write_text(THEFTS, encoding="utf-8")

    with pytest.raises(ConfigError, match="'csv' is the feed of files nobody claims"):
        feed_of(tmp_path / "csv.toml")
