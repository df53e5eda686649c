"""Fits outlive the process that made them, while they are asked for."""

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


def test_of_those_nobody_asks_for_the_newest_are_kept(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store:
        made = memory(store)
        made.update((f"{number}", "") for number in range(KEPT + 3))
        with store.write():
            save(store, made)
        assert len(memory(store)) == KEPT + 3  # made by this sweep

        later = memory(store)
        assert later["1"] == ""
        later["another"] = ""
        with store.write():
            save(store, later)

        assert list(memory(store)) == ["1", *(f"{number}" for number in range(4, KEPT + 3)), "another"]


def test_what_was_read_is_not_written_again(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store, store.write():
        made = memory(store)
        made["a"] = "[1]"
        save(store, made)

        later = memory(store)
        later["b"] = "[2]"

        assert later.fresh == {"b": "[2]"}
