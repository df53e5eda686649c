"""Tests of rules, run: the steps of a sweep, day by day, over the series a test gives.

A test that asks for no mail is run in memory by ``replay``; one that does, by real sweeps with a store of its own.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from warning import periods, pipeline
from warning.errors import ConfigError
from warning.intake import import_folder
from warning.model import Event, Level, SeriesKey, Signal
from warning.replay import morning_after, replay
from warning.scoring import Beat, Known, keys_of, wholes_of, window
from warning.service import Deployment, opened, writing_to
from warning.store import alert as alerts_of
from warning.store import outbox
from warning.tuning.rule_tests import LEVELS, Expectation, RuleTest, known_values, read_tests

Colour = tuple[str, Level]  # of a rule


@dataclass(frozen=True)
class Day:
    """What was so of the series after the sweep of a day."""

    levels: Mapping[SeriesKey, Level]
    events: Mapping[SeriesKey, tuple[Event, ...]]
    signals: Mapping[SeriesKey, tuple[Signal, ...]]
    subjects: tuple[str, ...] = ()  # of the mails it wrote


@dataclass(frozen=True)
class Result:
    """How a test went."""

    test: RuleTest
    faults: tuple[str, ...]  # what was otherwise than expected; none: it passed
    coloured: frozenset[Colour] = frozenset()


@dataclass(frozen=True)
class TestRun:
    """All tests of a folder, run."""

    __test__ = False

    results: tuple[Result, ...]
    errors: tuple[ConfigError, ...]  # files that could not be read
    rules: tuple[str, ...]  # of the set, in its order
    levels: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)  # that each rule can give

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.faults)

    @property
    def faults(self) -> list[str]:
        """A line for each file that cannot be read and each test that failed."""
        unread = [f"{error.where}: {fault}" for error in self.errors for fault in error.faults]
        return unread + [f"{one.test.file}: {one.test.name}: {fault}" for one in self.failed for fault in one.faults]

    def covered(self) -> dict[Colour, list[str]]:
        """Return for each level each rule can give the tests in which it did."""
        found: dict[Colour, list[str]] = {(rule, level): [] for rule in self.rules for level in self.levels[rule]}
        for result in self.results:
            for colour in result.coloured & found.keys():
                found[colour].append(result.test.name)
        return found


def run_tests(deployment: Deployment, folder: Path, *, beat: Beat = lambda _: None) -> TestRun:
    """Return how the tests of a folder went, with the rules of a deployment."""
    tests, errors = read_tests(folder, deployment)
    results = []
    for number, test in enumerate(tests, start=1):
        beat(f"{number}/{len(tests)} {test.name}")
        results.append(run_test(deployment, test))
    rules = deployment.rules.rules
    levels = {rule.id: tuple(level for level, _ in rule.levels()) for rule in rules}
    return TestRun(tuple(results), tuple(errors), tuple(rule.id for rule in rules), levels)


def run_test(deployment: Deployment, test: RuleTest, *, swept: bool = False) -> Result:
    """Return how one test went; ``swept``: by real sweeps, whether or not it asks for mails."""
    rules = tuple(rule for rule in deployment.rules.rules if rule.id in test.rules)
    config = deployment.config
    bare = config.model_copy(
        update={"sweep": config.sweep.model_copy(update={"watch": _frequencies(deployment, test)})}
    )
    there = replace(deployment, config=bare, rules=replace(deployment.rules, rules=rules), feeds={})
    days = _swept(there, test) if swept or test.by_mail else _replayed(there, test)
    faults: list[str] = []
    coloured: set[Colour] = set()
    asked = {day: [one for one in test.expected if one.day == day] for day in test.days}
    for day, found in days:
        coloured |= {(signal.rule, signal.level) for signals in found.signals.values() for signal in signals}
        for expectation in asked[day]:
            faults += _otherwise(expectation, found)
    return Result(test, tuple(faults), frozenset(coloured))


def _frequencies(deployment: Deployment, test: RuleTest) -> tuple[str, ...]:
    known = {deployment.city.indicators[one.key.indicator].frequency for one in test.series}
    return tuple(one for one in ("daily", "weekly", "monthly") if one in known)


def _replayed(there: Deployment, test: RuleTest) -> Iterator[tuple[date, Day]]:
    """Yield each day as the replay finds it."""
    frequencies = {one.key: there.city.indicators[one.key.indicator].frequency for one in test.series}

    def source(day: date) -> dict[str, Known]:
        return {frequency: _panel(there, test, day, frequency, frequencies) for frequency in there.config.sweep.watch}

    for found in replay(there, test.days, source):
        missing = {SeriesKey(gap.indicator.id, gap.place.code) for gap in found.gaps}
        key_of = {alert.number: alert.key for alert in (*found.live.values(), *found.touched)}
        yield (
            found.day,
            Day(
                {key: Level.MISSING if key in missing else _active(found.live.get(key)) for key in frequencies},
                _grouped(found.events, key_of),
                _by_key(found.signals),
            ),
        )


def _panel(there: Deployment, test: RuleTest, day: date, frequency: str, frequencies: Mapping[SeriesKey, str]) -> Known:
    dates = window(day, frequency, there.config.sweep.window_years)
    keys = keys_of(there, frequency)
    given = {
        one.key: known_values(one, dates, day, frequency) for one in test.series if frequencies[one.key] == frequency
    }
    nothing = np.full(len(dates), np.nan)
    values = np.column_stack([given.get(key, nothing) for key in keys])
    wholes = {key: given.get(key, nothing) for key in wholes_of(there, frequency) if key not in keys}
    return Known(frequency, dates, keys, values, {key: n for n, key in enumerate(keys)}, wholes)


def _swept(there: Deployment, test: RuleTest) -> Iterator[tuple[date, Day]]:
    """Yield each day as a sweep with a store finds it."""
    with tempfile.TemporaryDirectory(prefix="kapok-test-") as folder:
        apart = writing_to(there, Path(folder))
        with opened(apart) as service:
            feeds = apart.config.path("feeds")
            feeds.mkdir()
            _write(feeds / "series.csv", _arriving(apart, test))
            config, now = apart.config, morning_after(apart, test.days[-1])
            late_after = config.feeds.late_after.model_dump()
            import_folder(service.store, apart.city, feeds, now=now, late_after=late_after, zone=config.zone)
            written: set[str] = set()
            for day in test.days:
                swept = pipeline.sweep(service, day, now=morning_after(apart, day))
                alerts = {alert.number: alert for alert in alerts_of.alerts(service.store)}
                live = {alert.key: alert for alert in alerts_of.live(service.store)}
                key_of = {number: alert.key for number, alert in alerts.items()}
                subjects = [
                    (message.message_id, message.subject)
                    for message in outbox.pending(service.store, morning_after(apart, day) + timedelta(days=1))
                    if message.kind == "alert"
                ]
                told = tuple(subject for number, subject in subjects if number not in written)
                written |= {number for number, _ in subjects}
                signals = {
                    alert.key: tuple(one for one in alert.evidence if one.date == alert.updated)
                    for alert in live.values()
                    if alert.updated >= day - timedelta(days=6)
                }
                levels = {one.key: _active(live.get(one.key)) for one in test.series}
                yield day, Day(levels, _grouped(swept.events, key_of), signals, told)


def _arriving(there: Deployment, test: RuleTest) -> Iterator[tuple[str, str, date, float, datetime]]:
    """Yield what arrives, with its instant: values on the morning after their period, later ones when known."""
    for one in test.series:
        frequency = there.city.indicators[one.key.indicator].frequency
        for n, value in enumerate(one.values.tolist()):
            first = periods.later(one.first, n, frequency)
            if np.isfinite(value):
                yield (*one.key, first, value, _before(there, periods.last_day(first, frequency)))
        for later in one.later:
            if later.value is not None:
                yield (*one.key, periods.first_day(later.date, frequency), later.value, _before(there, later.on))


def _before(there: Deployment, day: date) -> datetime:
    return morning_after(there, day) - timedelta(minutes=30)


def _write(path: Path, rows: Iterable[tuple[str, str, date, float, datetime]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("indicator", "place", "date", "value", "received_at"))
        for indicator, place, day, value, at in sorted(rows, key=lambda row: row[-1]):
            writer.writerow((indicator, place, day, f"{value:.10g}", at.astimezone(UTC).isoformat()))


def _active(alert: object) -> Level:
    level: Level = getattr(alert, "active", Level.CALM)
    return level


def _grouped(events: Sequence[Event], key_of: Mapping[str, SeriesKey]) -> dict[SeriesKey, tuple[Event, ...]]:
    found: dict[SeriesKey, list[Event]] = {}
    for event in events:
        found.setdefault(key_of[event.alert], []).append(event)
    return {key: tuple(some) for key, some in found.items()}


def _by_key(signals: Sequence[Signal]) -> dict[SeriesKey, tuple[Signal, ...]]:
    found: dict[SeriesKey, list[Signal]] = {}
    for signal in signals:
        found.setdefault(signal.key, []).append(signal)
    return {key: tuple(some) for key, some in found.items()}


def _otherwise(expectation: Expectation, found: Day) -> Iterator[str]:
    """Yield what is otherwise than expected, with the numbers that made it so."""
    said, key = expectation.said, expectation.key
    at = f"{said.date} {key.indicator} {key.place}"
    signals = found.signals.get(key, ())
    numbers = "；".join(
        f"{s.rule} {s.level.name.lower()}: observed {s.observed:g}, expected {s.expected:.1f},"
        f" surprise {s.surprise:.2f}"
        for s in signals
    )
    because = f"（{numbers}）" if numbers else ""
    level = found.levels[key]
    if said.level is not None and level is not LEVELS[said.level]:
        yield f"{at}: level is {level.name.lower()}, expected {said.level}{because}"
    happened = [event.transition.value for event in found.events.get(key, ())]
    if said.events is not None and happened != [event.value for event in said.events]:
        expected = ", ".join(event.value for event in said.events) or "nothing"
        yield f"{at}: events are {', '.join(happened) or 'nothing'}, expected {expected}{because}"
    if said.rule and said.rule not in {signal.rule for signal in signals}:
        yield f"{at}: {said.rule} says nothing{because}"
    if said.mail is not None and bool(found.subjects) is not said.mail:
        yield f"{at}: {len(found.subjects)} mail(s) written, expected {'some' if said.mail else 'none'}{because}"
    if said.subject and not any(said.subject in subject for subject in found.subjects):
        yield f"{at}: no mail's subject holds {said.subject!r}; found {list(found.subjects)}"
