"""A department's server, asked: a real one that says no, is silent, points elsewhere, goes on for ever and lies."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from department_server import Asked, Department, answer, department, in_english
from hypothesis import given, settings
from hypothesis import strategies as st

from warning.errors import SourceError
from warning.mapping import Http, Paging
from warning.sources import bodies, http
from warning.sources.table import Table

TOKEN = "s3cret-t0ken"  # noqa: S105 - of a server that lives as long as a test
SINCE, UNTIL = date(2026, 11, 20), date(2026, 11, 22)
HEADER = ("kind", "area", "day", "n")
ROWS = [("盗窃", "0101", f"2026-11-{day}", str(day)) for day in range(10, 20)]


def objects(rows: Sequence[tuple[str, ...]]) -> list[dict[str, str]]:
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def csv_of(rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(",".join(row) + "\r\n" for row in (HEADER, *rows))


def pulled(server: Department, *, path: str = "/daily", token: str = TOKEN, **source: Any) -> Table:
    asked = Http(url=source.pop("url", f"{server.address}{path}"), **{"timeout": 5.0, **source})
    return http.pull("police", asked, token, since=SINCE, until=UNTIL)


def refused(says: bytes | Callable[[Asked], bytes | None] | None, **source: Any) -> str:
    """Return what is said of a server that answers so."""
    with (
        department(says if callable(says) else lambda _: says) as server,
        pytest.raises(SourceError) as error,
    ):
        pulled(server, **source)
    said = str(error.value)
    assert said.startswith("police: ")
    assert TOKEN not in said + repr(error.value.__cause__)
    return in_english(said.replace(server.address.removeprefix("http://"), "HERE"))


def cells(table: Table) -> list[tuple[str, ...]]:
    return [line.cells for line in table.lines]


def test_json_becomes_a_table_and_the_server_sees_token_and_dates() -> None:
    with department(lambda _: answer(json.dumps(objects(ROWS)))) as server:
        table = pulled(server, path="/daily?from={since}&to={until}")

    (asked,) = server.asked
    assert cells(table) == [HEADER, *ROWS]
    assert [line.number for line in table.lines] == list(range(1, 12))
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.query == {"from": "2026-11-20", "to": "2026-11-22"}
    assert "cookie" not in asked.headers


def test_without_a_token_none_is_sent() -> None:
    with department(lambda _: answer("[]")) as server:
        pulled(server, token="")

    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_any_of_its_encodings_becomes_the_same_table(encoding: str) -> None:
    with department(lambda _: answer(csv_of(ROWS).encode(encoding), kind="text/csv")) as server:
        table = pulled(server, format="csv")

    assert cells(table) == [HEADER, *ROWS]


def test_numbers_are_taken_as_they_are_written() -> None:
    body = '{"data": {"items": [{"n": 12.50, "big": 123456789012345678901234567890, "e": 1e3, "t": true, "x": null}]}}'

    with department(lambda _: answer(body)) as server:
        table = pulled(server, rows="data.items")

    assert cells(table) == [("n", "big", "e", "t", "x"), ("12.50", "123456789012345678901234567890", "1e3", "true", "")]


@pytest.mark.parametrize(
    ("body", "status"), [("[]", 200), ("", 200), ("", 204), ("  ", 200)], ids=["no-rows", "empty", "204", "blank"]
)
def test_a_server_that_has_nothing_gives_no_line(body: str, status: int) -> None:
    with department(lambda _: answer(body, status=status)) as server:
        assert pulled(server).lines == ()


def test_the_same_content_has_the_same_fingerprint_and_another_feed_its_own() -> None:
    with department(lambda _: answer(json.dumps(objects(ROWS)))) as server:
        first, again = pulled(server), pulled(server)
        other = http.pull("fire", Http(url=server.address), "", since=SINCE, until=UNTIL)

    assert first.sha256 == again.sha256 != other.sha256


def _by_number(asked: Asked) -> bytes:
    page = int(asked.query["p"])
    return answer(json.dumps(objects(ROWS[4 * page - 4 : 4 * page])))


def _by_number_csv(asked: Asked) -> bytes:
    page = int(asked.query["p"])
    return answer(csv_of(ROWS[4 * page - 4 : 4 * page]))


def _by_cursor(asked: Asked) -> bytes:
    start = int(asked.query.get("after", "0"))
    following = str(start + 4) if start + 4 < len(ROWS) else None
    return answer(json.dumps({"data": objects(ROWS[start : start + 4]), "meta": {"next": following}}))


def _by_link(asked: Asked) -> bytes:
    start = int(asked.query.get("start", "0"))
    link = f'</daily?start={start + 4}>; rel="next"' if start + 4 < len(ROWS) else '</daily>; rel="first"'
    return answer(json.dumps(objects(ROWS[start : start + 4])), link=link)


@pytest.mark.parametrize(
    ("says", "source", "requests"),
    [
        pytest.param(_by_number, {"paging": Paging(by="page", parameter="p")}, 4, id="page"),
        pytest.param(_by_number_csv, {"paging": Paging(by="page", parameter="p"), "format": "csv"}, 4, id="csv"),
        pytest.param(
            _by_cursor,
            {"paging": Paging(by="cursor", parameter="after", next="meta.next"), "rows": "data"},
            3,
            id="cursor",
        ),
        pytest.param(_by_link, {"paging": Paging(by="link")}, 3, id="link"),
    ],
)
def test_pages_are_put_together_and_none_is_left_out(
    says: Callable[[Asked], bytes], source: dict[str, Any], requests: int
) -> None:
    with department(says) as server:
        table = pulled(server, **source)

    assert cells(table) == [HEADER, *ROWS]
    assert [line.number for line in table.lines] == list(range(1, 12))
    assert len(server.asked) == requests


def test_a_server_that_gives_the_same_page_again_and_again_is_left() -> None:
    said = refused(answer(json.dumps(objects(ROWS))), paging=Paging(by="page"))

    assert said == "police: HERE/daily answers page 2 with what an earlier page held"


def test_a_server_whose_pages_never_end_is_left() -> None:
    def says(asked: Asked) -> bytes:
        return answer(json.dumps([{"n": asked.query["page"]}]))

    said = refused(says, paging=Paging(by="page", max_pages=20))

    assert said.startswith("police: HERE/daily has more than 20 pages")


def test_no_page_may_lie_on_another_host() -> None:
    said = refused(answer("[]", link='<https://elsewhere.example/daily>; rel="next"'), paging=Paging(by="link"))

    assert said == "police: elsewhere.example is none of the hosts that may be asked: 127.0.0.1"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "HERE/daily answered 401 Unauthorized; is the token the right one?"),
        (403, "HERE/daily answered 403 Forbidden; is the token the right one?"),
        (404, "HERE/daily answered 404 Not Found"),
        (429, "HERE/daily answered 429 Too Many Requests"),
        (503, "HERE/daily answered 503 Service Unavailable"),
        (304, "HERE/daily answered 304 Not Modified"),
    ],
)
def test_a_server_that_says_no_is_quoted(status: int, said: str) -> None:
    assert refused(answer("<h1>no</h1>", status=status)) == f"police: {said}"


def test_a_server_that_is_silent_is_given_up() -> None:
    assert refused(None, timeout=0.3) == "police: HERE/daily did not answer within 0.3 s"


def test_a_server_that_is_down_is_named() -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(SourceError, match=f"police: 连不上 / {address}/ cannot be reached: "):
            http.pull("police", Http(url=f"http://{address}/"), "", since=SINCE, until=UNTIL)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://elsewhere.example/", "elsewhere.example is none of the hosts that may be asked: 127.0.0.1"),
        ("//elsewhere.example/", "elsewhere.example/ would be asked by http; only https is"),
        ("http://169.254.169.254/latest/", "169.254.169.254/latest/ would be asked by http; only https is"),
        ("file:///etc/passwd", "/etc/passwd would be asked by file; only https is"),
        ("/daily", "HERE/daily is the end of more than 3 redirects; correct the address"),
        ("http://kapok:pw@127.0.0.1/", "the address holds a user or password; give a token by the environment"),
    ],
)
def test_a_redirect_leads_nowhere_else(location: str, said: str) -> None:
    assert refused(answer("", status=302, location=location)) == f"police: {said}"


def test_a_redirect_on_the_same_host_is_followed() -> None:
    def says(asked: Asked) -> bytes:
        moved = answer("", status=308, location="/moved?x=1")
        return moved if asked.path == "/daily" else answer(json.dumps(objects(ROWS)))

    with department(says) as server:
        table = pulled(server)

    assert cells(table) == [HEADER, *ROWS]
    assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {TOKEN}"] * 2


def test_another_server_never_sees_the_token() -> None:
    with department(lambda _: answer("[]")) as other:
        elsewhere = answer("", status=302, location=f"http://localhost:{other.port}/")
        with department(lambda _: elsewhere) as server:
            pulled(server, hosts=("localhost",))

    assert "authorization" in server.asked[0].headers
    assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://data.example.com/", "data.example.com/ would be asked by http; only https is"),
        ("data.example.com/daily", "would be asked by nothing; only https is"),
        ("https://kapok:pw@data.example.com/", "the address holds a user or password"),
        ("https://a:b:c/", "the address is no URL"),
    ],
)
def test_an_address_that_may_not_be_asked_is_not(url: str, said: str) -> None:
    assert said in refused(answer("[]"), url=url)


def test_a_token_that_is_no_token_is_not_sent() -> None:
    with department(lambda _: answer("[]")) as server, pytest.raises(SourceError, match="the token holds blanks"):
        pulled(server, token="two\nlines")  # noqa: S106 - none at all

    assert server.asked == []


def test_an_answer_shorter_than_it_says_is_not_used() -> None:
    said = refused(answer(csv_of(ROWS), content_length="100000"), format="csv")

    assert said.startswith("police: HERE/daily broke off in the middle of its answer: ")


def test_an_answer_longer_than_it_says_is_no_json() -> None:
    assert refused(answer(json.dumps(objects(ROWS)), content_length="50")).startswith("police: no JSON in line 1")


def test_an_answer_that_grows_beyond_the_limit_is_not_read_on() -> None:
    endless = answer("[" + " " * 3_000_000)

    said = refused(endless, max_bytes=1_000_000)

    assert said.startswith("police: HERE/daily answers more than 1000000 bytes")


def test_the_limit_is_of_all_pages_together() -> None:
    said = refused(_by_number, paging=Paging(by="page", parameter="p"), max_bytes=600)

    assert said.startswith("police: HERE/daily answers more than 600 bytes")


def test_a_packed_answer_is_not_unfolded() -> None:
    said = refused(answer(b"\x1f\x8b", content_encoding="gzip"))

    assert said == "police: HERE/daily packs its answer (gzip) though it was asked not to"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html>", "no JSON in line 1, character 1; it says it is text/html"),
        ('{"data": [1], "page": 1}', "the JSON has no list at its beginning; it is an object with the keys data, page"),
        ('[{"n": 1}, 2]', "entry 2 of the JSON's list is no object with named values"),
        ('[{"n": 1, "n": 2}]', "an object has the key 'n' twice"),
        ("[" * 100_000, "the JSON is nested too deeply; expected a list of flat objects"),
        (b"\xff\xfe", "byte 1 is not UTF-8, which JSON must be"),
        (json.dumps([{f"k{n}": 1} for n in range(1001)]), "the objects have more than 1000 different keys"),
    ],
)
def test_an_answer_that_is_not_what_was_agreed_is_a_sentence(body: str | bytes, said: str) -> None:
    assert refused(answer(body, kind="text/html")) == f"police: {said}"


def test_half_a_character_can_be_stored() -> None:
    table = bodies.table_of_records("police", "", bodies.parsed("police", b'[{"a\\ud800": "\\udc00", "b": {"c": 1}}]'))

    assert cells(table) == [("a?", "b"), ("?", '{"c": "1"}')]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(min_size=1), scalars, max_size=4), max_size=6))
def test_every_object_is_a_line_or_empty(records: list[dict[str, object]]) -> None:
    content = bodies.parsed("police", json.dumps(records).encode())

    table = bodies.table_of_records("police", "", bodies.records_at("police", content, ""))

    filled = [one for one in records if any(not isinstance(v, str | None) or (v or "").strip() for v in one.values())]
    assert len([line for line in table.lines if line.number > 1]) == len(filled)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_body_is_answered_with_a_traceback(body: bytes) -> None:
    with suppress(SourceError):
        bodies.table_of_csv("x", "", body)
    with suppress(SourceError):
        bodies.table_of_records("x", "", bodies.records_at("x", bodies.parsed("x", body), ""))
