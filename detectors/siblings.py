"""Rare series judged together: an event in one place is no news, one in each of six places at once is.

The siblings of a series are those of the same group (its indicator) under the same parent in the tree of places.  The
sum of the rare ones among them is a series of its own, expected to be the sum of what each is expected to be, and
judged as any other.  A rare series that has an event then takes the smaller of the two p values, doubled for having
been asked twice (Bonferroni), so that it is no more surprising than it says.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from detectors.counts import Counts, Judged, Way
from detectors.kept import Cache, judge
from detectors.panel import Floats

RARE = 0.5  # expected events of a judged value below which a series is
FEWEST = 3  # siblings that make a family

Ints = npt.NDArray[np.int64]


def families(group: Ints, parents: Ints) -> Ints:
    """Return (N,) numbers of the families, -1 for none, from each series' group and its parent, -1 for none."""
    pairs = group * (parents.max(initial=0) + 1) + parents
    _, number, size = np.unique(np.where(parents < 0, -1, pairs), return_inverse=True, return_counts=True)
    lone = (parents < 0) | (size[number] < FEWEST)
    kept = np.unique(number[~lone])
    return np.where(lone, -1, np.searchsorted(kept, number)).astype(np.int64)


def together(found: Judged, counts: Counts, way: Way, family: Ints, cache: Cache | None = None) -> Floats:
    """Return (K, N) surprises, those of rare series with an event pooled with their siblings'."""
    members = np.flatnonzero(family >= 0)
    if not len(members):
        return found.surprise
    pooled = judge(_summed(counts, members, family, way.window), way, cache).surprise[:, family[members]]
    values = counts.values[-way.last :, members]
    expected, own = found.expected[:, members], found.surprise[:, members]
    asked = _rare(counts, way.window)[counts.cut.of[-way.last :]][:, members] & (values >= 1) & (values > expected)
    asked &= np.isfinite(own) & np.isfinite(pooled)
    surprise = found.surprise.copy()
    surprise[:, members] = np.where(asked, np.maximum(np.maximum(own, pooled) - np.log10(2), 0.0), own)
    return surprise


def _rare(counts: Counts, window: int) -> npt.NDArray[np.bool_]:
    """Return (J, N): which series are rare, as known before each block."""
    return np.isfinite(counts.usual) & (counts.level * window < RARE)


def _summed(counts: Counts, members: Ints, family: Ints, window: int) -> Counts:
    """Return the families' sums over their rare members, with what is expected of them."""
    members = members[np.argsort(family[members], kind="stable")]
    first = np.flatnonzero(np.diff(family[members], prepend=-1))
    rare = _rare(counts, window)[:, members]
    told = rare[counts.cut.of] & np.isfinite(counts.values[:, members])
    shape = counts.shape[:, counts.column[members]] * counts.level[counts.cut.of][:, members]

    def of_families(part: Floats) -> Floats:
        sums = np.add.reduceat(np.where(told, part, 0.0), first, axis=1)
        return np.where(np.logical_or.reduceat(told, first, axis=1), sums, np.nan)

    known = np.logical_or.reduceat(rare, first, axis=1)
    return replace(
        counts,
        values=of_families(counts.values[:, members]),
        taught=of_families(counts.taught[:, members]),
        shape=of_families(shape),
        column=np.arange(len(first)),
        usual=np.where(known, 1.0, np.nan),
    )
