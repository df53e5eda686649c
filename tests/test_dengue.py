"""The dengue example: its data, its scorer, and what its README says of 2014-2016."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from examples.dengue import aggregate, choose, quick, run, score
from examples.dengue.run import EPIDEMICS, HERE
from examples.dengue.score import Watched
from warning.city import City, load_city
from warning.condition import Evidence
from warning.model import Level
from warning.pipeline import sweep
from warning.replay import as_known, replay
from warning.ruleset import load_rules
from warning.store import document, outbox

LEVELS = {".": Level.CALM, "Y": Level.YELLOW, "O": Level.ORANGE, "R": Level.RED}
MAY = date(2014, 5, 5)  # a Monday


def seen(*courses: str, first: date = MAY, cases: list[list[int]] | None = None) -> Watched:
    """Return townships of one city whose ``active`` runs like "..OO.R", a letter a week."""
    weeks = len(courses[0])
    return Watched(
        mondays=tuple(first + timedelta(days=7 * week) for week in range(weeks)),
        places=tuple(f"t{n}" for n in range(len(courses))),
        cities=("city",) * len(courses),
        cases=np.array(cases or [[1] * weeks] * len(courses)).T,
        active=np.array([[LEVELS[letter] for letter in course] for course in courses], dtype=np.int8).T,
    )


@pytest.fixture(scope="module")
def told() -> tuple[City, Watched]:
    return run.ran()


@pytest.fixture(scope="module")
def example_city(told: tuple[City, Watched]) -> City:
    return told[0]


@pytest.fixture(scope="module")
def example(told: tuple[City, Watched]) -> Watched:
    return told[1]


@pytest.mark.parametrize(
    ("course", "alarms"),
    [
        pytest.param("......", 0, id="calm"),
        pytest.param("..YY..", 0, id="yellow-is-none"),
        pytest.param("..OO..", 1, id="orange-is-one-while-it-lasts"),
        pytest.param("..OR..", 1, id="from-orange-to-red-is-no-second"),
        pytest.param(".YR.O.", 2, id="a-second-rise-is-a-second"),
        pytest.param("O.....", 1, id="the-first-week-counts"),
    ],
)
def test_an_alarm_is_a_rise_from_below_orange(course: str, alarms: int) -> None:
    assert seen(course).alarms().sum() == alarms


@pytest.mark.parametrize(
    ("courses", "lead"),
    [
        pytest.param(("..O...", "..O..."), 3, id="both-in-a-week"),
        pytest.param(("..OOO.", "...O.."), 2, id="one-after-the-other"),
        pytest.param(("..OOO.", "....O."), None, id="two-weeks-apart-is-too-late"),
        pytest.param(("OOOOO.", "..O..."), None, id="to-be-orange-is-not-to-reach-it"),
        pytest.param(("..O...", "......"), None, id="one-township-is-not-enough"),
        pytest.param((".O.O..", "......"), None, id="one-township-twice-is-not-two"),
    ],
)
def test_the_lead_is_counted_from_the_second_township(courses: tuple[str, ...], lead: int | None) -> None:
    watched = seen(*courses, cases=[[1, 1, 1, 1, 1, 9]] * 2)  # the peak is in the sixth week

    assert score.season(watched, "city", 2014).lead == lead


def test_what_was_reached_before_may_does_not_count() -> None:
    watched = seen("O.....", "O.....", first=date(2014, 4, 28), cases=[[1, 1, 1, 1, 1, 9]] * 2)

    assert score.season(watched, "city", 2014).spoke is None


def test_a_township_year_is_a_township_for_a_year() -> None:
    watched = seen("..O...", "......")  # 2 townships x 42 days

    found = score.period(watched, "spring", [("city", MAY, MAY + timedelta(days=35))])

    assert found.township_years == pytest.approx(84 / 365.25)
    assert found.rate == pytest.approx(365.25 / 84)


def test_a_struck_township_is_told_by_its_own_worst_week() -> None:
    course, cases = ("...OO.", "......", "..O..."), [[0, 0, 0, 10, 50, 0], [0, 60, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]

    found = list(score.struck(seen(*course, cases=cases), [2014]))

    assert [(one.place, one.cases, one.lead) for one in found] == [("t0", 60, 1), ("t1", 60, None)]


def test_a_case_counts_where_the_patient_lives_in_the_week_of_its_notification() -> None:
    codes = {("Tainan City", "Annan Dist."): "tainan-annan"}
    row = {"County_living": "Tainan City", "Township_living": "Annan District", "Number_of_confirmed_cases": "2"}
    rows = [row | {"Date_Notification": day} for day in ("2015/09/21", "2015/09/27", "2015/09/28", "2017/01/02")]

    cases = aggregate.counted([*rows, rows[0] | {"County_living": "Taipei City"}], codes, 2008, 2016)

    assert cases == {("tainan-annan", date(2015, 9, 21)): 4, ("tainan-annan", date(2015, 9, 28)): 2}


def test_an_unknown_township_is_not_dropped_in_silence() -> None:
    row = {"Date_Notification": "2015/09/21", "County_living": "Tainan City", "Township_living": "Anan Dist."}

    with pytest.raises(ValueError, match=r"Tainan City, Anan Dist\."):
        aggregate.counted([row], {("Tainan City", "Annan Dist."): "tainan-annan"}, 2008, 2016)


def test_only_whole_weeks_of_the_years_are_counted() -> None:
    weeks = aggregate.whole_weeks(2008, 2016)

    assert (weeks[0], weeks[-1], len(weeks)) == (date(2008, 1, 7), date(2016, 12, 19), 468)


def test_the_file_has_every_township_every_week_and_is_known_after_its_sunday() -> None:
    with gzip.open(HERE / "dengue_weekly.csv.gz", "rt", encoding="utf-8") as file:
        head, *rows = (line.rstrip("\n").split(",") for line in file)

    assert head == ["indicator", "place", "date", "value", "received_at"]
    assert len({(place, week) for _, place, week, _, _ in rows}) == len(rows) == 75 * 468
    assert {date.fromisoformat(known[:10]) - date.fromisoformat(week) for _, _, week, _, known in rows} == {
        timedelta(days=7)
    }
    assert (HERE / "dengue_weekly.csv.gz").stat().st_size < 1_000_000


def test_most_cases_came_in_the_weeks_that_are_known(example: Watched) -> None:
    peaks = [score.season(example, city, year).peak for city, year in EPIDEMICS]

    assert peaks == [date(2014, 11, 3), date(2015, 11, 16), date(2015, 9, 21)]


@pytest.mark.parametrize(("city", "year"), EPIDEMICS)
def test_it_spoke_eight_weeks_before_the_peak_of_each_epidemic(example: Watched, city: str, year: int) -> None:
    lead = score.season(example, city, year).lead

    assert lead is not None
    assert lead >= 8


def test_quiet_periods_are_quiet(example: Watched) -> None:
    assert run.quiet(example).rate <= 0.05


def test_the_years_learnt_from_tell_nothing_of_later_ones(example: Watched) -> None:
    _, as_it_was = run.ran(through=2013)

    weeks = len(as_it_was.mondays)
    assert as_it_was.mondays[-1] == date(2013, 12, 23)
    np.testing.assert_array_equal(as_it_was.active, example.active[:weeks])


def test_trying_thresholds_quickly_is_what_the_service_does(example: Watched) -> None:
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = quick.read_cases(through=2013)

    found = quick.watched(city, rule, cases, quick.scored(rule, cases))

    column = {place: n for n, place in enumerate(example.places)}
    in_order = [column[place] for place in found.places]
    np.testing.assert_array_equal(found.active, example.active[: len(found.mondays), in_order])


@pytest.mark.parametrize("weeks", [1, 4])
def test_orange_alone_is_what_its_alerts_would_be(weeks: int) -> None:
    city = load_city(HERE / "city")
    [rule] = load_rules(HERE / "rules", city).rules
    cases = quick.read_cases(through=2009)
    scores = quick.scored(rule, cases)
    orange = Evidence(surprise=0.5, extra=2)
    one = rule.model_copy(update={"lower_after": weeks, "yellow": None, "orange": orange, "red": None})

    alone = quick.orange_alone(city, one, cases, scores)

    by_alerts = quick.watched(city, one, cases, scores)
    assert by_alerts.alarms().sum() > 5
    np.testing.assert_array_equal(alone.active, by_alerts.active)


def test_too_many_alarms_are_not_made_good_by_a_long_lead() -> None:
    loud, slow, early, calmer = (
        choose.Tried(-lead, rate, 40, 1, True, False, 1.5, 2.0, 3.0, 4)
        for lead, rate in ((40, 0.026), (20, 0.0), (29, 0.02), (29, 0.01))
    )

    assert choose.ordered([loud, slow, early, calmer]) == [calmer, early, slow, loud]


def test_sweeping_live_says_what_the_figures_say(tmp_path: Path) -> None:
    days = [day for day in run.sundays(2014) if day >= date(2014, 6, 1)][:14]
    with run.taken_in(run.laid(tmp_path)) as service:
        at = run.morning(service)
        replayed = [event for week in replay(service, days, as_known(service, at)) for event in week.events]

        swept = [event for day in days for event in sweep(service, day, now=at(day)).events]

        assert [(e.alert, e.date, e.transition, e.after) for e in swept] == [
            (e.alert, e.date, e.transition, e.after) for e in replayed
        ]
        assert sum(event.after >= Level.ORANGE for event in swept) >= 2
        mails = outbox.messages(service.store)
        assert mails
        assert all("模拟" not in mail.message.subject for mail in mails)
        text = document.documents(service.store, "narrative", days[-1])[0].text
        assert "每万人" not in text  # the city states no population


def test_the_readme_says_what_the_program_finds(example_city: City, example: Watched) -> None:
    figures = run.figures(example_city, example)

    assert f"{run.BEGIN}\n{figures}{run.END}" in (HERE / "README.md").read_text(encoding="utf-8")
