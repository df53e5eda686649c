"""A department's server: a real one on this machine, that answers what a test tells it, or misbehaves."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in small letters


def answer(body: str | bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """Return an answer as it goes over the line; ``content_length`` lies about its length."""
    content = body.encode() if isinstance(body, str) else body
    said = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
    said |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + content


@dataclass
class Department:
    """What was asked so far, and where."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Answering = Callable[[Asked], "bytes | None"]  # None: silence until the other side gives up


@contextmanager
def department(says: Answering) -> Iterator[Department]:
    """Serve what ``says`` returns for each request, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Department(listening.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # closed: the block has ended
                    return
                with connection:
                    _converse(connection, says, found)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _converse(connection: socket.socket, says: Answering, found: Department) -> None:
    request = _request(connection)
    if request is None:
        return
    found.asked.append(request)
    reply = says(request)
    try:
        if reply is None:
            connection.recv(1)  # ends when the other side gives up
        else:
            connection.sendall(reply)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    except OSError:  # the other side has heard enough
        return


def _request(connection: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        head += chunk
    first, *lines = head.decode("latin-1").split("\r\n")
    address = urlsplit(first.split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Asked(address.path, {name: values[0] for name, values in parse_qs(address.query).items()}, headers)


def in_english(said: str) -> str:
    """Return what is said of a feed without its Chinese words, which must come first."""
    found = re.fullmatch(r"(\w+: |)[^/]*[\u4e00-\u9fff][^/]* / (.*)", said, re.DOTALL)
    assert found, said
    return found[1] + found[2]
