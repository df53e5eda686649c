"""``python -m warning`` and the command ``kapok``: errors an operator can act on, never a traceback."""

from __future__ import annotations

import logging
import sys
from io import TextIOWrapper

from warning.errors import KapokError


def main() -> None:
    """Run the command line; exit code 2 and a plain sentence when something is missing or wrong."""
    from warning.cli import app
    from warning.mistyped import run

    logging.getLogger("warning").addHandler(logging.NullHandler())  # a command prints what it has to say
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows "?", and no traceback
    try:
        run(app)
    except KapokError as error:
        sys.stderr.write(f"{error.framed()}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"系统拒绝 / the system refuses\n  {error.filename or 'system'}: {error.strerror or error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
