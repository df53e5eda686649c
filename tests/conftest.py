"""Hypothesis takes no time: how long a case takes depends on the machine, and a timing is a benchmark."""

from __future__ import annotations

from hypothesis import settings


def pytest_configure() -> None:
    """Let no case have a deadline."""
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")
