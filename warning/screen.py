"""What the command line shows: tables and progress, colours with their words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from warning.city import City
from warning.facts import LEVEL_ZH, MARK
from warning.model import Alert, Event, FileAccount, Level
from warning.scoring import Beat
from warning.situation import Coverage
from warning.store.run import Run

STYLE = {
    Level.MISSING: "dim",
    Level.CALM: "green",
    Level.YELLOW: "yellow",
    Level.ORANGE: "dark_orange",
    Level.RED: "bold red",
}
WHOLE = 36  # cells up to which a first column is never broken: an alert's number, a file's name
console = Console(highlight=False)


def say(text: str) -> None:
    """Print a line as it is: brackets in names and paths are no markup."""
    console.print(text, markup=False)


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
        ("文件 file", "行 rows", "接收 accepted", "未变 unchanged", "隔离 quarantined", "迟 late", "更正 corrected"),
        [
            (escape(a.name), a.rows, a.accepted, a.unchanged, a.quarantined, a.late, a.corrected)
            for a in accounts
            if a.error is None
        ],
    )
    for a in accounts:
        if a.error is not None:
            console.print(f"  未读 refused: {escape(a.error)}")


def show_runs(runs: Sequence[Run], zone: ZoneInfo) -> None:
    """Print what jobs ran and how they ended."""
    show_table(
        "任务 Jobs",
        ("任务 job", "应于 due", "开始 started", "结果 status", "说明 note"),
        [(r.job, local(r.scheduled_for, zone), local(r.started, zone), r.status, escape(r.note)) for r in runs],
    )


def show_evidence(alert: Alert, names: Mapping[str, str]) -> None:
    """Print the signals that hold an alert at its level; ``names`` are the rules'."""
    show_table(
        "依据 Evidence",
        ("规则 rule", "日期 date", "值 observed", "常态 expected", "上限 upper", "意外度 surprise", "合计 steps"),
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


def show_colours(coverages: Mapping[str, Coverage], city: City) -> None:
    """Print the places with their colours."""
    show_table(
        "颜色 Colours",
        ("地区 place", "颜色 colour", "监测 watched", "数据不足 no data"),
        [(escape(city.places[code].name_zh), word(c.colour), c.watched, c.missing) for code, c in coverages.items()],
    )


def show_alerts(alerts: Sequence[Alert], city: City) -> None:
    """Print alerts, strongest first."""
    show_table(
        "风险提示 Alerts",
        ("编号 number", "等级 level", "地区 place", "指标 indicator", "始于 since", "状态 stage"),
        [
            (
                escape(alert.number),
                word(alert.active),
                escape(city.places[alert.place].name_zh),
                escape(city.indicators[alert.indicator].name_zh),
                alert.onset,
                alert.stage,
            )
            for alert in sorted(alerts, key=lambda a: (-a.active, a.number))
        ],
    )


def show_events(events: Sequence[Event], zone: ZoneInfo) -> None:
    """Print an alert's history."""
    show_table(
        "经过 History",
        ("日期 date", "时刻 at", "事项 event", "由 from", "至 to", "说明 note"),
        [(e.date, local(e.at, zone), e.transition, word(e.before), word(e.after), escape(e.note)) for e in events],
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
