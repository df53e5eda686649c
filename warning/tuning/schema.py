"""The JSON Schema of rule files, made from the code that reads them, for editors to complete and check by."""

from __future__ import annotations

import json
from typing import Any

from warning.rule import Rule
from warning.ruleset import AreaFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def rule_schema() -> dict[str, Any]:
    """Return the schema of one rule file."""
    found = AreaFile.model_json_schema()
    rule = Rule.model_json_schema(ref_template="#/$defs/{model}")
    found["$defs"] = {**found.get("$defs", {}), **rule.pop("$defs", {}), "Rule": rule}
    found["properties"]["rule"]["items"] = {"$ref": "#/$defs/Rule"}
    return {"$schema": DIALECT, **found}


def written() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(rule_schema(), ensure_ascii=False, indent=2) + "\n"
