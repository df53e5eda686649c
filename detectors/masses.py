"""Tails of many negative binomials at whole numbers that lie beside each other, by one incomplete beta function each.

P(X > x) = P(X >= x) - P(X = x), and P(X = x + 1) is a multiple of P(X = x): a tail known at one number is known at its
neighbours, for a tenth of what it costs to ask for it again.

Source: Johnson, Kemp and Kotz (2005), Univariate Discrete Distributions, ch. 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln

from detectors.panel import Floats
from detectors.tails import Tails, count_tails

WALK = 4  # whole numbers on either side that are looked at with one
LARGE = 1e5  # value and size up to which a probability is right to ten digits
TINY = 1e-300
SURE = 1 - 1e-4  # a tail up to which one minus it is right to twelve digits

Bools = npt.NDArray[np.bool_]


def part_tails(x: Floats, mean: Floats, size: Floats) -> Tails:
    """Return the tails of (n,) negative binomials as ``count_tails`` does, of whole numbers in a third of the time."""
    quick = (x == np.floor(x)) & (x >= 0) & (x + size < LARGE) & (mean > 0)
    if not quick.all():
        found = Tails(*(np.empty_like(mean) for _ in range(3)))
        for where, way in ((quick, part_tails), (~quick, count_tails)):
            if where.any():
                for part, told in zip(found, way(x[where], mean[where], size[where]), strict=True):
                    part[where] = told
        return found
    busy, calm, high = mean / (size + mean), size / (size + mean), x > mean
    small = betainc(np.where(high, x + 1, size), np.where(high, size, x + 1), np.where(high, busy, calm))
    other = 1 - small
    again = np.flatnonzero(small > SURE)
    if len(again):
        turned = ~high[again]
        one, two = x[again] + 1, size[again]
        other[again] = betainc(
            np.where(turned, one, two), np.where(turned, two, one), np.where(turned, busy[again], calm[again])
        )
    above, fall = np.where(high, small, other), np.where(high, other, small)
    rise = np.where(x >= 1, np.minimum(above + _mass(x, size, np.log(busy), _start(size, calm)), 1.0), 1.0)
    return Tails(rise, fall, above)


@dataclass(frozen=True)
class Parts:
    """Parts of mixtures; arrays are (parts,)."""

    cell: npt.NDArray[np.intp]
    weight: Floats
    size: Floats
    busy: Floats
    log_busy: Floats
    start: Floats
    cells: int

    @classmethod
    def of(cls, cell: npt.NDArray[np.intp], weight: Floats, mean: Floats, size: Floats, cells: int) -> Parts:
        """Return parts of these means and sizes."""
        busy = np.maximum(mean / (size + mean), TINY)
        return cls(cell, weight, size, busy, np.log(busy), _start(size, size / (size + mean)), cells)

    def rises(self, x: Floats, asked: Bools) -> Floats:
        """Return (2 WALK + 1, cells): P(X >= x + k), k from -WALK to WALK, of the cells asked for; x is at least 1.

        Where numbers are large all are P(X >= x).
        """
        pair = np.flatnonzero(asked[self.cell])
        found = np.empty((2 * WALK + 1, self.cells))
        tail = self.weight[pair] * betainc(x[self.cell[pair]], self.size[pair], self.busy[pair])
        found[:] = self._summed(self.cell[pair], tail)
        near = pair[x[self.cell[pair]] <= LARGE]
        cell, size, busy = self.cell[near], self.size[near], self.busy[near]
        value = x[cell]
        here = self.weight[near] * _mass(value, size, self.log_busy[near], self.start[near])
        mass = here
        for step in range(1, WALK + 1):
            found[WALK + step] = found[WALK + step - 1] - self._summed(cell, mass)
            mass = mass * (value + (step - 1) + size) * busy / (value + step)
        mass, below = here, value
        for step in range(1, WALK + 1):
            mass = mass * below
            below = np.maximum(below - 1, 0.0)
            mass /= (below + size) * busy
            found[WALK - step] = np.where(x > step, found[WALK - step + 1] + self._summed(cell, mass), 1.0)
        return np.clip(found, 0.0, 1.0, out=found)

    def _summed(self, cell: npt.NDArray[np.intp], parts: Floats) -> Floats:
        return np.asarray(np.bincount(cell, parts, self.cells), dtype=np.float64)


def boundary(
    tails: Callable[[Floats, Bools], Floats],
    *,
    within: Floats,
    beyond: Floats,
    guess: Floats,
    step: Floats,
    most: Floats,
) -> Floats:
    """Return of each cell the last whole number, from ``within`` towards ``beyond``, whose tail is at most ``most``.

    The next to be tried lies where a line through the logs of the tails at both ends meets ``most``, every third
    time in the middle; while the tail is known at one end alone, where a line through the last numbers looked at does,
    or so many steps from there, twice as many each time.

    Args:
        tails: Of (cells,) numbers, and the cells asked for: (2 WALK + 1, cells) tails at the numbers around each.
        within: Whose tail is at most ``most``.
        beyond: Whose tail is not.
        guess: To be tried first.
        step: From a known end to the next to be tried.
        most: Of the tail.
    """
    inner, outer = np.full((2, len(within)), np.nan)  # logs of the tails at both ends
    side, aim, turn = np.sign(within - beyond), np.log(most), 0
    every = np.arange(len(within))
    while (open_ := np.abs(within - beyond) > np.maximum(1.0, 2 * np.spacing(within))).any():
        low, high = np.minimum(within, beyond), np.maximum(within, beyond)
        guess = np.where(np.isfinite(guess), guess, np.floor((low + high) / 2))
        # beyond 1e16 the next whole number is further away than 1
        inside = np.clip(
            guess, np.maximum(low + 1, np.nextafter(low, high)), np.minimum(high - 1, np.nextafter(high, low))
        )
        guess = np.where(open_, inside, 1.0)
        found = tails(guess, open_)
        log, flat = np.log(np.maximum(found, np.finfo(float).tiny)), found[0] == found[-1]
        fit = (found <= most).sum(axis=0)  # those furthest towards ``within``
        first, last = (np.where(flat, 0.0, side * (WALK - fit + away)) for away in (1, 0))
        here, there = guess + first, guess + last  # the last that fits, the next, which does not
        closer = open_ & (fit > 0) & (side * (here - within) < 0)
        further = open_ & (fit < len(found)) & (side * (there - beyond) > 0)
        within, beyond = np.where(closer, here, within), np.where(further, there, beyond)
        row = (WALK + np.where(closer, first, 0.0)).astype(np.int64)
        inner = np.where(closer, log[row, every], inner)
        row = (WALK + np.where(further, last, 0.0)).astype(np.int64)
        outer = np.where(further, log[row, every], outer)
        turn += 1
        edge = np.where(fit > 0, -side, side) * WALK  # the last number looked at on the way to ``most``
        at_edge = log[(WALK + edge).astype(np.int64), every]
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = guess + edge + np.rint((aim - at_edge) / (at_edge - log[WALK]) * edge)
            line = beyond + side * np.ceil((outer - aim) / (outer - inner) * np.abs(within - beyond))
        far = side * np.ceil(step * 2.0**turn)
        one = np.where(np.isnan(inner), beyond + far, within - far)
        both = line if turn % 3 else np.floor((within + beyond) / 2)
        known = ~np.isnan(inner) & ~np.isnan(outer)
        ahead = (straight - within) * (straight - beyond) < 0
        guess = np.where(ahead & ~(known & (turn % 3 == 0)), straight, np.where(known, both, one))
    return within


def _mass(x: Floats, size: Floats, log_busy: Floats, start: Floats) -> Floats:
    """Return P(X = x)."""
    return np.asarray(np.exp(gammaln(x + size) - gammaln(x + 1) + x * log_busy + start))


def _start(size: Floats, calm: Floats) -> Floats:
    """Return what the log of P(X = x) holds of the size alone."""
    return np.asarray(size * np.log(calm) - gammaln(size))
