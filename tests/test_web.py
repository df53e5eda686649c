"""The page: what it says, in colours and in words."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from judged_city import (
    ALERTS,
    FALLEN,
    NOW,
    ORANGE,
    OVER,
    RED,
    YELLOW,
    deployment_in,
    judged_in,
    served,
    signal,
)

from warning.model import Level
from warning.service import opened
from warning.store import alert as alerts_of
from warning.web.alerts import SHOWN

serving = contextmanager(served)
PAGES = ["/", "/?wall=1", "/alerts", f"/alerts/{RED}", "/places/440106", "/places/440100", "/health"]
FAULTS = ["/nothing", "/alerts/GZ-1", "/places/nowhere", "/places/440106?date=never", "/?date=2020-01-01"]
VOID = {"meta", "link", "input", "img", "br"}


class Outline(HTMLParser):
    """Notes what a browser would have to guess, and what a screen reader would miss."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.crossed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def words(page: str) -> str:
    """Return what is read at a desk when all markup is left out; what is only emphasised stays in its sentence."""
    page = re.sub(r'<small class="more">.*?</small>', "", page)  # shown on a phone, for the columns left out there
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?strong[^>]*>", "", page)).split())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    yield from served(judged_in(tmp_path_factory.mktemp("judged")))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    yield from served(judged_in(tmp_path_factory.mktemp("real"), simulated=False))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    yield from served(deployment_in(tmp_path_factory.mktemp("fresh")))


@pytest.mark.parametrize("address", [*PAGES, *FAULTS])
def test_every_page_is_sound_html(desk: httpx.Client, address: str) -> None:
    page = Outline(desk.get(address).text)

    assert page.all("html")[0]["lang"] == "zh-CN"
    assert len(page.all("h1")) == 1
    assert (page.open, page.crossed) == ([], [])
    assert all(picture.get("alt") for picture in page.all("img"))
    assert page.all("script") == []
    assert not [tag for tag, attributes in page.tags if "style" in attributes or "onclick" in attributes]
    identities = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("address", [*PAGES, *FAULTS])
def test_every_page_says_that_its_data_are_simulated(desk: httpx.Client, real: httpx.Client, address: str) -> None:
    simulated, observed = desk.get(address).text, real.get(address).text

    assert "<title>【模拟数据】" in simulated
    assert '<p class="simulated" role="note"><strong>【模拟数据】' in simulated
    assert "模拟" not in observed


@pytest.mark.parametrize("address", [*PAGES, *FAULTS, "/healthz", f"/alerts/{RED}/chart.png", "/static/kapok.css"])
def test_every_answer_forbids_the_browser_what_it_does_not_need(desk: httpx.Client, address: str) -> None:
    headers = desk.get(address).headers

    assert headers["content-security-policy"].startswith("default-src 'self'; script-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


@pytest.mark.parametrize("address", ["/", "/alerts", "/places/440106", "/health"])
def test_a_service_that_never_swept_says_so(fresh: httpx.Client, address: str) -> None:
    answer = fresh.get(address)

    assert answer.status_code == 200
    assert re.search("还没有|没有符合条件|尚未运行", answer.text)


def test_the_map_tells_every_district_by_word_and_mark(desk: httpx.Client) -> None:
    page = Outline(desk.get("/").text)

    labels = [link["aria-label"] for link in page.all("a") if "aria-label" in link]

    assert len(labels) == 11
    assert {
        "天河区：红色，1项",
        "越秀区：橙色，1项",
        "番禺区：黄色，1项",
        "花都区：数据不足，0项",
        "南沙区：正常，0项",
    } <= {*labels}
    fills = [path["fill"] for path in page.all("path")]
    assert (fills.count("#c8102e"), fills.count("url(#hatch)"), fills.count("#2e8b57")) == (1, 1, 7)


def test_the_small_central_districts_are_named_beside_the_map(desk: httpx.Client) -> None:
    text = desk.get("/").text

    beside = re.findall(r'text-anchor="end"><tspan[^>]*>([^<]+)', text)

    assert sorted(beside) == sorted(["荔湾区", "越秀区", "天河区", "海珠区"])
    assert text.count("<line ") == 4


def test_the_alerts_of_the_day_come_strongest_first(desk: httpx.Client) -> None:
    text = desk.get("/").text

    listed = re.findall(r'href="/alerts/(GZ-[\d-]+)"', text)

    assert listed == [RED, ORANGE, YELLOW]


def test_the_head_says_of_when_the_data_are_and_until_when_they_came_in(desk: httpx.Client) -> None:
    text = desk.get("/").text

    assert "2026年11月21日（周六）" in text
    assert "2026-11-22 05:41" in text  # what the narrative says, and not when it was written


def test_a_past_day_shows_the_colours_of_that_day(desk: httpx.Client) -> None:
    text = desk.get("/?date=2026-11-20").text

    assert "天河区：正常，1项" in text  # its alert was yellow then, which alone does not colour the place
    assert re.findall(r'href="/alerts/(GZ-[\d-]+)"', text)[:2] == [ORANGE, FALLEN]
    assert OVER in text


def test_the_neighbouring_judged_days_are_one_click_away(desk: httpx.Client) -> None:
    page = Outline(desk.get("/?date=2026-11-20").text)

    links = {link["rel"]: link["href"] for link in page.all("a") if "rel" in link}

    assert links == {"prev": "/?date=2026-11-19", "next": "/?date=2026-11-21"}


def test_only_the_map_on_a_wall_reloads_itself(desk: httpx.Client) -> None:
    reloading = [address for address in PAGES if 'http-equiv="refresh" content="300"' in desk.get(address).text]

    assert reloading == ["/?wall=1"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        pytest.param("", [RED, ORANGE, YELLOW, FALLEN], id="all-that-are-open"),
        pytest.param("?state=ended", [OVER], id="those-that-ended"),
        pytest.param("?state=ended&level=red", [], id="ended-by-level"),
        pytest.param("?state=ended&level=yellow", [OVER], id="ended-by-their-highest-level"),
        pytest.param("?state=all", [RED, ORANGE, YELLOW, FALLEN, OVER], id="all-there-ever-were"),
        pytest.param("?state=all&date=2026-11-19", [], id="none-then"),
        pytest.param("?level=orange", [ORANGE], id="by-level"),
        pytest.param("?level=calm", [FALLEN], id="fallen-back-but-not-closed"),
        pytest.param("?place=440106", [RED], id="by-place"),
        pytest.param("?place=440106&level=yellow", [], id="both"),
        pytest.param("?date=2026-11-20&level=yellow", [RED, YELLOW, OVER], id="as-they-stood-then"),
        pytest.param("?date=2026-11-19", [], id="before-all"),
    ],
)
def test_alerts_are_filtered_by_level_place_and_date(desk: httpx.Client, question: str, expected: list[str]) -> None:
    text = desk.get(f"/alerts{question}").text

    assert re.findall(r'href="/alerts/(GZ-[\d-]+)"', text) == expected


def test_the_list_counts_live_ended_and_all(desk: httpx.Client) -> None:
    text = words(desk.get("/alerts?state=ended").text)

    assert "未结束 Live 4 已结束 Ended 1 全部 All 5" in text
    assert "未结束 Live 1 已结束 Ended 0 全部 All 1" in words(desk.get("/alerts?place=440106").text)


def test_a_long_list_comes_in_sheets_that_keep_what_was_asked(tmp_path: Path) -> None:
    deployment = judged_in(tmp_path)
    with opened(deployment) as service, service.store.write():
        old = [
            replace(ALERTS[-1], number=f"GZ-20261120-{n:04d}", peak=Level.ORANGE) for n in range(1000, 1000 + SHOWN + 1)
        ]
        alerts_of.save(service.store, old)

    with serving(deployment) as client:
        first = client.get("/alerts?state=ended&level=orange").text
        second = client.get("/alerts?state=ended&level=orange&sheet=2").text

    assert len(re.findall(r'href="/alerts/GZ', first)) == SHOWN
    assert "第 1—100 项，共 101 项" in first
    assert 'rel="next" href="/alerts?state=ended&amp;level=orange&amp;sheet=2"' in first
    assert "第 101—101 项，共 101 项" in second
    assert 'rel="prev" href="/alerts?state=ended&amp;level=orange"' in second


@pytest.mark.parametrize("address", [*PAGES, *FAULTS, "/healthz", f"/alerts/{RED}/chart.png", "/static/kapok.css"])
def test_head_is_answered_like_get_without_a_body(desk: httpx.Client, address: str) -> None:
    whole, head = desk.get(address), desk.head(address)

    assert head.status_code == whole.status_code
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k != "date"} == {
        k: v for k, v in whole.headers.items() if k != "date"
    }


def test_a_deadline_that_is_past_is_called_so_in_words(tmp_path: Path) -> None:
    deployment = judged_in(tmp_path)  # the alert in Tianhe became red at the hour the clock shows
    (tmp_path / "clock").write_text((NOW + timedelta(hours=3)).isoformat(), encoding="ascii")

    with serving(deployment) as client:
        alert, listed = words(client.get(f"/alerts/{RED}").text), words(client.get("/alerts?level=red").text)
        place, before = words(client.get("/places/440106").text), words(client.get("/alerts?date=2026-11-20").text)

    assert "签收期限 To acknowledge by 2026-11-22 08:00 ！ 时限已过 past" in alert
    assert "反馈处置方案期限 To give a plan by 2026-11-23 07:30 未到期 not due yet" in alert
    assert "待签收 ！ 时限已过" in listed
    assert f"！ 时限已过 天河区·电信网络诈骗警情数（ {RED} ）：签收、核实 overdue" in place
    assert "时限已过" not in before


def test_no_deadline_is_overdue_before_it_is_past(desk: httpx.Client) -> None:
    assert "时限已过" not in desk.get(f"/alerts/{RED}").text


def test_an_alert_names_the_file_of_its_rule(desk: httpx.Client) -> None:
    assert "短期异常升高 ss_wa.surge （rules/wallet.toml）" in words(desk.get(f"/alerts/{RED}").text)


def test_the_words_of_a_picture_do_not_take_a_week_for_a_day(tmp_path: Path) -> None:
    deployment = judged_in(tmp_path)
    week = replace(signal(Level.RED, "440106", observed=229.0), window=7)
    with opened(deployment) as service, service.store.write():
        alerts_of.save(service.store, [replace(ALERTS[1], evidence=(week,))])

    with serving(deployment) as client:
        [picture] = Outline(client.get(f"/alerts/{RED}").text).all("img")

    assert str(picture["alt"]).startswith("天河区电信网络诈骗警情数走势：截至11月21日的7天合计为229，正常上限22.5，")


@pytest.mark.parametrize("address", PAGES)
def test_on_a_phone_no_column_is_out_of_reach(desk: httpx.Client, address: str) -> None:
    text = desk.get(address).text

    assert text.count("<table") == len(re.findall(r'<div class="scroll"[^>]*tabindex="0">\s*<table', text))
    for table in re.findall(r'<table class="cards">.*?</table>', text, re.DOTALL):  # stacked, so each cell needs a name
        cells = re.findall(r"<(?:td|th scope=\"row\")[^>]*>", table)
        assert cells
        assert [cell for cell in cells if "data-label=" not in cell] == []


def test_any_judged_place_can_be_chosen_in_the_list_of_alerts(desk: httpx.Client) -> None:
    page = Outline(desk.get("/alerts?place=440113").text)

    chosen = [option["value"] for option in page.all("option") if "selected" in option]

    assert chosen == ["440113"]
    assert len([option for option in page.all("option") if str(option["value"]).startswith("4401")]) == 11


def test_an_alert_says_what_where_since_when_and_why(desk: httpx.Client) -> None:
    text = words(desk.get(f"/alerts/{RED}").text)

    assert "天河区·电信网络诈骗警情数" in text
    assert "始于 Since 2026-11-18" in text
    assert (
        "短期异常升高 ss_wa.surge （rules/wallet.toml） 2026-11-21 31 12.5 4.0—22.5 不足十万分之一（偏高） 1 天" in text
    )
    assert re.search(r"新出现 opened 正常 △ 黄色 .* 升级 raised △ 黄色 ■ 红色", text)


def test_the_picture_of_an_alert_is_told_in_words_too(desk: httpx.Client) -> None:
    [picture] = Outline(desk.get(f"/alerts/{RED}").text).all("img")

    answer = desk.get(str(picture["src"]))

    assert picture["alt"] == "天河区电信网络诈骗警情数走势：11月21日为31，正常上限22.5，红色，始于11月18日。"
    assert answer.headers["content-type"] == "image/png"
    assert struct.unpack(">II", answer.content[16:24]) == (1280, 560)


def test_an_alert_that_is_held_says_for_how_long_its_level_was_not_reached(desk: httpx.Client) -> None:
    assert "橙色，始于11月18日。此后2期未再达到橙色，提示保留。" in words(desk.get(f"/alerts/{ORANGE}").text)


def test_a_place_shows_its_narrative_and_which_series_lack_data(desk: httpx.Client) -> None:
    text = words(desk.get("/places/440106").text)

    assert "天河区整体为红色。" in text
    assert "监测 44 项，数据不足 1 项，风险提示 1 项。" in text
    assert "金融消费投诉数 每周 — 2026-11-09 × 缺报" in text
    assert "电信网络诈骗警情数 每日 2026-11-21 2026-11-21 ✓ 已报" in text


def test_the_city_lists_the_places_within_strongest_first(desk: httpx.Client) -> None:
    text = desk.get("/places/440100").text

    listed = re.findall(r'<th scope="row"><a href="/places/(\d+)\?', text)

    assert listed[:3] == ["440106", "440104", "440113"]
    assert listed[-1] == "440114"


def test_health_tells_what_went_wrong_in_words(desk: httpx.Client) -> None:
    text = words(desk.get("/health").text)

    assert "任务“周报”最近一次运行失败：磁盘已满" in text
    assert "写成 3 ＝ 已发 1 ＋ 待发 1 ＋ 失败 1" in text
    assert "127.0.0.1 answered 550 no such user" in text
    assert "不是数字" in text


def test_a_monitor_is_told_the_same_as_json(desk: httpx.Client) -> None:
    told = desk.get("/healthz").json()

    assert told["status"] == "degraded"
    assert told["date"] == "2026-11-21"
    assert told["places"] == {"red": 1, "orange": 1, "yellow": 1, "calm": 7, "missing": 1}
    assert told["jobs"] == {
        "feeds": "done",
        "sweep": "done",
        "outbox": "never",
        "daily_mail": "never",
        "briefing": "failed",
    }
    assert told["series"] == {"watched": 484, "missing": 40}
    assert told["mail"] == {"written": 3, "sent": 1, "pending": 1, "failed": 1}


def test_a_briefing_comes_as_it_was_written(desk: httpx.Client) -> None:
    answer = desk.get("/briefings/440100/2026-11-16")

    assert answer.text.startswith("<!doctype html>")
    assert "<h1>周报</h1>" in answer.text
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
