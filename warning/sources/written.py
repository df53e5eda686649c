"""Texts as departments write them: 2026年11月21日, 11/21, １，２３４, 42%, 无; and what they mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from warning.sources import cells

_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans("", "", "“”„\"'‘’「」")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_COUNTED = re.compile(r"(?<=\d)(人次|件次|[起件宗例人次条处批个名户])$")  # words between a number and what is counted
_AFTER = re.compile(r"(T\d|\d\d:|[(（]?(星期|周)[一二三四五六日天]).*$")  # a time of day, a day of the week
_RANGE = re.compile(r"[至到~]|--|—")
_WHOLE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?号?")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?份?")
_WEEK = re.compile(r"(\d{4})年?(?:第|-?W)(\d{1,2})周?")
_NO_YEAR = re.compile(r"(\d{1,2})[-/.月](\d{1,2})日?号?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)?")
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_WITHIN = (
    re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"),
    re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)"),
    re.compile(r"\d{4}年第\d{1,2}周"),
    re.compile(r"\d{4}[-年]\d{1,2}(?:月|(?!\d))"),
    re.compile(r"\d{1,2}月\d{1,2}日"),
    re.compile(r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?!\d)"),
)
_DAY_ZERO = date(1899, 12, 30)  # of a spreadsheet's serial numbers
_SERIALS = range(25569, 80000)  # 1970 to 2118
_LEAP = 8  # years within which a 29 February lies


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
        factor: By which the number is multiplied; None where the mapping says nothing of it.
    """
    found = plain(text)
    percent = found.endswith("%")
    if percent and kind != "ratio":
        return "", "百分号只用于比率指标"
    found = found[:-1] if percent else _COUNTED.sub("", found) if kind == "count" else found.removesuffix(plain(unit))
    if _GROUPED.fullmatch(found):
        found = found.replace(",", "")
    if not _PLAIN.fullmatch(found):
        return "", "不是数字"
    try:
        value = Decimal(found)
    except InvalidOperation:
        return "", "不是数字"
    if kind == "ratio" and factor is None and not percent and 0 < abs(value) <= 1:
        return "", "不大于 1 的比率：是百分之几，还是小数？请在映射的 factors 中写明 1 或 100"
    return f"{value if percent or factor is None else value * factor}", ""


def day(text: str, *, order: Literal["mdy", "dmy"], year: int | None, today: date) -> tuple[str, str]:
    """Return a date as 2026-11-21, and why there is none: one of the two is "".  A week or month is its first day.

    Args:
        text: What stands in the cell.
        order: Of 11/21 and 11/21/2026.
        year: Of a date without one; None: the latest that does not lie after ``today``.
        today: The day it is read on.
    """
    found = _AFTER.sub("", plain(text)) or plain(text)
    first, *rest = _RANGE.split(found)
    try:
        parsed = _day(first if rest and first else found, order, year, today)
    except (ValueError, OverflowError):
        return "", "历法中没有这一天"
    return (parsed.isoformat(), "") if parsed else ("", "日期为空" if not found else "看不出是哪一天")


def day_within(text: str) -> str:
    """Return the first date that stands somewhere in a title or a name, as it stands there; "" without one."""
    found = plain(text)
    return next((match[0] for pattern in _WITHIN if (match := pattern.search(found))), "")


def shown(header: Sequence[str]) -> str:
    """Return headers, cut to what a message can hold."""
    return cells.short("、".join(header), 160)


def _day(text: str, order: str, year: int | None, today: date) -> date | None:
    if match := _WHOLE.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _DIGITS.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3] or 1))
    if match := _MONTH.fullmatch(text):
        return date(int(match[1]), int(match[2]), 1)
    if match := _WEEK.fullmatch(text):
        return date.fromisocalendar(int(match[1]), int(match[2]), 1)
    if match := _YEAR_LAST.fullmatch(text):
        month, day = (int(match[1]), int(match[2])) if order == "mdy" else (int(match[2]), int(match[1]))
        return date(int(match[3]), month, day)
    if match := _NO_YEAR.fullmatch(text):
        by_month = order == "mdy" or "月" in text
        month, day = (int(match[1]), int(match[2])) if by_month else (int(match[2]), int(match[1]))
        return _latest(month, day, year, today)
    if (match := _SERIAL.fullmatch(text)) and int(match[1]) in _SERIALS:
        return _DAY_ZERO + timedelta(days=int(match[1]))
    return None


def _latest(month: int, day: int, year: int | None, today: date) -> date:
    if year is not None:
        return date(year, month, day)
    for back in range(_LEAP + 1):
        if (month, day) == (2, 29) and not _leap(today.year - back):
            continue
        found = date(today.year - back, month, day)
        if found <= today:
            return found
    raise ValueError(f"{month}/{day}")


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
