"""Everything that makes a deployment one city: catalogue, tree of places, map, duty rota, known breaks.

A folder of small files, read once at start and checked against each other; another city is another
folder.  Population, neighbours, outline, duty rota and breaks may be left out: what needs them is then
not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from warning.catalogue import Catalogue, Name, Structure, read_catalogue, read_contacts
from warning.checked import Checked, Model, checked, mail_address, read_toml, suggestion
from warning.errors import ConfigError, together
from warning.geography import Outline, read_grids, read_neighbours, read_outline, read_places, read_population
from warning.model import Day, Indicator, Place, SeriesKey
from warning.tables import Faults

ALL = "*"
BESIDE = (  # no rule asks for them
    *("population.csv", "neighbours.csv", "outline.json", "duty.toml", "breaks.toml", "departments.csv"),
    "grids.csv",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on duty: a role or a name, and where mail reaches it."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Whom the service tells: the officers everything that is due, the leaders what is red."""

    officers: tuple[Person, ...] = ()
    leaders: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """A known change of what is counted: values before ``date`` say nothing of those from it on; or a past event."""

    date: date
    indicators: tuple[str, ...]  # ids, or ("*",) for all
    places: tuple[str, ...]  # codes, each with all that lies in it, or ("*",) for all
    reason: str
    until: Day | None = None  # the last day of an event: what was counted during it says nothing of other days


@dataclass(frozen=True)
class City:
    """A city, as its folder states it; mappings keep the order of the files."""

    folder: Path
    name_zh: str
    name_en: str
    alert_prefix: str
    office: str  # who issues texts
    map_note: str
    map_approval_no: str  # 审图号, "" without one
    indicators: Mapping[str, Indicator]
    level2: Mapping[str, Name]
    dimensions: Mapping[str, Name]
    tiers: Mapping[str, Name]  # from the root's tier down
    places: Mapping[str, Place]
    children: Mapping[str, tuple[str, ...]]  # every place has an entry
    root: str
    population: Mapping[tuple[str, str], Mapping[int, int]]  # (place, kind) -> year -> persons
    neighbours: Mapping[str, frozenset[str]]  # every place has an entry
    outline: Outline | None
    duty: Duty
    breaks: tuple[Break, ...]
    contacts: Mapping[str, str]  # department -> whom to ask for its data, where the city says so
    grids: Mapping[str, str]  # grid -> the place it lies in, where its code does not begin with that place's

    def watched(self) -> tuple[Indicator, ...]:
        """Return the indicators the catalogue marks as fit for early warning."""
        return tuple(indicator for indicator in self.indicators.values() if indicator.watch)

    def at_tier(self, tier: str) -> tuple[Place, ...]:
        """Return the places of a tier; none for a tier the city does not have."""
        return tuple(place for place in self.places.values() if place.tier == tier)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return what a place lies in, the nearest first, the root last; of the root: nothing."""
        above: list[str] = []
        parent = self.places[code].parent
        while parent is not None:
            above.append(parent)
            parent = self.places[parent].parent
        return tuple(above)

    def descendants(self, code: str) -> tuple[str, ...]:
        """Return all that lies in a place, each before what lies in it; without the place itself."""
        return tuple(below for child in self.children[code] for below in (child, *self.descendants(child)))

    def leaves(self, code: str) -> tuple[str, ...]:
        """Return the undivided places of a place: itself, if it is one."""
        return tuple(below for below in (code, *self.descendants(code)) if not self.children[below])

    def population_of(self, place: str, kind: str = "resident", *, year: int) -> tuple[int, int] | None:
        """Return persons and the year they were counted in: the latest count up to ``year``, else the earliest.

        None where the city states no such population of the place.
        """
        counts = self.population.get((place, kind))
        if not counts:
            return None
        counted = max((known for known in counts if known <= year), default=min(counts))
        return counts[counted], counted

    def denominator_of(self, indicator: str, place: str, *, year: int) -> tuple[int, int] | None:
        """Return the persons, and the year they were counted in, behind an indicator's value per 10,000.

        None if the catalogue gives it no such denominator, or the city states no such population.
        """
        group, _, per = self.indicators[indicator].denominator.partition("/")
        if per != "10000":
            return None
        return self.population_of(place, group.removesuffix("_population"), year=year)

    def broken(self, known: Break, keys: Sequence[SeriesKey]) -> list[int]:
        """Return which of the series a break concerns: those of its places, and of all that lies in them."""
        everywhere = ALL in known.places
        within = {below for code in known.places if code != ALL for below in (code, *self.descendants(code))}
        return [
            n
            for n, key in enumerate(keys)
            if (everywhere or key.place in within) and not {ALL, key.indicator}.isdisjoint(known.indicators)
        ]


class _Tier(Checked):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _City(Checked):
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    alert_prefix: str = Field(pattern=r"^[A-Z0-9]{1,8}$")
    office: str = ""
    map_note: str = ""
    map_approval_no: str = ""
    tiers: dict[str, _Tier] = Field(min_length=1)
    structure: Structure = Structure()


class _Person(Checked):
    name: str = Field(min_length=1, pattern=r"^[^\r\n]+$")
    email: Annotated[str, AfterValidator(mail_address)]


class _Duty(Checked):
    officer: tuple[_Person, ...]
    leader: tuple[_Person, ...] = ()


def _listed(found: object) -> object:
    return (found,) if isinstance(found, str) else found


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Break(Checked):
    date: date
    indicators: Names
    places: Names
    reason: str = Field(min_length=1)
    until: Day | None = None


# Made by hand, since the key of the file, "break", cannot be written as an attribute.
_BREAKS: dict[str, Any] = {"break": (tuple[_Break, ...], ())}
_Breaks = create_model("_Breaks", __base__=Checked, **_BREAKS)


def load_city(folder: Path) -> City:
    """Read a city's folder.

    Raises:
        ConfigError: with every fault of every file.
    """
    city, errors = read_city(folder)
    if city is None or errors:
        raise together(errors)
    return city


def read_city(folder: Path) -> tuple[City | None, list[ConfigError]]:
    """Return the city with the faults of its files, one error for each file that has some.

    None for the city where the files that rules are checked against (city.toml, catalogue, places) have faults.
    """
    if not folder.is_dir():
        return None, [ConfigError(str(folder), ["the folder is missing"])]
    faults = Faults()
    about = _toml(folder / "city.toml", _City, faults)
    tiers = {} if about is None else about.tiers
    catalogue = read_catalogue(folder, Structure() if about is None else about.structure, faults)
    places, codes = read_places(folder / "places.csv", tiers, faults)
    there = {path.name for path in folder.iterdir()}
    population = read_population(folder / "population.csv", codes, faults) if "population.csv" in there else {}
    neighbours = read_neighbours(folder / "neighbours.csv", codes, faults) if "neighbours.csv" in there else {}
    outline = read_outline(folder / "outline.json", codes, faults) if "outline.json" in there else None
    duty = _read_duty(folder / "duty.toml", faults) if "duty.toml" in there else Duty()
    breaks = _read_breaks(folder / "breaks.toml", catalogue, codes, faults) if "breaks.toml" in there else ()
    root = next((place for place in places.values() if place.parent is None), None)
    if about is not None and root is not None and root.name_zh != about.name_zh:
        faults["city.toml"].append(f"name_zh: {about.name_zh!r}, but places.csv calls the whole {root.name_zh!r}")
    contacts = read_contacts(folder / "departments.csv", catalogue, faults) if "departments.csv" in there else {}
    grids = read_grids(folder / "grids.csv", codes, faults) if "grids.csv" in there else {}
    errors = [ConfigError(str(folder / file), found) for file, found in faults.items() if found]
    if about is None or any(found for file, found in faults.items() if file not in BESIDE):
        return None, errors
    children: dict[str, list[str]] = {code: [] for code in places}
    for code, place in places.items():
        if place.parent is not None:
            children[place.parent].append(code)
    city = City(
        folder=folder,
        name_zh=about.name_zh,
        name_en=about.name_en,
        alert_prefix=about.alert_prefix,
        office=about.office or about.name_zh,
        map_note=about.map_note,
        map_approval_no=about.map_approval_no,
        indicators=catalogue.indicators,
        level2=catalogue.level2,
        dimensions=catalogue.dimensions,
        tiers={tier: Name(name.zh, name.en) for tier, name in tiers.items()},
        places=places,
        children={code: tuple(below) for code, below in children.items()},
        root=next(code for code, place in places.items() if place.parent is None),
        population=population,
        neighbours={code: neighbours.get(code, frozenset()) for code in places},
        outline=outline,
        duty=duty,
        breaks=breaks,
        contacts=contacts,
        grids=grids,
    )
    return city, errors


def _toml(path: Path, model: type[Model], faults: Faults) -> Model | None:
    try:
        return checked(str(path), read_toml(path), model)
    except ConfigError as error:
        faults[path.name].extend(error.faults)
        return None


def _read_duty(path: Path, faults: Faults) -> Duty:
    content = _toml(path, _Duty, faults)
    if content is None:
        return Duty()
    if not content.officer:
        faults[path.name].append("officer is empty; somebody must receive what is due")
    for role, people in (("officer", content.officer), ("leader", content.leader)):
        emails = [person.email.casefold() for person in people]
        for email in sorted({email for email in emails if emails.count(email) > 1}):
            faults[path.name].append(f"{role}: {email} is listed {emails.count(email)} times; one mail each is enough")
    officers, leaders = (
        tuple(Person(person.name, person.email) for person in people) for people in (content.officer, content.leader)
    )
    return Duty(officers, leaders)


def _read_breaks(path: Path, catalogue: Catalogue, codes: frozenset[str], faults: Faults) -> tuple[Break, ...]:
    content = _toml(path, _Breaks, faults)
    if content is None:
        return ()
    listed: tuple[_Break, ...] = getattr(content, "break")
    breaks = [Break(known.date, known.indicators, known.places, known.reason, known.until) for known in listed]
    for number, known in enumerate(breaks):
        if known.until is not None and known.until < known.date:
            faults[path.name].append(f"break.{number}.until: {known.until} lies before its date, {known.date}")
        faults[path.name].extend(_unnamed(f"break.{number}.indicators", known.indicators, catalogue.ids))
        faults[path.name].extend(_unnamed(f"break.{number}.places", known.places, codes))
    return tuple(sorted(breaks, key=lambda known: known.date))


def _unnamed(where: str, names: tuple[str, ...], known: frozenset[str]) -> Iterable[str]:
    if not names:
        yield f'{where} is empty; write "*" for all'
    for name in names:
        if known and name != ALL and name not in known:
            near = suggestion(name, known)
            yield f"{where}: {name!r} is unknown{near if 'did you mean' in near else ''}"
