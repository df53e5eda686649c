"""Whether the feeds that are fetched, or sent to us, can do their work: their secrets, and whether they answer.

A part of ``kapok doctor``.  Nothing of an answer is kept, and no secret is ever printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from warning import pulling
from warning.config import secret
from warning.errors import ConfigError, SourceError
from warning.machine import Finding, Weight
from warning.mapping import Feed
from warning.service import Deployment


def feeds(deployment: Deployment, *, ask: bool) -> Iterator[Finding]:
    """Look at the secrets of every feed, and ask those that are fetched for the last two days if told to."""
    for feed in deployment.feeds.values():
        name = secret_of(feed)
        found = _secret(feed, name) if name else None
        if found is not None:
            yield found
        if feed.kind in ("sql", "http") and (found is None or found.weight is not Weight.FAULT):
            yield _asked(deployment, feed) if ask else Finding(_about(feed), Weight.WELL, *_NOT_ASKED)


def secret_of(feed: Feed) -> str:
    """Return the name of the environment variable a feed's secret is in, "" where it needs none."""
    if feed.sql is not None:
        return feed.sql.url_env
    if feed.http is not None:
        return feed.http.token_env
    return feed.push.token_env if feed.push is not None else ""


_NOT_ASKED = "没有试连；kapok doctor --feeds 试连", "was not asked; `kapok doctor --feeds` asks it"


def _secret(feed: Feed, name: str) -> Finding:
    try:
        found = secret(name)
    except ConfigError as error:
        return Finding(_about(feed), Weight.FAULT, f"{name} 不能用", error.faults[0])
    if not found:
        zh = f"没有 {name}，也没有 {name}_FILE；请在运行本服务的环境中设置"
        return Finding(_about(feed), Weight.FAULT, zh, "not set in this environment; set it where the service runs")
    file = os.environ.get(f"{name}_FILE", "")
    if file and Path(file).stat().st_mode & 0o044:
        zh = f"{file} 其他用户可读；请收紧权限"
        return Finding(_about(feed), Weight.HINT, zh, "other users may read the secret's file; chmod 600")
    return Finding(_about(feed), Weight.WELL, f"{name} 已设置", "its secret is set")


def _asked(deployment: Deployment, feed: Feed) -> Finding:
    until = deployment.config.local_date(deployment.clock())
    try:
        table = pulling.table_of(feed, until - timedelta(days=1), until)
    except (SourceError, ConfigError) as error:
        return Finding(_about(feed), Weight.FAULT, "没有应答，或应答不能用", str(error))
    rows = max(len(table.lines) - 1, 0)
    return Finding(
        _about(feed), Weight.WELL, f"有应答，近两日 {rows} 行", f"answers, {rows} row(s) of the last two days"
    )


def _about(feed: Feed) -> str:
    return f"数据来源 {feed.id}"
