"""What holds for every test: no case has a deadline, and none leaves the width of its screen to the next."""

from __future__ import annotations

import importlib
import os

from hypothesis import settings


def pytest_configure() -> None:
    """Let no case have a deadline, and screens follow the width a test sets."""
    settings.register_profile("any machine", deadline=None)  # how long a case takes depends on the machine
    settings.load_profile("any machine")
    os.environ.pop("COLUMNS", None)  # a console made while it is set keeps that width for good
    importlib.import_module("warning.screen")
