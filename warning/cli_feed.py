"""``kapok feed``: a department's file, tried before anything is taken in; its mapping guessed, written and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warning.city import City
    from warning.counting import Counted
    from warning.sources.delivery import Kind

app = typer.Typer(
    help="各部门报送的数据 / what the departments send",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KINDS = 20  # categories and results of events shown of a file unless told otherwise
SHOWN = 5  # values, and rows in quarantine, shown of a file unless told otherwise
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="配置文件 / configuration; ./config.toml")]
File = Annotated[Path, typer.Argument(help="部门送来的文件 / the file a department sent")]


@app.command("try")
def attempt(
    file: Annotated[
        Path | None,
        typer.Argument(help="部门送来的文件；来源为数据库或接口的不写 / the file; none of a feed that is fetched"),
    ] = None,
    feed: Annotated[str | None, typer.Option("--feed", metavar="NAME", help="按此映射 / by this mapping")] = None,
    limit: Annotated[int, typer.Option(min=1, help="至多列多少行 / rows listed at most")] = SHOWN,
    config: ConfigFile = None,
) -> None:
    """试读一个文件或来源，什么也不改 / What would be read of a file or a feed, and what not; changes nothing."""
    from warning import screen
    from warning.asked import deployment_of
    from warning.feeding import try_file
    from warning.pulling import try_fetched

    deployment = deployment_of(config)
    tried = try_fetched(deployment, feed) if file is None else try_file(deployment, file, feed)
    if tried.guess is not None:
        screen.say("没有映射认领这个文件，推测如下 / no mapping claims the file; a guess:")
        typer.echo(tried.guess.toml())
        for fault in tried.faults:
            screen.say(f"  {fault}")
    elif tried.feed is not None:
        screen.say(f"映射 mapping: {deployment.config.path('city') / 'feeds' / tried.feed}.toml")
    if tried.counted is not None:
        show_counted(deployment.city, tried.counted, limit)
        return
    if tried.rows is None:
        screen.say("补全映射后再试 / complete the mapping and try again: docs/feeds.zh.md, docs/feeds.en.md")
        raise typer.Exit(2)
    city, rows = deployment.city, tried.rows
    values = zip(rows.series[:limit].tolist(), rows.dates[:limit].tolist(), rows.values[:limit].tolist(), strict=True)
    screen.show_table(
        "将读入 Would be read",
        ("指标 indicator", "地区 place", "日期 date", "值 value"),
        [
            (
                city.indicators[rows.keys[n].indicator].name_zh,
                city.places[rows.keys[n].place].name_zh,
                day,
                f"{value:g}",
            )
            for n, day, value in values
        ],
    )
    screen.show_table(
        "将隔离 Would be quarantined",
        ("行 row", "列 column", "值 value", "原因 reason"),
        [
            (one.row, *map(screen.literal, (one.column or "整行", one.value, one.reason)))
            for one in rows.quarantined[:limit]
        ],
    )
    usable, aside = len(rows.values), len(rows.quarantined)
    screen.say(
        f"共 {rows.read} 行：可用 {usable}（其中补零 {tried.zeros}），隔离 {aside}；另有 {tried.missing} 格写明无数据"
    )
    screen.say(
        f"{rows.read} row(s): {usable} usable ({tried.zeros} of them zeros that were left out), {aside} to quarantine; "
        f"{tried.missing} more cell(s) say there is no value"
    )


def show_counted(city: City, counted: Counted, limit: int) -> None:
    """Print what a delivery of events would come to."""
    import numpy as np

    from warning import screen

    delivery, rows, aside = counted.delivery, counted.values, counted.quarantined
    many = np.bincount(delivery.kind, weights=delivery.change, minlength=len(delivery.kinds)).astype(int)
    _show_kinds(city, dict(zip(delivery.kinds, many.tolist(), strict=True)), counted.uses, max(limit, KINDS))
    order = np.argsort(-rows.values, kind="stable")[:limit].tolist()
    screen.show_table(
        "将得出 Would come out",
        ("指标 indicator", "地区 place", "日期 date", "值 value"),
        [
            (
                city.indicators[rows.keys[rows.series[n]].indicator].name_zh,
                city.places[rows.keys[rows.series[n]].place].name_zh,
                rows.dates[n],
                f"{rows.values[n]:g}",
            )
            for n in order
        ],
    )
    screen.show_table(
        "将隔离 Would be quarantined",
        ("行 row", "列 column", "值 value", "原因 reason"),
        [(one.row, *map(screen.literal, (one.column or "整行", one.value, one.reason))) for one in aside[:limit]],
    )
    for note in counted.notes:
        screen.say(f"  {note}")
    events, days = (
        delivery.read - delivery.alike - len(aside),
        sum(one.whole for one, _ in counted.folded.days.values()),
    )
    zeros = int((rows.values == 0).sum())
    screen.say(
        f"共 {delivery.read} 行：计入 {events}，重复 {delivery.alike}，隔离 {len(aside)}；"
        f"整天 {days} 天，得出 {len(rows.values)} 个值，其中 {zeros} 个为 0"
    )
    screen.say(
        f"{delivery.read} row(s): {events} counted, {delivery.alike} repeated, {len(aside)} to quarantine;"
        f" {days} whole day(s), {len(rows.values)} value(s), {zeros} of them 0"
    )


def _show_kinds(city: City, counts: Mapping[Kind, int], uses: Mapping[Kind, Sequence[str]], most: int) -> None:
    from warning import screen

    often = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    screen.show_table(
        "类别和结果 Categories and results",
        ("类别 category", "结果 result", "件数 events", "用于 counted for"),
        [
            (
                *map(screen.literal, (kind.category, kind.result or "未填 none")),
                events,
                "、".join(city.indicators[id].name_zh for id in uses[kind]) or "无 nothing",
            )
            for kind, events in often[:most]
        ],
    )
    if len(often) > most:
        screen.say(f"  共 {len(often)} 种，--limit 可多列 / {len(often)} in all; --limit lists more")


@app.command()
def add(
    file: File,
    name: Annotated[str, typer.Option("--name", help="映射的名字 / name of the mapping")],
    config: ConfigFile = None,
) -> None:
    """把推测的映射写进 city/feeds/ / Write the guessed mapping of a file; an existing one is left alone."""
    from warning.asked import deployment_of
    from warning.feeding import add_feed

    typer.echo(add_feed(deployment_of(config), file, name))
    typer.echo(f"kapok feed try {file} --feed {name}")


@app.command()
def events(
    name: Annotated[str, typer.Argument(help="映射的名字 / name of the mapping")],
    days: Annotated[int, typer.Option(min=1, help="最近多少天 / of how many days")] = 30,
    limit: Annotated[int, typer.Option(min=1, help="至多列多少行 / rows listed at most")] = KINDS,
    config: ConfigFile = None,
) -> None:
    """已计的网格事件：各类别几件、用于哪些指标 / The events counted: of which categories, and for what."""
    from warning import screen
    from warning.asked import records_of
    from warning.counting import tallied
    from warning.errors import ConfigError

    with records_of(config) as service:
        feed = service.feeds.get(name)
        if feed is None or feed.events is None:
            known = "、".join(one.id for one in service.feeds.values() if one.events is not None) or "无 none"
            raise ConfigError(name, [f"不是网格事件的映射；有 {known} / is no mapping of events; known: {known}"])
        found = tallied(service.store, feed, feed.events, days)
        if found is None:
            screen.say("还没有读入过事件 / no event was read yet")
            return
        _show_kinds(service.city, found.events, found.uses, limit)
        screen.say(f"{found.first} 至 {found.last}：整天 {found.whole} 天 / {found.whole} whole day(s)")
        if found.lacking:
            named = "、".join(map(str, found.lacking[:SHOWN])) + (" …" if len(found.lacking) > SHOWN else "")
            screen.say(f"  未报完 {len(found.lacking)} 天 / {len(found.lacking)} day(s) not whole: {named}")
        if found.silent:
            names = "、".join(found.silent)
            screen.say(f"  映射中有、其间没有出现的类别 / categories of the mapping that did not occur: {names}")


@app.command("list")
def listed(config: ConfigFile = None) -> None:
    """已有的映射 / The mappings there are."""
    from warning import screen
    from warning.asked import deployment_of

    feeds = deployment_of(config).feeds.values()
    screen.show_table(
        "报送 Feeds",
        ("名字 name", "名称 title", "方式 kind", "部门 department", "联系 contact", "文件 files", "应到 due"),
        [
            (
                *(feed.id, screen.literal(feed.name_zh), feed.kind, screen.literal(feed.department)),
                *(feed.contact, screen.literal(" ".join(feed.files))),
                f"+{feed.due_days} {feed.due}" if feed.due else "",
            )
            for feed in feeds
        ],
    )
