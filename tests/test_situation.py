"""The facts of a place: counts that add up, what moved, what is silent, what neighbours share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from warning.facts import Facts, Item, Notes
from warning.model import Alert, Event, Indicator, Level, Place, Stage, Transition
from warning.situation import Coverage, Nearest, Silence, of_city, of_place, shared

DAY = date(2026, 11, 21)
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


def alert(place: str, active: Level, number: str = "GZ-20261121-0001") -> Alert:
    return Alert(number, "affrays", place, active, active, Stage.RAISED, DAY, DAY, DAY)


def event(transition: Transition, number: str = "GZ-20261121-0001") -> Event:
    return Event(number, 1, DAY, NOW, transition, Level.CALM, Level.ORANGE)


def item(place: str, number: str, value: int) -> Item:
    notes = Notes(f"{place}/affrays")
    for name, found in (("name", AFFRAYS.name_zh), ("value", value), ("unit", "起")):
        notes.add(name, found)
    return Item(number, Level.ORANGE, "affrays", place, notes.facts)


def place(**more: object) -> Facts:
    given: dict[str, object] = {
        "alerts": [], "events": [], "items": [], "silences": [], "nearest": None, "days": [],
        "rules_version": "v1", "cutoff": NOW, "zone": ZONE,
    }  # fmt: skip
    coverage = Coverage("440103", DAY, 44, 3, Level.ORANGE)
    return of_place(PLACES["440103"], (DAY, DAY), coverage, **{**given, **more})  # type: ignore[arg-type]


def city(colours: dict[str, Level], **more: object) -> Facts:
    given: dict[str, object] = {
        "alerts": [], "events": [], "items": [], "before": {}, "neighbours": {}, "silences": [], "days": [],
        "rules_version": "v1", "cutoff": NOW, "zone": ZONE,
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
    silences = [Silence(AFFRAYS, PLACES[code], DAY, date(2026, 11, 20)) for code in ("440103", "440104")]

    (row,) = place(silences=silences).missing

    assert (row["dept"].text, row["k"].text, row["last"].text) == ("市公安局", "2", "11月20日")


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

    (group,) = shared(items, alerts, PLACES, touching)

    assert (group["names"].text, group["k"].text) == ("荔湾区、越秀区", "2")
    assert shared(items, alerts, PLACES, {}) == ()


def test_a_fact_is_named_once() -> None:
    facts = city({"440103": Level.RED, "440104": Level.CALM}, alerts=[alert("440103", Level.RED)])

    identities = [fact.id for fact in facts.all()]
    assert len(identities) == len(set(identities))
