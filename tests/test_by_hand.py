"""What a person does by hand where no daemon runs: send, look, and ask why a row was not used."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from little_city import EAST, FRIDAY, SATURDAY, SUNDAY, at, deliver, lay, raised, set_clock, usual
from typer.testing import CliRunner

from warning.__main__ import main
from warning.cli import app
from warning.errors import KapokError, NoDatabase, StoreError
from warning.service import open_service
from warning.store import alone, open_store, open_to_read, run

ALERT = "LC-20261120-0001"
UNUSABLE = "thefts,0101,2026-11-20,-3\nthefts,0102,2026-11-20,many\nthefts,0199,2026-11-20,4\nfires,0101,2026-11-20,\n"
NOBODY = 65534


def types(folder: Path, *words: str) -> tuple[int, str]:
    """Run a command about a deployment; return the exit code and what was printed."""
    result = CliRunner().invoke(app, [*words, "--config", str(folder / "config.toml")], env={"COLUMNS": "100"})
    if isinstance(result.exception, KapokError):
        return 2, result.exception.framed()
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A centre on Saturday morning: thefts in the east are red since Friday, nothing was sent yet."""
    lay(tmp_path)
    deliver(tmp_path, "friday.csv", raised(usual(FRIDAY), "thefts", EAST, 36))
    set_clock(tmp_path, at(SATURDAY, "07:30"))
    assert types(tmp_path, "import")[0] == 0
    assert "发件箱中 2 封待发：kapok send" in types(tmp_path, "sweep")[1]
    return tmp_path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user without rights; root may write what is read-only."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def archive() -> Iterator[Path]:
    """A folder anybody may look into and nobody may write, with a database in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(folder / "kapok.db")
        with store.write():
            run.notice(store, at(SATURDAY, "07:30"), "feeds", "kept")
        store.close()
        (folder / "kapok.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def test_what_waits_is_sent_once_by_hand(centre: Path) -> None:
    first = types(centre, "send")
    again = types(centre, "send")

    assert first[0] == again[0] == 0
    assert "已发 sent 2，被拒 refused 0" in first[1]
    assert "已发 sent 0，被拒 refused 0" in again[1]
    assert len(list((centre / "mail" / "new").iterdir())) == 2


def test_a_refusal_is_named_and_makes_the_exit_code_two(centre: Path) -> None:
    (centre / "mail").write_text("no folder", encoding="utf-8")

    code, said = types(centre, "send")

    assert code == 2
    assert "已发 sent 0，被拒 refused 2" in said
    assert "被拒 refused officer@example.invalid: " in said
    assert "待发 2 pending" in said


def test_beside_a_service_that_sends_nothing_is_sent_by_hand(centre: Path) -> None:
    with alone(centre / "kapok.db"):  # as `kapok serve` has it throughout
        code, said = types(centre, "send")

    assert code == 2
    assert said.endswith(
        f"{centre / 'kapok.db'}: a `kapok serve` runs its jobs, the sending included; stop that one first"
    )
    assert not (centre / "mail").exists()
    assert "已发 sent 2" in types(centre, "send")[1]


@pytest.mark.parametrize("words", [("show", ALERT), ("narrative",), ("alerts",), ("quarantine",), ("status",)])
def test_what_only_reads_makes_no_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    lay(tmp_path)

    code, said = types(tmp_path, *words)

    assert code == 2
    assert f"还没有数据库：{tmp_path / 'kapok.db'}；`kapok import` 或 `kapok sweep` 会建立它" in said
    assert f"there is no database yet at {tmp_path / 'kapok.db'}" in said
    assert not (tmp_path / "kapok.db").exists()


def test_status_right_after_a_clone_says_what_is_there_and_what_to_do(tmp_path: Path) -> None:
    example = tmp_path / "examples" / "dengue"
    shutil.copytree(Path(__file__).parent.parent / "examples" / "dengue", example)

    code, said = types(example, "status")

    assert code == 2
    assert said.startswith("高雄市与台南市：部署已就绪，还没有读入数据")
    assert "`kapok import` or `kapok sweep` makes it (after `mkdir -p " in said
    assert not (tmp_path / "var").exists()


def test_a_database_in_a_folder_nobody_may_write_can_be_read(archive: Path) -> None:
    with as_nobody():
        store = open_to_read(archive / "kapok.db")
        kept = [notice.text for notice in run.notices(store, at(FRIDAY, "07:30"))]
        store.close()

    assert kept == ["kept"]
    assert [path.name for path in archive.iterdir()] == ["kapok.db"]


def test_a_database_nobody_may_write_is_not_written(archive: Path) -> None:
    with as_nobody():
        store = open_to_read(archive / "kapok.db")
        with pytest.raises(StoreError, match="it may be read but not written"), store.write():
            run.notice(store, at(SATURDAY, "07:30"), "feeds", "news")
        store.close()


def test_without_a_database_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase, match=r"after `mkdir -p .*/nowhere`"):
        open_to_read(tmp_path / "nowhere" / "kapok.db")


def test_import_says_of_each_file_which_rows_were_put_aside_and_why(tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    deliver(tmp_path, "bad.csv", usual(FRIDAY)[2:4], extra=UNUSABLE)
    set_clock(tmp_path, at(SATURDAY, "07:30"))

    code, said = types(tmp_path, "import")

    assert code == 0
    assert "bad.csv：隔离 4 行 / 4 row(s) quarantined" in said
    assert "第 4 行，value='-3'：" in said
    assert said.count("  第 ") == 3
    assert "全部 all: kapok quarantine --file bad.csv" in said
    assert "bad.csv：隔离 4 行" in types(tmp_path, "status")[1]


def test_quarantine_lists_rows_with_their_reasons(tmp_path: Path) -> None:
    lay(tmp_path, history=False)
    deliver(tmp_path, "bad.csv", usual(FRIDAY)[2:4], extra=UNUSABLE)
    deliver(tmp_path, "worse.csv", [], extra="thefts,0101,2026-11-19,none\n")
    set_clock(tmp_path, at(SATURDAY, "07:30"))
    types(tmp_path, "import")

    every, one = types(tmp_path, "quarantine")[1], types(tmp_path, "quarantine", "--file", "bad.csv")[1]
    short = types(tmp_path, "quarantine", "--limit", "1")[1]
    near = types(tmp_path, "quarantine", "--file", "bed.csv")

    assert re.search(r"worse\.csv +2 +value +none", every)
    assert re.search(r"^ +1-5 +5 +value +many ", one, re.MULTILINE)
    assert "worse.csv" not in one
    assert "共隔离 5 行，以上 1 行" in short
    assert near[0] == 2
    assert "did you mean 'bad.csv'?" in near[1]


def test_a_deadline_that_is_past_is_called_overdue(centre: Path) -> None:
    early = types(centre, "show", ALERT)[1]
    set_clock(centre, at(SATURDAY, "10:00"))
    late = types(centre, "show", ALERT)[1]

    assert re.search(r"签收 acknowledge +2026-11-21 08:00 +未到期 not due yet", early)
    assert "时限已过" not in early
    assert re.search(r"签收 acknowledge +2026-11-21 08:00 +时限已过 past", late)
    assert re.search(r"核实 verify +2026-11-21 09:30 +时限已过 past", late)
    assert re.search(r"反馈处置方案 give a plan +2026-11-22 07:30 +未到期 not due yet", late)
    assert "时限已过" in types(centre, "alerts")[1]
    assert "时限已过" in types(centre, "status")[1]


def test_below_a_narrative_stands_what_is_overdue_by_now(centre: Path) -> None:
    on_time = types(centre, "narrative", "东区")[1]
    set_clock(centre, at(SATURDAY, "10:00"))

    late = types(centre, "narrative", "东区")[1]

    assert late == f"{on_time}截至2026-11-21 10:00，{ALERT}时限已过：签收、核实。\n"
    assert types(centre, "narrative", "西区")[1].count("时限已过") == 0


def test_an_alert_names_the_file_of_its_rule(centre: Path) -> None:
    assert "规则 rule ss_po.surge 短期异常升高（rules/police.toml）" in types(centre, "show", ALERT)[1]


def test_alerts_that_ended_are_listed_on_demand(centre: Path) -> None:
    with open_service(centre / "config.toml") as service, service.store.write():
        service.store.change("UPDATE alert SET stage = 'closed', active = 0")

    live, every = types(centre, "alerts")[1], types(centre, "alerts", "--all")[1]

    assert ALERT not in live
    assert ALERT in every
    assert "未结束 live 0，已结束 ended 1，全部 all 1" in live


@pytest.mark.parametrize(
    ("name", "content", "heading"),
    [
        pytest.param(
            "kapok.db", "no database " * 400, "数据库无法使用 / the database cannot be used\n  ", id="database"
        ),
        pytest.param("rules/police.toml", "area = ", "{0}：有 1 处错误 / 1 problem(s)\n  ", id="configuration"),
    ],
)
def test_an_error_begins_with_chinese_words(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: str,
    heading: str,
) -> None:
    config = lay(tmp_path)
    (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["kapok", "status", "--config", str(config)])

    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(heading.format(tmp_path / name))


def test_a_day_that_is_past_is_read_without_what_is_overdue_now(centre: Path) -> None:
    deliver(centre, "saturday.csv", raised(usual(SATURDAY), "thefts", EAST, 36))
    set_clock(centre, at(SUNDAY, "07:30"))
    types(centre, "import")
    types(centre, "sweep")

    past = types(centre, "narrative", "东区", "--date", FRIDAY.isoformat())[1]

    assert "时限已过" not in past
