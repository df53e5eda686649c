"""`kapok rules check`: where a fault stands, what is hardly meant, and files that are anything but rules."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from little_city import FRIDAY, RULES, SATURDAY, at, deliver, lay, set_clock, usual
from test_ruleset import BAD
from typer.testing import CliRunner

from warning.cli import app
from warning.errors import ConfigError, Fault
from warning.graded import Graded
from warning.jobs import take_in
from warning.paths import shipped
from warning.pipeline import sweep
from warning.ruleset import load_rules, read_rules
from warning.service import Service, open_service
from warning.tuning.lints import history_of, lints

HEAD = """area = "ss_po"
[[rule]]
id = "ss_po.tried"
name_zh = "试"
indicators = ["thefts"]
tier = "district"
detector = "ears"
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("vetted")
    with open_service(lay(folder)) as found:
        deliver(folder, "friday.csv", usual(FRIDAY))
        take_in(found, at(SATURDAY, "07:00"))
        sweep(found, FRIDAY, now=at(SATURDAY, "07:30"))
        set_clock(folder, at(SATURDAY, "08:00"))
        yield found


def tried(service: Service, folder: Path, *lines: str, head: str = HEAD) -> Service:
    """The service with one rule, written out."""
    (folder / "tried.toml").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return replace(service, rules=load_rules(folder, service.city))


def said(service: Service, folder: Path, *lines: str) -> list[tuple[str, int | None]]:
    there = tried(service, folder, *lines)
    return [(one.code, one.line) for one in lints(there, folder) if one.file == "tried.toml"]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(["yellow = { surprise = 3 }"], [], id="well"),
        pytest.param(["yellow = { ratio = 1.3, extra = 3 }"], [("no-surprise", 8)], id="a-ratio-alone"),
        pytest.param(["", "yellow = { surprise = 2 }"], [("weak-surprise", 9)], id="one-in-a-hundred"),
        pytest.param(["yellow = { surprise = 2 }", "raise_after = 2", "within = 3"], [], id="but-it-lasts"),
        pytest.param(["yellow = { surprise = 3 }", "orange = { surprise = 3 }"], [("never-shows", 8)], id="two-alike"),
        pytest.param(
            ["yellow = { surprise = 3 }", "orange = { surprise = 3, extra = 5 }"], [], id="the-higher-asks-for-more"
        ),
        pytest.param(
            ["yellow = { any = [{ surprise = 3 }, { extra = 9 }] }"], [("no-surprise", 8)], id="one-of-two-ways"
        ),
        pytest.param(["yellow = { extra = 3 }  # lint: ok no-surprise"], [], id="it-is-meant"),
        pytest.param(["yellow = { extra = 3 }  # lint: ok small-base"], [("no-surprise", 8)], id="another-is-meant"),
    ],
)
def test_what_is_hardly_meant_is_remarked_where_it_stands(
    service: Service, tmp_path: Path, lines: list[str], found: list[tuple[str, int]]
) -> None:
    assert said(service, tmp_path, *lines) == found


def test_a_watched_indicator_nobody_judges_is_named(service: Service, tmp_path: Path) -> None:
    there = tried(service, tmp_path, "yellow = { surprise = 3 }")

    found = [one.zh for one in lints(there, tmp_path) if one.code == "not-judged"]

    assert [text.split(" ")[0] for text in found] == ["fires", "quarrels", "campus"]


def past_of(there: Service, levels: list[int], surprise: float, expected: float = 100.0) -> dict[str, Graded]:
    """A history made up: the levels of a hundred days, the same in both places."""
    rule = there.rules.rules[0]
    found = history_of(there, FRIDAY, at(SATURDAY, "08:00"))[rule.id]
    table = np.full((len(levels), 2), surprise)
    scores = replace(
        found.scores, **{name: np.full((len(levels), 2), expected) for name in ("observed", "expected")}, surprise=table
    )
    dates = np.datetime64(FRIDAY) - np.arange(len(levels))[::-1]
    both = np.array([levels, levels], dtype=np.int8).T
    return {rule.id: replace(found, dates=dates, scores=scores, levels=both, kept=0 * both)}


@pytest.mark.parametrize(
    ("levels", "surprise", "code"),
    [
        pytest.param([0] * 100, 0.9, "never-fires", id="never-nearly"),
        pytest.param([0] * 100, 1.1, None, id="it-may-yet"),
        pytest.param([0] * 80, 0.9, None, id="too-short-a-past"),
        pytest.param([0] * 97 + [1] * 3, 1.0, "fires-often", id="three-in-a-hundred"),
        pytest.param([0] * 99 + [1], 1.0, None, id="one-in-a-hundred"),
    ],
)
def test_the_past_says_what_never_fires_and_what_fires_often(
    service: Service, tmp_path: Path, levels: list[int], surprise: float, code: str | None
) -> None:
    there = tried(service, tmp_path, "yellow = { surprise = 3 }")

    found = {one.code for one in lints(there, tmp_path, past_of(there, levels, surprise)) if one.rule}

    assert found == ({code} if code else set())


@pytest.mark.parametrize(("expected", "codes"), [(29.0, {"small-base"}), (31.0, set())])
def test_a_ratio_on_a_small_base_is_remarked(
    service: Service, tmp_path: Path, expected: float, codes: set[str]
) -> None:
    there = tried(service, tmp_path, "yellow = { surprise = 3, ratio = 1.5 }")

    found = lints(there, tmp_path, past_of(there, [0] * 99 + [1], 2.0, expected))

    assert {one.code for one in found if one.rule} == codes


def test_two_rules_that_always_fire_together_are_named(service: Service, tmp_path: Path) -> None:
    yellow = "yellow = { surprise = 3 }"
    there = tried(service, tmp_path, yellow, HEAD.partition("\n")[2].replace("tried", "again"), yellow)
    past = past_of(there, [0] * 1990 + [1] * 10, 3.0)["ss_po.tried"]
    again = replace(past, rule=there.rules.rules[1])

    found = lints(there, tmp_path, {"ss_po.tried": past, "ss_po.again": again})

    assert [(one.code, one.rule, one.line) for one in found if one.rule] == [("fires-together", "ss_po.again", 10)]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_fault_has_the_line_of_what_it_is_about(service: Service, path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")

    _, (error,) = read_rules(tmp_path, service.city)

    for fault in error.faults:
        assert isinstance(fault, Fault)
        if fault.line is not None:
            written = text.splitlines()[fault.line - 1]
            key = re.match(r"\S+: ([a-z_]+)[.:]", fault)
            assert "[[rule" in written or key is None or key[1] in written or "=" in written
    assert any(fault.line for fault in error.faults if isinstance(fault, Fault)) or path.stem == "no-area"


def ask(service: Service, *words: str) -> tuple[str, int]:
    result = CliRunner().invoke(app, ["rules", "check", *words, "--config", str(service.config.file)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output, result.exit_code


def test_a_set_without_fault_or_lint_ends_with_nought(service: Service) -> None:
    output, code = ask(service)

    assert (code, output.count("lint(s)")) == (0, 1)
    assert "规则 3 条，错误 0 处，提醒 0 处" in output.replace("\n", "")


def test_lints_alone_end_with_one_and_faults_with_two(service: Service, tmp_path: Path) -> None:
    (tmp_path / "tried.toml").write_text(f"{HEAD}yellow = {{ extra = 3 }}\n", encoding="utf-8")
    output, code = ask(service, str(tmp_path))
    assert code == 1
    assert f"{tmp_path}/tried.toml:8: ss_po.tried: [no-surprise]" in output

    (tmp_path / "tried.toml").write_text(f"{HEAD}yellow = {{ extr = 3 }}\n", encoding="utf-8")
    output, code = ask(service, str(tmp_path))
    assert code == 2
    assert f"{tmp_path}/tried.toml:8: ss_po.tried: yellow.extr is not a setting; did you mean 'extra'?" in output


def test_a_program_reads_the_same(service: Service, tmp_path: Path) -> None:
    (tmp_path / "tried.toml").write_text(f"{HEAD}yellow = {{ extr = 3 }}\n", encoding="utf-8")

    found = json.loads(ask(service, str(tmp_path), "--format", "json")[0])

    (one,) = found["found"]
    assert (one["kind"], one["line"], one["rule"]) == ("fault", 8, "ss_po.tried")


def test_a_deployment_s_own_faults_have_their_lines(service: Service, tmp_path: Path) -> None:
    config = lay(tmp_path, history=False)
    (tmp_path / "rules" / "police.toml").write_text(RULES.replace("detector =", "detectr =", 1), encoding="utf-8")

    result = CliRunner().invoke(app, ["check", "--config", str(config)])

    assert isinstance(result.exception, ConfigError)
    assert (
        "第 8 行 line 8: ss_po.surge: detectr is not a setting; did you mean 'detector'?" in result.exception.framed()
    )


def test_a_file_of_two_megabytes_and_tables_too_deep_are_refused(service: Service, tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_text("# " + "x" * 2**21, encoding="utf-8")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000, encoding="utf-8")
    (tmp_path / "number.toml").write_text("a = " + "9" * 5000, encoding="utf-8")

    _, errors = read_rules(tmp_path, service.city)

    assert [(Path(error.where).name, error.faults[0].partition(":")[0]) for error in errors] == [
        ("deep.toml", "tables or lists stand too deep in each other to be read"),
        ("large.toml", "the file has more than 1 MB; no settings are so long"),
        ("number.toml", "not valid TOML"),
    ]


VALUES = ["1e999", "-1", "nan", '"text"', "[]", "{}", "true", "0", "9" * 20, "1979-05-27", '"\\u0000"', "inf"]


def mutated(text: str, chance: random.Random) -> bytes:
    """Return a rule file with something wrong in it, perhaps."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 3)):
        n = chance.randrange(len(lines))
        if chance.random() < 0.3:
            lines = moved(lines, n, chance) or ["\n"]
        else:
            lines[n] = other_line(lines[n], chance)
    content = bytearray("".join(lines).encode())
    match chance.randrange(6):
        case 0 if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
        case 1:
            del content[chance.randrange(len(content) + 1) :]
        case 2:
            content[:0] = b"\xef\xbb\xbf"
    return bytes(content)


def moved(lines: list[str], n: int, chance: random.Random) -> list[str]:
    """Return the lines with one dropped, doubled or put elsewhere."""
    match chance.randrange(3):
        case 0:
            return [*lines[:n], *lines[n + 1 :]]
        case 1:
            return [*lines[:n], chance.choice(lines), *lines[n:]]
    return [*lines[:n], *lines[n + 1 :], lines[n]]


def other_line(line: str, chance: random.Random) -> str:
    match chance.randrange(6):
        case 0:
            return re.sub(r"= .*", lambda _: f"= {chance.choice(VALUES)}", line, count=1)
        case 1:
            return re.sub(r"[0-9.]+", lambda _: chance.choice(VALUES), line, count=1)
        case 2:
            return re.sub(r"\w+", lambda word: word[0][::-1], line, count=1)
        case 3:
            return line.replace("{", "{ any = [{ all = [{", 1)
        case 4:
            return line.replace("\n", "\r\n")
    return f"{line[: chance.randrange(len(line) + 1)]}\n"


def withstands(service: Service, folder: Path, count: int, seed: int) -> int:
    """Read mutated files, one by one beside a good one; return how many had faults."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(shipped("rules").glob("*.toml"))]
    texts += [path.read_text(encoding="utf-8") for path in BAD] + [RULES]
    (folder / "a_good.toml").write_text(f"{HEAD}yellow = {{ surprise = 3 }}\n", encoding="utf-8")
    chance, refused = random.Random(seed), 0
    for _ in range(count):
        (folder / "mutant.toml").write_bytes(mutated(chance.choice(texts), chance))
        rules, errors = read_rules(folder, service.city)  # nothing else may be raised
        refused += bool(errors)
        assert "ss_po.tried" in {rule.id for rule in rules.rules}
        for error in errors:
            assert "Traceback" not in error.framed()
            assert error.faults
        if not errors:
            lints(replace(service, rules=rules), folder)
    return refused


def test_two_thousand_mutated_files_are_read_or_refused(service: Service, tmp_path: Path) -> None:
    assert 1000 < withstands(service, tmp_path, 2000, seed=5) < 2000


@pytest.mark.soak
def test_ten_thousand_mutated_files_are_read_or_refused(service: Service, tmp_path: Path) -> None:
    assert 5000 < withstands(service, tmp_path, 10_000, seed=6) < 10_000
