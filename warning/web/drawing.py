"""Geometry of the map: outlines, or tiles where there are none, and where each name stands.

Pure.  Lengths are in the units of the view box; x to the right, y downwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from warning.geography import Outline, Point, Shape
from warning.model import Level

SMALL_SHARE = 0.03  # a place below this share of the map's area is named beside it
TILE, GAP = 100.0, 6.0
MOST_COLUMNS = 7  # more, and a phone shows no legible names


@dataclass(frozen=True, slots=True)
class Tally:
    """What the map says of one place."""

    name: str
    level: Level
    alerts: int  # above calm


@dataclass(frozen=True, slots=True)
class Drawn:
    """One place on the map."""

    code: str
    tally: Tally
    path: str  # SVG path data; rings inside others are holes by the even-odd rule
    at: Point  # where its name stands: the middle, or for a name beside the map the end of its first line
    leader: tuple[Point, Point] | None  # from the name to the place, for names beside the map


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map ready to be written as SVG; small places last, so that their lines lie on top."""

    view_box: tuple[float, float, float, float]
    text: float  # size of the letters
    schematic: bool  # drawn from an outline, which is no boundary
    places: tuple[Drawn, ...]


def drawing(outline: Outline | None, tallies: Mapping[str, Tally]) -> Drawing:
    """Return the map of some places: tiles unless the outline has a shape for each.

    Args:
        outline: Of the city, or None.
        tallies: By place, in the order of the tiles; at least one.
    """
    if outline is None or not set(tallies) <= set(outline.shapes):
        return _tiles(tallies)
    shapes = {code: outline.shapes[code] for code in tallies}
    x, y, width, height = outline.view_box
    text = 0.04 * width
    beside = _beside(shapes, x + 0.1 * width, y + height, text)
    longest = max((len(_words(tallies[code])) for code in beside), default=0)
    left = min(x, x + 0.1 * width - longest * text)
    drawn = [
        Drawn(code, tallies[code], _path(shape), *beside.get(code, (shape.label, None)))
        for code, shape in sorted(shapes.items(), key=lambda found: found[0] in beside)
    ]
    return Drawing((left - 4, y - 4, width + x - left + 8, height + 8), text, True, tuple(drawn))


def _words(tally: Tally) -> str:
    return max(tally.name, "■数据不足" if tally.level is Level.MISSING else "■黄色", key=len)


def _beside(
    shapes: Mapping[str, Shape], edge: float, bottom: float, text: float
) -> dict[str, tuple[Point, tuple[Point, Point]]]:
    """Name small places in a column at the left, from top to bottom as they lie."""
    areas = {code: _area(shape) for code, shape in shapes.items()}
    small = [code for code in shapes if areas[code] < SMALL_SHARE * sum(areas.values())]
    small.sort(key=lambda code: shapes[code].label[1])
    if not small:
        return {}
    step = 2.5 * text
    # Level with the first of them, so that the lines run below the large places around a city's centre.
    top = min(shapes[small[0]].label[1], bottom - step * len(small))
    rows = {code: top + number * step for number, code in enumerate(small)}
    return {code: ((edge, row), ((edge + 0.3 * text, row), shapes[code].label)) for code, row in rows.items()}


def _tiles(tallies: Mapping[str, Tally]) -> Drawing:
    columns = _columns(len(tallies))
    rows = -(-len(tallies) // columns)
    drawn = []
    for number, (code, tally) in enumerate(tallies.items()):
        row, column = divmod(number, columns)
        x, y, side = column * TILE + GAP / 2, row * TILE + GAP / 2, TILE - GAP
        path = f"M{x:g} {y:g}h{side:g}v{side:g}h{-side:g}Z"
        drawn.append(Drawn(code, tally, path, (x + side / 2, y + side / 2), None))
    longest = max(len(tally.name) for tally in tallies.values())
    text = min(0.19 * TILE, 0.92 * (TILE - GAP) / max(longest, 5))
    return Drawing((0.0, 0.0, columns * TILE, rows * TILE), text, False, tuple(drawn))


def _columns(places: int) -> int:
    return min(MOST_COLUMNS, math.ceil(math.sqrt(places)))


def _path(shape: Shape) -> str:
    return "".join(f"M{' '.join(f'{x:g} {y:g}' for x, y in ring)}Z" for ring in shape.rings)


def _area(shape: Shape) -> float:
    return sum(abs(_signed(ring)) for ring in shape.rings)


def _signed(ring: Sequence[Point]) -> float:
    """Area by the shoelace formula, positive when the ring turns one way."""
    turned = [*ring[1:], ring[0]]
    return sum(x * v - u * y for (x, y), (u, v) in zip(ring, turned, strict=True)) / 2
