"""Places in the colours of their levels: outlines, or tiles where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from warning.charts.canvas import INK, figure_of, font, png_of, stamp
from warning.facts import COLOUR, LEVEL_ZH, MARK
from warning.geography import Outline, Shape
from warning.model import Level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL_SHARE = 0.03  # a place below this share of the map's area is named beside it
COLUMNS = 4  # of a tile map
TILE = np.array([[0.03, 0.04], [0.97, 0.04], [0.97, 0.96], [0.03, 0.96]])  # corners in its square


def map_chart(
    outline: Outline | None,
    levels: Mapping[str, Level],
    names: Mapping[str, str],
    *,
    note: str = "示意图，不作为划界依据",
    simulated: bool = False,
) -> bytes:
    """Return a PNG of the places in the colours of their levels, each named and marked.

    Args:
        outline: Page coordinates; None, or one that lacks a place, gives tiles, one a place.
        levels: By place; a place without one is drawn as missing data.
        names: By place, in the order of the tiles.
        note: Printed below an outline.
        simulated: Whether to write 模拟 over it.

    Raises:
        ValueError: if there are no places.
    """
    if not names:
        raise ValueError("a map needs at least one place")
    if outline is None or not set(names) <= set(outline.shapes):
        return _tiles(levels, names, simulated=simulated)
    figure = figure_of(4.2, 4.9)
    axes = figure.add_axes((0.01, 0.075, 0.98, 0.915))
    x, y, width, height = outline.view_box
    axes.set_xlim(x - 0.16 * width, x + width)
    axes.set_ylim(y + height, y)
    axes.set_aspect("equal")
    axes.set_axis_off()
    shapes = {code: outline.shapes[code] for code in names}
    for code, shape in shapes.items():
        _fill(axes, [np.asarray(ring) for ring in shape.rings], levels.get(code, Level.MISSING))
    total = sum(_area(shape) for shape in shapes.values())
    small = sorted(
        (code for code in shapes if _area(shapes[code]) < SMALL_SHARE * total), key=lambda c: shapes[c].label[1]
    )
    _name_beside(axes, outline, {code: shapes[code].label for code in small}, levels, names)
    for code, shape in shapes.items():
        if code not in small:
            _name(axes, shape.label, names[code], levels.get(code, Level.MISSING))
    _key(figure, 0.055)
    figure.text(0.5, 0.012, note, ha="center", font=font(7.5), color=INK, parse_math=False)
    if simulated:
        stamp(figure, 0.2, 0.9, 34)
    return png_of(figure)


def _tiles(levels: Mapping[str, Level], names: Mapping[str, str], *, simulated: bool) -> bytes:
    rows = -(-len(names) // COLUMNS)
    height = 0.85 * rows + 0.35
    figure = figure_of(4.2, height)
    axes = figure.add_axes((0.01, 0.35 / height, 0.98, 1 - 0.37 / height))
    axes.set_xlim(0, COLUMNS)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    for number, (code, name) in enumerate(names.items()):
        row, column = divmod(number, COLUMNS)
        corners = TILE + np.array([column, row])
        level = levels.get(code, Level.MISSING)
        _fill(axes, [corners], level)
        _name(axes, (column + 0.5, row + 0.5), name, level)
    _key(figure, 0.16 / height)
    if simulated:
        stamp(figure, 0.5, 0.55, 40)
    return png_of(figure)


def _fill(axes: Axes, rings: Sequence[Any], level: Level) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Line

    line = Line.make_compound_path(*(Line(np.vstack([ring, ring[:1]]), closed=True) for ring in rings))
    hatch = {"hatch": "////", "facecolor": "#e4e4e4"} if level is Level.MISSING else {"facecolor": COLOUR[level]}
    edge = COLOUR[level] if level is Level.MISSING else "white"
    axes.add_patch(PathPatch(line, edgecolor=edge, linewidth=0.9, **hatch))


def _name(axes: Axes, at: tuple[float, float], name: str, level: Level) -> None:
    ink = "white" if level in (Level.CALM, Level.RED) else INK
    axes.text(
        *at, f"{name}\n{MARK[level]}{LEVEL_ZH[level]}", ha="center", va="center", font=font(7.5), color=ink,
        linespacing=1.25, parse_math=False, bbox=_halo(level),
    )  # fmt: skip


def _name_beside(
    axes: Axes,
    outline: Outline,
    labels: Mapping[str, tuple[float, float]],
    levels: Mapping[str, Level],
    names: Mapping[str, str],
) -> None:
    """Name small places in a column at the left edge, from top to bottom as they lie, with a line to each."""
    x, _, width, height = outline.view_box
    step = 0.048 * height
    top = float(np.mean([at[1] for at in labels.values()])) - step * (len(labels) - 1) / 2 if labels else 0.0
    for number, (code, at) in enumerate(labels.items()):
        level = levels.get(code, Level.MISSING)
        row = top + number * step
        edge = x + 0.085 * width
        axes.plot([edge, at[0]], [row, at[1]], color=INK, linewidth=0.6, marker="o", markevery=[1], markersize=1.8)
        axes.text(
            edge - 4, row, f"{names[code]} {MARK[level]}{LEVEL_ZH[level]}", ha="right", va="center", font=font(7.5),
            color=INK, parse_math=False,
        )  # fmt: skip


def _halo(level: Level) -> dict[str, Any] | None:
    """Keep a name legible over hatching."""
    if level is not Level.MISSING:
        return None
    return {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


def _key(figure: Figure, y: float) -> None:
    from matplotlib.patches import Patch

    levels = (Level.RED, Level.ORANGE, Level.YELLOW, Level.CALM, Level.MISSING)
    handles = [
        Patch(
            facecolor="#e4e4e4" if level is Level.MISSING else COLOUR[level],
            edgecolor=COLOUR[level],
            hatch="////" if level is Level.MISSING else None,
            label=f"{MARK[level]}{LEVEL_ZH[level]}",
        )
        for level in levels
    ]
    figure.legend(
        handles=handles, loc="center", bbox_to_anchor=(0.5, y), ncols=5, frameon=False, prop=font(7.5),
        handlelength=1.2, handleheight=1.0, columnspacing=1.0,
    )  # fmt: skip


def _area(shape: Shape) -> float:
    """Area of all rings, by the shoelace formula; a hole is too small a part to matter here."""
    total = 0.0
    for ring in shape.rings:
        x, y = np.asarray(ring).T
        total += abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
    return total
