"""What is missing or broken is named, with what to do; exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from little_city import CONFIG, EAST, FRIDAY, SATURDAY, at, deliver, lay, set_clock, usual

from warning.__main__ import main
from warning.store import open_store


def kapok(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """Run ``kapok`` in this process; return the exit code and what it said on stderr."""
    monkeypatch.setattr(sys, "argv", ["kapok", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0), capsys.readouterr().err


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything in a folder, by name; what SQLite keeps beside a database left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    }


def _newer(folder: Path) -> None:
    open_store(folder / "kapok.db").close()
    with closing(sqlite3.connect(folder / "kapok.db", isolation_level=None)) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kapok', 'm999_later', '')"
        )


def _anothers(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "kapok.db", isolation_level=None)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")


def setting(old: str, new: str) -> Callable[[Path], object]:
    """Change one line of the configuration."""
    assert old in CONFIG
    return lambda folder: (folder / "config.toml").write_text(CONFIG.replace(old, new), encoding="utf-8")


def text(name: str, content: str) -> Callable[[Path], object]:
    """Write one file of the deployment anew."""
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize("command", ["status", "import", "sweep", "narrative", "briefing", "serve", "check"])
def test_without_a_configuration_every_command_says_where_it_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    missing = tmp_path / "config.toml"

    code, said = kapok(capsys, monkeypatch, command, "--config", str(missing))

    assert code == 2
    assert said.startswith(f"{missing}：有 1 处错误 / 1 problem(s)\n  the file is missing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "spoil", "said"),
    [
        pytest.param(
            "status",
            text("config.toml", "[web]\nprot = 1\n"),
            "{folder}/config.toml：有 1 处错误 / 1 problem(s)\n  web.prot is not a setting; did you mean 'port'?\n",
            id="config",
        ),
        pytest.param(
            "check",
            lambda folder: shutil.rmtree(folder / "city"),
            "{folder}/city：有 1 处错误 / 1 problem(s)\n  the folder is missing\n",
            id="no-city",
        ),
        pytest.param(
            "check",
            text("city/places.csv", "code,name_zh\n01,小城\n"),
            "{folder}/city/places.csv：有 3 处错误 / 3 problem(s)\n"
            "  row 1: the column 'name_en' is missing; found: code, name_zh\n",
            id="city",
        ),
        pytest.param(
            "check",
            text("city/calendar.toml", "anounced_through = 2026\n"),
            "anounced_through is not a setting; did you mean 'announced_through'?",
            id="calendar",
        ),
        pytest.param(
            "sweep",
            text("rules/police.toml", "area = 3\n"),
            "{folder}/rules/police.toml：有 1 处错误 / 1 problem(s)\n"
            "  第 1 行 line 1: area: expected a text in quotation marks, found 3\n",
            id="rule",
        ),
        pytest.param(
            "check",
            lambda folder: (folder / "rules" / "police.toml").unlink(),
            "{folder}/rules：有 1 处错误 / 1 problem(s)\n"
            "  the folder has no rule files (*.toml); copy the shipped ones with `kapok init`\n",
            id="no-rules",
        ),
        pytest.param(
            "check",
            setting('sweep = { at = "30 7 * * *" }', 'sweep = { at = "30 25 * * *" }'),
            "{folder}/config.toml：有 1 处错误 / 1 problem(s)\n  schedule.sweep.at: "
            "'30 25 * * *' is not a cron expression: ",
            id="schedule",
        ),
        pytest.param(
            "serve",
            setting("30 8 * * mon", "30 8 * * 1"),
            "schedule.briefing.at: '30 8 * * 1' gives a weekday by number; write mon, tue, wed, thu, fri, sat, sun\n",
            id="weekday-by-number",
        ),
        pytest.param(
            "check",
            setting("30 8 * * mon", "30 8 30 2 *"),
            "schedule.briefing.at: '30 8 30 2 *' never comes\n",
            id="the-30th-of-february",
        ),
        pytest.param(
            "check",
            setting("[web]", '[mail]\nchannel = "smtp"\nsmtp = { user = "kapok" }\n[web]'),
            "environment：有 1 处错误 / 1 problem(s)\n  mail.smtp.user is set,"
            " so KAPOK_SMTP_PASSWORD or KAPOK_SMTP_PASSWORD_FILE",
            id="secret",
        ),
        pytest.param(
            "status", text("kapok.db", "Dear diary"), "{folder}/kapok.db: the file is not a database;", id="a-text"
        ),
        pytest.param("status", _newer, "{folder}/kapok.db: made by a newer version of Kapok Watch", id="newer"),
        pytest.param("serve", _anothers, "{folder}/kapok.db: is the database of another program", id="anothers"),
        pytest.param(
            "import",
            setting('database = "kapok.db"', 'database = "config.toml/kapok.db"'),
            "{folder}/config.toml/kapok.db: ",
            id="database-below-a-file",
        ),
        pytest.param(
            "import",
            setting('database = "kapok.db"', 'database = "/proc/kapok.db"'),
            "/proc/kapok.db: it cannot be opened; check that it is a file and that the service's user may write its",
            id="database-in-a-folder-nobody-may-write",
        ),
        pytest.param(
            "import",
            setting('feeds = "feeds"', 'feeds = "config.toml/feeds"'),
            "{folder}/config.toml/feeds: 目录建不成 / the folder cannot be made: Not a directory; correct paths.feeds",
            id="feeds-below-a-file",
        ),
        pytest.param(
            "briefing",
            setting('documents = "documents"', 'documents = "config.toml/documents"'),
            "{folder}/config.toml/documents: Not a directory\n",
            id="documents-below-a-file",
        ),
        pytest.param(
            "serve",
            lambda folder: (folder / "clock").unlink(),
            "{folder}/clock：有 1 处错误 / 1 problem(s)\n  clock.file cannot be read: No such file or directory\n",
            id="clock",
        ),
    ],
)
def test_the_file_and_the_key_are_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    spoil: Callable[[Path], object],
    said: str,
) -> None:
    config = lay(tmp_path, history=False)
    spoil(tmp_path)
    before = tree(tmp_path)

    code, answer = kapok(capsys, monkeypatch, command, "--config", str(config))

    assert said.format(folder=tmp_path) in answer
    assert code == 2
    assert "Traceback" not in answer
    assert {name: content for name, content in tree(tmp_path).items() if name != "kapok.db"} == {
        name: content for name, content in before.items() if name != "kapok.db"
    }


def test_check_lists_the_faults_of_every_file_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lay(
        tmp_path,
        history=False,
        config=CONFIG.replace("[paths]", "[paths]\ntemplates = 'own'").replace("[web]", "[wbe]"),
    )
    (tmp_path / "city" / "duty.toml").write_text("[[officier]]\n", encoding="utf-8")
    (tmp_path / "city" / "calendar.toml").write_text("[", encoding="utf-8")
    (tmp_path / "rules" / "police.toml").write_text('area = "ss_pq"\n', encoding="utf-8")
    (tmp_path / "own" / "mail").mkdir(parents=True)
    (tmp_path / "own" / "mail" / "alert.subject.zh.txt.j2").write_text("{{ ", encoding="utf-8")

    _, answer = kapok(capsys, monkeypatch, "check", "--config", str(config))

    assert [line.replace(str(tmp_path), "") for line in answer.splitlines()] == [
        "/config.toml：有 1 处错误 / 1 problem(s)",
        "  wbe is not a setting; did you mean 'web'?",
        "/city/duty.toml：有 2 处错误 / 2 problem(s)",
        "  officer is missing",
        "  officier is not a setting; did you mean 'officer'?",
        "/city/calendar.toml：有 1 处错误 / 1 problem(s)",
        "  not valid TOML: Invalid initial character for a key part (at end of document)",
        "/rules/police.toml：有 1 处错误 / 1 problem(s)",
        "  第 1 行 line 1: area 'ss_pq' is not a level-2 area; did you mean 'ss_po'?",
        "templates：有 1 处错误 / 1 problem(s)",
        "  /own/mail/alert.subject.zh.txt.j2: line 1: unexpected 'end of template'",
    ]


@pytest.mark.parametrize(
    ("misspelt", "said"),
    [
        pytest.param("[wbe]\nport = 0\n", "wbe is not a setting; did you mean 'web'?", id="section"),
        pytest.param("[web]\nprot = 0\n", "web.prot is not a setting; did you mean 'port'?", id="another-section"),
        pytest.param(
            "[web]\nport = 0\n[schedule.sweap]\nat = '30 7 * * *'\n",
            "schedule.sweap is not a setting; did you mean 'sweep'?",
            id="the-same-section",
        ),
        pytest.param(
            "[web]\nport = 0\n[schedule.daily_mail]\nta = '0 8 * * *'\n",
            "schedule.daily_mail.ta is not a setting; known: at, limit",
            id="another-job",
        ),
    ],
)
def test_a_misspelt_key_hides_no_cron_expression_that_means_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, misspelt: str, said: str
) -> None:
    bad = CONFIG.replace("30 7 * * *", "30 25 * * *").replace('daily_mail = { at = "0 8 * * *" }\n', "")
    config = lay(tmp_path, history=False, config=bad.replace("[web]\nport = 0\n", misspelt))

    code, answer = kapok(capsys, monkeypatch, "check", "--config", str(config))

    assert code == 2
    assert said in answer
    assert "schedule.sweep.at: '30 25 * * *' is not a cron expression: " in answer


def test_a_page_that_cannot_be_compiled_hides_no_mail_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lay(tmp_path, history=False)
    for name, content in (("web/health.html.j2", "{% if %}"), ("mail/notice.zh.txt.j2", "{{ titel }}")):
        own = tmp_path / "templates" / name
        own.parent.mkdir(parents=True)
        own.write_text(content, encoding="utf-8")

    _, answer = kapok(capsys, monkeypatch, "check", "--config", str(config))

    assert f"{tmp_path}/templates/web/health.html.j2: line 1: " in answer
    assert f"{tmp_path}/templates/mail/notice.zh.txt.j2: line 1: 'titel' is undefined" in answer


def test_a_text_that_cannot_be_compiled_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lay(tmp_path, history=False)
    own = tmp_path / "templates" / "mail" / "notice.zh.txt.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ ", encoding="utf-8")

    _, answer = kapok(capsys, monkeypatch, "check", "--config", str(config))

    assert [line for line in answer.splitlines() if str(own) in line] == [
        f"  {own}: line 1: unexpected 'end of template'"
    ]


def test_rules_are_checked_also_where_the_city_has_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lay(tmp_path, history=False)
    (tmp_path / "city" / "city.toml").unlink()
    rule = tmp_path / "rules" / "police.toml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("lower_after = ", "lower_afterr = "), encoding="utf-8")

    _, answer = kapok(capsys, monkeypatch, "check", "--config", str(config))

    assert f"{tmp_path}/city/city.toml：有 1 处错误 / 1 problem(s)\n  the file is missing\n" in answer
    assert f"{rule}：有 1 处错误 / 1 problem(s)\n" in answer
    assert "lower_afterr is not a setting; did you mean 'lower_after'?" in answer


def test_a_feed_file_nobody_can_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    config = lay(tmp_path)
    deliver(tmp_path, "a.csv", usual(FRIDAY), extra="备注,,,\n", encoding="gbk")
    deliver(tmp_path, "b.csv", usual(FRIDAY), extra=f"thefts,{EAST},{FRIDAY},many\n")
    set_clock(tmp_path, at(SATURDAY, "07:00"))

    answer = run("import", "--config", str(config))

    assert "refused: a.csv: 不是 UTF-8 编码" in answer.stdout
    assert "b.csv" in answer.stdout
    assert (answer.returncode, answer.stderr) == (2, "")
    with closing(sqlite3.connect(tmp_path / "kapok.db")) as database:
        read = database.execute("SELECT name, rows, accepted, quarantined FROM feed_file ORDER BY name").fetchall()
    assert read == [("b.csv", 7, 6, 1), ("history.csv", 3148, 3148, 0)]


def test_a_busy_port_is_named_before_a_job_has_run(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        config = lay(tmp_path, config=CONFIG.replace("port = 0", f"port = {port}"))

        answer = run("serve", "--config", str(config))

    assert answer.returncode == 2
    assert f"web.port: {port} on 127.0.0.1 is in use by another program; stop it, or give another port" in answer.stderr
    assert "Traceback" not in answer.stderr
    with closing(sqlite3.connect(tmp_path / "kapok.db")) as database:
        assert database.execute("SELECT count(*) FROM run").fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        pytest.param(["swep"], "没有命令“swep”；是否应为“sweep”？", "No such command 'swep'", id="command"),
        pytest.param(["feed", "xx"], "没有命令“xx”", "No such command 'xx'", id="command-like-no-other"),
        pytest.param(
            ["sweep", "--dat", "x"], "没有选项 --dat；是否应为 --date？", "No such option: --dat", id="option"
        ),
        pytest.param(["sweep", "--xx"], "没有选项 --xx", "No such option: --xx", id="option-like-no-other"),
        pytest.param(["show"], "少写了 ALERT", "Missing argument 'ALERT'", id="argument"),
        pytest.param(["feed", "add", "a.csv"], "少写了选项 --name", "Missing option '--name'", id="an-option-it-needs"),
        pytest.param(["sweep", "x"], "多写了“x”", "Got unexpected extra argument", id="one-too-many"),
        pytest.param(["sweep", "--date"], "选项 --date 后面须写一个值", "requires an argument", id="without-value"),
        pytest.param(
            ["simulate", "x", "--days", "many"], "--days 的值不对", "Invalid value for '--days'", id="no-number"
        ),
        pytest.param(["simulate", "x", "--seed", "-1"], "--seed 的值不对", "Invalid value for '--seed'", id="negative"),
    ],
)
def test_a_slip_of_the_finger_is_answered_in_a_few_lines_chinese_first(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    chinese: str,
    english: str,
) -> None:
    code, answer = kapok(capsys, monkeypatch, *words)

    assert code == 2
    assert answer.startswith(f"命令有误 / mistyped\n  {chinese} / ")
    assert english in answer
    assert len(answer.splitlines()) <= 5


def test_init_leaves_a_deployment_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, history=False)
    before = tree(tmp_path)

    code, answer = kapok(capsys, monkeypatch, "init", str(tmp_path))

    assert code == 2
    assert answer.splitlines() == [
        f"{tmp_path}：有 3 处错误 / 3 problem(s)",
        *(f"  {name} is there already; choose an empty folder" for name in ("config.toml", "city", "rules")),
    ]
    assert tree(tmp_path) == before


def test_init_below_a_file_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()

    code, answer = kapok(capsys, monkeypatch, "init", str(tmp_path / "file" / "centre"))

    assert (code, answer) == (
        2,
        f"{tmp_path}/file/centre：有 1 处错误 / 1 problem(s)\n  cannot be written: Not a directory\n",
    )


def test_a_demo_does_not_replace_what_is_no_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letters.txt").touch()

    code, answer = kapok(capsys, monkeypatch, "demo", "--once", "--folder", str(tmp_path))

    assert (code, answer.splitlines()[1:]) == (
        2,
        ["  is not empty and is not an earlier demo; name another with --folder"],
    )
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_terminal_that_knows_no_chinese_shows_question_marks(tmp_path: Path) -> None:
    config = lay(tmp_path)
    run("import", "--config", str(config))
    command = [sys.executable, "-m", "warning", "status", "--config", str(config)]

    answer = subprocess.run(command, capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=True)

    assert b"history.csv" in answer.stdout
    assert b"?" in answer.stdout


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m warning`` as a process."""
    command = [sys.executable, "-m", "warning", *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
