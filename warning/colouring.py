"""Which colour every place has after a sweep, and which series are silent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from warning.lifecycle import colour
from warning.scoring import Known
from warning.service import Service
from warning.situation import Coverage, Silence
from warning.store import alert as alerts_of


def coverages(
    service: Service, panels: Mapping[str, Known], day: date
) -> tuple[dict[str, Coverage], tuple[Silence, ...]]:
    """Colours and gaps of every place with judged series; a period counts as missing once it is due."""
    watched: dict[str, int] = {}
    silences: list[Silence] = []
    for panel in panels.values():
        late_after = getattr(service.config.feeds.late_after, panel.frequency)
        step = 7 if panel.frequency == "weekly" else 1
        due = day + timedelta(days=1 - late_after)  # the last day of the last period that is due by now
        row = int(np.searchsorted(panel.dates, np.datetime64(due - timedelta(days=step - 1)), side="right")) - 1
        for key in panel.keys:
            watched[key.place] = watched.get(key.place, 0) + 1
            values = panel.of(key)
            if row >= 0 and np.isnan(values[row]):
                reported = np.flatnonzero(np.isfinite(values[: row + 1]))
                last = panel.dates[reported[-1]].item() if len(reported) else None
                silences.append(
                    Silence(
                        service.city.indicators[key.indicator],
                        service.city.places[key.place],
                        panel.dates[row].item(),
                        last,
                    )
                )
    live = alerts_of.live(service.store)
    found = {}
    for code in (code for code in service.city.places if code in watched):
        missing = sum(silence.place.code == code for silence in silences)
        mine = [alert for alert in live if alert.place == code]
        level = colour(mine, service.city.indicators, service.rules.colours, watched=watched[code], missing=missing)
        found[code] = Coverage(code, day, watched[code], missing, level)
    return found, tuple(silences)
