"""The picture of an alert: its series beside what the rule that speaks first compared it with."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from detectors.panel import Dates, Floats
from warning.charts import Series, series_chart
from warning.grounds import ground
from warning.model import SUMMED, Alert, SeriesKey, Signal
from warning.periods import dates as dates_of
from warning.periods import later
from warning.rule import Rule, judges
from warning.scoring import DEAR, values, way_of
from warning.service import Service
from warning.store import score as scores_of

PERIODS = 60


def chart_of(service: Service, alert: Alert, *, now: datetime) -> bytes:
    """Return the picture of an alert's series with its usual range, to the alert's last date, as known at ``now``."""
    indicator, place = service.city.indicators[alert.indicator], service.city.places[alert.place]
    lead = ground(alert)
    return series_chart(
        course_of(service, alert, now=now),
        title=f"{place.name_zh}·{indicator.name_zh}",
        unit=indicator.unit,
        level=alert.active,
        judged=alert.updated if lead is None else lead.date,
        onset=alert.onset,
        simulated=service.config.deployment.simulated,
    )


def course_of(service: Service, alert: Alert, *, now: datetime, periods: int = PERIODS) -> Series:
    """Return the last periods of an alert's series beside what its rule compared them with, as known at ``now``."""
    indicator = service.city.indicators[alert.indicator]
    first = later(alert.updated, 1 - periods, indicator.frequency)
    dates = dates_of(first, alert.updated, indicator.frequency)
    known = values(service, [alert.key], dates, known_at=now)[:, 0]
    lead = ground(alert)
    rule = _rule(service, alert, lead)
    window = 1 if rule is None else rule.window
    share = window if indicator.kind in SUMMED else 1
    expected, lower, upper = _band(service, alert, rule, dates, now)
    bounds = expected / share, lower / share, upper / share
    return Series(dates, known, *bounds, window, _levels(lead), indicator.frequency)


def _levels(lead: Signal | None) -> tuple[float, float] | None:
    return (lead.expected, lead.observed) if lead is not None and lead.detector == "changepoint" else None


def _rule(service: Service, alert: Alert, lead: Signal | None) -> Rule | None:
    """Return the rule whose range is drawn: the lead's own, else a cheap one that judges single values."""
    rules = [rule for rule in service.rules.rules if judges(rule, alert.key, service.city)]
    own = [
        rule.view_of(lead) for rule in rules if lead is not None and rule.id == lead.rule and lead.detector not in DEAR
    ]
    single = sorted((rule for rule in rules if rule.window == 1), key=lambda rule: rule.detector in DEAR)
    return next(iter([*own, *single]), None)


def _band(
    service: Service, alert: Alert, rule: Rule | None, dates: Dates, now: datetime
) -> tuple[Floats, Floats, Floats]:
    """Return what a rule expected and its bounds, (T,) each; NaN where none was stored."""
    if rule is None:
        nothing = np.full(len(dates), np.nan)
        return nothing, nothing, nothing
    keys: list[SeriesKey] = [alert.key]
    s = scores_of.load_scores(service.store, way_of(service, rule), keys, dates, now)
    return s.expected[:, 0], s.lower[:, 0], s.upper[:, 0]
