"""What is missing on a machine, or at risk, is named; and nothing is changed by looking."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from little_city import CONFIG, FRIDAY, at, deliver, lay, set_clock, usual
from typer.testing import CliRunner

from warning.cli import app
from warning.doctor import examine
from warning.jobs import take_in
from warning.machine import Finding, Machine, Weight, kind_of
from warning.service import open_service
from warning.store import alone, open_store

NOW = datetime(2036, 11, 20, 11, 0, tzinfo=UTC)  # later than any file of this checkout
NOBODY = 65534


def version_of(name: str) -> str | None:
    from warning.machine import LOCKED
    from warning.paths import shipped

    locked = shipped("requirements.lock").read_text(encoding="utf-8")
    return {found: version for found, version, _ in LOCKED.findall(locked)}.get(name)


WELL = Machine(
    clock=lambda: NOW,
    version_of=version_of,
    program=lambda name: f"/usr/bin/{name}",
    chinese_fonts=lambda: 2,
    free=lambda path: 1 << 40,
    mounts=lambda: "/dev/sda1 / ext4 rw 0 0\n",
    answers=lambda host, port: True,
)


def told(findings: list[Finding]) -> list[tuple[str, Weight]]:
    """What is not well."""
    return [(finding.about, finding.weight) for finding in findings if finding.weight is not Weight.WELL]


def laid(folder: Path, *, config: str = CONFIG) -> Path:
    """A deployment that has read a day; only its owner may write there."""
    path = lay(folder, config=config, history=False)
    for place in (folder, folder / "feeds"):
        place.chmod(0o755)
    deliver(folder, "friday.csv", usual(FRIDAY))
    with open_service(path) as service:
        take_in(service, at(FRIDAY, "19:00"))
    return path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user without rights, where we have them all."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_deployment_that_lacks_nothing_is_well(tmp_path: Path) -> None:
    path = laid(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    found = examine(path, WELL)

    assert told(found) == []
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("machine", "about", "weight"),
    [
        pytest.param(replace(WELL, program=lambda name: None), "LibreOffice", Weight.HINT, id="no-office"),
        pytest.param(replace(WELL, chinese_fonts=lambda: 0), "字体 fonts", Weight.HINT, id="no-chinese-font"),
        pytest.param(replace(WELL, font=Path(__file__)), "字体 fonts", Weight.FAULT, id="font-is-no-font"),
        pytest.param(replace(WELL, font=Path("gone.otf")), "字体 fonts", Weight.FAULT, id="font-is-gone"),
        pytest.param(replace(WELL, free=lambda path: 500 << 20), "磁盘 disk", Weight.HINT, id="disk-nearly-full"),
        pytest.param(replace(WELL, free=lambda path: 99 << 20), "磁盘 disk", Weight.FAULT, id="disk-full"),
        pytest.param(
            replace(WELL, mounts=lambda: "a / ext4 rw 0 0\nb / nfs4 rw 0 0\n"),
            "数据库 database",
            Weight.HINT,
            id="network-file-system",
        ),
        pytest.param(replace(WELL, clock=lambda: at(FRIDAY, "19:00")), "时钟 clock", Weight.HINT, id="clock-behind"),
    ],
)
def test_what_is_missing_on_the_machine_is_named(tmp_path: Path, machine: Machine, about: str, weight: Weight) -> None:
    path = laid(tmp_path)
    if about == "时钟 clock":
        later = (at(FRIDAY, "19:00") + timedelta(days=3)).timestamp()
        os.utime(tmp_path / "feeds" / "friday.csv", (later, later))

    found = examine(path, machine)

    assert told(found) == [(about, weight)]


@pytest.mark.parametrize(
    ("version", "weight"),
    [pytest.param(None, Weight.FAULT, id="missing"), pytest.param("0.1", Weight.HINT, id="other")],
)
def test_a_library_that_is_not_as_locked_is_named(version: str | None, weight: Weight) -> None:
    machine = replace(WELL, version_of=lambda name: version if name == "scipy" else version_of(name))

    (finding,) = (one for one in examine(None, machine) if one.about.startswith("Python"))

    assert (finding.weight, "scipy" in finding.zh) == (weight, True)


def test_what_another_system_needs_is_not_missed_here() -> None:
    machine = replace(WELL, version_of=lambda name: None if name in {"colorama", "tzdata"} else version_of(name))

    assert told(examine(None, machine)) == [("部署 deployment", Weight.HINT)]


def test_a_clock_behind_the_database_is_a_fault(tmp_path: Path) -> None:
    path = laid(tmp_path)
    set_clock(tmp_path, at(FRIDAY, "18:00"))

    found = examine(path, WELL)

    assert told(found) == [("时钟 clock", Weight.FAULT)]
    assert "2026-11-20 19:00" in found[-3].zh


def test_every_fault_of_the_files_is_told_beside_what_the_machine_lacks(tmp_path: Path) -> None:
    path = laid(tmp_path)
    (tmp_path / "rules" / "police.toml").write_text('area = "ss_xx"\n', encoding="utf-8")
    (tmp_path / "city" / "calendar.toml").write_text("anounced_through = 2026\n", encoding="utf-8")

    found = examine(path, replace(WELL, program=lambda name: None))

    assert {("部署 deployment", Weight.FAULT), ("LibreOffice", Weight.HINT)} == set(told(found))
    assert "did you mean 'announced_through'" in "".join(finding.en for finding in found)


def test_a_configuration_nobody_can_read_leaves_the_machine_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[web\n", encoding="utf-8")

    found = examine(tmp_path / "config.toml", WELL)

    assert told(found) == [("部署 deployment", Weight.FAULT)]
    assert len(found) > 4


def test_a_damaged_database_and_another_programs_are_faults(tmp_path: Path) -> None:
    path = laid(tmp_path)
    (tmp_path / "kapok.db").write_bytes(b"no database at all" * 100)

    found = examine(path, WELL)

    assert ("数据库 database", Weight.FAULT) in told(found)


def test_a_database_whose_folder_is_missing_is_a_fault(tmp_path: Path) -> None:
    path = lay(tmp_path, config=CONFIG.replace('"kapok.db"', '"nowhere/kapok.db"'), history=False)

    assert told(examine(path, WELL)) == [("数据库目录 database", Weight.FAULT)]


def test_a_folder_anybody_may_write_is_a_hint(tmp_path: Path) -> None:
    path = laid(tmp_path)
    (tmp_path / "feeds").chmod(0o777)

    assert told(examine(path, WELL)) == [("数据目录 feeds", Weight.HINT)]


def test_folders_the_service_may_not_write_are_faults() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = laid(folder)
        (folder / "kapok.db").chmod(0o444)
        (folder / "mail").mkdir(mode=0o555)
        (folder / "feeds").chmod(0o711)
        folder.chmod(0o555)
        with as_nobody():
            found = examine(path, WELL)
        folder.chmod(0o755)

    faults = [finding.about for finding in found if finding.weight is Weight.FAULT]
    may_read = [] if os.geteuid() == 0 else ["数据目录 feeds"]  # its owner may read it
    wrong = ["数据目录 feeds", "数据库目录 database", "邮件目录 maildir", "周报目录 documents", "数据库 database"]
    assert faults == [about for about in wrong if about not in may_read]


def test_a_port_another_program_has_is_a_fault_and_our_own_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = laid(tmp_path, config=CONFIG.replace("port = 0", f"port = {port}"))

        another = told(examine(path, WELL))
        with alone(tmp_path / "kapok.db"):
            ours = told(examine(path, WELL))

    assert another == [("页面端口 port", Weight.FAULT)]
    assert ours == []


def test_a_mail_server_that_does_not_answer_is_a_hint(tmp_path: Path) -> None:
    config = CONFIG + '[mail]\nchannel = "smtp"\n'

    found = examine(laid(tmp_path, config=config), replace(WELL, answers=lambda host, port: False))

    assert told(found) == [("邮件 mail", Weight.HINT)]


def test_looking_at_a_deployment_that_read_nothing_makes_no_database(tmp_path: Path) -> None:
    path = lay(tmp_path, history=False)
    tmp_path.chmod(0o755)
    names = sorted(file.name for file in tmp_path.rglob("*"))

    assert told(examine(path, WELL)) == []
    assert sorted(file.name for file in tmp_path.rglob("*")) == names


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        pytest.param("/srv/kapok/var", "nfs4", id="below-a-mount"),
        pytest.param("/srv/kapok", "nfs4", id="the-mount"),
        pytest.param("/srv/kapok2", "ext4", id="beside-it"),
        pytest.param("/a b/c", "cifs", id="blank-in-the-name"),
        pytest.param("relative", "", id="nowhere"),
    ],
)
def test_a_folder_lies_on_the_innermost_mount(folder: str, kind: str) -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/kapok nfs4 rw 0 0\n//s/x /a\\040b cifs rw 0 0\nodd\n"

    assert kind_of(Path(folder), mounts) == kind


def test_the_command_says_it_in_chinese_first_and_its_exit_code_is_the_gravest(tmp_path: Path) -> None:
    path = laid(tmp_path)
    (tmp_path / "kapok.db").unlink()
    open_store(tmp_path / "kapok.db").close()

    well_or_hints = CliRunner().invoke(app, ["doctor", "--config", str(path)])
    (tmp_path / "config.toml").write_text("[web\n", encoding="utf-8")
    fault = CliRunner().invoke(app, ["doctor", "--config", str(path)])

    assert well_or_hints.exit_code in {0, 1}  # whether LibreOffice is on the machine of the test
    assert "✓ 部署 deployment：" in well_or_hints.output
    assert "须处理 0 项" in well_or_hints.output
    assert fault.exit_code == 2
    assert "× 部署 deployment：" in fault.output
