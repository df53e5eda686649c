"""The ridge half of the model, solved away: what is left of it to the changes of slope.

For a noise s the level, seasons, special days and first slope follow from the changes of slope by one ridge
regression. Series that share a design share its eigenvectors, so any noise of any of them costs a few products;
a series with a design of its own is solved for.

The data are centred before, so that a large level costs no digits: with level c the coefficient of the level
column is held to -c/5 instead of 0, which is the same model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detectors.additive.lasso import Index
from detectors.additive.products import Products
from detectors.additive.trend import CUTS
from detectors.panel import Floats

NULL = 1e-12  # eigenvalues below this share of the largest are rounding: the data say nothing in that direction


@dataclass(frozen=True, eq=False)
class Reduced:
    """Twice the least posterior over the ridge half, as a function of the changes d: constant - 2 q'd + d'Sd."""

    s: Floats  # (k, CUTS, CUTS)
    q: Floats  # (k, CUTS)
    constant: Floats  # (k,)


class Ridge(Protocol):
    """The ridge half of m series."""

    size: int  # R

    def reduced(self, which: Index, noise: Floats) -> Reduced:
        """Return what is left to the changes of slope at a noise of each series, (k,)."""

    def coefficients(self, which: Index, changes: Floats) -> Floats:
        """Return (k, R) the ridge half that belongs to changes, (k, CUTS), at the noise last reduced by."""


class SharedRidge:
    """Series with one design.

    Args:
        products: Their sums; one Gram matrix.
        squares: (m,) the centred data's sums of squares.
        held: (m,) what their level coefficient is held away from 0 by: the level taken out, in units of its prior.
    """

    def __init__(self, products: Products, squares: Floats, held: Floats) -> None:
        gram, ridge = products.gram[0], products.gram.shape[1] - CUTS
        self.size = ridge
        values, self._vectors = np.linalg.eigh(gram[:ridge, :ridge])
        seen = values > NULL * values[-1]
        self._values = np.where(seen, values, 0.0)
        self._cross = np.where(seen[:, None], self._vectors.T @ gram[:ridge, ridge:], 0.0)  # (R, CUTS)
        self._pairs = (self._cross[:, :, None] * self._cross[:, None, :]).reshape(ridge, -1)
        self._changes = gram[ridge:, ridge:].reshape(-1)
        self._data = np.where(seen, products.data[:, :ridge] @ self._vectors, 0.0)
        self._data_of_changes = products.data[:, ridge:]
        self._level = self._vectors[0]  # the level column in these directions
        self._squares, self._held = squares, held
        self._inverse, self._target = np.empty_like(self._data), np.empty_like(self._data)

    def reduced(self, which: Index, noise: Floats) -> Reduced:
        inverse = 1 / (self._values + noise[:, None])
        target = self._data[which] - (noise * self._held[which])[:, None] * self._level
        self._inverse[which], self._target[which] = inverse, target
        s = (self._changes - inverse @ self._pairs).reshape(-1, CUTS, CUTS)
        q = self._data_of_changes[which] - (inverse * target) @ self._cross
        constant = self._squares[which] + noise * self._held[which] ** 2 - (inverse * target**2).sum(axis=1)
        return Reduced(s, q, constant)

    def coefficients(self, which: Index, changes: Floats) -> Floats:
        along = self._inverse[which] * (self._target[which] - changes @ self._cross.T)
        return np.asarray(along @ self._vectors.T)


class OwnRidge:
    """Series with a design each; arguments as ``SharedRidge``."""

    def __init__(self, products: Products, squares: Floats, held: Floats) -> None:
        gram, ridge = products.gram, products.gram.shape[1] - CUTS
        self.size = ridge
        self._own = gram[:, :ridge, :ridge]
        self._cross = np.ascontiguousarray(gram[:, ridge:, :ridge])  # (m, CUTS, R)
        self._changes, self._data = gram[:, ridge:, ridge:], products.data
        self._squares, self._held = squares, held
        self._solved = np.empty((len(squares), ridge, CUTS + 1))

    def reduced(self, which: Index, noise: Floats) -> Reduced:
        left, cross = self._own[which], self._cross[which]
        left[:, np.arange(self.size), np.arange(self.size)] += noise[:, None]
        target = self._data[which, : self.size]
        target[:, 0] -= noise * self._held[which]
        solved = np.linalg.solve(left, np.concatenate([cross, target[:, None, :]], axis=1).transpose(0, 2, 1))
        self._solved[which] = solved
        taken = cross @ solved  # (k, CUTS, CUTS + 1)
        return Reduced(
            self._changes[which] - taken[:, :, :CUTS],
            self._data[which, self.size :] - taken[:, :, CUTS],
            self._squares[which] + noise * self._held[which] ** 2 - (target * solved[:, :, CUTS]).sum(axis=1),
        )

    def coefficients(self, which: Index, changes: Floats) -> Floats:
        along = np.concatenate([-changes, np.ones((len(changes), 1))], axis=1)
        return np.asarray((self._solved[which] @ along[:, :, None])[:, :, 0])
