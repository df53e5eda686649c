"""The walk from a department's file to a series: its commands run as they stand there, and say what it prints."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner
from written import blocks, keys, section, text

from warning.cli import app
from warning.event_mapping import BESIDE, Counts, Events, Shares
from warning.layout import lay_out, set_values
from warning.mapping import Columns, Feed
from warning.model import SeriesKey
from warning.service import open_service
from warning.store import observation

PAGES = ("docs/feeds.zh.md", "docs/feeds.en.md")
FILE, NAME = "警情日报20261121.csv", "police"
DAY = date(2026, 11, 21)
AT = "2026-11-22T09:00:00+08:00"


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_walk_can_be_walked(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (table,), (mapping,) = blocks(page, "csv"), blocks(page, "toml")
    lay_out(tmp_path)
    set_values(tmp_path / "config.toml", {"clock.file": '"clock"'})
    (tmp_path / "clock").write_text(AT, encoding="utf-8")
    (tmp_path / FILE).write_bytes(table.encode("gb18030"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    said = ""

    for line in "".join(blocks(page, "sh")).splitlines():
        first, *words = shlex.split(line)
        if first == "cp":
            shutil.copy(*words)
            continue
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0, line
        said += result.output
        if words[:2] == ["feed", "add"]:
            (tmp_path / "city" / "feeds" / f"{NAME}.toml").write_text(mapping, encoding="utf-8")

    assert [shown for block in blocks(page, "text") for shown in block.splitlines() if shown not in said] == []
    with open_service(tmp_path / "config.toml") as service:
        assert set(service.feeds) == {NAME}
        affray = [SeriesKey("ss_po_affray_calls", place) for place in ("440103", "440106", "440112")]
        known = [observation.revisions(service.store, key, DAY) for key in affray]
        assert [[one.value for one in revisions] for revisions in known] == [[2.0], [1001.0], [1.0]]


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
