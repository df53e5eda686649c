"""The machine the service runs on: its Python and libraries, SQLite, fonts, programs; and how it is asked.

Tests hand in a machine of their own.
"""

from __future__ import annotations

import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from warning.charts import FONT, font_fault
from warning.clock import Clock, system_clock
from warning.paths import shipped
from warning.store import soundness

LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)(?: ; ([^\\\n]*))?", re.MULTILINE)


class Weight(IntEnum):
    """How grave a finding is; the gravest is the exit code."""

    WELL = 0
    HINT = 1
    FAULT = 2  # something will not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    weight: Weight
    zh: str
    en: str


def _version_of(name: str) -> str | None:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return None


def _chinese_fonts() -> int | None:
    """How many Chinese fonts the system has; None where it cannot be asked."""
    lister = shutil.which("fc-list")
    if lister is None:
        return None
    answer = subprocess.run([lister, ":lang=zh", "family"], capture_output=True, timeout=30, check=False)
    return len(answer.stdout.splitlines())


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ""


@dataclass(frozen=True)
class Machine:
    """What is asked of the machine."""

    clock: Clock = system_clock
    version_of: Callable[[str], str | None] = _version_of
    program: Callable[[str], str | None] = shutil.which
    chinese_fonts: Callable[[], int | None] = _chinese_fonts
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free  # bytes
    mounts: Callable[[], str] = _mounts
    answers: Callable[[str, int], bool] = _answers
    font: Path = FONT


def python(machine: Machine) -> Iterator[Finding]:
    """Compare what is installed with the versions that were tested."""
    about = f"Python {platform.python_version()}"
    try:
        text = shipped("requirements.lock").read_text(encoding="utf-8")
    except OSError as error:
        yield Finding(about, Weight.HINT, "没有依赖清单，无从核对版本", f"the versions cannot be compared: {error}")
        return
    locked: dict[str, set[str]] = {}
    for name, version, _ in LOCKED.findall(text):
        locked.setdefault(name, set()).add(version)
    everywhere = {name for name, _, marker in LOCKED.findall(text) if "sys_platform" not in marker}
    here = {name: machine.version_of(name) for name in locked}
    missing = sorted(name for name in everywhere if here[name] is None)
    other = sorted(f"{name} {here[name]}" for name in locked if here[name] not in {None, *locked[name]})
    if missing:
        yield Finding(about, Weight.FAULT, f"缺少 {'、'.join(missing)}；请重新安装", "not installed; install anew")
    if other:
        zh = f"{'、'.join(other)} 不是测试过的版本"
        yield Finding(about, Weight.HINT, zh, "not the versions that were tested (requirements.lock)")
    if not missing and not other:
        yield Finding(about, Weight.WELL, f"{len(everywhere)} 个依赖与清单一致", "all dependencies as locked")


def sqlite() -> Finding:
    """Look at SQLite's version."""
    version, will_do = soundness.version()
    oldest = ".".join(map(str, soundness.OLDEST))
    if will_do:
        return Finding("SQLite", Weight.WELL, f"版本 {version}", "new enough")
    return Finding("SQLite", Weight.FAULT, f"版本 {version} 太旧，至少须为 {oldest}", "too old; use a newer Python")


def fonts(machine: Machine) -> Iterator[Finding]:
    """Look at the shipped font, and at the system's Chinese ones."""
    fault = font_fault(machine.font)
    if fault is None:
        yield Finding("字体 fonts", Weight.WELL, "自带字体可用", "the shipped font can be drawn with")
    else:
        text = f"自带字体 {machine.font} 不能用，图中会没有汉字；请重新安装", f"the shipped font: {fault}; install anew"
        yield Finding("字体 fonts", Weight.FAULT, *text)
    count = machine.chinese_fonts()
    if count == 0:
        text = (
            "系统没有中文字体，日后转换文书须有，如 fonts-noto-cjk",
            "no Chinese system font; documents will need one",
        )
        yield Finding("字体 fonts", Weight.HINT, *text)
    elif count is not None:
        yield Finding("字体 fonts", Weight.WELL, f"系统有中文字体 {count} 种", "the system has Chinese fonts")


def office(machine: Machine) -> Finding:
    """Look for LibreOffice."""
    found = machine.program("soffice") or machine.program("libreoffice")
    if found:
        return Finding("LibreOffice", Weight.WELL, found, "is there")
    return Finding(
        "LibreOffice", Weight.HINT, "没有；现在用不着，日后转换文书须有", "not there; later documents need it"
    )


def kind_of(folder: Path, mounts: str) -> str:
    """Return the type of the file system a folder lies on, "" where that is not known."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= best:  # of two on one point the later covers
            best, kind = len(point.parts), fields[2]
    return kind
