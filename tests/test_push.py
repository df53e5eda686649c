"""What departments send by themselves: read once, answered with its account, or refused with the reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from little_city import EAST, FRIDAY, WEST, lay

from warning.service import load_deployment, opened
from warning.store import feed, run
from warning.web.push import MOST_BYTES
from warning.web.server import Server

TOKEN = "t0ken-of-the-police"  # noqa: S105 - of a service that lives as long as the tests
FEED = """
name_zh = "公安警情"
kind = "push"
columns = { indicator = "indicator", place = "place", date = "day", value = "n" }
[push]
token_env = "KAPOK_POLICE_TOKEN"
"""
ROWS = [
    {"indicator": "thefts", "place": EAST, "day": str(FRIDAY), "n": 12},
    {"indicator": "thefts", "place": WEST, "day": str(FRIDAY), "n": 7.0},
    {"indicator": "thefts", "place": "0199", "day": str(FRIDAY), "n": 1},
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    config = lay(tmp_path, history=False)
    (tmp_path / "city" / "feeds").mkdir()
    (tmp_path / "city" / "feeds" / "police.toml").write_text(FEED, encoding="utf-8")
    (tmp_path / "city" / "feeds" / "fire.toml").write_text(
        FEED.replace("POLICE", "FIRE") + 'format = "csv"\n', encoding="utf-8"
    )
    monkeypatch.setenv("KAPOK_POLICE_TOKEN", TOKEN)
    monkeypatch.setenv("KAPOK_FIRE_TOKEN", "t0ken-of-the-fire-brigade")
    server = Server(load_deployment(config))
    with httpx.Client(base_url=server.start(), trust_env=False) as client:
        yield client
    server.stop()


def push(
    desk: httpx.Client,
    content: Any = ROWS,
    *,
    name: str = "police",
    key: str = "2026-11-20",
    token: str = TOKEN,
    kind: str = "application/json",
    **headers: str,
) -> httpx.Response:
    said = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": kind, **headers}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return desk.post(f"/api/feeds/{name}", content=body, headers={k: v for k, v in said.items() if v})


def stored(folder: Path) -> tuple[int, int]:
    """Return how many contents and how many values are stored."""
    with opened(load_deployment(folder / "config.toml")) as service:
        [(values,)] = service.store.rows("SELECT count(*) FROM observation")
        return len(feed.files(service.store)), values


def test_a_push_is_answered_with_its_account(desk: httpx.Client, tmp_path: Path) -> None:
    answer = push(desk)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "feed": "police",
        "rows": 3,
        "accepted": 2,
        "unchanged": 0,
        "quarantined": 1,
        "late": 0,
        "corrected": 0,
        "first": "2026-11-20",
        "last": "2026-11-20",
        "reasons": [{"row": 4, "column": "place", "value": "0199", "reason": answer.json()["reasons"][0]["reason"]}],
    }
    assert "0199" in answer.json()["reasons"][0]["reason"]
    assert stored(tmp_path) == (1, 2)


def test_a_push_may_be_csv(desk: httpx.Client) -> None:
    body = f"indicator,place,day,n\r\nfires,{EAST},{FRIDAY},3\r\n".encode("gb18030")

    answer = push(desk, body, name="fire", token="t0ken-of-the-fire-brigade", kind="text/csv; charset=gb18030")  # noqa: S106

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def test_the_same_push_is_read_once_and_answered_the_same(desk: httpx.Client, tmp_path: Path) -> None:
    first, again = push(desk), push(desk)

    assert again.status_code == 200
    assert again.content == first.content
    assert stored(tmp_path) == (1, 2)


def test_the_same_rows_under_a_new_key_are_unchanged(desk: httpx.Client) -> None:
    push(desk)

    answer = push(desk, key="2026-11-20/2").json()

    assert [answer[name] for name in ("rows", "accepted", "unchanged", "quarantined")] == [3, 0, 2, 1]


def test_a_value_corrected_and_corrected_back_ends_as_it_was_sent_last(desk: httpx.Client, tmp_path: Path) -> None:
    for number, value in enumerate((12, 13, 12)):
        answer = push(desk, [{**ROWS[0], "n": value}], key=str(number))
        assert answer.json()["accepted"] == 1

    assert stored(tmp_path) == (3, 3)


def test_a_key_used_for_another_content_is_refused(desk: httpx.Client, tmp_path: Path) -> None:
    push(desk)

    answer = push(desk, ROWS[:1])

    assert answer.status_code == 409
    assert "Idempotency-Key" in answer.json()["error"]
    assert stored(tmp_path) == (1, 2)


def test_two_that_send_the_same_at_the_same_time_are_answered_the_same(desk: httpx.Client, tmp_path: Path) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(push(desk).content)) for _ in range(6)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert stored(tmp_path) == (1, 2)


@pytest.mark.parametrize(
    "said", ["", "Bearer wrong", "Bearer t0ken-of-the-fire-brigade", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_who_does_not_know_the_feeds_token_is_refused(desk: httpx.Client, tmp_path: Path, said: str) -> None:
    answer = push(desk, Authorization=said)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text
    assert stored(tmp_path) == (0, 0)


def test_a_feed_whose_token_is_not_set_takes_nothing(
    desk: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAPOK_POLICE_TOKEN")

    answer = push(desk)

    assert answer.status_code == 503
    assert "KAPOK" not in answer.text
    assert stored(tmp_path) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({"name": "nobody"}, 404, "no feed of this name", id="unknown"),
        pytest.param({"key": ""}, 400, "Idempotency-Key is needed", id="no-key"),
        pytest.param({"key": "k" * 201}, 400, "Idempotency-Key is needed", id="long-key"),
        pytest.param({"kind": "text/csv"}, 415, "application/json", id="csv-for-json"),
        pytest.param({"kind": ""}, 415, "application/json", id="no-kind"),
        pytest.param({"content": b"{"}, 422, "police: 不是 JSON / no JSON in line 1", id="no-json"),
        pytest.param({"content": []}, 422, "police: 没有行 / the push holds no rows", id="nothing"),
        pytest.param({"content": {"rows": ROWS}}, 422, "the JSON has no list", id="no-list"),
        pytest.param({"content": b" " * (MOST_BYTES + 1)}, 413, "longer than", id="too-long"),
    ],
)
def test_a_push_that_cannot_be_taken_is_told_why_and_stores_nothing(
    desk: httpx.Client, tmp_path: Path, changes: dict[str, Any], status: int, said: str
) -> None:
    answer = push(desk, **changes)

    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert stored(tmp_path) == (0, 0)


def test_a_push_that_names_persons_is_refused_whole(desk: httpx.Client, tmp_path: Path) -> None:
    answer = push(desk, [{**ROWS[0], "当事人手机号": "13800000000"}])

    assert answer.status_code == 422
    assert "the column '当事人手机号' looks like personal data" in answer.json()["error"]
    assert "13800000000" not in answer.text
    assert stored(tmp_path) == (0, 0)


def test_a_push_without_a_length_that_is_too_long_is_refused(desk: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "1", "Content-Type": "application/json"}
    parts = (b" " * 1_000_000 for _ in range(MOST_BYTES // 1_000_000 + 1))

    assert desk.post("/api/feeds/police", content=parts, headers=headers).status_code == 413


def test_a_refused_push_can_be_sent_again_under_its_key_once_it_is_mended(desk: httpx.Client) -> None:
    refused = push(desk, b"[")

    mended = push(desk)

    assert (refused.status_code, mended.status_code) == (422, 200)


def test_a_push_nobody_can_read_is_a_notice(desk: httpx.Client, tmp_path: Path) -> None:
    push(desk, b"[")

    with opened(load_deployment(tmp_path / "config.toml")) as service:
        [notice] = run.notices(service.store, service.clock())
    assert (notice.about, notice.text.startswith("police: 不是 JSON / no JSON in ")) == ("police", True)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_data_are_sent_with_post_alone(desk: httpx.Client, method: str) -> None:
    answer = desk.request(method, "/api/feeds/police", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("address", ["/", "/alerts", "/health", "/healthz"])
def test_no_other_address_takes_anything(desk: httpx.Client, address: str) -> None:
    answer = desk.post(address, headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 405


def test_another_host_name_is_refused_before_the_token_is_looked_at(desk: httpx.Client, tmp_path: Path) -> None:
    answer = push(desk, Host="evil.example")

    assert answer.status_code == 400
    assert stored(tmp_path) == (0, 0)


def test_a_page_of_another_site_is_not_let_in_by_a_browser(desk: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answer = desk.options("/api/feeds/police", headers=asked)

    assert answer.status_code == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_answers_set_no_cookie_and_carry_the_pages_headers(desk: httpx.Client) -> None:
    answer = push(desk)

    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_cannot_be_written_is_told_to_come_again(desk: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "kapok.db").write_text("this is no database, only some text that is long enough " * 40)

    answer = push(desk)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    assert str(tmp_path) not in answer.text
