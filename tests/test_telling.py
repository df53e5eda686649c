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
from little_city import EAST, FRIDAY, RULES, WEST, at, deliver, lay, raised, usual, without

from warning.context import Context
from warning.gathering import of_place
from warning.jobs import context_of, take_in
from warning.model import Document, Event, Level, Transition
from warning.pipeline import sweep
from warning.service import open_service, opened
from warning.store import outbox, run
from warning.store.document import documents
from warning.telling import ENGLISH, alert_messages, daily_messages, message_id, narratives, transition_of

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


def test_that_a_level_changed_for_good_is_told_as_that(context: Context) -> None:
    [(message, _), _] = alert_messages(context, [event(RED, Transition.LEVEL_CHANGED, Level.RED, Level.RED)])

    assert "【水平改变】" in message.subject


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        pytest.param([Transition.LEVEL_CHANGED], Transition.LEVEL_CHANGED, id="the-news-where-there-is-no-other"),
        pytest.param([Transition.LOWERED, Transition.LEVEL_CHANGED], Transition.LOWERED, id="else-beside-it"),
        pytest.param([Transition.OPENED, Transition.RAISED, Transition.LEVEL_CHANGED], Transition.OPENED, id="opened"),
    ],
)
def test_what_is_told_of_several_events(happened: list[Transition], told: Transition) -> None:
    assert transition_of([event(RED, one, Level.RED, Level.RED) for one in happened]) is told


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


def in_no_fact(document: Document) -> set[str]:
    """Return the figures of a text that stand for no fact."""
    day = document.date
    facts = " ".join([row["text"] for row in json.loads(document.facts)] + [day.isoformat(), f"{day.month} {day.day}"])
    printed = set(re.findall(r"\d+(?:\.\d+)?", document.text))
    assert printed, document.place
    return printed - set(re.findall(r"\d+(?:\.\d+)?", facts)) - CONSTANTS


def test_every_figure_of_a_narrative_is_a_fact(context: Context) -> None:
    assert {document.place: in_no_fact(document) for document in narratives(context) if in_no_fact(document)} == {}


def test_every_figure_of_a_swept_day_and_the_day_after_is_a_fact(tmp_path: Path) -> None:
    with open_service(lay(tmp_path)) as service:
        high = raised(raised(without(usual(FRIDAY), "fires", WEST), "thefts", EAST, 25), "quarrels", EAST, 30)
        for day, cells in ((FRIDAY, high), (FRIDAY + timedelta(days=1), usual(FRIDAY + timedelta(days=1)))):
            deliver(tmp_path, f"{day}.csv", cells)
            morning = at(day + timedelta(days=1), "07:30")
            take_in(service, morning)
            sweep(service, day, now=morning)

            texts = [*documents(service.store, "narrative", day), *documents(service.store, ENGLISH, day)]

            assert {document.place: in_no_fact(document) for document in texts if in_no_fact(document)} == {}
            assert ("提示保留" in texts[0].text) is (day > FRIDAY)


def test_the_english_edition_says_the_same_place_and_that_it_is_simulated(context: Context) -> None:
    [found] = [d for d in narratives(context) if d.kind == ENGLISH and d.place == TIANHE]

    assert found.text.startswith("[SIMULATED]")
    assert "Tianhe District" in found.text
    assert "unusual since 18 November" in found.text or "Red" in found.text


def test_a_narrative_is_written_for_every_place_and_the_city(context: Context) -> None:
    places = [document.place for document in narratives(context) if document.kind == "narrative"]

    assert sorted(places) == sorted(["440100", *(p.code for p in context.service.city.at_tier("district"))])


def test_the_daily_mail_lists_a_red_that_lasts(context: Context) -> None:
    later = replace(context, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))

    [(message, _)] = daily_messages(later)

    part = message.text.partition("三、延续的红色、橙色提示（2条）")[2]
    for number in (RED, ORANGE):
        assert number in part
    assert "■红色 天河区·电信网络诈骗警情数" in part
    assert "11月21日31起" in part
    assert "异常自11月18日起" in part
    assert "待签收，签收、核实时限已过，11月23日07:30前反馈处置方案" in part  # to the minute: not past


def test_the_daily_mail_tells_what_changed_with_its_levels(context: Context) -> None:
    [(message, _)] = daily_messages(context)

    assert "■【升】天河区·电信网络诈骗警情数：黄色→红色" in message.text
    assert "【降】南沙区·电信网络诈骗警情数：橙色→正常" in message.text


def test_a_mail_past_its_deadlines_says_so_and_one_before_does_not(context: Context) -> None:
    news = [event(RED, Transition.RAISED, Level.YELLOW, Level.RED)]
    later = replace(context, now=NOW + timedelta(hours=3))

    early, late = (alert_messages(found, news)[0][0].text for found in (context, later))

    assert "逾期" not in early
    assert "前签收（时限已过）" in late
    assert "前核实（时限已过）" in late
    assert "前反馈处置方案。" in late


def test_a_mail_links_to_the_page_of_its_alert(tmp_path: Path) -> None:
    with opened(judged_in(tmp_path / "city", page="http://127.0.0.1:8765/")) as service:
        context = context_of(service, DAY, NOW)

        [(urgent, _), *_] = alert_messages(context, [event(RED, Transition.RAISED, Level.YELLOW, Level.RED)])
        [(daily, _)] = daily_messages(context)

    assert f"http://127.0.0.1:8765/alerts/{RED}" in urgent.text
    assert f'href="http://127.0.0.1:8765/alerts/{RED}"' in urgent.html
    assert f'href="http://127.0.0.1:8765/alerts/{RED}"' in daily.html


def test_the_text_names_the_rules_that_judged_and_not_those_in_force_later(context: Context) -> None:
    signals = {signal.rules_version for alert in context.alerts for signal in alert.evidence}

    [text] = [d.text for d in narratives(context) if d.kind == "narrative" and d.place == TIANHE]

    assert signals == {"00000000"}
    assert context.service.rules.version not in text
    assert "规则版本00000000，" in text


def test_a_day_swept_again_after_a_rule_change_prints_the_rules_that_judged_it(tmp_path: Path) -> None:
    config = lay(tmp_path)
    deliver(tmp_path, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 25))
    morning = at(FRIDAY + timedelta(days=1), "07:30")
    versions, printed = [], []
    for extra in ("extra = 3", "extra = 4"):
        (tmp_path / "rules" / "police.toml").write_text(RULES.replace("extra = 3", extra), encoding="utf-8")
        with open_service(config) as service:
            take_in(service, morning)
            sweep(service, FRIDAY, now=morning)
            versions.append(service.rules.version)
            texts = documents(service.store, "narrative", FRIDAY)
            printed.append({found.place: re.findall(r"规则版本(.+?)，", found.text) for found in texts})

    assert versions[0] != versions[1]
    assert printed == [{place: [versions[0]] for place in ("01", EAST, WEST)}] * 2


def test_that_two_indicators_rise_at_once_is_no_likeness_of_theirs(tmp_path: Path) -> None:
    with open_service(lay(tmp_path)) as service:
        friday = raised(raised(usual(FRIDAY), "thefts", EAST, 60), "quarrels", EAST, 60)
        deliver(tmp_path, "friday.csv", friday)
        morning = at(FRIDAY + timedelta(days=1), "07:30")
        take_in(service, morning)
        sweep(service, FRIDAY, now=morning)

        facts = of_place(context_of(service, FRIDAY, morning), EAST)

    assert [item.indicator for item in facts.items] == ["quarrels", "thefts"]
    assert facts.clues == ()
