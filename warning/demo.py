"""``kapok demo``: a simulated city, its last week swept as it would have been live, and where to look."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from warning import jobs, pipeline, screen, weekly
from warning.city import load_city
from warning.config import Config, load_config
from warning.errors import ConfigError
from warning.facts import LEVEL_ZH
from warning.jobs import Task
from warning.layout import lay_out, set_values
from warning.model import Level
from warning.scoring import Beat
from warning.service import Service, open_service
from warning.simulate import Plan, simulate, write
from warning.store import alert, document, outbox

TODAY = date(2026, 11, 23)  # a Monday, so that there is a full week to brief on
DAYS = 1096
SWEPT = 7
SWEEP, MAIL, BRIEFING = time(7, 30), time(8, 0), time(8, 30)  # as the shipped schedule has them
STREETS_OF = ("440115",)  # Nansha is rolled up from its streets
LAID = ".kapok-demo"  # marks a folder that a demo may replace


@dataclass(frozen=True)
class Shown:
    """What a demo made, for the lines that say where to look."""

    service: Service
    events: int
    swept: pipeline.Swept


def run_demo(folder: Path, *, once: bool, tell: Callable[[str], None] = lambda _: None) -> None:
    """Lay, simulate, sweep and say where to look; then serve the page unless ``once``, and tell its address.

    Raises:
        ConfigError: if the folder holds something that is not an earlier demo.
    """
    config = lay_demo(folder)
    with open_service(config) as service:
        shown = _played(service)
        set_clock(folder, _at(TODAY, BRIEFING, service.config.zone))
        _say(shown, folder, once=once)
    if not once:
        from warning.daemon import run_daemon
        from warning.service import load_deployment

        run_daemon(load_deployment(config), tell=tell)


def lay_demo(folder: Path) -> Path:
    """Lay a deployment with three simulated years of feeds, replacing an earlier demo, and return its configuration."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / LAID).exists():
            raise ConfigError(str(folder), ["is not empty and is not an earlier demo; name another with --folder"])
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LAID).touch()
    lay_out(folder)
    config = folder / "config.toml"
    settings = load_config(config)
    set_values(config, demo_values(settings))
    city = load_city(folder / "city")
    plan = Plan(TODAY - timedelta(days=DAYS), DAYS, streets_of=STREETS_OF)
    answers = folder / "var" / "answers"
    with screen.progress("模拟 simulate", 100) as beat:
        simulated = simulate(city, plan, progress=lambda step, _: beat(step))
        write(simulated, folder / "var" / "feeds", answers=answers, progress=lambda step, _: beat(step))
    shutil.copyfile(answers / "breaks.toml", folder / "city" / "breaks.toml")
    set_clock(folder, _at(TODAY, SWEEP, settings.zone))
    return config


def demo_values(settings: Config) -> dict[str, str]:
    """Return what a demo sets otherwise than the shipped configuration: made-up data, a clock, the page it serves."""
    page = f"http://{settings.web.host}:{settings.web.port}/"
    return {"deployment.simulated": "true", "clock.file": '"var/clock"', "mail.page": f'"{page}"'}


def set_clock(folder: Path, instant: datetime) -> None:
    """Move the clock file of a demo."""
    target = folder / "var" / "clock"
    fresh = target.with_suffix(".new")
    fresh.write_text(instant.isoformat() + "\n", encoding="ascii")
    fresh.replace(target)


def _played(service: Service) -> Shown:
    zone = service.config.zone
    with screen.progress("读入 import", 60) as beat:
        accounts = jobs.take_in(service, _at(TODAY, SWEEP, zone), progress=screen.counted(beat))
    screen.show_accounts(accounts[-3:])
    events = 0
    with screen.progress("研判 sweep", SWEPT * 40) as beat:
        for back in range(SWEPT, 0, -1):
            day, morning = TODAY - timedelta(days=back), TODAY - timedelta(days=back - 1)
            swept = pipeline.sweep(service, day, now=_at(morning, SWEEP, zone), beat=partial(_dated, beat, day))
            events += len(swept.events)
            jobs.send(_task(service, _at(morning, SWEEP, zone), beat))
            mailed = _task(service, _at(morning, MAIL, zone), beat)
            jobs.daily_mail(mailed)
            jobs.send(mailed)
    with screen.progress("周报 briefing", 14) as beat:
        printed = _task(service, _at(TODAY, BRIEFING, zone), beat)
        weekly.write_week(service, TODAY - timedelta(days=7), now=printed.now, beat=beat)
        jobs.send(printed)
    return Shown(service, events, swept)


def _say(shown: Shown, folder: Path, *, once: bool) -> None:
    service, day = shown.service, shown.swept.day
    kapok, where = _typed(Path(sys.argv[0])), f"--config {folder / 'config.toml'}"
    config = service.config
    screen.show_colours({c.place: c for c in shown.swept.coverages}, service.city)
    live = [found for found in alert.live(service.store) if found.active > Level.CALM]
    screen.show_alerts(live, service.city)
    colours = Counter(c.colour for c in shown.swept.coverages)
    words = "、".join(f"{LEVEL_ZH[level]}{colours[level]}" for level in sorted(colours, reverse=True))
    opened = [found for found in alert.alerts(service.store) if found.opened > day - timedelta(days=SWEPT)]
    account = outbox.account(service.store)
    show = screen.say
    show(f"模拟数据，数据日期 {day} / simulated data of {day}")
    show(f"  监测序列 series watched   {shown.swept.watched}, 数据不足 no data {shown.swept.missing}")
    show(f"  地区颜色 places by colour {words}")
    show(f"  风险提示 alerts opened    {len(opened)} in {SWEPT} days, {shown.events} event(s)")
    show(f"  邮件 mails                {account.sent} in {config.path('maildir') / 'new'}")
    texts = len(document.documents(service.store, "narrative", day))
    show(f"  研判 narratives           {texts}, e.g.:")
    show(f"    {kapok} narrative 黄埔区 {where}")
    show(f"  周报 weekly text          {config.path('documents')}")
    show(f"  数据库 database           {config.path('database')}")
    show(f"  再看 look again           {kapok} status {where}")
    if once:
        show(f"  页面 page                 {kapok} serve {where}")


def _typed(program: Path) -> str:
    """Return how the program that runs can be called from here."""
    if program.name != "kapok":
        return "kapok"
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)


def _dated(beat: Beat, day: date, step: str) -> None:
    beat(f"{day} {step}")


def _task(service: Service, now: datetime, beat: Beat) -> Task:
    return Task(service, now, now, beat)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """An instant by the centre's wall clock."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
