"""``district.toml``: from the alerts of a place to its colour on the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from warning.checked import Checked

Count = Annotated[int, Field(ge=1)]


class Colour(Checked):
    """How many live alerts give a place a colour; any one condition is enough, but those of ``all`` hold together."""

    red: Count | None = None
    orange: Count | None = None
    yellow: Count | None = None
    orange_areas: Count | None = None  # level-2 areas with an alert of orange or red
    yellow_areas: Count | None = None  # level-2 areas with any live alert
    all: tuple[Colour, ...] = ()  # of each at least one condition
    any: tuple[Colour, ...] = ()


class PlaceColours(Checked):
    """The conditions of each colour, for every place or for those of a tier."""

    red: Colour = Colour(red=1, orange_areas=3)
    orange: Colour = Colour(orange=1)
    yellow: Colour = Colour(yellow=2)
    missing_share: Annotated[float, Field(gt=0, le=1)] = 0.5  # of watched series, from which a calm place is grey
    tier: Mapping[str, TierColours] = {}  # what is other for places of a tier

    def at(self, tier: str) -> PlaceColours:
        """Return the conditions for the places of a tier."""
        said = self.tier.get(tier)
        if said is None:
            return self
        return self.model_copy(update={name: getattr(said, name) for name in said.model_fields_set})


class TierColours(Checked):
    """What is other for the places of one tier; what is left out is as for all."""

    red: Colour = Colour()
    orange: Colour = Colour()
    yellow: Colour = Colour()
    missing_share: Annotated[float, Field(gt=0, le=1)] = 0.5
