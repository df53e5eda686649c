"""The command line.  Heavy imports happen inside the commands, so that ``kapok --help`` answers at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warning import cli_care, cli_feed, cli_rules
from warning.errors import NoDatabase

if TYPE_CHECKING:
    from warning.model import FileAccount
    from warning.service import Service

app = typer.Typer(
    help="木棉哨 Kapok Watch：城市风险早期提示 / risk early warning for a city",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

REASONS = 3  # quarantined rows shown of each file
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="配置文件 / configuration; ./config.toml")]
Day = Annotated[str | None, typer.Option("--date", help="数据日期 / data date, YYYY-MM-DD")]


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="新建部署的目录 / folder of the new deployment")]) -> None:
    """新建一个部署 / Lay a deployment: config.toml, city/, rules/."""
    from warning.layout import lay_out

    for path in lay_out(folder):
        typer.echo(path)
    typer.echo(f"kapok check --config {folder / 'config.toml'}")


@app.command()
def check(config: ConfigFile = None) -> None:
    """检查部署的全部文件 / Check every file of a deployment; the shipped one where there is none here."""
    from warning.asked import own_or_shipped
    from warning.checking import amounts
    from warning.checking import check as checked

    path = own_or_shipped(config)
    deployment = checked(path)
    typer.echo(f"{path}：无误 / ok")
    for line in amounts(deployment):
        typer.echo(f"  {line}")


app.command()(cli_care.doctor)


@app.command("import")
def take(config: ConfigFile = None) -> None:
    """读入送来的文件，获取远程数据 / Read the new files, fetch the feeds; exit code 2 if one could not be had."""
    from warning import jobs, screen
    from warning.asked import service_of

    with service_of(config) as service, screen.progress("读入 import", None) as beat:
        accounts = jobs.take_in_all(service, service.clock(), progress=screen.counted(beat), beat=beat)
        screen.show_accounts(accounts)
        _show_reasons(service, accounts)
    if any(account.error is not None for account in accounts):
        raise typer.Exit(2)


app.add_typer(cli_feed.app, name="feed")
app.add_typer(cli_care.quarantine, name="quarantine")
app.add_typer(cli_rules.rules, name="rules")


@app.command()
def sweep(day: Day = None, config: ConfigFile = None) -> None:
    """研判一天 / Judge one day, yesterday if none is named."""
    from warning import pipeline, screen
    from warning.asked import day_to_sweep, service_of

    with service_of(config) as service:
        now = service.clock()
        chosen = day_to_sweep(service, day, now)
        with screen.progress(f"研判 sweep {chosen}", None) as beat:
            swept = pipeline.sweep(service, chosen, now=now, beat=beat)
        screen.show_colours({c.place: c for c in swept.coverages}, service.city)
        screen.say(
            f"{chosen}：监测 {swept.watched} 个序列，数据不足 {swept.missing} 个，变化 {len(swept.events)} 项，"
            f"邮件 {swept.messages} 封，文字 {swept.documents} 篇"
        )
        screen.say(
            f"{chosen}: {swept.watched} series watched, {swept.missing} missing, {len(swept.events)} event(s), "
            f"{swept.messages} message(s), {swept.documents} text(s)"
        )
        for rule, reason in swept.failures:
            screen.say(f"  {rule}: {reason}")
        _say_waiting(service)


@app.command()
def send(config: ConfigFile = None) -> None:
    """发送发件箱中的邮件 / Send once what waits in the outbox; exit code 2 if something was refused."""
    from warning import jobs, screen
    from warning.asked import service_of
    from warning.store import alone, outbox

    with service_of(config) as service, alone(service.store.path):  # two senders would send everything twice
        now = service.clock()
        with screen.progress("发送 send", None) as beat:
            sent, refused = jobs.send_waiting(jobs.Task(service, now, now, beat))
        screen.say(f"已发 sent {sent}，被拒 refused {refused}")
        screen.show_refused(outbox.refused(service.store, at=now))
        screen.show_outbox(outbox.account(service.store))
    if refused:
        raise typer.Exit(2)


@app.command()
def status(config: ConfigFile = None) -> None:
    """现况 / What is watched, what is open, which files and jobs there were."""
    from warning import screen
    from warning.asked import deployment_of, records_of
    from warning.past import overdue_in
    from warning.store import alert, coverage, feed, outbox, run
    from warning.tuning import showing

    try:
        opened = records_of(config)
    except NoDatabase as nothing:
        city = deployment_of(config).city
        typer.echo(f"{city.name_zh}：部署已就绪，还没有读入数据 / {city.name_en}: laid, nothing was taken in")
        typer.echo(nothing)
        raise typer.Exit(2) from nothing
    with opened as service:
        store, zone = service.store, service.config.zone
        last = coverage.last_date(store)
        if last is not None:
            screen.say(f"数据日期 data date {last}")
            screen.show_colours(coverage.on(store, last), service.city)
        live = alert.live(store)
        screen.show_alerts(live, service.city, overdue_in(service, live))
        files = feed.files(store, limit=10)
        screen.show_accounts(files)
        _show_reasons(service, files)
        screen.show_outbox(outbox.account(store))
        showing.rules(store, service.rules.version, zone)
        screen.show_runs(run.last_of_each(store), zone)


@app.command()
def alerts(
    every: Annotated[bool, typer.Option("--all", help="连同已结束的 / those that ended, too")] = False,
    config: ConfigFile = None,
) -> None:
    """风险提示清单 / The alerts that are not closed, or all."""
    from warning import screen
    from warning.asked import records_of
    from warning.past import overdue_in
    from warning.store import alert

    with records_of(config) as service:
        live, told = alert.live(service.store), alert.alerts(service.store)
        screen.show_alerts(told if every else live, service.city, overdue_in(service, live))
        screen.say(f"未结束 live {len(live)}，已结束 ended {len(told) - len(live)}，全部 all {len(told)}")


@app.command()
def show(number: Annotated[str, typer.Argument(metavar="ALERT")], config: ConfigFile = None) -> None:
    """一条风险提示 / One alert with its evidence, deadlines and history."""
    from warning import screen
    from warning.asked import alert_of, records_of, rule_files
    from warning.deadlines import deadlines
    from warning.past import overdue_in
    from warning.store import alert, finding
    from warning.tuning import showing

    with records_of(config) as service:
        found, zone = alert_of(service, number), service.config.zone
        screen.show_alerts([found], service.city, overdue_in(service, [found]))
        screen.show_evidence(found, {rule.id: rule.name_zh for rule in service.rules.rules}, rule_files(service))
        events = alert.events(service.store, number)
        screen.show_deadlines(deadlines(found, events, service.calendar, zone, service.clock(), service.rules.rules))
        showing.to_do(found, service)
        screen.show_events(events, zone)
        showing.findings(finding.findings(service.store, number), zone)


@app.command()
def narrative(
    place: Annotated[str, typer.Argument()] = "",
    day: Day = None,
    english: Annotated[bool, typer.Option("--english", help="英文简本 / the short English edition")] = False,
    config: ConfigFile = None,
) -> None:
    """“+1”研判 / The narrative of a place, or of the city."""
    from warning.asked import late_in, narrative_of, place_of, records_of

    with records_of(config) as service:
        code = place_of(service.city, place)
        typer.echo(narrative_of(service, code, day, english=english, typed=place).text)
        for line in late_in(service, code, day):
            typer.echo(line)


@app.command()
def briefing(monday: Day = None, config: ConfigFile = None) -> None:
    """每周研判 / Write the briefings of a week, given by its Monday; the last full week if none is named."""
    from warning import screen, weekly
    from warning.asked import full_week, service_of

    with service_of(config) as service:
        now = service.clock()
        chosen = full_week(service, monday, now)
        with screen.progress(f"周报 briefing {chosen}", None) as beat:
            documents, messages = weekly.write_week(service, chosen, now=now, beat=beat)
        screen.say(f"周报 {documents} 份，邮件 {messages} 封")
        screen.say(f"{documents} document(s) in {service.config.path('documents')}, {messages} message(s)")
        _say_waiting(service)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="写到哪里 / where to write the files")],
    first: Annotated[str, typer.Option(help="第一天 / first day")] = "2023-11-23",
    days: Annotated[int, typer.Option(min=30, help="天数 / days")] = 1096,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
    shocks: Annotated[int, typer.Option(min=0, help="注入的异常数；0 为平静城市 / injected shocks")] = 24,
    streets_of: Annotated[
        str, typer.Option(help="由镇街报数的区 / districts reported by street, comma between")
    ] = "440115",
    config: ConfigFile = None,
) -> None:
    """模拟一座城市的数据 / Write a simulated city's files and the labels of its shocks."""
    from warning import screen
    from warning.asked import day_of, own_or_shipped, place_of
    from warning.city import load_city
    from warning.config import load_config
    from warning.simulate import Plan, simulate, write

    city = load_city(load_config(own_or_shipped(config)).path("city"))
    streets = tuple(place_of(city, text) for text in streets_of.split(",") if text)
    plan = Plan(day_of(first, option="--first"), days, seed=seed, shocks=shocks, streets_of=streets)
    with screen.progress("模拟 simulate", None) as beat:
        simulated = simulate(city, plan, progress=lambda step, _: beat(step))
        written = write(simulated, folder, answers=folder / "answers")
    screen.say(f"{len(written)} files in {folder}")


@app.command()
def serve(config: ConfigFile = None) -> None:
    """常驻运行：任务与页面 / Run the jobs and the page until stopped."""
    from warning.asked import deployment_of
    from warning.daemon import run_daemon

    run_daemon(deployment_of(config), tell=_tell_page)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="研判后即结束 / end after the sweep")] = False,
    folder: Annotated[Path, typer.Option(help="写到哪里 / where all is written")] = Path("var/demo"),
) -> None:
    """演示：模拟的广州 / The example city, simulated, swept and shown."""
    from warning.demo import run_demo

    run_demo(folder, once=once, tell=_tell_page)


app.command()(cli_rules.verdict)
app.command()(cli_rules.replay)


def _tell_page(address: str) -> None:
    typer.echo(f"页面 page {address}  (Ctrl+C 结束 / to end)")


def _say_waiting(service: Service) -> None:
    """Say that what was written waits, and how it goes out."""
    from warning import screen
    from warning.store import outbox

    waiting = outbox.account(service.store).pending
    if waiting:
        screen.say(
            f"发件箱中 {waiting} 封待发：kapok send 发送；kapok serve 自动发送 / {waiting} mail(s) wait: `kapok send`"
        )


def _show_reasons(service: Service, accounts: Sequence[FileAccount]) -> None:
    """Show of each file with quarantined rows the first few and why, and where all are."""
    from warning import screen
    from warning.store import quarantine

    left = quarantine.quarantines(service.store)
    for account in accounts:
        if account.quarantined and account.name in left:
            entries = quarantine.quarantined(service.store, file=account.name, limit=REASONS)
            screen.show_reasons(account, entries, left[account.name])
