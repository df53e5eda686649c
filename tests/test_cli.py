"""The command line: what a person types, and what is answered."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, SATURDAY, at, deliver, lay, raised, set_clock, usual
from rich.cells import cell_len
from typer.testing import CliRunner

from warning import pipeline, screen
from warning.cli import app
from warning.errors import KapokError
from warning.jobs import take_in
from warning.model import FileAccount, Level
from warning.service import open_service
from warning.situation import Coverage
from warning.store import alert as alerts_of
from warning.store import outbox

ALERT = "LC-20261120-0001"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    text: str
    code: int


@dataclass(frozen=True)
class Desk:
    """A deployment and somebody who types commands about it."""

    folder: Path

    def types(self, command: str, *words: str) -> Answer:
        """Run a command as ``kapok`` would, in this process."""
        result = CliRunner().invoke(app, [command, *words, "--config", str(self.folder / "config.toml")])
        if isinstance(result.exception, KapokError):
            return Answer(str(result.exception), 2)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Answer(result.output, result.exit_code)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A centre on Saturday morning: Friday is in, and judged; thefts in the east are red."""
    folder = tmp_path_factory.mktemp("centre")
    lay(folder)
    deliver(folder, "2026-11-20.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
    set_clock(folder, at(SATURDAY, "07:30"))
    desk = Desk(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        assert desk.types("import").code == 0
        assert desk.types("sweep").code == 0
        yield desk


def test_help_names_every_command_and_answers_without_the_heavy_libraries() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "warning", "--help"]

    answer = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)

    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    named = re.findall(r"^  ([a-z]+) ", answer.stdout, re.MULTILINE)
    assert named == [
        *(
            "init",
            "check",
            "doctor",
            "import",
            "sweep",
            "send",
            "status",
            "alerts",
            "show",
            "narrative",
            "briefing",
            "simulate",
            "serve",
            "demo",
            "verdict",
            "replay",
            "feed",
            "quarantine",
            "rules",
        )
    ]
    assert "typer" in imported
    assert not imported & {"numpy", "pandas", "scipy", "matplotlib", "fastapi", "sqlite_utils", "pydantic", "jinja2"}


def test_a_day_that_was_judged_is_judged_again_without_a_change(desk: Desk) -> None:
    before = desk.types("status").text

    again = desk.types("sweep")

    assert "变化 0 项，邮件 0 封，文字 0 篇" in again.text
    assert "0 event(s), 0 message(s), 0 text(s)" in again.text
    assert desk.types("status").text == before


def test_sweeping_twice_tells_nobody_twice(tmp_path: Path) -> None:
    config = lay(tmp_path)
    deliver(tmp_path, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
    now = at(SATURDAY, "07:30")
    with open_service(config) as service:
        take_in(service, now)
        first = pipeline.sweep(service, FRIDAY, now=now)
        told, known = outbox.account(service.store), alerts_of.alerts(service.store)

        second = pipeline.sweep(service, FRIDAY, now=now + timedelta(hours=30))  # when deadlines are past

        assert (len(first.events), first.messages) == (1, 2)
        assert (second.events, second.messages, second.documents) == ((), 0, 0)
        assert second.coverages == first.coverages
        assert outbox.account(service.store) == told
        assert alerts_of.alerts(service.store) == known


def test_importing_again_reads_nothing_again(desk: Desk) -> None:
    answer = desk.types("import")

    assert answer == Answer("文件 Files: 无 none\n", 0)


def test_status_shows_the_day_the_colours_the_alerts_the_files_and_the_outbox(desk: Desk) -> None:
    text = desk.types("status").text

    assert "数据日期 data date 2026-11-20" in text
    assert re.search(r"东区 +■红色 +4 +0", text)
    assert re.search(r"西区 +正常 +4 +0", text)
    assert re.search(rf"{ALERT} +■红色 +东区 +盗窃警情数 +2026-11-20 +待签收", text)
    assert re.search(r"2026-11-20\.csv +6 +6 +0 +0 +0 +0", text)
    assert "写成 2 written = 已发 0 sent + 待发 2 pending + 失败 0 failed" in text


def test_an_alert_is_shown_with_its_evidence_and_history(desk: Desk) -> None:
    text = desk.types("show", ALERT).text

    assert re.search(r"ss_po\.surge +2026-11-20 +\d+\.0", text)
    assert re.search(r"2026-11-20 +2026-11-21 07:30 +新出现 +正常 +■红色", text)


@pytest.mark.parametrize("name", ["东区", "0101", "East District"])
def test_a_narrative_is_asked_for_by_name_or_code(desk: Desk, name: str) -> None:
    assert desk.types("narrative", name).text.startswith("东区风险研判（2026年11月20日）")


def test_without_a_place_the_narrative_is_the_citys(desk: Desk) -> None:
    assert desk.types("narrative").text.startswith("小城风险研判")


def test_a_briefing_is_written_for_the_week_named(desk: Desk) -> None:
    answer = desk.types("briefing", "--date", "2026-11-09")

    assert answer.code == 0
    assert (desk.folder / "documents" / "briefing-2026-11-09-01.html").is_file()


@pytest.mark.parametrize(
    ("typed", "answered"),
    [
        pytest.param(
            "show LC-20261120-1",
            "LC-20261120-1: 没有这条风险提示 / there is no such alert; did you mean 'LC-20261120-0001'?",
            id="alert",
        ),
        pytest.param(
            "show 7",
            "7: 没有这条风险提示 / there is no such alert; the last ones: LC-20261120-0001",
            id="an-alert-like-no-other",
        ),
        pytest.param("narrative 东曲", "东曲: 没有这个地区 / there is no such place; did you mean '东区'?", id="place"),
        pytest.param(
            "narrative 0103",
            "0103: 没有这个地区 / there is no such place; did you mean '0102' or '0101' or '01'?",
            id="code",
        ),
        pytest.param(
            "narrative 广州",
            "广州: 没有这个地区 / there is no such place; known: 小城、东区、西区, and those below",
            id="elsewhere",
        ),
        pytest.param(
            "narrative --date 2026-11-01",
            "01: 这一天没有研判 / there is no narrative of 2026-11-01, the last is of 2026-11-20",
            id="a-day-not-judged",
        ),
        pytest.param(
            "narrative --date 2026-11-21",
            "01: 这一天没有研判 / there is no narrative of 2026-11-21, the last is of 2026-11-20;"
            " `kapok sweep --date 2026-11-21` writes it",
            id="a-day-not-judged-yet",
        ),
        pytest.param(
            "sweep --date 2026/11/20",
            "--date: '2026/11/20' is not a date; did you mean 2026-11-20?",
            id="a-date-with-slashes",
        ),
        pytest.param(
            "sweep --date 2026-11-31", "--date: '2026-11-31' is not a date; write e.g. 2026-11-22", id="no-such-day"
        ),
        pytest.param(
            "sweep --date 2026-11-21",
            "--date: 2026-11-21 is not over yet; the last complete day is 2026-11-20",
            id="a-day-to-come",
        ),
        pytest.param(
            "sweep --date 2026-11-19",
            "--date: 2026-11-19 lies before 2026-11-20, which was swept: later days were judged;"
            " what came late is taken up by the next sweep",
            id="a-day-before-the-last-swept-one",
        ),
        pytest.param(
            "briefing --date 2026-11-11",
            "--date: 2026-11-11 is not a Monday; that week's is 2026-11-09",
            id="no-monday",
        ),
        pytest.param(
            "briefing --date 2026-11-16",
            "--date: the week of 2026-11-16 is not over yet; the last full week began on 2026-11-09",
            id="a-week-to-come",
        ),
    ],
)
def test_what_is_unknown_is_answered_with_what_is_near(desk: Desk, typed: str, answered: str) -> None:
    answer = desk.types(*typed.split())

    assert re.sub(r": 1 problem\(s\)\n +", ": ", answer.text) == answered
    assert answer.code == 2


@pytest.mark.parametrize("command", ["status", "sweep", f"show {ALERT}"])
def test_no_line_is_wider_than_a_terminal_and_no_number_is_broken(desk: Desk, command: str) -> None:
    text = desk.types(*command.split()).text

    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert command == "sweep" or ALERT in text


@pytest.mark.parametrize("command", ["import", "sweep", "status", "briefing"])
def test_where_nobody_watches_no_bar_is_drawn(desk: Desk, command: str) -> None:
    text = desk.types(command).text

    assert not re.search(r"\x1b|━|0:00:0", text)


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        pytest.param("friday.csv", "rows  accepted  unchanged  quarantined  late  corrected", id="both-languages"),
        pytest.param("history-2024-07-corrected-again.csv", "行    采用  未变  隔离  迟报  更正", id="chinese-alone"),
    ],
)
def test_a_long_file_name_stays_on_one_line(
    desk: Desk, capsys: pytest.CaptureFixture[str], name: str, heads: str
) -> None:
    screen.show_accounts([FileAccount(name=name, rows=500_000, accepted=499_999, unchanged=1)])

    lines = capsys.readouterr().out.splitlines()
    assert any(re.search(rf" {name} +500000 +499999 +1 +0 +0 +0", line) for line in lines)
    assert any(heads.split() == line.split()[-6:] for line in lines)


def test_a_file_that_was_refused_is_named_with_the_reason(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_accounts([FileAccount(name="a.csv", error="a.csv: byte 3 is not UTF-8; save it as [CSV UTF-8]")])

    assert "refused: a.csv: byte 3 is not UTF-8; save it as [CSV UTF-8]" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["[/x]", "[red]东区", "东区[1]"])
def test_brackets_in_a_name_are_printed_as_they_are(desk: Desk, capsys: pytest.CaptureFixture[str], name: str) -> None:
    with open_service(desk.folder / "config.toml") as service:
        places = {code: replace(place, name_zh=name) for code, place in service.city.places.items()}
        (alert,) = alerts_of.live(service.store)
        (opened,) = alerts_of.events(service.store, ALERT)
        named = replace(service.city, places=places)

    screen.show_colours({EAST: Coverage(EAST, FRIDAY, 4, 0, Level.CALM)}, named)
    screen.show_alerts([alert], named)
    screen.show_evidence(alert, {"ss_po.surge": name}, {"ss_po.surge": "rules/public_order.toml"})
    screen.show_events([replace(opened, note=name)], service.config.zone)
    screen.say(name)

    assert capsys.readouterr().out.count(name) == 6  # a rule's name twice: in the table, and beside its file


def test_a_deployment_laid_by_init_passes_the_check(tmp_path: Path) -> None:
    folder = tmp_path / "centre"

    laid = CliRunner().invoke(app, ["init", str(folder)])
    checked = CliRunner().invoke(app, ["check", "--config", str(folder / "config.toml")])

    assert laid.exit_code == checked.exit_code == 0
    assert f"{folder / 'config.toml'}：无误 / ok" in checked.output
    assert "一级 5、二级 29、三级 132，逆向 63、正向 69" in checked.output


def test_a_broken_template_fails_the_check_with_file_and_line(tmp_path: Path) -> None:
    config = lay(tmp_path)
    own = tmp_path / "templates" / "mail" / "alert.zh.txt.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ recipient }}\n{% if page %}\n", encoding="utf-8")

    answer = Desk(config.parent).types("check")

    assert answer.code == 2
    assert f"{own}: line 2: " in answer.text


def test_check_in_an_empty_folder_checks_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    checked = CliRunner().invoke(app, ["check"])

    assert checked.exit_code == 0
    assert "judge 484 series" in checked.output
    assert list(tmp_path.iterdir()) == []


def test_simulate_writes_files_the_service_can_read_and_their_answers(tmp_path: Path, desk: Desk) -> None:
    words = [str(tmp_path / "feeds"), "--days", "60", "--streets-of", "", "--shocks", "2", "--first", "2026-01-05"]

    answer = desk.types("simulate", *words)

    assert answer.code == 0, answer.text
    assert (tmp_path / "feeds" / "answers" / "labels.csv").is_file()
    assert list((tmp_path / "feeds").glob("*.csv"))
