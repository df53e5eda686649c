"""Fits outlive the process that made them, while they are asked for."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

from little_city import FRIDAY, RULES, SATURDAY, SUNDAY, at, lay

from warning.jobs import take_in
from warning.pipeline import sweep
from warning.service import open_service
from warning.store import open_store
from warning.store.fit import KEPT, LARGE, memory, save


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


def test_what_is_large_is_kept_while_it_is_asked_for(tmp_path: Path) -> None:
    large = "x" * LARGE
    with closing(open_store(tmp_path / "kapok.db")) as store:
        made = memory(store)
        made.update({"old": large, "new": large, "small": "[1]"})
        with store.write():
            save(store, made)

        later = memory(store)
        assert later["new"] == large
        with store.write():
            save(store, later)

        assert sorted(memory(store)) == ["new", "small"]


def test_what_was_read_is_not_written_again(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store, store.write():
        made = memory(store)
        made["a"] = "[1]"
        save(store, made)

        later = memory(store)
        later["b"] = "[2]"

        assert later.fresh == {"b": "[2]"}


def test_between_two_anchors_a_sweep_fits_nothing(tmp_path: Path) -> None:
    config = lay(tmp_path)
    rules = RULES.replace('"threshold"', '"forecast"').replace("{ window = 7, baseline = 182 }", "{ fit_every = 7 }")
    (tmp_path / "rules" / "police.toml").write_text(rules, encoding="utf-8")

    def steps(day: date, then: date) -> list[str]:
        """Sweep a day in a process of its own, so to speak, and return what it told."""
        told: list[str] = []
        with open_service(config) as service:
            take_in(service, at(then, "07:00"))
            sweep(service, day, now=at(then, "07:30"), beat=told.append)
        return told

    assert "6 fits" in steps(FRIDAY, SATURDAY)
    later = steps(SATURDAY, SUNDAY)  # of the same anchors, Mondays all

    assert "forecast daily" in later
    assert [step for step in later if step.endswith("fits")] == []
