"""Which colour every place has after a sweep, which series are silent, and which were not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import numpy as np

from warning.lifecycle import colour
from warning.model import Alert, SeriesKey
from warning.scoring import Known
from warning.service import Deployment, Service
from warning.situation import Coverage, Silence
from warning.store import alert as alerts_of
from warning.store import signal as signals_of


def coverages(
    service: Service, panels: Mapping[str, Known], day: date
) -> tuple[dict[str, Coverage], tuple[Silence, ...]]:
    """Return colours and gaps by what the store says of alerts and verdicts, as ``coverages_by`` does."""
    store = service.store
    return coverages_by(service, panels, day, alerts_of.live(store), signals_of.judged_until(store))


def coverages_by(
    deployment: Deployment,
    panels: Mapping[str, Known],
    day: date,
    live: Iterable[Alert],
    judged_until: Mapping[SeriesKey, date],
) -> tuple[dict[str, Coverage], tuple[Silence, ...]]:
    """Return colours and gaps of every place with watched series; a period counts as missing once it is due.

    A series is missing whose due value has not arrived, and one that has it and no verdict: too short a history,
    too soon after a break, a method that abstains.  Only the first is a silence somebody can be asked about.

    Args:
        deployment: City, rules, and after how many days a value is late.
        panels: As they are known on the morning after the day.
        day: The data date.
        live: The alerts that are not closed.
        judged_until: The last date each series had a verdict for.
    """
    watched: Counter[str] = Counter()
    gaps: Counter[str] = Counter()
    silences: list[Silence] = []
    for panel in panels.values():
        late_after = getattr(deployment.config.feeds.late_after, panel.frequency)
        step = 7 if panel.frequency == "weekly" else 1
        due = day + timedelta(days=1 - late_after)  # the last day of the last period that is due by now
        row = int(np.searchsorted(panel.dates, np.datetime64(due - timedelta(days=step - 1)), side="right")) - 1
        for key in panel.keys:
            watched[key.place] += 1
            if row < 0:
                continue
            values = panel.of(key)
            if np.isnan(values[row]):
                gaps[key.place] += 1
                reported = np.flatnonzero(np.isfinite(values[: row + 1]))
                last = panel.dates[reported[-1]].item() if len(reported) else None
                silences.append(
                    Silence(
                        deployment.city.indicators[key.indicator],
                        deployment.city.places[key.place],
                        panel.dates[row].item(),
                        last,
                    )
                )
            elif judged_until.get(key, date.min) < panel.dates[row].item():
                gaps[key.place] += 1
    standing: dict[str, list[Alert]] = {}
    for alert in live:
        standing.setdefault(alert.place, []).append(alert)
    city, colours = deployment.city, deployment.rules.colours
    found = {}
    for code in (code for code in city.places if code in watched):
        alerts, missing = standing.get(code, []), gaps[code]
        level = colour(alerts, city.indicators, colours, watched=watched[code], missing=missing)
        found[code] = Coverage(code, day, watched[code], missing, level)
    return found, tuple(silences)
