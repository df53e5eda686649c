"""Pictures for mails, pages and briefings; the only package that knows matplotlib.

A level is told by colour *and* shape *and* word, so that a black-and-white print tells it too.  The font
is shipped, so that a machine without Chinese fonts draws no boxes.  The same input gives the same bytes.
"""

from warning.charts.calendar import calendar_chart
from warning.charts.canvas import FONT, font_fault
from warning.charts.map import map_chart
from warning.charts.series import Series, series_chart

__all__ = ["FONT", "Series", "calendar_chart", "font_fault", "map_chart", "series_chart"]
