"""Pictures and the shipped font.  A glyph the font lacks is a warning, and warnings are errors here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from warning.charts import FONT, Series, map_chart, series_chart
from warning.charts.series import _number
from warning.city import load_city
from warning.facts import COLOUR, LEVEL_ZH, MARK
from warning.geography import Outline, Shape
from warning.model import Level
from warning.paths import shipped

LAST = date(2026, 11, 21)
CITY = load_city(shipped("city"))
DISTRICTS = {place.code: place.name_zh for place in CITY.places.values() if place.tier == "district"}


def series(values: list[float]) -> Series:
    """Return a series that ends on ``LAST``, usually 20, between 12 and 30."""
    count = len(values)
    dates = np.datetime64(LAST) - np.arange(count)[::-1]
    return Series(dates, np.array(values), np.full(count, 20.0), np.full(count, 12.0), np.full(count, 30.0))


def colours(picture: bytes) -> set[str]:
    found = Image.open(BytesIO(picture)).convert("RGB").getcolors(1 << 24) or []
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in found if isinstance(colour, tuple)}


def size(picture: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(picture)).size


def chart(values: list[float], level: Level = Level.RED, *, simulated: bool = False) -> bytes:
    title, onset = "天河区·电信网络诈骗警情数", LAST - timedelta(days=2)
    return series_chart(
        series(values), title=title, unit="起", level=level, judged=LAST, onset=onset, simulated=simulated
    )


QUIET_MONTH = [20.0, 22.0, 18.0, 21.0, 19.0, 16.0, 15.0] * 4
BURST = [*QUIET_MONTH, 35.0, 41.0, 47.0]


def test_a_chart_is_twice_as_large_as_it_is_shown() -> None:
    assert size(chart(BURST)) == (1280, 560)


def test_the_same_series_gives_the_same_bytes() -> None:
    assert chart(BURST, simulated=True) == chart(BURST, simulated=True)


@pytest.mark.parametrize("level", [Level.YELLOW, Level.ORANGE, Level.RED])
def test_the_judged_date_has_the_colour_of_its_level(level: Level) -> None:
    others = {COLOUR[other] for other in (Level.YELLOW, Level.ORANGE, Level.RED) if other is not level}

    found = colours(chart(BURST, level))

    assert COLOUR[level] in found
    assert not others & found


def test_levels_differ_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    for level in Level:
        monkeypatch.setitem(COLOUR, level, "#000000")

    pictures = {chart(BURST, level) for level in Level}

    assert len(pictures) == len(Level)


def test_a_picture_of_made_up_data_differs_from_one_of_real_data() -> None:
    names = {"a": "甲区"}

    assert chart(BURST, simulated=True) != chart(BURST)
    assert map_chart(None, {}, names, simulated=True) != map_chart(None, {}, names)


def test_what_went_on_after_the_judged_date_is_marked_without_a_level() -> None:
    def held(values: list[float]) -> bytes:
        judged = LAST - timedelta(days=2)
        return series_chart(series(values), title="甲", unit="起", level=Level.RED, judged=judged)

    shown = held([*BURST, 20.0, 21.0])
    without_the_last = held([*BURST, np.nan, np.nan])

    assert shown != without_the_last
    assert COLOUR[Level.RED] in colours(shown)


def test_the_mean_over_a_window_abstains_until_the_window_is_full_and_over_a_gap() -> None:
    found = replace(series([1.0, 2.0, 3.0, np.nan, 5.0, 6.0, 7.0]), window=3).compared

    np.testing.assert_array_equal(found, [np.nan, np.nan, 2.0, np.nan, np.nan, np.nan, 6.0])


def test_a_gap_is_no_zero() -> None:
    gap, zero = list(BURST), list(BURST)
    gap[10], zero[10] = np.nan, 0.0

    assert chart(gap) != chart(zero)


@settings(max_examples=15)
@given(
    st.lists(st.one_of(st.just(np.nan), st.floats(-1e4, 1e6)), min_size=1, max_size=9),
    st.text(st.sampled_from("天河区$^_{}\\%&~#·abc"), max_size=20),
)
def test_every_series_and_title_can_be_drawn(values: list[float], title: str) -> None:
    bare = replace(series(values), lower=np.full(len(values), np.nan), expected=np.full(len(values), np.nan))

    assert size(series_chart(bare, title=title, unit="%", judged=LAST)) == (1280, 560)


@pytest.mark.parametrize("largest", [99_999.0, 100_000.0, 2.5e7, 1e8, 3.7e12, 1e13])
def test_a_label_of_a_large_number_is_not_cut(largest: float) -> None:
    picture = Image.open(BytesIO(chart([*QUIET_MONTH, largest]))).convert("L")

    for left in (0, 1277):  # a margin of three pixels is white
        assert picture.crop((left, 100, left + 3, 560)).getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("value", "written"),
    [(99_999.0, "99999"), (100_000.0, "10万"), (2.5e6, "250万"), (1e8, "1亿"), (3.7e12, "3.7万亿"), (20.5, "20.5")],
)
def test_a_large_number_is_written_in_the_units_it_is_read_in(value: float, written: str) -> None:
    assert _number(value) == written


def test_an_empty_series_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one date"):
        chart([])


LEVELS = dict(zip(DISTRICTS, [Level.RED, Level.CALM, Level.ORANGE, Level.YELLOW, Level.MISSING] * 3, strict=False))


@pytest.mark.parametrize("outline", [pytest.param(CITY.outline, id="outline"), pytest.param(None, id="tiles")])
def test_a_map_shows_every_level(outline: Outline | None) -> None:
    found = colours(map_chart(outline, LEVELS, DISTRICTS))

    assert set(COLOUR.values()) <= found


def test_a_place_nobody_judged_is_not_drawn_as_calm() -> None:
    names = {"a": "甲区"}

    unjudged = map_chart(None, {}, names)

    assert unjudged == map_chart(None, {"a": Level.MISSING}, names)
    assert unjudged != map_chart(None, {"a": Level.CALM}, names)


def test_an_outline_that_lacks_a_place_gives_tiles() -> None:
    square = Shape((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),), (0.5, 0.5))
    lacking = Outline((0.0, 0.0, 1.0, 1.0), {"a": square})
    names: Mapping[str, str] = {"a": "甲区", "b": "乙区"}

    assert map_chart(lacking, {}, names) == map_chart(None, {}, names)


def test_the_font_has_every_character_the_service_can_print() -> None:
    names = [place.name_zh for place in CITY.places.values()]
    known = [f"{found.name_zh}{found.level2_zh}{found.unit}{found.department}" for found in CITY.indicators.values()]
    templates = [path.read_text(encoding="utf-8") for path in shipped("templates").rglob("*.j2")]
    words = [*LEVEL_ZH.values(), *MARK.values(), CITY.map_note, "正常范围预期值实际值始于月日模拟−"]
    with TTFont(FONT) as font:
        shown = set(font.getBestCmap())

    wanted = {c for text in (*names, *known, *templates, *words) for c in text if c.isprintable()}

    assert {c for c in wanted if ord(c) not in shown} == set()


def test_the_page_gets_the_same_font_and_its_licence_lies_beside_it() -> None:
    with TTFont(FONT) as drawn, TTFont(FONT.with_suffix(".woff2")) as read:
        assert drawn.getBestCmap().keys() == read.getBestCmap().keys()
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT.parent / "OFL.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in FONT.parent.iterdir() if path.is_file()) < 4e6
