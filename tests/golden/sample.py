"""A made-up day and week, as the facts modules would state them: what the golden files were written from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from warning.facts import LEVEL_ZH, MARK, Fact, Facts, Item, day_en, day_zh
from warning.model import Level, Place, Transition
from warning.templating import Change

DAY = date(2026, 11, 21)
LAST = date(2026, 11, 19)
MONDAY = date(2026, 11, 16)
CITY = Place("440100", "广州市", "Guangzhou", "city", None)
TIANHE = Place("440106", "天河区", "Tianhe District", "district", "440100")
YUEXIU = Place("440104", "越秀区", "Yuexiu District", "district", "440100")


def facts_of(prefix: str, values: Mapping[str, Any]) -> dict[str, Fact]:
    """Return facts; a pair is a value and the text it is printed as."""
    found = {}
    for name, given in values.items():
        value, text = given if isinstance(given, tuple) else (given, None)
        shown = day_zh(value) if isinstance(value, date) and text is None else str(value)
        found[name] = Fact(f"{prefix}/{name}", value, shown if text is None else text)
    return found


def item(level: Level, number: str, name: str, name_en: str, place: Place, values: Mapping[str, Any]) -> Item:
    """Return the facts of one alert."""
    head = {
        "name": name,
        "name_en": name_en,
        "district": place.name_zh,
        "place_en": place.name_en,
        "alert_no": number,
        "colour_zh": LEVEL_ZH[level],
        "mark": MARK[level],
    }
    said = {}
    for english, source, before in (
        ("onset_en", "onset", ""),
        ("until_en", "date_range", ""),
        ("back_en", "back_range", "on "),
    ):
        if source in values:
            day = values[source][0] if isinstance(values[source], tuple) else values[source]
            said[english] = (day, before + day_en(day))
    return Item(number, level, name_en, place.code, facts_of(number, {**head, **values, **said}))


FRAUD = item(
    Level.RED,
    "GZ-20261118-0003",
    "电信网络诈骗警情数",
    "Telecom and online fraud calls",
    TIANHE,
    {
        "unit": "起",
        "dept": "市公安局",
        "rule_id": "fraud-daily",
        "rule_zh": "诈骗警情单日突增",
        "onset": date(2026, 11, 18),
        "first_date": date(2026, 11, 18),
        "date_range": (DAY, "11月18日—21日"),
        "days": 4,
        "per_zh": "日均",
        "value": (168.0, "168"),
        "wow_dir": "上升",
        "wow": (78.7, "78.7"),
        "wow_word": "大幅",
        "yoy_dir": "上升",
        "yoy": (52.7, "52.7"),
        "base": (91.5, "91.5"),
        "dev_dir": "上升",
        "dev": (83.6, "83.6"),
        "m0": (22.9, "22.9"),
        "m1": (42.0, "42.0"),
        "rate": (0.75, "0.75"),
        "city_rate": (0.42, "0.42"),
        "times": (1.8, "1.8"),
        "rank": 1,
        "n_peers": 11,
        "judged": (47.0, "47"),
        "judged_range": (DAY, "11月21日"),
        "expected": (22.4, "22.4"),
        "upper": (39.1, "39.1"),
        "conf": (99.9, "99.9"),
        "excess": (7.9, "7.9"),
        "p_text": (5.4, "不足十万分之一"),
        "t1": "棠下街道",
        "v1": (41.0, "41"),
        "s1": (24.4, "24.4"),
        "t2": "车陂街道",
        "v2": (33.0, "33"),
        "s2": (19.6, "19.6"),
        "latest": (47.0, "47"),
        "latest_range": (DAY, "11月21日"),
        "latest_usual": (23.3, "23.3"),
        "latest_city": (131.0, "131"),
        "latest_share": (35.9, "35.9"),
        "k": (4, "4日"),
        "stage_zh": "待签收",
        "due_sign": "11月22日08:00",
        "due_verify": "11月22日09:30",
        "due_plan": "11月23日07:30",
        "late_sign": "时限已过",
        "overdue": "签收",
        "due_next": "11月22日09:30前核实",
    },
)
SHARE = item(
    Level.ORANGE,
    "GZ-20261120-0001",
    "矛盾纠纷调处成功率",
    "Share of disputes settled",
    TIANHE,
    {
        "unit": "%",
        "dept": "市司法局",
        "rule_id": "disputes-share",
        "onset": date(2026, 11, 9),
        "first_date": date(2026, 11, 20),
        "date_range": (DAY, "11月9日—22日"),
        "days": 14,
        "per_zh": "周均",
        "value": (87.2, "87.2"),
        "wow_dir": "下降",
        "wow_points": (6.1, "6.1"),
        "yoy_dir": "持平",
        "yoy_points": (0.0, "0.0"),
        "base": (93.4, "93.4"),
        "dev_dir": "下降",
        "dev_points": (6.2, "6.2"),
        "judged": (86.9, "86.9"),
        "judged_range": (DAY, "11月9日—15日"),
        "expected": (93.4, "93.4"),
        "lower": (89.0, "89.0"),
        "p_text": (3.4, "万分之4"),
        "latest": (91.0, "91.0"),
        "latest_range": (DAY, "11月16日—22日当周"),
        "latest_usual": (93.4, "93.4"),
        "stage_zh": "已签收",
        "due_verify": "11月23日07:30",
        "due_next": "11月23日07:30前核实",
        "back": (91.0, "91.0"),
        "back_range": (date(2026, 11, 16), "11月16日—22日"),
        "back_bound": (89.0, "89.0"),
        "back_side": "下限",
        "back_verb": "回升",
        "held_zh": "待核实",
        "gap": (date(2026, 11, 23), "11月23日—29日当周"),
        "gap_zh": "未报送",
        "lyo_dir": "下降",
        "lyo_points": (1.2, "1.2"),
        "event": "琶洲会展",
    },
)
FIRES = item(
    Level.YELLOW,
    "GZ-20261121-0002",
    "火灾起数",
    "Fires",
    YUEXIU,
    {
        "unit": "起",
        "dept": "市消防救援支队",
        "rule_id": "fires-sum",
        "onset": DAY,
        "first_date": DAY,
        "date_range": DAY,
        "days": 1,
        "per_zh": "日均",
        "value": (4.0, "4"),
        "prev": (0.0, "0"),
        "ly": (1.0, "1"),
        "base": (0.8, "0.8"),
        "m0": (0.8, "0.8"),
        "m1": (4.0, "4.0"),
        "more": (3.2, "3.2"),
        "judged": (4.0, "4"),
        "judged_range": DAY,
        "expected": (0.7, "0.7"),
        "p_text": (2.2, "百分之0.6"),
        "latest": (4.0, "4"),
        "latest_range": DAY,
        "latest_usual": (0.8, "0.8"),
        "stage_zh": "待签收",
    },
)
QUARRELS = item(
    Level.CALM,
    "GZ-20261116-0002",
    "打架斗殴警情数",
    "Affrays",
    TIANHE,
    {
        "unit": "起",
        "dept": "市公安局",
        "onset": date(2026, 11, 15),
        "first_date": date(2026, 11, 16),
        "stage_zh": "待签收",
        "overdue": "签收、核实",
        "latest": (12.0, "12"),
        "latest_range": DAY,
        "latest_usual": (11.3, "11.3"),
        "back": (12.0, "12"),
        "back_range": DAY,
        "back_bound": (21.0, "21"),
        "back_side": "上限",
        "back_verb": "回落",
        "held_zh": "待核实",
    },
)
NOTE = {"n_series": 44, "rules_ver": "7d1f03", "cutoff": "11月22日07:30"}
PLACE = Facts(
    TIANHE,
    DAY,
    facts_of(
        "440106",
        {
            "period_zh": (DAY, "11月21日"),
            "year": 2026,
            "district": "天河区",
            "place_en": "Tianhe District",
            "colour_zh": "红色",
            "mark": "■",
            "n_watch": 44,
            "n_red": 1,
            "n_orange": 1,
            "n_yellow": 0,
            "n_green": 40,
            "n_grey": 2,
            "n_silent": 1,
            "n_unjudged": 1,
            "streak": 4,
            "streak_since": date(2026, 11, 18),
            "n_dir": "减少",
            "n_diff": 1,
            "n_alerts": 2,
            "n_new": 0,
            "n_cont": 2,
            "n_closed": 1,
            "n_open": 3,
            "event": "琶洲会展",
            **NOTE,
        },
    ),
    (FRAUD, SHARE),
    missing=(
        facts_of("missing/1", {"dept": "市教育局", "name": "校园欺凌事件数", "k": 1, "date": DAY, "last": LAST}),
        facts_of("missing/2", {"name": "诉求按时响应率", "k": 1, "date": (DAY, "11月16日—22日当周")}),
    ),
    clues=(
        facts_of(
            "clue",
            {
                "name": "电信网络诈骗警情数",
                "other": "矛盾纠纷调处成功率",
                "other_date_range": "11月9日—22日",
                "other_dev_dir": "下降",
                "other_dev_points": (6.2, "6.2"),
                "weeks": 12,
                "r": (-0.61, "-0.61"),
            },
        ),
    ),
    waiting=(QUARRELS,),
)
QUIET = Facts(
    YUEXIU,
    DAY,
    facts_of(
        "440104",
        {
            "period_zh": (DAY, "11月21日"),
            "district": "越秀区",
            "colour_zh": "正常",
            "n_watch": 44,
            "n_red": 0,
            "n_orange": 0,
            "n_yellow": 0,
            "n_green": 44,
            "n_grey": 0,
            "n_alerts": 0,
            "n_new": 0,
            "n_cont": 0,
            "n_closed": 0,
            "nearest": "治安警情数",
            "nearest_share": (81, "81"),
            **NOTE,
        },
    ),
)


def row(code: str, name: str, level: Level, red: int, orange: int, yellow: int, grey: int) -> dict[str, Fact]:
    """Return one row of the city's table."""
    return facts_of(
        code,
        {
            "code": code,
            "district": name,
            "colour_zh": LEVEL_ZH[level],
            "mark": MARK[level],
            "level": int(level),
            "n_watch": 44,
            "n_red": red,
            "n_orange": orange,
            "n_yellow": yellow,
            "n_green": 44 - red - orange - yellow - grey,
            "n_grey": grey,
        },
    )


ALL_CITY = Facts(
    CITY,
    DAY,
    facts_of(
        "440100",
        {
            "period_zh": (date(2026, 11, 22), "11月16日—22日"),
            "district": "广州市",
            "n_watch": 176,
            "n_red": 1,
            "n_orange": 1,
            "n_yellow": 1,
            "n_green": 127,
            "n_grey": 46,
            "n_silent": 45,
            "n_unjudged": 1,
            "n_dir": "持平",
            "n_diff": 0,
            "n_alerts": 3,
            "n_new": 1,
            "n_cont": 2,
            "n_closed": 1,
            "n_places": 4,
            "places_red": 1,
            "names_red": "天河区",
            "places_orange": 0,
            "places_yellow": 1,
            "names_yellow": "越秀区",
            "places_calm": 1,
            "names_calm": "荔湾区",
            "places_grey": 1,
            "names_grey": "花都区",
            "moved_up": "天河区由橙色升为红色",
            **NOTE,
            "n_series": 176,
        },
    ),
    (FRAUD, SHARE, FIRES),
    groups=(
        facts_of(
            "group",
            {
                "name": "电信网络诈骗警情数",
                "names": "天河区、越秀区",
                "k": 2,
                "onset": date(2026, 11, 18),
                "onset_last": DAY,
                "range": (DAY, "11月21日"),
                "value": (64.0, "64"),
                "unit": "起",
                "share": (48.9, "48.9"),
            },
        ),
        facts_of(
            "group/2",
            {"name": "火灾起数", "names": "荔湾区、越秀区", "k": 2, "onset": DAY},
        ),
    ),
    missing=(
        facts_of(
            "missing/440106",
            {
                "place": "天河区、荔湾区",
                "each": "各",
                "k": 2,
                "detail": "诉求按时响应率已报送、暂不能研判（11月16日—22日当周）；校园欺凌事件数未报送（11月21日）",
            },
        ),
        facts_of(
            "missing/440114",
            {"place": "花都区", "k": 44, "detail": "治安警情数、火灾起数、噪声扰民投诉数等44项未报送（11月21日）"},
        ),
    ),
    waiting=(QUARRELS,),
    table=(
        row("440103", "荔湾区", Level.CALM, 0, 0, 0, 0),
        row("440104", "越秀区", Level.YELLOW, 0, 0, 1, 0),
        row("440106", "天河区", Level.RED, 1, 1, 0, 2),
        row("440114", "花都区", Level.MISSING, 0, 0, 0, 44),
    ),
)
CHANGES = (
    Change(FRAUD, Transition.RAISED, Level.ORANGE, Level.RED, "GZ-20261118-0003@kapok.invalid"),
    Change(SHARE, Transition.OPENED, Level.CALM, Level.ORANGE),
)
PAGE = "http://127.0.0.1:8765/"
