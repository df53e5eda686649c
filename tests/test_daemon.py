"""``kapok serve`` as a process: three days lived through, killed, stopped, late and in a hurry."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_city import (
    CONFIG,
    EAST,
    FRIDAY,
    MONDAY,
    RULES,
    SATURDAY,
    SUNDAY,
    WEST,
    at,
    deliver,
    lay,
    past,
    raised,
    set_clock,
    usual,
    without,
)

from warning.config import Job
from warning.jobs import JOBS, Task
from warning.schedule import KEPT, Stopped, due, trigger
from warning.service import open_service
from warning.store import open_store, run
from warning.store.encoding import text_of

PATIENCE = 60.0  # seconds any one line may take
OWN_TIMES = ("run", "_sqlite_migrations")  # tables that tell of running only; all others must agree to the byte
OWN_STAMPS = ("stamp", "checksum", "past_checksum")  # drawn anew whenever a day is written, and sums over them


class Daemon:
    """``kapok serve``, started as often as need be, and all it has said."""

    def __init__(self, config: Path) -> None:
        self.said: list[str] = []
        self._command = [sys.executable, "-m", "warning", "serve", "--config", str(config)]
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is not None:
            return
        self._process = process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )

        def listen() -> None:
            assert process.stdout is not None
            with process.stdout:
                for line in process.stdout:
                    self._lines.put(line)
            self._lines.put(None)

        threading.Thread(target=listen).start()

    def wait_for(self, text: str) -> str:
        """Return the next line that holds the text."""
        with suppress(queue.Empty):
            while (line := self._lines.get(timeout=PATIENCE)) is not None:
                self.said.append(line)
                if text in line:
                    return line
        raise AssertionError(f"the daemon never said {text!r}, but:\n{''.join(self.said)}")

    def wait_until_idle(self, instant: datetime) -> None:
        self.wait_for(f"caught up to {instant.astimezone(UTC).isoformat()}")

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(number)
        code = process.wait(timeout=PATIENCE)
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.said.append(line)
        return code


@dataclass(frozen=True)
class Step:
    """What happens outside, and the instant the clock then shows."""

    clock: datetime
    arrives: Callable[[Path], object] = lambda _: None


def _friday(folder: Path) -> None:
    deliver(folder, "friday.csv", without(raised(usual(FRIDAY), "thefts", EAST, 36), "quarrels", WEST))


def _saturday(folder: Path) -> None:
    deliver(folder, "saturday.csv", raised(usual(SATURDAY), "fires", WEST, 24))
    deliver(folder, "saturday-late.csv", [cell for cell in usual(FRIDAY) if cell[:2] == ("quarrels", WEST)])
    deliver(folder, "saturday-corrected.csv", [("thefts", EAST, FRIDAY, 31.0)])


def _sunday(folder: Path) -> None:
    wrong = f"thefts,{EAST},{SUNDAY},many\nthefts,0199,{SUNDAY},3\n"
    deliver(folder, "sunday-broken.csv", without(usual(SUNDAY), "thefts", EAST), extra=wrong)
    deliver(folder, "sunday-not-utf-8.csv", usual(SUNDAY), extra="备注,,,\n", encoding="gbk")


def _past(folder: Path) -> None:
    cells = past()
    deliver(folder, "history-1.csv", cells[:2000])
    deliver(folder, "history-2.csv", cells[2000:])


DAYS = {
    "start": Step(at(FRIDAY, "19:00")),
    "history": Step(at(FRIDAY, "19:30"), _past),
    "friday arrives": Step(at(SATURDAY, "06:00"), _friday),
    "friday judged": Step(at(SATURDAY, "07:30")),
    "friday summed up": Step(at(SATURDAY, "08:00")),
    "saturday arrives": Step(at(SUNDAY, "06:00"), _saturday),
    "saturday judged": Step(at(SUNDAY, "08:00")),
    "sunday arrives": Step(at(MONDAY, "06:00"), _sunday),
    "sunday judged": Step(at(MONDAY, "08:00")),
    "week briefed": Step(at(MONDAY, "08:30")),
    "week told": Step(at(MONDAY, "08:35")),
}
STUCK = "job begins job=outbox"  # from here on a delivery hangs until the kill
KILLS = {  # in the step, at the lines, one after the other
    "history": ["file imported name=history-1.csv"],
    "friday judged": ["job begins job=sweep", "swept day=", STUCK],
    "friday summed up": ["job begins job=daily_mail"],
    "saturday judged": ["job begins job=sweep", "message delivered"],
    "week briefed": ["job begins job=briefing"],
}
DEAD = "saturday arrives"  # the step that begins while no daemon runs


def live_through(folder: Path, kills: Mapping[str, Sequence[str]]) -> list[str]:
    """Let the three days pass, with or without kills, and return all the daemon said."""
    with Daemon(lay(folder, history=False)) as daemon:
        for name, step in DAYS.items():
            if kills and name == DEAD:
                daemon.end(signal.SIGKILL)
            step.arrives(folder)
            set_clock(folder, step.clock)
            for line in kills.get(name, ()):
                with stuck_delivery(folder) if line == STUCK else nullcontext():
                    daemon.start()  # goes on where the last one was killed
                    daemon.wait_for(line)
                    daemon.end(signal.SIGKILL)
            daemon.start()
            daemon.wait_until_idle(step.clock)
        assert daemon.end(signal.SIGTERM) == 0
    return daemon.said


@contextmanager
def stuck_delivery(folder: Path) -> Iterator[None]:
    """Lay a pipe where the second mail would be written: its delivery waits for a reader that never comes."""
    message_id = rows(folder, "SELECT message_id FROM outbox WHERE state = 'pending' ORDER BY id")[1][0]
    pipe = folder / "mail" / "tmp" / f"{hashlib.sha256(message_id.encode()).hexdigest()[:32]}.kapok"
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    yield
    pipe.unlink()


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, asked without the service."""
    with closing(sqlite3.connect(f"file:{folder / 'kapok.db'}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def content(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table of a database without its stamps, in one order."""
    tables = [name for (name,) in rows(folder, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    tables = [name for name in tables if name not in OWN_TIMES]
    return {name: sorted(rows(folder, f'SELECT {kept(folder, name)} FROM "{name}"'), key=repr) for name in tables}  # noqa: S608 - its own


def kept(folder: Path, table: str) -> str:
    """Return the columns of a table that do not depend on how often it was written."""
    names = [name for _, name, *_ in rows(folder, f'PRAGMA table_info("{table}")')]
    return ", ".join(f'"{name}"' for name in names if name not in OWN_STAMPS)


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder and those below, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def jobs(folder: Path, status: str) -> list[tuple[str, str]]:
    """Return (job, due) of the runs that ended so, in order."""
    return rows(folder, f"SELECT DISTINCT job, scheduled_for FROM run WHERE status = '{status}' ORDER BY 1, 2")  # noqa: S608


@dataclass(frozen=True)
class Lives:
    """The same three days twice."""

    unbroken: Path
    killed: Path
    said: list[str]  # by the one that was killed


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    unbroken, killed = tmp_path_factory.mktemp("unbroken"), tmp_path_factory.mktemp("killed")
    live_through(unbroken, {})
    return Lives(unbroken, killed, live_through(killed, KILLS))


def test_a_daemon_that_was_killed_knows_what_one_that_was_not_knows(lives: Lives) -> None:
    expected = content(lives.unbroken)

    found = content(lives.killed)

    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table


def test_a_daemon_that_was_killed_sends_the_same_mails_to_the_byte(lives: Lives) -> None:
    expected = files(lives.unbroken / "mail" / "new")

    found = files(lives.killed / "mail" / "new")

    assert found == expected
    assert not files(lives.killed / "mail" / "tmp")


def test_a_daemon_that_was_killed_writes_the_same_briefings(lives: Lives) -> None:
    expected = files(lives.unbroken / "documents")

    found = files(lives.killed / "documents")

    assert found == expected
    assert sorted(found) == [f"briefing-2026-11-16-{place}.html" for place in ("01", EAST, WEST)]


def test_every_job_that_was_due_is_done_or_missed_just_as_often(lives: Lives) -> None:
    assert jobs(lives.killed, "done") == jobs(lives.unbroken, "done")
    assert jobs(lives.killed, "missed") == jobs(lives.unbroken, "missed")


def test_the_kills_hit_a_sweep_and_a_delivery_in_the_middle(lives: Lives) -> None:
    interrupted = {job for job, _ in jobs(lives.killed, "interrupted")}

    assert {"sweep", "outbox"} <= interrupted
    assert jobs(lives.unbroken, "interrupted") == []
    assert rows(lives.killed, "SELECT count(*) FROM run WHERE status = 'running'") == [(0,)]


def test_the_three_days_hold_alerts_mails_a_late_a_corrected_and_unusable_values(lives: Lives) -> None:
    """Or the comparison would say little."""
    peaks = dict(rows(lives.unbroken, "SELECT indicator || ' ' || place, peak FROM alert"))
    told = [message_from_bytes(mail)["X-Kapok-Kind"] for mail in files(lives.unbroken / "mail" / "new").values()]
    account = {
        name: counts
        for name, *counts in rows(lives.unbroken, "SELECT name, late, corrected, quarantined FROM feed_file")
    }

    assert peaks[f"thefts {EAST}"] == peaks[f"fires {WEST}"] == 3  # red
    assert Counter(told) >= Counter({"alert": 4, "daily": 3, "briefing": 1})
    assert account["saturday-late.csv"] == [1, 0, 0]
    assert account["saturday-corrected.csv"] == [1, 1, 0]
    assert account["sunday-broken.csv"] == [0, 0, 2]
    assert "sunday-not-utf-8.csv" not in account
    assert rows(lives.unbroken, "SELECT DISTINCT about FROM notice") == [("sunday-not-utf-8.csv",)]


def test_jobs_due_at_the_same_instant_run_in_their_fixed_order(lives: Lives) -> None:
    instant = text_of(at(MONDAY, "08:00"))

    began = rows(lives.unbroken, f"SELECT job FROM run WHERE started = '{instant}' AND status = 'done' ORDER BY id")  # noqa: S608

    assert [job for (job,) in began] == ["feeds", "sweep", "daily_mail", "outbox"]


def test_no_traceback_is_ever_logged(lives: Lives) -> None:
    assert not [line for line in lives.said if "Traceback" in line]


def test_a_message_id_stands_for_one_mail(lives: Lives) -> None:
    mails = files(lives.killed / "mail" / "new")

    identities = [message_from_bytes(mail)["Message-ID"] for mail in mails.values()]

    assert len(set(identities)) == len(identities)
    assert sorted(identities) == sorted(one for (one,) in rows(lives.killed, "SELECT message_id FROM outbox"))


def test_what_was_missed_while_nobody_ran_is_recorded_and_caught_up_at_start(tmp_path: Path) -> None:
    config = lay(tmp_path)
    with Daemon(config) as daemon:
        daemon.wait_until_idle(at(FRIDAY, "19:00"))
        daemon.end(signal.SIGTERM)
    set_clock(tmp_path, at(MONDAY, "08:15"))

    with Daemon(config) as daemon:
        daemon.wait_until_idle(at(MONDAY, "08:15"))

    swept = [(due[:10], status) for due, status in ended(tmp_path, "sweep")]  # in UTC
    assert swept == [("2026-11-19", "done"), ("2026-11-20", "missed"), ("2026-11-21", "missed"), ("2026-11-22", "done")]
    dates = [date for (date,) in rows(tmp_path, "SELECT DISTINCT date FROM coverage ORDER BY 1")]
    assert dates == ["2026-11-19", f"{FRIDAY}", f"{SATURDAY}", f"{SUNDAY}"]
    assert [status for _, status in ended(tmp_path, "daily_mail")] == ["missed", "missed", "done"]


def test_a_job_that_takes_too_long_is_stopped_and_the_next_goes_on(tmp_path: Path) -> None:
    hasty = CONFIG.replace('sweep = { at = "30 7 * * *" }', 'sweep = { at = "30 7 * * sat", limit = 0.000001 }')
    with Daemon(lay(tmp_path, config=hasty)) as daemon:
        daemon.wait_until_idle(at(FRIDAY, "19:00"))

        set_clock(tmp_path, at(SATURDAY, "08:00"))
        daemon.wait_until_idle(at(SATURDAY, "08:00"))

    assert [status for _, status in ended(tmp_path, "sweep")] == ["timeout", "timeout"]
    assert [status for _, status in ended(tmp_path, "daily_mail")] == ["done"]
    assert rows(tmp_path, "SELECT count(*) FROM coverage") == [(0,)]
    assert "longer than 1e-06 s" in rows(tmp_path, "SELECT text FROM notice WHERE about = 'sweep'")[0][0]


def test_on_sigterm_it_says_goodbye_and_ends_well(tmp_path: Path) -> None:
    with Daemon(lay(tmp_path, history=False)) as daemon:
        daemon.wait_for(" started")

        code = daemon.end(signal.SIGTERM)

    assert code == 0
    assert daemon.said[-1].endswith("stopped\n")


def test_on_the_very_first_start_what_has_come_is_read_and_judged_and_no_mail_is_made_up_for(tmp_path: Path) -> None:
    with Daemon(lay(tmp_path)) as daemon:
        daemon.wait_until_idle(at(FRIDAY, "19:00"))

        assert daemon.end(signal.SIGTERM) == 0

    done = rows(tmp_path, "SELECT job, status FROM run WHERE job <> 'outbox' ORDER BY id")
    assert done == [("feeds", "done"), ("sweep", "done")]
    assert rows(tmp_path, "SELECT DISTINCT date FROM coverage") == [("2026-11-19",)]
    assert not [kind for (kind,) in rows(tmp_path, "SELECT kind FROM outbox") if kind in ("daily", "briefing")]


def test_before_any_file_has_come_nothing_is_judged(tmp_path: Path) -> None:
    with Daemon(lay(tmp_path, history=False)) as daemon:
        daemon.wait_until_idle(at(FRIDAY, "19:00"))

    assert rows(tmp_path, "SELECT note FROM run WHERE job = 'sweep'") == [("no file was ever read, nothing to judge",)]
    assert rows(tmp_path, "SELECT count(*) FROM coverage") == [(0,)]


def test_by_the_systems_clock_a_job_that_is_never_due_is_not_said_to_have_run(tmp_path: Path) -> None:
    leap_days = re.sub('at = "[^"]*"', 'at = "0 0 29 2 *"', CONFIG.replace('[clock]\nfile = "clock"\n', ""))
    with Daemon(lay(tmp_path, config=leap_days)) as daemon:
        daemon.wait_for(" started")

        code = daemon.end(signal.SIGTERM)

    assert code == 0
    assert rows(tmp_path, "SELECT count(*) FROM run") == [(0,)]


def test_a_sweep_that_failed_is_tried_again_three_times_with_growing_pauses(tmp_path: Path) -> None:
    hasty = CONFIG.replace('sweep = { at = "30 7 * * *" }', 'sweep = { at = "30 7 * * sat", limit = 0.000001 }')
    with Daemon(lay(tmp_path, config=hasty)) as daemon:
        for minute in ("08:00", "08:04", "08:05", "08:19", "08:20", "09:19", "09:20", "23:00"):
            set_clock(tmp_path, at(SATURDAY, minute))
            daemon.start()
            daemon.wait_until_idle(at(SATURDAY, minute))

    tries = rows(tmp_path, "SELECT scheduled_for, started FROM run WHERE job = 'sweep' ORDER BY id")
    assert tries == [
        (text_of(at(SATURDAY, "07:30")), text_of(at(SATURDAY, minute)))
        for minute in ("08:00", "08:05", "08:20", "09:20")
    ]


def test_a_sweep_stops_also_while_it_fits(tmp_path: Path) -> None:
    config = lay(tmp_path)
    fitted = RULES.replace('"threshold"', '"forecast"').replace("{ window = 7, baseline = 182 }", "{ fit_every = 7 }")
    (tmp_path / "rules" / "police.toml").write_text(fitted, encoding="utf-8")
    steps = []

    def beat(step: str) -> None:
        steps.append(step)
        if step.endswith("fits"):
            raise Stopped(step)

    with open_service(config) as service:
        now = at(FRIDAY, "19:00")
        with pytest.raises(Stopped, match=r"^\d+ fits$"):
            JOBS["sweep"](Task(service, now, now, beat))

        assert service.store.rows("SELECT * FROM coverage") == []
    assert "forecast daily" in steps


def test_a_retry_that_was_cut_off_is_made_at_once_after_the_next_start(tmp_path: Path) -> None:
    hasty = CONFIG.replace('sweep = { at = "30 7 * * *" }', 'sweep = { at = "30 7 * * sat", limit = 0.000001 }')
    due_at = at(SATURDAY, "07:30")
    with Daemon(lay(tmp_path, config=hasty)) as daemon:
        set_clock(tmp_path, at(SATURDAY, "08:00"))
        daemon.wait_until_idle(at(SATURDAY, "08:00"))
        daemon.end(signal.SIGKILL)
        with closing(open_store(tmp_path / "kapok.db")) as store, store.write():
            run.begin(store, "sweep", due_at, at(SATURDAY, "08:05"))  # and was killed in the middle

        for minute in ("08:06", "08:20", "08:21"):
            set_clock(tmp_path, at(SATURDAY, minute))
            daemon.start()
            daemon.wait_until_idle(at(SATURDAY, minute))

    tries = rows(tmp_path, "SELECT started, status FROM run WHERE job = 'sweep' ORDER BY id")
    assert tries == [
        (text_of(at(SATURDAY, minute)), status)
        for minute, status in (
            ("08:00", "timeout"),
            ("08:05", "interrupted"),
            ("08:06", "timeout"),
            ("08:21", "timeout"),
        )
    ]


def test_a_second_service_on_the_same_database_is_refused(tmp_path: Path) -> None:
    config = lay(tmp_path, history=False)
    with Daemon(config) as daemon:
        daemon.wait_for(" started")

        second = subprocess.run(
            [sys.executable, "-m", "warning", "serve", "--config", str(config)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        daemon.end(signal.SIGKILL)
        daemon.start()
        daemon.wait_for(" started")  # what a killed one held is free

    assert second.returncode == 2
    assert (
        f"{tmp_path}/kapok.db: a `kapok serve` runs its jobs, the sending included; stop that one first"
        in second.stderr
    )
    assert "Traceback" not in second.stderr


def test_the_page_answers_at_the_address_it_prints(tmp_path: Path) -> None:
    with Daemon(lay(tmp_path, history=False)) as daemon:
        address = daemon.wait_for("页面 page http://127.0.0.1:").split()[2]

        with urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - our own address
            page = answer.read().decode()

    assert "小城" in page


def test_a_clock_file_that_nobody_can_read_for_a_while_stops_nothing(tmp_path: Path) -> None:
    with Daemon(lay(tmp_path)) as daemon:
        daemon.wait_until_idle(at(FRIDAY, "19:00"))

        (tmp_path / "clock").write_text("half past", encoding="ascii")
        daemon.wait_for("'half past' is not an ISO 8601 instant")
        set_clock(tmp_path, at(FRIDAY, "19:30"))
        daemon.wait_until_idle(at(FRIDAY, "19:30"))

    assert "Traceback" not in "".join(daemon.said)
    assert rows(tmp_path, "SELECT count(*) FROM feed_file") == [(1,)]


def test_a_mail_handed_over_but_not_noted_is_handed_over_again_as_the_same_file(tmp_path: Path) -> None:
    config = lay(tmp_path)
    _friday(tmp_path)
    now = at(SATURDAY, "07:30")
    with open_service(config) as service:
        task = Task(service, now, now, lambda _: None)
        JOBS["sweep"](task)
        JOBS["outbox"](task)
        once = files(tmp_path / "mail")
        with service.store.write():
            service.store.change("UPDATE outbox SET state = 'pending'")

        note = JOBS["outbox"](task)

    assert note == "2 sent, 0 refused"
    assert files(tmp_path / "mail") == once
    assert len(once) == 2


def test_a_mail_that_is_refused_for_now_is_tried_again_later(tmp_path: Path) -> None:
    config = lay(tmp_path)
    _friday(tmp_path)
    now = at(SATURDAY, "07:30")
    (tmp_path / "mail").touch()  # where the Maildir should be
    with open_service(config) as service:
        JOBS["sweep"](Task(service, now, now, lambda _: None))

        refused = JOBS["outbox"](Task(service, now, now, lambda _: None))
        (tmp_path / "mail").unlink()
        too_early = JOBS["outbox"](Task(service, now, now + timedelta(seconds=59), lambda _: None))
        in_time = JOBS["outbox"](Task(service, now, now + timedelta(seconds=60), lambda _: None))

    assert [refused, too_early, in_time] == ["0 sent, 2 refused", "0 sent, 0 refused", "2 sent, 0 refused"]


def test_an_outage_is_counted_from_its_end_and_not_without_limit() -> None:
    every_minute = trigger(Job(at="* * * * *"), ZoneInfo("Asia/Shanghai"))

    found = due(every_minute, at(FRIDAY, "08:00") - timedelta(days=3650), at(FRIDAY, "08:00"))

    assert found[0] == at(FRIDAY, "08:00") - timedelta(minutes=KEPT - 1)
    assert found[-1] == at(FRIDAY, "08:00")
    assert len(found) == KEPT


@given(st.integers(0, 12000), st.integers(0, 12000), st.sampled_from(["0 */3 * * *", "30 7 * * *", "0 8 * * mon"]))
def test_what_was_due_before_a_kill_and_after_it_is_what_was_due_in_all(first: int, more: int, cron: str) -> None:
    times, start = trigger(Job(at=cron), ZoneInfo("Asia/Shanghai")), at(FRIDAY, "07:29")
    middle = start + timedelta(minutes=first)
    end = middle + timedelta(minutes=more)

    halves = due(times, start, middle) + due(times, middle, end)

    assert halves == due(times, start, end)


def test_only_the_last_runs_of_a_job_are_remembered(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "kapok.db")) as store, store.write():
        for minute in range(30):
            instant = at(FRIDAY, "08:00") + timedelta(minutes=minute)
            run.finish(store, run.begin(store, ("feeds", "sweep")[minute % 2], instant, instant), instant, "done")
        latest = run.last_scheduled(store, "feeds")

        gone = run.prune(store, "feeds", keep=4)

        assert gone == 11
        assert len(run.runs(store, job="feeds")) == 4
        assert len(run.runs(store, job="sweep")) == 15
        assert run.last_scheduled(store, "feeds") == latest


def ended(folder: Path, job: str) -> list[tuple[str, str]]:
    """Return (due, status) of a job's runs, in order."""
    return rows(folder, f"SELECT scheduled_for, status FROM run WHERE job = '{job}' ORDER BY scheduled_for, id")  # noqa: S608
