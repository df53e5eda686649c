"""Hypothesis takes no time: how long a case takes depends on the machine, and a timing is a benchmark."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("any machine")
settings.load_profile("any machine")
