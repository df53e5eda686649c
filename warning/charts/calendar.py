"""The days of a period as a calendar: a column a week, the highest level of each day in its colour, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from warning.charts.canvas import INK, PALE, figure_of, font, png_of, stamp
from warning.facts import COLOUR, MARK
from warning.model import Level

WEEKDAYS = "一二三四五六日"
CELL = 0.2  # inches
ROW_OF_WEEKS = 53  # columns in one band; a longer period goes on below


def calendar_chart(
    days: Mapping[date, tuple[Level, int]], first: date, last: date, *, simulated: bool = False
) -> bytes:
    """Return a PNG of the days from ``first`` to ``last``.

    Args:
        days: The highest level of a day and how many alerts it had; a day that is left out was calm.
        first: First day drawn.
        last: Last day drawn.
        simulated: Whether to write 模拟 over it.

    Raises:
        ValueError: if ``last`` is before ``first``.
    """
    if last < first:
        raise ValueError(f"a calendar from {first} to {last} has no days")
    monday = first - timedelta(days=first.weekday())
    weeks = (last - monday).days // 7 + 1
    bands = -(-weeks // ROW_OF_WEEKS)
    columns = min(weeks, ROW_OF_WEEKS)
    width, height = (max(columns, 12) + 2.5) * CELL, bands * 9.5 * CELL
    figure = figure_of(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-2, max(columns, 12) + 0.5)
    axes.set_ylim(bands * 9.5, 0)
    axes.set_axis_off()
    for band in range(bands):
        for weekday in range(0, 7, 2):
            axes.text(
                -0.4, band * 9.5 + 2.5 + weekday, WEEKDAYS[weekday], ha="right", va="center", font=font(5), color=PALE
            )
    day = first
    while day <= last:
        week, weekday = divmod((day - monday).days, 7)
        band, column = divmod(week, ROW_OF_WEEKS)
        top = band * 9.5 + 2
        level, count = days.get(day, (Level.CALM, 0))
        colour = COLOUR[level] if level > Level.CALM else "#eef1ee"
        axes.fill(*_square(column, top + weekday), color=colour, linewidth=0)
        if count > 0:
            ink = INK if level is Level.YELLOW else "white"
            axes.text(
                column + 0.5,
                top + weekday + 0.53,
                f"{MARK[level]}{min(count, 99)}",
                ha="center",
                va="center",
                font=font(4.2),
                color=ink,
            )
        if day.day == 1 or day == first:
            name = f"{day.year}年{day.month}月" if day.month == 1 or day == first else f"{day.month}月"
            if day == first or column > 0 or weekday == 0:
                axes.text(column, top - 0.7, name, ha="left", va="center", font=font(5), color=INK)
        day += timedelta(days=1)
    if simulated:
        stamp(figure, 0.5, 0.5, 22)
    return png_of(figure)


def _square(column: int, row: float) -> tuple[list[float], list[float]]:
    left, right, top, bottom = column + 0.06, column + 0.94, row + 0.06, row + 0.94
    return [left, right, right, left], [top, top, bottom, bottom]
