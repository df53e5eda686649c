"""What an officer found of an alert: true, false, or not to be told yet, with a reason out of a closed list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from warning.checked import suggestion
from warning.errors import ConfigError


class Found(StrEnum):
    """The verdict itself."""

    TRUE = "true"
    FALSE = "false"
    UNCLEAR = "unclear"


FOUND = {Found.TRUE: ("属实", "true"), Found.FALSE: ("误报", "false"), Found.UNCLEAR: ("待核", "unclear")}
REASONS: Mapping[Found, Mapping[str, tuple[str, str]]] = {
    Found.TRUE: {
        "event": ("确有其事", "it happened"),
        "trend": ("持续升高", "it keeps rising"),
        "known": ("已在处置", "already being handled"),
    },
    Found.FALSE: {
        "definition": ("口径变化", "what is counted changed"),
        "batch": ("集中补录", "entered together"),
        "repeats": ("重复计数", "counted twice"),
        "calendar": ("节假日或活动", "a holiday or event"),
        "season": ("季节性", "the season"),
        "chance": ("偶然起伏", "chance"),
        "small": ("数目太小，不必提示", "too small to matter"),
        "other": ("其他", "something else"),
    },
    Found.UNCLEAR: {
        "asked": ("等待部门答复", "a department is asked"),
        "data": ("等待数据", "data are waited for"),
    },
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict; the last of an alert counts."""

    alert: str
    found: Found
    reason: str  # a code of REASONS, "" for none
    note: str
    by: str  # who says so, "" where nobody is named
    at: datetime


def found_of(text: str) -> Found:
    """Return the verdict a word says.

    Raises:
        ConfigError: naming the words there are.
    """
    words = {word: found for found, (zh, _) in FOUND.items() for word in (zh, found.value)}
    if text.lower() not in words:
        raise ConfigError(text, [f"不是结论 / is no verdict{suggestion(text, words)}"])
    return words[text.lower()]


def checked_reason(found: Found, text: str) -> str:
    """Return the code of a reason given by its code or its Chinese words.

    Raises:
        ConfigError: naming those there are for this verdict.
    """
    known = REASONS[found]
    by_word = {zh: code for code, (zh, _) in known.items()}
    code = by_word.get(text, text)
    if text and code not in known:
        listed = "、".join(f"{code} {zh}" for code, (zh, _) in known.items())
        raise ConfigError("--reason", [f"{text!r}：{FOUND[found][0]}没有这个原因 / is no such reason; {listed}"])
    return code


def last_of_each(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return the finding that counts of each alert: the last one."""
    return {one.alert: one for one in sorted(findings, key=lambda one: one.at)}
