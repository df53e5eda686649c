"""The facts of a place: counts that add up, what moved, what is silent, what neighbours share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from warning.facts import Facts, Item, Notes
from warning.gaps import Gap
from warning.model import Alert, Event, Indicator, Level, Place, Stage, Transition
from warning.situation import Coverage, Nearest, of_city, of_place
from warning.together import Before, shared, side_by_side

DAY = date(2026, 11, 21)
LAST = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # 07:30 of the 22nd in Guangzhou
ZONE = ZoneInfo("Asia/Shanghai")
CITY = Place("440100", "广州市", "Guangzhou", "city", None)
PLACES = {
    place.code: place
    for place in (
        CITY,
        Place("440103", "荔湾区", "Liwan District", "district", "440100"),
        Place("440104", "越秀区", "Yuexiu District", "district", "440100"),
        Place("440117", "从化区", "Conghua District", "district", "440100"),
    )
}
AFFRAYS = Indicator(
    "affrays", "打架斗殴警情数", "Affrays", "ss", "ss_po", "治安安全", "Order", "negative", "起", "count", "daily", "",
    "市公安局", "sum", True, "mid",
)  # fmt: skip
INDICATORS = {AFFRAYS.id: AFFRAYS}


def alert(place: str, active: Level, number: str = "GZ-20261121-0001") -> Alert:
    return Alert(number, "affrays", place, active, active, Stage.RAISED, DAY, DAY, DAY)


def event(transition: Transition, number: str = "GZ-20261121-0001") -> Event:
    return Event(number, 1, DAY, NOW, transition, Level.CALM, Level.ORANGE)


def item(place: str, number: str, value: int) -> Item:
    notes = Notes(f"{place}/affrays")
    latest = (("latest", value), ("latest_range", "11月21日"), ("latest_city", 250))
    for name, found in (("name", AFFRAYS.name_zh), ("value", value), ("unit", "起"), *latest):
        notes.add(name, found)
    return Item(number, Level.ORANGE, "affrays", place, notes.facts)


def place(*, colour: Level = Level.ORANGE, **more: object) -> Facts:
    given: dict[str, object] = {
        "alerts": [], "events": [], "items": [], "gaps": [], "nearest": None, "days": [],
        "rules_version": "v1", "cutoff": NOW, "zone": ZONE,
    }  # fmt: skip
    coverage = Coverage("440103", DAY, 44, 3, colour)
    return of_place(PLACES["440103"], (DAY, DAY), coverage, **{**given, **more})  # type: ignore[arg-type]


def city(colours: dict[str, Level], **more: object) -> Facts:
    given: dict[str, object] = {
        "alerts": [], "events": [], "items": [], "before": {}, "neighbours": {}, "indicators": INDICATORS, "gaps": [],
        "days": [], "rules_version": "v1", "cutoff": NOW, "zone": ZONE,
    }  # fmt: skip
    coverages = {code: Coverage(code, DAY, 44, 0, level) for code, level in colours.items()}
    return of_city(CITY, (DAY, DAY), coverages, PLACES, **{**given, **more})  # type: ignore[arg-type]


def texts(facts: Facts) -> dict[str, str]:
    return {name: fact.text for name, fact in facts.overall.items()}


def test_the_colours_of_the_series_add_up_to_what_is_watched() -> None:
    found = texts(place(alerts=[alert("440103", Level.ORANGE)]))

    counts = [int(found[name]) for name in ("n_red", "n_orange", "n_yellow", "n_green", "n_grey")]
    assert counts == [0, 1, 0, 40, 3]
    assert sum(counts) == int(found["n_watch"])


def test_an_alert_waiting_for_a_person_is_not_counted_as_triggered() -> None:
    found = texts(place(alerts=[alert("440103", Level.CALM)]))

    assert found["n_alerts"] == "0"
    assert found["n_open"] == "1"


def test_new_and_lasting_alerts_are_told_apart() -> None:
    alerts = [alert("440103", Level.ORANGE), alert("440103", Level.RED, "GZ-20261101-0001")]

    found = texts(place(alerts=alerts, events=[event(Transition.OPENED)]))

    assert (found["n_alerts"], found["n_new"], found["n_cont"]) == ("2", "1", "1")


def test_the_cut_off_is_on_the_centre_s_wall_clock() -> None:
    assert texts(place())["cutoff"] == "11月22日07:30"


def test_a_calm_place_names_what_came_nearest() -> None:
    near = Nearest(AFFRAYS, PLACES["440103"], 0.634)

    assert texts(place(nearest=near))["nearest_share"] == "63"
    assert "nearest" not in texts(place(nearest=near, items=[item("440103", "GZ-20261121-0001", 40)]))


def test_silent_series_of_one_department_stand_in_one_line() -> None:
    gaps = [Gap(replace(AFFRAYS, id=name, name_zh=name), PLACES["440103"], DAY, LAST) for name in ("甲", "乙")]

    (row,) = place(gaps=gaps).missing

    assert (row["dept"].text, row["name"].text, row["k"].text) == ("市公安局", "甲、乙", "2")
    assert (row["date"].text, row["last"].text) == ("11月21日", "11月20日")


def test_a_last_value_is_told_only_where_all_have_the_same() -> None:
    gaps = [Gap(replace(AFFRAYS, name_zh=n), PLACES["440103"], DAY, last) for n, last in (("甲", LAST), ("乙", DAY))]

    (row,) = place(gaps=gaps).missing

    assert "last" not in row


def test_what_arrived_and_could_not_be_judged_is_asked_of_no_department() -> None:
    gaps = [Gap(AFFRAYS, PLACES["440103"], DAY, LAST), Gap(AFFRAYS, PLACES["440103"], DAY, LAST, arrived=True)]

    facts = place(gaps=gaps)

    assert [row.get("dept") is None for row in facts.missing] == [False, True]
    assert (texts(facts)["n_silent"], texts(facts)["n_unjudged"]) == ("1", "1")


def test_missing_data_of_a_city_name_district_and_period_and_the_names_are_as_many_as_the_count() -> None:
    weekly = replace(AFFRAYS, name_zh="周报数", frequency="weekly")
    gaps = [
        *(Gap(replace(AFFRAYS, name_zh=f"数{n}"), PLACES["440104"], DAY, LAST) for n in range(5)),
        Gap(weekly, PLACES["440104"], date(2026, 11, 9), None),
        Gap(AFFRAYS, PLACES["440103"], DAY, LAST, arrived=True),
    ]

    rows = city({"440103": Level.CALM, "440104": Level.MISSING}, gaps=gaps).missing

    assert [(row["place"].text, row["k"].text) for row in rows] == [("荔湾区", "1"), ("越秀区", "6")]
    assert rows[0]["detail"].text == "打架斗殴警情数已报送、暂不能研判（11月21日）"
    assert rows[1]["detail"].text == "数0、数1、数2等5项未报送（11月21日）；周报数未报送（11月9日—15日当周）"


def test_districts_that_lack_the_very_same_share_a_line() -> None:
    gaps = [Gap(replace(AFFRAYS, name_zh=f"数{n}"), PLACES[c], DAY, LAST) for n in range(44) for c in PLACES]

    rows = city({code: Level.MISSING for code in PLACES if code != "440100"}, gaps=gaps).missing

    (row,) = rows
    assert (row["place"].text, row["each"].text, row["k"].text) == ("各区", "各", "44")
    assert row["detail"].text == "数0、数1、数2等44项未报送（11月21日）"


def test_districts_that_lack_the_same_are_named_where_they_are_not_all() -> None:
    gaps = [Gap(AFFRAYS, PLACES[code], DAY, LAST) for code in ("440103", "440117")]

    (row,) = city({code: Level.MISSING for code in PLACES if code != "440100"}, gaps=gaps).missing

    assert (row["place"].text, row["k"].text) == ("荔湾区、从化区", "1")


def test_districts_that_lack_as_many_and_not_the_same_are_not_joined() -> None:
    """Though the first three names, which are all that is printed, are alike."""
    gaps = [
        Gap(replace(AFFRAYS, id=name, name_zh=name), PLACES[code], DAY, LAST)
        for code, names in (("440103", "甲乙丙丁"), ("440104", "甲乙丙戊"), ("440117", "甲乙丙丁"))
        for name in names
    ]

    rows = city(dict.fromkeys(("440103", "440104", "440117"), Level.MISSING), gaps=gaps).missing

    assert [(row["place"].text, row["k"].text) for row in rows] == [("荔湾区、从化区", "4"), ("越秀区", "4")]


def test_every_place_stands_in_one_colour() -> None:
    found = texts(city({"440103": Level.RED, "440104": Level.CALM, "440117": Level.MISSING}))

    assert found["names_red"] == "荔湾区"
    assert [found[f"places_{c}"] for c in ("red", "orange", "yellow", "calm", "grey")] == ["1", "0", "0", "1", "1"]
    assert found["n_places"] == "3"


def test_what_rose_and_fell_is_told_but_not_what_went_silent() -> None:
    now = {"440103": Level.RED, "440104": Level.CALM, "440117": Level.MISSING}
    before = {"440103": Level.YELLOW, "440104": Level.ORANGE, "440117": Level.RED}

    found = texts(city(now, before=before))

    assert found["moved_up"] == "荔湾区由黄色升为红色"
    assert found["moved_down"] == "越秀区由橙色降为正常"


def test_only_places_that_touch_share_a_rise() -> None:
    touching = {"440103": frozenset({"440104"}), "440104": frozenset({"440103"})}
    items = [item("440103", "A", 40), item("440104", "B", 60), item("440117", "C", 90)]
    alerts = [alert(i.place, Level.ORANGE, i.alert) for i in items]

    (group,) = shared(items, alerts, PLACES, touching, INDICATORS)

    assert (group["names"].text, group["k"].text) == ("荔湾区、越秀区", "2")
    assert shared(items, alerts, PLACES, {}, INDICATORS) == ()


def test_places_stand_in_the_order_of_their_onsets_and_a_common_one_is_no_sequence() -> None:
    touching = {"440103": frozenset({"440104"}), "440104": frozenset({"440103"})}
    items = [item("440103", "A", 40), item("440104", "B", 60)]
    alerts = [alert("440103", Level.ORANGE, "A"), replace(alert("440104", Level.ORANGE, "B"), onset=LAST)]

    (apart,) = shared(items, alerts, PLACES, touching, INDICATORS)
    (at_once,) = shared(items, [alerts[0], replace(alerts[1], onset=DAY)], PLACES, touching, INDICATORS)

    assert (apart["names"].text, apart["onset"].text, apart["onset_last"].text) == (
        "越秀区、荔湾区", "11月20日", "11月21日",
    )  # fmt: skip
    assert (at_once["names"].text, at_once["onset"].text) == ("荔湾区、越秀区", "11月21日")
    assert "onset_last" not in at_once


def test_places_that_share_a_rise_state_their_part_of_the_city() -> None:
    touching = {"440103": frozenset({"440104"}), "440104": frozenset({"440103"})}
    items = [item("440103", "A", 40), item("440104", "B", 60)]
    alerts = [alert(i.place, Level.ORANGE, i.alert) for i in items]

    (group,) = shared(items, alerts, PLACES, touching, INDICATORS)

    # 40 + 60 of 250
    assert (group["range"].text, group["value"].text, group["share"].text) == ("11月21日", "100", "40.0")


def test_the_alerts_are_compared_with_the_period_before() -> None:
    found = texts(place(alerts=[alert("440103", Level.ORANGE)], alerts_before=3))

    assert (found["n_dir"], found["n_diff"]) == ("减少", "2")
    assert "n_diff" not in texts(place())


def test_a_place_says_for_how_many_days_it_has_had_its_colour() -> None:
    found = texts(place(coloured_since=date(2026, 11, 18)))

    assert (found["streak"], found["streak_since"]) == ("4", "11月18日")
    assert "streak" not in texts(place())


def test_a_fact_is_named_once() -> None:
    facts = city({"440103": Level.RED, "440104": Level.CALM}, alerts=[alert("440103", Level.RED)])

    identities = [fact.id for fact in facts.all()]
    assert len(identities) == len(set(identities))


def test_two_alerts_of_a_place_are_set_side_by_side_and_never_as_cause() -> None:
    items = [item("440103", "A", 40), replace(item("440103", "B", 60), indicator="theft")]
    weeks = {"A": np.arange(12.0), "B": np.arange(12.0) ** 2}

    (clue,) = side_by_side(items, Before(weeks, "weekly"))

    # numpy.corrcoef(range(12), squares) = 0.9640
    assert (clue["weeks"].text, clue["r"].text) == ("12", "0.96")


def test_two_monthly_alerts_are_compared_month_by_month() -> None:
    items = [item("440103", "A", 40), replace(item("440103", "B", 60), indicator="theft")]

    (clue,) = side_by_side(items, Before({"A": np.arange(12.0), "B": np.arange(12.0) ** 2}, "monthly"))

    assert "weeks" not in clue
    assert clue["months"].text == "12"


@pytest.mark.parametrize(
    "other",
    [np.arange(11.0), np.full(12, 3.0), np.append(np.arange(11.0), np.nan), np.tile([1.0, 2.0], 6)],
    ids=["too-few-weeks", "no-change", "a-gap", "no-likeness"],
)
def test_what_cannot_be_compared_or_is_not_alike_is_no_clue(other: np.ndarray) -> None:
    items = [item("440103", "A", 40), replace(item("440103", "B", 60), indicator="theft")]

    assert side_by_side(items, Before({"A": np.arange(12.0), "B": other}, "weekly")) == ()


@pytest.mark.parametrize(
    ("days", "level", "proposed"),
    [
        pytest.param(20, Level.RED, None, id="not-three-weeks"),
        pytest.param(21, Level.RED, ("3", "发出预警通知书"), id="three"),
        pytest.param(28, Level.RED, ("4", "约谈"), id="four"),
        pytest.param(60, Level.RED, ("8", "挂牌督办"), id="five-and-more"),
        pytest.param(60, Level.ORANGE, None, id="orange"),
    ],
)
def test_what_is_proposed_after_weeks_of_red(days: int, level: Level, proposed: tuple[str, str] | None) -> None:
    found = texts(place(colour=level, coloured_since=DAY - timedelta(days=days - 1)))

    assert (found.get("red_weeks"), found.get("action")) == (proposed or (None, None))
