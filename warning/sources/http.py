"""What a department's server answers: JSON or CSV, in one piece or in pages.

It is asked by https, or by http on this machine; only the hosts the mapping names are spoken to, wherever an answer
points, and the token goes to the first one alone.  One failure ends the pull: it is made again as a whole later.
The only module that knows httpx.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING

from warning.errors import SourceError
from warning.mapping import Http
from warning.sources import bodies
from warning.sources.table import Table

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 3
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class _Asked:
    """A feed while it is pulled."""

    name: str
    source: Http  # its hosts are all that may be asked
    client: httpx.Client
    start: httpx.URL
    token: str


@dataclass(frozen=True)
class _Answer:
    url: httpx.URL
    body: bytes
    kind: str  # of the content, as the server says
    following: str  # the address of the next page in the Link header, "" where there is none


def pull(
    name: str, source: Http, token: str, *, since: date, until: date, beat: Callable[[str], None] = lambda _: None
) -> Table:
    """Return what a server answers; a table without lines where it has nothing.

    Args:
        name: Of the feed.
        source: Where and how to ask; ``{since}`` and ``{until}`` in its address stand for the dates.
        token: Sent as ``Authorization: Bearer``, none if empty; it is in no error's text, nor is the address's query.
        since: First date wanted.
        until: Last date wanted.
        beat: Told before each page; raising from it stops there.

    Raises:
        SourceError: if the address may not be asked, the server refuses, is silent, points elsewhere or answers too
            much, or its answer is not what the mapping says.
    """
    import httpx

    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise SourceError(
            f"{name}: 口令中有空格或非 ASCII 字符"
            " / the token holds blanks or characters that are not ASCII; is it the right file?"
        )
    url = _url(name, source.url.replace("{since}", since.isoformat()).replace("{until}", until.isoformat()))
    source = source.model_copy(update={"hosts": (url.host, *source.hosts)})
    headers = {"User-Agent": "kapok-watch", "Accept-Encoding": "identity"}  # a small answer may unfold to a huge one
    try:
        # The system's certificates and no proxy from the environment: what is asked is what the mapping says.
        with httpx.Client(
            headers=headers, timeout=source.timeout, verify=ssl.create_default_context(), trust_env=False
        ) as client:
            asked = _Asked(name, source, client, url, token)
            pages = list(_pages(asked, beat))
            return bodies.joined(
                name, bodies.fingerprint("http", name, [page.sha256.encode() for page in pages]), pages
            )
    except httpx.TimeoutException as error:
        raise SourceError(f"{name}: 超时没有应答 / {_where(url)} did not answer within {source.timeout:g} s") from error
    except httpx.RemoteProtocolError as error:
        raise SourceError(f"{name}: 应答中断 / {_where(url)} broke off in the middle of its answer: {error}") from error
    except httpx.TransportError as error:
        raise SourceError(f"{name}: 连不上 / {_where(url)} cannot be reached: {error}") from error


def _pages(asked: _Asked, beat: Callable[[str], None]) -> Iterator[Table]:
    """Ask for page after page until there is none."""
    name, source, url = asked.name, asked.source, asked.start
    by = "" if source.paging is None else source.paging.by
    parameter = (source.paging.parameter if source.paging else "") or by
    first, most = (source.paging.first, source.paging.max_pages) if source.paging else (0, 1)
    if by == "page":
        url = url.copy_set_param(parameter, first)
    seen: set[str] = set()
    room = source.max_bytes
    for number in range(1, most + 1):
        beat(f"{name}: page {number}")
        answer = _answer(asked, url, room)
        room -= len(answer.body)
        page, following = _understood(asked, answer)
        if by == "page" and len(page.lines) <= 1:
            return  # past the last one
        if page.sha256 in seen:
            raise SourceError(f"{name}: 翻页重复 / {_where(url)} answers page {number} with what an earlier page held")
        seen.add(page.sha256)
        yield page
        if by == "page":
            url = url.copy_set_param(parameter, first + number)
        elif not following:
            return
        elif by == "cursor" and not following.startswith(("https://", "http://")):
            url = url.copy_set_param(parameter, following)
        else:
            url = _joined(name, answer.url, following)
    raise SourceError(
        f"{name}: 页数太多 / {_where(url)} has more than {most} pages; ask for fewer dates, or raise max_pages"
    )


def _understood(asked: _Asked, answer: _Answer) -> tuple[Table, str]:
    """Return the table of one answer and where the next one is, "" where this is the last."""
    name, source, paging = asked.name, asked.source, asked.source.paging
    following = answer.following if paging is not None and paging.by == "link" else ""
    sha256 = bodies.fingerprint("http", name, [answer.body])
    if not answer.body.strip():
        return Table(name, "", sha256, ()), following
    if source.format == "csv":
        return bodies.table_of_csv(name, sha256, answer.body), following
    content = bodies.parsed(name, answer.body, said=answer.kind)
    records = bodies.records_at(name, content, source.rows)
    if paging is not None and paging.by == "cursor":
        cursor = bodies.at(content, paging.next or "next")
        following = cursor if isinstance(cursor, str) else ""
    return bodies.table_of_records(name, sha256, records), following


def _answer(asked: _Asked, url: httpx.URL, room: int) -> _Answer:
    """Return one answer of at most ``room`` bytes, following where it points while that may be asked."""
    name, source = asked.name, asked.source
    end = time.monotonic() + source.timeout
    for _ in range(MOST_REDIRECTS + 1):
        _require_allowed(name, url, source.hosts)
        own = asked.token and _origin(url) == _origin(asked.start)
        headers = {"Authorization": f"Bearer {asked.token}"} if own else {}
        with asked.client.stream("GET", url, headers=headers) as response:
            if response.has_redirect_location:
                url = _joined(name, url, response.headers["location"])
                continue
            _require_welcome(name, url, response)
            body = b"".join(_chunks(asked, url, response, end, room))
            following = response.links.get("next", {}).get("url", "")
            return _Answer(url, body, response.headers.get("content-type", ""), following)
    raise SourceError(
        f"{name}: 转向太多次 / {_where(url)} is the end of more than {MOST_REDIRECTS} redirects; correct the address"
    )


def _chunks(asked: _Asked, url: httpx.URL, response: httpx.Response, end: float, room: int) -> Iterator[bytes]:
    source = asked.source
    for chunk in response.iter_raw():
        room -= len(chunk)
        if room < 0:
            raise SourceError(
                f"{asked.name}: 应答太长 / {_where(url)} answers more than {source.max_bytes} bytes;"
                " ask for fewer dates, or raise max_bytes"
            )
        if time.monotonic() > end:
            raise SourceError(
                f"{asked.name}: 应答太慢 / {_where(url)} did not end its answer within {source.timeout:g} s"
            )
        yield chunk


def _require_allowed(name: str, url: httpx.URL, hosts: Sequence[str]) -> None:
    if url.scheme != "https" and not (url.scheme == "http" and url.host in LOOPBACK):
        raise SourceError(
            f"{name}: 只用 https / {_where(url)} would be asked by {url.scheme or 'nothing'}; only https is"
        )
    if url.host not in hosts and f"{url.host}:{url.port}" not in hosts:
        raise SourceError(
            f"{name}: 不许访问这个主机 / {url.host} is none of the hosts that may be asked: {', '.join(hosts)}"
        )


def _require_welcome(name: str, url: httpx.URL, response: httpx.Response) -> None:
    status = response.status_code
    if not 200 <= status < 300:
        known = {one.value: one.phrase for one in HTTPStatus}
        hint = "; is the token the right one?" if status in (401, 403) else ""
        raise SourceError(
            f"{name}: 没有给数据 / {_where(url)} answered {status} {known.get(status, '')}".rstrip() + hint
        )
    coding = response.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise SourceError(
            f"{name}: 应答经过压缩 / {_where(url)} packs its answer ({coding[:20]}) though it was asked not to"
        )


def _url(name: str, text: str) -> httpx.URL:
    import httpx

    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise SourceError(
            f"{name}: 地址不对 / the address is no URL; write e.g. https://data.example.com/daily"
        ) from error
    if url.userinfo:
        raise SourceError(
            f"{name}: 地址中不可写用户和密码 / the address holds a user or password; give a token by the environment"
        )
    return url


def _joined(name: str, base: httpx.URL, text: str) -> httpx.URL:
    return _url(name, str(base.join(_url(name, text))))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _where(url: httpx.URL) -> str:
    """Return host and path of an address; its query may hold what nobody should read."""
    return f"{url.host}{f':{url.port}' if url.port else ''}{url.path}"[:200]
