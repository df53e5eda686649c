"""Several values of one indicator, place and date in one file: added up, or the last one taken, as the mapping says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from warning.model import Indicator
from warning.sources.cells import Column, Integers

IN_PART = "须与之相加的另一行不能用，合计会不全"
_WHERE = ("indicator", "place", "date", "received_at")


@dataclass(frozen=True)
class Combined:
    """One row for each series and date."""

    rows: Integers  # that stay
    value: Column  # what they say now
    in_part: Integers  # rows that cannot be used, since another that belongs to them cannot


def combined(
    said: Mapping[str, Column],
    usable: Integers,
    faulty: Sequence[int],
    how: Literal["sum", "last"],
    indicators: Mapping[str, Indicator],
) -> Combined:
    """Make one row of several that are of one series and date.

    Only counts and amounts add up; of anything else all rows stay, and what differs is a fault.

    Args:
        said: What each cell says, by fact.
        usable: (U,) rows, ascending.
        faulty: Rows that are set aside; what they would be added to is not whole without them.
        how: What several values are.
        indicators: The catalogue.
    """
    value, none = said["value"], np.empty(0, dtype=np.int64)
    asked = np.concatenate([usable, np.array(faulty, dtype=np.int64)])
    group = np.zeros(len(asked), dtype=np.int64)
    for fact in _WHERE:  # made dense after each, so that no product overflows
        index: dict[str, int] = {}  # 荔湾 and 荔湾区 say the same
        says = np.array([index.setdefault(text, len(index)) for text in said[fact].distinct], dtype=np.int64)
        _, group = np.unique(group * max(len(index), 1) + says[said[fact].codes[asked]], return_inverse=True)
    spoilt = np.isin(group[: len(usable)], group[len(usable) :])
    order = np.argsort(group[: len(usable)], kind="stable")
    ends = np.flatnonzero(np.diff(group[: len(usable)][order], append=-1))
    if how == "last":
        return Combined(np.sort(usable[order[ends]]), value, none)
    adds = np.array([(one := indicators.get(id)) is not None and one.adds_up for id in said["indicator"].distinct])
    of_sums = adds[said["indicator"].codes[usable]] if len(usable) else spoilt
    texts, codes, stays = list(value.distinct), value.codes.copy(), ~(spoilt & of_sums)
    begin = 0
    for end in ends.tolist():
        members, begin = order[begin : end + 1], end + 1
        if len(members) == 1 or not of_sums[members[0]] or spoilt[members[0]]:
            continue
        stays[members[1:]] = False
        codes[usable[members[0]]] = len(texts)
        texts.append(str(sum((Decimal(value.text(int(row))) for row in usable[members]), Decimal(0))))
    return Combined(usable[stays], Column(value.name, texts, codes), usable[spoilt & of_sums])
