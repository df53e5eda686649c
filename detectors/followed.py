"""A forecast of counts, its level followed and its tails recalibrated: what ``outbreak`` does, round a fit.

A trend that is extrapolated stays wrong after a step until the step has become history.  Here the fit is a shape: the
level of each series is followed round it through the last steps before the anchor, as the fit has them, and on through
the forecast.  What a fit says of values it was made from lies nearer to them than to new ones; so that scatter is not
taken for too small, these values are moved as much further off as a new one's would be (Akaike's final prediction
error).  All follows from the window before the anchor and the values since, so a replay sees what was seen then.

Source: Akaike (1970), Annals of the Institute of Statistical Mathematics 22: 203-217; see ``level``, ``recalibration``.
"""

from __future__ import annotations

import numpy as np

from detectors.blocks import blocks
from detectors.counts import Counts, Judged, Way, judge
from detectors.level import PACES
from detectors.panel import Dates, Floats, Panel
from detectors.spread import Moments, rate

WIDER = 4.0  # times the variance of a fit's residuals, at most


def followed(
    dates: Dates,
    frequency: str,
    values: Floats,
    mean: Floats,
    moments: Moments,
    *,
    ahead: int,
    alpha: float,
    recalibrate: bool,
) -> Judged:
    """Judge the values ahead of an anchor.

    Args:
        dates: (T,), the last ``ahead`` of them from the anchor on.
        frequency: Of the dates.
        values: (T, N) counts.
        mean: (T, N), what a fit made before the anchor says of each; NaN where it says nothing.
        moments: (N,) each, how far off it was.
        ahead: How many final dates to judge.
        alpha: Tail probability of each bound.
        recalibrate: Whether rises that came too often are believed less.

    Returns:
        What is said of the last dates, (ahead, N) each.  NaN where the value was not reported or the fit says nothing
        of it: such dates teach nothing, either.  A series that teaches nothing is expected where its fit is.
    """
    shape = rate(mean, Moments(*(np.broadcast_to(part, mean.shape) for part in moments)))
    known = np.where(np.isfinite(shape), values, np.nan)
    as_new = known.copy()
    fitted = slice(0, len(dates) - ahead)
    wider = np.sqrt(np.minimum((moments.n + moments.spent) / np.maximum(moments.n - moments.spent, 1), WIDER))
    as_new[fitted] = np.maximum(shape[fitted] + wider * (known[fitted] - shape[fitted]), 0)
    columns = np.arange(values.shape[1])
    cut = blocks(Panel(dates, columns.tolist(), values, frequency))
    usual = np.ones((len(cut.first), len(columns)))
    pace = PACES[frequency]
    way = Way(pace, delay=pace.delay, window=1, last=ahead, alpha=alpha, recalibrate=recalibrate)
    return judge(Counts(dates, frequency, cut, as_new, known, shape, columns, usual), way)
