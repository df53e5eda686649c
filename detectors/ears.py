"""EARS C1 and C2: is today's value high against the last few of its kind?

Needs no history beyond a week or two, so it is the first detector a new
indicator gets.  Blind to seasons, and to weekdays unless ``every`` is 7; its tail
is continuous, so for small counts prefer ``outbreak`` or ``threshold``.

Source: Hutwagner et al. (2003), J. Urban Health 80(2, Suppl. 1): i89-i96.  EARS
compares with mean + 3 sd, R's surveillance::earsC with a normal quantile; a
baseline of seven needs Student's t and the uncertainty of its mean, used here.
"""

from __future__ import annotations

import numpy as np

from detectors.panel import Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.tails import student_bounds, student_tails, surprise

TRANSFORMS = ("none", "log", "logit")
EDGE = 0.05  # per cent: how near to 0 and 100 a ratio is still told apart


def ears(
    panel: Panel,
    *,
    last: int = 1,
    baseline: int = 7,
    gap: int = 0,
    every: int = 1,
    transform: str = "none",
    alpha: float = 0.001,
    min_sd: float | None = None,
) -> Scores:
    """Compare each of the last dates with the mean of a short baseline.

    Args:
        panel: (T, N).  A NaN in a baseline makes that cell abstain.
        last: K, how many final dates to judge.
        baseline: Baseline length in values, at least 3.
        gap: Values left out between baseline and date: 0 is C1, 2 is C2.
        every: Steps from one baseline value to the next: 7 takes the same weekday of the weeks before.
        transform: "none"; "log" of 1 + x for amounts; "logit" for ratios in per cent.
        alpha: Tail probability of each bound; surprise does not depend on it.
        min_sd: Floor for the baseline's standard deviation, in units of the transformed
            value; None is .5 (half a count) without a transform and .05 with one.

    Returns:
        Scores with (K, N) arrays; ``expected`` is the baseline's mean, transformed back.
        Abstains with NOT_SUITED where the transform does not reach: an amount below 0, a ratio outside 0-100.

    Raises:
        ValueError: if ``baseline`` < 3, ``gap`` < 0, ``every`` < 1, ``alpha`` is not in (0, .5), ``transform``
            is unknown, or the panel has fewer than ``last`` dates.
    """
    if baseline < 3 or gap < 0 or every < 1 or not 0 < alpha < 0.5:
        raise ValueError(
            "ears needs baseline >= 3, gap >= 0, every >= 1 and 0 < alpha < .5,"
            f" found baseline={baseline}, gap={gap}, every={every}, alpha={alpha}"
        )
    if transform not in TRANSFORMS:
        raise ValueError(f"transform {transform!r} is unknown; known: {', '.join(TRANSFORMS)}")
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    before = rows[:, None] - every * (gap + 1 + np.arange(baseline))  # (K, baseline)
    window = np.where((before < 0)[..., None], np.nan, panel.values[np.maximum(before, 0)])  # (K, baseline, N)
    observed = panel.values[rows]
    reason = _reasons(panel, observed, window, before.min(axis=1), transform)

    x, past = _transformed(observed, transform), _transformed(window, transform)
    floor = min_sd if min_sd is not None else (0.5 if transform == "none" else 0.05)
    expected = past.mean(axis=1)
    sd = np.maximum(past.std(axis=1, ddof=1), floor) * np.sqrt(1 + 1 / baseline)  # of a new value
    tails = student_tails(x, expected, sd, baseline - 1)
    lower, upper = student_bounds(alpha, expected, sd, baseline - 1)
    return judged(
        reason,
        observed=observed,
        expected=_back(expected, transform),
        lower=_back(lower, transform),
        upper=_back(upper, transform),
        surprise=surprise(tails),
        above=tails.above,
    )


def _reasons(panel: Panel, observed: Floats, window: Floats, oldest: np.ndarray, transform: str) -> np.ndarray:
    new = oldest[:, None] < first_reported(panel.values)
    reason = np.where(np.isnan(window).any(axis=1), Reason.BASELINE_GAP, Reason.JUDGED)
    reason = np.where(new, Reason.SHORT_HISTORY, reason)
    reason = np.where(_beyond(window, transform).any(axis=1) | _beyond(observed, transform), Reason.NOT_SUITED, reason)
    return np.where(np.isnan(observed), Reason.NOT_REPORTED, reason).astype(np.int8)


def _beyond(values: Floats, transform: str) -> np.ndarray:
    if transform == "none":
        return np.zeros(values.shape, dtype=bool)
    return (values < 0) | ((values > 100) if transform == "logit" else False)


def _transformed(values: Floats, transform: str) -> Floats:
    if transform == "log":
        return np.log1p(np.maximum(values, 0.0))
    if transform == "logit":
        share = np.clip(values, EDGE, 100 - EDGE)
        return np.log(share / (100 - share))
    return values


def _back(values: Floats, transform: str) -> Floats:
    if transform == "log":
        return np.maximum(np.expm1(np.minimum(values, 700.0)), 0.0)  # 700: where exp ends
    if transform == "logit":
        return 100 / (1 + np.exp(-np.clip(values, -700.0, 700.0)))
    return values
