"""What came by a feed of events, and how: the events that can be counted, the rows that cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from warning.event_mapping import Events
from warning.mapping import Feed
from warning.model import QuarantineEntry
from warning.sources.cells import Integers
from warning.sources.rows import Known

SOME_DAY = -1  # of a row that does not say one


@dataclass(frozen=True)
class Receipt:
    """By which feed of which city something came, and when."""

    feed: Feed
    events: Events  # the section of its mapping
    city: Known
    at: datetime  # aware
    zone: tzinfo  # whose days they are
    late_after: Mapping[str, int]  # for each frequency, days after a period's end from which a value is late

    @property
    def today(self) -> date:
        return self.at.astimezone(self.zone).date()


class Kind(NamedTuple):
    """What happened, and what became of it."""

    category: str
    result: str  # "" where there is none yet


@dataclass(frozen=True)
class Delivery:
    """The events of a file, an answer or a push that can be counted, (R,) each, and the rows that cannot."""

    name: str
    sha256: str
    counted: tuple[str, ...]  # P codes of the places events are counted in
    grids: tuple[str, ...]  # G codes
    kinds: tuple[Kind, ...]
    grid: Integers  # (R,) positions in ``grids``
    kind: Integers  # (R,) positions in ``kinds``
    days: Integers  # (R,) since 1970
    change: Integers  # (R,) 1, or -1 of an event that is withdrawn
    rows: Integers  # (R,) numbers, as a spreadsheet counts
    alike: int  # rows that say what another does, to the second, and are left out
    covered: Integers  # the days it holds whole, ascending
    quarantined: tuple[QuarantineEntry, ...]
    aside: Mapping[int, int]  # by day, how many rows are in quarantine
    column: str  # under which header the time stands

    @property
    def read(self) -> int:
        """All rows, empty ones and the header left out."""
        return len(self.days) + self.alike + len(self.quarantined)
