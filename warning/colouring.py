"""Which colour every place has after a sweep, and which series nobody could judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import numpy as np

from warning.gaps import Gap
from warning.lifecycle import colour
from warning.model import Alert, SeriesKey
from warning.periods import last_complete
from warning.scoring import Known
from warning.service import Deployment, Service
from warning.situation import Coverage
from warning.store import alert as alerts_of
from warning.store import signal as signals_of


def coverages(service: Service, panels: Mapping[str, Known], day: date) -> tuple[dict[str, Coverage], tuple[Gap, ...]]:
    """Return colours and gaps by what the store says of alerts and verdicts, as ``coverages_by`` does."""
    store = service.store
    return coverages_by(service, panels, day, alerts_of.live(store), signals_of.judged_until(store))


def coverages_by(
    deployment: Deployment,
    panels: Mapping[str, Known],
    day: date,
    live: Iterable[Alert],
    judged_until: Mapping[SeriesKey, date],
) -> tuple[dict[str, Coverage], tuple[Gap, ...]]:
    """Return colours and gaps of every place with watched series; a period counts as missing once it is due.

    A series is missing whose due value has not arrived, and one that has it and no verdict: too short a history,
    too soon after a break, a method that abstains.  Only for the first can a department be asked.

    Args:
        deployment: City, rules, and after how many days a value is late.
        panels: As they are known on the morning after the day.
        day: The data date.
        live: The alerts that are not closed.
        judged_until: The last date each series had a verdict for.
    """
    watched: Counter[str] = Counter()
    gaps: list[Gap] = []
    for panel in panels.values():
        late_after = getattr(deployment.config.feeds.late_after, panel.frequency)
        due = last_complete(day + timedelta(days=1 - late_after), panel.frequency)  # by now
        row = int(np.searchsorted(panel.dates, np.datetime64(due), side="right")) - 1
        watched.update(key.place for key in panel.keys)
        if row < 0:
            continue
        expected, arrived = panel.dates[row].item(), np.isfinite(panel.values[row])
        judged = np.array([judged_until.get(key, date.min) >= expected for key in panel.keys], dtype=bool)
        for n in np.flatnonzero(~(arrived & judged)):
            key, before = panel.keys[n], np.flatnonzero(np.isfinite(panel.values[:row, n]))
            last = panel.dates[before[-1]].item() if len(before) else None
            indicator, place = deployment.city.indicators[key.indicator], deployment.city.places[key.place]
            gaps.append(Gap(indicator, place, expected, last, bool(arrived[n])))
    missing = Counter(gap.place.code for gap in gaps)
    standing: dict[str, list[Alert]] = {}
    for alert in live:
        standing.setdefault(alert.place, []).append(alert)
    city, colours = deployment.city, deployment.rules.colours
    found = {}
    for code in (code for code in city.places if code in watched):
        there, counts = colours.at(city.places[code].tier), {"watched": watched[code], "missing": missing[code]}
        level = colour(standing.get(code, []), city.indicators, there, **counts)
        found[code] = Coverage(code, day, watched[code], missing[code], level)
    return found, tuple(gaps)
