"""What is installed from the bundle, on a machine that reaches no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from warning.paths import PACKAGE

CHECKOUT = PACKAGE.parent
ALONE = ["unshare", "--map-root-user", "--net"]  # a namespace whose only interface, loopback, is down
REACH = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)"


def offline(*command: str | Path, cwd: Path | str = "/") -> subprocess.CompletedProcess[str]:
    """Run a command where no network is."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return subprocess.run(
        [*ALONE, *command], cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.fixture(scope="module")
def bundle() -> Path:
    if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a namespace without a network is not permitted here: `make bundle` is not tried")
    subprocess.run(["make", "bundle", f"PYTHON={sys.executable}"], cwd=CHECKOUT, check=True, capture_output=True)
    return CHECKOUT / "dist" / "kapok-watch.tar"


@pytest.mark.soak
def test_the_bundle_installs_and_works_where_no_network_is(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", bundle, "-C", tmp_path], check=True)
    centre, kapok = tmp_path / "centre", tmp_path / "installed" / "bin" / "kapok"

    reached = offline(sys.executable, "-c", REACH)
    installed = offline("sh", tmp_path / "kapok-watch" / "install.sh", tmp_path / "installed")
    laid = offline(kapok, "init", centre)
    taken = offline(kapok, "import", cwd=centre)
    looked = offline(kapok, "doctor", cwd=centre)
    heavy = offline(kapok.with_name("python"), "-c", "import matplotlib.pyplot, prophet, ruptures, uvicorn")

    assert "Network is unreachable" in reached.stderr
    assert (installed.stderr, installed.returncode) == ("", 0)
    assert "judge 484 series" in installed.stdout
    assert [(answer.stderr, answer.returncode) for answer in (laid, taken)] == [("", 0)] * 2
    assert "依赖与清单一致" in looked.stdout  # the list is in the wheel
    assert heavy.returncode == 0, heavy.stderr


@pytest.mark.soak
def test_a_wheel_that_was_changed_on_the_way_is_not_installed(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", bundle, "-C", tmp_path], check=True)
    (wheel,) = (tmp_path / "kapok-watch" / "wheels").glob("jinja2-*.whl")
    with wheel.open("ab") as file:
        file.write(b"\0")

    answer = offline("sh", tmp_path / "kapok-watch" / "install.sh", tmp_path / "installed")

    assert answer.returncode != 0
    assert "DO NOT MATCH THE HASHES" in answer.stderr
    assert not (tmp_path / "installed" / "bin" / "kapok").exists()


@pytest.mark.soak
def test_another_python_than_the_bundle_is_for_is_named(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", bundle, "-C", tmp_path], check=True)
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho cpython3.99-linux-x86_64\n", encoding="utf-8")
    other.chmod(0o755)

    answer = subprocess.run(
        ["sh", tmp_path / "kapok-watch" / "install.sh", tmp_path / "installed"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(other)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "found cpython3.99-linux-x86_64" in answer.stderr
    assert not (tmp_path / "installed").exists()
