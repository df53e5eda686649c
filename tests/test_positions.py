"""On which line a key stands: in every way TOML lets one write it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from warning.paths import shipped
from warning.positions import lines_of

TEXT = '''# a comment with [brackets] = "and quotes"
area = "ss_po"
"quoted key" = 'it''s' # no key = here
long = """
not = "a key"
"""
a.b.c = 1

[defaults]
tier = "district"   # text
list = [
    "one", # two = 2
    { x = 1, y = [2, 3] },
]

[[rule]]
id = "a"
yellow = { surprise = 3.0, any = [{ ratio = 2 }, { extra = 5 }] }

[rule.response.red]
sign = "30 min"

[[rule]]
id = "b"
[[rule.override]]
places = ["1"]
[[rule.override]]
places = ["2"]
'''.replace("'it''s'", "'its'")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("area",), 2),
        (("quoted key",), 3),
        (("long",), 4),
        (("a", "b", "c"), 7),
        (("defaults",), 9),
        (("defaults", "tier"), 10),
        (("defaults", "list"), 11),
        (("defaults", "list", 0), 12),
        (("defaults", "list", 1, "y", 1), 13),
        (("rule",), 16),
        (("rule", 0), 16),
        (("rule", 0, "yellow", "surprise"), 18),
        (("rule", 0, "yellow", "any", 1, "extra"), 18),
        (("rule", 0, "response", "red", "sign"), 21),
        (("rule", 1, "id"), 24),
        (("rule", 1, "override", 0, "places"), 26),
        (("rule", 1, "override", 1), 27),
    ],
)
def test_each_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(TEXT)[path] == line


def test_line_ends_of_windows_count_once() -> None:
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines_of(TEXT)


def paths(found: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path of a parsed document."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from paths(value, (*at, key))


@pytest.mark.parametrize("path", sorted(shipped("rules").glob("*.toml")), ids=lambda path: path.name)
def test_every_key_of_a_shipped_file_has_a_line_that_names_it(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    lines, written = lines_of(text), text.splitlines()

    for one in paths(tomllib.loads(text)):
        if isinstance(one[-1], str):
            assert one[-1] in written[lines[one] - 1]
    assert set(lines) == set(paths(tomllib.loads(text)))


odd = st.text("ab .'\"\\=#[]{}", min_size=1, max_size=4)
keys = st.one_of(st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True), odd)
scalars = st.one_of(st.booleans(), st.integers(-99, 99), st.floats(-9, 9), st.text("ab\"'\\#=[]{}\n", max_size=6))
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.dictionaries(keys, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(keys, documents, max_size=4))
def test_every_path_of_any_document_has_a_line(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)

    assert set(lines_of(text)) == set(paths(tomllib.loads(text)))
