"""Scores and signals are kept as they were known, and written only where they changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sqlite_utils import Database

from detectors.panel import Floats, Reason, Remark, Scores
from warning.model import Level, SeriesKey, Signal
from warning.situation import Coverage
from warning.store import Store, coverage, open_store, score, signal
from warning.store.schema import MIGRATIONS, m010_scores_as_blobs
from warning.store.score import Way

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
MONDAY = date(2026, 11, 16)
THEFTS, FIRES = SeriesKey("thefts", "harbour"), SeriesKey("fires", "market")
KEYS = [THEFTS, FIRES]
DATES = np.datetime64(MONDAY) + np.arange(3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "kapok.db")
    yield store
    store.close()


def days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def scores_of(surprise: Floats) -> Scores:
    reason = np.where(np.isnan(surprise), Reason.SHORT_HISTORY, Reason.JUDGED).astype(np.int8)
    return Scores(
        surprise + 10, surprise + 1, surprise - 5, surprise + 5, surprise, np.full(surprise.shape, np.nan), reason
    )


def save(store: Store, scores: Scores, known_at: datetime = NOW, parameters: str = "baseline=7") -> int:
    with store.write():
        return score.save_scores(store, Way("daily", "ears", parameters), KEYS, DATES, scores, known_at)


def load(store: Store, known_at: datetime = NOW, parameters: str = "baseline=7") -> Scores:
    return score.load_scores(store, Way("daily", "ears", parameters), KEYS, DATES, known_at)


def assert_same(found: Scores, expected: Scores) -> None:
    for field in fields(Scores):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


some_scores = arrays(np.float64, (3, 2), elements=st.floats(width=64, allow_nan=True)).map(scores_of)


@given(some_scores)
def test_scores_come_back_to_the_last_bit(scores: Scores) -> None:
    store = open_store(Path(":memory:"))

    save(store, scores)

    assert_same(load(store), scores)
    store.close()


@given(some_scores)
def test_the_same_scores_are_not_written_again(scores: Scores) -> None:
    store = open_store(Path(":memory:"))
    save(store, scores)

    assert save(store, scores, days(1)) == 0
    store.close()


@given(some_scores, some_scores)
def test_scores_of_today_do_not_change_what_was_known_yesterday(before: Scores, after: Scores) -> None:
    store = open_store(Path(":memory:"))
    save(store, before, days(0))
    save(store, after, days(1))

    assert_same(load(store, days(0)), before)
    assert_same(load(store, days(1)), after)
    store.close()


def test_only_what_differs_is_written(store: Store) -> None:
    quiet = scores_of(np.array([[0.1, np.nan], [0.2, 0.3], [0.4, np.nan]]))
    one_more = scores_of(np.array([[0.1, np.nan], [0.2, 0.3], [0.4, 2.5]]))

    assert (save(store, quiet), save(store, one_more, days(1))) == (6, 1)


@pytest.mark.parametrize("row", [0, 2])
def test_what_a_method_remarks_comes_back_and_is_written_where_it_alone_differs(store: Store, row: int) -> None:
    plain = scores_of(np.arange(6.0).reshape(3, 2))
    said = np.zeros((3, 2), dtype=np.int8)
    said[row, 1] = Remark.LEVEL_CHANGED
    remarked = replace(plain, remarks=said)

    assert (save(store, plain), save(store, remarked, days(1)), save(store, remarked, days(2))) == (6, 1, 0)
    assert_same(load(store), plain)
    assert_same(load(store, days(1)), remarked)


def test_a_cell_never_scored_has_no_surprise(store: Store) -> None:
    found = load(store)

    assert np.isnan(found.surprise).all()
    assert (found.reason == Reason.NOT_REPORTED).all()


def test_other_parameters_are_other_scores(store: Store) -> None:
    save(store, scores_of(np.ones((3, 2))))

    assert np.isnan(load(store, parameters="baseline=14").surprise).all()


def test_scores_are_found_in_any_order_of_series(store: Store) -> None:
    save(store, scores_of(np.arange(6.0).reshape(3, 2)))

    turned = score.load_scores(store, Way("daily", "ears", "baseline=7"), [FIRES, THEFTS], DATES[1:], NOW)

    np.testing.assert_array_equal(turned.surprise, [[3.0, 2.0], [5.0, 4.0]])


def cells_of(cells: dict[tuple[int, int], float]) -> Scores:
    """Return the scores of some cells; of the others the method says that nothing was reported."""
    surprise = np.full((3, 2), np.nan)
    for cell, found in cells.items():
        surprise[cell] = found
    return scores_of(surprise)


saves = st.tuples(
    st.integers(0, 4),
    st.sampled_from(["baseline=7", "baseline=14"]),
    st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 1)), st.sampled_from([0.5, 2.0, -3.0, np.nan])),
    st.sampled_from([KEYS, KEYS[:1], KEYS[1:], KEYS[::-1]]),
    st.sampled_from([slice(0, 3), slice(1, 3), slice(2, 3)]),
)


@given(st.lists(saves, max_size=8).map(lambda found: sorted(found, key=lambda one: one[0])))  # sweeps go on in time
def test_at_any_instant_the_scores_are_those_saved_last_up_to_it(history: list[Any]) -> None:
    store = open_store(Path(":memory:"))
    said: dict[tuple[str, SeriesKey, int], list[tuple[int, float]]] = {}
    for day, parameters, cells, keys, rows in history:
        columns = [KEYS.index(key) for key in keys]
        whole = cells_of(cells)
        part = Scores(**{field.name: getattr(whole, field.name)[rows][:, columns] for field in fields(Scores)})
        with store.write():
            way = Way("daily", "ears", parameters)
            score.save_scores(store, way, keys, DATES[rows], part, days(day))
        for row in range(*rows.indices(3)):
            for key in keys:
                cell = (parameters, key, row)
                before = said.setdefault(cell, [])
                said[cell] = sorted(
                    [*(one for one in before if one[0] != day), (day, whole.surprise[row, KEYS.index(key)])]
                )

    for day in range(-1, 6):
        for parameters in ("baseline=7", "baseline=14"):
            expected = np.full((3, 2), np.nan)
            for (of, key, row), values in said.items():
                known = [value for at, value in values if at <= day]
                if of == parameters and known:
                    expected[row, KEYS.index(key)] = known[-1]
            np.testing.assert_array_equal(load(store, days(day), parameters).surprise, expected)
    store.close()


def test_scores_of_several_frequencies_stand_beside_each_other(store: Store) -> None:
    for frequency, key, surprise in (("daily", THEFTS, 1.0), ("weekly", FIRES, 2.0)):
        with store.write():
            scores = scores_of(np.full((1, 1), surprise))
            score.save_scores(store, Way(frequency, "ears", ""), [key], DATES[:1], scores, NOW)

    found = [
        score.load_scores(store, Way(frequency, "ears", ""), KEYS, DATES[:1], NOW).surprise[0]
        for frequency in ("daily", "weekly")
    ]

    np.testing.assert_array_equal(found, [[1.0, np.nan], [np.nan, 2.0]])


def test_only_what_is_asked_for_is_read(store: Store) -> None:
    save(store, scores_of(np.ones((3, 2))))

    found = score.load_scores(store, Way("daily", "ears", "baseline=7"), KEYS, DATES, NOW, only=("surprise",))

    assert (found.surprise == 1).all()
    assert np.isnan(found.upper).all()


def test_scores_of_the_version_before_are_what_they_were_at_any_instant(tmp_path: Path) -> None:
    rows = [  # way, series, day after Monday, days after NOW it was known, surprise, reason
        (1, 1, 0, 0, 0.5, 0),
        (1, 1, 0, 2, 2.5, 0),
        (1, 1, 1, 0, None, 2),
        (1, 2, 0, 1, 3.5, 0),
        (2, 1, 0, 0, 9.5, 0),
    ]
    old = Database(tmp_path / "kapok.db")
    MIGRATIONS.apply(old, stop_before=m010_scores_as_blobs.__name__)
    monday = (MONDAY - date(1970, 1, 1)).days
    with old.atomic():
        old.conn.executemany("INSERT INTO series VALUES (?, ?, ?)", [(n, *key) for n, key in enumerate(KEYS, 1)])
        old.conn.executemany("INSERT INTO method VALUES (?, 'ears', ?)", [(1, "baseline=7"), (2, "baseline=14")])
        old.conn.executemany(
            "INSERT INTO score VALUES (?, ?, ?, ?, 10, 11, 5, 15, ?, NULL, ?)",
            [(way, of, monday + day, days(known).timestamp(), found, why) for way, of, day, known, found, why in rows],
        )
    old.close()

    store = open_store(tmp_path / "kapok.db")
    found = [load(store, days(known)) for known in (-1, 0, 1, 2)]

    nan = np.nan
    assert [one.surprise[0].tolist() for one in found] == [
        pytest.approx(expected, nan_ok=True) for expected in ([nan, nan], [0.5, nan], [0.5, 3.5], [2.5, 3.5])
    ]
    assert found[1].reason[1].tolist() == [Reason.SHORT_HISTORY, Reason.NOT_REPORTED]
    assert (found[3].observed[0] == 10).all()
    assert np.isnan(found[3].above).all()
    assert load(store, days(0), "baseline=14").surprise[0, 0] == 9.5
    store.close()


def test_scores_of_the_version_before_are_not_written_again(tmp_path: Path) -> None:
    old = Database(tmp_path / "kapok.db")
    MIGRATIONS.apply(old, stop_before=m010_scores_as_blobs.__name__)
    with old.atomic():
        old.execute("INSERT INTO series VALUES (1, ?, ?)", THEFTS)
        old.execute("INSERT INTO method VALUES (1, 'ears', 'baseline=7')")
        day = (MONDAY - date(1970, 1, 1)).days
        old.execute(
            "INSERT INTO score VALUES (1, 1, ?, ?, 10.5, 1.5, -4.5, 5.5, 0.5, NULL, 0)", (day, int(NOW.timestamp()))
        )
    old.close()
    store = open_store(tmp_path / "kapok.db")
    same = scores_of(np.array([[0.5]]))
    other = replace(same, surprise=np.array([[0.75]]))

    written = []
    for day, scores in ((1, same), (2, other), (3, other)):
        with store.write():
            way = Way("daily", "ears", "baseline=7")
            written.append(score.save_scores(store, way, [THEFTS], DATES[:1], scores, days(day)))

    assert written == [0, 1, 0]
    assert [load(store, days(day)).surprise[0, 0] for day in (1, 2)] == [0.5, 0.75]
    store.close()


A_SIGNAL = Signal("ears.rise", *THEFTS, MONDAY, Level.ORANGE, "ears", 30.0, 10.0, 2.0, 20.0, 3.4, 1, "v1", late=True)
NAN = float("nan")
SILENT = Signal("ears.rise", *FIRES, MONDAY, Level.MISSING, "ears", NAN, NAN, NAN, NAN, NAN, 1, "v1")


def save_signals(store: Store, *signals: Signal, known_at: datetime = NOW) -> int:
    with store.write():
        return signal.save_signals(store, signals, known_at)


def test_signals_come_back_by_date_and_place(store: Store) -> None:
    tuesday = replace(A_SIGNAL, date=MONDAY + timedelta(days=1))
    save_signals(store, tuesday, SILENT, A_SIGNAL)

    assert signal.signals(store, MONDAY, tuesday.date, place="harbour") == [A_SIGNAL, tuesday]
    assert signal.signals(store, tuesday.date, tuesday.date) == [tuesday]


def test_a_signal_without_numbers_keeps_being_without(store: Store) -> None:
    save_signals(store, SILENT)

    (found,) = signal.signals(store, MONDAY, MONDAY)

    assert found.level is Level.MISSING
    assert np.isnan([found.observed, found.expected, found.lower, found.upper, found.surprise]).all()


def test_a_signal_is_written_again_only_if_it_says_something_else(store: Store) -> None:
    louder = replace(A_SIGNAL, level=Level.RED, surprise=6.0)

    written = [
        save_signals(store, A_SIGNAL, SILENT),
        save_signals(store, A_SIGNAL, SILENT, known_at=days(1)),
        save_signals(store, louder, SILENT, known_at=days(2)),
    ]

    assert written == [2, 0, 1]
    assert signal.signals(store, MONDAY, MONDAY, place="harbour") == [louder]


def test_judged_until_never_moves_back(store: Store) -> None:
    with store.write():
        signal.save_judged(store, {THEFTS: MONDAY, FIRES: MONDAY})
        signal.save_judged(store, {THEFTS: MONDAY - timedelta(days=1), FIRES: MONDAY + timedelta(days=1)})

    assert signal.judged_until(store) == {THEFTS: MONDAY, FIRES: MONDAY + timedelta(days=1)}


def test_what_is_judged_again_and_no_longer_said_is_withdrawn(store: Store) -> None:
    sunday = replace(A_SIGNAL, date=MONDAY - timedelta(days=1))
    elsewhere = replace(A_SIGNAL, indicator=FIRES.indicator)
    save_signals(store, sunday, A_SIGNAL, elsewhere)

    with store.write():
        written = signal.save_signals(store, [], days(1), again={THEFTS: MONDAY})

    assert written == 1
    assert signal.signals(store, sunday.date, MONDAY) == [sunday, elsewhere]


def test_what_was_withdrawn_can_be_said_again(store: Store) -> None:
    save_signals(store, A_SIGNAL)
    with store.write():
        signal.save_signals(store, [], days(1), again={THEFTS: MONDAY})

    save_signals(store, A_SIGNAL, known_at=days(2))

    assert signal.signals(store, MONDAY, MONDAY) == [A_SIGNAL]


def test_the_knowledge_a_series_was_judged_by_never_moves_back(store: Store) -> None:
    with store.write():
        signal.save_judged(store, {THEFTS: MONDAY})
        before = signal.judged_at(store)
        signal.save_judged_at(store, [THEFTS, FIRES], days(1))
        signal.save_judged_at(store, [THEFTS], NOW)

    assert before == {}
    assert signal.judged_at(store) == {THEFTS: days(1)}


def test_coverage_of_a_day_swept_again_is_that_of_the_last_sweep(store: Store) -> None:
    first = Coverage("harbour", MONDAY, watched=44, missing=40, colour=Level.MISSING)
    last = replace(first, missing=1, colour=Level.YELLOW)
    with store.write():
        coverage.save(store, [first])
        coverage.save(store, [last])

    assert coverage.on(store, MONDAY) == {"harbour": last}
    assert coverage.between(store, MONDAY, MONDAY, place="market") == []
    assert coverage.last_date(store) == MONDAY
