"""How the tests of the documents read a page: its sections, tables, blocks and the commands it quotes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    str(path.relative_to(ROOT)) for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md") if path.is_file()
)
QUOTED = re.compile(r"`([^`]+)`")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one of any depth."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text(page), flags=re.M | re.S)
    assert found, f"{page} has no heading {heading!r}"
    return found[1]


def rows(part: str) -> list[list[str]]:
    """The cells of a part's table, the head left out."""
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def keys(part: str) -> list[str]:
    """The names in the first column of a part's table."""
    return [name for row in rows(part) for name in QUOTED.findall(row[0])]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(page), flags=re.M | re.S)


def commands(page: str) -> Iterator[list[str]]:
    """Every `kapok …` of a page, as words: whole lines of blocks, and what stands between backticks."""
    lines = [line.split(" #")[0] for block in blocks(page, "sh") for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S)
    for line in [*lines, *QUOTED.findall(prose)]:
        words = shlex.split(line) if "'" not in line else []
        if words[:1] == ["kapok"] and len(words) > 1 and words[1] != "--help":
            yield words[1:]
