"""What a demo sets and when it does what, without simulating the city."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from warning.config import load_config
from warning.demo import BRIEFING, MAIL, SWEEP, TODAY, demo_values
from warning.layout import lay_out, set_values


def test_a_demo_is_simulated_and_its_mails_name_the_page_it_serves(tmp_path: Path) -> None:
    lay_out(tmp_path)
    config = tmp_path / "config.toml"

    set_values(config, demo_values(load_config(config)))

    found = load_config(config)
    assert found.deployment.simulated
    assert found.mail.page == "http://127.0.0.1:8765/"


@pytest.mark.parametrize(
    ("job", "clock", "days"), [("sweep", SWEEP, "*"), ("daily_mail", MAIL, "*"), ("briefing", BRIEFING, "mon")]
)
def test_a_demo_does_everything_when_the_shipped_schedule_does(
    tmp_path: Path, job: str, clock: time, days: str
) -> None:
    lay_out(tmp_path)

    schedule = load_config(tmp_path / "config.toml").schedule

    assert getattr(schedule, job).at == f"{clock.minute} {clock.hour} * * {days}"
    assert TODAY.weekday() == 0  # a Monday, so that the briefing is due
