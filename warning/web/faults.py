"""Errors as pages: what was looked for, what was found, where to go on.  Never a traceback."""

from __future__ import annotations

import logging
from html import escape

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from warning.errors import ConfigError, KapokError, StoreError
from warning.web.guard import HEADERS
from warning.web.pages import Head, NotFound, desk, page

log = logging.getLogger(__name__)

TITLES = {
    400: ("请求无法识别", "Bad request"),
    404: ("没有找到", "Not found"),
    405: ("只能查看", "Read only"),
    500: ("页面出错", "Page failed"),
    503: ("暂时无法查看", "Not available"),
}
HOME = ("/", "风险地图")


def handle(app: FastAPI) -> None:
    """Let the application answer every error with a page."""
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(KapokError, _unusable)
    app.add_exception_handler(Exception, _broken)


def _not_found(request: Request, error: Exception) -> Response:
    if not isinstance(error, NotFound):
        raise TypeError(f"expected NotFound, found {type(error).__name__}")
    return _page(request, 404, [f"要找的是：{error.looked_for}。", error.hint], error.back)


def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    if status == 404:
        return _page(request, 404, [f"要找的是：页面“{request.url.path}”。", "地址可能写错，请从下面的链接进入。"])
    answer = _page(request, status, [f"收到的是：{request.method} {request.url.path}。", "本页只供查看，不接受修改。"])
    answer.headers.update(getattr(error, "headers", None) or {})
    if status == 405:
        answer.headers["Allow"] = "GET, HEAD"
    return answer


def _invalid(request: Request, error: Exception) -> Response:  # noqa: ARG001 - its text repeats the input
    return _page(request, 400, ["地址里的参数无法识别。", "请从下面的链接重新进入。"])


def _unusable(request: Request, error: Exception) -> Response:
    log.error("page failed path=%s reason=%s", request.url.path, error)
    status = 503 if isinstance(error, StoreError) else 500
    return _page(request, status, [*str(error).splitlines(), "修好以后刷新本页即可。"])


def _broken(request: Request, error: Exception) -> Response:
    log.error("page failed path=%s error=%s", request.url.path, type(error).__name__)
    answer = _page(request, 500, ["程序出错，已记入日志；数据没有改动。", "请把出错的时间和地址告诉维护人员。"])
    # This answer is made outside of what adds the headers to all others.
    answer.headers.update(HEADERS)
    return answer


def _page(request: Request, status: int, lines: list[str], back: tuple[str, str] = HOME) -> HTMLResponse:
    zh, en = TITLES.get(status, TITLES[500])
    city = desk(request).deployment.city
    head = Head(city.name_zh, city.name_en, "")
    try:
        return page(request, "error", head, status=status, zh=zh, en=en, lines=lines, back=back)
    except ConfigError as error:  # the template at fault may be the one all pages share
        return _bare(
            zh, [*lines, *str(error).splitlines()], status, desk(request).deployment.config.deployment.simulated
        )


def _bare(title: str, lines: list[str], status: int, simulated: bool) -> HTMLResponse:
    head = f"{'【模拟数据】' if simulated else ''}{escape(title)}"
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return HTMLResponse(
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{head}</title></head>'
        f'<body><h1>{head}</h1>{body}<p><a href="/">风险地图</a></p></body></html>',
        status,
    )
