"""What the page refuses, and that nothing hostile passes through it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from judged_city import HOSTILE, RED, deployment_in, judged_in, served

from warning.paths import PACKAGE, shipped
from warning.service import Deployment
from warning.web import create_app


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    yield from served(judged_in(tmp_path_factory.mktemp("judged")))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/nothing/here", "页面“/nothing/here”"),
        ("/alerts/GZ-20261121-9999", "风险提示“GZ-20261121-9999”"),
        ("/alerts/GZ-20261121-9999/chart.png", "风险提示“GZ-20261121-9999”"),
        ("/alerts?level=purple", "等级“purple”"),
        ("/alerts?state=gone", "状态“gone”"),
        ("/alerts?sheet=2", "第“2”页"),
        ("/alerts?sheet=0", "第“0”页"),
        ("/alerts?sheet=x", "第“x”页"),
        (f"/alerts?sheet={'9' * 5000}", f"第“{'9' * 5000}”页"),
        ("/alerts?place=999", "地区“999”"),
        ("/places/999", "地区“999”"),
        ("/places/440106?date=yesterday", "日期“yesterday”"),
        ("/?date=2026-01-01", "2026-01-01 的研判结果"),
        ("/?date=2026-02-30", "日期“2026-02-30”"),
        ("/briefings/440100/2026-11-09", "广州市 2026-11-09 起一周的周报"),
        ("/briefings/440100/monday", "日期“monday”"),
    ],
)
def test_what_is_not_there_is_named_with_a_way_back(desk: httpx.Client, address: str, said: str) -> None:
    answer = desk.get(address)

    assert answer.status_code == 404
    assert f"要找的是：{said}。" in answer.text
    assert re.search(r'<p class="links"><a href="/[^"]*">返回', answer.text)


@pytest.mark.parametrize(
    "address",
    [
        "/<b>x",
        "/alerts/<b>x",
        "/alerts?level=<b>x",
        "/alerts?place=<b>x",
        "/alerts?state=<b>x",
        "/alerts?sheet=<b>x",
        "/places/<b>x",
        "/?date=<b>x",
        "/?wall=<b>x",
    ],
)
def test_nothing_asked_for_comes_back_as_markup(desk: httpx.Client, address: str) -> None:
    text = desk.get(address).text

    assert "<b>x" not in text


def test_hostile_names_in_the_data_stay_text(desk: httpx.Client) -> None:
    text = desk.get("/health").text

    assert HOSTILE not in text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;.csv" in text
    assert "&lt;b&gt;12&lt;/b&gt;" in text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "10.0.0.1", ""]
)
def test_another_host_name_is_refused(desk: httpx.Client, host: str) -> None:
    answer = desk.get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "红色" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8765"])
def test_this_machine_is_answered_under_each_of_its_names(desk: httpx.Client, host: str) -> None:
    answer = desk.get("/", headers={"Host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_page_changes_nothing(desk: httpx.Client, method: str) -> None:
    answer = desk.request(method, f"/alerts/{RED}")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert "本页只供查看" in answer.text


@pytest.mark.parametrize(
    "address", ["/static/../../config.toml", "/static/%2e%2e/server.py", "/static/fonts/../guard.py"]
)
def test_only_what_is_meant_to_be_served_is_served(desk: httpx.Client, address: str) -> None:
    answer = desk.get(address)

    assert answer.status_code == 404


def test_the_shipped_font_is_served_from_here(desk: httpx.Client) -> None:
    style = desk.get("/static/kapok.css").text

    [font] = re.findall(r'url\("([^"]+)"\)', style)

    assert desk.get(font).content == (PACKAGE / "fonts" / "NotoSansSC-subset.woff2").read_bytes()


def test_a_database_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    deployment = deployment_in(tmp_path)
    (tmp_path / "kapok.db").write_text("this is no database, only some text that is long enough " * 40)

    page, told = _asked(deployment, "/"), _asked(deployment, "/healthz")

    assert page.status_code == 503
    assert "the file is not a database" in page.text
    assert told.status_code == 503
    assert told.json()["status"] == "unavailable"


def test_a_broken_template_of_the_deployment_is_a_sentence(tmp_path: Path) -> None:
    deployment = deployment_in(tmp_path)
    own = tmp_path / "templates" / "web"
    shutil.copytree(shipped("templates") / "web", own)
    (own / "base.html.j2").write_text("{% block %}", encoding="utf-8")

    answer = _asked(deployment, "/")

    assert answer.status_code == 500
    assert "base.html.j2" in answer.text
    assert "<h1>【模拟数据】页面出错</h1>" in answer.text
    assert "Traceback" not in answer.text


def test_a_fault_of_the_program_shows_no_traceback(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("a secret of the program")

    answer = _asked(deployment_in(tmp_path), "/fails", fail)

    assert answer.status_code == 500
    assert "程序出错" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def _asked(deployment: Deployment, address: str, route: Callable[[], None] | None = None) -> httpx.Response:
    """Ask the application itself, without a server around it."""

    async def ask() -> httpx.Response:
        app = create_app(deployment)
        if route is not None:
            app.add_api_route(address, route)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(address)

    return asyncio.run(ask())
