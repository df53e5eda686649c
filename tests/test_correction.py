"""What corrected values make of an alert, in letters: . calm, Y yellow, O orange, R red, / not reported."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_lifecycle import FIRST, INDICATORS, KEY, LETTERS, signal

from warning.correction import reason_zh
from warning.lifecycle import Hold, Verdict, verdict
from warning.model import Alert, Correction, Event, Level, SeriesKey, Stage, Transition
from warning.standing import Past, fold

NOW = datetime.fromisoformat("2026-03-20T07:30:00+08:00")
REASON = "因数据更正（3月2日由12起更正为31起）"


@dataclass
class Series:
    """A series that is swept, remembers, and is corrected."""

    known: str = ""
    live: dict[SeriesKey, Alert] = field(default_factory=dict)
    closed: date | None = None  # until when an alert went that a person closed
    course: dict[date, Alert | None] = field(default_factory=dict)
    judged: dict[SeriesKey, date] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def alert(self) -> Alert | None:
        return self.live.get(KEY)

    def sweep(self, letters: str) -> None:
        """Sweep the last day with what is known now of all days."""
        until = self.judged.get(KEY, date.min)
        days = [FIRST + timedelta(days=n) for n in range(len(letters))]
        changed = [
            Correction(KEY, day, math.nan if before == "/" else 12.0, 31.0)
            for day, before, now in zip(days, self.known, letters, strict=False)
            if before != now and day <= until
        ]
        first = min((one.date for one in changed), default=date.max)
        found = fold(
            [said(day, letter) for day, letter in zip(days, letters, strict=True) if day > until or day >= first],
            self.live,
            holds=lambda *_: Hold(3),
            judged_until=self.judged,
            corrections={KEY: changed} if changed else {},
            past=Past(lambda _: self.course, lambda _: self.closed),
            indicators=INDICATORS,
            opened=Counter(e.date for e in self.events if e.transition is Transition.OPENED).__getitem__,
            told=Counter(event.alert for event in self.events).__getitem__,
            prefix="XX",
            day=days[-1],
            at=NOW,
        )
        since = found.again.get(KEY, date.max)
        self.course = {day: alert for day, alert in self.course.items() if day < since} | dict(
            found.courses.get(KEY, {})
        )
        self.live, self.known = dict(found.live), letters
        seen = [day for day, letter in zip(days, letters, strict=True) if letter != "/"]
        self.judged = {KEY: max(seen)} if seen else {}
        self.events += found.events

    def close(self) -> None:
        """Close the alert as a person does."""
        assert self.alert is not None
        self.closed = self.alert.updated
        self.live = {}


def said(day: date, letter: str) -> Verdict:
    return verdict(KEY, day, [signal(LETTERS[letter], day)], onset=day)


def lived(letters: str) -> Series:
    """Return a series swept day by day."""
    series = Series()
    for n in range(len(letters)):
        series.sweep(letters[: n + 1])
    return series


def told(events: list[Event]) -> str:
    """Return what happened, in words and letters: corrected.R from calm to red."""
    letter = {level: letter for letter, level in LETTERS.items()}
    return " ".join(f"{e.transition}{letter[e.before]}{letter[e.after]}" for e in events)


@pytest.mark.parametrize(
    ("known", "true", "news"),
    [
        pytest.param("....", "..R.", "opened.R correctedRR", id="a-red-that-nobody-saw"),
        pytest.param("....", ".Y..", "opened.Y correctedYY", id="a-yellow-that-nobody-saw"),
        pytest.param(".....", "Y....", "", id="a-yellow-that-would-be-over"),
        pytest.param(".....", "R....", "opened.R correctedR.", id="a-red-that-would-be-over-waits-for-a-person"),
        pytest.param("..R.", "....", "correctedR.", id="a-red-that-was-none-waits-for-a-person"),
        pytest.param("..Y.", "....", "correctedY. ended..", id="a-yellow-that-was-none-ends"),
        pytest.param("..YY", "..YR", "correctedYR", id="a-yellow-that-was-red"),
        pytest.param("..RR", "..RY", "", id="a-red-that-falls-only-after-quiet-days"),
        pytest.param("..RR", "..YY", "correctedRY", id="a-red-that-was-yellow"),
        pytest.param("..YYYYYY", "..YRYYYY", "correctedYR correctedRY", id="a-red-that-came-and-went"),
        pytest.param("Y...", "Y.Y.", "corrected.Y", id="one-that-ended-and-had-not"),
        pytest.param("/YY", "RYY", "correctedYR", id="a-red-that-came-late"),
        pytest.param("..YY", "..YY", "", id="nothing"),
    ],
)
def test_what_a_correction_tells(known: str, true: str, news: str) -> None:
    series = lived(known)
    before = len(series.events)

    series.sweep(true)

    assert told(series.events[before:]) == news


def test_the_event_names_the_old_value_the_new_one_and_the_date() -> None:
    series = lived(".")

    series.sweep("R")

    assert [event.note for event in series.events] == ["", REASON]
    assert series.events[0].alert == "XX-20260302-0001"


@pytest.mark.parametrize(
    ("ones", "reason"),
    [
        pytest.param([(0, 12.0)], REASON, id="corrected"),
        pytest.param([(0, math.nan)], "因数据补报（3月2日补报31起）", id="late"),
        pytest.param([(1, math.nan), (0, 12.0)], "因数据更正（3月2日由12起更正为31起；3月3日补报31起）", id="both"),
        pytest.param(
            [(n, math.nan) for n in range(5)],
            "因数据补报（3月2日补报31起；3月3日补报31起；3月4日补报31起；等5日）",
            id="many",
        ),
    ],
)
def test_the_reason_in_words(ones: list[tuple[int, float]], reason: str) -> None:
    corrections = [Correction(KEY, FIRST + timedelta(days=n), old, 31.0) for n, old in ones]

    assert reason_zh(corrections, INDICATORS["thefts"]) == reason


def test_a_stage_moved_by_a_person_stays() -> None:
    series = lived("..R.")
    (alert,) = series.live.values()
    series.live = {KEY: replace(alert, stage=Stage.VERIFIED)}

    series.sweep("....")

    assert series.alert is not None
    assert (series.alert.active, series.alert.stage) == (Level.CALM, Stage.VERIFIED)
    assert series.alert.number == alert.number


def test_what_a_person_closed_is_not_taken_up_again() -> None:
    series = lived("RRR")
    series.close()
    series.sweep("RRR.")
    before = list(series.events)

    series.sweep("RRO.")

    assert series.events == before
    assert series.alert is None


def test_after_a_person_closed_one_a_correction_of_later_days_opens_another() -> None:
    series = lived("RRR")
    series.close()
    series.sweep("RRR.")
    series.sweep("RRRR")

    assert series.alert is not None
    assert series.alert.opened == FIRST + timedelta(days=3)
    assert series.alert.number == "XX-20260305-0001"


def test_an_alert_without_a_course_stays_as_it_is() -> None:
    """One that was opened before courses were kept."""
    series = lived("RR")
    series.course = {}
    before = series.alert

    series.sweep("RY")

    assert series.alert == before


histories = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.text(".YOR", min_size=n, max_size=n), min_size=2, max_size=3)
)


@given(histories, st.text("./", min_size=12, max_size=12))
def test_an_alert_becomes_what_it_would_have_been(letters: list[str], gaps: str) -> None:
    known = "".join("/" if gap == "/" else letter for gap, letter in zip(gaps, letters[0], strict=False))
    series, truth = lived(known), lived(letters[-1]).alert

    for corrected in letters[1:]:
        series.sweep(corrected)

    found = series.alert
    if truth is None:
        assert found is None or (found.needs_a_person and found.active is Level.CALM)
    else:
        assert found is not None
        assert (found.active, found.quiet, found.updated) == (truth.active, truth.quiet, truth.updated)
        assert found.peak >= truth.peak


@given(histories)
def test_each_line_of_a_history_begins_where_the_last_one_ended(letters: list[str]) -> None:
    series = lived(letters[0])

    for corrected in letters[1:]:
        series.sweep(corrected)

    for number in {event.alert for event in series.events}:
        mine = [event for event in series.events if event.alert == number]
        assert [event.sequence for event in mine] == list(range(1, len(mine) + 1))
        assert [event.before for event in mine[1:]] == [event.after for event in mine[:-1]]
        assert mine[0].transition is Transition.OPENED


@given(histories)
def test_what_was_ever_orange_is_not_closed_by_a_correction(letters: list[str]) -> None:
    series = lived(letters[0])

    for corrected in letters[1:]:
        series.sweep(corrected)

    peaks = Counter[str]()
    for event in series.events:
        peaks[event.alert] = max(peaks[event.alert], event.after)
        assert event.transition is not Transition.ENDED or peaks[event.alert] < Level.ORANGE


@given(histories)
def test_the_same_sweep_again_changes_nothing(letters: list[str]) -> None:
    series = lived(letters[0])
    series.sweep(letters[1])
    before = replace(series, events=list(series.events))

    series.sweep(letters[1])

    assert series == before
