"""The page in a thread of its own; the only module that knows uvicorn."""

from __future__ import annotations

import errno
import socket
from threading import Event, Thread

import uvicorn

from warning.errors import ConfigError
from warning.service import Deployment
from warning.web import create_app
from warning.web.pages import desk_of

GRACE = 5  # seconds an answer may take to end when the service stops


class Server:
    """Serves a deployment's page from ``start`` to ``stop``; not started twice."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._application = create_app(deployment)
        self._server: _Announcing | None = None
        self._thread: Thread | None = None
        self.address = ""  # of the page, once started

    def start(self) -> str:
        """Begin to serve, and return the page's address when it answers; port 0 takes a free one.

        Raises:
            ConfigError: if the port cannot be had.
        """
        web = self._deployment.config.web
        listening = bound(str(self._deployment.config.file), web.host, web.port)
        self._server = _Announcing(
            uvicorn.Config(
                self._application,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listening]}, name="page", daemon=True)
        self._thread.start()
        self._server.answering.wait()
        host = f"[{web.host}]" if ":" in web.host else web.host
        self.address = f"http://{host}:{listening.getsockname()[1]}/"
        return self.address

    def show(self, deployment: Deployment) -> None:
        """Answer from now on by a deployment whose files were read anew."""
        self._application.state.desk = desk_of(deployment)

    def stop(self) -> None:
        """Stop to listen, let answers under way end, and return when all is closed."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.answering.set()  # nobody waits for a server that fell over before it answered


def bound(file: str, host: str, port: int) -> socket.socket:
    """Return a socket that listens where the page is to be served; ``file`` is named in the error.

    Raises:
        ConfigError: if the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ConfigError(file, [_refusal(host, port, error)]) from error
    return listening


def _refusal(host: str, port: int, error: OSError) -> str:
    where = f"web.port: {port} on {host}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; stop it, or give another port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"{where} is not allowed to this user; give a port from 1024 on (0 takes a free one)"
    return f"{where} cannot be opened: {error.strerror}"
