"""Files in the shapes departments send them, made small; and the mappings that read them.

The city is the shipped one.  Every shape tells the same: on 20 and 21 November 2026 the police of 荔湾区 had 3 and 4
criminal calls, those of 越秀区 5 and 6; and 1 and 2 fires, and none that was sent.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from openpyxl import Workbook

from warning.mapping import Feed

CALLS, FIRES = "ss_po_criminal_calls", "ss_fi_fire_calls"
LIWAN, YUEXIU = "440103", "440104"
FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)
TOLD = frozenset(
    {
        (CALLS, LIWAN, "2026-11-20", 3.0),
        (CALLS, LIWAN, "2026-11-21", 4.0),
        (CALLS, YUEXIU, "2026-11-20", 5.0),
        (CALLS, YUEXIU, "2026-11-21", 6.0),
        (FIRES, LIWAN, "2026-11-20", 1.0),
        (FIRES, LIWAN, "2026-11-21", 2.0),
    }
)


@dataclass(frozen=True)
class Shape:
    """A file, and how it is to be read."""

    name: str
    content: bytes
    feed: Feed
    told: frozenset[tuple[str, str, str, float]] = TOLD


def feed(**mapping: Any) -> Feed:
    return Feed.model_validate({"id": "police", "name_zh": "警情", "files": ["警情*"], **mapping})


def workbook(*sheets: tuple[str, Sequence[Sequence[object]], Sequence[str]]) -> bytes:
    """Return a workbook of (title, rows, merged ranges)."""
    book = Workbook()
    book.remove(book.active)
    for title, rows, merged in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for cells in merged:
            sheet.merge_cells(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


LONG = {"columns": {"indicator": "事项", "place": "辖区", "date": "日期", "value": "数量"}}
BY_INDICATOR = {"layout": "indicators", "columns": {"place": "辖区", "date": "日期"}}
CHINESE_DATES = """警情日报表,,,
事项,辖区,日期,数量（起）
刑事警情数,荔湾区,2026年11月20日,３
刑事警情数,荔湾区,2026年11月21日,４起
刑事警情,越秀,11月20日,5
刑事警情,越 秀 区,11/21,"6"
火灾警情数,荔湾区,20261120,1.0
火灾警情数,荔湾区,2026/11/21,2
火灾警情数,越秀区,2026/11/21,无
合计,,,21
制表人：某科,审核：某处,,
"""
_WIDE: list[list[object]] = [
    ["辖区", "日期", "治安", None, "消防", "合计"],
    [None, None, "刑事警情", "治安警情", "火灾警情", None],
    ["荔湾区", FRIDAY, 3, "—", 1, 4],
    ["荔湾区", SATURDAY, 4, None, 2, 6],
    ["越秀区", FRIDAY, 5, None, None, 5],
    ["越秀区", SATURDAY, 6, None, "无", 6],
    ["合计", None, 18, None, 3, 21],
    ["填报单位：指挥中心", None, None, None, None, None],
]

SHAPES: Mapping[str, Shape] = {
    "utf-8": Shape("警情.csv", CHINESE_DATES.encode(), feed(**LONG)),
    "utf-8-with-mark": Shape("警情.csv", CHINESE_DATES.encode("utf-8-sig"), feed(**LONG)),
    "gb18030": Shape("警情.csv", CHINESE_DATES.encode("gb18030"), feed(**LONG)),
    "utf-16": Shape("警情.txt", CHINESE_DATES.replace(",", "\t").encode("utf-16"), feed(**LONG)),
    "semicolons": Shape("警情.csv", CHINESE_DATES.replace(",", ";").encode(), feed(**LONG)),
    "two-header-lines": Shape(
        "警情.xlsx",
        workbook(("日报", _WIDE, ["A1:A2", "B1:B2", "C1:D1", "F1:F2"])),
        feed(**BY_INDICATOR),
    ),
    "titles-above": Shape(
        "警情.xlsx",
        workbook(("日报", [["某市警情日报"], ["单位：起"], *_WIDE], ["A1:F1", "A3:A4", "B3:B4", "C3:D3", "F3:F4"])),
        feed(**BY_INDICATOR),
    ),
    "one-sheet-an-indicator": Shape(
        "警情.xlsx",
        workbook(
            ("刑事警情数", [["日期", "荔湾区", "越秀区", "合计"], [FRIDAY, 3, 5, 8], [SATURDAY, 4, 6, 10]], []),
            ("火灾警情数", [["日期", "荔湾区", "越秀区"], [FRIDAY, 1, None], [SATURDAY, 2, "/"]], []),
        ),
        feed(layout="places", columns={"date": "日期", "indicator": "@sheet"}),
    ),
    "dates-across": Shape(
        "警情.xlsx",
        workbook(
            (
                "11月",
                [
                    ["序号", "事项", "辖区", FRIDAY, SATURDAY],
                    [1, "刑事警情数", "荔湾区", 3, 4],
                    [2, "刑事警情数", "越秀区", 5, 6],
                    [3, "火灾警情数", "荔湾区", 1, 2],
                ],
                [],
            )
        ),
        feed(layout="dates", columns={"indicator": "事项", "place": "辖区"}, ignore=["序号"]),
    ),
    "the-date-in-the-sheet's-name": Shape(
        "警情.xlsx",
        workbook(
            ("11月20日", [["辖区", "刑事警情数", "火灾警情数"], ["荔湾区", 3, 1], ["越秀区", 5, ""]], []),
            ("11月21日", [["辖区", "刑事警情数", "火灾警情数"], ["荔湾区", 4, 2], ["越秀区", 6, ""]], []),
        ),
        feed(layout="indicators", columns={"place": "辖区", "date": "@sheet"}),
    ),
    "serial-dates": Shape(
        "警情.csv",
        "日期;荔湾区;越秀区\n46346;3;5\n46347;4;6\n".encode(),
        feed(layout="places", columns={"date": "日期"}, constants={"indicator": CALLS}),
        frozenset(cell for cell in TOLD if cell[0] == CALLS),
    ),
    "the-date-in-the-title": Shape(
        "警情.xlsx",
        workbook(("日报", [["2026年11月21日警情"], ["辖区", "刑事警情数"], ["荔湾区", 4], ["越秀区", 6]], ["A1:B1"])),
        feed(layout="indicators", columns={"place": "辖区", "date": "@title"}),
        frozenset(cell for cell in TOLD if cell[0] == CALLS and cell[2] == "2026-11-21"),
    ),
}
