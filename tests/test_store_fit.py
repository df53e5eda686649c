"""Fits outlive the process that made them, the newest of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from warning.store import open_store
from warning.store.fit import KEPT, memory, save


def test_what_one_process_fitted_the_next_one_knows(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store:
        made = memory(store)
        made["a"], made["b"] = "[1]", "[2]"
        with store.write():
            save(store, made)

    with closing(open_store(tmp_path / "kapok.db")) as store:
        assert dict(memory(store)) == {"a": "[1]", "b": "[2]"}


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store:
        made = memory(store)
        for number in range(KEPT + 3):
            made[f"{number}"] = ""

        with store.write():
            save(store, made)

        assert list(memory(store)) == [f"{number}" for number in range(3, KEPT + 3)]


def test_what_was_read_is_not_written_again(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store, store.write():
        made = memory(store)
        made["a"] = "[1]"
        save(store, made)

        later = memory(store)
        later["b"] = "[2]"

        assert later.fresh == {"b": "[2]"}
