"""What is wrong with one rule: asked of the rule itself, of the city it names, and of the methods it judges by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import cache

import numpy as np

from detectors import AMONG_SIBLINGS, DETECTORS, OF_A_WHOLE
from detectors.panel import Panel, Reason
from detectors.rank import FEWEST
from warning.checked import suggestion
from warning.city import City
from warning.condition import NUMBERS, Condition
from warning.rule import OWN, Policy, Rule, series_of, vocabulary

TRIALS = {  # dates at least as long as the usual three-year window, and as many weeks as days
    "daily": np.arange(np.datetime64("2023-01-02"), np.datetime64("2026-01-05")),
    "weekly": np.arange(np.datetime64("2005-01-03"), np.datetime64("2026-01-05"), 7),
    "monthly": np.arange(np.datetime64("2006-01"), np.datetime64("2026-01")).astype("datetime64[D]"),
}
JUDGED_BY_ALL = {("weekly", "count"): None}
ABOUT = {"indicator": "indicators", "place": "places", "thresholds": "red", "rule": "id", "no": "id"}  # by first word
_WORDS = {"int": "a whole number", "float": "a number", "str": "a text in quotation marks", "bool": "true or false"}
LINE = 80  # characters of a line of checks
ANY_AREA = "all"  # of a file whose rules judge several areas


def faults_of_rule(rule: Rule, area: str, city: City | None) -> Iterator[str]:
    """Yield what is wrong with a rule of the right form; without a city, what needs none to be seen."""
    if not rule.name_zh.strip():
        yield "name_zh is empty; mails and pages show it"
    for name, texts in (("checks", rule.checks), ("departments", rule.departments)):
        yield from _faults_of_texts(name, texts)
    if city is not None:
        yield from _faults_of_indicators(rule, area, city)
        yield from _faults_of_places(rule, city)
    for where, policy in _policies(rule):
        if policy.raise_after > policy.within:
            yield f"{where}raise_after = {policy.raise_after} can never be reached in within = {policy.within}"
        yield from (where + fault for fault in _faults_of_levels(policy, rule, city))
        yield from (where + fault for fault in _faults_of_days(policy, rule, city))
    for name, view in rule.views.items():
        yield from (f"methods.{name}." * (name != OWN) + fault for fault in _faults_of_method(view, city))


def about(fault: str) -> tuple[str | int, ...]:
    """Return the key of a rule a fault is about, as far as its words tell."""
    words = re.match(r"(?:override (\d+): )?([a-z_0-9]+(?:\.[a-z_0-9]+)*)", fault)
    if words is None:
        return ()
    inside: tuple[str | int, ...] = () if words[1] is None else ("override", int(words[1]) - 1)
    keys = tuple(words[2].split("."))
    first = ABOUT.get(keys[0])
    if first is not None:
        return (*inside, first)
    return (*inside, *keys)


def _faults_of_texts(name: str, texts: tuple[str, ...]) -> Iterator[str]:
    for n, text in enumerate(texts, start=1):
        if not text.strip():
            yield f"{name}: line {n} is empty"
        elif len(text) > LINE:
            yield f"{name}: line {n} has {len(text)} characters, at most {LINE}; mails and pages show it whole"
        elif any(unicodedata.category(sign).startswith("C") for sign in text):
            yield f"{name}: line {n} holds control characters or a line break; write plain text"


def _policies(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield the rule as it holds everywhere else, and as it holds in the places of each exception."""
    yield "", rule
    for n, one in enumerate(rule.override, start=1):
        if not one.off:
            yield f"override {n}: ", rule.at(one.places[0])


def _faults_of_method(view: Rule, city: City | None) -> Iterator[str]:
    if view.detector not in DETECTORS:
        yield f"detector {view.detector!r} is unknown; known: {', '.join(sorted(DETECTORS))}"
        return
    yield from _faults_of_parameters(view) or _faults_of_judging(view, city)
    if city is not None and "line_per_10000" in view.parameters:
        yield from _faults_of_persons("parameters.line_per_10000", view, city)
    yield from _faults_of_whole(view, city)
    if city is not None and view.detector in AMONG_SIBLINGS:
        yield from _faults_of_siblings(view, city)


def _faults_of_indicators(rule: Rule, area: str, city: City) -> Iterator[str]:
    if not rule.indicators:
        yield "indicators is empty; name at least one"
    yield from _repeated("indicators", rule.indicators)
    for name in rule.indicators:
        if name not in city.indicators:
            yield f"indicator {name!r} is unknown{suggestion(name, city.indicators)}"
        elif city.indicators[name].level2 != area != ANY_AREA:
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
    named = (*rule.places, *rule.without_places, *(code for one in rule.override for code in one.places))
    for code in dict.fromkeys(named):
        if code not in city.places:
            yield f"place {code!r} is unknown{suggestion(code, city.places)}"
        elif code not in rule.places and (rule.places or city.places[code].tier != rule.tier):
            yield f"place {code!r} is none of those the rule judges"
    if named and not series_of(rule, city) and rule.indicators:
        yield "the rule judges no place; all of them are left out"


def _repeated(what: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{what}: {name!r} stands there twice"


def _faults_of_levels(policy: Policy, rule: Rule, city: City | None) -> Iterator[str]:
    colours = {"yellow": policy.yellow, "orange": policy.orange, "red": policy.red}
    levels = {name: evidence for name, evidence in colours.items() if evidence is not None}
    if not levels:
        yield "no colour is given; write [rule.yellow], [rule.orange] or [rule.red]"
    scaled: set[str] = set()
    for colour, evidence in levels.items():
        if not any(table.asked() for table in Condition.tables(evidence)):
            yield "a colour without any condition would always be on"
        elif any(not _asks(table) for table in (*evidence.all, *evidence.any)):
            yield f"{colour}: a table of all or any asks for nothing"
        for table in evidence.tables():
            if table.method not in rule.views:
                yield f"{colour}: method {table.method!r} is unknown{suggestion(table.method, rule.methods)}"
            scaled |= {name for name in ("line", "per_10000") if getattr(table, name) is not None} - (
                {"line"} if table.scale == "usual" else set()
            )
        yield from _faults_of_lower(colour, evidence.lower, evidence)
    for name in NUMBERS:
        found = [evidence.asked()[name] for evidence in levels.values() if name in evidence.asked()]
        if found != sorted(found):
            yield f"thresholds must rise from yellow to red, found {name} = {found}"
    if city is not None and policy is rule:
        for name in sorted(scaled):
            yield from _faults_of_persons(name, rule, city)


def _asks(table: Condition) -> bool:
    return any(one.asked() for one in table.tables())


def _faults_of_lower(colour: str, lower: Condition | None, evidence: Condition) -> Iterator[str]:
    if lower is None:
        return
    if not _asks(lower):
        yield f"{colour}.lower asks for nothing: the colour would never fall"
    for name, value in lower.asked().items():
        if lower.method == evidence.method and value > evidence.asked().get(name, value):
            yield f"{colour}.lower.{name} = {value:g} is above {colour}.{name} = {evidence.asked()[name]:g}"


def _faults_of_days(policy: Policy, rule: Rule, city: City | None) -> Iterator[str]:
    known = set() if city is None else {city.indicators[n].frequency for n in rule.indicators if n in city.indicators}
    if policy.active.days and known - {"daily"}:
        yield f"active.days: {', '.join(sorted(known - {'daily'}))} indicators have no kind of day; leave it out"


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


def _faults_of_persons(key: str, rule: Rule, city: City) -> Iterator[str]:
    for name in rule.indicators:
        if name not in city.indicators:
            continue
        if not city.indicators[name].denominator.endswith("/10000"):
            yield (
                f"{key}: {name!r} is not counted per 10,000 persons;"
                " give it a denominator in indicators.csv, e.g. resident_population/10000"
            )
            continue
        for _, place in (key for key in series_of(rule, city) if key.indicator == name):
            if place in city.places and city.denominator_of(name, place, year=date.max.year) is None:
                yield f"{key}: population.csv lacks {place!r} for the denominator of {name!r}"


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
