"""What a person must see to so that the service does its work: jobs, feeds, gaps in the data, mail.

Nothing found means that yesterday was judged from what the departments owe, and told to whom it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from warning.config import Schedule
from warning.facts import day_zh
from warning.service import Service
from warning.situation import Coverage
from warning.store import coverage as coverages_of
from warning.store import feed, outbox, quarantine, run
from warning.store import pull as pulls_of
from warning.store.feed import RefusedFile
from warning.store.outbox import Account
from warning.store.pull import Pull
from warning.store.run import Notice, Run
from warning.words import JOBS

STATUSES = {"failed": "失败", "missed": "错过", "timeout": "超时", "interrupted": "中断"}  # of a run that went wrong
BACK = timedelta(days=7)  # how long rows in quarantine are spoken of
A_DAY = timedelta(days=1)
NAMED = 3  # files or places named in one sentence


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store says of the service's own state."""

    last_runs: dict[str, Run | None]  # by job, in the order of the day
    account: Account
    refused: Sequence[RefusedFile]
    failing: Sequence[Pull]  # feeds that are fetched, and could not be
    coverages: Sequence[Coverage]  # of the last judged date
    judged: date | None  # the last date
    due: date  # yesterday: the date the next sweep judges, or the last one judged
    quarantined: Sequence[tuple[str, int]]  # files and their rows
    notices: Sequence[Notice]  # of the last day


def seen(service: Service, now: datetime) -> Seen:
    """Return the state of a service at an instant."""
    store = service.store
    last = coverages_of.last_date(store)
    ran = {name: next(iter(run.runs(store, job=name, limit=1)), None) for name in Schedule.model_fields if name in JOBS}
    return Seen(
        last_runs=ran,
        account=outbox.account(store),
        refused=feed.refused(store),
        failing=[last for last in pulls_of.failing(store) if last.feed in service.feeds],
        coverages=[] if last is None else list(coverages_of.on(store, last).values()),
        judged=last,
        due=service.config.yesterday(now),
        quarantined=quarantine.quarantined_since(store, now - BACK),
        notices=run.notices(store, now - A_DAY),
    )


def problems(service: Service, found: Seen) -> list[str]:
    """Return what must be seen to, in sentences, the gravest first; nothing when all is well."""
    return [
        *_judging(service, found),
        *_jobs(found),
        *_feeds(service, found),
        *_rules(service, found),
        *_telling(found),
    ]


def _judging(service: Service, found: Seen) -> Iterator[str]:
    if found.judged is None:
        yield "尚未研判过任何一天：数据送到后，由研判任务或 kapok sweep 完成"
    elif found.due - found.judged > A_DAY:  # before the morning's sweep it is one day
        yield f"最近一次研判的是{day_zh(found.judged)}的数据，应已研判到{day_zh(found.due)}"
    least = service.rules.colours.missing_share
    short = [c for c in found.coverages if c.watched and c.missing >= least * c.watched]
    if short:
        names = "、".join(service.city.places[c.place].name_zh for c in short[:NAMED])
        missing, watched = sum(c.missing for c in short), sum(c.watched for c in short)
        more = f"等 {len(short)} 处" if len(short) > NAMED else ""
        yield f"{names}{more}数据不足：应研判的 {watched} 个序列中有 {missing} 个缺报或无法研判，“正常”不可采信"


def _jobs(found: Seen) -> Iterator[str]:
    for name, last in found.last_runs.items():
        if last is not None and last.status in STATUSES:
            yield f"任务“{JOBS[name]}”最近一次运行{STATUSES[last.status]}{'：' + last.note if last.note else ''}"


def _feeds(service: Service, found: Seen) -> Iterator[str]:
    for last in found.failing[:NAMED]:
        since = "" if last.since is None else f"{day_zh(service.config.local_date(last.since))}起"
        name = service.feeds[last.feed].name_zh
        yield f"数据来源“{name}”{since}连续 {last.failures} 次未能获取：{last.reason.removeprefix(f'{last.feed}: ')}"
    if len(found.failing) > NAMED:
        yield f"另有 {len(found.failing) - NAMED} 个数据来源未能获取"
    alike: dict[str, list[str]] = {}
    for file in found.refused:
        alike.setdefault(file.reason.removeprefix(f"{file.name}: "), []).append(file.name)
    for reason, files in list(alike.items())[:NAMED]:
        more = f" 等 {len(files)} 个" if len(files) > NAMED else " "
        yield f"文件 {'、'.join(files[:NAMED])}{more}无法读入：{reason}"
    if len(alike) > NAMED:
        yield f"另有 {sum(map(len, list(alike.values())[NAMED:]))} 个文件因其他原因无法读入"
    if found.quarantined:
        rows = sum(count for _, count in found.quarantined)
        names = "、".join(name for name, _ in found.quarantined[:NAMED])
        more = f" 等 {len(found.quarantined)} 个文件" if len(found.quarantined) > NAMED else ""
        yield f"近 {BACK.days} 天有 {rows} 行数据被隔离、未被采用（{names}{more}）"


def _rules(service: Service, found: Seen) -> Iterator[str]:
    # Jobs and files are spoken of above.
    speaks = {rule.id for rule in service.rules.rules} | {"templates", "city/feeds"}
    told = {notice.about: notice.text for notice in found.notices if notice.about in speaks}
    for name, text in list(told.items())[:NAMED]:
        yield f"{name}：{text}"
    if len(told) > NAMED:
        yield f"近一天另有 {len(told) - NAMED} 条规则、模板或映射的通知"


def _telling(found: Seen) -> Iterator[str]:
    if found.account.failed:
        yield f"{found.account.failed} 封邮件最终未能送达"
