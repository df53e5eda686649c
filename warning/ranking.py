"""Where the place of an alert stands among its siblings, for the texts of rules that rank."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from detectors import AMONG_SIBLINGS
from detectors.rank import ranks
from warning.batch import panel_of, persons
from warning.grounds import Standing, ground
from warning.model import Alert, SeriesKey
from warning.rule import judges
from warning.scoring import Known
from warning.service import Deployment


def standing_of(deployment: Deployment, panels: Mapping[str, Known], alert: Alert) -> Standing | None:
    """Return where an alert's place stood on the date that is told, and where it usually does.

    None where its rule does not rank, is no more or no longer judges the series, or where a sibling's value is missing.
    """
    signal, city = ground(alert), deployment.city
    rule = next((one for one in deployment.rules.rules if signal is not None and one.id == signal.rule), None)
    above = city.places[alert.place].parent
    if signal is None or rule is None or above is None or rule.detector not in AMONG_SIBLINGS:
        return None
    known = panels.get(city.indicators[alert.indicator].frequency)
    if known is None or not judges(rule, alert.key, city):
        return None
    keys = [SeriesKey(alert.indicator, place) for place in city.children[above]]
    if not all(key in known.index for key in keys):
        return None
    rows = int(np.searchsorted(known.dates, np.datetime64(signal.date), side="right"))
    values = np.column_stack([known.of(key) for key in keys])[:rows]
    panel = panel_of(
        deployment, keys, values, known.dates[:rows], known.frequency, persons(deployment, keys, known.dates[:rows])
    )
    asked = {name: value for name, value in rule.parameters.items() if name != "alpha"}
    found = [float(numbers[-1, keys.index(alert.key)]) for numbers in ranks(panel, **asked)]
    if not all(math.isfinite(number) for number in found):
        return None
    now, usual, windows, siblings = found
    return Standing(city.places[above].name_zh, now, usual, int(windows), int(siblings))
