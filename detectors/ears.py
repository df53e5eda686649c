"""EARS C1, C2 and C3: is today's value high against the last few of its kind?

Needs no history beyond a week or two, so it is the first detector a new
indicator gets.  Blind to seasons, and to weekdays unless ``every`` or ``window`` is 7.

Source: Hutwagner et al. (2003), J. Urban Health 80(2, Suppl. 1): i89-i96.  EARS
compares with mean + 3 sd, R's surveillance::earsC with a normal quantile; a
baseline of seven needs Student's t and the uncertainty of its mean, used here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.excess import excess_quantile, excess_tails
from detectors.panel import Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.tails import Tails, count_bounds, count_tails, student_bounds, student_tails, surprise
from detectors.windows import part, rolled

TRANSFORMS = ("none", "count", "log", "logit")
Rows = npt.NDArray[np.int64]

EDGE = 0.05  # per cent: how near to 0 and 100 a ratio is still told apart


def ears(
    panel: Panel,
    *,
    last: int = 1,
    window: int = 1,
    baseline: int = 7,
    gap: int = 0,
    excesses: int = 1,
    every: int | None = None,
    transform: str = "none",
    alpha: float = 0.001,
    min_sd: float | None = None,
) -> Scores:
    """Compare each of the last dates with the mean of a short baseline.

    Args:
        panel: (T, N).  A NaN in a baseline makes that cell abstain.
        last: K, how many final dates to judge.
        window: Steps in a value: counts and amounts are summed over them, other kinds averaged.
        baseline: Baseline length in values, at least 3.
        gap: Values left out between baseline and date: 0 is C1, 2 is C2.
        excesses: Values judged together; 3 with a ``gap`` of 2 is C3, the sum of what the last three lie beyond
            one standard deviation, each against its own baseline.
        every: Steps from one baseline value to the next, at least ``window`` so that none is counted twice: 7
            takes the same weekday of the weeks before.  None is ``window``.
        transform: "none"; "count" for counts, whose tail is then the widest of Student's on the counts, Student's
            on their logarithm and a Poisson's; "log" of 1 + x for amounts; "logit" for ratios in per cent.
        alpha: Tail probability of each bound; surprise does not depend on it.
        min_sd: Floor for the baseline's standard deviation, in units of the transformed
            value; None is .5 (half a count) for "none" and "count", .05 for "log" and "logit".

    Returns:
        Scores with (K, N) arrays.  ``observed`` is the value, of several ``excesses`` their sum (mean);
        ``expected`` is the baselines' means, transformed back.  Of several, ``upper`` is the sum from which the
        last value alone would make it so surprising, the ones before it being what they are.
        Abstains with NOT_SUITED where the transform does not reach: an amount below 0, a ratio outside 0-100.

    Raises:
        ValueError: if ``window`` < 1, ``baseline`` < 3, ``gap`` < 0, ``every`` < ``window``, ``excesses`` < 1 or
            > ``gap`` + 1 (a judged value would be in a baseline) or not of values side by side, ``alpha`` is not in
            (0, .5), ``min_sd`` <= 0, ``transform`` is unknown, or the panel has fewer than ``last`` dates.
    """
    step = window if every is None else every
    _check(window, baseline, gap, excesses, step, transform, alpha, min_sd)
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    share = part(panel, window)  # (N,)
    values = rolled(panel.values, window) * share
    now = rows[:, None] - step * np.arange(excesses)  # (K, E)
    before = now[..., None] - step * (gap + 1 + np.arange(baseline))  # (K, E, B)
    x, past = (np.where((at < 0)[..., None], np.nan, values[np.maximum(at, 0)]) for at in (now, before))
    reason = _reasons(panel, rows, window, x, past, before.min(axis=(1, 2)) - window + 1, transform)

    floor = min_sd if min_sd is not None else (0.05 if transform in ("log", "logit") else 0.5)
    if transform == "count":
        of_logs = _Judgement.of(x, past, "log", floor / (1 + np.maximum(past.mean(axis=2), 0.0)), alpha)
        found = _Judgement.of(x, past, "none", floor, alpha).widened(of_logs).widened(_poisson(x, past, alpha))
    else:
        found = _Judgement.of(x, past, transform, floor, alpha)
    several = part(panel, excesses)
    return judged(
        reason,
        observed=x.sum(axis=1) * several,
        expected=found.expected * several,
        lower=found.lower * several,
        upper=found.upper * several,
        surprise=surprise(found.tails),
        above=found.tails.above,
    )


@dataclass(frozen=True)
class _Judgement:
    """What one way of looking at the values says of them; arrays are (K, N), sums over the values judged together."""

    expected: Floats
    lower: Floats
    upper: Floats
    tails: Tails

    @classmethod
    def of(cls, x: Floats, past: Floats, transform: str, floor: Floats | float, alpha: float) -> _Judgement:
        """Judge (K, E, N) values against (K, E, B, N) baselines, by Student's t or by their excesses."""
        raw, x, past = x, _transformed(x, transform), _transformed(past, transform)
        mean = past.mean(axis=2)  # (K, E, N)
        sd = np.maximum(past.std(axis=2, ddof=1), floor)
        baseline, terms = past.shape[2], x.shape[1]
        expected = _back(mean, transform).sum(axis=1)
        if terms == 1:
            scale = sd[:, 0] * np.sqrt(1 + 1 / baseline)  # of a new value
            lower, upper = student_bounds(alpha, mean[:, 0], scale, baseline - 1)
            tails = student_tails(x[:, 0], mean[:, 0], scale, baseline - 1)
            return cls(expected, _back(lower, transform), _back(upper, transform), tails)
        z = (x - mean) / sd
        limit = excess_quantile(alpha, baseline, terms)
        earlier = raw[:, 1:].sum(axis=1)
        sides = []
        for sign in (-1, 1):
            excess = np.maximum(sign * z - 1, 0.0)
            lacking = limit - excess[:, 1:].sum(axis=1)
            reach = mean[:, 0] + sign * sd[:, 0] * (1 + lacking)
            # where the earlier ones are enough, any last value will do
            enough = sign * np.minimum(sign * reach, sign * x[:, 0])
            bound = _back(np.where(lacking > 0, reach, enough), transform)
            sides.append((earlier + bound, excess_tails(excess.sum(axis=1), baseline, terms)))
        (lower, falls), (upper, rises) = sides
        return cls(expected, lower, upper, Tails(rises.rise, falls.rise, rises.above))

    def widened(self, other: _Judgement) -> _Judgement:
        """Return what both agree on: the larger of their tails, the outer of their bounds."""
        tails = Tails(*(np.maximum(one, another) for one, another in zip(self.tails, other.tails, strict=True)))
        lower, upper = np.minimum(self.lower, other.lower), np.maximum(self.upper, other.upper)
        return _Judgement(self.expected, lower, upper, tails)


def _poisson(x: Floats, past: Floats, alpha: float) -> _Judgement:
    """Judge counts as if they scattered no more than they must, against the baseline of the last."""
    events = past[:, 0].sum(axis=1) + 0.5  # Jeffreys' half
    expected = events / past.shape[2] * x.shape[1]
    return _Judgement(expected, *count_bounds(alpha, expected, events), count_tails(x.sum(axis=1), expected, events))


def _check(
    window: int,
    baseline: int,
    gap: int,
    excesses: int,
    every: int,
    transform: str,
    alpha: float,
    min_sd: float | None,
) -> None:
    if window < 1 or baseline < 3 or gap < 0 or every < window or not 0 < alpha < 0.5:
        raise ValueError(
            "ears needs baseline >= 3, gap >= 0, window >= 1, every >= window and 0 < alpha < .5,"
            f" found baseline={baseline}, gap={gap}, window={window}, every={every}, alpha={alpha}"
        )
    if not 1 <= excesses <= gap + 1 or (excesses > 1 and every != window):
        raise ValueError(
            "ears needs 1 <= excesses <= gap + 1, and above 1 no every beside it,"
            f" found excesses={excesses}, gap={gap}, every={every}"
        )
    if min_sd is not None and min_sd <= 0:
        raise ValueError(f"ears needs min_sd > 0, found {min_sd}")
    if transform not in TRANSFORMS:
        raise ValueError(f"transform {transform!r} is unknown; known: {', '.join(TRANSFORMS)}")


def _reasons(
    panel: Panel, rows: Rows, window: int, x: Floats, past: Floats, oldest: Rows, transform: str
) -> npt.NDArray[np.int8]:
    began = first_reported(panel.values)
    gap = np.isnan(past).any(axis=(1, 2)) | np.isnan(x[:, 1:]).any(axis=1)
    reason = np.where(gap, Reason.BASELINE_GAP, Reason.JUDGED)
    reason = np.where(oldest[:, None] < began, Reason.SHORT_HISTORY, reason)
    beyond = _beyond(past, transform).any(axis=(1, 2)) | _beyond(x, transform).any(axis=1)
    reason = np.where(beyond, Reason.NOT_SUITED, reason)
    young = ((rows - window + 1)[:, None] < began) & ~np.isnan(panel.values[rows])
    return np.where(np.isnan(x[:, 0]) & ~young, Reason.NOT_REPORTED, reason).astype(np.int8)


def _beyond(values: Floats, transform: str) -> npt.NDArray[np.bool_]:
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
