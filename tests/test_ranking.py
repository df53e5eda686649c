"""Where a place stands among its siblings: what its rule is checked for, judged by, and what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from simulated_city import shipped_deployment

from warning.errors import ConfigError
from warning.model import Alert, Level, SeriesKey, Signal, Stage
from warning.ranking import standing_of
from warning.rule import Rule
from warning.ruleset import load_rules
from warning.scoring import Known, score
from warning.service import Deployment

TIANHE, CONGHUA = "440106", "440117"
REQUESTS = "pp_rs_hotline_requests"
DAYS = np.arange(np.datetime64("2024-11-18"), np.datetime64("2026-01-01"))
LAST = date(2025, 12, 31)
RANK = {
    "id": "pp_rs.rank",
    "name_zh": "位次升高",
    "indicators": (REQUESTS,),
    "tier": "district",
    "detector": "rank",
    "parameters": {"window": 7, "alpha": 0.01},
    "yellow": {"surprise": 3.0},
}


@pytest.fixture(scope="module")
def shipped() -> Deployment:
    found = shipped_deployment()
    return replace(found, rules=replace(found.rules, rules=(Rule.model_validate(RANK),)))


def known(deployment: Deployment) -> Known:
    """Return districts with the same number of requests a head all year; in the last week Conghua's are three times."""
    districts = [place.code for place in deployment.city.at_tier("district")]
    keys = tuple(SeriesKey(REQUESTS, code) for code in districts)
    found = [deployment.city.denominator_of(REQUESTS, code, year=2025) for code in districts]
    rates = np.linspace(2, 3, len(districts))
    rates[districts.index(CONGHUA)] = 2.15  # more than two of them, a head; fewest persons of all
    values = np.tile(rates * np.array([pair[0] for pair in found if pair], dtype=float) / 1e4, (len(DAYS), 1)).round()
    values[-7:, districts.index(CONGHUA)] *= 3
    return Known("daily", DAYS, keys, values, {key: n for n, key in enumerate(keys)})


def alert(rule: str = "pp_rs.rank", day: date = LAST) -> Alert:
    signal = Signal(rule, REQUESTS, CONGHUA, day, Level.YELLOW, "rank", 3300.0, 1100.0, 900.0, 1300.0, 6.0, 7, "v1")
    return Alert(
        "GZ-20251231-0001", REQUESTS, CONGHUA, Level.YELLOW, Level.YELLOW, Stage.RAISED, day, day, day, 0, (signal,)
    )


def test_the_district_that_rose_is_judged_among_all_by_persons(shipped: Deployment) -> None:
    judged, failures = score(shipped, {"daily": known(shipped)}, {"daily": 1})

    scores, keys = judged["pp_rs.rank"].scores, judged["pp_rs.rank"].keys
    conghua = keys.index(SeriesKey(REQUESTS, CONGHUA))
    assert not failures
    assert scores.surprise[-1, conghua] > 5
    assert np.abs(np.delete(scores.surprise[-1], conghua)).max() < 1


def test_where_it_stands_is_told_with_where_it_usually_does(shipped: Deployment) -> None:
    found = standing_of(shipped, {"daily": known(shipped)}, alert())

    assert found is not None
    assert (found.whole, found.now, found.siblings) == ("广州市", 1, 11)
    assert 8 <= found.usual <= 10


def test_on_the_day_before_it_rose_it_stood_where_it_usually_does(shipped: Deployment) -> None:
    found = standing_of(shipped, {"daily": known(shipped)}, alert(day=date(2025, 12, 24)))

    assert found is not None
    assert found.now == pytest.approx(found.usual)


def test_with_a_sibling_that_is_late_nothing_is_told(shipped: Deployment) -> None:
    panel = known(shipped)
    panel.values[-1, panel.index[SeriesKey(REQUESTS, TIANHE)]] = np.nan

    assert standing_of(shipped, {"daily": panel}, alert()) is None


def test_of_a_rule_that_is_no_more_nothing_is_told(shipped: Deployment) -> None:
    assert standing_of(shipped, {"daily": known(shipped)}, alert("pp_rs.gone")) is None


@pytest.mark.parametrize(
    ("now", "read"),
    [
        pytest.param({"indicators": ("pp_rs_other",)}, True, id="another-indicator"),
        pytest.param({"indicators": ("pp_rs_other",)}, False, id="of-another-frequency"),
        pytest.param({"tier": "city"}, True, id="another-tier"),
    ],
)
def test_of_a_rule_that_judges_the_series_no_more_nothing_is_told(
    shipped: Deployment, now: dict[str, object], read: bool
) -> None:
    changed = replace(shipped, rules=replace(shipped.rules, rules=(Rule.model_validate(RANK | now),)))

    assert standing_of(changed, {"daily": known(shipped)} if read else {}, alert()) is None


def test_a_rule_that_ranks_some_of_the_siblings_is_told_whom_it_lacks(tmp_path: Path, shipped: Deployment) -> None:
    some = [place.code for place in shipped.city.at_tier("district")][:-2]
    (tmp_path / "response.toml").write_text(
        f"""area = "pp_rs"
[[rule]]
id = "pp_rs.rank"
name_zh = "位次升高"
indicators = ["{REQUESTS}"]
places = {some}
detector = "rank"
yellow = {{ surprise = 3.0 }}
""",
        encoding="utf-8",
    )

    with pytest.raises(ConfigError, match="'rank' ranks all places of '440100' among each other; add 440117, 440118"):
        load_rules(tmp_path, shipped.city)
