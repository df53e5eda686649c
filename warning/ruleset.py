"""Rule files into checked, frozen objects.

A rule names indicators, places, a detector with its parameters, and for each
colour the evidence that must be there *together*.  The keyword-only parameters
of a detector are the vocabulary: a name or a type the function does not know is
a fault of the file.  All faults of all files are reported at once.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError

from detectors import DETECTORS, GIVEN
from detectors.panel import Panel
from warning.checked import Checked, checked, faults_of, read_toml, suggestion
from warning.city import City
from warning.errors import ConfigError, together
from warning.model import Indicator, Level, SeriesKey

TRIAL = np.arange(np.datetime64("2023-01-02"), np.datetime64("2026-01-05"))  # as long as the usual three-year window
_WORDS = {"int": "a whole number", "float": "a number", "str": "a text in quotation marks", "bool": "true or false"}
COLOURED = (Level.YELLOW, Level.ORANGE, Level.RED)


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", text):
        raise ValueError(f"{text!r} is not of the form 'area.name', in small letters, digits and _")
    return text


class Evidence(Checked):
    """What must hold together for one colour; an absent condition is not asked for.

    Units: surprise in powers of ten, ratio observed / expected (expected / observed for a
    fall), extra in the indicator's unit (percentage points for a ratio), at_least on the judged value.
    """

    surprise: Annotated[float, Field(gt=0)] | None = None
    ratio: Annotated[float, Field(gt=1)] | None = None
    extra: Annotated[float, Field(gt=0)] | None = None
    at_least: Annotated[float, Field(gt=0)] | None = None

    def asked(self) -> dict[str, float]:
        """Return the conditions that are asked for, by name."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Rule(Checked):
    """One rule of a file."""

    id: Annotated[str, AfterValidator(_identifier)]
    name_zh: str
    name_en: str = ""
    indicators: tuple[str, ...]
    tier: str = ""  # every place of this tier, or
    places: tuple[str, ...] = ()  # these places
    detector: str
    parameters: Mapping[str, Any] = {}  # checked against the detector's signature
    direction: Literal["risk", "rise", "fall"] = "risk"  # risk: the way the indicator's polarity fears
    hits: Annotated[int, Field(ge=1)] = 1  # the evidence must hold in `hits` of the last `of` separate windows
    of: Annotated[int, Field(ge=1)] = 1
    quiet: Annotated[int, Field(ge=1)] = 3  # separate windows below a level before it falls
    yellow: Evidence | None = None
    orange: Evidence | None = None
    red: Evidence | None = None

    @property
    def window(self) -> int:
        """Steps summed into one judged value."""
        found = self.parameters.get("window", _default(self.detector, "window", 1))
        return int(found) if self.detector != "changepoint" else 1

    def levels(self) -> Iterator[tuple[Level, Evidence]]:
        """Yield the colours the rule can give, yellow first."""
        for level, evidence in zip(COLOURED, (self.yellow, self.orange, self.red), strict=True):
            if evidence is not None:
                yield level, evidence

    def sign(self, indicator: Indicator) -> int:
        """Return +1 where the rule looks for rises of the indicator, -1 for falls."""
        return indicator.risk_sign if self.direction == "risk" else {"rise": 1, "fall": -1}[self.direction]


class AreaFile(Checked):
    """One rule file: the rules of a level-2 area, each checked by itself."""

    area: str
    rule: tuple[Mapping[str, Any], ...] = ()


class Colour(Checked):
    """How many live alerts give a place a colour; any one condition is enough."""

    red: Annotated[int, Field(ge=1)] | None = None
    orange: Annotated[int, Field(ge=1)] | None = None
    yellow: Annotated[int, Field(ge=1)] | None = None
    orange_areas: Annotated[int, Field(ge=1)] | None = None  # level-2 areas with an alert of orange or red
    yellow_areas: Annotated[int, Field(ge=1)] | None = None  # level-2 areas with any live alert


class PlaceColours(Checked):
    """``district.toml``: from alerts to the colour of a place on the map."""

    red: Colour = Colour(red=1, orange_areas=3)
    orange: Colour = Colour(orange=1)
    yellow: Colour = Colour(yellow=2)
    missing_share: Annotated[float, Field(gt=0, le=1)] = 0.5  # of watched series, from which a calm place is grey


@dataclass(frozen=True)
class Ruleset:
    """All rules of a deployment; ``version`` changes with any byte of any file."""

    rules: tuple[Rule, ...]
    colours: PlaceColours
    version: str
    files: Mapping[str, str] = field(default_factory=dict)  # rule -> name of the file it stands in

    def rule(self, identifier: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == identifier)


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


def series_of(rule: Rule, city: City) -> tuple[SeriesKey, ...]:
    """Return the series a rule judges, indicators in the rule's order, places in the city's."""
    places = rule.places or tuple(place.code for place in city.at_tier(rule.tier))
    return tuple(SeriesKey(indicator, place) for indicator in rule.indicators for place in places)


def alpha_of(rule: Rule) -> float | None:
    """Return the tail probability of a rule's bounds, None where its detector has no such parameter."""
    default = vocabulary(rule.detector)["alpha"].default if "alpha" in vocabulary(rule.detector) else None
    found = rule.parameters.get("alpha", default)
    return float(found) if isinstance(found, int | float) else None


def vocabulary(detector: str) -> dict[str, inspect.Parameter]:
    """Return the parameters a rule may set for a detector."""
    parameters = inspect.signature(DETECTORS[detector]).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN}


def _default(detector: str, name: str, otherwise: int) -> Any:
    if detector not in DETECTORS or name not in vocabulary(detector):
        return otherwise
    return vocabulary(detector)[name].default


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
    yield from _faults_of_parameters(rule) or _refusal(rule.detector, tuple(sorted(rule.parameters.items())))


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


@cache
def _refusal(detector: str, parameters: tuple[tuple[str, bool | int | float | str], ...]) -> list[str]:
    """What the detector itself says of parameters, asked about a series nobody reported."""
    nothing = Panel(dates=TRIAL, series=[""], values=np.full((len(TRIAL), 1), np.nan))
    try:
        DETECTORS[detector](nothing, last=1, **dict(parameters))
    except ValueError as error:
        return [f"parameters: {error}"]
    return []


def _fits(value: object, annotation: str) -> bool:
    types = {part.strip() for part in annotation.split("|")}
    if isinstance(value, bool):
        return "bool" in types
    if isinstance(value, int):
        return bool(types & {"int", "float"})
    if isinstance(value, float):
        return "float" in types
    return isinstance(value, str) and ("str" in types or annotation.startswith("Literal"))
