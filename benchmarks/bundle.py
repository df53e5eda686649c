"""Finish the folder of `make bundle`: the list of what is in it with its hashes, and the script that installs it.

    .venv/bin/python -m benchmarks.bundle dist/kapok-watch

The wheels lie there already: those of ``requirements.lock``, for this system and this Python, and our own.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

INSTALL = """#!/bin/sh
# Installs Kapok Watch into a new environment, from this folder alone: sh install.sh /opt/kapok/.venv
# PYTHON names another interpreter than python3.
set -eu
target=${{1:?usage: sh install.sh FOLDER, e.g. sh install.sh /opt/kapok/.venv}}
here=$(cd "$(dirname "$0")" && pwd)
made={tag}
found=$("${{PYTHON:-python3}}" -c '{ask}')
if [ "$found" != "$made" ]; then
    echo "安装包为 $made 制作，这里是 $found；请用 PYTHON= 指定另一个 Python，或另做安装包" >&2
    echo "this bundle is for $made, found $found; name another Python with PYTHON=, or make a bundle for this one" >&2
    exit 2
fi
"${{PYTHON:-python3}}" -m venv "$target"
# Isolated from settings of this machine that name an index nobody can reach.
PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip --isolated --disable-pip-version-check install -q \\
    --no-index --find-links "$here/wheels" --require-hashes -r "$here/requirements.txt"
"$target/bin/kapok" check
"""
ASK = (
    'import platform, sys; print("cpython%d.%d-%s-%s" % (*sys.version_info[:2],'
    " platform.system().lower(), platform.machine()))"
)


def main(folder: Path) -> None:
    """Write ``requirements.txt`` and ``install.sh`` beside the wheels."""
    (ours,) = (folder / "wheels").glob("kapok_watch-*.whl")
    version, digest = ours.name.split("-")[1], hashlib.sha256(ours.read_bytes()).hexdigest()
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (folder / "requirements.txt").write_text(
        f"{locked}kapok-watch=={version} \\\n    --hash=sha256:{digest}\n", encoding="utf-8"
    )
    tag = f"cpython{sys.version_info.major}.{sys.version_info.minor}-{platform.system().lower()}-{platform.machine()}"
    script = folder / "install.sh"
    script.write_text(INSTALL.format(tag=tag, ask=ASK), encoding="utf-8")
    script.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
