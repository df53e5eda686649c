"""The walk from a department's file to a series: its commands run as they stand there, and say what it prints."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner
from written import blocks, keys, section, text

from warning.cli import app
from warning.errors import KapokError
from warning.event_mapping import BESIDE, Counts, Events, Shares
from warning.layout import lay_out, set_values
from warning.mapping import Columns, Feed
from warning.model import SeriesKey
from warning.service import open_service
from warning.store import observation

PAGES = ("docs/feeds.zh.md", "docs/feeds.en.md")
FILE, NAME = "警情日报20261121.csv", "police"
EVENTS = "网格事件20261121.csv"
DAY = date(2026, 11, 21)
AT = "2026-11-22T09:00:00+08:00"


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment laid anew, entered on the Sunday after."""
    lay_out(tmp_path)
    set_values(tmp_path / "config.toml", {"clock.file": '"clock"'})
    (tmp_path / "clock").write_text(AT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def parts(page: str) -> tuple[str, str]:
    """The walk with a file of numbers, and the one with a file of events."""
    numbers, heading, events = re.split(r"^(## (?:网格事件|Events of the grid))\n", text(page), flags=re.M)
    return numbers, heading + events


def typed(line: str) -> tuple[str, bool]:
    """Run a line as it stands there; return what it says, and whether it refuses."""
    first, *words = shlex.split(line)
    if first == "cp":
        shutil.copy(*words)
        return "", False
    assert first == "kapok", line
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, KapokError):
        return str(result.exception), True
    assert result.exit_code == 0, f"{line}: {result.output} {result.exception}"
    return result.output, False


def walk(part: str, files: Sequence[tuple[Path, str]], mapping: Path) -> None:
    """Do what a page says, block by block: tables become files, what is shown must have been said."""
    tables, said, refused = iter(files), "", False
    for language, content in re.findall(r"^```(csv|sh|toml|text)\n(.*?)^```", part, flags=re.M | re.S):
        assert language == "text" or not refused, f"a command refuses, and the page does not show it: {said}"
        match language:
            case "csv":
                path, encoding = next(tables)
                path.write_bytes(content.encode(encoding))
            case "toml":
                mapping.write_text(content, encoding="utf-8")
            case "sh":
                answers = [typed(line) for line in content.splitlines()]
                said, refused = "".join(answer for answer, _ in answers), any(no for _, no in answers)
            case _:
                assert [line for line in content.splitlines() if line not in said] == []
                refused = False
    assert next(tables, None) is None


def test_the_walk_can_be_walked(page: str, centre: Path) -> None:
    walk(parts(page)[0], [(centre / FILE, "gb18030")], centre / "city" / "feeds" / f"{NAME}.toml")

    with open_service(centre / "config.toml") as service:
        assert set(service.feeds) == {NAME}
        affray = [SeriesKey("ss_po_affray_calls", place) for place in ("440103", "440106", "440112")]
        known = [observation.revisions(service.store, key, DAY) for key in affray]
        assert [[one.value for one in revisions] for revisions in known] == [[2.0], [1001.0], [1.0]]


def test_the_walk_with_events_can_be_walked(page: str, centre: Path) -> None:
    sent, grids = centre / EVENTS, centre / "city" / "grids.csv"

    walk(parts(page)[1], [(sent, "utf-8"), (sent, "utf-8"), (grids, "utf-8")], centre / "city" / "feeds" / "grid.toml")

    asked = {
        "ss_ee_noise_complaints": ("440103001", "440104005", "440106012"),
        "ss_fi_blocked_exits": ("440103001", "440106012"),
        "is_gr_event_close_ratio": ("440103001", "440103", "440106012", "440100", "440104005"),
    }
    with open_service(centre / "config.toml") as service:
        known = {
            name: [
                [one.value for one in observation.revisions(service.store, SeriesKey(name, place), DAY)] for place in of
            ]
            for name, of in asked.items()
        }
    assert known == {
        "ss_ee_noise_complaints": [[2.0], [1.0], [0.0]],
        "ss_fi_blocked_exits": [[1.0], [0.0]],
        # 2 of 3 in the first street and its district, 1 of 1 in the third, 3 of 4 in the city; the second closed none.
        "is_gr_event_close_ratio": [[66.666667], [66.666667], [100.0], [75.0], []],
    }


def test_a_page_lists_every_key_of_a_mapping(page: str) -> None:
    listed = keys(section(page, "映射的键" if page.endswith("zh.md") else "Keys of a mapping"))

    assert set(listed) == set(Feed.model_fields) - {"id"}
    assert set(Columns.model_fields) <= set(re.findall(r"`([a-z_]+)`", text(page)))


def test_a_page_lists_every_key_of_events(page: str) -> None:
    part = section(page, "事件的键" if page.endswith("zh.md") else "Keys of events")

    assert set(keys(part)) == set(Events.model_fields)
    assert (set(Counts.model_fields) | set(Shares.model_fields)) <= set(re.findall(r"`([a-z_]+)`", part))


def test_a_page_names_the_keys_that_go_with_events(page: str) -> None:
    last = section(page, "事件的键" if page.endswith("zh.md") else "Keys of events").rstrip().splitlines()[-1]

    named = set(re.findall(r"`([a-z_]+)`", last)) | {"id", "name_en", "due_days", "at", "events", "sql", "http", "push"}
    assert named - {"place"} == set(BESIDE)


def test_both_pages_walk_the_same_way() -> None:
    ways = [(blocks(page, "csv"), blocks(page, "sh"), blocks(page, "toml")) for page in PAGES]

    assert ways[0] == ways[1]
