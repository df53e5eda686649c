"""What every picture is drawn on: its size, the shipped font, the mark of made-up data, the bytes."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

FONT = Path(__file__).parent.parent / "fonts" / "NotoSansSC-subset.otf"
DPI = 200  # twice a screen's, sharp in mail and print
INK, PALE = "#222222", "#8a8a8a"


def figure_of(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def font(size: float) -> FontProperties:
    found = _face().copy()
    found.set_size(size)
    return found


@cache
def _face() -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(FONT))


def font_fault(file: Path = FONT) -> str | None:
    """Return why the shipped font cannot be drawn with; None if it can."""
    from matplotlib.font_manager import get_font

    try:
        known = get_font(str(file)).get_char_index(ord("木"))
    except (OSError, RuntimeError) as error:
        return str(error)
    return None if known else "no Chinese characters"


def stamp(figure: Figure, x: float, y: float, size: float) -> None:
    figure.text(x, y, "模 拟", ha="center", va="center", font=font(size), color="#7a7a7a", alpha=0.25, zorder=10)


def png_of(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
