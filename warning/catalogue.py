"""The catalogue: dimensions, level-2 areas and level-3 indicators, checked against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from warning.checked import Checked, mail_address
from warning.model import Indicator
from warning.tables import Faults, Table, column, read_table, repeats, unknown, values

DIRECTIONS = {"negative": "up", "positive": "down"}  # where the risk of a polarity lies


class Name(NamedTuple):
    """A name in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is counted, in the order of the files."""

    indicators: Mapping[str, Indicator]
    level2: Mapping[str, Name]
    dimensions: Mapping[str, Name]
    ids: frozenset[str]  # every id written in indicators.csv, also in rows with faults


class Structure(Checked):
    """How many entries the catalogue has; what is not stated is not checked."""

    dimensions: int | None = None
    level2: int | None = None
    indicators: int | None = None
    negative: int | None = None
    positive: int | None = None


class _Dimension(Checked):
    dimension: str = Field(min_length=1)
    dimension_zh: str = Field(min_length=1)
    dimension_en: str = Field(min_length=1)


class _Level2(Checked):
    level2: str = Field(min_length=1)
    level2_zh: str = Field(min_length=1)
    level2_en: str = Field(min_length=1)
    dimension: str


class _Contact(Checked):
    department: str = Field(min_length=1)
    contact: Annotated[str, AfterValidator(mail_address)]


class _Indicator(Checked):
    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    level2: str
    polarity: Literal["negative", "positive"]
    unit: str = Field(min_length=1)
    kind: Literal["count", "amount", "ratio", "rate", "score"]
    frequency: Literal["daily", "weekly", "monthly"]
    denominator: str
    source_dept: str = Field(min_length=1)
    period_agg: Literal["sum", "mean", "last"]
    watch: bool
    volume_class: Literal["", "rare", "low", "mid", "high"]
    tags: str = ""  # words of the deployment's own, apart by blanks, for rules to select by
    # Written for the reader of the file, derived by the program: checked where they stand, and may be left out.
    risk_direction: Literal["up", "down"] | None = None
    dimension: str | None = None
    dimension_zh: str | None = None
    level2_zh: str | None = None
    level2_en: str | None = None


def read_catalogue(folder: Path, structure: Structure, faults: Faults) -> Catalogue:
    """Return the catalogue of a folder's indicators.csv, level2.csv and dimensions.csv; faults go to ``faults``."""
    dimensions = read_table(folder / "dimensions.csv", _Dimension, faults)
    faults["dimensions.csv"].extend(repeats(dimensions, "dimension"))
    areas = read_table(folder / "level2.csv", _Level2, faults)
    faults["level2.csv"].extend(repeats(areas, "level2"))
    for number, area in values(areas):
        known = column(dimensions, "dimension")
        faults["level2.csv"].extend(unknown(number, "dimension", area.dimension, known, "dimensions.csv"))
    indicators = read_table(folder / "indicators.csv", _Indicator, faults)
    for name in ("id", "name_zh", "name_en"):
        faults["indicators.csv"].extend(repeats(indicators, name))
    faults["indicators.csv"].extend(_indicator_faults(indicators, areas, dimensions))
    for file, table, named in (
        ("dimensions.csv", dimensions, {"dimensions": len(dimensions)}),
        ("level2.csv", areas, {"level2": len(areas)}),
        ("indicators.csv", indicators, {"indicators": len(indicators), **_polarities(indicators)}),
    ):
        if table:
            faults[file].extend(_count_faults(structure, named))
    area_of = {area.level2: area for _, area in values(areas)}
    return Catalogue(
        indicators={row.id: _indicator(row, area_of.get(row.level2)) for _, row in values(indicators)},
        level2={area.level2: Name(area.level2_zh, area.level2_en) for _, area in values(areas)},
        dimensions={row.dimension: Name(row.dimension_zh, row.dimension_en) for _, row in values(dimensions)},
        ids=frozenset(column(indicators, "id")),
    )


def _indicator_faults(
    indicators: Table[_Indicator], areas: Table[_Level2], dimensions: Table[_Dimension]
) -> Iterable[str]:
    dimension_names = {row.dimension: row for _, row in values(dimensions)}
    area_of = {area.level2: area for _, area in values(areas)}
    for number, row in values(indicators):
        if row.risk_direction not in (None, DIRECTIONS[row.polarity]):
            expected = DIRECTIONS[row.polarity]
            yield (
                f"row {number}, risk_direction: {row.risk_direction!r} contradicts polarity {row.polarity!r}, "
                f"expected {expected!r}"
            )
        yield from unknown(number, "level2", row.level2, column(areas, "level2"), "level2.csv")
        area = area_of.get(row.level2)
        if area is None:
            continue
        dimension = dimension_names.get(area.dimension)
        for name, found, stated in (
            ("dimension", row.dimension, area.dimension),
            ("level2_zh", row.level2_zh, area.level2_zh),
            ("level2_en", row.level2_en, area.level2_en),
            ("dimension_zh", row.dimension_zh, dimension.dimension_zh if dimension else None),
        ):
            if None not in (found, stated) and found != stated:
                yield f"row {number}, {name}: {found!r} is not what level2.csv and dimensions.csv say, {stated!r}"


def _polarities(indicators: Table[_Indicator]) -> dict[str, int]:
    if any(row.value is None for row in indicators):  # a row with faults may be of either
        return {}
    found: Counter[str] = Counter(row.text["polarity"] for row in indicators)
    return {polarity: found[polarity] for polarity in DIRECTIONS}


def _count_faults(structure: Structure, named: Mapping[str, int]) -> Iterable[str]:
    for name, found in named.items():
        expected: int | None = getattr(structure, name)
        if expected is not None and found != expected:
            yield f"{name}: found {found}, but city.toml states structure.{name} = {expected}"


def _indicator(row: _Indicator, area: _Level2 | None) -> Indicator:
    return Indicator(
        id=row.id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        dimension=area.dimension if area else "",
        level2=row.level2,
        level2_zh=area.level2_zh if area else "",
        level2_en=area.level2_en if area else "",
        polarity=row.polarity,
        unit=row.unit,
        kind=row.kind,
        frequency=row.frequency,
        denominator=row.denominator,
        department=row.source_dept,
        period_agg=row.period_agg,
        watch=row.watch,
        volume_class=row.volume_class or "mid",
        tags=tuple(row.tags.split()),
    )


def read_contacts(path: Path, catalogue: Catalogue, faults: Faults) -> dict[str, str]:
    """Return whom to ask for the data of each department."""
    table = read_table(path, _Contact, faults)
    departments = {indicator.department for indicator in catalogue.indicators.values()}
    faults[path.name].extend(repeats(table, "department"))
    for number, row in values(table):
        faults[path.name].extend(unknown(number, "department", row.department, departments, "indicators.csv"))
    return {row.department: row.contact for _, row in values(table)}
