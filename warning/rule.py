"""What a rule is: indicators, places, a detector with its parameters, and the evidence for each colour.

The keyword-only parameters of a detector are the vocabulary of its rules.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from detectors import DETECTORS, GIVEN
from warning.checked import Checked
from warning.city import City
from warning.model import Indicator, Level, SeriesKey

COLOURED = (Level.YELLOW, Level.ORANGE, Level.RED)
LINES = ("line", "line_times", "line_per_10000")  # parameters that draw one


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", text):
        raise ValueError(f"{text!r} is not of the form 'area.name', in small letters, digits and _")
    return text


class Evidence(Checked):
    """What must hold together for one colour; an absent condition is not asked for.

    Units: surprise in powers of ten, ratio observed / expected (expected / observed for a
    fall), extra in the indicator's unit (percentage points for a ratio), at_least on the judged value,
    bound observed / upper bound (lower bound / observed for a fall): the line, where the detector draws one.
    """

    surprise: Annotated[float, Field(gt=0)] | None = None
    ratio: Annotated[float, Field(gt=1)] | None = None
    extra: Annotated[float, Field(gt=0)] | None = None
    at_least: Annotated[float, Field(gt=0)] | None = None
    bound: Annotated[float, Field(ge=1)] | None = None

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
    denominator: str = ""  # the indicator that is the whole, where the detector judges a share of one
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
        if self.detector == "changepoint":
            return 1
        window, terms = (self.parameters.get(name, _default(self.detector, name, 1)) for name in ("window", "excesses"))
        return int(window) * int(terms)

    def levels(self) -> Iterator[tuple[Level, Evidence]]:
        """Yield the colours the rule can give, yellow first."""
        for level, evidence in zip(COLOURED, (self.yellow, self.orange, self.red), strict=True):
            if evidence is not None:
                yield level, evidence

    def sign(self, indicator: Indicator) -> int:
        """Return +1 where the rule looks for rises of the indicator, -1 for falls."""
        return indicator.risk_sign if self.direction == "risk" else {"rise": 1, "fall": -1}[self.direction]


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


def series_of(rule: Rule, city: City) -> tuple[SeriesKey, ...]:
    """Return the series a rule judges, indicators in the rule's order, places in the city's."""
    places = rule.places or tuple(place.code for place in city.at_tier(rule.tier))
    return tuple(SeriesKey(indicator, place) for indicator in rule.indicators for place in places)


def judges(rule: Rule, key: SeriesKey, city: City) -> bool:
    """Return whether a series is one of those a rule judges."""
    there = key.place in rule.places if rule.places else city.places[key.place].tier == rule.tier
    return there and key.indicator in rule.indicators


def alpha_of(rule: Rule) -> float | None:
    """Return the tail probability of a rule's bounds, None where its detector has no such parameter."""
    default = vocabulary(rule.detector)["alpha"].default if "alpha" in vocabulary(rule.detector) else None
    found = rule.parameters.get("alpha", default)
    return float(found) if isinstance(found, int | float) else None


def draws_line(rule: Rule) -> bool:
    """Return whether a rule's upper (or lower) bound is a line somebody drew, and no quantile."""
    return any(name in rule.parameters for name in LINES)


def vocabulary(detector: str) -> dict[str, inspect.Parameter]:
    """Return the parameters a rule may set for a detector."""
    parameters = inspect.signature(DETECTORS[detector]).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN}


def _default(detector: str, name: str, otherwise: int) -> Any:
    if detector not in DETECTORS or name not in vocabulary(detector):
        return otherwise
    return vocabulary(detector)[name].default
