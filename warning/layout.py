"""Lays out a deployment: configuration, city, rules, and the folders it writes to."""

from __future__ import annotations

import shutil
from pathlib import Path

from warning.errors import ConfigError
from warning.paths import shipped

PARTS = ("config.toml", "city", "rules")


def lay_out(folder: Path) -> list[Path]:
    """Copy the shipped configuration, city and rules into a folder that has none of them, and return what was made.

    Raises:
        ConfigError: if any of them is there already, or the folder cannot be written; nothing is then half laid.
    """
    present = [name for name in PARTS if (folder / name).exists()]
    if present:
        raise ConfigError(str(folder), [f"{name} is there already; choose an empty folder" for name in present])
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in PARTS:
            source, target = shipped(name), folder / name
            made.append(target)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, target)
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "var" / "feeds").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        for target in made:
            shutil.rmtree(target, ignore_errors=True) if target.is_dir() else target.unlink(missing_ok=True)
        raise ConfigError(str(folder), [f"cannot be written: {error.strerror}"]) from error
    return made


def set_values(config: Path, values: dict[str, str]) -> None:
    """Rewrite ``key = value`` lines of a configuration that was just laid out; keys are ``section.key``.

    Raises:
        KeyError: if the shipped configuration has no such line.
    """
    section, lines, left = "", [], dict(values)
    for line in config.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line[1 : line.index("]")]
        name = f"{section}.{line.removeprefix('# ').split(' ')[0]}"
        if name in left and " = " in line:
            lines.append(f"{name.rsplit('.', 1)[1]} = {left.pop(name)}")
        else:
            lines.append(line)
    if left:
        raise KeyError(f"config.toml has no {', '.join(left)}")
    written = config.with_suffix(".new")
    written.write_text("\n".join(lines) + "\n", encoding="utf-8")
    written.replace(config)
