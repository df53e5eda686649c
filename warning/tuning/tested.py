"""How tests of rules went, printed: for people, for programs, and as JUnit's XML for a build server."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from warning import screen
from warning.errors import ConfigError
from warning.facts import LEVEL_ZH
from warning.tuning.proving import TestRun


def show(run: TestRun, form: str, *, strict: bool) -> None:
    """Print each test, what failed, and which levels of which rules fired in none."""
    if form == "json":
        screen.write(json.dumps(_document(run), ensure_ascii=False, indent=2))
        return
    for error in run.errors:
        screen.say(error.framed())
    for result in run.results:
        word = "未通过 FAILED" if result.faults else "通过 passed"
        screen.say(f"{word}  {result.test.file}: {result.test.name}")
        for fault in result.faults:
            screen.say(f"    {fault}")
    covered = run.covered()
    silent = [f"{rule} {LEVEL_ZH[level]}" for (rule, level), tests in covered.items() if not tests]
    if silent:
        screen.say(f"没有测试触发过 never fired in a test（{len(silent)}）：{'，'.join(silent)}")
    fired = len(covered) - len(silent)
    screen.say(
        f"测试 {len(run.results)} 项，未通过 {len(run.failed)} 项；规则等级 {len(covered)} 个，触发过 {fired} 个"
        f" / {len(run.results)} test(s), {len(run.failed)} failed; {fired} of {len(covered)} levels of rules fired"
        + ("；要求全部触发 / all must fire" if strict and silent else "")
    )


def code_of(run: TestRun, *, strict: bool) -> int:
    """Return the exit code: 2 where tests cannot be read, 1 where one failed (or, strictly, a level never fired)."""
    if run.errors:
        return 2
    return int(bool(run.failed) or (strict and not all(run.covered().values())))


def write_junit(run: TestRun, path: Path) -> None:
    """Write the results as JUnit's XML.

    Raises:
        ConfigError: if the file cannot be written.
    """
    suites = ElementTree.Element("testsuites")
    counts, failed = Counter(one.test.file for one in run.results), Counter(one.test.file for one in run.failed)
    for file, count in sorted(counts.items()):
        suite = ElementTree.SubElement(suites, "testsuite", name=file, tests=str(count), failures=str(failed[file]))
        for result in run.results:
            if result.test.file == file:
                case = ElementTree.SubElement(suite, "testcase", classname=file, name=result.test.name)
                if result.faults:
                    failure = ElementTree.SubElement(case, "failure", message=result.faults[0])
                    failure.text = "\n".join(result.faults)
    for error in run.errors:
        suite = ElementTree.SubElement(suites, "testsuite", name=error.where, tests="1", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname=error.where, name="read")
        ElementTree.SubElement(case, "error", message=error.faults[0]).text = "\n".join(error.faults)
    try:
        ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise ConfigError(str(path), [f"写不成 / cannot be written: {error.strerror}"]) from error


def _document(run: TestRun) -> dict[str, Any]:
    return {
        "tests": [
            {
                "file": one.test.file,
                "line": one.test.line,
                "name": one.test.name,
                "passed": not one.faults,
                "faults": list(one.faults),
            }
            for one in run.results
        ],
        "errors": [{"file": error.where, "faults": list(error.faults)} for error in run.errors],
        "coverage": [
            {"rule": rule, "level": level.name.lower(), "tests": tests}
            for (rule, level), tests in run.covered().items()
        ],
    }
