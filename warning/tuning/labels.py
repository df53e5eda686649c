"""What really happened, as somebody wrote it down: to say which alerts were right, and how early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import Field, model_validator

from warning.checked import Checked
from warning.city import City
from warning.errors import ConfigError
from warning.model import SeriesKey
from warning.tables import Faults, read_table, unknown, values


@dataclass(frozen=True, slots=True)
class Label:
    """An event of one indicator in one place, from its first day to its last."""

    name: str
    key: SeriesKey
    first: date
    last: date


class _Row(Checked):
    id: str = ""
    kind: str = ""
    indicator: str = Field(min_length=1)
    place: str = Field(min_length=1)
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> _Row:
        if self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


def read_labels(path: Path, city: City) -> tuple[Label, ...]:
    """Return the events of a CSV file with the columns indicator, place, first and last; others are left alone.

    A row whose ``kind`` is "break" is none: there what is counted became another, which nobody is to be told of.

    Raises:
        ConfigError: with every fault of the file.
    """
    faults = Faults()
    rows = values(read_table(path, _Row, faults))
    wrong = faults[path.name]
    for number, row in rows:
        wrong.extend(unknown(number, "indicator", row.indicator, city.indicators, "indicators.csv"))
        wrong.extend(unknown(number, "place", row.place, city.places, "places.csv"))
    if wrong:
        raise ConfigError(str(path), wrong)
    return tuple(
        Label(row.id or str(number), SeriesKey(row.indicator, row.place), row.first, row.last)
        for number, row in rows
        if row.kind != "break"
    )


def within(city: City, place: str, above: str) -> bool:
    """Return whether a place is another, or lies in it."""
    here: str | None = place
    while here is not None and here != above:
        here = city.places[here].parent
    return here == above
