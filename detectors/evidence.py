"""How surprising are the last few windows together?  Sums of one, two, three windows, each judged, and put together.

A small rise that lasts is clearer in the sum of two weeks than in either; a burst is clearest in its own.  The smallest
of several tails is no tail, so they are put together by the distribution they have together: their normal scores are
added and divided by the standard deviation of that sum, which is known, since a shorter sum is a part of a longer one.
Where nothing happens the answer is exceeded at most as often as it says.

A burst stays in the sums for as many windows as there are, and what carries over from one week to the next by nature
counts for more than it is: for clean feeds and small outbreaks.

Source: Stouffer et al. (1949), The American Soldier, vol. 1; for correlated scores Strube (1985), Psychological
Bulletin 97: 334-341.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import log_ndtr, ndtri

from detectors.panel import Floats, Scores
from detectors.tails import SMALLEST

MOST = -np.log10(SMALLEST)


def together(scores: Sequence[Scores]) -> Scores:
    """Return the scores of the first, with the surprise of all together and without ``above``.

    Args:
        scores: Of sums of 1, 2, … windows that end on the same dates.  A longer sum that was not judged, since a value
            before the first window is missing, is left out; it is not judged where the first is not.
    """
    first = scores[0]
    if len(scores) == 1:
        return first
    spread = _spread(scores)
    rise, fall = (-log_ndtr(-_score(scores, sign) / spread) / np.log(10) for sign in (1.0, -1.0))
    told = np.where(rise >= fall, np.minimum(rise, MOST), -np.minimum(fall, MOST))
    alone = np.sum([~np.isnan(one.surprise) for one in scores], axis=0) <= 1
    surprise = np.where(alone, first.surprise, told)
    return replace(first, surprise=surprise, above=np.full_like(surprise, np.nan))


def _score(scores: Sequence[Scores], sign: float) -> Floats:
    """Return (K, N) the sum of normal scores of the tails above (1) or below (-1).

    Of a value on the other side only the other tail is known; it says at most nothing for this one.
    """
    total = np.zeros_like(scores[0].surprise)
    for one in scores:
        surprise = np.nan_to_num(sign * one.surprise)
        normal = ndtri(10.0 ** -np.abs(surprise))
        total += np.where(np.isnan(one.surprise), 0.0, np.where(surprise > 0, -normal, np.minimum(normal, 0.0)))
    return total


def _spread(scores: Sequence[Scores]) -> Floats:
    """Return (K, N) the standard deviation of the sum of normal scores.

    The correlation of a sum with a longer one it is part of is the root of its share in what was expected of that, and
    not less than among equal windows.
    """
    known = [~np.isnan(one.surprise) for one in scores]
    variance = known[0].astype(np.float64)
    for longer in range(1, len(scores)):
        variance += known[longer]
        for shorter in range(longer):
            with np.errstate(invalid="ignore", divide="ignore"):
                share = scores[shorter].expected / scores[longer].expected
            correlation = np.sqrt(np.clip(share, (shorter + 1) / (longer + 1), 1.0))
            variance += 2 * np.where(known[shorter] & known[longer], correlation, 0.0)
    return np.asarray(np.sqrt(np.maximum(variance, 1.0)))
