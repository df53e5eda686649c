"""The nouns of the service, as frozen dataclasses.

Nothing here knows a clock, a file, a database or a screen.  Dates are ``date``;
instants are aware UTC ``datetime``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Day = date  # for classes with a field called ``date``


class Level(IntEnum):
    """How strong the evidence is.  MISSING (grey) is never shown as calm."""

    MISSING = -1
    CALM = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3


class Stage(StrEnum):
    """How far people have taken an alert; moved by persons only, except that a yellow one closes itself."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    RECTIFYING = "rectifying"
    REPORTED = "reported"
    REVIEWED = "reviewed"
    CLOSED = "closed"


class Transition(StrEnum):
    """What happened to an alert: the reason to tell somebody."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    ENDED = "ended"
    CORRECTED = "corrected"  # values of dates that were judged already changed, and with them the level
    LEVEL_CHANGED = "level changed"  # what it counts stays at a new level, which is the usual one from now on


class SeriesKey(NamedTuple):
    """What is counted, and where."""

    indicator: str
    place: str


SUMMED = ("count", "amount")  # kinds whose windows are sums; those of the others are means


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the tree of places; ``parent`` is None for the root."""

    code: str
    name_zh: str
    name_en: str
    tier: str  # "city", "district", "street", or the deployment's own word
    parent: str | None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One level-3 indicator of the catalogue."""

    id: str
    name_zh: str
    name_en: str
    dimension: str
    level2: str
    level2_zh: str
    level2_en: str
    polarity: str  # "negative": more is worse; "positive": less is worse
    unit: str
    kind: str  # count, amount, ratio, rate, score
    frequency: str  # daily, weekly, monthly
    denominator: str  # "" when there is none
    department: str
    period_agg: str  # sum, mean, last
    watch: bool
    volume_class: str  # rare, low, mid, high
    tags: tuple[str, ...] = ()  # words of the deployment's own

    @property
    def risk_sign(self) -> int:
        """+1 where a rise is the risk, -1 where a fall is."""
        return 1 if self.polarity == "negative" else -1

    @property
    def adds_up(self) -> bool:
        """Whether values of parts make that of the whole by being added."""
        return self.kind in ("count", "amount")


@dataclass(frozen=True, slots=True)
class Signal:
    """What one rule says of one series on one date, with the numbers that made it say so."""

    rule: str
    indicator: str
    place: str
    date: date  # first day of the period judged: the day, or the Monday of the week
    level: Level
    detector: str
    observed: float  # the value, or the sum of the window
    expected: float
    lower: float
    upper: float
    surprise: float  # positive for a rise, negative for a fall
    window: int  # periods summed in `observed`
    rules_version: str
    late: bool = False  # judged after later dates already were
    batch: tuple[float, float] | None = None  # what its place reported that day in all, and usually does, where
    # that is so much that it may have been entered together

    @property
    def key(self) -> SeriesKey:
        return SeriesKey(self.indicator, self.place)


@dataclass(frozen=True, slots=True)
class Alert:
    """One indicator in one place while it lasts."""

    number: str  # e.g. "GZ-20261122-0007": prefix, data date, running number of that date
    indicator: str
    place: str
    active: Level  # the level now, moved by signals
    peak: Level  # the highest `active` so far
    stage: Stage  # moved by people
    onset: date  # since when, as estimated at opening
    opened: date  # data date of the first signal
    updated: date  # data date of the last signal that was folded in
    quiet: int = 0  # periods in a row below `active`
    evidence: tuple[Signal, ...] = ()  # the latest signals that hold it at `active`
    stayed: int = 0  # periods judged since `active` was reached, that one included

    @property
    def key(self) -> SeriesKey:
        return SeriesKey(self.indicator, self.place)

    @property
    def needs_a_person(self) -> bool:
        """Orange and red are closed by people only."""
        return self.peak >= Level.ORANGE


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an alert's append-only history."""

    alert: str
    sequence: int  # 1, 2, … within the alert
    date: date  # data date
    at: datetime  # when the service decided, UTC
    transition: Transition
    before: Level
    after: Level
    note: str = ""
    swept: Day | None = None  # data date of the sweep that decided it, where that is later than ``date``

    @property
    def known(self) -> Day:
        """The data date of the sweep that decided it: from then on people could know."""
        return self.swept or self.date


@dataclass(frozen=True, slots=True)
class Correction:
    """A value of a date that is now another, or came late."""

    key: SeriesKey
    date: date
    old: float  # NaN where there was none
    new: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture shown inside a mail; ``cid`` is what the HTML part refers to."""

    cid: str
    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the outbox: everything a channel needs, rendered."""

    message_id: str  # "<hash@domain>", the same whenever the same thing is told
    kind: str  # alert, daily, briefing, notice
    place: str
    date: date  # data date
    recipient: str
    subject: str
    text: str
    html: str
    created: datetime  # UTC; also the Date header, so that a repeat is the same mail
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A text the service wrote (a narrative, a briefing) beside the facts it may use."""

    kind: str  # "narrative" or "narrative-en" (of a day), "briefing" (of a week)
    place: str
    date: date  # data date, or the Monday of the week
    created: datetime
    title: str
    text: str
    html: str
    facts: str  # JSON: every number with id, formula and source


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """One row of a feed file that could not be used, and why."""

    file: str
    row: int  # as a spreadsheet counts: the header is row 1
    column: str  # "" when the whole row is at fault
    value: str  # as written
    reason: str  # for the department that sent the file
    cells: tuple[str, ...] = ()  # indicator, place, date, value, received_at as written; () where it has no such cells


@dataclass(frozen=True, slots=True)
class Rows:
    """What one feed file holds, checked; every array is (R,), in the file's order."""

    name: str
    sha256: str  # of the content; a file is read once
    keys: tuple[SeriesKey, ...]  # the series that occur
    series: npt.NDArray[np.int64]  # position in `keys`
    dates: npt.NDArray[np.datetime64]  # [D], first day of the period
    values: npt.NDArray[np.float64]  # finite
    received: npt.NDArray[np.int64]  # seconds since 1970, UTC
    late: npt.NDArray[np.bool_]
    quarantined: tuple[QuarantineEntry, ...]  # one for each row that could not be used

    @property
    def read(self) -> int:
        """All rows of the file, empty ones and the header left out."""
        return len(self.values) + len(self.quarantined)


@dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of a feed file: rows = accepted + unchanged + quarantined."""

    name: str
    rows: int = 0
    accepted: int = 0  # new values and corrections
    unchanged: int = 0  # rows that say what was known already
    quarantined: int = 0
    late: int = 0  # of the accepted
    corrected: int = 0  # of the accepted: a different value for a date that had one
    feed: str = ""
    first: date | None = None  # data dates of the usable rows
    last: date | None = None
    received: datetime | None = None  # when the service read the file
    error: str | None = None  # why it could not be read at all; nothing of it is stored
    notes: tuple[str, ...] = ()  # what else must be said of it; not kept
