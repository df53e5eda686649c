"""One series with its usual range, the date that was judged, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.panel import Dates, Floats
from warning.charts.canvas import INK, PALE, figure_of, font, png_of, stamp
from warning.facts import COLOUR, LEVEL_ZH, begun_zh
from warning.model import Level
from warning.periods import WINDOW_ZH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPE = {Level.MISSING: "x", Level.CALM: "o", Level.YELLOW: "^", Level.ORANGE: "D", Level.RED: "s"}
BAND, QUIET = "#d5e3f0", "#31597d"
LARGE = 1e5  # from here numbers are written in the units below
UNITS = ((1e12, "万亿"), (1e8, "亿"), (1e4, "万"))
EPOCH = date(1970, 1, 1)  # of numpy's days


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its usual range; every array is (T,), NaN = not reported or not judged.

    Where ``window`` is more than one period, range and expected value are those of the mean over as many, which is
    then drawn beside the values.  ``levels`` are the means before and since an onset, for a change of level.
    ``frequency`` says what a date stands for: daily, weekly or monthly.
    """

    dates: Dates
    values: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    window: int = 1
    levels: tuple[float, float] | None = None
    frequency: str = "daily"

    @property
    def compared(self) -> Floats:
        """Return (T,) what the range is the range of: the values, or their means over the window."""
        if self.window == 1 or len(self.values) < self.window:
            return self.values if self.window == 1 else np.full(len(self.values), np.nan)
        means = sliding_window_view(self.values, self.window).mean(axis=-1)
        return np.concatenate([np.full(self.window - 1, np.nan), means])


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
        judged: The date to mark; not marked when the series lacks it.  Where the series goes on beyond it, its last
            value is marked as well, without a level: it has fallen back.
        onset: Since when; a vertical line, unless it lies before the first date.
        simulated: Whether to write 模拟 over it.

    Raises:
        ValueError: if the series is empty.
    """
    if len(series.dates) == 0:
        raise ValueError("a chart needs at least one date")
    figure = figure_of(6.4, 2.8)
    axes = figure.add_axes((0.075, 0.135, 0.87, 0.66))
    days = series.dates.astype("datetime64[D]").astype(np.float64)
    banded = np.isfinite(series.lower) & np.isfinite(series.upper)
    if banded.any():
        axes.fill_between(days, series.lower, series.upper, where=banded, color=BAND, linewidth=0, label="正常范围")
    if np.isfinite(series.expected).any():
        axes.plot(days, series.expected, color=PALE, linewidth=1, linestyle=(0, (4, 2)), label="预期值")
    _lines(axes, days, series, onset)
    if onset is not None and _day(onset) >= days[0]:
        label = f"始于{begun_zh(onset, series.frequency)}"
        axes.axvline(_day(onset), color=COLOUR[level], linewidth=1, linestyle=(0, (1, 2)), label=label)
    if judged is not None:
        _mark(axes, days, series.compared, _day(judged), level)
    _scale(axes, days, unit, series.frequency)
    # No mathematics and no font of the system: a title is data.
    figure.text(0.015, 0.975, title, va="top", font=font(10.5), color=INK, parse_math=False)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.05, 1.0), ncols=7, frameon=False, prop=font(7.5), labelcolor=INK,
        handlelength=1.4, handletextpad=0.5, columnspacing=1.0, borderaxespad=0.2,
    )  # fmt: skip
    if simulated:
        stamp(figure, 0.5, 0.45, 44)
    return png_of(figure)


def _lines(axes: Axes, days: Floats, series: Series, onset: date | None) -> None:
    """Draw the values, and where a window is judged their means in front of them."""
    if series.window > 1:
        axes.plot(days, series.values, color=PALE, linewidth=0.6, marker="o", markersize=1.4, label="实际值")
    period = WINDOW_ZH[series.frequency]
    label = "实际值" if series.window == 1 else f"近{series.window}{period}平均"
    axes.plot(days, series.compared, color=QUIET, linewidth=1.2, marker="o", markersize=1.8, label=label)
    if series.levels is None or onset is None:
        return
    start = min(max(_day(onset), days[0]), days[-1])
    before, since = series.levels
    axes.plot([days[0], start], [before] * 2, color=INK, linewidth=2.2, alpha=0.5, label="前后均值")
    axes.plot([start, days[-1]], [since] * 2, color=INK, linewidth=2.2, alpha=0.5)


def _mark(axes: Axes, days: Floats, values: Floats, judged: float, level: Level) -> None:
    """Mark the judged value, and the last one where the series has gone on since."""
    known = np.flatnonzero(np.isfinite(values))
    found = known[days[known] == judged]
    if len(found) == 0:
        return
    value, held = float(values[found[0]]), bool(days[known[-1]] > judged)
    axes.plot(
        [judged], [value], linestyle="none", marker=SHAPE[level], markersize=7.5, zorder=5, color=COLOUR[level],
        markeredgecolor="white" if level > Level.MISSING else COLOUR[level], markeredgewidth=0.8, label=LEVEL_ZH[level],
    )  # fmt: skip
    _write(axes, judged, value, (0, 9) if held else (8, 0))
    if held:
        day, value = float(days[known[-1]]), float(values[known[-1]])
        axes.plot(
            [day], [value], linestyle="none", marker="o", markersize=5, zorder=5, markerfacecolor="white", color=QUIET,
            label="最近值",
        )  # fmt: skip
        _write(axes, day, value, (8, 0))


def _write(axes: Axes, day: float, value: float, beside: tuple[int, int]) -> None:
    text = _number(value)
    if beside[0] > 0 and (len(text) > 4 or abs(value) >= LARGE):  # wider than the margin: before the mark
        axes.annotate(
            text, (day, value), xytext=(-8, 4), textcoords="offset points", ha="right", va="center", font=font(9),
            color=INK,
        )  # fmt: skip
        return
    axes.annotate(
        text, (day, value), xytext=beside, textcoords="offset points", ha="center" if beside[0] == 0 else "left",
        va="center", font=font(9), color=INK,
    )  # fmt: skip


def _number(value: float, largest: float | None = None) -> str:
    """Return a number as short as the margin is narrow, in the unit of the ``largest`` beside it."""
    top = abs(value if largest is None else largest)
    for size, unit in UNITS:
        if value and top >= max(size, LARGE):
            return f"{value / size:.4g}{unit}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _scale(axes: Axes, days: Floats, unit: str, frequency: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.margins(x=0.02)
    low, high = axes.get_ylim()
    # From zero, unless all of it (a share of 90 to 99 %) would then be a flat line at the top.
    axes.set_ylim(0 if -0.1 * high < low < 0.5 * high else low, high + 0.06 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=high - low >= 5))
    if high >= LARGE:
        axes.yaxis.set_major_formatter(lambda value, _: _number(value, high))
    # Counted back from the last date, which is the one that matters.
    ticks = days[:: -max(1, round(len(days) / 7))][::-1]
    axes.set_xticks(ticks.tolist(), labels=[begun_zh(EPOCH + timedelta(days=day), frequency) for day in ticks])
    axes.set_ylabel(unit, rotation=0, ha="right", va="bottom", font=font(8), color=INK)
    axes.yaxis.set_label_coords(-0.012, 1.02)
    axes.tick_params(length=2, color=PALE)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(8))
        label.set_color(INK)
    axes.grid(axis="y", color="#e8e8e8", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)


def _day(day: date) -> float:
    return float((day - EPOCH).days)
