"""A deployment whose store holds three judged days, written by hand: what the page is looked at with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from detectors.panel import Reason, Scores
from warning.model import (
    Alert,
    Document,
    Event,
    Level,
    Message,
    QuarantineEntry,
    Rows,
    SeriesKey,
    Signal,
    Stage,
    Transition,
)
from warning.paths import shipped
from warning.service import Deployment, Service, load_deployment, opened
from warning.situation import Coverage
from warning.store import alert as alerts_of
from warning.store import coverage as coverages_of
from warning.store import document, feed, outbox, run
from warning.store import score as scores_of
from warning.store.score import Way
from warning.web.server import Server

DAY = date(2026, 11, 21)  # a Saturday
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # Sunday 07:30 in Guangzhou
TIANHE, YUEXIU, PANYU, NANSHA, HUADU = "440106", "440104", "440113", "440115", "440114"
FRAUD, COMPLAINTS = "ss_wa_telecom_fraud", "ss_wa_finance_complaints"
RED, ORANGE, YELLOW, FALLEN, OVER = (f"GZ-20261121-000{n}" for n in range(1, 6))
HOSTILE = '<script>alert("x")</script>.csv'

RULES = f"""
area = "ss_wa"
[[rule]]
id = "ss_wa.surge"
name_zh = "短期异常升高"
indicators = ["{FRAUD}"]
tier = "district"
detector = "ears"
yellow = {{ surprise = 3.0 }}
[[rule]]
id = "ss_wa.weekly"
name_zh = "每周偏高"
indicators = ["{COMPLAINTS}"]
tier = "district"
detector = "ears"
yellow = {{ surprise = 3.0 }}
"""


def deployment_in(
    folder: Path, *, simulated: bool = True, city: Path | None = None, rules: str = RULES, page: str = ""
) -> Deployment:
    """Lay a deployment with an empty store."""
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "wallet.toml").write_text(rules, encoding="utf-8")
    (folder / "clock").write_text(NOW.isoformat(), encoding="ascii")
    (folder / "config.toml").write_text(
        f"[deployment]\nsimulated = {str(simulated).lower()}\n"
        f'[paths]\ncity = "{city or shipped("city")}"\ndatabase = "kapok.db"\n'
        f'[clock]\nfile = "clock"\n[web]\nport = 0\n[mail]\npage = "{page}"\n',
        encoding="utf-8",
    )
    return load_deployment(folder / "config.toml")


def judged_in(folder: Path, *, simulated: bool = True, page: str = "") -> Deployment:
    """Lay a deployment with three judged days, the last of them with something of every kind."""
    deployment = deployment_in(folder, simulated=simulated, page=page)
    service = opened(deployment)
    stamp = "【模拟】" if simulated else ""
    with service.store.write():
        _observe(service)
        for back in range(3):
            coverages_of.save(service.store, _coverages(service, DAY - timedelta(days=back)))
        alerts_of.save(service.store, ALERTS)
        alerts_of.append_events(service.store, EVENTS)
        document.save(service.store, _documents())
        _run_jobs(service)
        _write_mails(service, stamp)
    service.store.close()
    return deployment


def signal(level: Level, place: str, day: date = DAY, observed: float = 31.0) -> Signal:
    """Return what the daily rule says of a place."""
    return Signal(
        rule="ss_wa.surge",
        indicator=FRAUD,
        place=place,
        date=day,
        level=level,
        detector="ears",
        observed=observed,
        expected=12.5,
        lower=4.0,
        upper=22.5,
        surprise=5.2,
        window=1,
        rules_version="00000000",
    )


def _alert(number: str, place: str, level: Level, peak: Level, *, stage: Stage = Stage.RAISED) -> Alert:
    evidence = (signal(level, place),) if level > Level.CALM else ()
    opened_on = DAY - timedelta(days=1)
    return Alert(number, FRAUD, place, level, peak, stage, date(2026, 11, 18), opened_on, DAY, 0, evidence)


ALERTS = (
    _alert(YELLOW, PANYU, Level.YELLOW, Level.YELLOW),
    _alert(RED, TIANHE, Level.RED, Level.RED),
    replace(_alert(ORANGE, YUEXIU, Level.ORANGE, Level.ORANGE, stage=Stage.ACKNOWLEDGED), quiet=2),
    _alert(FALLEN, NANSHA, Level.CALM, Level.ORANGE),
    replace(_alert(OVER, HUADU, Level.CALM, Level.YELLOW, stage=Stage.CLOSED), updated=DAY - timedelta(days=1)),
)


def _event(number: str, sequence: int, back: int, transition: Transition, before: Level, after: Level) -> Event:
    return Event(number, sequence, DAY - timedelta(days=back), NOW - timedelta(days=back), transition, before, after)


EVENTS = (
    _event(RED, 1, 1, Transition.OPENED, Level.CALM, Level.YELLOW),
    _event(RED, 2, 0, Transition.RAISED, Level.YELLOW, Level.RED),
    _event(ORANGE, 1, 1, Transition.OPENED, Level.CALM, Level.ORANGE),
    _event(YELLOW, 1, 1, Transition.OPENED, Level.CALM, Level.YELLOW),
    _event(FALLEN, 1, 1, Transition.OPENED, Level.CALM, Level.ORANGE),
    _event(FALLEN, 2, 0, Transition.LOWERED, Level.ORANGE, Level.CALM),
    _event(OVER, 1, 1, Transition.OPENED, Level.CALM, Level.YELLOW),
)


def _coverages(service: Service, day: date) -> list[Coverage]:
    colours = {TIANHE: Level.RED, YUEXIU: Level.ORANGE, PANYU: Level.YELLOW, HUADU: Level.MISSING}
    if day < DAY:
        colours = {YUEXIU: Level.ORANGE}
    return [
        Coverage(place.code, day, 44, 30 if place.code == HUADU else 1, colours.get(place.code, Level.CALM))
        for place in service.city.at_tier("district")
    ]


def _observe(service: Service) -> None:
    """Ninety days of one series and its band, and a file with an unusable row under a hostile name."""
    days = np.datetime64(DAY) + np.arange(-89, 1)
    values = 12.0 + 4 * np.sin(np.arange(90) * 2 * np.pi / 7).round() + np.arange(90) % 3
    values[-4:] += 14
    values[-1] = 31
    keys = [SeriesKey(FRAUD, TIANHE)]
    rows = Rows(
        name=HOSTILE,
        sha256=hashlib.sha256(b"fraud").hexdigest(),
        keys=tuple(keys),
        series=np.zeros(90, dtype=np.int64),
        dates=days,
        values=values,
        received=np.full(90, int(NOW.timestamp()) - 3600),
        late=np.arange(90) == 5,
        quarantined=(QuarantineEntry(HOSTILE, 92, "value", "<b>12</b>", "不是数字"),),
    )
    feed.import_rows(service.store, rows, feed="police", received=NOW - timedelta(hours=1))
    level, nothing = np.full((90, 1), 14.0), np.full((90, 1), np.nan)
    reason = np.full((90, 1), Reason.JUDGED, dtype=np.int8)
    scores = Scores(values[:, None], level, level - 8, level + 9, nothing, nothing, reason)
    scores_of.save_scores(service.store, Way("daily", "ears", ""), keys, days, scores, NOW)


def _documents() -> list[Document]:
    story = '<article class="narrative" lang="zh-CN"><h2>{0}风险研判</h2><p>{0}整体为红色。</p></article>'
    week = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>周报</title>'
        "<style>h1{color:#8c1d2f}</style></head><body><h1>周报</h1></body></html>"
    )
    facts = '[{"id": "440100/2026-11-21..2026-11-21/cutoff", "value": "2026-11-22T05:41:00+08:00"}]'
    narratives = [
        Document("narrative", code, DAY, NOW, name, f"{name}整体为红色。", story.format(name), facts)
        for code, name in (("440100", "广州市"), (TIANHE, "天河区"))
    ]
    return [*narratives, Document("briefing", "440100", date(2026, 11, 16), NOW, "周报", "周报", week, "[]")]


def _run_jobs(service: Service) -> None:
    for job, status, note in (("feeds", "done", ""), ("sweep", "done", ""), ("briefing", "failed", "磁盘已满")):
        number = run.begin(service.store, job, NOW - timedelta(minutes=1), NOW - timedelta(minutes=1))
        run.finish(service.store, number, NOW, status, note)
    run.notice(service.store, NOW, "ss_wa.surge", "ears: needs 8 dates & found <5>")


def _write_mails(service: Service, stamp: str) -> None:
    for n, recipient in enumerate(("duty@example.invalid", "leader@example.invalid", "gone@example.invalid")):
        message = Message(
            f"<{n}@kapok.invalid>",
            "alert",
            TIANHE,
            DAY,
            recipient,
            f"{stamp}【红色风险提示】天河区",
            "文",
            "<p>文</p>",
            NOW,
        )
        outbox.enqueue(service.store, [(message, [(RED, "raised")])])
    outbox.mark_sent(service.store, "<0@kapok.invalid>", NOW)
    outbox.mark_failed(
        service.store,
        "<2@kapok.invalid>",
        NOW,
        "127.0.0.1 answered 550 no such user",
        permanent=True,
        next_try=NOW,
    )


def served(deployment: Deployment) -> Iterator[httpx.Client]:
    """Serve a deployment, as long as the client is used."""
    server = Server(deployment)
    with httpx.Client(base_url=server.start(), trust_env=False) as client:
        yield client
    server.stop()
