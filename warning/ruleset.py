"""Rule files into checked, frozen objects.

What a ``[defaults]`` table says holds for every rule that does not say otherwise: that of ``defaults.toml`` for all
files, that of a file for its own rules.  All faults of all files are reported at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from warning.budget import Budget
from warning.checked import Checked, Model, located_faults, read_toml_text, suggestion
from warning.city import City
from warning.errors import ConfigError, Fault, together
from warning.model import Indicator
from warning.placecolour import PlaceColours
from warning.positions import Path as Keys
from warning.positions import line_of, lines_of
from warning.rule import SELECTING, Rule, Ruleset
from warning.rule_faults import about, faults_of_rule

DEFAULTS, DISTRICT, BUDGET = "defaults.toml", "district.toml", "budget.toml"
OTHERS = (DEFAULTS, DISTRICT, BUDGET)  # files of the folder that hold no rules
ANY = "all"  # the area of a file whose rules judge several
OFF = "off"  # a colour of the defaults that a rule does without
JUDGING = ("parameters", "denominator", "methods")  # say nothing to another detector than that they stand with
A_RULE = {"id": "a.rule", "name_zh": "规则", "indicators": (), "detector": "outbreak"}  # to try defaults with


class AreaFile(Checked):
    """One rule file: the rules of a level-2 area, or of several ("all"), each checked by itself."""

    area: str
    checks: tuple[str, ...] = ()  # 核查要点 of the area, for each of its rules that has none of its own
    defaults: Mapping[str, Any] = {}
    rule: tuple[Mapping[str, Any], ...] = ()


class DefaultsFile(Checked):
    """``defaults.toml``: what holds for the rules of every file."""

    defaults: Mapping[str, Any] = {}


@dataclass
class _Read:
    """What was read of the files so far."""

    defaults: Mapping[str, Any]
    rules: list[Rule]
    files: dict[str, str]
    errors: list[ConfigError]


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
    digest = hashlib.sha256()
    contents: dict[Path, _Content] = {}
    read = _Read({}, [], {}, [])
    for path in paths:
        try:
            contents[path] = _Content(*read_toml_text(path))
            digest.update(path.name.encode() + b"\0" + contents[path].text.encode())
        except ConfigError as error:
            read.errors.append(error)
    colours, budget = _special(folder, contents, read)
    for path, content in contents.items():
        if path.name not in OTHERS:
            _read_area(path, content, city, read)
    read.errors.sort(key=lambda error: error.where)
    return Ruleset(tuple(read.rules), colours, digest.hexdigest()[:8], read.files, budget), read.errors


@dataclass(frozen=True)
class _Content:
    """A file as it was parsed, and as it stands there."""

    parsed: Mapping[str, Any]
    text: str

    @cached_property
    def lines(self) -> Mapping[Keys, int]:
        return lines_of(self.text)

    def fault(self, text: str, path: Keys, rule: str = "") -> Fault:
        """Return a fault with the line of what it is about, or of what that stands in."""
        return Fault(text, line=line_of(self.lines, path), rule=rule)

    def as_a(self, where: str, model: type[Model]) -> Model:
        """Return the content as a model.

        Raises:
            ConfigError: with every fault, if it does not fit.
        """
        try:
            return model.model_validate(self.parsed)
        except ValidationError as error:
            faults = [self.fault(text, path) for path, text in located_faults(error, model)]
            raise ConfigError(where, faults) from error


def _special(folder: Path, contents: Mapping[Path, _Content], read: _Read) -> tuple[PlaceColours, Budget]:
    """Take up what the files say that hold no rules."""
    colours, budget = PlaceColours(), Budget()
    for name in OTHERS:
        path = folder / name
        if path not in contents:
            continue
        try:
            if name == DISTRICT:
                colours = contents[path].as_a(str(path), PlaceColours)
            elif name == BUDGET:
                budget = contents[path].as_a(str(path), Budget)
            else:
                said = contents[path].as_a(str(path), DefaultsFile).defaults
                read.defaults, wrong = _defaults(said, contents[path])
                if wrong:
                    read.errors.append(ConfigError(str(path), wrong))
        except ConfigError as error:
            read.errors.append(error)
    return colours, budget


def _read_area(path: Path, content: _Content, city: City | None, read: _Read) -> None:
    try:
        area = content.as_a(str(path), AreaFile)
    except ConfigError as error:
        read.errors.append(error)
        return
    found, wrong = _rules_of(area, content, city, read)
    read.rules += found
    read.files |= {rule.id: path.name for rule in found}
    if wrong:
        read.errors.append(ConfigError(str(path), wrong))


def _rules_of(file: AreaFile, content: _Content, city: City | None, read: _Read) -> tuple[list[Rule], list[Fault]]:
    """Return the rules of a file that have the right form, and the faults of all."""
    faults = []
    areas = set() if city is None else {indicator.level2 for indicator in city.indicators.values()}
    if areas and file.area not in areas | {ANY}:
        said = f"area {file.area!r} is not a level-2 area{suggestion(file.area, areas)}"
        faults.append(content.fault(said, ("area",)))
    own, wrong = _defaults(file.defaults, content)
    faults += wrong
    defaults = _over(read.defaults, {"checks": file.checks, **own} if file.checks else own)
    taken = {view.id: read.files[rule.id] for rule in read.rules for view in rule.views.values()}
    rules: list[Rule] = []
    for number, written in enumerate(file.rule):
        name, here = str(written.get("id", f"rule {number + 1}")), ("rule", number)
        try:
            rule = Rule.model_validate(_with(defaults, written))
        except ValidationError as error:
            found = located_faults(error, Rule)
            faults += [content.fault(f"{name}: {fault}", (*here, *path), name) for path, fault in found]
            continue
        for identifier in (view.id for view in rule.views.values()):
            if identifier in taken:
                there = f", also in {taken[identifier]}" if taken[identifier] else ""
                faults.append(content.fault(f"rule {identifier!r} is defined twice{there}", (*here, "id"), rule.id))
            taken[identifier] = ""
        rule, unselected = _resolved(rule, city)
        rules.append(rule)
        for fault in (*unselected, *faults_of_rule(rule, file.area, city)):
            faults.append(content.fault(f"{rule.id}: {fault}", (*here, *about(fault)), rule.id))
    return rules, faults


def _defaults(said: Mapping[str, Any], content: _Content) -> tuple[Mapping[str, Any], list[Fault]]:
    """Return the defaults that have the right form, and the faults of the others."""
    found, faults = dict(said), []
    for name in ("id", "name_zh", "name_en"):
        if found.pop(name, None) is not None:
            faults.append(content.fault(f"defaults.{name}: every rule has its own; leave it out", ("defaults", name)))
    try:
        Rule.model_validate(_with(found, A_RULE))
    except ValidationError as error:
        for path, fault in located_faults(error, Rule):
            faults.append(content.fault(f"defaults.{fault}", ("defaults", *path)))
            found.pop(str(path[0]) if path else "", None)
    return found, faults


def _over(general: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both say; where both do, what the special one says."""
    kept = {name: value for name, value in general.items() if "detector" not in special or name not in JUDGING}
    if "tier" in special or "places" in special:
        kept = {name: value for name, value in kept.items() if name not in ("tier", "places")}
    return {**kept, **special}


def _with(defaults: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _over(defaults, content).items() if value != OFF}


def _resolved(rule: Rule, city: City | None) -> tuple[Rule, list[str]]:
    """Return the rule with the indicators it selects by area, dimension or tag, and what is wrong with selecting."""
    selecting = [text for text in rule.indicators if ":" in text]
    if not selecting and not rule.without_indicators:
        return rule, []
    if city is None:
        return rule.model_copy(update={"indicators": tuple(t for t in rule.indicators if ":" not in t)}), []
    found, faults = dict[str, None](), []
    for text in rule.indicators:
        if ":" not in text:
            found[text] = None
            continue
        chosen = list(_selected(text, rule, city))
        found |= dict.fromkeys(chosen)
        word, _, value = text.partition(":")
        if word not in SELECTING:
            faults.append(f"indicators: {text!r} selects by {word!r}{suggestion(word, SELECTING)}")
        elif not chosen:
            known = {one for indicator in city.indicators.values() for one in _marks(word, indicator)}
            faults.append(f"indicators: {text!r} selects no watched indicator{suggestion(value, known)}")
    for name in rule.without_indicators:
        if found.pop(name, name) is not None:
            faults.append(f"without_indicators: {name!r} is none of those that are selected{suggestion(name, found)}")
    return rule.model_copy(update={"indicators": tuple(found), "without_indicators": ()}), faults


def _selected(text: str, rule: Rule, city: City) -> Iterator[str]:
    word, _, value = text.partition(":")
    for indicator in city.indicators.values():
        asked = indicator.watch and value in _marks(word, indicator)
        if asked and rule.frequency in (None, indicator.frequency) and rule.kind in (None, indicator.kind):
            yield indicator.id


def _marks(word: str, indicator: Indicator) -> tuple[str, ...]:
    """Return what an indicator can be selected by."""
    found = {"level2": (indicator.level2,), "dimension": (indicator.dimension,), "tag": indicator.tags}
    return found.get(word, ())
