"""What a department sends by itself: POST /api/feeds/NAME, the one address that takes something in.

A push is answered with its account, or with the reason why nothing of it was taken.  The same push, told by its
Idempotency-Key, is read once and answered the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from warning import pulling
from warning.config import secret
from warning.errors import ConfigError, KapokError, SourceError
from warning.mapping import Feed
from warning.model import FileAccount, QuarantineEntry
from warning.service import Service, opened
from warning.sources import bodies
from warning.sources.table import Table
from warning.store import push as pushes_of
from warning.store import quarantine, run
from warning.store.push import Answered
from warning.web.pages import desk

log = logging.getLogger(__name__)
router = APIRouter()

MOST_BYTES = 20_000_000  # of one push
PATIENCE = 60.0  # seconds a body may take to arrive
LISTED = 100  # quarantined rows an answer lists; `kapok quarantine` lists all
KEPT = timedelta(days=400)  # how long an answer is remembered

KINDS = {"json": ("application/json",), "csv": ("text/csv", "application/csv", "text/plain")}


class Refused(Exception):
    """A push that is not taken, with the status and the reason it is answered."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        self.status = status
        self.reason = reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(reason)


@router.post("/api/feeds/{name}")
async def take(request: Request, name: str) -> Response:
    """Take in what a department sends, whole or not at all."""
    try:
        feed = _feed(request, name)
        await run_in_threadpool(_require_token, feed, request.headers.get("authorization", ""))
        key = _key(request)
        _require_kind(feed, request.headers.get("content-type", ""))
        body = await _body(request)
        answer = await run_in_threadpool(_taken, request, feed, key, body)
    except Refused as refusal:
        log.warning("push refused feed=%s status=%d reason=%s", name[:64], refusal.status, refusal.reason)
        return JSONResponse({"error": refusal.reason}, refusal.status, refusal.headers)
    except KapokError as error:
        log.error("push failed feed=%s reason=%s", name[:64], error)  # noqa: TRY400 - operators get no traceback
        return JSONResponse({"error": "not available; send it again later"}, 503, {"Retry-After": "300"})
    return Response(answer, media_type="application/json")


@router.api_route("/api/feeds/{name}", methods=["GET", "PUT", "PATCH", "DELETE"])
def refuse(name: str) -> JSONResponse:  # noqa: ARG001
    """Show nothing: what is stored is seen on the pages."""
    return JSONResponse({"error": "data are sent with POST"}, 405, {"Allow": "POST"})


def _feed(request: Request, name: str) -> Feed:
    feed = desk(request).deployment.feeds.get(name)
    if feed is None or feed.push is None:
        raise Refused(404, "no feed of this name takes pushes")
    return feed


def _require_token(feed: Feed, header: str) -> None:
    """Refuse who does not know the feed's token; how long that takes tells nothing about it."""
    name = feed.push.token_env if feed.push is not None else ""
    expected = secret(name)
    if not expected:
        raise ConfigError("environment", [f"{name} or {name}_FILE must be set; the feed {feed.id!r} needs it"])
    scheme, _, given = header.partition(" ")
    same = compare_digest(given.strip().encode("utf-8", "replace"), expected.encode())
    if scheme.lower() != "bearer" or not same:
        raise Refused(401, "the token is missing or not the feed's", WWW_Authenticate="Bearer")


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise Refused(400, "the header Idempotency-Key is needed: 1 to 200 letters, digits or signs, new for each push")
    return key


def _require_kind(feed: Feed, told: str) -> None:
    wanted = KINDS[feed.push.format if feed.push is not None else "json"]
    if told.partition(";")[0].strip().lower() not in wanted:
        raise Refused(415, f"the feed takes Content-Type: {wanted[0]}")


async def _body(request: Request) -> bytes:
    told = request.headers.get("content-length", "")
    too_long = Refused(413, f"longer than {MOST_BYTES} bytes; send it in parts, each with a key of its own")
    if told.isdigit() and (len(told) > 18 or int(told) > MOST_BYTES):
        raise too_long
    parts, room = [], MOST_BYTES
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                room -= len(part)
                if room < 0:
                    raise too_long
                parts.append(part)
    except TimeoutError as error:
        raise Refused(408, f"the content did not arrive within {PATIENCE:g} s") from error
    except ClientDisconnect as error:
        raise Refused(400, "the content did not arrive whole") from error
    return b"".join(parts)


def _taken(request: Request, feed: Feed, key: str, body: bytes) -> str:
    """Store a push and what it is answered in one transaction, and return that."""
    with opened(desk(request).deployment) as service:
        now = service.clock()
        content = bodies.fingerprint("push", feed.id, [body])
        known = _known(service, feed, key, content)
        if known is not None:
            return known
        try:
            table = _table(feed, content, body)
            with service.store.write():  # who sends the same at the same time waits here, and is answered the same
                known = _known(service, feed, key, content)
                return _stored(service, feed, key, table, now) if known is None else known
        except SourceError as error:
            with service.store.write():
                run.notice(service.store, now, feed.id, str(error), zone=service.config.zone)
            raise Refused(422, str(error)) from error


def _known(service: Service, feed: Feed, key: str, content: str) -> str | None:
    before = pushes_of.answered(service.store, feed.id, key)
    if before is not None and before.sha256 != content:
        raise Refused(409, "the Idempotency-Key was used for another content; a new content needs a new key")
    return None if before is None else before.answer


def _table(feed: Feed, content: str, body: bytes) -> Table:
    if feed.push is not None and feed.push.format == "csv":
        return bodies.table_of_csv(feed.id, content, body)
    return bodies.table_of_records(feed.id, content, bodies.records_at(feed.id, bodies.parsed(feed.id, body), ""))


def _stored(service: Service, feed: Feed, key: str, table: Table, now: datetime) -> str:
    counts_up = feed.events is not None and feed.events.delivery == "increments"
    if len(table.lines) <= 1 and not counts_up:  # of these even nothing says something: that nothing is missing
        raise SourceError(f"{feed.id}: 没有行 / the push holds no rows")
    account = pulling.taken(service, feed, table, now)
    entries = quarantine.quarantined(service.store, file=account.name, limit=min(account.quarantined, LISTED))
    answer = json.dumps(_answer(account, entries), ensure_ascii=False)
    pushes_of.prune(service.store, now - KEPT)
    pushes_of.keep(service.store, feed.id, key, Answered(table.sha256, answer), now)
    return answer


def _answer(account: FileAccount, entries: list[QuarantineEntry]) -> dict[str, Any]:
    return {
        "feed": account.feed,
        "rows": account.rows,
        "accepted": account.accepted,
        "unchanged": account.unchanged,
        "quarantined": account.quarantined,
        "late": account.late,
        "corrected": account.corrected,
        "first": None if account.first is None else account.first.isoformat(),
        "last": None if account.last is None else account.last.isoformat(),
        "reasons": [
            {"row": entry.row, "column": entry.column, "value": entry.value, "reason": entry.reason}
            for entry in entries
        ],
        **({"notes": list(account.notes)} if account.notes else {}),
    }
