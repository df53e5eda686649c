"""The calendar: what a day is called, what it is compared with, and what is said where the file ends."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import holidays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.panel import FAR, DayKind
from warning.calendar import Calendar, lawful_holidays, load_calendar
from warning.errors import ConfigError
from warning.lunar import spring_festival
from warning.paths import shipped

BAD = Path(__file__).parent / "bad_city"
GUANGZHOU = load_calendar(shipped("city"))
ANNOUNCED = range(2021, 2027)
LETTERS = {
    DayKind.ORDINARY: ".",
    DayKind.HOLIDAY: "H",
    DayKind.SPRING_FESTIVAL: "S",
    DayKind.MAKE_UP_WORKDAY: "w",
    DayKind.FAIR: "f",
    DayKind.EXAM: "e",
    DayKind.CLOSURE: "C",
}

any_day = st.dates(date(1850, 1, 1), date(2250, 12, 31))
lunar_day = st.dates(date(1902, 3, 1), date(2099, 12, 31))


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def letters(first: date, last: date, calendar: Calendar = GUANGZHOU) -> str:
    """Return the kinds of the days, a letter each."""
    return "".join(
        LETTERS[DayKind(kind)] for kind in calendar.kinds(np.array(span(first, last), dtype="datetime64[D]")).tolist()
    )


def calendar_of(folder: Path, text: str) -> Calendar:
    (folder / "calendar.toml").write_text(text, encoding="utf-8")
    return load_calendar(folder)


@pytest.mark.parametrize(
    ("first", "last", "kinds"),
    [
        pytest.param(date(2026, 2, 13), date(2026, 2, 28), ".wSSSSSSSSS....w", id="spring-festival-with-its-workdays"),
        pytest.param(date(2026, 9, 18), date(2026, 9, 28), "..w....HHH.", id="a-workday-for-national-day"),
        pytest.param(date(2025, 9, 27), date(2025, 10, 12), ".w..HHHHHHHH..w.", id="national-day-with-mid-autumn"),
        pytest.param(date(2026, 4, 28), date(2026, 5, 10), "fffHHHHH...w.", id="a-holiday-outweighs-the-fair"),
        pytest.param(date(2026, 6, 5), date(2026, 6, 11), "..eee..", id="gaokao"),
        pytest.param(date(2022, 12, 30), date(2023, 1, 3), ".HHH.", id="new-year-begins-in-december"),
        pytest.param(date(2022, 4, 14), date(2022, 4, 18), ".....", id="a-fair-held-online-is-none"),
        pytest.param(
            date(2029, 2, 11), date(2029, 2, 20), ".SSSSSSSS.", id="past-the-file-from-the-eve-to-the-seventh"
        ),
        pytest.param(date(2029, 9, 29), date(2029, 10, 9), "..HHHHHHH..", id="past-the-file-no-workday-is-made-up"),
    ],
)
def test_what_kind_of_days_they_are(first: date, last: date, kinds: str) -> None:
    assert letters(first, last) == kinds


def test_a_closure_outweighs_everything_and_a_make_up_workday_an_exam(tmp_path: Path) -> None:
    calendar = calendar_of(
        tmp_path,
        """
        announced_through = 2026
        holiday = [{ name = "国庆节", first = 2026-10-01, last = 2026-10-07 }]
        makeup = [{ date = 2026-10-10 }]
        event = [
            { name = "台风停工停课", kind = "closure", first = 2026-10-06, last = 2026-10-08 },
            { name = "自学考试", kind = "exam", first = 2026-10-10, last = 2026-10-11 },
        ]
        """,
    )

    kinds = letters(date(2026, 9, 30), date(2026, 10, 12), calendar)

    assert kinds == ".HHHHHCCC.we."
    assert calendar.names(date(2026, 10, 10)) == ("调休上班日", "自学考试")


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 2, 17), ("春节",)),
        (date(2025, 10, 6), ("中秋节", "国庆节")),
        (date(2025, 10, 20), ("秋季广交会",)),
        (date(2025, 5, 1), ("劳动节", "春季广交会")),
        (date(2026, 6, 8), ("高考",)),
        (date(2026, 2, 14), ("调休上班日",)),
        (date(2026, 11, 23), ()),
        (date(2028, 10, 3), ("中秋节", "国庆节")),
    ],
)
def test_what_a_day_is_called(day: date, names: tuple[str, ...]) -> None:
    assert GUANGZHOU.names(day) == names


def test_offices_work_in_the_announced_years_as_the_holidays_library_says() -> None:
    # Reference: PyPI holidays 0.109, country_holidays("CN").is_working_day.
    reference = holidays.country_holidays("CN", years=ANNOUNCED)

    otherwise = [
        day
        for day in span(date(2021, 1, 1), date(2026, 12, 31))
        if GUANGZHOU.is_workday(day) != reference.is_working_day(day)
    ]

    assert otherwise == []


@pytest.mark.parametrize("year", [2027, 2033, 2034, 2057, 2089, 2099])
def test_past_the_file_every_day_the_holidays_library_knows_is_free(year: int) -> None:
    reference = holidays.country_holidays("CN", years=year, observed=False)

    worked = [day for day in reference if GUANGZHOU.is_workday(day)]

    assert len(reference) >= 12
    assert worked == []


@given(st.lists(any_day, max_size=20))
def test_a_days_kind_does_not_depend_on_the_other_days(days: list[date]) -> None:
    together = GUANGZHOU.kinds(np.array(days, dtype="datetime64[D]"))

    assert together.dtype == np.int8
    assert together.tolist() == [GUANGZHOU.kind(day) for day in days]


@given(any_day)
def test_a_day_has_a_name_exactly_when_it_is_not_ordinary(day: date) -> None:
    assert bool(GUANGZHOU.names(day)) == (GUANGZHOU.kind(day) is not DayKind.ORDINARY)


@given(lunar_day)
def test_last_year_is_a_year_ago_at_most_four_weeks_off(day: date) -> None:
    assert 365 - 28 <= (day - GUANGZHOU.last_year(day)).days <= 365 + 28


@given(lunar_day)
def test_a_day_is_as_near_to_spring_festival_as_the_day_it_is_compared_with(day: date) -> None:
    earlier = GUANGZHOU.last_year(day)

    now, then = (spring_festival(year) for year in (day.year, day.year - 1))

    assert now is not None
    assert then is not None
    if abs((day - now).days) <= 15:
        assert earlier - then == day - now
    else:
        assert abs((earlier - then).days) > 15
        assert earlier.weekday() == day.weekday()


@pytest.mark.parametrize(
    ("day", "earlier"),
    [
        pytest.param(date(2026, 11, 22), date(2025, 11, 23), id="a-sunday-with-a-sunday"),
        pytest.param(date(2026, 2, 17), date(2025, 1, 29), id="the-first-day-of-the-year-with-the-first"),
        pytest.param(date(2026, 3, 4), date(2025, 2, 13), id="the-fifteenth-day-after-still-moves"),
        # 17 days before the festival; 364 days earlier is 3 days after one, three weeks further back 18 before.
        pytest.param(date(2026, 1, 31), date(2025, 1, 11), id="an-ordinary-day-not-with-a-festival"),
        pytest.param(date(2150, 2, 1), date(2149, 2, 2), id="past-the-lunar-calendar-the-weekday"),
    ],
)
def test_what_a_day_is_compared_with(day: date, earlier: date) -> None:
    assert GUANGZHOU.last_year(day) == earlier


@given(st.integers(1901, 2098))
def test_spring_festival_comes_every_12_or_13_months(year: int) -> None:
    now, later = spring_festival(year), spring_festival(year + 1)

    assert now is not None
    assert later is not None
    assert (later - now).days in {353, 354, 355, 383, 384, 385}
    assert date(year, 1, 21) <= now <= date(year, 2, 21)


@given(st.integers(2000, 2099))
def test_the_law_gives_a_year_seven_holidays(year: int) -> None:
    names = [found.name for spans in lawful_holidays(year).values() for found in spans]

    counts = {name: names.count(name) for name in names}

    assert counts == {"元旦": 1, "春节": 8, "清明节": 1, "劳动节": 5, "端午节": 1, "中秋节": 1, "国庆节": 7}


def test_inside_the_file_nothing_is_noticed() -> None:
    assert GUANGZHOU.notices(date(2021, 1, 1), date(2026, 12, 31)) == ()


def test_past_the_file_a_notice_names_the_years_and_what_to_do() -> None:
    (notice,) = GUANGZHOU.notices(date(2026, 12, 28), date(2028, 1, 3))

    assert notice.startswith("日历未列2027—2028年放假安排")
    assert "calendar.toml" in notice


def test_years_before_and_after_the_file_and_past_the_lunar_calendar_are_noticed_apart() -> None:
    notices = GUANGZHOU.notices(date(2020, 1, 1), date(2100, 1, 1))

    assert [notice[:9] for notice in notices] == ["日历未列2020年", "日历未列2027—", "2100年超出农历"]


def test_days_are_counted_from_the_nearest_spring_festival() -> None:
    days = np.array(["2025-01-28", "2025-01-29", "2025-02-12", "2025-08-08", "2025-08-09"], dtype="datetime64[D]")

    # 2025-01-29 and 2026-02-17 are 384 days apart: 2025-08-09 lies in the middle
    assert GUANGZHOU.festival(days).tolist() == [-1, 0, 14, 191, 192]
    assert GUANGZHOU.festival(days[-1:] + 1).tolist() == [-191]


@given(lunar_day)
def test_no_spring_festival_is_nearer_than_the_one_counted_from(day: date) -> None:
    (away,) = GUANGZHOU.festival(np.array([day], dtype="datetime64[D]")).tolist()

    festivals = [first for year in range(day.year - 1, day.year + 2) if (first := spring_festival(year)) is not None]
    assert day - timedelta(days=away) in festivals
    assert abs(away) == min(abs((day - first).days) for first in festivals)


def test_without_a_lunar_calendar_every_day_is_far_from_spring_festival() -> None:
    days = np.array(["2025-01-29", "2250-02-01"], dtype="datetime64[D]")

    assert Calendar((), (None, 2026), "none").festival(days).tolist() == [FAR, FAR]
    assert GUANGZHOU.festival(days).tolist() == [0, FAR]
    assert GUANGZHOU.festival(days[:0]).tolist() == []


def test_past_the_lunar_calendar_the_solar_holidays_remain() -> None:
    free = letters(date(2150, 1, 1), date(2150, 12, 31)).replace(".", "")

    assert free == "H" * (1 + 1 + 5 + 7)


def test_a_place_with_another_law_gets_no_holidays_it_does_not_list(tmp_path: Path) -> None:
    calendar = calendar_of(tmp_path, 'announced_through = 2016\nrule = "none"\n')

    kinds = letters(date(2010, 1, 1), date(2020, 12, 31), calendar)

    assert set(kinds) == {"."}
    assert calendar.notices(date(2008, 1, 1), date(2016, 12, 31)) == ()
    assert calendar.notices(date(2016, 1, 1), date(2017, 1, 1)) == (
        "日历未列2017年，一律按平日计；请补入calendar.toml。",
    )
    assert calendar.last_year(date(2016, 2, 8)) == date(2015, 2, 9)


def test_where_the_file_does_not_say_its_first_year_is_that_of_its_first_holiday() -> None:
    calendar = load_calendar(BAD / "good")

    assert calendar.announced == (2026, 2026)


def test_holidays_of_the_shipped_calendar_do_not_overlap_but_for_mid_autumn() -> None:
    spans = sorted((known for known in GUANGZHOU.spans if known.name != "中秋节"), key=lambda known: known.first)
    free = [known for known in spans if known.kind in {DayKind.HOLIDAY, DayKind.SPRING_FESTIVAL}]

    assert all(earlier.last < later.first for earlier, later in pairwise(free))


@pytest.mark.parametrize("path", sorted(BAD.glob("*.calendar.toml")), ids=lambda path: path.name)
def test_a_fault_of_the_calendar_is_named(path: Path, tmp_path: Path) -> None:
    expectation, _, content = path.read_text(encoding="utf-8").partition("\n")

    with pytest.raises(ConfigError) as refusal:
        calendar_of(tmp_path, content)

    assert refusal.value.faults == (expectation.removeprefix("# expect: "),)


def test_a_missing_calendar_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"calendar\.toml: 1 problem\(s\)\n  the file is missing"):
        load_calendar(tmp_path)
