"""Days, weeks and months as departments write them: 2026年11月21日, 11/21, 第47周, 11月16日—22日."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from warning.sources.written import plain

Order = Literal["mdy", "dmy"]


class Period(NamedTuple):
    """What a text says: the first and the last day as 2026-11-21, or why that is not known; a day is both."""

    first: str
    last: str
    reason: str


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)")
_CLOCK = re.compile(  # 8:30, 08时; cut off before blanks are taken out, or 21 8:30 would be the 218th
    r"(?<=[\d日号])(?:T|\s+)\d{1,2}[:时点].*$|(?<=[日号])\s*\d{1,2}[:时点].*$|\s*(?:上午|下午|凌晨|晚上).*$", re.DOTALL
)
_WEEKDAY = re.compile(r"[(（]?(?:星期|周)[一二三四五六日天].*$")
_REMARK = re.compile(r"\(.*\)$")
_UNTIL = re.compile(r"^(?:截至|截止到?)")
_NUMERALS = re.compile(r"[〇零○一二三四五六七八九十]+(?=[年月日号周])")
_RANGE = re.compile(r"至|到|~|—+|–|--?")

_WHOLE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
_SHORT_YEAR = re.compile(r"(\d\d)年(\d{1,2})月(\d{1,2})[日号]?")
_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)?")
_MONTH = re.compile(r"(?:(\d{4})[-/.年](\d{1,2})月?份?|(\d{1,2})月份?)")
_WEEK = re.compile(r"(?:(\d{4})年?-?)?(?:第|W)(\d{1,2})周?|(\d{4})年(\d{1,2})周")
_NO_YEAR = re.compile(r"(\d{1,2})(?:月(\d{1,2})[日号]?|[-/.](\d{1,2}))")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_ENGLISH = re.compile(r"(\d{1,2})[-.]?([a-z]{3,9})[-.,]?(\d{4})|([a-z]{3,9})\.?(\d{1,2}),?(\d{4})", re.IGNORECASE)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_LAST_DAY = re.compile(r"(\d{1,2})[日号]?")

_DAY = r"(?:(?:19|20)\d\d[-/.年])?\d{1,2}[-/.月]\d{1,2}[日号]?"
_WITHIN = re.compile(  # of what begins in one place the first that fits, so the longest stands first
    rf"(?<!\d)(?:(?:19|20)\d\d[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[日号]?|\d{{1,2}}月\d{{1,2}}[日号])"
    rf"(?:(?:至|到|~|—+|–|-){_DAY}(?!\d)|(?:至|到|~|—+|–|-)\d{{1,2}}[日号])?"
    r"|(?<!\d)(?:19|20)\d{6}(?:-(?:19|20)\d{6})?(?!\d)"
    r"|(?<!\d)\d{4}年第?\d{1,2}周"
    r"|(?<!\d)\d{4}[-年]\d{1,2}(?:月份?|(?!\d))"
    r"|(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?!\d)"
)
_OF_THE_FORM = re.compile(r"(?:填报|填表|制表|打印|报送|导出|生成|编制|更新)(?:日期|时间)?[:]?$")  # not of the data
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_ZERO = date(1899, 12, 30)  # of a spreadsheet's serial numbers
_SERIALS = range(25569, 80000)  # 1970 to 2118
_LEAP = 8  # years within which a 29 February lies

Span = tuple[date, date]


@dataclass(frozen=True)
class Wall:
    """Whose calendar texts are read by."""

    order: Order  # of 11/21 and 11/21/2026
    year: int | None  # of a date without one; None: the latest that does not lie after ``today``
    today: date  # the day it is read on
    zone: tzinfo  # an instant with its offset is a day on this wall

    def period(self, text: str) -> Period:
        """Return what a text says."""
        found = self._bare(text)
        if not found:
            return Period("", "", "日期为空")
        try:
            span = _span(found, self) or _span(_REMARK.sub("", found), self)
        except (ValueError, OverflowError):
            return Period("", "", "历法中没有这一天")
        if span is None:
            return Period("", "", "看不出是哪一天")
        return Period(span[0].isoformat(), span[1].isoformat(), "")

    def _bare(self, text: str) -> str:
        """Return a text without a time of day, a day of the week, blanks; its numerals as digits."""
        whole = unicodedata.normalize("NFKC", text).strip()
        if _INSTANT.fullmatch(whole):
            try:
                return datetime.fromisoformat(whole).astimezone(self.zone).date().isoformat()
            except (ValueError, OverflowError):
                return whole
        found = _UNTIL.sub("", plain(_CLOCK.sub("", whole)))
        found = _WEEKDAY.sub("", found) or found
        return _NUMERALS.sub(lambda match: _digits(match[0]), found)


def within(text: str) -> str:
    """Return the first date that stands in a title or a name, as it stands there; "" without one.

    When a form was filled in is the date of its data only where there is no other.
    """
    found = plain(text)
    there = list(_WITHIN.finditer(found))
    of_the_data = (match for match in there if not _OF_THE_FORM.search(found[: match.start()]))
    chosen = next(of_the_data, None) or next(iter(there), None)
    return chosen[0] if chosen else ""


def _digits(numerals: str) -> str:
    """Return 二〇二六 as 2026 and 二十一 as 21."""
    of = {numeral: str(n) for n, numeral in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
    if "十" not in numerals:
        return "".join(of[numeral] for numeral in numerals)
    tens, _, ones = numerals.partition("十")
    return f"{of.get(tens, '1' if not tens else '?')}{of.get(ones, '0' if not ones else '?')}"


def _span(text: str, wall: Wall) -> Span | None:
    whole = _one(text, wall)
    if whole is not None:
        return whole
    for left, right in _parted(text):
        try:
            begin = _one(left, wall)
            end = None if begin is None else _end(right, begin, wall)
        except ValueError:
            continue
        if begin is not None and end is not None:
            return begin[0], end
    return None


def _parted(text: str) -> Iterator[tuple[str, str]]:
    for match in _RANGE.finditer(text):
        if text[: match.start()] and text[match.end() :]:
            yield text[: match.start()], text[match.end() :]


def _end(text: str, begin: Span, wall: Wall) -> date | None:
    """Return the last day of a range: 22日 of the month it begins in, 1月3日 of the next year if need be."""
    if match := _LAST_DAY.fullmatch(text):
        last = begin[0].replace(day=int(match[1]))
        return last if last >= begin[0] else None
    for year in (begin[0].year, begin[0].year + 1):
        end = _one(text, replace(wall, year=year))
        if end is not None and end[1] >= begin[0]:
            return end[1]
    return None


def _one(text: str, wall: Wall) -> Span | None:
    """Return the first and the last day of a day, a week or a month; None for anything else.

    Raises:
        ValueError: if there is no such day.
    """
    if match := _WHOLE.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _SHORT_YEAR.fullmatch(text):
        return _day(2000 + int(match[1]), int(match[2]), int(match[3]))
    if match := _DIGITS.fullmatch(text):
        begin = int(match[1]), int(match[2])
        return _day(*begin, int(match[3])) if match[3] else _month(*begin)
    if match := _MONTH.fullmatch(text):
        month = int(match[2] or match[3])
        return _month(int(match[1]) if match[1] else _latest(month, 1, wall).year, month)
    if match := _WEEK.fullmatch(text):
        return _week(match[1] or match[3], int(match[2] or match[4]), wall)
    if match := _YEAR_LAST.fullmatch(text):
        return _day(int(match[3]), *_ordered(match[1], match[2], wall.order))
    if match := _NO_YEAR.fullmatch(text):
        month, day = (int(match[1]), int(match[2])) if match[2] else _ordered(match[1], match[3], wall.order)
        found = _latest(month, day, wall)
        return found, found
    if match := _ENGLISH.fullmatch(text):
        word, number, of = (match[2], match[1], match[3]) if match[2] else (match[4], match[5], match[6])
        short = word[:3].lower()
        return _day(int(of), _MONTHS.index(short) + 1, int(number)) if short in _MONTHS else None
    if (match := _SERIAL.fullmatch(text)) and int(match[1]) in _SERIALS:
        found = _DAY_ZERO + timedelta(days=int(match[1]))
        return found, found
    return None


def _ordered(first: str, second: str, order: Order) -> tuple[int, int]:
    """Return month and day."""
    return (int(first), int(second)) if order == "mdy" else (int(second), int(first))


def _day(year: int, month: int, day: int) -> Span:
    found = date(year, month, day)
    return found, found


def _month(year: int, month: int) -> Span:
    first = date(year, month, 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _week(said: str | None, number: int, wall: Wall) -> Span:
    of = int(said) if said else wall.year or wall.today.isocalendar().year
    first = date.fromisocalendar(of, number, 1)
    if not said and wall.year is None and first > wall.today:
        first = date.fromisocalendar(of - 1, number, 1)
    return first, first + timedelta(days=6)


def _latest(month: int, day: int, wall: Wall) -> date:
    if wall.year is not None:
        return date(wall.year, month, day)
    for back in range(_LEAP + 1):
        if (month, day) == (2, 29) and not _leap(wall.today.year - back):
            continue
        found = date(wall.today.year - back, month, day)
        if found <= wall.today:
            return found
    raise ValueError(f"{month}/{day}")


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
