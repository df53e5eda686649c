"""Late and corrected values of days that were judged: a small city, swept on two mornings or three."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from little_city import CONFIG, EAST, FRIDAY, MONDAY, SATURDAY, SUNDAY, Cell, at, deliver, lay, raised, usual, without

from detectors import DETECTORS
from warning import pipeline
from warning.jobs import take_in
from warning.model import Alert, Level, Message, SeriesKey, Stage, Transition
from warning.pipeline import Swept
from warning.service import Service, open_service
from warning.store import alert as alerts_of
from warning.store import document, outbox
from warning.store import signal as signals_of

THEFTS = SeriesKey("thefts", EAST)
OFFICER = "officer@example.invalid"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(lay(tmp_path)) as found:
        yield found


def morning(day: date) -> datetime:
    return at(day + timedelta(days=1), "07:30")


def sweep(service: Service, day: date, cells: list[Cell], *, later: int = 0) -> Swept:
    """Deliver and sweep on the morning after a day, or some hours later."""
    now = morning(day) + timedelta(hours=later)
    deliver(service.config.base, f"{day}-{later}.csv", cells)
    take_in(service, now)
    return pipeline.sweep(service, day, now=now)


def only(day: date, extra: float) -> list[Cell]:
    """Return the thefts of a day in the east, raised."""
    return [cell for cell in raised(usual(day), *THEFTS, extra) if cell[:2] == THEFTS]


def alert(service: Service) -> Alert:
    (found,) = [one for one in alerts_of.alerts(service.store) if one.key == THEFTS]
    return found


def mails(service: Service, day: date) -> list[Message]:
    """Return the alert mails to the officer about a day."""
    found = outbox.pending(service.store, morning(MONDAY))
    return [mail for mail in found if (mail.kind, mail.recipient, mail.date) == ("alert", OFFICER, day)]


def test_a_red_that_a_correction_takes_away_is_lowered_and_waits_for_a_person(service: Service) -> None:
    sweep(service, FRIDAY, raised(usual(FRIDAY), *THEFTS, 36))

    swept = sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 0))

    (event,) = swept.events
    found = alert(service)
    assert (event.transition, event.before, event.after) == (Transition.CORRECTED, Level.RED, Level.CALM)
    assert event.note == "因数据更正（11月20日由40起更正为4起）"
    assert (found.active, found.peak, found.stage) == (Level.CALM, Level.RED, Stage.RAISED)
    (mail,) = mails(service, SATURDAY)
    assert mail.subject.startswith("【更正待复核】东区·盗窃警情数")
    assert "更正：因数据更正（11月20日由40起更正为4起），等级由红色调整为正常。" in mail.text
    assert "因数据更正（11月20日由40起更正为4起），等级由红色调整为正常。" in mail.html


def test_a_red_that_only_a_correction_shows_is_told_at_once_with_its_reason(service: Service) -> None:
    sweep(service, FRIDAY, usual(FRIDAY))

    swept = sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 36))

    opened, corrected = swept.events
    found = alert(service)
    assert (opened.transition, opened.date, opened.after) == (Transition.OPENED, FRIDAY, Level.RED)
    assert (corrected.transition, corrected.note) == (
        Transition.CORRECTED,
        "因数据更正（11月20日由4起更正为40起）",
    )
    assert (found.number, found.opened, found.active) == ("LC-20261120-0001", FRIDAY, Level.RED)
    (mail,) = mails(service, SATURDAY)
    reason = "因数据更正（11月20日由4起更正为40起），等级由正常调整为红色。"
    assert f"更正：{reason}" in mail.text
    narrative = document.document(service.store, "narrative", EAST, SATURDAY)
    assert narrative is not None
    assert reason in narrative.text


def test_a_red_that_came_late_is_told_though_the_next_day_was_judged(tmp_path: Path) -> None:
    config = lay(tmp_path)
    rules = tmp_path / "rules" / "police.toml"
    patient = 'detector = "outbreak"\n'  # judges a day though the one before is missing
    ears = 'detector = "ears"\nparameters = { baseline = 28 }\n'
    rules.write_text(rules.read_text(encoding="utf-8").replace(ears, patient), encoding="utf-8")
    with open_service(config) as service:
        sweep(service, FRIDAY, without(usual(FRIDAY), *THEFTS))
        sweep(service, SATURDAY, usual(SATURDAY))

        swept = sweep(service, SUNDAY, usual(SUNDAY) + only(FRIDAY, 36))

        assert [event.note for event in swept.events if event.transition is Transition.CORRECTED] == [
            "因数据补报（11月20日补报40起）"
        ]
        assert alert(service).peak is Level.RED
        assert mails(service, SUNDAY)


def test_a_correction_that_comes_at_noon_is_told_by_a_sweep_at_noon(service: Service) -> None:
    sweep(service, FRIDAY, usual(FRIDAY))

    swept = sweep(service, FRIDAY, only(FRIDAY, 36), later=5)

    assert [event.transition for event in swept.events] == [Transition.OPENED, Transition.CORRECTED]
    assert len(mails(service, FRIDAY)) == 1


def test_the_same_sweep_again_after_a_correction_changes_nothing(service: Service) -> None:
    sweep(service, FRIDAY, raised(usual(FRIDAY), *THEFTS, 36))
    sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 0))
    before = alert(service), alerts_of.events(service.store)

    again = pipeline.sweep(service, SATURDAY, now=morning(SATURDAY) + timedelta(hours=1))

    assert (again.events, again.messages) == ((), 0)
    assert (alert(service), alerts_of.events(service.store)) == before


def test_what_rules_said_of_a_corrected_day_is_withdrawn(service: Service) -> None:
    sweep(service, FRIDAY, raised(usual(FRIDAY), *THEFTS, 36))
    before = signals_of.signals(service.store, FRIDAY, FRIDAY)

    sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 0))

    assert THEFTS in {signal.key for signal in before}
    assert THEFTS not in {signal.key for signal in signals_of.signals(service.store, FRIDAY, FRIDAY)}


def test_a_stage_moved_by_a_person_stays_when_the_level_is_corrected(service: Service) -> None:
    sweep(service, FRIDAY, raised(usual(FRIDAY), *THEFTS, 36))
    with service.store.write():
        alerts_of.save(service.store, [replace(alert(service), stage=Stage.VERIFIED)])

    sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 0))

    assert (alert(service).active, alert(service).stage) == (Level.CALM, Stage.VERIFIED)


def test_a_correction_of_a_day_too_long_ago_is_history_only(tmp_path: Path) -> None:
    short = CONFIG.replace("window_years = 1\n", "window_years = 1\nrejudge_days = 2\n")
    with open_service(lay(tmp_path, config=short)) as service:
        sweep(service, FRIDAY, usual(FRIDAY))
        sweep(service, SATURDAY, usual(SATURDAY))

        swept = sweep(service, SUNDAY, usual(SUNDAY) + only(FRIDAY, 36))

        assert not swept.events
        assert not alerts_of.live(service.store)


def test_a_correction_of_a_day_before_the_first_sweep_is_history_only(service: Service) -> None:
    sweep(service, FRIDAY, usual(FRIDAY))

    swept = sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY - timedelta(days=1), 36))

    news = {(event.date, event.transition, event.after) for event in swept.events}
    assert news == {(SATURDAY, Transition.OPENED, Level.YELLOW)}  # by the week's sum, which holds that day


def out_of_luck(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("out of luck")


def test_what_cannot_be_judged_again_today_is_judged_again_tomorrow(service: Service) -> None:
    """A rule that fails says nothing; that must not be taken for all clear."""
    sweep(service, FRIDAY, raised(usual(FRIDAY), *THEFTS, 36))
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(DETECTORS, "ears", out_of_luck)
        failed = sweep(service, SATURDAY, usual(SATURDAY) + only(FRIDAY, 0))

    swept = sweep(service, SUNDAY, usual(SUNDAY))

    assert Transition.CORRECTED not in {event.transition for event in failed.events}
    assert [event.after for event in swept.events if event.transition is Transition.CORRECTED] == [Level.CALM]
