"""The texts of a city swept as it would be live, against files a person has read.

The made-up facts of ``golden.sample`` have everything in them; these show when the facts themselves drift.
To accept new texts, read the difference and run ``.venv/bin/python tests/test_templating.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from golden import chain

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.name for path in GOLDEN.glob("chain-*"))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return chain.texts(tmp_path_factory.mktemp("chain"))


def test_every_kind_of_text_is_written_and_none_else(texts: dict[str, str]) -> None:
    assert sorted(texts) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_text_of_the_real_chain_is_as_a_person_has_read_it(texts: dict[str, str], name: str) -> None:
    assert texts[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_text_of_the_real_chain_says_it_is_simulated(texts: dict[str, str]) -> None:
    assert all("【模拟】" in text[:600] for text in texts.values())
