"""Run every benchmark and write docs/benchmarks.md from what they print.

make bench
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

本页由 `make bench` 写成，数字出自同一台机器的同一次运行；机器不同，只看比值。
Written by `make bench`, all figures from one run on one machine; machines differ, so look at ratios.
"""


def main() -> int:
    """Run them one after another; return 1 if one of them missed its limit."""
    sections, status = [HEAD, _machine()], 0
    for path in sorted(HERE.glob("bench_*.py")):
        command = [sys.executable, "-m", f"benchmarks.{path.stem}", *sys.argv[1:]]
        print(f"{path.stem} …", flush=True)
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
        print(run.stdout + run.stderr, flush=True)
        status |= run.returncode
        first = path.read_text(encoding="utf-8").split('"""')[1].splitlines()[0]
        sections.append(
            f"## {path.stem}\n\n{first}\n\n```\n$ python -m benchmarks.{path.stem}\n{run.stdout.rstrip()}\n```\n"
        )
    PAGE.write_text("\n".join(sections), encoding="utf-8")
    return status


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; {packages}.\n"


if __name__ == "__main__":
    sys.exit(main())
