"""Rule files into checked, frozen objects.

A name or a type a rule's detector does not know is a fault of the file.  All faults of all files
are reported at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from detectors import AMONG_SIBLINGS, DETECTORS, OF_A_WHOLE
from detectors.panel import Panel, Reason
from detectors.rank import FEWEST
from warning.checked import Checked, checked, faults_of, read_toml, suggestion
from warning.city import City
from warning.errors import ConfigError, together
from warning.rule import Evidence, PlaceColours, Rule, Ruleset, series_of, vocabulary

TRIALS = {  # dates at least as long as the usual three-year window, and as many weeks as days
    "daily": np.arange(np.datetime64("2023-01-02"), np.datetime64("2026-01-05")),
    "weekly": np.arange(np.datetime64("2005-01-03"), np.datetime64("2026-01-05"), 7),
    "monthly": np.arange(np.datetime64("2006-01"), np.datetime64("2026-01")).astype("datetime64[D]"),
}
JUDGED_BY_ALL = {("weekly", "count"): None}
_WORDS = {"int": "a whole number", "float": "a number", "str": "a text in quotation marks", "bool": "true or false"}


class AreaFile(Checked):
    """One rule file: the rules of a level-2 area, each checked by itself."""

    area: str
    rule: tuple[Mapping[str, Any], ...] = ()


def load_rules(folder: Path, city: City) -> Ruleset:
    """Read every rule file of a folder and check it against the city and the detectors.

    Raises:
        ConfigError: with every fault of every file at once.
    """
    rules, errors = read_rules(folder, city)
    if errors:
        raise together(errors)
    return rules


def read_rules(folder: Path, city: City | None) -> tuple[Ruleset, list[ConfigError]]:
    """Return the rules that have the right form, and one error for each file with faults.

    Without a city what needs one (areas, indicators, places) is not checked.
    """
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        lacking = "the folder has no rule files (*.toml); copy the shipped ones with `kapok init`"
        return Ruleset((), PlaceColours(), "", {}), [ConfigError(str(folder), [lacking])]
    errors: list[ConfigError] = []
    rules: list[Rule] = []
    files: dict[str, str] = {}
    colours = PlaceColours()
    digest = hashlib.sha256()
    for path in paths:
        try:
            content = read_toml(path)
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
            if path.name == "district.toml":
                colours = checked(str(path), content, PlaceColours)
                continue
            area = checked(str(path), content, AreaFile)
        except ConfigError as error:
            errors.append(error)
            continue
        found, wrong = _rules_of(area, city, {rule.id for rule in rules})
        rules += found
        files |= {rule.id: path.name for rule in found}
        if wrong:
            errors.append(ConfigError(str(path), wrong))
    return Ruleset(tuple(rules), colours, digest.hexdigest()[:8], files), errors


def _rules_of(file: AreaFile, city: City | None, taken: set[str]) -> tuple[list[Rule], list[str]]:
    """Return the rules of a file that have the right form, and the faults of all."""
    faults = []
    areas = set() if city is None else {indicator.level2 for indicator in city.indicators.values()}
    if areas and file.area not in areas:
        faults.append(f"area {file.area!r} is not a level-2 area{suggestion(file.area, areas)}")
    rules: list[Rule] = []
    for number, content in enumerate(file.rule, start=1):
        name = content.get("id", f"rule {number}")
        try:
            rule = Rule.model_validate(content)
        except ValidationError as error:
            faults += [f"{name}: {fault}" for fault in faults_of(error, Rule)]
            continue
        if rule.id in taken:
            faults.append(f"rule {rule.id!r} is defined twice")
        rules.append(rule)
        taken.add(rule.id)
        faults += [f"{rule.id}: {fault}" for fault in _faults_of_rule(rule, file.area, city)]
    return rules, faults


def _faults_of_rule(rule: Rule, area: str, city: City | None) -> Iterator[str]:
    if not rule.name_zh.strip():
        yield "name_zh is empty; mails and pages show it"
    if city is not None:
        yield from _faults_of_indicators(rule, area, city)
        yield from _faults_of_places(rule, city)
    if rule.hits > rule.of:
        yield f"hits = {rule.hits} can never be reached in of = {rule.of}"
    yield from _faults_of_levels(rule)
    if rule.detector not in DETECTORS:
        yield f"detector {rule.detector!r} is unknown; known: {', '.join(sorted(DETECTORS))}"
        return
    yield from _faults_of_parameters(rule) or _faults_of_judging(rule, city)
    if city is not None and "line_per_10000" in rule.parameters:
        yield from _faults_of_persons(rule, city)
    yield from _faults_of_whole(rule, city)
    if city is not None and rule.detector in AMONG_SIBLINGS:
        yield from _faults_of_siblings(rule, city)


def _faults_of_indicators(rule: Rule, area: str, city: City) -> Iterator[str]:
    if not rule.indicators:
        yield "indicators is empty; name at least one"
    yield from _repeated("indicators", rule.indicators)
    for name in rule.indicators:
        if name not in city.indicators:
            yield f"indicator {name!r} is unknown{suggestion(name, city.indicators)}"
        elif city.indicators[name].level2 != area:
            yield f"indicator {name!r} belongs to area {city.indicators[name].level2!r}, not {area!r}"
        elif not city.indicators[name].watch:
            yield f"indicator {name!r} is not watched; set watch = true in indicators.csv or leave it out"
    if len({city.indicators[n].frequency for n in rule.indicators if n in city.indicators}) > 1:
        yield "indicators have different frequencies; write one rule for each"


def _faults_of_places(rule: Rule, city: City) -> Iterator[str]:
    if bool(rule.tier) == bool(rule.places):
        yield "give either tier or places"
    if rule.tier and not city.at_tier(rule.tier):
        yield f"tier {rule.tier!r} has no places{suggestion(rule.tier, {p.tier for p in city.places.values()})}"
    yield from _repeated("places", rule.places)
    for code in rule.places:
        if code not in city.places:
            yield f"place {code!r} is unknown{suggestion(code, city.places)}"


def _repeated(what: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{what}: {name!r} stands there twice"


def _faults_of_levels(rule: Rule) -> Iterator[str]:
    levels = list(rule.levels())
    if not levels:
        yield "no colour is given; write [rule.yellow], [rule.orange] or [rule.red]"
    for _, evidence in levels:
        if not evidence.asked():
            yield "a colour without any condition would always be on"
    for name in Evidence.model_fields:
        found = [evidence.asked()[name] for _, evidence in levels if name in evidence.asked()]
        if found != sorted(found):
            yield f"thresholds must rise from yellow to red, found {name} = {found}"


def _faults_of_parameters(rule: Rule) -> list[str]:
    known = vocabulary(rule.detector)
    faults = []
    for name, value in rule.parameters.items():
        if name not in known:
            faults.append(f"parameters.{name} is not a parameter of {rule.detector!r}{suggestion(name, known)}")
            continue
        wanted = str(known[name].annotation)
        if not _fits(value, wanted):
            faults.append(
                f"parameters.{name}: expected {_WORDS.get(wanted.removesuffix(' | None'), wanted)}, found {value!r}"
            )
    return faults


def _faults_of_persons(rule: Rule, city: City) -> Iterator[str]:
    for name in rule.indicators:
        if name not in city.indicators:
            continue
        if not city.indicators[name].denominator.endswith("/10000"):
            yield (
                f"parameters.line_per_10000: {name!r} is not counted per 10,000 persons;"
                " give it a denominator in indicators.csv, e.g. resident_population/10000"
            )
            continue
        for _, place in (key for key in series_of(rule, city) if key.indicator == name):
            if place in city.places and city.denominator_of(name, place, year=date.max.year) is None:
                yield f"parameters.line_per_10000: population.csv lacks {place!r} for the denominator of {name!r}"


def _faults_of_whole(rule: Rule, city: City | None) -> Iterator[str]:
    if rule.detector not in OF_A_WHOLE:
        if rule.denominator:
            yield f"denominator: {rule.detector!r} judges no share of a whole; leave it out"
        return
    if not rule.denominator:
        yield f"denominator is missing; {rule.detector!r} needs the indicator its values are a share of"
        return
    if city is None:
        return
    whole = city.indicators.get(rule.denominator)
    if whole is None:
        yield f"denominator: indicator {rule.denominator!r} is unknown{suggestion(rule.denominator, city.indicators)}"
        return
    if whole.kind != "count":
        yield f"denominator: {whole.id!r} is a {whole.kind}, a whole is a count"
    for name in rule.indicators:
        if name in city.indicators and city.indicators[name].frequency != whole.frequency:
            yield (
                f"denominator: {whole.id!r} is {whole.frequency}, {name!r} is {city.indicators[name].frequency};"
                " a part and its whole come at the same dates"
            )


def _faults_of_siblings(rule: Rule, city: City) -> Iterator[str]:
    named = {key.place for key in series_of(rule, city)} & city.places.keys()
    for above in dict.fromkeys(city.places[code].parent for code in sorted(named)):
        siblings = {city.root} if above is None else set(city.children[above])
        where = "places" if rule.places else "tier"
        if len(siblings) < FEWEST:
            yield (
                f"{where}: {min(named & siblings)!r} has too few siblings for {rule.detector!r}:"
                f" {len(siblings) - 1}, needs {FEWEST - 1}"
            )
        elif lacking := sorted(siblings - named):
            yield (
                f"{where}: {rule.detector!r} ranks all places of {above!r} among each other; add {', '.join(lacking)}"
            )


def _faults_of_judging(rule: Rule, city: City | None) -> Iterator[str]:
    known = [] if city is None else [city.indicators[name] for name in rule.indicators if name in city.indicators]
    alike = {(indicator.frequency, indicator.kind): None for indicator in known} or JUDGED_BY_ALL
    parameters = tuple(sorted(rule.parameters.items()))
    faults = (_refusal(rule.detector, parameters, frequency, kind) for frequency, kind in alike)
    yield from dict.fromkeys(fault for fault in faults if fault is not None)


@cache
def _refusal(
    detector: str, parameters: tuple[tuple[str, bool | int | float | str], ...], frequency: str, kind: str
) -> str | None:
    """Return why a detector could never judge such series, asked itself about siblings that were reported once."""
    dates = TRIALS[frequency]
    values = np.full((len(dates), FEWEST), np.nan)
    values[-1] = 1.0
    panel = Panel(dates, list(range(FEWEST)), values, frequency, kind, denominators=np.ones_like(values))
    try:
        scores = DETECTORS[detector](panel, last=1, **dict(parameters))
    except ValueError as error:
        return f"parameters: {error}"
    if (scores.reason == Reason.NOT_SUITED).all():
        return f"detector: {detector!r} judges no {frequency} {kind}{' with these parameters' if parameters else ''}"
    return None


def _fits(value: object, annotation: str) -> bool:
    types = {part.strip() for part in annotation.split("|")}
    if isinstance(value, bool):
        return "bool" in types
    if isinstance(value, int):
        return bool(types & {"int", "float"})
    if isinstance(value, float):
        return "float" in types
    return isinstance(value, str) and ("str" in types or annotation.startswith("Literal"))
