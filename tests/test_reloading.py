"""A mapping that is mended while the service runs: taken up before the next job, whole and checked, or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx
import pytest
from little_city import EAST, FRIDAY, at, lay, set_clock
from test_daemon import Daemon, rows
from test_pulling import say

from warning.errors import ConfigError
from warning.reloading import Mappings
from warning.service import load_deployment

MAPPING = """
name_zh = "警情"
files = ["警情*.csv"]
columns = { indicator = "事项", place = "辖区", date = "日期", value = "数量" }
"""
MENDED = MAPPING + '[codes.indicator]\n"盗抢" = "thefts"\n'
BROKEN = MAPPING + '[codes.indicator]\n"盗抢" = "theft"\n'
PUSHED = """
kind = "push"
name_zh = "警情"
columns = { indicator = "indicator", place = "place", date = "day", value = "n" }
[push]
token_env = "KAPOK_POLICE_TOKEN"
"""


def later(folder: Path, name: str, text: str) -> None:
    """Write a mapping anew, at a time that differs however coarse the clock of the file system."""
    say(folder, name, text)
    path = folder / "city" / "feeds" / f"{name}.toml"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))


def deliver(folder: Path) -> None:
    content = f"事项,辖区,日期,数量\n盗抢,{EAST},{FRIDAY},4\n"
    (folder / "feeds" / "警情.csv").write_text(content, encoding="utf-8")


def test_a_mended_mapping_is_read_before_the_next_job(tmp_path: Path) -> None:
    config = lay(tmp_path, history=False)
    say(tmp_path, "police", MAPPING)
    deliver(tmp_path)
    first, second, third = at(FRIDAY, "19:00"), at(FRIDAY, "19:10"), at(FRIDAY, "19:30")

    with Daemon(config) as daemon:
        daemon.wait_until_idle(first)
        later(tmp_path, "police", BROKEN)
        set_clock(tmp_path, second)
        daemon.wait_until_idle(second)
        notices = rows(tmp_path, "SELECT text FROM notice WHERE about = 'city/feeds'")
        before = rows(tmp_path, "SELECT accepted, quarantined FROM feed_file ORDER BY id")
        later(tmp_path, "police", MENDED)
        set_clock(tmp_path, third)
        daemon.wait_until_idle(third)

    ((text,),) = notices
    assert "仍按原来的读" in text
    assert "'theft' is unknown; did you mean 'thefts'?" in text
    assert before == [(0, 1)]
    assert rows(tmp_path, "SELECT accepted, quarantined FROM feed_file ORDER BY id") == [(0, 1), (1, 0)]


def test_a_feed_that_is_added_is_answered_by_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAPOK_POLICE_TOKEN", "t0ken")
    config = lay(tmp_path, history=False)
    push = {"Authorization": "Bearer t0ken", "Idempotency-Key": "1", "Content-Type": "application/json"}
    said = [{"indicator": "thefts", "place": EAST, "day": str(FRIDAY), "n": 4}]

    with Daemon(config) as daemon:
        page = re.findall(r"http://\S+", daemon.wait_for("page at "))[0]
        daemon.wait_until_idle(at(FRIDAY, "19:00"))
        before = httpx.post(f"{page}api/feeds/police", headers=push, json=said).status_code
        later(tmp_path, "police", PUSHED)
        set_clock(tmp_path, at(FRIDAY, "19:10"))
        daemon.wait_until_idle(at(FRIDAY, "19:10"))
        after = httpx.post(f"{page}api/feeds/police", headers=push, json=said)

    assert before == 404
    assert (after.status_code, after.json()["accepted"]) == (200, 1)


def test_mappings_that_are_as_they_were_are_not_read_again_and_a_fault_is_told_once(tmp_path: Path) -> None:
    deployment = load_deployment(lay(tmp_path, history=False))
    mappings = Mappings(deployment)

    assert mappings.changed(deployment) is None
    later(tmp_path, "police", BROKEN)
    with pytest.raises(ConfigError, match="'theft' is unknown"):
        mappings.changed(deployment)
    assert mappings.changed(deployment) is None
    later(tmp_path, "police", MENDED)
    found = mappings.changed(deployment)

    assert found is not None
    assert list(found.feeds) == ["police"]
