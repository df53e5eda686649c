"""A mapping of events guessed from a file: what it counts, what it leaves to a person, what stops it."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from warning.city import load_city
from warning.errors import SourceError
from warning.feedset import read_feeds
from warning.guessing import guess
from warning.paths import shipped
from warning.sources.files import tables_of

CITY = load_city(shipped("city"))
TODAY = date(2026, 11, 22)
FILE = """网格办,,,
序号,所属网格,发现时间,事件类型,处置状态
1,440103001002003,2026-11-21 08:12:31,噪声扰民,按期办结
2,440103001002003,2026-11-21 09:12:31,噪声扰民,超期办结
3,440103001002003,2026-11-21 10:12:31,占道经营,按期办结
4,440103001002003,2026-11-21 10:12:31,交通事故,无
"""


def test_a_guess_counts_what_is_called_as_an_indicator_and_leaves_the_rest_to_a_person(tmp_path: Path) -> None:
    guessed = guess(tables_of("网格20261121.csv", FILE.encode()), "网格20261121.csv", CITY, TODAY).toml()
    (tmp_path / "grid.toml").write_text(guessed, encoding="utf-8")

    feeds, errors = read_feeds(tmp_path, CITY)

    assert errors == []
    events = feeds["grid"].events
    assert events is not None
    assert feeds["grid"].ignore == ("序号",)
    assert (events.grid, events.time, events.category, events.result, events.days) == (
        *(("所属网格",), ("发现时间",), ("事件类型",), ("处置状态",), "@file"),
    )
    assert {one.indicator: one.categories for one in events.counts} == {"ss_ee_noise_complaints": ("噪声扰民",)}
    assert '# "占道经营"  # 1\n# "交通事故"  # 1' in guessed  # calls, or deaths: two indicators are called so
    assert '# results = ["按期办结"]\n# of = ["超期办结"]' in guessed


def test_a_file_that_says_no_day_in_its_name_delivers_the_days_of_its_events() -> None:
    guessed = guess(tables_of("网格.csv", FILE.encode()), "网格.csv", CITY, TODAY).toml()

    assert "days" not in tomllib.loads(guessed)["events"]


def test_a_table_with_numbers_is_none_of_events() -> None:
    content = "网格,时间,类别,数量\n440103001002003,2026-11-21,噪声扰民,3\n"

    assert "events" not in guess(tables_of("a.csv", content.encode()), "a.csv", CITY, TODAY).content


@pytest.mark.parametrize(("header", "cell"), [("上报人", "某某"), ("编号", "13800000000")])
def test_a_column_that_must_not_be_there_is_named_before_anything_is_guessed(header: str, cell: str) -> None:
    content = f"网格,时间,类别,{header}\n440103001002003,2026-11-21,噪声扰民,{cell}\n"

    with pytest.raises(SourceError, match=f"a.csv: 列“{header}”可能载有个人信息") as error:
        guess(tables_of("a.csv", content.encode()), "a.csv", CITY, TODAY)

    assert cell not in str(error.value)
