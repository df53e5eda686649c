"""The level of each series, followed step by step around a mean somebody else expects.

What is expected but for the level is the ``shape``: a weekday pattern, a season, a regression.  The level is a gamma
of shape ``events`` and rate ``exposure``: what was seen, and what the shape made of it, both discounted with several
memories and drawn to what is usual in the long run.  It learns of a value only after a delay, so that a slow rise is
not absorbed while it happens.  How much a series scatters is not fitted but averaged over: negative-binomial sizes,
weighted by how well each predicted the series lately.

A level that has changed and stays is taken in at once (``shifts``); the longest memory keeps the old one, and is there
again should it come back.  Everything known before a date lies in a ``State``, which can be kept and gone on from to
the last bit.

Source: West and Harrison (1997), Bayesian Forecasting and Dynamic Models, ch. 10 (discounting), 11 (a series that
leaves its model) and 12 (mixtures); the delays and memories were set on real municipal feeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.mixture import Mixture, log_likelihood, moments
from detectors.panel import Floats
from detectors.shifts import Recent, shifted

SIZES = np.array([0.15, 0.5, 1.6, 5.0, 15.0, 45.0, 150.0, 1e6])  # the last is all but Poisson
PRIOR = 0.3  # events the long-run mean is worth against the level


@dataclass(frozen=True)
class Pace:
    """How slowly a frequency is followed, in steps."""

    memories: tuple[float, ...]
    delay: int
    remembered: float  # share of a size's log likelihood that is left a step later
    minimum: int  # values before the first score
    together: int  # steps after which it is looked for a changed level
    lasting: int  # steps a level must have changed for


PACES = {
    "daily": Pace((20.0, 240.0), 14, 0.992, 28, 7, 14),
    "weekly": Pace((6.0, 60.0), 2, 0.985, 12, 1, 4),
    "monthly": Pace((4.0, 36.0), 1, 0.97, 8, 1, 3),
}


@dataclass(frozen=True)
class State:
    """What is known of N series before a row: arrays (G, N), a memory after the other, each with all sizes."""

    events: Floats
    exposure: Floats
    score: Floats  # discounted log likelihood
    recent: Recent
    known: npt.NDArray[np.int64]  # (N,) rows that come to be learnt, and have been taken in with a changed level
    untold: npt.NDArray[np.bool_]  # (N,) a level has changed, and no row that was judged has said so


@dataclass(frozen=True)
class Rows:
    """Some rows of N series, and what the level learns at each: a value of some rows before, NaN for none."""

    values: Floats  # (R, N)
    shape: Floats  # (R, N)
    taught: Floats  # (R, N)
    taught_shape: Floats  # (R, N)
    usual: Floats  # (N,) the level in the long run


def begin(usual: Floats, pace: Pace, *, window: int = 1) -> State:
    """Return the state before anything was seen of (N,) series of these usual levels."""
    parts = len(pace.memories) * len(SIZES)
    events = np.full((parts, len(usual)), PRIOR)
    return State(
        events,
        PRIOR / usual + np.zeros_like(events),
        np.zeros_like(events),
        Recent.nothing(pace.lasting, window, len(usual)),
        np.zeros(len(usual), dtype=np.int64),
        np.zeros(len(usual), dtype=bool),
    )


def advanced(state: State, rows: Rows, pace: Pace, *, window: int = 1) -> tuple[State, Mixture]:
    """Return the state after some rows, and the distribution of each row's values as it was before them.

    Overlapping sums of ``window`` steps tell 1 / window of a value each.
    """
    keep = 1 - 1 / np.repeat(pace.memories, len(SIZES))[:, None]  # (G, 1)
    size = np.tile(SIZES, len(pace.memories))[:, None]  # (G, 1)
    fast = _fast(pace)
    forget, told = 1 - (1 - pace.remembered) / window, 1 / window
    events, exposure, score, skipped = state.events, state.exposure, state.score, state.known
    level = events / exposure
    mean = np.empty((len(rows.values), *events.shape))
    spread = np.empty_like(mean)
    learns = np.isfinite(rows.taught) & np.isfinite(rows.taught_shape)
    news, exposed = np.where(learns, rows.taught, 0.0), np.where(learns, rows.taught_shape, 0.0)
    prior = PRIOR / rows.usual
    for row, one in enumerate(learns):
        if one.any():
            weight = level * exposed[row]
            weight /= size
            weight += 1
            np.divide(told, weight, out=weight)  # what scatter leaves of it
            fading, some = 1 - keep, skipped.any()
            if some or not one.all():
                new = one & ~(fast & (skipped > 0)) if some else np.broadcast_to(one, events.shape)
                weight, fading = weight * new, fading * new
            events = events + fading * (PRIOR - events) + weight * news[row]
            exposure = exposure + fading * (prior - exposure) + weight * exposed[row]
            level = events / exposure
        skipped = np.maximum(skipped - 1, 0)
        np.multiply(level, rows.shape[row], out=mean[row])
        np.divide(events * size, events + size, out=spread[row])
    likelihood = log_likelihood(rows.values, mean, spread)
    scores = np.empty_like(mean)
    seen = np.isfinite(likelihood[:, 0])  # a value that is missing is so for all parts
    for row, told_of in enumerate(likelihood):
        scores[row] = score
        after = score - score.max(axis=0)
        after *= forget
        after += told * told_of
        score = after if seen[row].all() else np.where(seen[row], after, score)
    mixture = Mixture(mean, spread, scores)
    # what is expected of the rows together needs no weights of each, which are dear
    expected = moments(mean, spread, mixture.of(slice(0, 1)).weight, axis=1)
    recent = state.recent.then(rows.values, rows.shape, *expected)
    return State(events, exposure, score, recent, skipped, state.untold), mixture


def taken_in(state: State, usual: Floats, pace: Pace, delay: int) -> tuple[State, npt.NDArray[np.bool_]]:
    """Return the state that takes the level of series in that has changed for good, and (N,) which these are."""
    where = shifted(state.recent)
    if not where.any():
        return state, where
    size = np.tile(SIZES, len(pace.memories))[:, None]
    value, shape = state.recent.apart()  # (n, N)
    level = np.maximum(value.sum(axis=0), PRIOR) / np.maximum(shape.sum(axis=0), 1e-12)
    weight = 1 / (1 + shape[:, None] * level / size)  # (n, G, N)
    events = PRIOR + (weight * value[:, None]).sum(axis=0)
    exposure = PRIOR / usual + (weight * shape[:, None]).sum(axis=0)
    fast = _fast(pace) & where
    changed = State(
        np.where(fast, events, state.events),
        np.where(fast, exposure, state.exposure),
        state.score,
        state.recent.cleared(where),
        np.where(where, delay + 1, state.known),
        state.untold,
    )
    return changed, where


def _fast(pace: Pace) -> npt.NDArray[np.bool_]:
    """Return (G, 1): all memories but the longest."""
    return np.repeat(np.array(pace.memories) < max(pace.memories), len(SIZES))[:, None]
