"""When an event was, as departments write it: 2026-11-21 14:03:22, 2026年11月21日14时03分, 2026-11-21T06:03:22Z.

What counts is the day on the wall of the deployment's time zone; the time of day only tells alike rows apart, and
what lies in the future.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from warning.sources.cells import CLOCK_SKEW, EPOCH
from warning.sources.days import Order, Wall

DAY = 86_400  # seconds
UNKNOWN = -1  # of the second of a day: the time of day is not said
LONGEST = 64  # characters; beyond, it is no time

_PLAIN = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?", re.ASCII)
_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)[ T]?(\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)", re.ASCII | re.I)
_TOGETHER = re.compile(r"(\d{8})(\d\d)(\d\d)(\d\d)?", re.ASCII)
_SINCE_1970 = re.compile(r"(\d{10})(\d{3})?", re.ASCII)  # seconds, or thousandths of them
_SERIAL = re.compile(r"(\d{5})\.\d+", re.ASCII)  # of a spreadsheet: days and parts of a day
_HALF = "凌晨|早上|上午|中午|下午|晚上|AM|PM"
_SPOKEN = re.compile(
    rf"(.+?)[ T]*({_HALF})? *(\d{{1,2}}) *[:时点] *"
    rf"(?:(\d{{1,2}}) *(?:[:分] *(?:(\d{{1,2}})(?:\.\d+)?秒?)?)?)? *({_HALF})?",
    re.ASCII | re.I,
)


class Moment(NamedTuple):
    """A day since 1970 and a second of it, or why there is none."""

    day: int
    second: int
    reason: str = ""


@dataclass
class Moments:
    """How the times of a feed are read."""

    order: Order  # of 11/21 and 11/21/2026
    year: int | None  # of a date without one
    received: datetime  # aware; what is later is wrong
    zone: tzinfo
    _days: dict[str, int] = field(default_factory=dict)  # a file has many times and few dates

    def __post_init__(self) -> None:
        wall = (self.received + timedelta(seconds=CLOCK_SKEW)).astimezone(self.zone)
        self._calendar = Wall(self.order, self.year, self.received.astimezone(self.zone).date(), self.zone)
        self._latest = (wall.date() - EPOCH).days, wall.hour * 3600 + wall.minute * 60 + wall.second

    def moment(self, text: str) -> Moment:
        """Return what a text says."""
        try:
            found = self._moment(text[: LONGEST + 1])
        except (ValueError, OverflowError):
            return Moment(0, UNKNOWN, "看不出是什么时间")
        if found.reason:
            return found
        if found.day < 0:
            return Moment(0, UNKNOWN, "时间早于 1970 年")
        return Moment(0, UNKNOWN, "时间晚于收到的时刻") if found[:2] > self._latest else found

    def _moment(self, text: str) -> Moment:
        match = _PLAIN.fullmatch(text)
        if match:
            day, hour, minute, second = match.groups()
            return Moment(self._day(day), UNKNOWN if hour is None else _second(hour, minute, second))
        found = unicodedata.normalize("NFKC", text).strip()
        if not found:
            return Moment(0, UNKNOWN, "时间为空")
        if len(found) > LONGEST:
            raise ValueError(found)
        if match := _OFFSET.fullmatch(found):
            offset = "+00:00" if match[3] in "Zz" else match[3]
            return self._instant(datetime.fromisoformat(f"{match[1]}T{match[2]}{offset}"))
        if match := _TOGETHER.fullmatch(found):
            return Moment(self._day(match[1]), _second(match[2], match[3], match[4]))
        if match := _SINCE_1970.fullmatch(found):
            return self._instant(datetime.fromtimestamp(int(match[1]), UTC))
        if match := _SERIAL.fullmatch(found):
            return Moment(self._day(match[1]), round(float(found) % 1 * DAY) % DAY)
        if match := _SPOKEN.fullmatch(found):
            said = match[2] or match[6] or ""
            return Moment(self._day(match[1]), _second(_hour(int(match[3]), said.upper()), match[4], match[5]))
        return Moment(self._day(found), UNKNOWN)

    def _day(self, text: str) -> int:
        """Return the day a date says.

        Raises:
            ValueError: if it says none.
        """
        if text not in self._days:
            self._days[text] = self._read(text)
        return self._days[text]

    def _read(self, text: str) -> int:
        said = self._calendar.period(text)
        if said.reason or said.first != said.last:  # a week or a month is no day
            raise ValueError(text)
        return (date.fromisoformat(said.first) - EPOCH).days

    def _instant(self, instant: datetime) -> Moment:
        wall = instant.astimezone(self.zone)
        return Moment((wall.date() - EPOCH).days, wall.hour * 3600 + wall.minute * 60 + wall.second)


def _hour(hour: int, half: str) -> int:
    if half in ("下午", "晚上", "PM") and hour < 12:
        return hour + 12
    return 0 if half in ("凌晨", "AM") and hour == 12 else hour


def _second(hour: str | int, minute: str | None, second: str | None) -> int:
    """Return the second of a day.

    Raises:
        ValueError: if a day has no such second.
    """
    parts = int(hour), int(minute or 0), int(second or 0)
    if parts == (24, 0, 0):
        return DAY - 1
    if parts[0] > 23 or parts[1] > 59 or parts[2] > 60:
        raise ValueError(parts)
    return parts[0] * 3600 + parts[1] * 60 + parts[2]
