"""The weekly briefing as one HTML page: text, tables and pictures inside, ready to print on A4.

The page is a draft: issuing mark, number and seal are left to whoever signs it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date

from warning.facts import Facts
from warning.templating import Engine, render

TEMPLATE = "briefing/week.zh.html.j2"


def render_week(
    env: Engine,
    facts: Facts,
    *,
    monday: date,
    office: str,
    charts: Mapping[str, bytes] | None = None,
    map_picture: bytes | None = None,
) -> str:
    """Return the page.

    Args:
        env: Of ``templating.engine``.
        facts: Of the week; with a ``table`` it is the edition of a city, without one of a district.
        monday: First day of the week; gives the issue number, its ISO week.
        office: Who issues it, printed in the head, e.g. 广州市社会治理指挥中心.
        charts: PNG by alert number; an alert without one has text only.
        map_picture: PNG of the map, or None for none.

    Raises:
        ConfigError: as ``templating.render``.
        ValueError: if ``monday`` is none.
    """
    if monday.weekday() != 0:
        raise ValueError(f"a week begins on a Monday, found {monday}")
    year, week, _ = monday.isocalendar()
    return render(
        env,
        TEMPLATE,
        {
            "facts": facts,
            "year": year,
            "week": week,
            "monday": monday,
            "office": office,
            "charts": {number: _inline(content) for number, content in (charts or {}).items()},
            "map": "" if map_picture is None else _inline(map_picture),
        },
    )


def _inline(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
