"""Units as departments state them, in brackets behind a header or above a table, and by what a number is multiplied.

A sum in yuan that is taken for one in 万元 is wrong by four digits and looks like an outbreak; so what a table says
of its unit is heard wherever it says so, and what does not fit the indicator is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from warning.model import Indicator
from warning.sources.written import MEASURES, MONEY, MULTIPLES, plain

ABOVE = "单位:"  # before a unit that stands above a table: it is that of the amounts in it, not of the counts

_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,8})[)\]]$")
_LONGEST = 200  # characters of a header; beyond, it is something else
_TITLE = re.compile(r"单位:([%‰\w/]{1,6})")
_OF = re.compile(rf"({'|'.join(MULTIPLES)})?({'|'.join(MEASURES)})?")


def stated(header: str) -> str:
    """Return the unit in the brackets at the end of a header, "" where there is none: 损失金额（元）."""
    return _stated(header) if header.endswith((")", "）", "]", "］")) and len(header) <= _LONGEST else ""


@lru_cache(maxsize=10_000)
def _stated(header: str) -> str:
    found = _BRACKETS.search(plain(header))
    unit = found[1].removeprefix("单位:") if found else ""
    return unit if _is_unit(unit) else ""


def above(titles: Iterable[str]) -> str:
    """Return the unit of money the lines above a table state, after ABOVE; "" where there is none: 单位：万元."""
    units = (found[1] for text in titles for found in _TITLE.finditer(plain(text)))
    return next((ABOVE + unit for unit in units if unit in MONEY), "")


def scale(unit: str, indicator: Indicator) -> tuple[Decimal | None, str]:
    """Return by what numbers in a stated unit are multiplied (None: they are as they stand), or why they do not fit."""
    own = plain(indicator.unit)
    if unit.startswith(ABOVE):
        unit = unit.removeprefix(ABOVE) if indicator.kind == "amount" else ""
    if not unit or unit == own:
        return None, ""
    if unit in MONEY and own in MONEY and indicator.kind == "amount":
        return Decimal(MONEY[unit]) / MONEY[own], ""
    if indicator.kind == "ratio" and unit == "‰":
        return Decimal("0.1"), ""
    counted = _OF.fullmatch(unit)
    if indicator.kind == "count" and counted:
        times = MULTIPLES.get(counted[1], 1)
        return (None if times == 1 else Decimal(times)), ""
    return None, f"写明的单位是“{unit}”，这项指标的单位是“{indicator.unit}”；请在映射的 factors 中写明乘以多少"


def _is_unit(text: str) -> bool:
    return bool(text) and (text in MONEY or text in "%‰" or bool(_OF.fullmatch(text)))
