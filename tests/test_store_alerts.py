"""Alerts, their history, the outbox, documents, runs and notices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warning.model import Alert, Attachment, Document, Event, Level, Message, Signal, Stage, Transition
from warning.store import Store, alert, document, open_store, outbox, run
from warning.store.outbox import Account

NOW = datetime(2026, 11, 22, 0, 30, 15, 250_000, tzinfo=UTC)
DAY = date(2026, 11, 21)
NAN = float("nan")
SIGNAL = Signal("ears.rise", "thefts", "harbour", DAY, Level.ORANGE, "ears", 30.0, 10.0, 2.0, 20.0, 3.4, 1, "v1")
ALERT = Alert(
    number="GZ-20261121-0001",
    indicator="thefts",
    place="harbour",
    active=Level.ORANGE,
    peak=Level.RED,
    stage=Stage.RAISED,
    onset=DAY - timedelta(days=3),
    opened=DAY,
    updated=DAY,
    quiet=1,
    evidence=(SIGNAL, replace(SIGNAL, rule="盗窃.rise", late=True)),
)
OPENED = Event(ALERT.number, 1, DAY, NOW, Transition.OPENED, Level.CALM, Level.ORANGE, "数据更正")
MESSAGE = Message(
    message_id="<a@kapok.invalid>",
    kind="alert",
    place="harbour",
    date=DAY,
    recipient="duty@example.invalid",
    subject="橙色预警",
    text="正文",
    html="<p>正文</p>",
    created=NOW,
    references=("<first@kapok.invalid>",),
    attachments=(Attachment("chart", "chart.png", "image/png", b"\x89PNG\x00"),),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "kapok.db")
    yield store
    store.close()


def save(store: Store, *alerts: Alert) -> None:
    with store.write():
        alert.save(store, alerts)


def test_an_alert_comes_back_with_its_evidence(store: Store) -> None:
    save(store, ALERT)

    assert alert.alert(store, ALERT.number) == ALERT
    assert alert.alert(store, "GZ-20261121-0002") is None


def test_evidence_without_an_expectation_is_kept(store: Store) -> None:
    save(store, replace(ALERT, evidence=(replace(SIGNAL, expected=NAN, upper=NAN),)))

    (found,) = alert.live(store)

    assert str(found.evidence[0].expected) == "nan"
    assert found.evidence[0].observed == 30.0


def test_a_closed_alert_is_no_longer_live(store: Store) -> None:
    save(store, ALERT)
    save(store, replace(ALERT, stage=Stage.CLOSED, active=Level.CALM))

    assert alert.live(store) == []
    assert [found.stage for found in alert.alerts(store)] == [Stage.CLOSED]


def test_a_series_has_one_live_alert(store: Store) -> None:
    save(store, ALERT)

    with pytest.raises(sqlite3.IntegrityError):
        save(store, replace(ALERT, number="GZ-20261121-0002"))


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        pytest.param(None, None, "closed live", id="all"),
        pytest.param(1, None, "closed live", id="from-its-first-day-on"),
        pytest.param(4, None, "live", id="after-it-was-closed"),
        pytest.param(None, 0, "", id="before-either"),
        pytest.param(None, 1, "closed", id="until-the-second-opened"),
        pytest.param(9, 9, "live", id="what-is-live-lasts"),
    ],
)
def test_alerts_of_a_period_are_those_that_lasted_into_it(
    store: Store, first: int | None, last: int | None, found: str
) -> None:
    def day(n: int | None) -> date | None:
        return None if n is None else DAY + timedelta(days=n)

    opened = DAY + timedelta(days=1)
    save(
        store,
        replace(ALERT, number="closed", opened=opened, updated=DAY + timedelta(days=3), stage=Stage.CLOSED),
        replace(ALERT, number="live", opened=DAY + timedelta(days=2), updated=DAY + timedelta(days=2)),
    )

    assert [a.number for a in alert.alerts(store, first=day(first), last=day(last))] == found.split()


def test_alerts_of_a_place_leave_out_other_places(store: Store) -> None:
    save(store, ALERT, replace(ALERT, number="GZ-20261121-0002", place="market"))

    assert [a.place for a in alert.alerts(store, place="market")] == ["market"]


def remember(store: Store, course: dict[int, Alert | None], *, again: int | None = None, keep: int = 0) -> None:
    def day(n: int) -> date:
        return DAY + timedelta(days=n)

    with store.write():
        alert.save_stood(
            store,
            {ALERT.key: {day(n): found for n, found in course.items()}},
            {} if again is None else {ALERT.key: day(again)},
            keep_from=day(keep),
        )


def remembered(store: Store) -> dict[int, Alert | None]:
    return {(day - DAY).days: found for day, found in alert.stood(store, ALERT.key).items()}


def test_the_alert_a_series_had_after_a_date_is_remembered(store: Store) -> None:
    remember(store, {0: ALERT, 1: None})

    assert remembered(store) == {0: ALERT, 1: None}


def test_what_is_judged_again_is_remembered_in_the_stead_of_what_was(store: Store) -> None:
    remember(store, {0: ALERT, 1: ALERT, 2: ALERT})

    remember(store, {2: None}, again=1)

    assert remembered(store) == {0: ALERT, 2: None}


def test_of_dates_long_ago_the_last_one_is_remembered(store: Store) -> None:
    remember(store, {0: ALERT, 1: ALERT, 5: ALERT})

    remember(store, {6: ALERT}, keep=4)

    assert list(remembered(store)) == [1, 5, 6]


def test_only_what_needed_a_person_was_closed_by_one(store: Store) -> None:
    closed = replace(ALERT, stage=Stage.CLOSED, active=Level.CALM)
    save(store, replace(closed, number="yellow", peak=Level.YELLOW, updated=DAY + timedelta(days=9)))
    before = alert.closed_until(store, ALERT.key)

    save(store, closed)

    assert before is None
    assert alert.closed_until(store, ALERT.key) == closed.updated


def test_alerts_are_counted_within_a_data_date(store: Store) -> None:
    before = alert.count_of(store, DAY)
    save(store, ALERT)

    assert before == 0
    assert alert.count_of(store, DAY) == 1
    assert alert.count_of(store, DAY + timedelta(days=1)) == 0


def test_events_come_back_in_order(store: Store) -> None:
    lowered = replace(OPENED, sequence=2, date=DAY + timedelta(days=1), transition=Transition.LOWERED, note="")
    save(store, ALERT)
    with store.write():
        alert.append_events(store, [lowered, OPENED])

    assert alert.events(store) == [OPENED, lowered]
    assert alert.events(store, ALERT.number, first=lowered.date) == [lowered]
    assert alert.events(store, "GZ-20261121-0002") == []
    assert (alert.last_sequence(store, ALERT.number), alert.last_sequence(store, "GZ-20261121-0002")) == (2, 0)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE event SET note = 'nothing happened'", id="changed"),
        pytest.param("DELETE FROM event", id="deleted"),
    ],
)
def test_history_cannot_be_rewritten(store: Store, statement: str) -> None:
    save(store, ALERT)
    with store.write():
        alert.append_events(store, [OPENED])

    with pytest.raises(sqlite3.IntegrityError, match="an event is never"), store.write():
        store.change(statement)


def test_an_event_of_no_alert_is_refused(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.write():
        alert.append_events(store, [OPENED])


def enqueue(store: Store, *messages: Message, told: tuple[tuple[str, str], ...] = ()) -> int:
    with store.write():
        return outbox.enqueue(store, [(message, told) for message in messages])


def test_a_message_comes_back_as_it_was_written(store: Store) -> None:
    enqueue(store, MESSAGE)

    assert outbox.pending(store, NOW) == [MESSAGE]


def test_the_same_thing_is_written_once(store: Store) -> None:
    later = replace(MESSAGE, created=NOW + timedelta(hours=1), text="又一次")

    written = [enqueue(store, MESSAGE), enqueue(store, later, replace(MESSAGE, message_id="<b@kapok.invalid>"))]

    assert written == [1, 1]
    assert [m.text for m in outbox.pending(store, NOW)] == ["正文", "正文"]


def test_messages_are_sent_in_the_order_they_were_written(store: Store) -> None:
    names = ["<c@x>", "<a@x>", "<b@x>"]
    enqueue(store, *(replace(MESSAGE, message_id=name) for name in names))

    assert [m.message_id for m in outbox.pending(store, NOW)] == names


def test_a_message_refused_for_now_is_due_again_at_its_time(store: Store) -> None:
    enqueue(store, MESSAGE)
    later = NOW + timedelta(minutes=5)
    with store.write():
        outbox.mark_failed(store, MESSAGE.message_id, NOW, "451 busy", permanent=False, next_try=later)

    assert outbox.pending(store, later - timedelta(microseconds=1)) == []
    assert outbox.pending(store, later) == [MESSAGE]
    assert outbox.attempts(store, MESSAGE.message_id) == 1


def test_a_message_refused_for_good_says_why(store: Store) -> None:
    enqueue(store, MESSAGE)
    with store.write():
        outbox.mark_failed(store, MESSAGE.message_id, NOW, "550 no such user", permanent=True, next_try=NOW)

    (entry,) = outbox.messages(store, state="failed")

    assert (entry.message, entry.reason, entry.last_try) == (MESSAGE, "550 no such user", NOW)
    assert outbox.pending(store, NOW) == []


def test_what_was_sent_stays_sent(store: Store) -> None:
    enqueue(store, MESSAGE)
    with store.write():
        outbox.mark_sent(store, MESSAGE.message_id, NOW)
        outbox.mark_failed(store, MESSAGE.message_id, NOW, "late answer", permanent=True, next_try=NOW)

    assert outbox.account(store) == Account(written=1, sent=1, pending=0, failed=0)


def test_references_lead_to_the_first_mail_a_recipient_had_of_an_alert(store: Store) -> None:
    enqueue(store, MESSAGE, replace(MESSAGE, message_id="<b@x>"), told=((ALERT.number, "opened"),))

    assert outbox.first_message(store, ALERT.number, MESSAGE.recipient) == MESSAGE.message_id
    assert outbox.first_message(store, ALERT.number, "leader@example.invalid") is None
    assert outbox.first_message(store, "GZ-20261121-0002", MESSAGE.recipient) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["write", "send", "later", "never"])), max_size=30))
def test_every_message_written_is_sent_pending_or_failed(steps: list[tuple[int, str]]) -> None:
    store = open_store(Path(":memory:"))
    expected: dict[str, str] = {}
    for n, step in steps:
        name = f"<{n}@x>"
        waiting = expected.get(name) == "pending"
        if step == "write":
            enqueue(store, replace(MESSAGE, message_id=name))
            expected.setdefault(name, "pending")
            continue
        with store.write():
            if step == "send":
                outbox.mark_sent(store, name, NOW)
            else:
                outbox.mark_failed(store, name, NOW, "no", permanent=step == "never", next_try=NOW)
        if waiting:
            expected[name] = {"send": "sent", "later": "pending", "never": "failed"}[step]

    states = list(expected.values())
    assert outbox.account(store) == Account(len(states), *map(states.count, ("sent", "pending", "failed")))
    store.close()


def test_a_document_that_says_the_same_keeps_its_time(store: Store) -> None:
    first = Document("narrative", "harbour", DAY, NOW, "港区", "平稳。", "<p>平稳。</p>", "{}")
    later = replace(first, created=NOW + timedelta(days=1))
    changed = replace(later, text="上升。")
    with store.write():
        written = [document.save(store, [found]) for found in (first, later)]
    assert document.document(store, "narrative", "harbour", DAY) == first

    with store.write():
        written.append(document.save(store, [changed]))

    assert written == [1, 0, 1]
    assert document.documents(store, "narrative", DAY) == [changed]
    assert document.document(store, "briefing", "harbour", DAY) is None


def begin(store: Store, job: str, scheduled_for: datetime, status: str | None) -> int:
    with store.write():
        id = run.begin(store, job, scheduled_for, NOW)
        if status is not None:
            run.finish(store, id, NOW, status, "note")
    return id


def test_the_last_scheduled_run_is_one_that_was_dealt_with(store: Store) -> None:
    for hours, status in enumerate(["done", "missed", "interrupted", None]):
        begin(store, "sweep", NOW + timedelta(hours=hours), status)
    begin(store, "outbox", NOW + timedelta(hours=9), "done")

    assert run.last_scheduled(store, "sweep") == NOW + timedelta(hours=1)
    assert run.last_scheduled(store, "briefing") is None


def test_a_run_cut_off_by_a_kill_is_found_at_the_next_start(store: Store) -> None:
    begin(store, "feeds", NOW, "failed")
    cut = begin(store, "sweep", NOW, None)

    assert [(found.id, found.job, found.finished) for found in run.interrupted(store)] == [(cut, "sweep", None)]
    assert [found.status for found in run.runs(store)] == ["running", "failed"]
    assert [found.note for found in run.runs(store, job="feeds")] == ["note"]


def test_a_run_ends_in_a_known_way(store: Store) -> None:
    id = begin(store, "sweep", NOW, None)

    with pytest.raises(ValueError, match="'finished' is unknown; known: done"), store.write():
        run.finish(store, id, NOW, "finished")


def test_a_notice_is_given_once_a_day(store: Store) -> None:
    with store.write():
        new = [
            run.notice(store, NOW + timedelta(hours=hours), about, "is empty")
            for hours, about in ((0, "a.csv"), (1, "a.csv"), (1, "b.csv"), (24, "a.csv"))
        ]

    assert new == [True, False, True, True]
    assert [found.about for found in run.notices(store, NOW + timedelta(hours=1))] == ["a.csv", "b.csv"]
