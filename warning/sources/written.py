"""Numbers as departments write them: １，２３４, 12起, 1.2万, 42%; and what they mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from warning.sources import cells

_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans("", "", "“”„\"'‘’「」")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
MONEY = {"元": 1, "千元": 1000, "万元": 10_000, "百万元": 10**6, "千万元": 10**7, "亿元": 10**8}
MULTIPLES = {"百": 100, "千": 1000, "万": 10_000, "十万": 100_000, "百万": 10**6, "千万": 10**7, "亿": 10**8}
MEASURES = ("人次", "件次", "批次", *"起件宗例人次条处批个名户支场")
_COUNTED = re.compile(rf"({'|'.join(MULTIPLES)})?({'|'.join(MEASURES)})?")  # between a number and what is counted
_PARTS = re.compile(r"([+-]?[\d.,]+(?:[eE][+-]?\d{1,3})?)(.*)", re.DOTALL)
_NO_NUMBER = "不是数字"


def plain(text: str) -> str:
    """Return a text with full-width forms made narrow, without blanks, line breaks and quotation marks."""
    if text.isascii() and text.isalnum():
        return text
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).translate(_QUOTES)


def number(text: str, unit: str, kind: str, factor: Decimal | None) -> tuple[str, str]:
    """Return a number as ``cells.numbers`` reads it, and why there is none: one of the two is "".

    Args:
        text: What stands in the cell.
        unit: The indicator's; it may stand after the number.
        kind: The indicator's; only a ratio may have a percent sign.
        factor: By which the number is multiplied; None where nothing is said of it.
    """
    found = _PARTS.fullmatch(plain(text).removeprefix("¥") if kind == "amount" else plain(text))
    if not found:
        return "", _NO_NUMBER
    digits, said = found[1], found[2]
    if said == "%" and kind != "ratio":
        return "", "百分号只用于比率指标"
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    times = _times(said, plain(unit), kind)
    if times is None or not _PLAIN.fullmatch(digits):
        return "", _NO_NUMBER
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return "", _NO_NUMBER
    if kind == "ratio" and factor is None and not said and 0 < abs(value) <= 1:
        return "", "不大于 1 的比率：是百分之几，还是小数？请在映射的 factors 中写明 1 或 100"
    whole = said != "" and (kind in ("ratio", "amount") or times != 1)  # it says its own unit
    return f"{value * times if whole or factor is None else value * factor}", ""


def _times(said: str, unit: str, kind: str) -> Decimal | None:
    """Return by what a number is multiplied for the words behind it, None where they are not understood."""
    if kind == "ratio":
        return {"": Decimal(1), "%": Decimal(1), "‰": Decimal("0.1")}.get(said)
    if kind == "count" and (found := _COUNTED.fullmatch(said)):
        return Decimal(MULTIPLES.get(found[1], 1))
    if said in ("", unit):
        return Decimal(1)
    if kind == "amount" and unit in MONEY and said in MONEY:
        return Decimal(MONEY[said]) / MONEY[unit]
    return None


def shown(header: Sequence[str]) -> str:
    """Return headers, cut to what a message can hold."""
    return cells.short("、".join(header), 160)
