"""Files that are changed while the service runs: taken up before the next job, whole and checked, or not at all."""

from __future__ import annotations

import os
import random
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import httpx
import pytest
from little_city import CONFIG, EAST, FRIDAY, RULES, at, lay, set_clock
from test_daemon import Daemon, rows
from test_pulling import say
from test_vetting import mutated

from warning.anew import Anew
from warning.reloading import Files
from warning.service import Deployment, load_deployment, opened
from warning.store import run
from warning.store.inforce import InForce, in_force

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
        notices = rows(tmp_path, "SELECT text FROM notice WHERE about = 'files'")
        before = rows(tmp_path, "SELECT accepted, quarantined FROM feed_file ORDER BY id")
        later(tmp_path, "police", MENDED)
        set_clock(tmp_path, third)
        daemon.wait_until_idle(third)

    ((text,),) = notices
    assert "仍按原来的运行" in text
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


def written(path: Path, text: str) -> None:
    """Write a file anew, at a time that differs however coarse the clock of the file system."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(0, before + 1_000_000_000))


NOW = at(FRIDAY, "20:00")
QUIET = 'id = "ss_po.surge"', 'id = "ss_po.other"'
TEST = """
[[test]]
name = "a spike"
rules = ["ss_po.surge"]
indicator = "thefts"
place = "东区"
last = 2026-11-20
sweep_from = 2026-11-20
series = [{ values = "~12x363 60" }]
expect = [{ date = 2026-11-20, level = "LEVEL" }]
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return load_deployment(lay(tmp_path, history=False))


def notices(deployment: Deployment) -> list[str]:
    with opened(deployment) as service:
        return [one.text for one in run.notices(service.store, NOW)]


def went_by(deployment: Deployment) -> InForce:
    with opened(deployment) as service:
        found = in_force(service.store)
    assert found is not None
    return found


def test_files_that_are_as_they_were_are_not_read_again(deployment: Deployment) -> None:
    files = Files(deployment)
    path = deployment.config.path("rules") / "police.toml"

    def load(_: Path) -> NoReturn:
        raise AssertionError("nothing changed")

    assert files.changed(deployment, load) is None
    written(path, path.read_text(encoding="utf-8"))  # touched
    assert files.changed(deployment, load) is None


def test_changed_rules_are_taken_up_whole(deployment: Deployment) -> None:
    look = Anew(deployment)
    written(deployment.config.path("rules") / "police.toml", RULES.replace(*QUIET))

    found = look.look(deployment, NOW)

    assert found is not None
    assert [rule.id for rule in found.rules.rules] == ["ss_po.other", "ss_po.slow", "ss_po.campus"]
    assert went_by(found) == InForce(NOW, found.rules.version, "", "")
    assert look.look(found, NOW) is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("rules/police.toml", RULES.replace("detector", "detectr"), "did you mean 'detector'?", id="rules"),
        pytest.param("rules/police.toml", RULES[:-20], "not valid TOML", id="half-written"),
        pytest.param("rules/tests/a.toml", TEST.replace("LEVEL", "red"), None, id="a-test-that-passes"),
        pytest.param("city/places.csv", "code,name_zh\n", "places.csv", id="city"),
        pytest.param("templates/mail/alert.zh.txt.j2", "{% if %}", "alert.zh.txt.j2", id="template"),
        pytest.param("config.toml", "[web]\nprt = 1\n", "did you mean 'port'?", id="config"),
    ],
)
def test_files_with_faults_are_refused_and_told_of_once(
    deployment: Deployment, tmp_path: Path, name: str, text: str, said: str | None
) -> None:
    look = Anew(deployment)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    written(tmp_path / name, text)

    found = look.look(deployment, NOW)
    again = look.look(deployment, NOW)

    assert again is None
    if said is None:
        assert found is not None
        return
    assert found is None
    (notice,) = notices(deployment)
    assert said in notice
    assert said in went_by(deployment).refused


def test_rules_whose_tests_fail_are_refused(deployment: Deployment, tmp_path: Path) -> None:
    look = Anew(deployment)
    (tmp_path / "rules" / "tests").mkdir()
    written(tmp_path / "rules" / "tests" / "a.toml", TEST.replace("LEVEL", "orange"))
    written(tmp_path / "rules" / "police.toml", RULES + "\n# another byte\n")

    assert look.look(deployment, NOW) is None
    assert "level is red, expected orange" in went_by(deployment).refused

    written(tmp_path / "rules" / "tests" / "a.toml", TEST.replace("LEVEL", "red"))
    found = look.look(deployment, NOW + timedelta(minutes=5))
    assert found is not None
    assert went_by(found) == InForce(NOW + timedelta(minutes=5), found.rules.version, "", "")


def test_rules_that_disappear_stay_in_force(deployment: Deployment, tmp_path: Path) -> None:
    look = Anew(deployment)
    shutil.rmtree(tmp_path / "rules")

    assert look.look(deployment, NOW) is None
    assert "the folder has no rule files" in went_by(deployment).refused


def test_files_that_change_while_they_are_read_are_left_for_the_next_look(deployment: Deployment) -> None:
    files, path = Files(deployment), deployment.config.path("rules") / "police.toml"
    written(path, RULES + "# first\n")

    def load(config: Path) -> Deployment:
        found = load_deployment(config)
        written(path, RULES + "# second\n")
        return found

    assert files.changed(deployment, load) is None
    assert files.changed(deployment, load_deployment) is not None


def test_what_holds_until_the_next_start_is_named(deployment: Deployment, tmp_path: Path) -> None:
    look = Anew(deployment)
    changed = CONFIG.replace('database = "kapok.db"', 'database = "other.db"').replace("port = 0", "port = 1")
    written(tmp_path / "config.toml", changed.replace("window_years = 1", "window_years = 2"))

    found = look.look(deployment, NOW)

    assert found is not None
    assert found.config.sweep.window_years == 2
    assert (found.config.paths.database, found.config.web.port) == (Path("kapok.db"), 0)
    assert went_by(found).waiting == "paths.database, web.port"
    assert "下次启动时生效" in notices(found)[0]


def test_two_hundred_mutated_files_never_take_the_place_of_good_ones_unread(
    deployment: Deployment, tmp_path: Path
) -> None:
    look, chance = Anew(deployment), random.Random(7)
    (tmp_path / "rules" / "good.toml").write_text(RULES.replace("ss_po.", "ss_po.good_"), encoding="utf-8")
    current = look.look(deployment, NOW) or deployment
    for n in range(200):
        path = tmp_path / "rules" / "police.toml"
        path.write_bytes(mutated(RULES, chance))
        os.utime(path, ns=(0, 2_000_000_000_000_000_000 + n * 1_000_000_000))

        found = look.look(current, NOW)

        current = found or current
        assert "ss_po.good_surge" in {rule.id for rule in current.rules.rules}


def test_a_service_shows_which_rules_it_goes_by(tmp_path: Path) -> None:
    config = lay(tmp_path, history=False)
    first, second, third = at(FRIDAY, "19:00"), at(FRIDAY, "19:10"), at(FRIDAY, "19:30")

    with Daemon(config) as daemon:
        daemon.wait_until_idle(first)
        version = load_deployment(config).rules.version
        written(tmp_path / "rules" / "police.toml", RULES.replace("detector", "detectr", 1))
        set_clock(tmp_path, second)
        daemon.wait_until_idle(second)
        refused = rows(tmp_path, "SELECT version, refused <> '' FROM in_force ORDER BY id")
        written(tmp_path / "rules" / "police.toml", RULES.replace(*QUIET))
        set_clock(tmp_path, third)
        daemon.wait_until_idle(third)

    assert refused == [(version, 0), (version, 1)]
    taken_up = rows(tmp_path, "SELECT version, refused FROM in_force ORDER BY id")[-1]
    assert taken_up == (load_deployment(config).rules.version, "")
