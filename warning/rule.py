"""What a rule is: indicators, places, methods with their parameters, and the evidence for each colour.

The keyword-only parameters of a detector are the vocabulary of its rules.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from detectors import DETECTORS, GIVEN
from warning.active import Active
from warning.budget import Budget
from warning.checked import Checked
from warning.city import City
from warning.condition import Condition, Evidence
from warning.duration import Duration, duration
from warning.model import Indicator, Level, SeriesKey, Signal
from warning.placecolour import PlaceColours

COLOURED = (Level.YELLOW, Level.ORANGE, Level.RED)
LINES = ("line", "line_times", "line_per_10000")  # parameters that draw one
SELECTING = ("level2", "dimension", "tag")  # words that select indicators, "level2:ss_po"
OWN = ""  # the name of a rule's own method


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", text):
        raise ValueError(f"{text!r} is not of the form 'area.name', in small letters, digits and _")
    return text


def _time(text: str) -> str:
    duration(text)
    return text


Time = Annotated[str, AfterValidator(_time)]


class Method(Checked):
    """A way of judging: a detector with its parameters."""

    detector: str
    parameters: Mapping[str, Any] = {}  # checked against the detector's signature
    denominator: str = ""  # the indicator that is the whole, where the detector judges a share of one


class Times(Checked):
    """Until when an alert of a level is to be handled, counted from when it reached it: "30 min", "1 workday"."""

    sign: Time | None = None  # 签收
    verify: Time | None = None  # 核实
    plan: Time | None = None  # 反馈处置方案

    def of(self, step: str) -> Duration | None:
        """Return the time for one step, None where there is none."""
        text: str | None = getattr(self, step)
        return None if text is None else duration(text)


class Response(Checked):
    """The times for each level; what is left out is as the service has it."""

    yellow: Times = Times()
    orange: Times = Times()
    red: Times = Times()

    def at(self, level: Level) -> Times:
        return {Level.YELLOW: self.yellow, Level.ORANGE: self.orange, Level.RED: self.red}.get(level, Times())


class Policy(Checked):
    """What may be another in another place."""

    direction: Literal["risk", "rise", "fall"] = "risk"  # risk: the way the indicator's polarity fears
    raise_after: Annotated[int, Field(ge=1)] = 1  # the evidence must hold in so many
    within: Annotated[int, Field(ge=1)] = 1  # of the last so many separate windows
    lower_after: Annotated[int, Field(ge=1)] = 3  # separate windows below a level before it falls
    stay: Annotated[int, Field(ge=0)] = 0  # separate windows a level lasts at least
    active: Active = Active()
    yellow: Evidence | None = None
    orange: Evidence | None = None
    red: Evidence | None = None


class Override(Policy):
    """What holds in some places in the stead of what the rule says; what is left out is as there."""

    places: Annotated[tuple[str, ...], Field(min_length=1)]
    off: bool = False  # the rule does not judge them


class Rule(Policy):
    """One rule of a file."""

    id: Annotated[str, AfterValidator(_identifier)]
    name_zh: str
    name_en: str = ""
    indicators: tuple[str, ...]  # ids, or "level2:…", "dimension:…", "tag:…" for all watched ones of these
    frequency: Literal["daily", "weekly", "monthly"] | None = None  # of those that are selected
    kind: Literal["count", "amount", "ratio", "rate", "score"] | None = None  # of those that are selected
    without_indicators: tuple[str, ...] = ()
    tier: str = ""  # every place of this tier, or
    places: tuple[str, ...] = ()  # these places
    without_places: tuple[str, ...] = ()
    detector: str
    parameters: Mapping[str, Any] = {}  # checked against the detector's signature
    denominator: str = ""  # the indicator that is the whole, where the detector judges a share of one
    methods: Mapping[Annotated[str, Field(pattern="^[a-z0-9_]+$")], Method] = {}  # further ones, for conditions to name
    override: tuple[Override, ...] = ()
    checks: tuple[str, ...] = ()  # 核查要点: what to look at, in the order to do it
    departments: tuple[str, ...] = ()  # to be asked beside the indicator's own
    response: Response = Response()

    @field_validator("methods", mode="after")
    @classmethod
    def _frozen(cls, found: Mapping[str, Method]) -> Mapping[str, Method]:
        return dict(found)

    @property
    def window(self) -> int:
        """Steps summed into one value that the rule's own method judges."""
        return _window(self.detector, self.parameters)

    @property
    def span(self) -> int:
        """Steps after which the windows of none of its methods overlap: what persistence is counted in."""
        return max(self.window, *(_window(one.detector, one.parameters) for one in self.methods.values()), 1)

    def levels(self) -> Iterator[tuple[Level, Evidence]]:
        """Yield the colours the rule can give, yellow first."""
        for level, evidence in zip(COLOURED, (self.yellow, self.orange, self.red), strict=True):
            if evidence is not None:
                yield level, evidence

    def tables(self) -> Iterator[Condition]:
        """Yield every table of conditions, of every place."""
        for policy in (self, *self.override):
            for evidence in (policy.yellow, policy.orange, policy.red):
                yield from () if evidence is None else evidence.tables()

    def sign(self, indicator: Indicator) -> int:
        """Return +1 where the rule looks for rises of the indicator, -1 for falls."""
        return indicator.risk_sign if self.direction == "risk" else {"rise": 1, "fall": -1}[self.direction]

    @property
    def views(self) -> Mapping[str, Rule]:
        """The rule as each of its methods judges, its own first: with that detector, and ``id.name`` for an id."""
        own = Method(detector=self.detector, parameters=self.parameters, denominator=self.denominator)
        found = {OWN: self}
        for name, method in self.methods.items():
            asked = {"detector": method.detector, "parameters": method.parameters, "denominator": method.denominator}
            others = {**self.methods, OWN: own}  # so that the span is the rule's
            found[name] = self.model_copy(update={"id": f"{self.id}.{name}", "methods": others, **asked})
        return found

    def view_of(self, signal: Signal) -> Rule:
        """Return the rule as the method of one of its signals judges."""
        alike = (one for one in self.views.values() if (one.detector, one.window) == (signal.detector, signal.window))
        return next(alike, self)

    def at(self, place: str) -> Rule:
        """Return the rule as it holds in a place."""
        found = self
        for one in self.override:
            if place in one.places:
                said = {name: getattr(one, name) for name in one.model_fields_set & Policy.model_fields.keys()}
                found = found.model_copy(update=said)
        return found

    @property
    def off(self) -> frozenset[str]:
        """The places it does not judge."""
        return frozenset((*self.without_places, *(code for one in self.override if one.off for code in one.places)))


@dataclass(frozen=True)
class Ruleset:
    """All rules of a deployment; ``version`` changes with any byte of any file."""

    rules: tuple[Rule, ...]
    colours: PlaceColours
    version: str
    files: Mapping[str, str] = field(default_factory=dict)  # rule -> name of the file it stands in
    budget: Budget = field(default_factory=Budget)

    def rule(self, identifier: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == identifier)


def series_of(rule: Rule, city: City) -> tuple[SeriesKey, ...]:
    """Return the series a rule judges, indicators in the rule's order, places in the city's."""
    places = rule.places or tuple(place.code for place in city.at_tier(rule.tier))
    judged = [place for place in places if place not in rule.off]
    return tuple(SeriesKey(indicator, place) for indicator in rule.indicators for place in judged)


def judges(rule: Rule, key: SeriesKey, city: City) -> bool:
    """Return whether a series is one of those a rule judges."""
    there = key.place in rule.places if rule.places else city.places[key.place].tier == rule.tier
    return there and key.indicator in rule.indicators and key.place not in rule.off


def alpha_of(rule: Rule) -> float | None:
    """Return the tail probability of a rule's bounds, None where its detector has no such parameter."""
    default = vocabulary(rule.detector)["alpha"].default if "alpha" in vocabulary(rule.detector) else None
    found = rule.parameters.get("alpha", default)
    return float(found) if isinstance(found, int | float) else None


def draws_line(rule: Rule) -> bool:
    """Return whether a rule's upper (or lower) bound is a line somebody drew, and no quantile."""
    return any(name in rule.parameters for name in LINES)


@cache
def vocabulary(detector: str) -> Mapping[str, inspect.Parameter]:
    """Return the parameters a rule may set for a detector."""
    parameters = inspect.signature(DETECTORS[detector]).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN}


def _window(detector: str, parameters: Mapping[str, Any]) -> int:
    if detector == "changepoint":
        return 1
    window, terms = (parameters.get(name, _default(detector, name, 1)) for name in ("window", "excesses"))
    return int(window) * int(terms)


def _default(detector: str, name: str, otherwise: int) -> Any:
    if detector not in DETECTORS or name not in vocabulary(detector):
        return otherwise
    return vocabulary(detector)[name].default
