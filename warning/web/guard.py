"""What every answer carries so that a browser lets nothing in and nothing out."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The name a request asks for; a page of somebody else that points its own name here is refused.
HOSTS = ["localhost", "127.0.0.1", "[::1]"]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

# A stored document is one file with its style and pictures inside, to be kept and printed.
DOCUMENT_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def guarded(app: ASGIApp) -> ASGIApp:
    """Return the application with the headers on every answer that does not set its own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, sent)

    return answer


def headed(app: ASGIApp) -> ASGIApp:
    """Return the application that answers HEAD with the head of what GET would be answered, and no body."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await app({**scope, "method": "GET"}, receive, sent)
        else:
            await app(scope, receive, send)

    return answer
