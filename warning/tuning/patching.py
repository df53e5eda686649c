"""A rule file with other thresholds: the numbers alone change, every other byte stays, and a comment says why."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from warning.errors import ConfigError
from warning.positions import lines_of
from warning.rule import Rule

COLOURS = ("yellow", "orange", "red")


def patched(text: str, file: str, rule: Rule, surprises: Mapping[str, float], why: str) -> str:
    """Return the text of a rule file in which a rule asks for other surprises.

    Args:
        text: As it is.
        file: Its name, for errors.
        rule: As it is in the file.
        surprises: By colour.
        why: A comment above the first number that changes; one line.

    Raises:
        ConfigError: if a number does not stand in the file itself, but in defaults.
    """
    lines, written = lines_of(text), text.splitlines(keepends=True)
    number = _number_of(rule, written, lines)
    first: int | None = None
    for colour, asked in surprises.items():
        line = None if number is None else lines.get(("rule", number, colour, "surprise"))
        found = None if line is None else _changed(written[line - 1], colour, asked)
        if line is None or found is None:
            raise ConfigError(
                file,
                [f"{rule.id}: {colour}.surprise 不在此规则中 / does not stand in the rule; change it by hand"],
            )
        written[line - 1] = found
        first = line if first is None else min(first, line)
    if first is not None:
        indent = re.match(r"\s*", written[first - 1])
        written.insert(first - 1, f"{indent[0] if indent else ''}# {why}\n")
    return "".join(written)


def difference(before: str, after: str, file: str) -> str:
    """Return a patch from one text to another, as ``git apply`` and ``patch -p1`` take it."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, f"a/{file}", f"b/{file}"))


def _number_of(rule: Rule, written: list[str], lines: Mapping[tuple[str | int, ...], int]) -> int | None:
    number = 0
    while ("rule", number) in lines:
        line = lines.get(("rule", number, "id"))
        if line is not None and re.search(rf"""['"]{re.escape(rule.id)}['"]""", written[line - 1]):
            return number
        number += 1
    return None


def _changed(line: str, colour: str, asked: float) -> str | None:
    """Return a line with another surprise; where it holds several colours, that of the colour."""
    at = re.search(rf"\b{colour}\s*=", line)
    start = at.end() if at else 0
    match = re.compile(r"(\bsurprise\s*=\s*)[0-9.]+").search(line, start)
    return None if match is None else f"{line[: match.start()]}{match[1]}{asked:.10g}{line[match.end() :]}"
