"""Tests of rules: series in a few words, days told as sweeps tell them, faults named where they stand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import lay
from typer.testing import CliRunner

from warning.cli import app
from warning.errors import ConfigError, KapokError
from warning.layout import lay_out
from warning.paths import shipped
from warning.service import Deployment, load_deployment
from warning.tuning.notation import LONGEST, series
from warning.tuning.proving import TestRun, run_test, run_tests
from warning.tuning.rule_tests import read_tests

NAN = math.nan


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("30", [30]),
        ("30x3 7.5", [30, 30, 30, 7.5]),
        ("(1 2)x2 3", [1, 2, 1, 2, 3]),
        ("((1 2)x2 5)x2", [1, 2, 1, 2, 5, 1, 2, 1, 2, 5]),
        ("10+2x4", [10, 12, 14, 16]),
        ("10-2.5x3", [10, 7.5, 5]),
        ("_ 1 _x2", [NAN, 1, NAN, NAN]),
        ("  (1)x2(2)x2 ", [1, 1, 2, 2]),
        ("~0x3", [0, 0, 0]),
    ],
)
def test_a_series_is_what_its_words_say(text: str, values: list[float]) -> None:
    np.testing.assert_array_equal(series(text), values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "values is empty"),
        ("  ", "values is empty"),
        ("30 x5", "'x5' is not understood"),
        ("thirty", "'thirty' is not understood"),
        ("30x5y", "'30x5y' is not understood"),
        ("(1 2", r"a '\(' without its '\)'"),
        ("1 2)", r"a '\)' without its '\('"),
        ("-3", "'-3' is not understood"),
        ("1-1x3", "falls below 0"),
        ("30x0", "stands there 1 to"),
        ("1x99999999999", "stands there 1 to"),
        ("(1x4000)x4000", "more than 4000 values"),
        ("1x3000 1x3000", "more than 4000 values"),
        ("(" * 9 + "1" + ")" * 9, "deep in each other"),
        ("40/8x3", "a size belongs to '~'"),
        ("~40/0x3", "above 0"),
    ],
)
def test_what_is_no_series_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        series(text)


numbers = st.integers(0, 99).map(str) | st.just("_")


@given(st.lists(numbers, min_size=1, max_size=9), st.integers(1, 9))
def test_a_group_is_its_values_again_and_again(words: list[str], times: int) -> None:
    np.testing.assert_array_equal(series(f"({' '.join(words)})x{times}"), np.tile(series(" ".join(words)), times))


@given(st.integers(0, 200), st.integers(1, 60))
def test_chance_is_the_same_whenever_asked(mean: int, times: int) -> None:
    drawn = series(f"~{mean}x{times}")

    assert len(drawn) == times
    np.testing.assert_array_equal(drawn, series(f"~{mean}x{times}"))
    assert (drawn == np.floor(drawn)).all()


def test_chance_has_the_mean_and_the_scatter_that_are_asked_for() -> None:
    poisson, scattered = series(f"~40x{LONGEST}"), series(f"~40/8x{LONGEST}")

    assert poisson.mean() == pytest.approx(40, abs=0.5)  # five standard errors: 5 * sqrt(40 / 4000)
    assert poisson.var() == pytest.approx(40, rel=0.12)
    assert scattered.var() == pytest.approx(40 + 40**2 / 8, rel=0.2)


HEAD = """
[[test]]
name = "thefts"
indicator = "thefts"
place = "东区"
last = 2026-11-20
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return load_deployment(lay(tmp_path_factory.mktemp("tested"), history=False))


def run(deployment: Deployment, folder: Path, text: str, head: str = HEAD) -> TestRun:
    (folder / "tests.toml").write_text(head + text, encoding="utf-8")
    return run_tests(deployment, folder)


def one_red(level: str = "red") -> str:
    return f"""
rules = ["ss_po.surge"]
series = [{{ values = "~12x360 60 ~12x3" }}]
sweep_from = 2026-11-15
expect = [
    {{ date = 2026-11-16, level = "calm", events = [] }},
    {{ date = 2026-11-17, level = "{level}", events = ["opened"], rule = "ss_po.surge" }},
    {{ date = 2026-11-18, level = "red", events = [] }},
    {{ date = 2026-11-20, level = "calm", events = ["lowered"] }},
]
"""


def test_what_comes_as_expected_passes_and_covers_what_fired(deployment: Deployment, tmp_path: Path) -> None:
    found = run(deployment, tmp_path, one_red())

    assert not found.faults
    covered = {(rule, level.name): tests for (rule, level), tests in found.covered().items()}
    assert covered["ss_po.surge", "RED"] == ["thefts"]
    assert covered["ss_po.surge", "ORANGE"] == []


def test_what_does_not_is_told_with_the_numbers_that_made_it_so(deployment: Deployment, tmp_path: Path) -> None:
    (fault,) = run(deployment, tmp_path, one_red("orange")).faults

    assert "tests.toml: thefts: 2026-11-17 thefts 0101: level is red, expected orange" in fault
    assert "ss_po.surge red: observed 60, expected 1" in fault


LATER = """
series = [{ values = "~12x360 60 ~12x3", later = [{ on = 2026-11-19, date = 2026-11-17, value = 12 }] }]
sweep_from = 2026-11-15
expect = [
    { date = 2026-11-17, level = "red", events = ["opened"] },
    { date = 2026-11-19, level = "calm", events = ["corrected"] },
]
"""
SILENT = """
series = [{ values = "~12x360 60 _x3" }]
sweep_from = 2026-11-15
expect = [{ date = 2026-11-17, level = "red" }, { date = 2026-11-19, events = [] }]
"""
WEEKLY = """
[[test]]
name = "campus"
indicator = "campus"
place = "0101"
start = 2025-11-24
series = [{ values = "~15x51 60" }]
expect = [{ date = 2026-11-09, level = "calm" }, { date = 2026-11-16, level = "yellow", rule = "ss_po.campus" }]
"""


@pytest.mark.parametrize("text", [one_red(), LATER, SILENT], ids=["spike", "correction", "silence"])
def test_real_sweeps_and_the_replay_tell_the_same(deployment: Deployment, tmp_path: Path, text: str) -> None:
    (tmp_path / "tests.toml").write_text(HEAD + text, encoding="utf-8")
    (test,), _ = read_tests(tmp_path, deployment)

    replayed, swept = run_test(deployment, test), run_test(deployment, test, swept=True)

    assert replayed.faults == swept.faults == ()


def test_a_week_is_told_of_once_it_is_over(deployment: Deployment, tmp_path: Path) -> None:
    assert not run(deployment, tmp_path, WEEKLY, head="").faults


def test_mails_are_those_of_real_sweeps(deployment: Deployment, tmp_path: Path) -> None:
    mail = """
series = [{ values = "~12x360 60 ~12x3" }]
sweep_from = 2026-11-16
expect = [
    { date = 2026-11-16, mail = false },
    { date = 2026-11-17, mail = true, subject = "红色" },
    { date = 2026-11-18, mail = false },
]
"""
    assert not run(deployment, tmp_path, mail).faults

    wrong = mail.replace("红色", "橙色").replace("18, mail = false", "18, mail = true")
    faults = run(deployment, tmp_path, wrong).faults
    assert len(faults) == 2
    assert "no mail's subject holds '橙色'" in faults[0]
    assert "0 mail(s) written, expected some" in faults[1]


def test_one_test_may_be_run_for_several_indicators(deployment: Deployment, tmp_path: Path) -> None:
    head = HEAD.replace('indicator = "thefts"', 'indicators = ["thefts", "fires"]')
    text = 'series = [{ values = "~12x364" }]\nexpect = [{ date = 2026-11-20, level = "calm" }]\n'

    assert [one.test.name for one in run(deployment, tmp_path, text, head).results] == [
        "thefts［thefts］",
        "thefts［fires］",
    ]


SERIES = 'series = [{ values = "1x9" }]\n'
EXPECT = "expect = [{ date = 2026-11-20 }]\n"


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        pytest.param(SERIES + EXPECT + 'rules = ["ss_po.surg"]', "did you mean 'ss_po.surge'?", 2, id="rule-gone"),
        pytest.param(EXPECT + 'series = [{ values = "1x9", place = "东" }]', "place '东' is unknown", 2, id="place"),
        pytest.param(EXPECT + 'series = [{ values = "1x9", indicator = "theft" }]', "'thefts'?", 2, id="indicator"),
        pytest.param(EXPECT + 'series = [{ values = "1y9" }]', "'1y9' is not understood", 2, id="notation"),
        pytest.param(SERIES + EXPECT + "start = 2026-01-01", "give either start", 2, id="start-and-last"),
        pytest.param(SERIES + "expect = [{ dat = 2026-11-20 }]", "dat is not a setting", 8, id="misspelt"),
        pytest.param(SERIES + 'expect = [{ date = 2026-11-20, level = "purple" }]', "level", 8, id="level"),
        pytest.param(SERIES + "expect = []", "expect", 8, id="nothing-expected"),
        pytest.param(SERIES + EXPECT + "sweep_from = 2020-01-01", "days would be swept", 2, id="too-many-days"),
        pytest.param(SERIES + EXPECT + "sweep_from = 2026-11-30", "is after the first date", 2, id="reversed"),
        pytest.param(
            SERIES + 'expect = [{ date = 2026-11-20, place = "0102" }]', "none of the test's series", 2, id="elsewhere"
        ),
    ],
)
def test_a_wrong_test_is_named_with_its_line(
    deployment: Deployment, tmp_path: Path, text: str, said: str, line: int
) -> None:
    found = run(deployment, tmp_path, text)

    (error,) = found.errors
    assert any(said in fault for fault in error.faults)
    assert {getattr(fault, "line", None) for fault in error.faults} == {line}
    assert found.results == ()


def test_a_test_of_a_rule_that_is_gone_does_not_hide_the_others(deployment: Deployment, tmp_path: Path) -> None:
    fewer = replace(deployment, rules=replace(deployment.rules, rules=deployment.rules.rules[:1]))

    found = run(fewer, tmp_path, one_red() + WEEKLY + 'rules = ["ss_po.campus"]\n')

    assert [result.test.name for result in found.results] == ["thefts"]
    assert len(found.errors) == 1


def ask(folder: Path, *words: str) -> tuple[str, int]:
    result = CliRunner().invoke(app, ["rules", "test", *words, "--config", str(folder / "config.toml")])
    assert result.exception is None or isinstance(result.exception, KapokError | SystemExit), result.exception
    return result.output.replace("\n", ""), result.exit_code


def test_an_analyst_runs_the_tests_beside_the_rules(tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    (tmp_path / "rules" / "tests").mkdir()
    (tmp_path / "rules" / "tests" / "a.toml").write_text(HEAD + one_red(), encoding="utf-8")
    output, code = ask(tmp_path)
    assert (code, "测试 1 项，未通过 0 项" in output) == (0, True)
    assert ask(tmp_path, "--strict")[1] == 1  # orange never fired

    (tmp_path / "rules" / "tests" / "b.toml").write_text(HEAD + one_red("orange"), encoding="utf-8")
    output, code = ask(tmp_path, "--junit", str(tmp_path / "junit.xml"), "--format", "json")
    assert code == 1
    assert [one["passed"] for one in json.loads(output)["tests"]] == [True, False]
    (failure,) = ElementTree.parse(tmp_path / "junit.xml").iter("failure")  # noqa: S314 - written just now
    assert "level is red, expected orange" in (failure.text or "")

    (tmp_path / "rules" / "tests" / "c.toml").write_text("test = 3", encoding="utf-8")
    assert ask(tmp_path)[1] == 2


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    lay(tmp_path, history=False)

    result = CliRunner().invoke(
        app, ["rules", "test", "--junit", "/nowhere/j.xml", "--config", str(tmp_path / "config.toml")]
    )

    assert isinstance(result.exception, ConfigError)
    assert "cannot be written" in str(result.exception)


def test_a_new_deployment_has_the_shipped_tests(tmp_path: Path) -> None:
    lay_out(tmp_path / "laid")

    shipped_tests = sorted(path.name for path in (shipped("rules") / "tests").glob("*.toml"))
    assert sorted(path.name for path in (tmp_path / "laid" / "rules" / "tests").glob("*.toml")) == shipped_tests


def test_the_shipped_rules_pass_their_tests_and_each_level_fires_in_one() -> None:
    deployment = load_deployment(shipped("config.toml"))

    found = run_tests(deployment, shipped("rules") / "tests")

    assert found.faults == []
    assert [colour for colour, tests in found.covered().items() if not tests] == []
