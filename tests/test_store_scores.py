"""Scores and signals are kept as they were known, and written only where they changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detectors.panel import Floats, Reason, Scores
from warning.model import Level, SeriesKey, Signal
from warning.situation import Coverage
from warning.store import Store, coverage, open_store, score, signal

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
        return score.save_scores(store, "ears", parameters, KEYS, DATES, scores, known_at)


def load(store: Store, known_at: datetime = NOW, parameters: str = "baseline=7") -> Scores:
    return score.load_scores(store, "ears", parameters, KEYS, DATES, known_at)


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


def test_a_cell_never_scored_has_no_surprise(store: Store) -> None:
    found = load(store)

    assert np.isnan(found.surprise).all()
    assert (found.reason == Reason.NOT_REPORTED).all()


def test_other_parameters_are_other_scores(store: Store) -> None:
    save(store, scores_of(np.ones((3, 2))))

    assert np.isnan(load(store, parameters="baseline=14").surprise).all()


def test_scores_are_found_in_any_order_of_series(store: Store) -> None:
    save(store, scores_of(np.arange(6.0).reshape(3, 2)))

    turned = score.load_scores(store, "ears", "baseline=7", [FIRES, THEFTS], DATES[1:], NOW)

    np.testing.assert_array_equal(turned.surprise, [[3.0, 2.0], [5.0, 4.0]])


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
