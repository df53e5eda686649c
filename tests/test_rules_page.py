"""docs/rules.md is followed to the letter: from an alert that should not have come to a rule that is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from written import section

from warning.demo import run_demo

TITLE = "一条不该来的提示 / An alert that should not have come"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder, once=True)
    return folder


def steps() -> list[str]:
    """The shell commands of the tutorial, in order."""
    _, *blocks = section("docs/rules.md", TITLE).split("```sh\n")
    return [line for block in blocks for line in block.partition("```")[0].splitlines()]


def test_the_tutorial_is_followed_to_the_letter(demo: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": "200"}
    said = {}
    for step in steps():
        done = subprocess.run(step, shell=True, cwd=demo, env=environment, capture_output=True, text=True, check=False)  # noqa: S602 - quoted in our own page
        assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        said[step.split(" --")[0]] = done.stdout

    told = said["kapok rules explain ss_po.slow 海珠区 2026-11-22"]
    assert "意外度 5.50" in told
    differences = [line for line in said["kapok rules diff rules rules.new"].splitlines() if line.startswith("  2026-")]
    assert differences
    assert all("海珠区 打架斗殴警情数" in line for line in differences)
    assert "◆橙色 → 2026-11-20 △黄色" in differences[-1]
    assert (demo / "replay.html").stat().st_size > 10_000
    assert "误报 false" in said["kapok verdict GZ-20261119-0002 误报"]
