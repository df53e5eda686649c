"""What of an event must not be here: whom it is about, who told of it, exactly where it was, its story."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np

from warning.errors import ConfigError
from warning.sources import cells
from warning.sources.columns import Texts
from warning.sources.heads import IDENTITY, MOBILE, PERSONAL, Header
from warning.sources.naming import key
from warning.sources.written import plain

LOOKED_AT = 20_000  # distinct texts of a column, to see whether it looks personal
SHARE = 0.1  # of its cells from which it does
NOTE = 200  # characters of a note
SHORTEST = 8  # characters of what is looked at
HIDDEN = "（疑似个人信息，不留存）"

_TELLS = re.compile(
    r".*(人|人员|网格员|队员|干部|户主|业主|姓名|身份证|电话|手机|住址|地址|位置|地点|门牌号?|车牌号?码?|坐标|经度|纬度|"
    r"描述|内容|详情|经过|标题|备注|说明|意见|照片|图片|附件)|"
    r".*(name|phone|mobile|address|location|reporter|officer|person|description|content|remarks?|notes?|comments?)|"
    r"(x|y|lat|lon|lng|latitude|longitude|title|photo|image)"
)
_WITHIN = re.compile(
    rf"(?<!\d)(?:{IDENTITY.pattern}|{MOBILE.pattern}|\d{{3}}\*{{3,}}\d{{2,4}}|\d{{6}}\*{{4,}}[\dXx]*)(?!\d)"
)


def is_named_so(header: Header) -> bool:
    """Say whether a column is called as one that holds a person's name, telephone, number or address."""
    return any(PERSONAL.fullmatch(key(name)) for name in header.names)


def may_tell(header: Header) -> bool:
    """Say whether a column that is not asked for may tell of a person, of a spot, or what happened there."""
    return is_named_so(header) or any(_TELLS.fullmatch(key(name)) for name in header.names)


def looks_so(text: str) -> bool:
    """Say whether an identity or a mobile number stands in a text, whole or half hidden by asterisks."""
    if len(text) < SHORTEST:
        return False
    narrow = unicodedata.normalize("NFKC", text)
    return any(_WITHIN.search(one) for one in (narrow, plain(narrow)))  # 138 0000 0000, and 7 13800000000


def column_looks_so(column: Texts, known: Callable[[str], object] = lambda _: False) -> bool:
    """Say whether such a number stands in a good part of a column's cells, the empty ones left out.

    Args:
        column: The column.
        known: Whether a text is something else, though it may look so: a grid of 13010200101, not a telephone.
    """
    often = np.bincount(column.codes, minlength=len(column.distinct))
    some = [n for n, text in enumerate(column.distinct) if text][:: max(len(column.distinct) // LOOKED_AT, 1)]
    found = [
        n
        for n in some
        if looks_so(column.distinct[n]) and (is_identity(column.distinct[n]) or not known(column.distinct[n]))
    ]
    return bool(found) and bool(often[found].sum() >= SHARE * often[some].sum())


def is_identity(text: str) -> bool:
    """Say whether a text is an identity number, and nothing else."""
    return bool(IDENTITY.fullmatch(plain(text)))


def shown(text: str) -> str:
    """Return what may be kept and shown of a cell."""
    return HIDDEN if looks_so(text) else cells.short(text)


def checked_note(option: str, text: str) -> str:
    """Return what a person typed as it may be kept: one line, not too long, of nobody.

    Raises:
        ConfigError: if it is not so.
    """
    line = " ".join(text.split())
    if len(line) > NOTE:
        raise ConfigError(option, [f"有 {len(line)} 字，至多 {NOTE} / has {len(line)} characters, at most {NOTE}"])
    if any(unicodedata.category(sign).startswith("C") for sign in line):
        raise ConfigError(option, ["有控制字符 / holds control characters; write plain text"])
    if looks_so(line):
        raise ConfigError(option, ["疑似证件号或手机号，不得留存 / looks like an identity or telephone number"])
    return line
