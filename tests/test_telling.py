"""Who is told what, and that every figure of a text is a fact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from judged_city import DAY, EVENTS, FALLEN, NOW, ORANGE, RED, TIANHE, YELLOW, YUEXIU, judged_in

from warning.gathering import Context
from warning.jobs import context_of
from warning.model import Event, Level, Transition
from warning.service import opened
from warning.store import outbox, run
from warning.telling import ENGLISH, alert_messages, daily_messages, message_id, narratives

OFFICER, LEADER = "duty.officer@example.invalid", "duty.leader@example.invalid"
CONSTANTS = {"28"}  # 前28日: the length of the comparison, part of its name


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(judged_in(tmp_path / "city")) as service:
        yield context_of(service, DAY, NOW)


def event(number: str, transition: Transition, before: Level, after: Level) -> Event:
    return Event(number, 9, DAY, NOW, transition, before, after)


def test_a_red_goes_to_the_officer_and_the_leader(context: Context) -> None:
    told = alert_messages(context, [event(RED, Transition.RAISED, Level.YELLOW, Level.RED)])

    assert [message.recipient for message, _ in told] == [OFFICER, LEADER]


def test_an_orange_goes_to_the_officer_alone(context: Context) -> None:
    told = alert_messages(context, [event(ORANGE, Transition.OPENED, Level.CALM, Level.ORANGE)])

    assert [message.recipient for message, _ in told] == [OFFICER]


def test_yellow_waits_for_the_morning(context: Context) -> None:
    news = event(YELLOW, Transition.OPENED, Level.CALM, Level.YELLOW)

    assert alert_messages(context, [news]) == []
    assert YELLOW in daily_messages(context)[0][0].text


def test_what_falls_from_orange_is_told(context: Context) -> None:
    told = alert_messages(context, [event(FALLEN, Transition.LOWERED, Level.ORANGE, Level.CALM)])

    assert len(told) == 1
    assert "降" in told[0][0].text


def test_each_place_has_one_mail_with_all_that_changed_there(context: Context) -> None:
    news = [
        event(RED, Transition.RAISED, Level.ORANGE, Level.RED),
        event(ORANGE, Transition.OPENED, Level.CALM, Level.ORANGE),
    ]

    told = [(message, pairs) for message, pairs in alert_messages(context, news) if message.recipient == OFFICER]

    assert [message.place for message, _ in told] == sorted([TIANHE, YUEXIU])
    assert [pairs for _, pairs in told] == [((ORANGE, "9 opened"),), ((RED, "9 raised"),)]


def test_what_changed_twice_is_one_line_and_both_are_told(context: Context) -> None:
    news = [
        event(RED, Transition.OPENED, Level.CALM, Level.YELLOW),
        replace(event(RED, Transition.RAISED, Level.YELLOW, Level.ORANGE), sequence=10),
        replace(event(RED, Transition.RAISED, Level.ORANGE, Level.RED), sequence=11),
    ]

    told = alert_messages(context, news)
    with context.service.store.write():
        new = outbox.enqueue(context.service.store, told)

    assert new == 2  # officer and leader
    assert told[0][1] == ((RED, "9 opened"), (RED, "10 raised"), (RED, "11 raised"))
    assert "正常→红色" in told[0][0].text.replace("■", "")


def test_a_higher_level_of_the_same_day_is_another_message(context: Context) -> None:
    first = event(RED, Transition.RAISED, Level.YELLOW, Level.ORANGE)
    later = replace(event(RED, Transition.RAISED, Level.ORANGE, Level.RED), sequence=10)

    one, other = (alert_messages(context, [news])[0][0] for news in (first, later))

    assert one.recipient == other.recipient
    assert one.message_id != other.message_id


def test_a_fall_to_calm_is_no_release(context: Context) -> None:
    [(message, _)] = alert_messages(context, [event(FALLEN, Transition.LOWERED, Level.ORANGE, Level.CALM)])

    assert "回落待复核" in message.subject
    assert "解除" not in message.subject


def test_a_day_nobody_judged_is_not_called_calm(context: Context) -> None:
    later = replace(context, day=DAY + timedelta(days=1))

    [(message, _)] = daily_messages(later)

    assert "未完成研判" in message.subject
    assert "零报告" not in message.subject
    assert "均在正常波动范围内" not in message.text


def test_a_broken_template_loses_no_red(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    deployment = judged_in(folder)
    (folder / "templates" / "mail").mkdir(parents=True)
    (folder / "templates" / "mail" / "alert.zh.txt.j2").write_text("{{ misspelt }}", encoding="utf-8")
    with opened(deployment) as service, service.store.write():
        context = context_of(service, DAY, NOW)

        told = alert_messages(context, [event(RED, Transition.RAISED, Level.YELLOW, Level.RED)])

        assert [message.recipient for message, _ in told] == [OFFICER, LEADER]
        assert "红色风险提示" in told[0][0].subject
        assert RED in told[0][0].subject
        assert "misspelt" in run.notices(service.store, NOW)[0].text


def test_a_follow_up_refers_to_the_first_mail(context: Context) -> None:
    first, pairs = alert_messages(context, [event(ORANGE, Transition.OPENED, Level.CALM, Level.ORANGE)])[0]
    with context.service.store.write():
        outbox.enqueue(context.service.store, [(first, pairs)])

    later, _ = alert_messages(context, [event(ORANGE, Transition.RAISED, Level.ORANGE, Level.RED)])[0]

    assert later.references == (first.message_id,)
    assert later.message_id != first.message_id


def test_telling_the_same_again_is_the_same_message(context: Context) -> None:
    news = [event(ORANGE, Transition.OPENED, Level.CALM, Level.ORANGE)]
    later = replace(context, now=NOW + timedelta(minutes=5))

    assert alert_messages(context, news)[0][0].message_id == alert_messages(later, news)[0][0].message_id


def test_an_identity_does_not_depend_on_the_order_of_what_is_told() -> None:
    pairs = [("A", "opened"), ("B", "raised")]

    one = message_id("alert", "440106", OFFICER, DAY, pairs, "kapok.invalid")

    assert one == message_id("alert", "440106", OFFICER, DAY, pairs[::-1], "kapok.invalid")
    assert re.fullmatch(r"<[0-9a-f]{32}@kapok\.invalid>", one)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("alert", "440106", LEADER, DAY, [("A", "opened")]), id="another-recipient"),
        pytest.param(("alert", "440106", OFFICER, DAY + timedelta(days=1), [("A", "opened")]), id="another-day"),
        pytest.param(("alert", "440106", OFFICER, DAY, [("A", "raised")]), id="another-transition"),
        pytest.param(("daily", "440106", OFFICER, DAY, [("A", "opened")]), id="another-kind"),
    ],
)
def test_something_else_is_another_message(other: tuple[str, str, str, object, list[tuple[str, str]]]) -> None:
    one = message_id("alert", "440106", OFFICER, DAY, [("A", "opened")], "kapok.invalid")

    assert one != message_id(*other, domain="kapok.invalid")  # type: ignore[arg-type]


def test_simulated_data_say_so_in_every_subject_and_text(context: Context) -> None:
    told = [*alert_messages(context, EVENTS), *daily_messages(context)]

    for message, _ in told:
        assert message.subject.startswith("【模拟】")
        assert "模拟" in message.text
        assert "模拟" in message.html
    chinese = [document for document in narratives(context) if document.kind == "narrative"]
    assert all("模拟" in document.text and "模拟" in document.html for document in chinese)


def test_real_data_do_not(tmp_path: Path) -> None:
    with opened(judged_in(tmp_path / "city", simulated=False)) as service:
        context = context_of(service, DAY, NOW)

        told = [*alert_messages(context, EVENTS), *daily_messages(context)]

    assert all("模拟" not in message.subject + message.text + message.html for message, _ in told)


def test_every_figure_of_a_narrative_is_a_fact(context: Context) -> None:
    for document in narratives(context):
        facts = " ".join(
            [row["text"] for row in json.loads(document.facts)] + [DAY.isoformat(), f"{DAY.month} {DAY.day}"]
        )
        known = set(re.findall(r"\d+(?:\.\d+)?", facts)) | CONSTANTS

        printed = set(re.findall(r"\d+(?:\.\d+)?", document.text))

        assert printed, document.place
        assert printed <= known, f"{document.place}: {sorted(printed - known)} in no fact"


def test_the_english_edition_says_the_same_place_and_that_it_is_simulated(context: Context) -> None:
    [found] = [d for d in narratives(context) if d.kind == ENGLISH and d.place == TIANHE]

    assert found.text.startswith("[SIMULATED]")
    assert "Tianhe District" in found.text
    assert "unusual since 18 November" in found.text or "Red" in found.text


def test_a_narrative_is_written_for_every_place_and_the_city(context: Context) -> None:
    places = [document.place for document in narratives(context) if document.kind == "narrative"]

    assert sorted(places) == sorted(["440100", *(p.code for p in context.service.city.at_tier("district"))])
