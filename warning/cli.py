"""The command line.  Heavy imports happen inside the commands, so that ``kapok --help`` answers at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warning.errors import ConfigError

if TYPE_CHECKING:
    from warning.service import Deployment, Service

app = typer.Typer(
    help="木棉哨 Kapok Watch：城市风险早期提示 / risk early warning for a city",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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
    from warning.checking import check as checked

    path = own_or_shipped(config)
    deployment = checked(path)
    city, rules = deployment.city, deployment.rules
    series = {key for rule in rules.rules for key in _series_of(deployment, rule.id)}
    typer.echo(f"{path}: ok")
    typer.echo(f"  {city.name_zh} {city.name_en}: {len(city.places)} places, {len(city.indicators)} indicators")
    typer.echo(f"  {len(city.dimensions)} / {len(city.level2)} / {len(city.indicators)}, {_polarities(deployment)}")
    typer.echo(f"  {len(rules.rules)} rules, version {rules.version}, judge {len(series)} series")
    year = _this_year(deployment)
    for notice in deployment.calendar.notices(date(year - 3, 1, 1), date(year, 12, 31)):
        typer.echo(f"  {notice}")


@app.command("import")
def take(config: ConfigFile = None) -> None:
    """读入送来的文件 / Read the new files of the watched folder; exit code 2 if one could not be read."""
    from warning import jobs, screen
    from warning.asked import service_of

    with service_of(config) as service, screen.progress("读入 import", None) as beat:
        accounts = jobs.take_in(service, service.clock(), progress=screen.counted(beat))
    screen.show_accounts(accounts)
    if any(account.error is not None for account in accounts):
        raise typer.Exit(2)


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
            f"{chosen}: {swept.watched} series watched, {swept.missing} missing, {len(swept.events)} event(s), "
            f"{swept.messages} message(s), {swept.documents} text(s)"
        )
        for rule, reason in swept.failures:
            screen.say(f"  {rule}: {reason}")


@app.command()
def status(config: ConfigFile = None) -> None:
    """现况 / What is watched, what is open, which files and jobs there were."""
    from warning import screen
    from warning.asked import service_of
    from warning.store import alert, coverage, feed, outbox, run

    with service_of(config) as service:
        store, zone = service.store, service.config.zone
        last = coverage.last_date(store)
        if last is not None:
            screen.say(f"数据日期 data date {last}")
            screen.show_colours(coverage.on(store, last), service.city)
        screen.show_alerts(alert.live(store), service.city)
        screen.show_accounts(feed.files(store, limit=10))
        account = outbox.account(store)
        screen.say(
            f"发件箱 outbox: {account.written} written = {account.sent} sent + {account.pending} pending + "
            f"{account.failed} failed"
        )
        screen.show_runs(run.runs(store, limit=10), zone)


@app.command()
def show(number: Annotated[str, typer.Argument(metavar="ALERT")], config: ConfigFile = None) -> None:
    """一条风险提示 / One alert with its evidence and history."""
    from warning import screen
    from warning.asked import alert_of, service_of
    from warning.store import alert

    with service_of(config) as service:
        found = alert_of(service, number)
        screen.show_alerts([found], service.city)
        screen.show_evidence(found, {rule.id: rule.name_zh for rule in service.rules.rules})
        screen.show_events(alert.events(service.store, number), service.config.zone)


@app.command()
def narrative(
    place: Annotated[str, typer.Argument()] = "",
    day: Day = None,
    english: Annotated[bool, typer.Option("--english", help="英文简本 / the short English edition")] = False,
    config: ConfigFile = None,
) -> None:
    """“+1”研判 / The narrative of a place, or of the city."""
    from warning.asked import day_of, place_of, service_of
    from warning.store import coverage, document

    with service_of(config) as service:
        code, last = place_of(service.city, place), coverage.last_date(service.store)
        if last is None:
            raise ConfigError("narrative", ["no day was judged yet; `kapok import` and `kapok sweep` do"])
        chosen = last if day is None else day_of(day)
        found = document.document(service.store, "narrative-en" if english else "narrative", code, chosen)
        if found is None:
            told = [d.place for d in document.documents(service.store, "narrative", chosen)]
            raise ConfigError(place or code, [_untold(service, chosen, last, told)])
        typer.echo(found.text)


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
        screen.say(f"{documents} document(s) in {service.config.path('documents')}, {messages} message(s)")


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


def _tell_page(address: str) -> None:
    typer.echo(f"页面 page {address}  (Ctrl+C 结束 / to end)")


def _untold(service: Service, day: date, last: date, told: list[str]) -> str:
    """Why there is no narrative of a day."""
    if not told:
        hint = f"; `kapok sweep --date {day}` writes it" if day > last else ""
        return f"there is no narrative of {day}, the last is of {last}{hint}"
    names = "、".join(service.city.places[code].name_zh for code in told)
    return f"there is no narrative of this place; of {day} there are: {names}"


def _series_of(deployment: Deployment, rule: str) -> list[object]:
    from warning.ruleset import series_of

    return list(series_of(deployment.rules.rule(rule), deployment.city))


def _polarities(deployment: Deployment) -> str:
    negative = sum(i.polarity == "negative" for i in deployment.city.indicators.values())
    return f"{negative} negative, {len(deployment.city.indicators) - negative} positive"


def _this_year(deployment: Deployment) -> int:
    return deployment.clock().astimezone(deployment.config.zone).year
