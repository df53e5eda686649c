"""Rule files: what is read from them, and what is said when they are wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from little_city import CITY, RULES

from detectors import DETECTORS
from warning.city import City, load_city
from warning.errors import ConfigError
from warning.model import Level, SeriesKey
from warning.paths import shipped
from warning.rule import Rule, series_of, vocabulary
from warning.ruleset import load_rules

BAD = sorted((Path(__file__).parent / "bad_rules").glob("*.toml"))
MORE = """fines,罚款金额,Fines,ss_po,negative,元,amount,daily,,公安局,sum,true,mid
trials,审结案件数,Trials,ss_po,negative,件,count,monthly,,公安局,sum,true,mid
"""
ONE = """
[[rule]]
id = "{}"
name_zh = "升高"
indicators = ["thefts"]
{}
detector = "ears"
yellow = {{ surprise = 3 }}
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    for name, text in CITY.items():
        (folder / name).write_text(text.lstrip() + MORE * (name == "indicators.csv"), encoding="utf-8")
    return load_city(folder)


def one(identifier: str = "ss_po.surge", where: str = 'tier = "district"') -> str:
    """Write a rule that has no fault."""
    return ONE.format(identifier, where)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_fault_is_named_with_its_rule(path: Path, tmp_path: Path, city: City) -> None:
    expectation = path.read_text(encoding="utf-8").partition("\n")[0]
    shutil.copyfile(path, tmp_path / "police.toml")

    with pytest.raises(ConfigError) as refusal:
        load_rules(tmp_path, city)

    assert refusal.value.where == str(tmp_path / "police.toml")
    assert refusal.value.faults == (expectation.removeprefix("# expect: "),)


def test_the_faults_of_all_rules_and_files_are_listed_at_once(tmp_path: Path, city: City) -> None:
    wrong = one("ss_po.form", "tier = 3") + one("ss_po.sense", 'tier = "street"') + one("ss_po.good")
    (tmp_path / "police.toml").write_text(f'area = "ss_po"\n{wrong}', encoding="utf-8")
    (tmp_path / "again.toml").write_text(f'area = "ss_pq"\n{one("ss_po.good")}', encoding="utf-8")
    (tmp_path / "district.toml").write_text("missing_share = 2\n", encoding="utf-8")
    (tmp_path / "gbk.toml").write_bytes("# 治安".encode("gbk"))

    with pytest.raises(ConfigError) as refusal:
        load_rules(tmp_path, city)

    assert str(refusal.value).splitlines() == [
        f"{tmp_path}/again.toml: 2 problem(s)",
        "  area 'ss_pq' is not a level-2 area; did you mean 'ss_po'?",
        "  ss_po.good: indicator 'thefts' belongs to area 'ss_po', not 'ss_pq'",
        f"{tmp_path}/district.toml: 1 problem(s)",
        "  missing_share: input should be less than or equal to 1, found 2",
        f"{tmp_path}/gbk.toml: 1 problem(s)",
        "  byte 3 is not UTF-8; save the file as UTF-8",
        f"{tmp_path}/police.toml: 3 problem(s)",
        "  ss_po.form: tier: expected a text in quotation marks, found 3",
        "  ss_po.sense: tier 'street' has no places; known: city, district",
        "  rule 'ss_po.good' is defined twice, also in again.toml",
    ]


@pytest.mark.parametrize("folder", ["rules", "nowhere"])
def test_a_folder_without_rules_says_where_to_get_some(tmp_path: Path, city: City, folder: str) -> None:
    (tmp_path / "rules").mkdir()

    with pytest.raises(ConfigError, match=r"has no rule files \(\*\.toml\); copy the shipped ones with `kapok init`"):
        load_rules(tmp_path / folder, city)


def test_a_rule_judges_its_indicators_at_its_places_in_their_order(tmp_path: Path, city: City) -> None:
    (tmp_path / "police.toml").write_text(RULES, encoding="utf-8")

    rules = load_rules(tmp_path, city)

    assert [rule.id for rule in rules.rules] == ["ss_po.surge", "ss_po.slow", "ss_po.campus"]
    assert series_of(rules.rule("ss_po.campus"), city) == (SeriesKey("campus", "0101"), SeriesKey("campus", "0102"))
    assert [level for level, _ in rules.rule("ss_po.surge").levels()] == [Level.YELLOW, Level.ORANGE, Level.RED]
    assert (rules.rule("ss_po.slow").window, rules.rule("ss_po.surge").window) == (7, 1)


def test_a_rule_may_name_its_places(tmp_path: Path, city: City) -> None:
    named = one(where='places = ["0102", "01"]')
    (tmp_path / "police.toml").write_text(f'area = "ss_po"\n{named}', encoding="utf-8")

    rule = load_rules(tmp_path, city).rules[0]

    assert [key.place for key in series_of(rule, city)] == ["0102", "01"]


def test_the_version_changes_with_a_byte_and_only_then(tmp_path: Path, city: City) -> None:
    path = tmp_path / "police.toml"
    path.write_text(RULES, encoding="utf-8")
    versions = [load_rules(tmp_path, city).version for _ in range(2)]

    path.write_text(RULES + "# 2026-11-22\n", encoding="utf-8")

    assert versions[0] == versions[1] != load_rules(tmp_path, city).version


def test_every_shipped_rule_loads_and_names_itself() -> None:
    guangzhou = load_city(shipped("city"))

    rules = load_rules(shipped("rules"), guangzhou)

    judged = {key for rule in rules.rules for key in series_of(rule, guangzhou)}
    assert judged == {SeriesKey(i.id, p.code) for i in guangzhou.watched() for p in guangzhou.at_tier("district")}
    assert all(rule.name_zh and rule.name_en for rule in rules.rules)


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_a_rule_may_set_what_the_detector_offers_but_never_how_many_dates(name: str) -> None:
    words = vocabulary(name)

    assert words
    assert "last" not in words
    assert "panel" not in words


WITH_DEFAULTS = """
area = "ss_po"
checks = ["到场核实"]
[defaults]
yellow = { surprise = 4 }
[[rule]]
id = "ss_po.surge"
name_zh = "升高"
indicators = ["thefts"]
"""
GENERAL = """
[defaults]
tier = "district"
detector = "ears"
parameters = { baseline = 28 }
yellow = { surprise = 3 }
orange = { surprise = 5 }
"""


def ruled(tmp_path: Path, city: City, more: str = "", text: str = WITH_DEFAULTS) -> Rule:
    """Read one rule of a folder that has defaults."""
    (tmp_path / "police.toml").write_text(text + more, encoding="utf-8")
    (tmp_path / "defaults.toml").write_text(GENERAL, encoding="utf-8")
    (found,) = load_rules(tmp_path, city).rules
    return found


@pytest.mark.parametrize(
    ("said", "colours"),
    [
        pytest.param("", {"YELLOW": 4, "ORANGE": 5}, id="the-file-before-all-files"),
        pytest.param("yellow = { surprise = 4.5 }", {"YELLOW": 4.5, "ORANGE": 5}, id="the-rule-before-the-file"),
        pytest.param('orange = "off"', {"YELLOW": 4}, id="or-none-of-it"),
    ],
)
def test_what_a_rule_does_not_say_the_defaults_do(
    tmp_path: Path, city: City, said: str, colours: dict[str, float]
) -> None:
    found = ruled(tmp_path, city, said)

    assert {level.name: evidence.surprise for level, evidence in found.levels()} == colours


def test_another_detector_does_not_take_the_parameters_of_the_defaults(tmp_path: Path, city: City) -> None:
    assert ruled(tmp_path, city).parameters == {"baseline": 28}
    assert ruled(tmp_path, city, 'detector = "threshold"').parameters == {}


def test_named_places_stand_in_the_stead_of_the_tier_of_the_defaults(tmp_path: Path, city: City) -> None:
    found = ruled(tmp_path, city, 'places = ["0102"]')

    assert series_of(found, city) == (SeriesKey("thefts", "0102"),)


def test_the_checks_of_an_area_are_those_of_its_rules(tmp_path: Path, city: City) -> None:
    assert ruled(tmp_path, city).checks == ("到场核实",)
    assert ruled(tmp_path, city, 'checks = ["先看视频"]').checks == ("先看视频",)


@pytest.mark.parametrize(
    ("selected", "found"),
    [
        pytest.param('["level2:ss_po"]\nfrequency = "daily"\nkind = "count"', "thefts fires quarrels", id="of-an-area"),
        pytest.param('["dimension:ss"]\nfrequency = "weekly"', "campus", id="of-a-dimension"),
        pytest.param('["tag:night"]', "fires quarrels", id="of-a-tag"),
        pytest.param('["thefts", "tag:night"]\nwithout_indicators = ["fires"]', "thefts quarrels", id="but-some"),
    ],
)
def test_indicators_are_selected_by_what_they_belong_to(tmp_path: Path, city: City, selected: str, found: str) -> None:
    tagged = {
        name: replace(one, tags=("night",) * (name in ("fires", "quarrels")), watch=name != "fines")
        for name, one in city.indicators.items()
    }
    text = WITH_DEFAULTS.replace('["thefts"]', selected)

    assert ruled(tmp_path, replace(city, indicators=tagged), text=text).indicators == tuple(found.split())
