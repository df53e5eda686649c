"""What must hold for a colour: conditions on the numbers of one method or of several.

A table holds when every number it asks for is reached, all tables of its ``all`` hold, and any of its ``any``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from warning.checked import Checked

DEEPEST = 4  # tables within tables; what nobody can read nobody can answer for
NUMBERS = ("surprise", "ratio", "extra", "at_least", "bound", "line", "per_10000")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Condition(Checked):
    """What must hold together; what is absent is not asked for.

    Units: surprise in powers of ten, ratio observed / expected (expected / observed for a fall), extra in the
    indicator's unit (percentage points for a ratio), at_least on the judged value as it stands, bound observed /
    upper bound (lower bound / observed for a fall): the line, where the detector draws one; line on the judged value
    of a place of mean size, by ``scale`` more in a larger one and less in a smaller; per_10000 judged value per
    10,000 persons.
    """

    method: str = ""  # whose numbers: one of the rule's ``methods``; "" is the rule's own
    surprise: Positive | None = None
    ratio: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    extra: Positive | None = None
    at_least: Positive | None = None
    bound: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    line: Positive | None = None
    scale: Literal["population", "usual"] = "population"  # size of a place: its persons, or what is expected there
    per_10000: Positive | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _readable(self) -> Condition:
        if self.depth() > DEEPEST:
            raise ValueError(f"conditions stand {self.depth()} deep in each other, at most {DEEPEST} can be read")
        return self

    def depth(self) -> int:
        """Return how many tables stand in each other."""
        return 1 + max((part.depth() for part in (*self.all, *self.any)), default=0)

    def asked(self) -> dict[str, float]:
        """Return the numbers this table itself asks for, by name."""
        return {name: value for name in NUMBERS if (value := getattr(self, name)) is not None}

    def tables(self) -> Iterator[Condition]:
        """Yield this table and all within it."""
        yield self
        for part in (*self.all, *self.any):
            yield from part.tables()


class Evidence(Condition):
    """What one colour asks for, and what is enough to keep it."""

    lower: Condition | None = None  # while this holds, the colour does not fall

    def tables(self) -> Iterator[Condition]:
        """Yield this table and all within it, those of ``lower``, too."""
        yield from super().tables()
        if self.lower is not None:
            yield from self.lower.tables()
