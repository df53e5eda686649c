"""What the command line shows: tables and progress, colours with their words."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from warning.city import City
from warning.deadlines import Deadline
from warning.facts import LEVEL_ZH, MARK
from warning.model import Alert, Event, FileAccount, Indicator, Level, Place, QuarantineEntry
from warning.scoring import Beat
from warning.situation import Coverage
from warning.store.outbox import Account
from warning.store.quarantine import Kept
from warning.store.run import Run
from warning.words import JOBS, TRANSITIONS, stage_of

STYLE = {
    Level.MISSING: "dim",
    Level.CALM: "green",
    Level.YELLOW: "yellow",
    Level.ORANGE: "dark_orange",
    Level.RED: "bold red",
}
WHOLE = 36  # cells up to which a first column is never broken: an alert's number, a file's name
STATES = {"open": "未处理 open", "delivered": "已重送 delivered", "fixed": "已更正 fixed", "dropped": "已剔除 dropped"}
console = Console(highlight=False)


def say(text: str) -> None:
    """Print a line as it is: brackets in names and paths are no markup."""
    console.print(text, markup=False)


def write(text: str) -> None:
    """Print a text for a program to read: nothing is wrapped or coloured."""
    console.file.write(text + "\n")


def literal(text: str) -> str:
    """Return a text for a table as it is: brackets in it are no markup."""
    return escape(text)


def word(level: Level) -> str:
    """Return a level's mark and word, styled."""
    return f"[{STYLE[level]}]{MARK[level]}{LEVEL_ZH[level]}[/]"


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as the centre's wall clock shows it."""
    return "" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with heads "中文 English", in Chinese alone where both are too wide; numbers to the right."""
    kept = [list(map(str, row)) for row in rows]
    if not kept:
        console.print(f"[bold]{title}[/]: 无 none")
        return
    table = _table(title, [column.replace(" ", "\n", 1) for column in columns], kept)
    if Measurement.get(console, console.options.update(max_width=1000), table).minimum > console.width:
        table = _table(title, [column.partition(" ")[0] for column in columns], kept)
    console.print(table)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Numbers, dates and short first columns are never broken."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for n, head in enumerate(heads):
        cells = [row[n] for row in rows]
        numeric = all(cell.replace(".", "").replace("-", "").replace(",", "").isdigit() for cell in cells)
        whole = numeric or (n == 0 and max(map(cell_len, cells)) <= WHOLE)
        table.add_column(head, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*row)
    return table


def show_accounts(accounts: Sequence[FileAccount]) -> None:
    """Print the row account of every file, read = accepted + unchanged + quarantined, and the files refused."""
    show_table(
        "文件 Files",
        ("文件 file", "行 rows", "采用 accepted", "未变 unchanged", "隔离 quarantined", "迟报 late", "更正 corrected"),
        [
            (escape(a.name), a.rows, a.accepted, a.unchanged, a.quarantined, a.late, a.corrected)
            for a in accounts
            if a.error is None
        ],
    )
    for a in accounts:
        if a.error is not None:
            console.print(f"  未读 refused: {escape(a.error)}")
        for note in a.notes:
            say(f"  {a.name}：{note}")


def show_reasons(account: FileAccount, entries: Sequence[QuarantineEntry], left: int) -> None:
    """Print the first quarantined rows of a file, and where all are; ``left`` of them are not settled."""
    rest = f"，未处理 {left} 行 / {left} of them open" if left < account.quarantined else ""
    say(f"{account.name}：隔离 {account.quarantined} 行 / {account.quarantined} row(s) quarantined{rest}")
    for entry in entries:
        where = f"，{entry.column}={entry.value!r}" if entry.column else ""
        say(f"  第 {entry.row} 行{where}：{entry.reason}")
    say(f"  全部 all: kapok quarantine --file {shlex.quote(account.name)}")


def show_quarantine(rows: Sequence[Kept], *, with_file: bool, with_state: bool = False) -> None:
    """Print quarantined rows, each with its reason, and what became of it where asked for."""
    columns = ("编号 id", "文件 file", "行 row", "列 column", "值 value", "原因 reason", "处理 settled")
    shown = [
        (k.id, escape(e.file), e.row, e.column or "整行", escape(e.value), escape(e.reason), _settled(k))
        for k in rows
        for e in (k.entry,)
    ]
    chosen = [n for n in range(len(columns)) if (n != 1 or with_file) and (n != 6 or with_state)]
    show_table("隔离的行 Quarantine", [columns[n] for n in chosen], [[row[n] for n in chosen] for row in shown])


def show_entries(entries: Sequence[QuarantineEntry]) -> None:
    """Print rows that would be put aside, each with its reason."""
    show_table(
        "将隔离 Would be put aside",
        ("行 row", "列 column", "值 value", "原因 reason"),
        [(e.row, escape(e.column) or "整行", escape(e.value), escape(e.reason)) for e in entries],
    )


def _settled(kept: Kept) -> str:
    return f"{STATES[kept.state]}{'：' + escape(kept.note) if kept.note else ''}"


def show_outbox(account: Account) -> None:
    """Print what became of all messages."""
    say(
        f"发件箱 outbox: 写成 {account.written} written = 已发 {account.sent} sent + 待发 {account.pending} pending"
        f" + 失败 {account.failed} failed"
    )


def show_refused(refused: Sequence[tuple[str, str]]) -> None:
    """Print who did not get a message, and what was answered."""
    for recipient, reason in refused:
        say(f"  被拒 refused {recipient}: {reason}")


def show_runs(runs: Sequence[Run], zone: ZoneInfo) -> None:
    """Print what jobs ran and how they ended."""
    show_table(
        "任务 Jobs",
        ("任务 job", "应在 due", "开始 started", "状态 state", "说明 note"),
        [
            (
                f"{JOBS.get(r.job, r.job)}\n{r.job}",
                local(r.scheduled_for, zone),
                local(r.started, zone),
                r.status,
                escape(r.note),
            )
            for r in runs
        ],
    )


def show_evidence(alert: Alert, names: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Print the signals that hold an alert at its level; ``names`` and ``files`` are the rules'."""
    show_table(
        "依据 Evidence",
        ("规则 rule", "日期 date", "实际 observed", "预期 expected", "上限 upper", "意外度 surprise", "窗口 window"),
        [
            (
                escape(f"{s.rule}\n{names.get(s.rule, '')}"),
                s.date,
                f"{s.observed:.1f}",
                f"{s.expected:.1f}",
                f"{s.upper:.1f}",
                f"{s.surprise:.2f}",
                s.window,
            )
            for s in alert.evidence
        ],
    )
    for rule in dict.fromkeys(signal.rule for signal in alert.evidence):
        file = files.get(rule, "规则已删除 deleted")
        say(f"规则 rule {rule} {names.get(rule, '')}（{file}）")


def show_deadlines(deadlines: Sequence[Deadline]) -> None:
    """Print until when what is to be done, and whether that is past; nothing where there is no deadline."""
    if deadlines:
        show_table(
            "期限 Deadlines",
            ("事项 to do", "期限 until", "状态 state"),
            [(f"{d.zh} {d.en}", f"{d.until:%Y-%m-%d %H:%M}", " ".join(d.state)) for d in deadlines],
        )


def show_colours(coverages: Mapping[str, Coverage], city: City) -> None:
    """Print the places with their colours."""
    show_table(
        "颜色 Colours",
        ("地区 place", "颜色 colour", "监测 watched", "数据不足 no data"),
        [(escape(city.places[code].name_zh), word(c.colour), c.watched, c.missing) for code, c in coverages.items()],
    )


def show_alerts(
    alerts: Sequence[Alert], city: City, overdue: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> None:
    """Print alerts, strongest first; ``overdue`` has those with a deadline that is past."""
    show_table(
        "风险提示 Alerts",
        ("编号 number", "等级 level", "地区 place", "指标 indicator", "始于 since", "处置 stage"),
        [
            (
                escape(alert.number),
                word(alert.active),
                escape(_name(city.places, alert.place)),
                escape(_name(city.indicators, alert.indicator)),
                alert.onset,
                stage_of(alert)[0] + ("\n时限已过" if overdue.get(alert.number) else ""),
            )
            for alert in sorted(alerts, key=lambda a: (-a.active, a.number))
        ],
    )


def _name(known: Mapping[str, Place] | Mapping[str, Indicator], code: str) -> str:
    """An alert of long ago may name what the city no longer has."""
    return known[code].name_zh if code in known else code


def show_events(events: Sequence[Event], zone: ZoneInfo) -> None:
    """Print an alert's history."""
    show_table(
        "经过 History",
        ("日期 date", "研判时间 at", "变化 change", "由 from", "至 to", "说明 note"),
        [
            (e.date, local(e.at, zone), TRANSITIONS[e.transition][0], word(e.before), word(e.after), escape(e.note))
            for e in events
        ],
    )


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Beat]:
    """Show a bar that moves at each beat, on a terminal only; without a total it shows that work goes on."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)

        def beat(step: str) -> None:
            bar.update(task, advance=1, description=f"{what} {escape(step)}")

        yield beat


def counted(beat: Beat) -> Callable[[str, int, int], None]:
    """Return a progress of files that passes each on to a beat."""

    def progress(name: str, number: int, total: int) -> None:
        beat(f"{name} {number}/{total}")

    return progress
