"""What holds for every test: no case has a deadline, and none leaves the width of its screen to the next."""

from __future__ import annotations

from hypothesis import settings

from warning import screen


def pytest_configure() -> None:
    """Let no case have a deadline: how long one takes depends on the machine, and a timing is a benchmark."""
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")
    assert screen.console  # made here, it follows COLUMNS; made by a test that sets it, it would keep that for all
