"""What is installed from the wheel: in an empty environment, run from ``/``."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from warning.paths import PACKAGE

CHECKOUT = PACKAGE.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does, with the build backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(CHECKOUT)], check=True, capture_output=True)
    return next(folder.glob("kapok_watch-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into an empty environment; the libraries it needs are looked up where they are here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    packages = next(folder.glob("lib/python3*/site-packages"))
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "libraries.pth").write_text(f"import sys; sys.path.append({libraries!r})\n", encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-q", "--no-deps"]
    subprocess.run([*install, "--no-index", str(wheel)], check=True, capture_output=True)
    return folder / "bin"


def test_the_wheel_brings_the_city_the_rules_and_the_templates_inside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    for folder in ("city", "rules", "templates"):
        shipped = {
            f"warning/{path.relative_to(CHECKOUT).as_posix()}"
            for path in (CHECKOUT / folder).rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        assert shipped <= names
    assert tops == {"detectors", "warning"}
    assert {"warning/config.toml", "warning/web/static/kapok.css", "warning/fonts/NotoSansSC-subset.otf"} <= names


def test_installed_from_the_wheel_it_checks_itself_from_the_root_folder(installed: Path) -> None:
    answer = subprocess.run(
        [installed / "kapok", "check"], cwd="/", capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert answer.stderr == ""
    assert answer.returncode == 0
    assert f"{installed.parent}/lib/" in answer.stdout  # and not the checkout's
    assert "judge 484 series" in answer.stdout


def test_a_deployment_laid_by_the_wheel_is_complete(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "centre"

    laid = subprocess.run([installed / "kapok", "init", folder], cwd="/", check=True, capture_output=True)
    before, taken, after = (
        subprocess.run(
            [installed / "kapok", command], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
        )
        for command in ("status", "import", "status")
    )

    assert laid.stderr == b""
    assert [answer.stderr for answer in (before, taken, after)] == ["", "", ""]
    assert [answer.returncode for answer in (before, taken, after)] == [2, 0, 0]
    assert "还没有数据库" in before.stdout
    assert "写成 0 written = 已发 0 sent + 待发 0 pending + 失败 0 failed" in after.stdout
