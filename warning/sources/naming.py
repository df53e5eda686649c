"""What a department calls places and indicators: the city's names, Chinese and English, and the mapping's own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from warning.mapping import Codes
from warning.sources import cells
from warning.sources.rows import Known
from warning.sources.written import plain

_TIERS = re.compile(r"(街道|区|市|县|镇|街)$")
_TIERS_EN = re.compile(r"(district|subdistrict|street|town|city|county)$")
_UNIT = re.compile(r"[(（\[][^()（）\[\]]*[)）\]]$")  # behind a header: 数量（起）
_COUNT = re.compile(r"(总?数|件数|起数|数量)$")


@dataclass(frozen=True)
class Names:
    """Names of one sort of thing."""

    what: str  # 地区 or 指标
    codes: Mapping[str, str]  # name as ``key`` makes it -> code; "" where several are called so

    def code(self, *texts: str) -> str:
        """Return the code of the first text that names something, "" if none does."""
        return next((code for text in texts if (code := self.codes.get(key(text), ""))), "")

    def within(self, text: str) -> str:
        """Return the code of the longest name that stands in a text, "" if there is none."""
        found = key(text)
        named = [name for name, code in self.codes.items() if code and len(name) > 1 and name in found]
        return self.codes[max(named, key=len)] if named else ""

    def reason(self, text: str) -> str:
        """Return why a text has no code, for the department that sent it."""
        if not text.strip():
            return f"{self.what}为空"
        if key(text) in self.codes:
            return f"有几个{self.what}都叫“{cells.short(text)}”；请在映射的 codes 中写明"
        near = difflib.get_close_matches(key(text), [name for name, code in self.codes.items() if code], n=1)
        return f"没有叫“{cells.short(text)}”的{self.what}" + (f"；是否应为“{near[0]}”？" if near else "")


@lru_cache(maxsize=100_000)
def key(text: str) -> str:
    """Return a name in the form names are compared in."""
    return plain(text).casefold()


def without_unit(text: str) -> str:
    """Return a header without what stands in brackets at its end."""
    return _UNIT.sub("", text).strip()


def place_names(city: Known, codes: Codes) -> Names:
    """Return what places are called: the mapping's words first, then codes and names, then names without 区 or 镇."""
    found: dict[str, str] = {}
    places = city.places.values()
    _add(found, [(place.code, place.code) for place in places])
    _add(found, [(place.name_zh, place.code) for place in places] + [(place.name_en, place.code) for place in places])
    _add(found, [("全市", place.code) for place in places if place.parent is None])
    shorter = [(_TIERS.sub("", place.name_zh), place.code) for place in places]
    _add(found, shorter + [(_TIERS_EN.sub("", key(place.name_en)), place.code) for place in places])
    return Names("地区", {**found, **{key(text): code for text, code in codes.place.items()}})


def indicator_names(city: Known, codes: Codes) -> Names:
    """Return what indicators are called: the mapping's words first, then ids and names, then names without 数."""
    found: dict[str, str] = {}
    indicators = city.indicators.values()
    _add(found, [(indicator.id, indicator.id) for indicator in indicators])
    _add(found, [(name, one.id) for one in indicators for name in (one.name_zh, one.name_en)])
    _add(found, [(_COUNT.sub("", one.name_zh), one.id) for one in indicators])
    return Names("指标", {**found, **{key(text): id for text, id in codes.indicator.items()}})


def _add(found: dict[str, str], named: list[tuple[str, str]]) -> None:
    """Add names that are not taken; one that several are called by here is nobody's."""
    new: dict[str, str] = {}
    for name, code in named:
        if name and key(name) not in found and new.setdefault(key(name), code) != code:
            new[key(name)] = ""
    found.update(new)
