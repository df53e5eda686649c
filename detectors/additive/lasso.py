"""The lasso for many small problems at once: exact, by an active set that changes by one unknown a round.

Minimise ½ d'Sd - q'd + l·|d| for m problems of n unknowns.  All problems keep a tableau, [S q s] with the
unknowns of the active set exchanged: a Gauss-Jordan step on the diagonal takes one in or out, so the solution
on an active set and the gradient of the rest stand in it for every l.  In each round each problem that is not
done takes one such step.

Source: Lee et al. (2006), Efficient sparse coding algorithms (feature-sign search), NIPS 19; the tableau is
principal pivoting.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

TOLERANCE = 1e-10  # by which a gradient may exceed its bound, relative to it
ROUNDS = 1_000  # far more than any problem needs

Index = npt.NDArray[np.int64]


class Lasso:
    """m problems with their solutions so far.

    Args:
        s: (m, n, n) symmetric, positive definite but for unknowns that do nothing.
        q: (m, n).
        start: (m, n) a first guess; its zeros count as inactive.
    """

    def __init__(self, s: Floats, q: Floats, start: Floats) -> None:
        self.solution = start.copy()  # (m, n)
        self._s, self._q = s, q
        self._sign = np.sign(start)
        self._table = np.concatenate([s, q[:, :, None], self._sign[:, :, None]], axis=2)  # (m, n, n + 2)
        active = self._sign != 0
        order = np.argsort(~active, axis=1, kind="stable")
        for rank in range(int(active.sum(axis=1).max(initial=0))):
            which = np.flatnonzero(active.sum(axis=1) > rank)
            self._exchange(which, order[which, rank])

    def solve(self, which: Index, bound: Floats, *, refined: bool = True) -> npt.NDArray[np.bool_]:
        """Solve some of the problems for a bound l of each, (k,); return which of them came to an end."""
        alive = np.arange(len(which))
        for _ in range(ROUNDS):
            alive = alive[self._round(which[alive], bound[alive])]
            if not len(alive):
                break
        ended = np.ones(len(which), dtype=bool)
        ended[alive] = False
        if refined:
            self._refine(which, bound)
        return ended

    def bend(self, which: Index) -> Floats:
        """Return (k,) by how much twice the least value grows with l², as long as the active set stays."""
        return np.asarray((self._table[which, :, -1] * self._sign[which]).sum(axis=1))

    def gain(self, which: Index, bound: Floats) -> Floats:
        """Return (k,) by how much twice the least value lies below that of no change at all."""
        d = self.solution[which]
        return np.asarray((self._q[which] * d).sum(axis=1) + bound * np.abs(d).sum(axis=1))

    def _round(self, which: Index, bound: Floats) -> npt.NDArray[np.bool_]:
        """Take one step in each problem; return which are not done."""
        level, pull = self._table[which, :, -2], bound[:, None] * self._table[which, :, -1]
        sign, now, each = self._sign[which], self.solution[which], np.arange(len(which))
        active = sign != 0
        target = np.where(active, level - pull, 0.0)
        turns = target * sign < 0
        share = np.where(turns, now / np.where(turns, now - target, 1.0), np.inf)
        first = share.argmin(axis=1)
        crosses = np.isfinite(share[each, first])
        now += np.minimum(share[each, first], 1.0)[:, None] * (target - now)
        now[crosses, first[crosses]] = 0.0
        back_at_once = crosses & (self.solution[which, first] == 0)  # it came in by no more than rounding
        self.solution[which] = now
        gradient = np.where(active, 0.0, pull - level)
        worst = np.abs(gradient).argmax(axis=1)
        enters = ~crosses & (np.abs(gradient[each, worst]) > bound * (1 + TOLERANCE))
        self._leave(which[crosses], first[crosses])
        self._enter(which[enters], worst[enters], -np.sign(gradient[enters, worst[enters]]))
        return np.asarray((crosses & ~back_at_once) | enters)

    def _enter(self, which: Index, unknown: Index, sign: Floats) -> None:
        self._sign[which, unknown] = sign
        self._table[which, unknown, -1] += sign
        self._exchange(which, unknown)

    def _leave(self, which: Index, unknown: Index) -> None:
        self._exchange(which, unknown)
        self._table[which, unknown, -1] -= self._sign[which, unknown]
        self._sign[which, unknown] = 0.0

    def _exchange(self, which: Index, unknown: Index) -> None:
        """Take one unknown of each problem in or out; the step is its own inverse."""
        if not len(which):
            return
        each = np.arange(len(which))
        table = self._table[which]
        column, pivot = table[each, :, unknown], table[each, unknown, unknown]
        row = table[each, unknown] / pivot[:, None]
        table -= column[:, :, None] * row[:, None, :]
        table[each, :, unknown] = -column / pivot[:, None]
        row[each, unknown] = 1 / pivot
        table[each, unknown] = row
        self._table[which] = table

    def _refine(self, which: Index, bound: Floats) -> None:
        """Mend what rounding the steps have gathered, by the problem as it was given."""
        sign, d = self._sign[which], self.solution[which]
        active = sign != 0
        left = self._q[which] - bound[:, None] * sign - (self._s[which] @ d[:, :, None])[:, :, 0]
        left = np.where(active, left, 0.0)
        mended = d + np.where(active, (self._table[which, :, :-2] @ left[:, :, None])[:, :, 0], 0.0)
        self.solution[which] = np.where(mended * sign > 0, mended, d)
