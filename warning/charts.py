"""Pictures for mails and briefings; the only module that knows matplotlib.

A level is told by colour *and* shape *and* word, so that a black-and-white print tells it too.  The font
is shipped, so that a machine without Chinese fonts draws no boxes.  The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.panel import Dates, Floats
from warning.facts import COLOUR, LEVEL_ZH, MARK, day_zh
from warning.geography import Outline, Shape
from warning.model import Level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

FONT = Path(__file__).parent / "fonts" / "NotoSansSC-subset.otf"
DPI = 200  # twice a screen's, sharp in mail and print
SHAPE = {Level.MISSING: "x", Level.CALM: "o", Level.YELLOW: "^", Level.ORANGE: "D", Level.RED: "s"}
INK, PALE, BAND, QUIET = "#222222", "#8a8a8a", "#d5e3f0", "#31597d"
SMALL_SHARE = 0.03  # a place below this share of the map's area is named beside it
COLUMNS = 4  # of a tile map
TILE = np.array([[0.03, 0.04], [0.97, 0.04], [0.97, 0.96], [0.03, 0.96]])  # corners in its square
EPOCH = date(1970, 1, 1)  # of numpy's days


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its usual range; every array is (T,), NaN = not reported or not judged."""

    dates: Dates
    values: Floats
    expected: Floats
    lower: Floats
    upper: Floats


def series_chart(
    series: Series,
    *,
    title: str,
    unit: str,
    level: Level = Level.CALM,
    judged: date | None = None,
    onset: date | None = None,
    simulated: bool = False,
) -> bytes:
    """Return a PNG of 1280 x 560 pixels, to be shown at 640 x 280.

    Args:
        series: At least one date; missing values leave a gap in the line.
        title: E.g. 天河区·电信网络诈骗警情数.
        unit: Of the values, printed at the axis.
        level: Colour and shape of the judged date's mark.
        judged: The date to mark; not marked when the series lacks it.
        onset: Since when; a vertical line, unless it lies before the first date.
        simulated: Whether to write 模拟 over it.

    Raises:
        ValueError: if the series is empty.
    """
    if len(series.dates) == 0:
        raise ValueError("a chart needs at least one date")
    figure = _figure(6.4, 2.8)
    axes = figure.add_axes((0.075, 0.135, 0.87, 0.66))
    days = series.dates.astype("datetime64[D]").astype(np.float64)
    banded = np.isfinite(series.lower) & np.isfinite(series.upper)
    if banded.any():
        axes.fill_between(days, series.lower, series.upper, where=banded, color=BAND, linewidth=0, label="正常范围")
    if np.isfinite(series.expected).any():
        axes.plot(days, series.expected, color=PALE, linewidth=1, linestyle=(0, (4, 2)), label="预期值")
    axes.plot(days, series.values, color=QUIET, linewidth=1.2, marker="o", markersize=1.8, label="实际值")
    if onset is not None and _day(onset) >= days[0]:
        label = f"始于{day_zh(onset)}"
        axes.axvline(_day(onset), color=COLOUR[level], linewidth=1, linestyle=(0, (1, 2)), label=label)
    if judged is not None:
        _mark(axes, days, series.values, _day(judged), level)
    _scale(axes, days, unit)
    # No mathematics and no font of the system: a title is data.
    figure.text(0.015, 0.975, title, va="top", font=_font(10.5), color=INK, parse_math=False)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.05, 1.0), ncols=5, frameon=False, prop=_font(7.5), labelcolor=INK,
        handlelength=1.6, columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    if simulated:
        _stamp(figure, 0.5, 0.45, 44)
    return _png(figure)


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
    figure = _figure(4.2, 4.9)
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
    figure.text(0.5, 0.012, note, ha="center", font=_font(7.5), color=INK, parse_math=False)
    if simulated:
        _stamp(figure, 0.2, 0.9, 34)
    return _png(figure)


def _tiles(levels: Mapping[str, Level], names: Mapping[str, str], *, simulated: bool) -> bytes:
    rows = -(-len(names) // COLUMNS)
    height = 0.85 * rows + 0.35
    figure = _figure(4.2, height)
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
        _stamp(figure, 0.5, 0.55, 40)
    return _png(figure)


def _mark(axes: Axes, days: Floats, values: Floats, judged: float, level: Level) -> None:
    found = values[(days == judged) & np.isfinite(values)]
    if len(found) == 0:
        return
    value = float(found[0])
    axes.plot(
        [judged], [value], linestyle="none", marker=SHAPE[level], markersize=7.5, zorder=5, color=COLOUR[level],
        markeredgecolor="white" if level > Level.MISSING else COLOUR[level], markeredgewidth=0.8, label=LEVEL_ZH[level],
    )  # fmt: skip
    text = f"{value:.0f}" if value.is_integer() else f"{value:.1f}"
    axes.annotate(
        text, (judged, value), xytext=(8, 0), textcoords="offset points", ha="left", va="center", font=_font(9),
        color=INK,
    )  # fmt: skip


def _scale(axes: Axes, days: Floats, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.margins(x=0.02)
    low, high = axes.get_ylim()
    # From zero, unless all of it (a share of 90 to 99 %) would then be a flat line at the top.
    axes.set_ylim(0 if -0.1 * high < low < 0.5 * high else low, high + 0.06 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=high - low >= 5))
    # Counted back from the last date, which is the one that matters.
    ticks = days[:: -max(1, round(len(days) / 7))][::-1]
    axes.set_xticks(ticks.tolist(), labels=[day_zh(EPOCH + timedelta(days=day)) for day in ticks])
    axes.set_ylabel(unit, rotation=0, ha="right", va="bottom", font=_font(8), color=INK)
    axes.yaxis.set_label_coords(-0.012, 1.02)
    axes.tick_params(length=2, color=PALE)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(_font(8))
        label.set_color(INK)
    axes.grid(axis="y", color="#e8e8e8", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)


def _day(day: date) -> float:
    return float((day - EPOCH).days)


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
        *at, f"{name}\n{MARK[level]}{LEVEL_ZH[level]}", ha="center", va="center", font=_font(7.5), color=ink,
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
            edge - 4, row, f"{names[code]} {MARK[level]}{LEVEL_ZH[level]}", ha="right", va="center", font=_font(7.5),
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
        handles=handles, loc="center", bbox_to_anchor=(0.5, y), ncols=5, frameon=False, prop=_font(7.5),
        handlelength=1.2, handleheight=1.0, columnspacing=1.0,
    )  # fmt: skip


def _stamp(figure: Figure, x: float, y: float, size: float) -> None:
    figure.text(x, y, "模 拟", ha="center", va="center", font=_font(size), color="#7a7a7a", alpha=0.25, zorder=10)


def _area(shape: Shape) -> float:
    """Area of all rings, by the shoelace formula; a hole is too small a part to matter here."""
    total = 0.0
    for ring in shape.rings:
        x, y = np.asarray(ring).T
        total += abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
    return total


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _font(size: float) -> FontProperties:
    font = _face().copy()
    font.set_size(size)
    return font


@cache
def _face() -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(FONT))


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
