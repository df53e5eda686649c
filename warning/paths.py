"""Where the shipped files lie: in a wheel inside ``warning/``, in a checkout beside it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return the shipped file or folder called ``name`` ("city", "rules", "templates", "config.toml").

    Raises:
        FileNotFoundError: if the installation lacks it.
    """
    for base in (PACKAGE, PACKAGE.parent):
        if (base / name).exists():
            return base / name
    raise FileNotFoundError(f"the installation lacks {name!r}: looked in {PACKAGE} and {PACKAGE.parent}")
