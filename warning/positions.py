"""On which line of a TOML text each key stands, which tomllib does not tell.

The text has been parsed: what is read here is valid.  Of keys within keys, tables in lists and lists of lists each
has the path tomllib's result has it under, e.g. ("rule", 0, "yellow", "surprise").
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_QUOTES = (
    ('"""', re.compile(r'"""(?:\\.|(?!""")[\s\S])*"{3,5}')),
    ("'''", re.compile(r"'''(?:(?!''')[\s\S])*'{3,5}")),
    ('"', re.compile(r'"(?:\\.|[^"\\\n])*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)
_ESCAPED = re.compile(r'\\(["\\])')


def lines_of(text: str) -> Mapping[Path, int]:
    """Return the line, from 1, of every key and every element of a list."""
    return _Reader(text).read()


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a path, or of the longest part of it that stands there."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.counted: dict[Path, int] = {}  # tables of each list of tables so far
        self._line = (0, 1)  # a position, and its line

    def read(self) -> Mapping[Path, int]:
        here: Path = ()
        while True:
            self._blank()
            if self.at >= len(self.text):
                return self.found
            if self.text.startswith("[[", self.at):
                here = self._header(2, listed=True)
            elif self.text.startswith("[", self.at):
                here = self._header(1, listed=False)
            else:
                self._pair(here)

    def _header(self, brackets: int, *, listed: bool) -> Path:
        line = self._number()
        self.at += brackets
        keys = self._keys()
        self._blank()
        self.at += brackets
        path: Path = ()
        for n, key in enumerate(keys):
            path = (*path, key)
            if listed and n == len(keys) - 1:
                self.found.setdefault(path, line)
                self.counted[path] = self.counted.get(path, -1) + 1
            if path in self.counted:
                path = (*path, self.counted[path])
            self.found.setdefault(path, line)
        return path

    def _pair(self, here: Path) -> None:
        line, keys = self._number(), self._keys()
        path = here
        for key in keys:
            path = (*path, key)
            self.found.setdefault(path, line)
        self._blank()
        self.at += 1  # the equals sign
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._blank()
            if self.text[self.at : self.at + 1] in ('"', "'"):
                keys.append(_ESCAPED.sub(r"\1", self._string()[1:-1]))
            else:
                match = _BARE.match(self.text, self.at)
                if match is None:
                    raise ValueError(f"no key at position {self.at}")
                self.at = match.end()
                keys.append(match[0])
            self._blank()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        self._blank()
        opening = self.text[self.at : self.at + 1]
        if opening in ('"', "'"):
            self._string()
        elif opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline(path)
        else:
            match = _SCALAR.match(self.text, self.at)
            self.at = match.end() if match else self.at

    def _elements(self, path: Path) -> None:
        self.at += 1
        number = 0
        while True:
            self._blank()
            if self.text.startswith("]", self.at) or self.at >= len(self.text):
                self.at += 1
                return
            if self.text.startswith(",", self.at):
                self.at += 1
                continue
            self.found.setdefault((*path, number), self._number())
            self._value((*path, number))
            number += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._blank()
            if self.text.startswith("}", self.at) or self.at >= len(self.text):
                self.at += 1
                return
            if self.text.startswith(",", self.at):
                self.at += 1
                continue
            self._pair(path)

    def _string(self) -> str:
        for quote, pattern in _QUOTES:
            if self.text.startswith(quote, self.at):
                match = pattern.match(self.text, self.at)
                if match is not None:
                    self.at = match.end()
                    return match[0]
        raise ValueError(f"no text at position {self.at}")

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _number(self) -> int:
        before, line = self._line
        line += self.text.count("\n", before, self.at)
        self._line = (self.at, line)
        return line
