"""What the command line shows: tables and progress, colours with their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from warning.city import City
from warning.facts import LEVEL_ZH, MARK
from warning.model import Alert, Event, FileAccount, Level
from warning.scoring import Beat
from warning.situation import Coverage

STYLE = {
    Level.MISSING: "dim",
    Level.CALM: "green",
    Level.YELLOW: "yellow",
    Level.ORANGE: "dark_orange",
    Level.RED: "bold red",
}
console = Console(highlight=False)


def word(level: Level) -> str:
    """Return a level's mark and word, styled."""
    return f"[{STYLE[level]}]{MARK[level]}{LEVEL_ZH[level]}[/]"


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as the centre's wall clock shows it."""
    return "" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    kept = [list(map(str, row)) for row in rows]
    for n, column in enumerate(columns):
        numeric = bool(kept) and all(row[n].replace(".", "").replace(",", "").isdigit() for row in kept)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in kept:
        table.add_row(*row)
    console.print(table)


def show_accounts(accounts: Sequence[FileAccount]) -> None:
    """Print the row account of every file: read = accepted + unchanged + quarantined."""
    show_table(
        "文件 Files",
        (
            "文件 file",
            "行 rows",
            "接收 accepted",
            "未变 unchanged",
            "隔离 quarantined",
            "迟 late",
            "更正 corrected",
            "问题 error",
        ),
        [
            (a.name, a.rows, a.accepted, a.unchanged, a.quarantined, a.late, a.corrected, a.error or "")
            for a in accounts
        ],
    )


def show_colours(coverages: Mapping[str, Coverage], city: City) -> None:
    """Print the places with their colours."""
    show_table(
        "颜色 Colours",
        ("地区 place", "颜色 colour", "监测 watched", "缺报 missing"),
        [(city.places[code].name_zh, word(c.colour), c.watched, c.missing) for code, c in coverages.items()],
    )


def show_alerts(alerts: Sequence[Alert], city: City) -> None:
    """Print alerts, strongest first."""
    show_table(
        "风险提示 Alerts",
        ("编号 number", "等级 level", "地区 place", "指标 indicator", "始于 since", "状态 stage"),
        [
            (
                alert.number,
                word(alert.active),
                city.places[alert.place].name_zh,
                city.indicators[alert.indicator].name_zh,
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
        [(e.date, local(e.at, zone), e.transition, word(e.before), word(e.after), e.note) for e in events],
    )


@contextmanager
def progress(what: str, total: int) -> Iterator[Beat]:
    """Show a bar that moves one step at each beat."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def beat(step: str) -> None:
            bar.update(task, advance=1, description=f"{what} {step}")

        yield beat
