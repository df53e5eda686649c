"""What was counted before a known break is left out of what later values are compared with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from judged_city import DAY, FRAUD, NOW, TIANHE, judged_in

from detectors.panel import Floats
from warning.city import Break
from warning.model import SeriesKey
from warning.scoring import known
from warning.service import opened

CHANGED = date(2026, 10, 1)


def values(folder: Path, day: date, *breaks: Break) -> Floats:
    with opened(judged_in(folder / "city")) as service:
        changed = replace(service, city=replace(service.city, breaks=breaks))
        return known(changed, day, known_at=NOW)["daily"].of(SeriesKey(FRAUD, TIANHE))


@pytest.mark.parametrize(
    ("indicators", "places"),
    [
        pytest.param((FRAUD,), (TIANHE,), id="of-the-series"),
        pytest.param(("*",), (TIANHE,), id="of-all-that-is-counted-there"),
        pytest.param((FRAUD,), ("440100",), id="of-the-city-it-lies-in"),
    ],
)
def test_values_before_a_break_are_left_out(
    tmp_path: Path, indicators: tuple[str, ...], places: tuple[str, ...]
) -> None:
    found = values(tmp_path, DAY, Break(CHANGED, indicators, places, "口径调整"))

    assert np.isfinite(found).sum() == (DAY - CHANGED).days + 1  # the 1st of October counts as new


def test_a_break_of_another_series_leaves_this_one_alone(tmp_path: Path) -> None:
    assert np.isfinite(values(tmp_path, DAY, Break(CHANGED, ("ss_wa_fraud_loss",), ("*",), "口径调整"))).sum() == 90


def test_a_break_to_come_changes_nothing_yet(tmp_path: Path) -> None:
    found = values(tmp_path, date(2026, 9, 30), Break(CHANGED, (FRAUD,), (TIANHE,), "口径调整"))

    assert np.isfinite(found).sum() == 90 - (DAY - date(2026, 9, 30)).days


@pytest.mark.parametrize(
    ("back", "left_out"),
    [
        pytest.param(20, 6, id="over-for-longer-than-days-may-be-judged-again"),
        pytest.param(15, 6, id="by-a-day"),
        pytest.param(14, 0, id="not-yet"),
        pytest.param(0, 0, id="lasting-until-today"),
    ],
)
def test_only_a_past_event_itself_is_left_out(tmp_path: Path, back: int, left_out: int) -> None:
    until = DAY - timedelta(days=back)
    event = Break(until - timedelta(days=5), (FRAUD,), (TIANHE,), "台风", until)

    found = values(tmp_path, DAY, event)

    assert np.isfinite(found).sum() == 90 - left_out
    assert np.isnan(found[-1 - back - 5 : len(found) - back]).all() == bool(left_out)


def test_a_past_event_leaves_a_break_before_it_in_force(tmp_path: Path) -> None:
    until = DAY - timedelta(days=20)
    event = Break(until - timedelta(days=5), (FRAUD,), (TIANHE,), "台风", until)

    found = values(tmp_path, DAY, Break(CHANGED, (FRAUD,), (TIANHE,), "口径调整"), event)

    assert np.isfinite(found).sum() == (DAY - CHANGED).days + 1 - 6
