"""Tests that stand beside the rules, ``rules/tests/*.toml``: series in a few words, and what is to come of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from detectors.panel import Floats
from warning import periods
from warning.checked import Checked, located_faults, read_toml_text, suggestion
from warning.city import City
from warning.errors import ConfigError, Fault
from warning.model import Level, SeriesKey, Transition
from warning.positions import line_of, lines_of
from warning.rule import judges
from warning.service import Deployment
from warning.tuning.notation import series

FOLDER = "tests"  # below that of the rules
LEVELS = {level.name.lower(): level for level in Level}
BEFORE = {"daily": 14, "weekly": 56, "monthly": 186}  # days swept before the first that is asked about
MOST_DAYS = 400  # swept in one test


class Later(Checked):
    """A value that became known, or another, on a later day."""

    on: date  # the data date of the sweep that knows it first
    date: date
    value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None  # None: it is taken back


class Given(Checked):
    """One series: values of all dates up to the last, or from the first."""

    indicator: str = ""
    place: str = ""
    values: str
    later: tuple[Later, ...] = ()


class Expected(Checked):
    """What is to be so after the sweep of a day."""

    date: date
    indicator: str = ""
    place: str = ""
    level: Literal["missing", "calm", "yellow", "orange", "red"] | None = None  # of the alert
    events: tuple[Transition, ...] | None = None  # of that sweep, in order
    rule: str = ""  # says so that day
    mail: bool | None = None  # whether a mail told of it
    subject: str = ""  # what the subject of the mail holds


class Written(Checked):
    """One ``[[test]]``."""

    name: str = Field(min_length=1)
    rules: tuple[str, ...] = ()  # only these; all that judge the series, if none is named
    start: date | None = None  # the date of the first value, or
    last: date | None = None  # that of the last one
    sweep_from: date | None = None  # the first day that is swept
    indicator: str = ""  # of all series that name none
    indicators: tuple[str, ...] = ()  # the test is run for each of these
    place: str = ""
    series: Annotated[tuple[Given, ...], Field(min_length=1)]
    expect: Annotated[tuple[Expected, ...], Field(min_length=1)]


class TestsFile(Checked):
    """A file of tests."""

    test: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Series:
    """A series as it is known in the end, and what was known otherwise before."""

    key: SeriesKey
    first: date
    values: Floats  # (T,)
    later: tuple[Later, ...]


@dataclass(frozen=True)
class Expectation:
    """What is asked of one series on one day."""

    key: SeriesKey
    day: date  # data date of the sweep
    said: Expected


@dataclass(frozen=True)
class RuleTest:
    """One test, understood."""

    file: str
    line: int | None
    name: str
    rules: tuple[str, ...]
    series: tuple[Series, ...]
    days: tuple[date, ...]  # that are swept
    expected: tuple[Expectation, ...]

    @property
    def by_mail(self) -> bool:
        """Whether it asks for mails, which only a store can write."""
        return any(one.said.mail is not None or one.said.subject for one in self.expected)


def read_tests(folder: Path, deployment: Deployment) -> tuple[list[RuleTest], list[ConfigError]]:
    """Return the tests of a folder that can be run, and one error for each file with faults."""
    tests: list[RuleTest] = []
    errors: list[ConfigError] = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            content, text = read_toml_text(path)
            file = TestsFile.model_validate(content)
        except ConfigError as error:
            errors.append(error)
            continue
        except ValidationError as error:
            errors.append(ConfigError(str(path), [fault for _, fault in located_faults(error, TestsFile)]))
            continue
        lines, faults = lines_of(text), list[Fault]()
        for number, said in enumerate(file.test):
            name, line = str(said.get("name", f"test {number + 1}")), line_of(lines, ("test", number))
            try:
                written = Written.model_validate(said)
            except ValidationError as error:
                for at, fault in located_faults(error, Written):
                    faults.append(Fault(f"{name}: {fault}", line=line_of(lines, ("test", number, *at))))
                continue
            made, wrong = _understood(written, path.name, line, deployment)
            tests += made
            faults += [Fault(f"{name}: {fault}", line=line) for fault in wrong]
        if faults:
            errors.append(ConfigError(str(path), faults))
    return tests, errors


def _understood(
    written: Written, file: str, line: int | None, deployment: Deployment
) -> tuple[list[RuleTest], list[str]]:
    """Return a test for each indicator it is written for, and what is wrong with it."""
    names = (
        (written.name,) if not written.indicators else tuple(f"{written.name}［{one}］" for one in written.indicators)
    )
    tests: list[RuleTest] = []
    faults: dict[str, None] = {}
    for name, indicator in zip(names, written.indicators or (written.indicator,), strict=True):
        found, wrong = _one(written, indicator, deployment)
        faults |= dict.fromkeys(wrong)
        if found is not None and not wrong:
            tests.append(RuleTest(file, line, name, *found))
    return tests, list(faults)


def _one(
    written: Written, indicator: str, deployment: Deployment
) -> tuple[tuple[tuple[str, ...], tuple[Series, ...], tuple[date, ...], tuple[Expectation, ...]] | None, list[str]]:
    city, known = deployment.city, {rule.id: rule for rule in deployment.rules.rules}
    faults = [f"rule {one!r} is unknown{suggestion(one, known)}" for one in written.rules if one not in known]
    if (written.start is None) == (written.last is None):
        faults.append("give either start, the date of the first value, or last, that of the last one")
    keys = []
    named = [(one.indicator, one.place) for one in written.series]
    named += [(one.indicator, one.place) for one in written.expect]
    for what, where in named:
        key, wrong = _key(what or indicator, where or written.place, city)
        keys.append(key)
        faults += wrong
    if faults:
        return None, faults
    made = []
    for given, key in zip(written.series, keys, strict=False):
        try:
            made.append(_series(given, key, written, city))
        except ValueError as error:
            faults.append(f"values: {error}")
    rules = written.rules or tuple(
        rule.id for rule in deployment.rules.rules if any(judges(rule, key, city) for key in keys)
    )
    if not rules:
        faults.append("no rule judges these series")
    if len({one.key for one in made}) < len(made):
        faults.append("two series are of the same indicator and place")
    expected = []
    for said, key in zip(written.expect, keys[len(written.series) :], strict=True):
        frequency = city.indicators[key.indicator].frequency
        expected.append(Expectation(key, periods.last_day(periods.first_day(said.date, frequency), frequency), said))
        if key not in {one.key for one in made}:
            faults.append(f"expect {said.date}: {key.indicator} in {key.place} is none of the test's series")
        if said.rule and said.rule not in rules:
            faults.append(f"expect {said.date}: rule {said.rule!r} is none of the test's{suggestion(said.rule, rules)}")
    days, wrong = _days(written, expected, city)
    return (rules, tuple(made), days, tuple(sorted(expected, key=lambda one: one.day))), faults + wrong


def _key(indicator: str, place: str, city: City) -> tuple[SeriesKey, list[str]]:
    by_name = {one.name_zh: code for code, one in city.places.items()}
    code = by_name.get(place, place)
    faults = []
    if indicator not in city.indicators:
        hint = suggestion(indicator, city.indicators)
        faults.append(f"indicator {indicator!r} is unknown{hint if len(hint) < 100 else ''}")
    if code not in city.places:
        hint = suggestion(place, by_name)
        faults.append(f"place {place!r} is unknown{hint if len(hint) < 100 else ''}")
    return SeriesKey(indicator, code), faults


def _series(given: Given, key: SeriesKey, written: Written, city: City) -> Series:
    values, frequency = series(given.values), city.indicators[key.indicator].frequency
    if written.start is not None:
        first = periods.first_day(written.start, frequency)
    else:
        last = periods.first_day(written.last or date.min, frequency)
        first = periods.later(last, 1 - len(values), frequency)
    return Series(key, first, values, given.later)


def _days(written: Written, expected: list[Expectation], city: City) -> tuple[tuple[date, ...], list[str]]:
    before = max(BEFORE[city.indicators[one.key.indicator].frequency] for one in expected)
    until = max(one.day for one in expected)
    first = written.sweep_from or min(one.day for one in expected) - timedelta(days=before)
    count = (until - first).days + 1
    if count > MOST_DAYS:
        return (), [f"{count} days would be swept, at most {MOST_DAYS}; let sweep_from and the dates be nearer"]
    if written.sweep_from is not None and written.sweep_from > min(one.day for one in expected):
        return (), [f"sweep_from = {written.sweep_from} is after the first date that is expected"]
    return tuple(first + timedelta(days=n) for n in range(count)), []


def known_values(one: Series, dates: np.ndarray[Any, np.dtype[np.datetime64]], day: date, frequency: str) -> Floats:
    """Return (T,) the values of a series as they were known for the sweep of a day."""
    found = np.full(len(dates), np.nan)
    ends = periods.last_day(periods.later(one.first, len(one.values) - 1, frequency), frequency)
    own = periods.dates(one.first, periods.first_day(ends, frequency), frequency)
    _, at, of = np.intersect1d(dates, own, return_indices=True)
    found[at] = one.values[of]
    for later in sorted(one.later, key=lambda one: one.on):
        if later.on <= day:
            row = np.flatnonzero(dates == np.datetime64(periods.first_day(later.date, frequency)))
            found[row] = np.nan if later.value is None else later.value
    return found
