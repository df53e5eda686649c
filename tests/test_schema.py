"""The JSON Schema of rule files says what the program reads."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from test_ruleset import BAD

from warning.paths import shipped
from warning.rule import Rule
from warning.tuning.schema import SAID, rule_schema, written

RULES = [path for path in sorted(shipped("rules").glob("*.toml")) if path.name not in ("district.toml", "budget.toml")]
FORM = (  # faults that can be seen without a city
    "indicators-no-list",
    "lowered-after-none",
    "method-of-unknown-detector",
    "method-with-misspelt-parameter",
    "misspelt-evidence",
    "misspelt-key",
    "misspelt-parameter",
    "misspelt-table",
    "negative-surprise",
    "no-id",
    "parameter-is-a-list",
    "parameter-not-a-rules",
    "parameter-of-wrong-type",
    "parameter-with-a-fraction",
    "parameters-no-table",
    "raised-after-none",
    "ratio-of-one",
    "unknown-colour",
    "unknown-detector",
    "unknown-direction",
)


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    Draft202012Validator.check_schema(rule_schema())
    return Draft202012Validator(rule_schema())


def plain(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=str))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_the_shipped_files_fit_it_and_name_it(schema: Draft202012Validator, path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [error.message for error in schema.iter_errors(plain(text))] == []
    assert text.startswith("#:schema schema.json\n")


@pytest.mark.parametrize("name", FORM)
def test_a_file_of_the_wrong_form_does_not(schema: Draft202012Validator, name: str) -> None:
    (path,) = (path for path in BAD if path.stem == name)

    assert list(schema.iter_errors(plain(path.read_text(encoding="utf-8"))))


def test_the_shipped_schema_is_the_one_that_is_printed() -> None:
    assert (shipped("rules") / "schema.json").read_text(encoding="utf-8") == written()


def test_every_key_that_is_explained_is_one() -> None:
    assert SAID.keys() <= Rule.model_fields.keys()
