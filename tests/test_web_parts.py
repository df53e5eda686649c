"""The page's parts that need no request: the drawing, the dates, the colours, the server."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_city import deployment_in

from warning.city import load_city
from warning.errors import ConfigError
from warning.geography import Outline, Shape
from warning.model import Level
from warning.paths import PACKAGE, shipped
from warning.situation import Coverage
from warning.web.drawing import Tally, drawing
from warning.web.map import mapped
from warning.web.places import due_of
from warning.web.server import Server

CITY = load_city(shipped("city"))
SQUARE = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))
DOT = ((10.0, 10.0), (12.0, 10.0), (12.0, 12.0), (10.0, 12.0))

tallies = st.dictionaries(
    st.integers(1, 999).map(str),
    st.builds(Tally, st.text("甲乙丙丁", min_size=1, max_size=8), st.sampled_from(Level), st.integers(0, 9)),
    min_size=1,
    max_size=200,
)


@given(tallies)
def test_without_an_outline_every_place_has_a_tile_of_its_own(places: dict[str, Tally]) -> None:
    tiles = drawing(None, places)

    corners = {re.match(r"M(\S+) (\S+?)h", place.path) for place in tiles.places}
    x, y, width, height = tiles.view_box
    assert [place.code for place in tiles.places] == list(places)
    assert len({found.groups() for found in corners if found}) == len(places)
    assert all(x < place.at[0] < x + width and y < place.at[1] < y + height for place in tiles.places)
    assert all(len(place.tally.name) * tiles.text <= 94 for place in tiles.places)


def test_an_outline_that_lacks_a_place_gives_tiles() -> None:
    outline = Outline((0, 0, 100, 100), {"1": Shape((SQUARE,), (50, 50))})
    places = {code: Tally("甲", Level.CALM, 0) for code in ("1", "2")}

    drawn = drawing(outline, places)

    assert not drawn.schematic
    assert len(drawn.places) == 2


def test_a_small_place_is_named_beside_the_map_and_drawn_last() -> None:
    outline = Outline((0, 0, 100, 100), {"1": Shape((DOT,), (11, 11)), "2": Shape((SQUARE,), (50, 50))})
    places = {"1": Tally("点", Level.RED, 2), "2": Tally("面", Level.CALM, 0)}

    large, small = drawing(outline, places).places

    assert (large.code, large.leader, large.at) == ("2", None, (50, 50))
    assert small.leader is not None
    assert small.leader[1] == (11, 11)
    assert small.path == "M10 10 12 10 12 12 10 12Z"


@pytest.mark.parametrize(
    ("judged", "shown"),
    [
        pytest.param(["440106", "440115001"], 11, id="districts-even-where-streets-are-judged-too"),
        pytest.param(["440115001"], 11, id="the-outline-is-the-map"),
    ],
)
def test_the_map_shows_the_places_of_the_outline(judged: list[str], shown: int) -> None:
    on = {code: Coverage(code, date(2026, 11, 21), 1, 0, Level.CALM) for code in judged}

    places = mapped(CITY, on)

    assert [place.tier for place in places] == ["district"] * shown


@pytest.mark.parametrize(
    ("frequency", "day", "late_after", "due"),
    [
        # judged on the morning after `day`, so that a daily value is due with the day itself
        pytest.param("daily", date(2026, 11, 21), 1, date(2026, 11, 21), id="daily"),
        pytest.param("daily", date(2026, 11, 21), 2, date(2026, 11, 20), id="daily-that-may-take-a-day-more"),
        # the week from the 9th ended on Sunday the 15th; the week from the 16th ends on the 22nd
        pytest.param("weekly", date(2026, 11, 21), 3, date(2026, 11, 9), id="the-week-under-way-is-not-due"),
        pytest.param("weekly", date(2026, 11, 22), 1, date(2026, 11, 16), id="on-its-sunday"),
        pytest.param("weekly", date(2026, 11, 23), 3, date(2026, 11, 9), id="not-yet-late"),
        pytest.param("weekly", date(2026, 11, 24), 3, date(2026, 11, 16), id="three-days-on"),
        pytest.param("monthly", date(2026, 11, 21), 10, date(2026, 10, 1), id="last-month"),
        pytest.param("monthly", date(2026, 11, 8), 10, date(2026, 9, 1), id="last-month-may-still-come"),
        pytest.param("monthly", date(2026, 1, 31), 1, date(2026, 1, 1), id="on-the-last-of-the-month"),
    ],
)
def test_when_a_value_is_due(frequency: str, day: date, late_after: int, due: date) -> None:
    assert due_of(frequency, day, late_after) == due


@pytest.mark.parametrize("level", ["red", "orange", "yellow", "calm", "grey"])
def test_levels_are_legible(level: str) -> None:
    style = (PACKAGE / "web" / "static" / "kapok.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    [rule] = re.findall(rf"\.level\.{level} {{([^}}]*)}}", style)

    ink = re.findall(r"(?:^|[\s;])color: (#[0-9a-f]{3,6})", rule)[0]
    grounds = [
        named.get(found, found)
        for found in re.findall(r"var\(--(\w+)\)|(#[0-9a-f]+)", _ground(rule))
        for found in found
        if found
    ]

    assert grounds
    assert all(_contrast(ink, ground) >= 4.5 for ground in grounds)  # WCAG 2.1, AA


def test_a_port_in_use_is_a_sentence_about_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        deployment = deployment_in(tmp_path)
        web = deployment.config.web.model_copy(update={"port": port})
        taken = replace(deployment, config=deployment.config.model_copy(update={"web": web}))

        with pytest.raises(ConfigError) as error:
            Server(taken).start()

    assert f"web.port: {port} on 127.0.0.1 is in use by another program" in str(error.value)


def test_a_stopped_server_answers_no_more(tmp_path: Path) -> None:
    server = Server(deployment_in(tmp_path))
    address = server.start()
    before = httpx.get(f"{address}healthz", trust_env=False)

    server.stop()

    assert before.status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}healthz", trust_env=False)


def _ground(rule: str) -> str:
    return rule[rule.index("background") :].split(";", maxsplit=1)[0]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB, WCAG 2.1."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
