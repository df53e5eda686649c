"""The cells of a feed file, column by column: texts into numbers, dates and instants.

Every distinct text is understood once; a file of half a million rows has few of them.
What cannot be understood has a reason, for the department that sent the file.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

EPOCH = date(1970, 1, 1)
CLOCK_SKEW = 300  # seconds by which a sender's clock may be ahead of ours; beyond, it is wrong

_HINTS = 100  # for so many distinct unknown names a near one is looked for; more is another file altogether
_NO_NUMBER = "不是数字；只写数字，不带单位和千位分隔符"
_FULL_WIDTH = "数字应为半角；请将全角字符（如 ４０）改为 40"
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_A_NAME = 100  # characters up to which a text may be meant as a name; comparing takes memory for each
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Column:
    """The cells of a column, as positions among its distinct texts."""

    name: str
    distinct: Sequence[str]
    codes: Integers  # (R,)

    def text(self, row: int) -> str:
        """Return the cell of a row, from 0."""
        return self.distinct[int(self.codes[row])]


@dataclass(frozen=True)
class Understood:
    """What the cells of a column mean; where a cell is wrong its value is 0 and there is a reason."""

    column: Column
    values: Floats  # (R,)
    wrong: Mask  # (R,)
    reasons: Sequence[str]  # of the distinct texts; "" where there is none

    def reason(self, row: int) -> str:
        """Return why the cell of a row, from 0, is wrong."""
        return self.reasons[int(self.column.codes[row])]


def column_of(name: str, texts: Iterable[str]) -> Column:
    """Return a column from its cells; blanks around them are left out."""
    found = list(texts)
    index: dict[str, int] = {}
    code = {text: index.setdefault(text.strip(), len(index)) for text in dict.fromkeys(found)}
    codes = np.fromiter(map(code.__getitem__, found), dtype=np.int64, count=len(found))
    return Column(name, list(index), codes)


def names(column: Column, known: Collection[str], what: str) -> Understood:
    """Return each cell's position among the ``known`` names; ``what`` they are names of is said in the reason."""
    position = {name: n for n, name in enumerate(known)}
    few = sum(text not in position for text in column.distinct) <= _HINTS

    def understand(text: str) -> float | str:
        if not text:
            return f"{what}代码为空"
        if text in position:
            return position[text]
        near = difflib.get_close_matches(text, position, n=1, cutoff=0.6) if few and len(text) <= _A_NAME else []
        return f"没有代码为“{short(text)}”的{what}" + (f"；是否应为“{near[0]}”？" if near else "")

    return _understood(column, understand)


def dates(column: Column) -> Understood:
    """Return each cell's date, as days since 1970."""

    def understand(text: str) -> float | str:
        if not text:
            return "日期为空"
        if not _ISO_DATE.fullmatch(text):
            return "日期应写成 2026-11-22 的形式"
        try:
            days = (date.fromisoformat(text) - EPOCH).days
        except ValueError:
            return "历法中没有这一天"
        return days if days >= 0 else "日期早于 1970 年"

    return _understood(column, understand)


def numbers(column: Column) -> Understood:
    """Return each cell's number, finite."""

    def understand(text: str) -> float | str:
        if not text:
            return "数值为空"
        if not text.isascii():  # float() reads ４０, too, but what writes it is no program, and the next reader may not
            return _FULL_WIDTH if text.translate(_HALF_WIDTH).isascii() else _NO_NUMBER
        try:
            number = float(text.replace("_", "?"))  # which Python takes for a thousands separator
        except ValueError:
            return _NO_NUMBER
        if math.isnan(number):
            return "不是数字；没有数据的日期请勿上报"
        return "不是有限的数" if math.isinf(number) else number

    return _understood(column, understand)


def receipts(column: Column, received: datetime) -> Understood:
    """Return each cell's instant in seconds since 1970; what has an empty cell was received now."""
    now = math.floor(received.timestamp())

    def understand(text: str) -> float | str:
        if not text:
            return now
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            return "收到时刻应写成 2026-11-22T08:00:00+08:00 的形式"
        if instant.tzinfo is None:
            return "收到时刻缺少时区；应写成 2026-11-22T08:00:00+08:00 的形式"
        seconds = math.floor(instant.timestamp())
        if seconds < 0:
            return "收到时刻早于 1970 年"
        if seconds > now + CLOCK_SKEW:
            return "收到时刻晚于读入时刻；请检查发送方的时钟"
        return min(seconds, now)

    return _understood(column, understand)


def local_days(seconds: Integers, zone: tzinfo) -> Integers:
    """Return (R,) the dates on the wall of a time zone, as days since 1970."""
    distinct, codes = np.unique(seconds, return_inverse=True)
    days = [(datetime.fromtimestamp(second, UTC).astimezone(zone).date() - EPOCH).days for second in distinct.tolist()]
    return np.array(days, dtype=np.int64)[codes]


def short(text: str, most: int = 40) -> str:
    """Return a text, cut where it is longer than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _understood(column: Column, understand: Callable[[str], float | str]) -> Understood:
    found = [understand(text) for text in column.distinct]
    reasons = [answer if isinstance(answer, str) else "" for answer in found]
    values = np.array([0.0 if isinstance(answer, str) else answer for answer in found], dtype=np.float64)
    wrong = np.array([bool(reason) for reason in reasons], dtype=np.bool_)
    return Understood(column, values[column.codes], wrong[column.codes], reasons)
