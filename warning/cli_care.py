"""The commands an operator keeps a deployment well with: rows put aside, and what is missing on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warning.errors import ConfigError

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="配置文件 / configuration; ./config.toml")]
OfFile = Annotated[str | None, typer.Option("--file", metavar="NAME", help="只看此文件 / of this file alone")]
Limit = Annotated[int, typer.Option(min=1, help="至多列多少行 / rows listed at most")]
Every = Annotated[bool, typer.Option("--all", help="连同已处理的 / those that are settled, too")]

quarantine = typer.Typer(
    help="隔离的行及原因；可更正、可剔除 / The rows that could not be used, and why; fix or drop them.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@quarantine.callback()
def rows(
    context: typer.Context,
    file: OfFile = None,
    limit: Limit = 100,
    every: Every = False,
    config: ConfigFile = None,
) -> None:
    """隔离的行及原因；可更正、可剔除 / The rows that could not be used, and why; fix or drop them."""
    if context.invoked_subcommand is None:
        list_rows(file, limit, every, config)


@quarantine.command("list")
def list_rows(file: OfFile = None, limit: Limit = 100, every: Every = False, config: ConfigFile = None) -> None:
    """列出隔离的行，与不写 list 相同 / List the rows, as without the word."""
    from warning import screen
    from warning.asked import quarantine_of, records_of
    from warning.store import quarantine

    with records_of(config) as service:
        total = quarantine_of(service, file, settled=every)
        entries = quarantine.entries(service.store, file=file, settled=every, limit=limit)
        screen.show_quarantine(entries, with_file=file is None, with_state=every)
        if total > len(entries):
            screen.say(
                f"共隔离 {total} 行，以上 {len(entries)} 行；--limit 可多列 / {total} rows in all; --limit lists more"
            )


@quarantine.command()
def fix(
    row: Annotated[str, typer.Argument(metavar="ROW_ID", help="kapok quarantine 所列的编号 / the id that is listed")],
    value: Annotated[str | None, typer.Option(help="应为何数 / what it should be")] = None,
    indicator: Annotated[str | None, typer.Option(help="指标代码 / the indicator's id")] = None,
    place: Annotated[str | None, typer.Option(help="地区代码 / the place's code")] = None,
    date: Annotated[str | None, typer.Option(help="日期 / YYYY-MM-DD")] = None,
    config: ConfigFile = None,
) -> None:
    """更正一行并读入 / Correct a row and take it in; what is not said stays as the file has it."""
    from warning import mending, screen
    from warning.asked import service_to_mend

    named = {"indicator": indicator, "place": place, "date": date, "value": value}
    said = {name: text for name, text in named.items() if text is not None}
    if not said:
        raise ConfigError(row, ["须写明更正什么 / say what to correct: --value, --indicator, --place or --date"])
    with service_to_mend(config) as service:
        account = mending.fix(
            service.store,
            service.city,
            row,
            said,
            now=service.clock(),
            late_after=service.config.feeds.late_after.model_dump(),
            zone=service.config.zone,
        )
        screen.show_accounts([account])


@quarantine.command()
def drop(
    rows: Annotated[list[str] | None, typer.Argument(metavar="ROW_ID...", help="编号 / ids that are listed")] = None,
    reason: Annotated[str, typer.Option(help="为何不用 / why it is not needed")] = "",
    file: OfFile = None,
    config: ConfigFile = None,
) -> None:
    """剔除行，写明原因 / Drop rows, or all of a file, with a reason; they stay on record."""
    from warning import mending, screen
    from warning.asked import quarantine_of, service_to_mend

    if bool(rows) == (file is not None):
        raise ConfigError("kapok quarantine drop", ["写编号或 --file，二者取一 / name rows, or a file with --file"])
    with service_to_mend(config) as service:
        now = service.clock()
        if file is None:
            dropped = mending.drop(service.store, rows or [], reason, now=now)
        else:
            quarantine_of(service, file)
            dropped = mending.drop_file(service.store, file, reason, now=now)
        screen.say(f"剔除 {dropped} 行 / {dropped} row(s) dropped")


def doctor(
    feeds: Annotated[bool, typer.Option("--feeds", help="试连各数据来源 / ask the feeds that are fetched")] = False,
    config: ConfigFile = None,
) -> None:
    """本机缺什么、有何隐患 / What is missing or at risk here; exit code 0 well, 1 hints, 2 something will not work."""
    from warning.doctor import examine
    from warning.machine import Weight

    here = Path("config.toml")
    found = examine(config or (here if here.exists() else None), ask=feeds)
    gravest = max(finding.weight for finding in found)
    marks = {Weight.WELL: "✓", Weight.HINT: "！", Weight.FAULT: "×"}
    for finding in found:
        typer.echo(f"{marks[finding.weight]} {finding.about}：{finding.zh} / {finding.en}")
    hints, faults = (sum(f.weight is weight for f in found) for weight in (Weight.HINT, Weight.FAULT))
    typer.echo(f"提醒 {hints} 项，须处理 {faults} 项 / {hints} hint(s), {faults} fault(s)")
    if gravest:
        raise typer.Exit(int(gravest))
