"""Run benchmarks and write docs/benchmarks.md from what they print.

make bench                                         all of them
make bench ARGS="bench_store bench_sweep"          these; the sections of others stay as they are
make bench ARGS="bench_small_outbreaks --peers"    words with a dash are for the benchmarks
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
PACKAGES = ("numpy", "pandas", "scipy", "prophet", "ruptures", "sqlite-utils")

HEAD = """# 基准 / Benchmarks

本页由 `make bench` 写成，每一节的数字出自同一台机器的同一次运行；机器不同，只看比值。
Written by `make bench`, the figures of a section from one run on one machine; machines differ, so look at ratios.
"""


def main() -> int:
    """Run them one after another; return 1 if one of them missed its limit, 2 if one that is asked for is unknown."""
    paths = {path.stem: path for path in sorted(HERE.glob("bench_*.py"))}
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    asked = [word for word in sys.argv[1:] if word not in options]
    if unknown := [name for name in asked if name not in paths]:
        print(f"no benchmark is called {', '.join(unknown)}; known: {', '.join(paths)}")
        return 2
    sections, status = _written(), 0
    for name, path in paths.items():
        if asked and name not in asked:
            continue
        print(f"{name} …", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
        print(run.stdout + run.stderr, flush=True)
        status |= run.returncode
        first = path.read_text(encoding="utf-8").split('"""')[1].splitlines()[0]
        typed = " ".join(["python", *command[1:]])
        sections[name] = f"## {name}\n\n{first}\n\n{_machine()}\n```\n$ {typed}\n{run.stdout.rstrip()}\n```\n"
    kept = [sections[name] for name in paths if name in sections]
    PAGE.write_text("\n".join([HEAD, *kept]), encoding="utf-8")
    return status


def _written() -> dict[str, str]:
    """Return the page's sections, as they were written last; each names the machine it was measured on."""
    if not PAGE.exists():
        return {}
    _, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    return {text.split("\n", 1)[0]: f"## {text.rstrip()}\n" for text in sections}


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; {packages}.\n"


if __name__ == "__main__":
    sys.exit(main())
