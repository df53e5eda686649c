"""The tree of places and what is known of them: population, neighbours, outlines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, FiniteFloat, ValidationError

from warning.checked import Checked, faults_of
from warning.model import Place
from warning.tables import Faults, Table, column, read_table, repeats, unknown, values

Point = tuple[float, float]  # x to the right, y downwards, in the units of the view box


@dataclass(frozen=True, slots=True)
class Shape:
    """The outline of one place."""

    rings: tuple[tuple[Point, ...], ...]  # closed by themselves; a ring inside another is a hole
    label: Point


@dataclass(frozen=True, slots=True)
class Outline:
    """A schematic map in page coordinates, without longitude or latitude."""

    view_box: tuple[float, float, float, float]  # x, y, width, height
    shapes: Mapping[str, Shape]  # by place


class _Place(Checked):
    code: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    name_zh: str = Field(min_length=1)
    name_en: str
    tier: str
    parent: str


class _Population(Checked):
    place: str
    kind: str = Field(pattern=r"^[a-z0-9_]+$")
    year: int = Field(ge=1900, le=2200)
    population: int = Field(gt=0)


class _Grid(Checked):
    grid: str = Field(min_length=1)
    place: str


class _Pair(Checked):
    place: str
    neighbour: str


_Finite = tuple[FiniteFloat, FiniteFloat]


class _Shape(Checked):
    place: str
    label: _Finite
    rings: tuple[tuple[_Finite, ...], ...]


class _Outline(Checked):
    view_box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    places: tuple[_Shape, ...]
    note: str = ""
    licence: str = ""


def read_places(path: Path, tiers: Collection[str], faults: Faults) -> tuple[dict[str, Place], frozenset[str]]:
    """Return the places in the order of the file, and every code written there, also in rows with faults."""
    table = read_table(path, _Place, faults)
    found = faults[path.name]
    found.extend(repeats(table, "code"))
    codes = column(table, "code")
    for number, row in values(table):
        if tiers and row.tier not in tiers:
            found.append(f"row {number}, tier: {row.tier!r} is not a tier of city.toml; known: {', '.join(tiers)}")
        if row.parent:
            found.extend(unknown(number, "parent", row.parent, codes, path.name))
    places = {
        row.code: Place(row.code, row.name_zh, row.name_en, row.tier, row.parent or None) for _, row in values(table)
    }
    if table:
        found.extend(_tree_faults(table, places, list(tiers)))
    return places, frozenset(codes)


def read_population(path: Path, places: Collection[str], faults: Faults) -> dict[tuple[str, str], dict[int, int]]:
    """Return persons by (place, kind) and year, the years ascending."""
    table = read_table(path, _Population, faults)
    faults[path.name].extend(repeats(table, "place", "kind", "year"))
    population: dict[tuple[str, str], dict[int, int]] = {}
    for number, row in values(table):
        faults[path.name].extend(unknown(number, "place", row.place, places, "places.csv"))
        population.setdefault((row.place, row.kind), {})[row.year] = row.population
    return {key: dict(sorted(by_year.items())) for key, by_year in population.items()}


def read_grids(path: Path, places: Collection[str], faults: Faults) -> dict[str, str]:
    """Return the place each grid lies in, by the grid's code."""
    table = read_table(path, _Grid, faults)
    faults[path.name].extend(repeats(table, "grid"))
    for number, row in values(table):
        faults[path.name].extend(unknown(number, "place", row.place, places, "places.csv"))
    return {row.grid: row.place for _, row in values(table)}


def read_neighbours(path: Path, places: Collection[str], faults: Faults) -> dict[str, frozenset[str]]:
    """Return the neighbours of each place named in the file; a pair holds in both directions."""
    table = read_table(path, _Pair, faults)
    beside: dict[str, set[str]] = {}
    for number, pair in values(table):
        faults[path.name].extend(unknown(number, "place", pair.place, places, "places.csv"))
        faults[path.name].extend(unknown(number, "neighbour", pair.neighbour, places, "places.csv"))
        if pair.place == pair.neighbour:
            faults[path.name].append(f"row {number}: {pair.place!r} is given as its own neighbour")
        beside.setdefault(pair.place, set()).add(pair.neighbour)
        beside.setdefault(pair.neighbour, set()).add(pair.place)
    return {place: frozenset(others) for place, others in beside.items()}


def read_outline(path: Path, places: Collection[str], faults: Faults) -> Outline | None:
    """Return the outlines, or None when the file has faults."""
    found = faults[path.name]
    try:
        content = _Outline.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        found.append(f"the file cannot be read: {error.strerror}")
        return None
    except UnicodeDecodeError as error:
        found.append(f"byte {error.start + 1} is not UTF-8; save the file as UTF-8")
        return None
    except json.JSONDecodeError as error:
        found.append(f"not valid JSON: {error}")
        return None
    except ValidationError as error:
        found.extend(faults_of(error, _Outline))
        return None
    shapes: dict[str, Shape] = {}
    for number, shape in enumerate(content.places):
        if places and shape.place not in places:
            found.append(f"places.{number}.place: {shape.place!r} is not in places.csv")
        if shape.place in shapes:
            found.append(f"places.{number}.place: {shape.place!r} is drawn twice; put its parts into one 'rings'")
        if not shape.rings:
            found.append(f"places.{number}.rings is empty; leave the place out, and it is not drawn")
        for ring, points in enumerate(shape.rings):
            if len(points) < 3:
                found.append(f"places.{number}.rings.{ring} has {len(points)} points, expected at least 3")
        shapes[shape.place] = Shape(shape.rings, shape.label)
    return Outline(content.view_box, shapes)


def _tree_faults(table: Table[_Place], places: Mapping[str, Place], tiers: list[str]) -> Iterable[str]:
    roots = [row for row in table if row.text.get("parent", "") == ""]
    if len(roots) != 1:
        named = ", ".join(f"{row.text.get('code', '')} (row {row.number})" for row in roots[:5]) or "none"
        yield f"parent: exactly one place has no parent, the root of the tree; found {len(roots)}: {named}"
    number = column(table, "code")
    looped = [code for code in places if _is_its_own_ancestor(code, places)]
    for code in looped:
        yield f"row {number[code]}, parent: {code!r} lies, by its parents, within itself"
    for code, place in places.items():
        parent = places.get(place.parent or "")
        if parent is None or code in looped or place.tier not in tiers or parent.tier not in tiers:
            continue
        if tiers.index(parent.tier) >= tiers.index(place.tier):
            yield f"row {number[code]}, parent: a {place.tier} cannot lie in {parent.code!r}, which is a {parent.tier}"


def _is_its_own_ancestor(code: str, places: Mapping[str, Place]) -> bool:
    passed: set[str] = set()
    above = places[code].parent
    while above is not None and above in places and above not in passed:
        passed.add(above)
        above = places[above].parent
    return code in passed
