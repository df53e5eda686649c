"""Rises that come more often than they say, believed less: a map of the tail, learnt from how surprised one was before.

Every past value gives a randomised p value, uniform between P(X > x) and P(X >= x); where the distributions are right,
one in thirty-two lies beyond a surprise of 1.5, and what goes on from there is exponential.  How many do, and how far
they go on the average, is learnt for each class of volume from all its cells before an anchor; instead of drawing a
number, its mean over all draws is taken, so that nothing is random.  A class is drawn to the panel and the panel to
what is nominal as far as the differences between blocks of dates ask for (James and Stein): a panel too small or too
young to show anything changes nothing, and neither does a second copy of all series.

The map makes no surprise larger, and is never learnt per series: after one epidemic a series would be blind to the
next.  Falls are left as they are; on real feeds they came less often than they said.

Source: Dawid (1984), J. R. Statist. Soc. A 147: 278-292 (the probability integral transform); Czado, Gneiting and
Held (2009), Biometrics 65: 1254-1261 (for counts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

VOLUMES = np.array([0.1, 1.0, 5.0, 20.0, 100.0])  # expected events between two classes
FROM = 1.5  # surprise from which on the tail is mapped
SHARE = 10.0**-FROM  # of cells beyond it, if the distributions are right
REACH = 2.0  # a cell counts as at most so much beyond: one epidemic does not bend the tail
EXCESS = (1 - 10.0**-REACH) / np.log(10)  # mean surprise beyond it, if they are
BLOCKS = 6  # of four weeks (months: one) that must have been judged before anything is learnt
MOST_SHARE, MOST_EXCESS = 2.0, 1.5  # times the nominal: the map believes no worse of a tail

POINT = 1e-6  # relative width of a p value that is as good as a point

Ints = npt.NDArray[np.int64]


def volume(expected: Floats) -> Ints:
    """Return the class of volume of expected values, 0 to ``len(VOLUMES)``."""
    return np.searchsorted(VOLUMES, expected, side="right").astype(np.int64)


@dataclass(frozen=True)
class Tally:
    """How the tails of one block of dates fared; arrays are (classes,), all that was judged in the block."""

    cells: Floats
    beyond: Floats  # how many lay beyond ``FROM``, the mean over all draws
    excess: Floats  # how far in all

    @classmethod
    def nothing(cls) -> Tally:
        """Return a tally of no cells."""
        return cls(*(np.zeros(len(VOLUMES) + 1) for _ in range(3)))

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.cells + other.cells, self.beyond + other.beyond, self.excess + other.excess)


def tally(expected: Floats, rise: Floats, above: Floats, *, others: Floats) -> Tally:
    """Return how some cells fared.

    Args:
        expected: (cells,) expected values.
        rise: (cells,) P(X >= x).
        above: (cells,) P(X > x).
        others: (n,) expected values of cells known to lie within ``FROM`` whatever is drawn.
    """
    classes, every = len(VOLUMES) + 1, volume(np.concatenate([expected, others]))
    here = every[: len(expected)]
    rise = np.maximum(rise, np.finfo(float).tiny)
    above = np.minimum(above, rise * (1 - POINT))  # far out the two are the same number
    width, inside = rise - above, np.minimum(rise, SHARE)
    beyond = np.clip((inside - above) / width, 0.0, 1.0)
    least = SHARE * 10.0**-REACH
    high, low = np.clip(inside, least, SHARE), np.clip(above, least, SHARE)
    excess = _surprise_up_to(high) - _surprise_up_to(low) - FROM * (high - low)
    excess += REACH * np.maximum(np.minimum(inside, least) - np.minimum(above, least), 0.0)
    return Tally(
        np.bincount(every, minlength=classes).astype(float),
        np.asarray(np.bincount(here, beyond, classes), dtype=np.float64),
        np.asarray(np.bincount(here, np.where(beyond > 0, excess / width, 0.0), classes), dtype=np.float64),
    )


@dataclass(frozen=True)
class TailMap:
    """What a surprise means in each class of volume; arrays are (classes,)."""

    share: Floats  # of cells beyond FROM
    excess: Floats  # how far they lie beyond on the average

    def believed(self, surprise: Floats, classes: Ints) -> Floats:
        """Return the surprise that rises deserve; falls and small rises as they are."""
        start, slope = -np.log10(self.share[classes]), EXCESS / self.excess[classes]
        mapped = np.where(surprise > FROM, start + (surprise - FROM) * slope, surprise * start / FROM)
        return np.where(surprise > 0, np.minimum(mapped, surprise), surprise)

    def needed(self, surprise: float, classes: Ints) -> Floats:
        """Return the model's surprise that is believed to be ``surprise``: the inverse of ``believed``."""
        start, slope = -np.log10(self.share[classes]), EXCESS / self.excess[classes]
        return np.where(surprise > start, FROM + (surprise - start) / slope, surprise * FROM / start)


def learnt(past: Sequence[Tally]) -> TailMap:
    """Return the map that holds after some blocks, each with a tally."""
    cells, beyond, excess = (
        np.array([getattr(one, name) for one in past]).reshape(len(past), len(VOLUMES) + 1)
        for name in ("cells", "beyond", "excess")
    )
    return TailMap(
        np.minimum(_drawn(beyond, cells, SHARE, cells), MOST_SHARE * SHARE),
        np.minimum(_drawn(excess, beyond, EXCESS, cells), MOST_EXCESS * EXCESS),
    )


def _drawn(above: Floats, below: Floats, nominal: float, cells: Floats) -> Floats:
    """Return (classes,) ratios of two sums over (blocks, classes), not below what is nominal."""
    every = _ratio(above.sum(axis=1, keepdims=True), below.sum(axis=1, keepdims=True), cells.sum(axis=1, keepdims=True))
    panel = np.maximum(_towards(nominal, *every), nominal)
    return np.maximum(_towards(panel, *_ratio(above, below, cells)), nominal)


def _ratio(above: Floats, below: Floats, cells: Floats) -> tuple[Floats, Floats]:
    """Return a ratio of sums and its variance, as far as the blocks tell; infinite where they are too few."""
    blocks = (cells > 0).sum(axis=0)
    whole = below.sum(axis=0)
    enough = (blocks >= BLOCKS) & (whole > 0)
    whole = np.where(enough, whole, 1.0)
    ratio = np.where(enough, above.sum(axis=0) / whole, 0.0)
    spread = ((above - ratio * below) ** 2).sum(axis=0) / whole**2 * blocks / np.maximum(blocks - 1, 1)
    return ratio, np.where(enough, spread, np.inf)


def _towards(centre: Floats | float, ratio: Floats, variance: Floats) -> Floats:
    distance = np.maximum((ratio - centre) ** 2, np.finfo(float).tiny)
    trust = np.clip(1 - variance / distance, 0.0, 1.0)
    return np.asarray(centre + trust * (ratio - centre))


def _surprise_up_to(p: Floats) -> Floats:
    """Return the integral of -log10 from 0 to p."""
    return np.asarray((p - p * np.log(p)) / np.log(10))
