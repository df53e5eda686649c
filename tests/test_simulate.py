"""The simulated city is what its plan says, and its shocks are in it to the case."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import warning.simulate
from warning.city import load_city
from warning.errors import ConfigError
from warning.model import Indicator, Place
from warning.paths import shipped
from warning.simulate import Plan, Simulated, simulate, write
from warning.simulate.days import days_from, made_up, periods_of, spans_of
from warning.simulate.draws import Drawn, amounts, entered_when_open, events

KEYS = ["indicator", "place", "date"]
PLAN = Plan(date(2024, 1, 1), 500, shocks=8, shock_days=300, streets_of=("south",))


@dataclass(frozen=True)
class Town:
    indicators: Mapping[str, Indicator]
    places: Mapping[str, Place]
    neighbours: Mapping[str, frozenset[str]]
    population: Mapping[str, int]

    def population_of(self, place: str, kind: str = "resident", *, year: int) -> tuple[int, int] | None:
        return (self.population[place], 2020) if place in self.population else None


def indicator(name: str, department: str, volume: str = "mid", kind: str = "count", **others: str) -> Indicator:
    common: dict[str, Any] = {"frequency": "daily", "period_agg": "sum", "polarity": "negative"} | others
    return Indicator(
        id=name,
        name_zh=name,
        name_en=name,
        dimension="d",
        level2="d_l",
        level2_zh="",
        level2_en="",
        unit="起",
        kind=kind,
        denominator="",
        department=department,
        watch=common["frequency"] != "monthly",
        volume_class=volume,
        **common,
    )


def town() -> Town:
    names = [
        indicator("telecom_fraud", "市公安局"),
        indicator("affray_calls", "市公安局"),
        indicator("security_calls", "市公安局", "high"),
        indicator("ebike_calls", "市公安局"),
        indicator("pollution", "市生态环境局"),
        indicator("prepaid", "市市场监管局"),
        indicator("deaths", "市公安局", "rare"),
        indicator("losses", "市公安局", "high", "amount"),
        indicator("petitions", "市信访局"),
        indicator("disputes", "市委政法委"),
        indicator("requests", "市政务服务和数据管理局", "high"),
        indicator("noise", "市生态环境局", "high"),
        indicator("on_time", "市政务服务和数据管理局", "high", "ratio", polarity="positive", period_agg="mean"),
        indicator("overdue", "市委政法委", period_agg="last"),
        indicator("labour", "市司法局", frequency="weekly"),
        indicator("clearance", "市公安局", "", "ratio", frequency="monthly", polarity="positive", period_agg="mean"),
        indicator("feeling", "市委政法委", "", "score", frequency="monthly", polarity="positive", period_agg="last"),
        indicator("volunteers", "团市委", "", "rate", frequency="monthly", polarity="positive", period_agg="last"),
    ]
    places = [Place("city", "市", "City", "city", None)]
    places += [Place(code, code, code, "district", "city") for code in ("north", "middle", "south")]
    places += [Place(f"south{i}", f"{i}", f"{i}", "street", "south") for i in range(5)]
    return Town(
        indicators={known.id: known for known in names},
        places={place.code: place for place in places},
        neighbours={"north": frozenset({"middle"}), "middle": frozenset({"north", "south"})},
        population={"north": 2_000_000, "middle": 1_500_000, "south": 1_000_000},
    )


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    return simulate(town(), PLAN)


@pytest.fixture(scope="module")
def quiet() -> pd.DataFrame:
    """Nine years without shocks or faults."""
    return simulate(town(), Plan(date(2016, 1, 1), 3288, shocks=0, faults=False)).rows


def latest(rows: pd.DataFrame) -> pd.Series:
    """Return the last value told of each series and date."""
    return rows.groupby(KEYS, observed=True, sort=True)["value"].last()


def test_the_same_plan_gives_the_same_bytes(simulated: Simulated, tmp_path: Path) -> None:
    again = simulate(town(), PLAN)

    first = write(simulated, tmp_path / "first", daily_after=date(2025, 5, 1))
    second = write(again, tmp_path / "second", daily_after=date(2025, 5, 1))

    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_another_seed_gives_another_city(simulated: Simulated) -> None:
    other = simulate(town(), replace(PLAN, seed=2))

    assert latest(other.rows).head(1000).tolist() != latest(simulated.rows).head(1000).tolist()


@pytest.mark.parametrize("faults", [False, True], ids=["clean", "with-faults"])
def test_more_days_leave_the_earlier_ones_as_they_were(faults: bool) -> None:
    plan = Plan(date(2024, 1, 1), 120, shocks=0, faults=faults)

    short = simulate(town(), plan).rows
    longer = simulate(town(), replace(plan, days=200)).rows

    until = short["received_at"].max()
    assert len(short) > 3000
    pd.testing.assert_frame_equal(
        short.drop(columns="expected"), longer[longer["received_at"] <= until].drop(columns="expected")
    )


def test_another_district_leaves_the_rest_as_it_was() -> None:
    plan = Plan(date(2024, 1, 1), 60, shocks=0)
    smaller = town()
    population = {**smaller.population, "east": 1_500_000}  # as large as the mean, so that no size changes
    larger = replace(
        smaller,
        places={**smaller.places, "east": Place("east", "", "", "district", "city")},
        population=population,
    )

    before, after = latest(simulate(smaller, plan).rows), latest(simulate(larger, plan).rows)

    assert after[after.index.isin(before.index)].tolist() == before.tolist()


def test_counts_vary_around_their_means_as_stated(quiet: pd.DataFrame) -> None:
    counts = quiet[quiet["indicator"].isin(["affray_calls", "security_calls", "petitions", "requests", "noise"])]

    squares = (counts["value"] - counts["expected"]) ** 2 / counts["expected"]
    by_series = squares.groupby([counts["indicator"], counts["place"]], observed=True).mean()

    assert by_series.between(1.1, 3.3).all()  # drawn between 1.2 and 3; 3,288 days leave a few per cent


def test_values_average_their_expected_ones(quiet: pd.DataFrame) -> None:
    told = quiet.groupby(["indicator", "place"], observed=True)[["value", "expected"]].mean()
    frequent = told.drop(index=["deaths", "volunteers", "feeling"])

    assert (frequent["value"] / frequent["expected"]).to_numpy() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("deaths", 0, 0.5),
        ("affray_calls", 5, 50),
        ("security_calls", 50, 1000),
        ("losses", 50, 1000),
        ("labour", 5, 50),
    ],
)
def test_volumes_are_those_of_the_catalogue(quiet: pd.DataFrame, name: str, least: float, most: float) -> None:
    mean = quiet[quiet["indicator"] == name].groupby("place", observed=True)["value"].mean()

    assert mean.between(least, most).all()


def test_offices_rest_at_weekends_and_the_police_do_not(quiet: pd.DataFrame) -> None:
    weekend = (quiet["date"].dt.day_of_week >= 5).to_numpy()

    def share(name: str) -> float:
        chosen = (quiet["indicator"] == name).to_numpy()
        return float(quiet["value"][chosen & weekend].mean() / quiet["value"][chosen & ~weekend].mean())

    assert share("petitions") < 0.4
    assert 0.6 < share("requests") < 0.9
    assert 0.95 < share("affray_calls") < 1.2


def test_a_quiet_city_has_no_trend_and_no_breaks(quiet: pd.DataFrame) -> None:
    means = quiet[quiet["indicator"] == "security_calls"].groupby(quiet["date"].dt.year)["expected"].mean()

    assert means.to_numpy() == pytest.approx(means.iloc[0], rel=0.01)  # leap years and lunar dates move it a little
    assert Plan(date(2024, 1, 1), 10, shocks=0).breaks_made == 0


def test_every_shock_is_in_the_rows_to_the_case() -> None:
    plan = replace(PLAN, faults=False)
    with_shocks = simulate(town(), plan)
    difference = latest(with_shocks.rows) - latest(simulate(town(), plan.without_shocks()).rows)

    table = difference[difference.abs() > 1e-6].reset_index()
    inside = np.zeros(len(table), dtype=bool)
    for label in with_shocks.labels:
        of_it = (
            (table["indicator"] == label.indicator)
            & table["place"].astype(str).str.startswith(label.place)
            & table["date"].between(pd.Timestamp(label.first), pd.Timestamp(label.last))
        ).to_numpy()
        streets = table["place"].astype(str) != label.place
        added = table["value"][of_it & streets] if (of_it & streets).any() else table["value"][of_it]

        assert added.sum() == pytest.approx(label.extra, abs=0.01)
        assert label.extra > 0
        inside |= of_it

    assert len(with_shocks.labels) == 8
    assert inside.all()  # and nowhere else


def test_a_shock_multiplies_the_mean_by_its_factor() -> None:
    kinds: dict[str, list[tuple[float, float]]] = {}
    for seed in range(6):
        plan = Plan(date(2024, 1, 1), 400, seed=seed, shocks=14, faults=False)
        simulated = simulate(town(), plan)
        rows = simulated.rows
        for label in (known for known in simulated.labels if known.indicator != "losses"):
            during = rows["date"].between(pd.Timestamp(label.first), pd.Timestamp(label.last))
            series = rows[during & (rows["indicator"] == label.indicator) & (rows["place"] == label.place)]
            weight = (np.arange(len(series)) + 1) / len(series) if label.kind == "ramp" else np.ones(len(series))
            meant = (label.factor - 1) * series["expected"].to_numpy() * weight
            kinds.setdefault(label.kind, []).append((label.extra, float(meant.sum())))

    found = {kind: np.array(pairs) for kind, pairs in kinds.items()}

    assert set(found) == {"week", "spike", "ramp", "step"}
    for pairs in found.values():
        extra, meant = pairs.sum(axis=0)
        assert abs(extra - meant) < 4 * np.sqrt(3 * meant)  # variance at most three times the mean


def test_weeks_are_half_as_much_again_in_large_series(simulated: Simulated) -> None:
    weeks = [label for label in simulated.labels if label.kind == "week"]

    assert weeks
    assert {label.factor for label in weeks} == {1.5}
    assert {(label.last - label.first).days for label in weeks} == {6}
    assert {label.indicator for label in weeks} <= {"security_calls", "requests", "noise"}


def test_the_last_days_hold_a_strong_shock_neighbours_and_streets(simulated: Simulated) -> None:
    recent = [
        label for label in simulated.labels if label.last > PLAN.last - timedelta(days=2) and label.kind != "break"
    ]

    strong = max((label for label in recent if label.kind == "step"), key=lambda label: label.factor)
    pair = [label.place for label in recent if label.factor == 1.9]
    in_streets = [label for label in recent if label.factor == 2.0]

    assert len(recent) == 6
    assert (strong.indicator, strong.factor) == ("telecom_fraud", 2.5)
    assert pair[1] in town().neighbours[pair[0]] or pair[0] in town().neighbours[pair[1]]
    assert [label.place for label in in_streets] == ["south"]
    assert len(in_streets[0].carried_by) == 2


def test_a_district_whose_streets_report_sends_no_counts_of_its_own(simulated: Simulated) -> None:
    rows = simulated.rows
    own = set(rows["indicator"][rows["place"] == "south"].astype(str))
    of_streets = set(rows["indicator"][rows["place"] == "south3"].astype(str))

    assert own == {"losses", "on_time", "overdue", "clearance", "feeling", "volunteers"}
    assert of_streets == {name for name, known in town().indicators.items() if known.watch}


def test_what_a_district_sends_is_what_its_streets_add_up_to() -> None:
    rows = simulate(town(), replace(PLAN, faults=False)).rows
    wide = rows[rows["indicator"].isin(["losses", "overdue"])].pivot_table(
        index=["indicator", "date"], columns="place", values="value", observed=True
    )

    streets = wide[[f"south{i}" for i in range(5)]].sum(axis=1)

    assert wide["south"].to_numpy() == pytest.approx(streets.to_numpy(), abs=0.011)


def test_every_value_is_finite_and_counts_are_whole(simulated: Simulated) -> None:
    rows = simulated.rows
    counts = rows["indicator"].isin([name for name, known in town().indicators.items() if known.kind == "count"])
    shares = rows["indicator"].isin(["on_time", "clearance", "feeling"])

    assert np.isfinite(rows["value"]).all()
    assert (rows["value"] >= 0).all()
    assert (rows["value"][counts] % 1 == 0).all()
    assert (rows["value"][shares] <= 100).all()


def test_weeks_are_dated_by_their_monday_and_months_by_their_first_day(simulated: Simulated) -> None:
    dates = simulated.rows.set_index("indicator")["date"]

    assert set(dates["labour"].dt.day_of_week) == {0}
    assert set(dates["feeling"].dt.day) == {1}


def test_values_come_after_their_period_and_some_come_late(simulated: Simulated) -> None:
    rows = simulated.rows[simulated.rows["indicator"].isin(["security_calls", "requests", "noise", "affray_calls"])]
    first = rows.drop_duplicates(KEYS, keep="first")

    days = (first["received_at"] + pd.Timedelta(hours=8)).dt.tz_localize(None).dt.normalize() - first["date"]
    late = (days.dt.days > 1).mean()

    assert days.dt.days.min() == 1
    assert 0.004 < late < 0.04  # one in a hundred, and what follows an outage
    assert (rows["received_at"].dt.hour.between(18, 22)).all()  # UTC: between two and six in the morning


def test_a_corrected_value_is_a_later_row_with_another_value(simulated: Simulated) -> None:
    daily = simulated.rows[simulated.rows["place"].isin(["north", "middle"])]
    twice = daily[daily.duplicated(KEYS, keep=False)]
    pairs = twice.groupby(KEYS, observed=True)

    assert len(pairs) > 30
    assert set(pairs.size()) == {2}
    assert (pairs["value"].first() != pairs["value"].last()).all()
    assert (pairs["received_at"].last() - pairs["received_at"].first() >= pd.Timedelta(days=2)).all()


def test_some_days_are_missing_but_none_that_a_shock_speaks_of(simulated: Simulated) -> None:
    told = latest(simulated.rows)
    clean = latest(simulate(town(), replace(PLAN, faults=False)).rows)

    missing = clean.index.difference(told.index).to_frame(index=False)

    assert 0.002 < len(missing) / len(clean) < 0.03
    for label in (known for known in simulated.labels if known.kind != "break"):
        lost = missing[
            missing["indicator"].eq(label.indicator) & missing["place"].astype(str).str.startswith(label.place)
        ]
        assert not lost["date"].between(pd.Timestamp(label.first), pd.Timestamp(label.last)).any()


def test_a_break_raises_an_indicator_everywhere_from_its_date_on() -> None:
    plan = replace(PLAN, faults=False, breaks=2)
    simulated = simulate(town(), plan)
    broken = [label for label in simulated.labels if label.kind == "break"]

    ratios = []
    for label in broken:
        rows = simulated.rows[(simulated.rows["indicator"] == label.indicator) & (simulated.rows["place"] == "north")]
        after = (rows["date"] >= pd.Timestamp(label.first)).to_numpy()
        ratio = rows["value"] / rows["expected"]
        ratios.append((ratio[~after].mean(), ratio[after].mean() / label.factor))

    assert [label.place for label in broken] == ["city", "city"]
    assert np.array(ratios) == pytest.approx(1, abs=0.12)


def test_files_hold_every_row_once(simulated: Simulated, tmp_path: Path) -> None:
    *feeds, breaks, labels = write(simulated, tmp_path, daily_after=date(2025, 5, 11), answers=tmp_path / "answers")

    read = pd.concat(pd.read_csv(path, dtype={"place": str}, parse_dates=["date", "received_at"]) for path in feeds)
    mornings = [path.name for path in feeds if "T0600" in path.name]

    assert list(read.columns) == [*KEYS, "value", "received_at"]
    assert len(read) == len(simulated.rows)
    assert read["value"].sum() == pytest.approx(simulated.rows["value"].sum())
    assert mornings == [f"2025-05-{day}T0600-daily.csv" for day in (12, 13, 14, 15)]
    assert feeds[0].name == "history-2024-01.csv"
    assert len(pd.read_csv(labels)) == len(simulated.labels)
    assert breaks.read_text(encoding="utf-8").count("[[break]]") == 2


def test_a_morning_s_file_holds_what_came_since_the_one_before(simulated: Simulated, tmp_path: Path) -> None:
    write(simulated, tmp_path, daily_after=date(2025, 5, 11))

    read = pd.read_csv(tmp_path / "2025-05-13T0600-daily.csv")

    assert set(read["received_at"].str[:10]) == {"2025-05-13"}
    assert set(read["received_at"].str[-6:]) == {"+08:00"}
    assert read["date"].max() == "2025-05-12"


def test_the_last_delivery_is_the_morning_after_the_last_day(simulated: Simulated) -> None:
    assert simulated.deliveries[-1] == PLAN.last + timedelta(days=1)
    assert list(simulated.deliveries) == sorted(set(simulated.deliveries))


def test_progress_ends_at_one(simulated: Simulated, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []

    simulate(town(), replace(PLAN, days=60, shocks=0), progress=lambda step, part: told.append((step, part)))
    write(simulated, tmp_path, progress=lambda step, part: told.append((step, part)))

    assert [part for step, part in told if step == "drawing"][-1] == 1
    assert told[-1] == ("writing", 1)


def test_every_fault_of_a_plan_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        simulate(town(), replace(PLAN, streets_of=("west", "north")))

    assert caught.value.faults == ("'west' is not a district of the city", "'north' has no streets that could report")


def test_more_shocks_than_series_are_refused() -> None:
    with pytest.raises(ConfigError, match="999 shocks do not fit"):
        simulate(town(), replace(PLAN, shocks=999))


def test_a_plan_needs_a_day() -> None:
    with pytest.raises(ValueError, match="at least one day, found 0"):
        Plan(date(2024, 1, 1), 0)


def test_holidays_by_rule_are_those_announced_for_2026() -> None:
    # 国办发明电〔2025〕: 元旦 1/1-3, 春节 2/15-23, 清明 4/4-6, 劳动节 5/1-5, 端午 6/19-21, 中秋 9/25-27, 国庆 10/1-7
    announced = [("01-01", 3), ("02-15", 9), ("04-04", 3), ("05-01", 5), ("06-19", 3), ("09-25", 3), ("10-01", 7)]

    spans = spans_of([2026])
    worked = made_up(spans_of([2025, 2026, 2027]))

    assert [(str(span.first)[5:], len(span.days)) for span in spans] == announced
    assert sorted(str(day) for day in worked if day.year == 2026) == [
        *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")
    ]


def test_offices_work_on_made_up_weekends_and_not_on_holidays() -> None:
    days = days_from(date(2026, 9, 18), 24)  # a Friday

    worked = "".join("x" if works else "." for works in days.works)

    # Sunday 20 September and Saturday 10 October are worked for 25-27 September and 1-7 October
    assert worked == "x.xxxxx" + "..." + "xxx" + "......." + "xxx" + "."


def test_a_backlog_is_entered_on_the_next_day_the_office_works() -> None:
    # National Day 2026 ends on Wednesday 7 October; Saturday 10 October is worked, Sunday 11 is not
    days = days_from(date(2026, 9, 30), 14)
    hundred = np.full(14, 100.0)

    entered = entered_when_open(Drawn(hundred, hundred, hundred), days.works, np.random.default_rng(7))

    # 80 of 100 wait: seven days' on Thursday, none on Saturday, one day's on Monday
    assert entered.expected == pytest.approx([100, *[20] * 7, 100 + 7 * 80, 100, 100, 20, 180, 100])
    assert entered.value == pytest.approx(entered.expected, abs=60)  # four and a half standard deviations


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=40))
@settings(max_examples=60)
def test_a_backlog_loses_no_case_and_is_never_entered_behind_closed_doors(told: list[tuple[int, bool]]) -> None:
    happened = np.array([count for count, _ in told], dtype=float)
    works = np.array([True, *(open_ for _, open_ in told), True])
    happened = np.concatenate([[0.0], happened, [0.0]])

    entered = entered_when_open(Drawn(happened, happened, happened), works, np.random.default_rng(3)).value

    assert entered.sum() == happened.sum()
    assert (entered[~works] <= happened[~works]).all()
    assert (entered[works] >= happened[works]).all()


@given(
    st.dates(date(2010, 1, 1), date(2060, 1, 1)), st.integers(1, 500), st.sampled_from(["daily", "weekly", "monthly"])
)
@settings(max_examples=40)
def test_periods_are_whole_and_their_means_are_of_their_own_days(first: date, count: int, frequency: str) -> None:
    days = days_from(first, count)
    daily = np.arange(count, dtype=float)

    periods = periods_of(days, frequency)
    means = periods.mean_of(daily)

    assert (periods.ends <= days.dates[-1]).all()
    assert len(means) == len(periods.starts)
    middle = ((periods.starts - days.dates[0]).astype(int) + (periods.ends - days.dates[0]).astype(int)) / 2
    assert means == pytest.approx(middle)


@pytest.mark.parametrize(("mean", "spread"), [(0.1, 1.05), (12.0, 2.0), (300.0, 3.0)])
def test_events_have_the_mean_and_the_spread_they_are_asked_for(mean: float, spread: float) -> None:
    drawn = events(np.random.default_rng(7), np.full(200_000, mean), spread)

    assert drawn.mean() == pytest.approx(mean, rel=0.02)
    assert drawn.var() / drawn.mean() == pytest.approx(spread, rel=0.03)


def test_amounts_are_of_as_many_cases_as_there_were() -> None:
    cases = np.array([0.0, 1.0, 0.0, 100_000.0])

    total = amounts(np.random.default_rng(7), cases, 5.0)

    assert total[0] == total[2] == 0
    assert total[1] > 0
    assert total[3] / 100_000 == pytest.approx(5.0, rel=0.02)


def test_the_shipped_city_can_be_simulated_with_a_district_s_streets() -> None:
    city = load_city(shipped("city"))

    simulated = simulate(city, Plan(date(2026, 5, 1), 90, streets_of=("440115",)))

    series = simulated.rows[["indicator", "place"]].drop_duplicates()
    watched = city.watched()
    alone = sum(known.kind != "count" or known.period_agg == "last" for known in watched)
    assert len(series) == 10 * 132 + (132 - len(watched) + alone) + 9 * len(watched)
    assert sum(label.kind != "break" for label in simulated.labels) == 24


def test_the_simulator_knows_nothing_of_the_detectors_or_the_calendar() -> None:
    folder = Path(warning.simulate.__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]

    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {
        f"{node.module}.{name.name}" for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names
    }

    of_the_house = {name for name in imported if name.startswith(("warning", "detectors"))}
    assert of_the_house
    assert all(name.startswith(("warning.simulate.", "warning.model.", "warning.errors.")) for name in of_the_house)
