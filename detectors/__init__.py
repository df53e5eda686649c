"""Detectors: a panel of series in, scores out.  Usable alone; knows nothing of the service.

``DETECTORS`` is the rule file's list of names, and the keyword-only parameters of
each function are its vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

from detectors.changepoint import changepoint
from detectors.ears import ears
from detectors.forecast import forecast
from detectors.outbreak import outbreak
from detectors.panel import DayKind, Panel, Reason, Remark, Scores
from detectors.rank import rank
from detectors.share import share
from detectors.threshold import threshold
from detectors.yearly import yearly

Detector = Callable[..., Scores]  # (panel, *, last=1, and its own keyword-only parameters)

DETECTORS: dict[str, Detector] = {
    "changepoint": changepoint,
    "ears": ears,
    "forecast": forecast,
    "outbreak": outbreak,
    "rank": rank,
    "share": share,
    "threshold": threshold,
    "yearly": yearly,
}

OF_A_WHOLE = ("share",)  # their rules name the whole that the panel's denominators are
AMONG_SIBLINGS = ("rank",)  # their rules name all places that have one parent
GIVEN = ("last", "cache", "spawned", "beat")  # by the program that calls; no word of a rule file

__all__ = [
    "AMONG_SIBLINGS",
    "DETECTORS",
    "GIVEN",
    "OF_A_WHOLE",
    "DayKind",
    "Detector",
    "Panel",
    "Reason",
    "Remark",
    "Scores",
]
