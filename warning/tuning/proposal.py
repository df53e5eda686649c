"""Thresholds that reach a wanted precision or load, from what officers found of past alerts.

Pure.  One number moves: how much more (or less) surprise all levels of a rule ask for.  For each step the alerts of
the past are told again, by the rule alone, and those somebody said something of are counted.  Intervals are of 95 %:
Jeffreys' of shares, Garwood's of counts (1936, Biometrika 28: 437-442).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from warning.condition import Evidence
from warning.model import Alert
from warning.rule import Rule
from warning.tuning.summary import Right, Share

STEPS = tuple(round(-0.5 + 0.25 * n, 2) for n in range(17))  # of surprise: half a power of ten less to 3.5 more
FEWEST = 8  # alerts that were judged, without which nothing is proposed
LEAST = 2.0  # surprise below which none is proposed


@dataclass(frozen=True)
class Point:
    """What a rule would have been like."""

    more: float  # surprise that is asked for beyond what the rule asks now
    alerts: int
    right: Share  # of those that were judged
    kept: Share  # true alerts of the rule as it is that are still told
    weeks: float

    @property
    def per_week(self) -> float:
        return self.alerts / self.weeks

    @property
    def load(self) -> tuple[float, float]:
        """The interval of alerts a week."""
        from scipy.stats import chi2

        low = chi2.ppf(0.025, 2 * self.alerts) / 2 if self.alerts else 0.0
        return float(low) / self.weeks, float(chi2.ppf(0.975, 2 * self.alerts + 2) / 2) / self.weeks


@dataclass(frozen=True)
class Proposal:
    """The curve of a rule, and the point on it that is proposed."""

    rule: str
    curve: tuple[Point, ...]  # by ``more``
    now: Point
    chosen: Point | None
    why_not: str = ""  # in Chinese and English, where none is chosen


def with_more(rule: Rule, more: float) -> Rule | None:
    """Return a rule all of whose levels ask for so much more surprise; None where one would ask for too little.

    Only what a level asks of itself moves, not what stands in ``all``, ``any`` or ``lower``.
    """
    said: dict[str, Any] = {}
    for colour in ("yellow", "orange", "red"):
        evidence: Evidence | None = getattr(rule, colour)
        if evidence is not None and evidence.surprise is not None:
            asked = round(evidence.surprise + more, 4)
            if asked < LEAST:
                return None
            said[colour] = evidence.model_copy(update={"surprise": asked})
    return rule.model_copy(update=said) if said else None


def proposal(
    rule: Rule,
    told: Callable[[Rule], Iterable[Alert]],
    right: Right,
    *,
    weeks: float,
    precision: float | None = None,
    per_week: float | None = None,
) -> Proposal:
    """Return a rule's curve and what is proposed.

    Args:
        rule: As it is.
        told: The alerts a rule alone would have told of the past.
        right: Whether an alert was right; None where nobody knows.
        weeks: How long the past is.
        precision: Wanted share of right ones among those that are known: the least step that reaches it.
        per_week: Or the most alerts a week: the least step that keeps to it.
    """
    base = list(told(rule))
    true = [alert for alert in base if right(alert)]
    curve = []
    for more in STEPS:
        tried = rule if more == 0 else with_more(rule, more)
        if tried is not None:
            curve.append(_point(more, base if more == 0 else list(told(tried)), true, right, weeks))
    now = next(point for point in curve if point.more == 0)
    chosen, why_not = None, ""
    if with_more(rule, 0) is None:
        why_not = "各色没有直接要求 surprise / no level asks for a surprise of its own"
    elif now.right.of < FEWEST and per_week is None:
        lacking = FEWEST - now.right.of
        why_not = (
            f"有结论的提示 {now.right.of} 条，还差 {lacking} 条才能建议"
            f" / {now.right.of} alerts were judged, {lacking} more are needed"
        )
    else:
        chosen = _chosen(curve, precision, per_week)
        why_not = "" if chosen else "没有一步达到 / no step reaches it"
    return Proposal(rule.id, tuple(curve), now, chosen, why_not)


def _chosen(curve: Sequence[Point], precision: float | None, per_week: float | None) -> Point | None:
    for point in (point for point in curve if point.more >= 0):  # nobody asked to be told of more
        enough = precision is None or (point.right.of > 0 and point.right.share >= precision)
        if enough and (per_week is None or point.per_week <= per_week):
            return point
    return None


def _point(more: float, alerts: Sequence[Alert], true: Sequence[Alert], right: Right, weeks: float) -> Point:
    said = [known for alert in alerts if (known := right(alert)) is not None]
    kept = sum(any(_same(one, other) for other in alerts) for one in true)
    return Point(more, len(alerts), Share(sum(said), len(said)), Share(kept, len(true)), weeks)


def _same(one: Alert, other: Alert) -> bool:
    """Whether two alerts are of one series and overlap in time."""
    return one.key == other.key and one.opened <= other.updated and other.opened <= one.updated
