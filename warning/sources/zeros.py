"""Values a feed leaves out, which its mapping says are 0: found as arrays, since a sparse feed leaves out millions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from warning.mapping import Feed, indicators_of, places_of
from warning.model import QuarantineEntry
from warning.periods import first_day
from warning.sources.cells import Column, Integers
from warning.sources.rows import KEYS, Known, Long


@dataclass(frozen=True)
class Zeros:
    """What a feed left out, as positions among the indicators, places and dates it delivers."""

    texts: tuple[tuple[str, ...], ...]  # ids, codes, dates
    codes: tuple[Integers, ...]  # (Z,) each

    def __len__(self) -> int:
        return len(self.codes[0])


NO_ZEROS = Zeros(((),) * 3, (np.zeros(0, dtype=np.int64),) * 3)


def left_out(
    said: Mapping[str, Column],
    feed: Feed,
    city: Known,
    days: set[str],
    faulty: Sequence[int],
    *,
    ragged: bool,
) -> Zeros:
    """Return what a delivered date does not mention.  A date with rows set aside is not sure to lack anything."""
    unsure = {said["date"].text(n) for n in faulty if not (said["indicator"].text(n) and said["place"].text(n))}
    if ragged or "" in {said["date"].text(n) for n in faulty}:
        return NO_ZEROS
    delivered = (indicators_of(feed), places_of(feed, city.places), tuple(sorted(days - unsure)))
    where = [_positions(said[fact], texts) for fact, texts in zip(KEYS, delivered, strict=True)]
    mentioned = np.logical_and.reduce([place >= 0 for place in where])
    present = np.zeros([len(texts) for texts in delivered], dtype=bool)  # (indicators, places, days)
    present[tuple(place[mentioned] for place in where)] = True
    dates = [date.fromisoformat(day) for day in delivered[2]]
    frequencies = [city.indicators[id].frequency for id in delivered[0]]
    begins = {one: [first_day(day, one) == day for day in dates] for one in {*frequencies}}
    fits = np.array([begins[one] for one in frequencies], dtype=bool).reshape(len(frequencies), 1, len(dates))
    return Zeros(delivered, np.nonzero(~present & fits))


def with_zeros(
    long: Long,
    usable: Integers,
    absent: Integers,
    zeros: Zeros,
    quarantined: tuple[QuarantineEntry, ...],
) -> Long:
    """Return the rows that can be used, then those that are 0."""
    kept = np.concatenate([usable, absent])
    blank = np.zeros(len(zeros), dtype=np.int64)

    def column(found: Column, texts: Sequence[str] = ("",), codes: Integers = blank) -> Column:
        """Add what stands in the rows of zeros to a column."""
        return Column(
            found.name, [*found.distinct, *texts], np.concatenate([found.codes[kept], codes + len(found.distinct)])
        )

    indicator, place, day = (
        column(found, texts, codes)
        for found, texts, codes in zip((long.indicator, long.place, long.date), zeros.texts, zeros.codes, strict=True)
    )
    value = column(long.value, ["0"])
    value.codes[len(usable) :] = len(long.value.distinct)
    rows = np.array(long.rows, dtype=np.int64)[kept].tolist() + [0] * len(zeros)
    return Long(
        long.name,
        long.sha256,
        rows,
        indicator,
        place,
        day,
        value,
        column(long.received_at),
        quarantined,
        column(long.headers) if long.headers else None,
        column(long.sheets) if long.sheets else None,
    )


def _positions(column: Column, texts: Sequence[str]) -> Integers:
    """Return (R,) where among some texts each cell's stands, -1 where it does not."""
    position = {text: n for n, text in enumerate(texts)}
    return np.array([position.get(text, -1) for text in column.distinct], dtype=np.int64)[column.codes]
