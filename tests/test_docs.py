"""The documents say what the program does: commands, settings, keys, parameters, modules, links."""

from __future__ import annotations

import inspect
import re
import struct
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from written import PAGES, QUOTED, ROOT, blocks, commands, keys, rows, section, text

from detectors import DETECTORS
from warning.cli import app
from warning.condition import Evidence
from warning.config import Config, load_config
from warning.placecolour import Colour, PlaceColours
from warning.rule import Rule, vocabulary
from warning.ruleset import load_rules
from warning.service import load_deployment
from warning.web import create_app

GUIDES = ("docs/guide.zh.md", "docs/guide.en.md")
BOOKKEEPING = {"base", "file"}  # where a configuration lies: no settings
CJK = r"[\u3400-\u9fff]"


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found


def settings() -> dict[str, Any]:
    """Every setting with the default of the program."""
    return flat(Config().model_dump(exclude=BOOKKEEPING))


def shown(value: object) -> str:
    """A default as the guides print it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return "–" if value is None or value == "" else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def number(value: object) -> str:
    """A parameter's default as the page of parameters prints it."""
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_quoted_exists_with_its_options(page: str) -> None:
    known = typer.main.get_command(app)

    for name, *rest in commands(page):
        command = known.commands.get(name)  # type: ignore[attr-defined]
        assert command is not None, f"{page}: kapok {name}"
        within = getattr(command, "commands", {})
        command, words = (within[rest[0]], rest[1:]) if rest and rest[0] in within else (command, rest)
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, f"{page}: kapok {name} {words}"
        placed = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        flags = {option for p in command.params for option in p.opts if getattr(p, "is_flag", False)}
        takes = [words[n - 1] in options - flags for n in range(1, len(words))]
        free = [word for n, word in enumerate(words) if not word.startswith("-") and not (n and takes[n - 1])]
        many = any(parameter.nargs == -1 for parameter in placed)
        assert many or len(free) <= len(placed), f"{page}: kapok {name} {words}"


def test_every_command_there_is_has_its_place_in_both_guides() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]

    for page in GUIDES:
        assert known - {"demo"} <= {words[0] for words in commands(page)}, page


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_quoted_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), flags=re.M))

    quoted = set(re.findall(r"^make ([a-z]+)", "\n".join(blocks(page, "sh")), flags=re.M))
    quoted |= set(re.findall(r"`make ([a-z]+)[^`]*`", text(page)))

    assert quoted <= targets


def test_the_shipped_configuration_states_the_defaults_of_the_program() -> None:
    shipped = flat(tomllib.loads(text("config.toml")))

    read = flat(load_config(ROOT / "config.toml").model_dump(exclude=BOOKKEEPING))

    assert read == settings()
    assert set(settings()) - set(shipped) == {"clock.file", "mail.smtp.ca_file"}


@pytest.mark.parametrize(("page", "heading"), list(zip(GUIDES, ("全部设置", "All settings"), strict=True)))
def test_a_guide_lists_every_setting_with_its_default(page: str, heading: str) -> None:
    listed = {name.strip("`"): default for name, default, _ in rows(section(page, heading))}

    assert listed == {name: shown(value) for name, value in settings().items()}


@pytest.mark.parametrize(
    ("headings", "model", "more"),
    [
        pytest.param(("规则的键", "Keys of a rule"), Rule, set(), id="rule"),
        pytest.param(("证据的键", "Keys of the evidence"), Evidence, set(), id="evidence"),
        pytest.param(("district.toml",) * 2, Colour, {"missing_share", "tier"}, id="district"),
    ],
)
def test_a_guide_lists_every_key_of_a_rule_file(
    headings: tuple[str, str], model: type[BaseModel], more: set[str]
) -> None:
    assert set(PlaceColours.model_fields) - set(Colour.model_fields) == {"missing_share", "tier"}
    for page, heading in zip(GUIDES, headings, strict=True):
        assert set(keys(section(page, heading))) == set(model.model_fields) | more, page


@pytest.mark.parametrize("page", GUIDES)
def test_every_column_of_the_shipped_city_is_described(page: str) -> None:
    described = {
        name for heading in re.findall(r"^### (.+)$", text(page), flags=re.M) for name in _columns(page, heading)
    }

    for table in sorted((ROOT / "city").glob("*.csv")):
        header = table.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        assert set(header) <= described, table.name


@pytest.mark.parametrize("page", GUIDES)
def test_every_file_of_the_shipped_city_is_listed(page: str) -> None:
    heading = "城市目录" if page.endswith("zh.md") else "The city's folder"

    listed = set(keys(section(page, heading)))

    assert listed == {path.name for path in (ROOT / "city").iterdir() if path.suffix != ".md"}


@pytest.mark.parametrize("page", GUIDES)
def test_the_rule_of_a_guide_is_a_rule(page: str, tmp_path: Path) -> None:
    city = load_deployment(ROOT / "config.toml").city
    (example,) = (block for block in blocks(page, "toml") if "[[rule]]" in block)
    (tmp_path / "ss_po.toml").write_text(example, encoding="utf-8")

    rules = load_rules(tmp_path, city)

    assert [rule.id for rule in rules.rules] == ["ss_po.surge"]


@pytest.mark.parametrize("page", GUIDES)
def test_the_rule_of_a_guide_is_the_shipped_one(page: str) -> None:
    (example,) = (tomllib.loads(block) for block in blocks(page, "toml") if "[[rule]]" in block)
    (quoted,) = example["rule"]

    (shipped,) = (
        rule
        for path in (ROOT / "rules").glob("*.toml")
        for rule in tomllib.loads(path.read_text(encoding="utf-8")).get("rule", ())
        if rule["id"] == quoted["id"]
    )

    assert set(quoted["indicators"]) <= set(shipped["indicators"])
    assert {name: shipped[name] for name in quoted if name != "indicators"} == {
        name: value for name, value in quoted.items() if name != "indicators"
    }


def test_one_idea_has_one_word_on_the_page_at_the_command_line_and_in_the_guide() -> None:
    guide = "docs/guide.zh.md"
    avoided = {word for row in rows(section(guide, "词汇")) for word in row[3].split("、") if word != "–"}
    places = [*(ROOT / "templates" / "web").glob("*.j2"), *(ROOT / "warning").rglob("*.py")]
    texts = {path.name: path.read_text(encoding="utf-8") for path in places}
    texts[guide] = text(guide).replace(section(guide, "词汇"), "")

    found = {(name, word) for name, said in texts.items() for word in avoided if word in said}

    assert {"接收", "不可用", "晨报"} <= avoided
    assert found == set()


def test_the_example_shows_how_to_run_it_and_what_it_prints() -> None:
    page = "examples/dengue/README.md"
    figures = text(page).partition("<!-- figures:")[2].partition("\n")[2]

    (printed,) = blocks(page, "text")

    assert ".venv/bin/python -m examples.dengue.run\n" in blocks(page, "sh")
    assert len(printed.splitlines()) >= 3
    assert figures.startswith(printed)


def test_both_guides_explain_the_same_words() -> None:
    chinese = [row[:2] for row in rows(section(GUIDES[0], "词汇"))]

    english = [[row[1], row[0]] for row in rows(section(GUIDES[1], "Words"))]

    assert english == chinese


@pytest.mark.parametrize("page", GUIDES)
def test_the_settings_of_a_guide_are_settings(page: str, tmp_path: Path) -> None:
    others = ("[[rule]]", "# city/feeds/")  # looked at by tests of their own
    for block in (block for block in blocks(page, "toml") if not any(sign in block for sign in others)):
        (tmp_path / "config.toml").write_text(block, encoding="utf-8")

        load_config(tmp_path / "config.toml")  # raises on what is none

        assert set(flat(tomllib.loads(block))) <= set(settings())


@pytest.mark.parametrize("page", GUIDES)
def test_the_addresses_of_a_guide_are_those_of_the_page(page: str) -> None:
    heading = "页面" if page.endswith("zh.md") else "The page"
    served = {getattr(route, "path", "") for route in _routes(create_app(load_deployment(ROOT / "config.toml")))}

    listed = set(keys(section(page, heading)))

    assert listed <= served
    assert {"/", "/alerts", "/health"} <= listed


@pytest.mark.parametrize("page", GUIDES)
def test_what_an_operator_sees_is_what_the_program_says(page: str) -> None:
    heading = "遇到问题" if page.endswith("zh.md") else "When something is wrong"
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "warning").rglob("*.py")))

    quoted = [part for said in keys(section(page, heading)) for part in re.split(r" …|; did", said) if part]

    assert len(quoted) >= 7
    assert [said for said in quoted if said not in source and said != " you mean"] == []


@pytest.mark.parametrize("name", DETECTORS)
def test_every_parameter_of_a_detector_is_described_with_its_default(name: str) -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(section("docs/parameters.md", name))}

    assert listed == {known: number(parameter.default) for known, parameter in vocabulary(name).items()}


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_has_a_section_in_both_languages(name: str) -> None:
    assert len(re.findall(rf"^## {name}$", text("docs/detectors.md"), flags=re.M)) == 2
    assert inspect.getdoc(DETECTORS[name])


def test_the_architecture_names_every_module() -> None:
    folders = section("docs/architecture.md", "Folders")

    modules = [path.name for folder in ("warning", "detectors") for path in (ROOT / folder).glob("*.py")]
    packages = [f"{path.parent.name}/" for path in (ROOT / "warning").glob("*/__init__.py")]

    assert [name for name in modules + packages if name not in folders and name != "__init__.py"] == []


def test_the_architecture_prints_the_floors_that_are_checked() -> None:
    contract = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]

    printed = re.search(
        r"```\n(.*?)\n```",
        section("docs/architecture.md", "Floors: imports point down only (import-linter checks it)"),
        re.S,
    )

    assert printed is not None
    assert printed[1].splitlines() == [layer.replace(" | ", " ") for layer in contract["layers"]]


def test_every_dependency_has_its_reason_and_the_version_that_is_locked() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==([0-9.]+)", "\n".join(reversed(text("requirements.lock").splitlines())), re.M)
    )
    needed = {re.split(r"[<>=\[]", wanted)[0] for wanted in project["project"]["dependencies"]}

    listed = {row[0]: row[1] for row in rows(section("docs/decisions.md", "Dependencies at run time"))}

    assert listed == {name: locked[name] for name in needed}


def test_every_development_dependency_has_its_reason() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    needed = {re.split(r"[<>=\[]", wanted)[0] for wanted in project["dependency-groups"]["dev"]}

    listed = {
        name
        for row in rows(section("docs/decisions.md", "Dependencies for development"))
        for name in row[0].split(", ")
    }

    assert listed == needed


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", re.sub(r"`[^`\n]*`", "", text(page)))

    broken = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]

    assert broken == []


def test_what_the_readme_says_of_others_is_shown_by_a_test_that_exists() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))

    named = [
        name
        for row in rows(section("README.md", "与其他工具相比 / Compared with other tools"))
        for name in QUOTED.findall(row[2])
    ]

    assert len(named) >= 5
    assert [name for name in named if f"def {name}(" not in source] == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").glob("*.png")), ids=lambda path: path.name)
def test_a_picture_is_large_enough_to_read_and_small_enough_to_load(picture: Path) -> None:
    content = picture.read_bytes()

    width, height = struct.unpack(">II", content[16:24])

    assert content.startswith(b"\x89PNG")
    assert width >= 600
    assert height >= 400
    assert len(content) < 300_000


def test_the_readme_has_a_picture() -> None:
    assert re.search(r"!\[[^\]]*模拟[^\]]*\]\(docs/pictures/[a-z-]+\.png\)", text("README.md"))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_words_of_something_left_open(page: str) -> None:
    assert re.findall(r"\b(?:TODO|FIXME|TBD|XXX)\b|待补", text(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_chinese_has_full_width_punctuation(page: str) -> None:
    prose = re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text(page), flags=re.M | re.S))

    assert re.findall(rf"{CJK}[,;:!?.]{CJK}", prose) == []
    if page.endswith("zh.md"):  # elsewhere a Chinese word may end an English clause
        assert re.findall(rf"{CJK}[,;:!?.](?=\s|$)", prose) == []


def _columns(page: str, heading: str) -> list[str]:
    return keys(section(page, heading)) if ".csv" in heading else []


def _routes(application: Any) -> Iterator[Any]:
    for route in application.routes:
        yield route
        yield from getattr(getattr(route, "router", None), "routes", [])
        yield from getattr(getattr(route, "original_router", None), "routes", [])
