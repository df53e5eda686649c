"""A PostgreSQL server of the tests' own, on a port of this machine, gone when they are done.

Run as a program (``make test`` does) it installs PostgreSQL where that is missing and can be had.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
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


def install() -> str:
    """Install PostgreSQL where it is missing; return "" when it is there, else why it is not."""
    if programs() is not None:
        return ""
    apt = shutil.which("apt-get")
    if apt is None:
        return "there is no apt-get on this system; install PostgreSQL by hand"
    if os.geteuid() != 0:
        return "only root may install it: apt-get install postgresql"
    # A cluster of the system's own, running on the usual port, is nothing the tests want to leave behind.
    settings = Path("/etc/postgresql-common/createcluster.conf")
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("create_main_cluster = false\n", encoding="utf-8")
    quick = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=120"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", "postgresql"]):
        done = subprocess.run(
            [apt, *quick, *words], capture_output=True, text=True, check=False, env=environment, timeout=600
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            return f"apt-get {words[0]} failed: {said[-1] if said else done.returncode}"
    return "" if programs() is not None else "it was installed, and its initdb is not where it is looked for"


def missing() -> str:
    """Return why tests that need the server are skipped."""
    return f"PostgreSQL is not installed, so its feeds are not tested: {_why()}"


def _why() -> str:
    return "`make test` installs it where it may" if os.geteuid() == 0 else "only root may: apt-get install postgresql"


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


if __name__ == "__main__":
    reason = install()
    sys.stdout.write(f"PostgreSQL for the tests: {reason or programs()}\n")
