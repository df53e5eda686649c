from __future__ import annotations

import inspect
import os
import pkgutil
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import detectors
from detectors.fits import Task, all_fits, fit_of, fits_of, fitted
from detectors.forecast import forecast
from detectors.panel import DayKind, Panel, Reason

MONDAY = np.datetime64("2022-01-03")
PATIENCE = 60.0  # seconds until what should have ended is said to live


def panel_of(*series: np.ndarray, first: np.datetime64 = MONDAY, **more: object) -> Panel:
    values = np.array(series, dtype=float).T
    return Panel(first + np.arange(len(values)), range(len(series)), values, **more)  # type: ignore[arg-type]


def counts(mean: float = 40.0, days: int = 420, seed: int = 1) -> np.ndarray:
    week = np.where(np.arange(days) % 7 < 5, 1.1, 0.75)
    return np.random.default_rng(seed).poisson(mean * week).astype(float)


def task_of(values: np.ndarray, days: np.ndarray | None = None, flexibility: float = 0.05) -> Task:
    kinds = np.zeros(len(values), dtype=np.int8) if days is None else days
    return Task(MONDAY + np.arange(len(values)), values, kinds, MONDAY + len(values), 7, flexibility)


def test_the_week_ahead_is_expected_with_its_weekend() -> None:
    scores = forecast(panel_of(counts()), last=7)

    assert scores.expected[:5, 0] == pytest.approx([44] * 5, rel=0.08)
    assert scores.expected[5:, 0] == pytest.approx([30] * 2, rel=0.08)
    assert (np.abs(scores.surprise) < 2.5).all()


def test_half_as_many_again_is_a_surprise_and_lies_above_the_band() -> None:
    values = counts(100)
    values[-1] *= 1.6

    scores = forecast(panel_of(values))

    assert scores.surprise[0, 0] > 3
    assert scores.observed[0, 0] > scores.upper[0, 0]


def test_a_week_is_fitted_once_on_its_monday_whatever_the_first_day() -> None:
    values = counts(days=427)
    later = panel_of(values[3:], first=MONDAY + 3)
    changed = panel_of(np.r_[values[:420], values[420:] * 3])

    expected = forecast(panel_of(values), last=7).expected

    assert forecast(changed, last=7).expected == pytest.approx(expected)  # nothing of the week itself is fitted
    assert forecast(later, last=7).expected == pytest.approx(expected, rel=0.05)


def test_a_holiday_is_expected_to_be_what_holidays_were() -> None:
    holidays = np.zeros(420, dtype=np.int8)
    holidays[[60, 130, 200, 270, 340, 418]] = DayKind.HOLIDAY
    values = np.where(holidays, counts() * 0.3, counts())

    scores = forecast(panel_of(values, holidays=holidays), last=2)

    assert scores.expected[0, 0] < 0.5 * scores.expected[1, 0]
    assert scores.surprise[0, 0] > -2


def test_a_kind_of_day_never_seen_is_expected_to_be_ordinary() -> None:
    holidays = np.zeros(420, dtype=np.int8)
    with_fair = holidays.copy()
    with_fair[-1] = DayKind.FAIR

    ordinary = forecast(panel_of(counts(), holidays=holidays)).expected
    fair = forecast(panel_of(counts(), holidays=with_fair)).expected

    assert fair == pytest.approx(ordinary)


def test_counts_are_never_expected_below_nothing() -> None:
    falling = np.r_[np.linspace(60, 0, 400), np.zeros(20)].round()

    scores = forecast(panel_of(falling))

    assert scores.expected[0, 0] > 0
    assert scores.lower[0, 0] == 0


def test_the_tail_of_a_count_is_never_narrower_than_poisson() -> None:
    flat = np.full(420, 100.0)

    scores = forecast(panel_of(flat))

    assert scores.upper[0, 0] == pytest.approx(132, abs=2)  # P(Poisson(100) > 132) = .001


@pytest.mark.parametrize("kind", ["amount", "ratio"])
def test_amounts_and_ratios_have_bands_of_their_own_scatter(kind: str) -> None:
    values = np.random.default_rng(5).normal(70, 2, 420)

    scores = forecast(panel_of(values, kind=kind), last=7)

    assert (scores.upper - scores.expected).mean() == pytest.approx(3.1 * 2, rel=0.2)
    assert (scores.expected - scores.lower).mean() == pytest.approx(3.1 * 2, rel=0.2)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(counts(days=360), Reason.SHORT_HISTORY, id="under-a-year"),
        pytest.param(np.r_[[np.nan] * 100, counts(days=320)], Reason.SHORT_HISTORY, id="began-under-a-year-ago"),
        pytest.param(np.r_[counts(days=100), [np.nan] * 310, counts(days=10)], Reason.SHORT_HISTORY, id="mostly-gaps"),
        pytest.param(np.r_[counts(days=419), [np.nan]], Reason.NOT_REPORTED, id="today-missing"),
        pytest.param(np.zeros(420), Reason.JUDGED, id="nothing-but-noughts"),
    ],
)
def test_why_it_abstains(values: np.ndarray, reason: Reason) -> None:
    assert forecast(panel_of(values)).reason[0, 0] == reason


def test_only_daily_series_are_suited() -> None:
    panel = Panel(MONDAY + 7 * np.arange(200), ["a"], np.ones((200, 1)))

    assert forecast(panel, last=3).reason.ravel().tolist() == [Reason.NOT_SUITED] * 3


def test_a_fit_that_fails_costs_its_own_series_only() -> None:
    endless = counts()
    endless[5] = np.inf

    scores = forecast(panel_of(endless, counts()))

    assert scores.reason[0].tolist() == [Reason.FAILED, Reason.JUDGED]


def test_equal_tasks_have_equal_outcomes_here_and_in_a_spawned_process() -> None:
    task = task_of(counts(days=370))

    here = fitted(task)

    assert here is not None
    assert all_fits([task, task], spawned=True) == [here.text()] * 2


def test_a_fit_kept_as_text_loses_no_digit() -> None:
    fit = fitted(task_of(counts(days=370)))
    assert fit is not None

    kept = fit_of(fit.text())

    assert kept is not None
    np.testing.assert_array_equal(kept.ahead, fit.ahead)
    np.testing.assert_array_equal(kept.residuals, fit.residuals)
    assert kept.n == fit.n


def test_a_fit_that_was_kept_is_not_made_again() -> None:
    kept: dict[str, str] = {}
    values = counts()

    first = forecast(panel_of(values), cache=kept)
    another = fitted(task_of(counts(80)))
    assert another is not None

    assert len(kept) == 1
    assert forecast(panel_of(values), cache=kept).expected == first.expected
    exchanged = forecast(panel_of(values), cache=dict.fromkeys(kept, another.text()))
    assert exchanged.expected > 1.5 * first.expected


def hangs(_: Task) -> None:
    threading.Event().wait()


def dies(_: Task) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def starts_a_program(pipe: Path, task: Task) -> None:
    """Hang as Prophet may: in a program of its own, which holds the pipe."""
    with pipe.open("wb") as out:
        program = "import threading; print('started', flush=True); threading.Event().wait()"
        subprocess.Popen([sys.executable, "-c", program], stdout=out)
    hangs(task)


def test_a_process_that_hangs_is_ended_at_the_limit() -> None:
    task = task_of(counts(days=370))

    assert all_fits([task, task], spawned=True, limit=1.0, fit=hangs) == [None, None]


def test_a_process_that_the_system_ended_is_not_waited_for() -> None:
    task = task_of(counts(days=370))

    assert all_fits([task] * 3, spawned=True, limit=1e9, fit=dies) == [None] * 3  # or this would never end


def test_what_a_process_started_is_ended_with_it_when_the_caller_stops(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    heard = b""

    def stop_once_it_runs(_: str) -> None:
        nonlocal heard
        with suppress(BlockingIOError):
            heard += os.read(reader, 100)
        if heard:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        all_fits(
            [task_of(counts(days=370))],
            spawned=True,
            limit=1e9,
            fit=partial(starts_a_program, pipe),
            beat=stop_once_it_runs,
        )

    ended, _, _ = select.select([reader], [], [], PATIENCE)  # nobody holds the other end any more
    assert ended
    assert (heard, os.read(reader, 100)) == (b"started\n", b"")
    os.close(reader)


@pytest.mark.parametrize("spawned", [False, True])
def test_where_prophet_gives_up_nothing_is_kept(spawned: bool) -> None:
    kept: dict[str, str] = {}
    impossible = task_of(np.full(370, np.inf))
    possible = task_of(counts(days=370))

    found = fits_of({"a": impossible, "b": possible}, cache=kept, spawned=spawned)

    assert found["a"] is None
    assert list(kept) == [possible.key]


def test_a_fit_that_did_not_come_to_an_end_is_tried_again() -> None:
    kept: dict[str, str] = {}
    task = task_of(counts(days=370))

    ended = fits_of({"a": task}, cache=kept, spawned=True, limit=0.0)
    again = fits_of({"a": task}, cache=kept)

    assert ended == {"a": None}
    assert again["a"] is not None


def test_tasks_are_told_apart_by_every_part_of_them() -> None:
    values = counts(days=370)
    other, holidays = values.copy(), np.zeros(370, dtype=np.int8)
    other[7] += 1
    holidays[3] = DayKind.FAIR

    keys = {
        task.key for task in (task_of(values), task_of(other), task_of(values, holidays), task_of(values, None, 0.1))
    }

    assert len(keys) == 4
    assert task_of(values).key == task_of(values.copy()).key


def test_prophet_is_known_to_one_module_and_only_when_it_fits() -> None:
    folder = Path(inspect.getfile(detectors)).parent
    named = {
        module.name
        for module in pkgutil.iter_modules([str(folder)])
        if "prophet import" in (folder / f"{module.name}.py").read_text(encoding="utf-8")
    }

    assert named == {"fits"}


@pytest.mark.parametrize("wrong", [{"fit_every": 0}, {"history": 364}, {"alpha": 0.5}, {"flexibility": 0.0}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="forecast needs fit_every >= 1, history >= 365"):
        forecast(panel_of(counts()), **wrong)  # type: ignore[arg-type]
