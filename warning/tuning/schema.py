"""The JSON Schema of rule files, made from the code that reads them, for editors to complete and check by."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from detectors import DETECTORS
from warning.rule import Rule, vocabulary
from warning.ruleset import OFF, AreaFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MADE_BY_DEFAULTS = ("detector",)  # a rule may leave it to the defaults
TYPES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean", "None": "null"}
SAID = {  # what editors show beside a key
    "id": "编号，如 ss_po.surge，不得重复 / unique id",
    "name_zh": "名称，写进邮件和页面 / name, shown to officers",
    "indicators": "指标 id，或 level2:… dimension:… tag:… / ids, or selected by area, dimension, tag",
    "frequency": "只选取这一频率的 / of the selected ones, this frequency alone",
    "kind": "只选取这一类型的 / of the selected ones, this kind alone",
    "tier": "这一层级的全部地区 / every place of a tier",
    "places": "这些地区 / these places",
    "detector": "探测方法 / the method",
    "parameters": "方法的参数 / its parameters",
    "denominator": "作为整体的指标 / the indicator that is the whole",
    "methods": "另外的方法 / further methods, for conditions to name",
    "direction": "看升还是看降 / rises or falls",
    "raise_after": "最近 within 个窗口中有几个满足才升 / windows of the last `within` that must hold",
    "within": "看最近几个互不重叠的窗口 / separate windows looked at",
    "lower_after": "低于某一等级几个窗口后才降 / windows below a level before it falls",
    "stay": "至少停留几个窗口 / windows a level lasts at least",
    "active": "何时适用 / when it applies",
    "yellow": "黄色所需 / what yellow asks for",
    "orange": "橙色所需 / what orange asks for",
    "red": "红色所需 / what red asks for",
    "override": "各地的例外 / exceptions by place",
    "checks": "核查要点，依次 / what to look at, in order",
    "departments": "须会商的部门 / to be asked, too",
    "response": "签收、核实、方案的时限 / until when to sign, verify, plan",
}


def rule_schema() -> dict[str, Any]:
    """Return the schema of one rule file; ``defaults.toml`` and ``district.toml`` are files of their own kind."""
    found = AreaFile.model_json_schema()
    rule = Rule.model_json_schema(ref_template="#/$defs/{model}")
    inner = rule.pop("$defs", {})
    for name, text in SAID.items():
        rule["properties"][name]["description"] = text
    for policy in (rule, inner["Override"]):
        for colour in ("yellow", "orange", "red"):
            policy["properties"][colour]["anyOf"].append({"const": OFF})
    rule["required"] = [name for name in rule["required"] if name not in MADE_BY_DEFAULTS]
    rule["properties"]["detector"] = {"enum": sorted(DETECTORS), "description": SAID["detector"]}
    by_detector = [
        {
            "if": {"properties": {"detector": {"const": name}}, "required": ["detector"]},
            "then": {"properties": {"parameters": _parameters(name)}},
        }
        for name in sorted(DETECTORS)
    ]
    rule["allOf"] = by_detector
    inner["Method"]["properties"]["detector"] = rule["properties"]["detector"]
    inner["Method"]["allOf"] = by_detector
    defaults = {**rule, "required": [], "title": "Defaults"}
    found["$defs"] = {**found.get("$defs", {}), **inner, "Rule": rule, "Defaults": defaults}
    found["properties"]["rule"]["items"] = {"$ref": "#/$defs/Rule"}
    found["properties"]["defaults"] = {"$ref": "#/$defs/Defaults", "default": {}}
    found["required"] = []  # `area` of defaults.toml is none; `kapok rules check` asks for it
    return {"$schema": DIALECT, **found}


def written() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(rule_schema(), ensure_ascii=False, indent=1) + "\n"


def _parameters(detector: str) -> dict[str, Any]:
    known = {name: _type(parameter) for name, parameter in vocabulary(detector).items()}
    return {"type": "object", "properties": known, "additionalProperties": False}


def _type(parameter: inspect.Parameter) -> dict[str, Any]:
    """Return what a parameter may be: the words of a Literal, or the JSON types of its annotation."""
    said = str(parameter.annotation)
    words = re.findall(r"['\"](\w+)['\"]", said) if "Literal" in said else []
    plain = [TYPES[one] for one in re.findall(r"\w+", said.partition("Literal")[0] or said) if one in TYPES]
    allowed: list[dict[str, Any]] = [{"enum": words}] if words else []
    allowed += [{"type": one} for one in dict.fromkeys(plain) if one != "null"]
    found = allowed[0] if len(allowed) == 1 else {"anyOf": allowed} if allowed else {}
    return found if parameter.default is inspect.Parameter.empty else {**found, "default": parameter.default}
