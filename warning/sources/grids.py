"""Where a grid lies: by the city's table of grids, by a name, or by the place's code its own begins with."""

from __future__ import annotations

from functools import cached_property

from warning.event_mapping import counted_in, upwards
from warning.mapping import Codes
from warning.sources import cells
from warning.sources.naming import key, place_names
from warning.sources.rows import Known
from warning.sources.written import plain


class Grids:
    """The grids of a feed, and the places their events are counted in."""

    def __init__(self, city: Known, codes: Codes, tier: str, within: tuple[str, ...]) -> None:
        """Begin with what the city and the mapping say.

        Args:
            city: Places, and the table of grids.
            codes: What the department calls places.
            tier: Of the places events are counted in; "": those that nothing lies in.
            within: Codes and tiers of the places the feed is about; none: the whole city.
        """
        self.counted = counted_in(tier, within, city.places)
        self._everywhere = frozenset(counted_in(tier, (), city.places))
        self._within = frozenset(self.counted)
        self._places = city.places
        self._names = place_names(city, codes)
        self._listed = {key(grid): place for grid, place in city.grids.items()}

    def place(self, text: str) -> str:
        """Return the place the events of a grid are counted in, "" if there is none."""
        found = self._found(text)
        return found if found in self._within else ""

    def reason(self, text: str) -> str:
        """Return why a grid's events are counted nowhere, for the department that sent them."""
        if not plain(text):
            return "网格编码为空"
        if self._found(text):
            return "网格不在本数据源所报的地区内"
        if "e+" in text.lower() and "." in text:
            return "网格编码被表格软件写成了数字；请把该列设为文本后重新导出"
        if self._around(text):
            return f"只看得出在{self._around(text)}，看不出是其中哪一处"
        return "网格编码不以任何地区的代码开头，也不在 city/grids.csv 中"

    def _found(self, text: str) -> str:
        code = self._listed.get(key(text)) or self._names.code(text) or self._beginning(plain(text))
        return next((one.code for one in upwards(code, self._places) if one.code in self._everywhere), "")

    def _beginning(self, text: str) -> str:
        """Return the longest code of a place, of those counted in, that a grid's code begins with."""
        for length in self._lengths:
            whole = len(self._lengths) == 1 or not text[length : length + 1].isalnum()
            if whole and text[:length] in self._everywhere:
                return text[:length]
        return ""

    def _around(self, text: str) -> str:
        """Return the name of the place a grid lies in, of those that are too large to be counted in."""
        code = self._listed.get(key(text)) or self._names.code(text)
        return cells.short(self._places[code].name_zh) if code else ""

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        """How long the codes are; where they differ, what follows one must not be a letter or a digit."""
        return tuple(sorted({len(code) for code in self._everywhere}, reverse=True))
