"""A PostgreSQL server of the tests' own, on a port of this machine, gone when they are done."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "s3cret pass:word"  # noqa: S105 - of the server that lives as long as the tests


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where it is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Start a server of the programs in ``folder``, and return its port; the user ``kapok`` needs the password."""
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="kapok-postgres-"))  # pytest's own folders are closed to other users
    try:
        secret = home / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if user is not None:
            for path in (home, secret):
                shutil.chown(path, user)
        data = str(home / "data")
        words = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--pwfile={secret}"]
        _run([str(folder / "initdb"), "-D", data, "-U", "kapok", *words], home, user)
        port = _free()
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [str(folder / "pg_ctl"), "-D", data, "-w"]
        _run([*control, "-l", str(home / "log"), "-o", options, "start"], home, user)
        try:
            yield port
        finally:
            _run([*control, "-m", "immediate", "stop"], home, user)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(words: list[str], home: Path, user: str | None) -> None:
    subprocess.run(words, check=True, cwd=home, user=user, stdout=subprocess.DEVNULL, timeout=120)


def _free() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
