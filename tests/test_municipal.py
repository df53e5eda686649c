"""The real cities' folders, and a small cut of real data on the whole path: packed file, mapping, zeros, replay."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.municipal import HERE, TOWNS, Town, laid
from benchmarks.municipal.known_events import Line, heard, indicator_of, openings
from warning import jobs
from warning.model import FileAccount, Level, SeriesKey
from warning.replay import Replayed, as_known, replay
from warning.rule import series_of
from warning.scoring import known
from warning.service import Service, load_deployment, opened

CUT = Path(__file__).parent / "municipal"  # see NOTICE
NYC, RIO = (next(town for town in TOWNS if town.name == name) for name in ("nyc", "rio"))
NOW = datetime(2024, 1, 2, tzinfo=UTC)
ISAIAS = Line(date(2020, 8, 3), "Utilities", "tropical storm Isaias on 4 August 2020", True)
UTILITIES = SeriesKey("cc_utilities", "NYC")


@pytest.fixture(scope="module")
def accounts() -> dict[str, FileAccount]:
    return {}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, accounts: dict[str, FileAccount]) -> Iterator[Service]:
    """Return New York with the cut, judged by the rules for the whole city."""
    found = laid(NYC, tmp_path_factory.mktemp("nyc"), CUT)
    rules = tuple(rule for rule in found.rules.rules if rule.tier == "city")
    with opened(replace(found, rules=replace(found.rules, rules=rules))) as service:
        accounts |= {account.name: account for account in jobs.take_in(service, NOW)}
        yield service


@pytest.fixture(scope="module")
def days(service: Service) -> list[Replayed]:
    first = date(2020, 7, 27)
    return list(replay(service, [first + timedelta(days=n) for n in range(17)], as_known(service)))


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.name)
def test_a_real_city_needs_its_folder_and_no_code(town: Town) -> None:
    found = load_deployment(HERE / town.name / "config.toml")

    judged = {key for rule in found.rules.rules for key in series_of(rule, found.city)}
    assert {indicator.id for indicator in found.city.watched()} == {key.indicator for key in judged}
    assert {name for feed in found.feeds.values() for name in feed.files} == {*town.files}
    assert all(feed.archive for feed in found.feeds.values())


def test_every_row_is_accounted_for_and_what_is_left_out_is_zero(
    service: Service, accounts: dict[str, FileAccount]
) -> None:
    lines = gzip.decompress((CUT / "nyc_complaints_daily.csv.gz").read_bytes()).decode().splitlines()[1:]
    dates = {line.split(",")[0] for line in lines}
    counts, total = accounts["nyc_complaints_daily.csv.gz"], accounts["nyc_complaints_daily.total.csv.gz"]

    assert (counts.rows, counts.accepted, counts.quarantined) == (29 * 51 * len(dates),) * 2 + (0,)
    assert (total.rows, total.accepted, total.quarantined) == (51 * len(dates),) * 2 + (0,)
    assert (counts.late, counts.error) == (0, None)


def test_districts_make_boroughs_and_the_city_and_categories_the_total(service: Service) -> None:
    lines = gzip.decompress((CUT / "nyc_complaints_daily.csv.gz").read_bytes()).decode().splitlines()[1:]
    rows = [line.rsplit(",", 2) for line in lines if line.startswith("2020-08-04")]
    panel = known(service, date(2020, 8, 4), known_at=NOW)["daily"]

    utilities = sum(int(count) for _, category, count in rows if category == "Utilities")
    assert panel.of(UTILITIES)[-1] == utilities == 98
    assert panel.of(SeriesKey("cc_all", "NYC"))[-1] == sum(int(count) for *_, count in rows)


def test_a_storm_is_told_on_the_morning_after_it(days: list[Replayed]) -> None:
    found = heard(ISAIAS, indicator_of("cc", ISAIAS.category), days)

    assert found is not None
    assert (found.first, found.level, found.where) == (date(2020, 8, 4), Level.RED, ("NYC",))
    assert found.others <= 2


def test_days_are_judged_as_they_would_have_been_known(days: list[Replayed]) -> None:
    monday = next(day for day in days if day.day == date(2020, 8, 3))
    early = [alert for day, alert in openings(days) if alert.key == UTILITIES and day.day < date(2020, 8, 4)]

    assert str(monday.panels["daily"].dates[-1]) == "2020-08-03"
    assert early == []


def test_a_monthly_file_is_read_as_it_lies_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rows = "".join(
        f"{year}-{month:02}-01,1,5,{station},roubo_veiculo,{(station * month) % 7}\n"
        for year in (2015, 2016)
        for month in range(1, 13)
        for station in (1, 4, 5)
    )
    text = f"date,RISP,AISP,CISP,category,count\n{rows}2016-12-01,1,5,999,roubo_veiculo,3\n"
    (data / "rio_police_monthly.csv.gz").write_bytes(gzip.compress(text.encode()))

    with opened(laid(RIO, tmp_path / "rio", data)) as service:
        (account,) = jobs.take_in(service, NOW)
        panel = known(service, date(2017, 1, 20), known_at=NOW)["monthly"]

    assert (account.rows, account.accepted, account.quarantined) == (73, 72, 1)  # there is no station 999
    assert panel.of(SeriesKey("rp_roubo_veiculo", "4"))[-1] == (4 * 12) % 7
    assert str(panel.dates[-1]) == "2016-12-01"
