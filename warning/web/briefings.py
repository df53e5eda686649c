"""A weekly briefing as it was written: one file with its style and pictures inside."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from warning.store import document
from warning.web.guard import DOCUMENT_POLICY
from warning.web.pages import NotFound, place_named, reading

router = APIRouter()


@router.get("/briefings/{place}/{monday}")
def show_briefing(request: Request, place: str, monday: str) -> HTMLResponse:
    """Return the stored briefing of a place and week."""
    with reading(request) as service:
        name = place_named(service, place).name_zh
        back = (f"/places/{place}", name)
        try:
            week = date.fromisoformat(monday)
        except ValueError:
            raise NotFound(f"日期“{monday}”", "日期应写作 2026-11-16 这样的形式。", back) from None
        written = document.document(service.store, "briefing", place, week)
    if written is None:
        raise NotFound(f"{name} {week.isoformat()} 起一周的周报", "这一周的周报还没有生成，或日期不是星期一。", back)
    return HTMLResponse(written.html, headers={"Content-Security-Policy": DOCUMENT_POLICY})
