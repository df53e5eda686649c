"""What is missing on this machine, or at risk: looked at before a deployment goes live, and when something is odd.

Nothing is changed.  What ``kapok check`` finds in the files is told here, too, so that one look is enough.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from warning.checking import check
from warning.config import Config, read_config
from warning.errors import ConfigError, ConfigErrors
from warning.machine import Finding, Machine, Weight, fonts, kind_of, office, python, sqlite
from warning.paths import PACKAGE
from warning.reaching import feeds
from warning.service import clock_of, read_deployment
from warning.store import lock, soundness
from warning.web.server import bound

GIB, MIB = 1 << 30, 1 << 20
LITTLE, NONE = GIB, 100 * MIB  # free space to speak of, and with which no day is safely swept
SKEW = timedelta(minutes=5)  # by which clocks may differ
NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|glusterfs|davfs|vboxsf|drvfs|fuse\.(sshfs|glusterfs|davfs2|s3fs|rclone)"
)
FOLDERS = {"feeds": "数据目录", "database": "数据库目录", "maildir": "邮件目录", "documents": "周报目录"}


def examine(path: Path | None, machine: Machine | None = None, *, ask: bool = False) -> list[Finding]:
    """Return everything that was looked at, of a deployment or, without one, of the machine alone.

    Args:
        path: The deployment's configuration, None where there is none.
        machine: What is asked of the machine.
        ask: Whether the feeds that are fetched are asked; nothing of their answers is kept.
    """
    asked = machine or Machine()
    found = [*python(asked), sqlite(), *fonts(asked), office(asked)]
    if path is None:
        text = "此处没有部署，只检查了本机", "no deployment here, only the machine was looked at; `kapok init` lays one"
        return [Finding("部署 deployment", Weight.HINT, *text), *found]
    config, errors = read_config(path)
    found = [*_files(path), *found]
    if config is None:
        return found
    found += [*_folders(config), *_disk(config, asked), _file_system(config, asked), *_database(config)]
    if errors:
        return found
    found += [*_clock(config, asked), *_page(config), *_mail(config, asked)]
    deployment, _ = read_deployment(config)
    return found if deployment is None else [*found, *feeds(deployment, ask=ask)]


def _files(path: Path) -> Iterator[Finding]:
    try:
        check(path)
    except ConfigError as error:
        for one in error.errors if isinstance(error, ConfigErrors) else (error,):
            for fault in one.faults:
                yield Finding("部署 deployment", Weight.FAULT, f"{one.where} 有错，见 kapok check", fault)
        return
    yield Finding("部署 deployment", Weight.WELL, f"{path} 所涉文件没有错误", "no fault in its files")


def _folders(config: Config) -> Iterator[Finding]:
    for name, zh in FOLDERS.items():
        folder = _folder(config, name)
        about = f"{zh} {name}"
        if not folder.is_dir():
            yield _not_there(name, folder, about)
            continue
        needed, words = (os.R_OK, "读") if name == "feeds" else (os.W_OK, "写")
        if not _may(folder, needed | os.X_OK):
            what = "read" if name == "feeds" else "written"
            yield Finding(about, Weight.FAULT, f"{folder} 不可{words}；请授权给运行本服务的用户", f"may not be {what}")
        elif folder.stat().st_mode & 0o002:
            text = f"{folder} 任何用户都可写入；请收紧权限", "anybody may write there; chmod o-w"
            yield Finding(about, Weight.HINT, *text)
        else:
            yield Finding(about, Weight.WELL, f"{folder} 可{words}", "its rights are as needed")
    database = config.path("database")
    if database.is_file():
        yield from _ownership(database)


def _not_there(name: str, folder: Path, about: str) -> Finding:
    above = _existing(folder)
    if name == "database" or not above.is_dir() or not _may(above, os.W_OK | os.X_OK):
        return Finding(about, Weight.FAULT, f"没有 {folder}，请建立", f"it is missing: mkdir -p {folder}")
    return Finding(about, Weight.WELL, f"{folder} 尚无，用到时建立", "is made when it is needed")


def _ownership(database: Path) -> Iterator[Finding]:
    if not _may(database, os.R_OK | os.W_OK):
        text = f"{database} 不可写；请授权给运行本服务的用户", "the database may not be written"
        yield Finding("数据库 database", Weight.FAULT, *text)
    elif database.stat().st_uid != os.geteuid():
        text = (
            f"{database} 属于另一用户；请以运行本服务的用户再检查一次",
            "belongs to another user; ask again as that one",
        )
        yield Finding("数据库 database", Weight.HINT, *text)


def _disk(config: Config, machine: Machine) -> Iterator[Finding]:
    disks: dict[int, list[str]] = {}
    places: dict[int, Path] = {}
    for name in ("database", "maildir", "documents"):
        place = _existing(_folder(config, name))
        device = place.stat().st_dev
        disks.setdefault(device, []).append(FOLDERS[name])
        places.setdefault(device, place)
    database = config.path("database")
    size = database.stat().st_size if database.is_file() else 0
    for device, names in disks.items():
        free = machine.free(places[device])
        wanted = max(LITTLE, size) if FOLDERS["database"] in names else LITTLE  # room for a copy of the database
        weight = Weight.FAULT if free < NONE else Weight.HINT if free < wanted else Weight.WELL
        said = f"{'、'.join(names)}所在磁盘剩余 {free / GIB:.1f} GB"
        zh, en = (said, "enough room") if weight is Weight.WELL else (f"{said}，请腾出空间", "little room; free some")
        yield Finding("磁盘 disk", weight, zh, f"{places[device]}: {en}")


def _file_system(config: Config, machine: Machine) -> Finding:
    folder = _existing(_folder(config, "database"))
    kind = kind_of(folder, machine.mounts())
    if NETWORK.fullmatch(kind):
        zh = f"数据库在网络文件系统（{kind}）上，可能损坏；请放到本机磁盘"
        return Finding("数据库 database", Weight.HINT, zh, "on a network file system, where it may be damaged")
    fault = soundness.try_folder(folder) if _may(folder, os.W_OK | os.X_OK) else None
    if fault:
        return Finding("数据库 database", Weight.FAULT, f"{folder} 中不能建数据库：{fault}", "none can be made there")
    return Finding("数据库 database", Weight.WELL, f"文件系统 {kind or '未知'}", "the file system will do")


def _database(config: Config) -> Iterator[Finding]:
    database = config.path("database")
    if not database.is_file():
        return
    fault = soundness.look(database).fault
    if fault:
        yield Finding("数据库 database", Weight.FAULT, f"{database} 不能用", fault)
    else:
        yield Finding("数据库 database", Weight.WELL, f"{database} 完好", "is sound")


def _clock(config: Config, machine: Machine) -> Iterator[Finding]:
    about, now = "时钟 clock", machine.clock()
    wall = f"{now.astimezone(ZoneInfo(config.deployment.timezone)):%Y-%m-%d %H:%M}（{config.deployment.timezone}）"
    behind = False
    newest = _newest_file(config)
    if newest is not None and newest[1] > now + SKEW:
        behind = True
        text = f"系统时钟 {wall} 早于文件 {newest[0]} 的时间；请校时", "the system's clock is behind a file's time"
        yield Finding(about, Weight.HINT, *text)
    try:
        ours = machine.clock() if config.clock.file is None else clock_of(config)()
    except ConfigError:
        return  # told among the files
    database = config.path("database")
    noted = soundness.look(database).newest if database.is_file() else None
    if noted is not None and noted > ours + SKEW:
        behind = True
        last = f"{noted.astimezone(config.zone):%Y-%m-%d %H:%M}"
        zh = f"时钟早于数据库最近的记录（{last}），其后的数据将被视为未知；请校时"
        yield Finding(about, Weight.FAULT, zh, "the clock is behind what the database notes")
    if not behind:
        yield Finding(about, Weight.WELL, wall, "not behind any file or record")


def _newest_file(config: Config) -> tuple[str, datetime] | None:
    """The file of the watched folder, or of the program, that is newest by its own time."""
    folder = config.path("feeds")
    times = [(PACKAGE / "__init__.py").stat().st_mtime]
    names = [PACKAGE.name]
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                times.append(entry.stat().st_mtime)
                names.append(entry.name)
    except OSError:  # told among the folders
        pass
    newest = max(range(len(times)), key=times.__getitem__)
    try:
        return names[newest], datetime.fromtimestamp(times[newest], UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _page(config: Config) -> Iterator[Finding]:
    host, port = config.web.host, config.web.port
    about = "页面端口 port"
    if lock.held(config.path("database")):
        yield Finding(about, Weight.WELL, "kapok serve 正在运行", "`kapok serve` is running")
        return
    try:
        bound(str(config.file), host, port).close()
    except ConfigError as error:
        yield Finding(about, Weight.FAULT, f"{host}:{port} 不能用", error.faults[0])
        return
    yield Finding(about, Weight.WELL, f"{host}:{port} 可用", "is free")


def _mail(config: Config, machine: Machine) -> Iterator[Finding]:
    about = "邮件 mail"
    if config.mail.channel == "file":
        text = "邮件写进目录，不发给任何人（mail.channel）", "mails go to a folder and to nobody"
        yield Finding(about, Weight.WELL, *text)
        return
    host, port = config.mail.smtp.host, config.mail.smtp.port
    if machine.answers(host, port):
        yield Finding(about, Weight.WELL, f"{host}:{port} 有应答", "the mail server answers")
    else:
        text = f"{host}:{port} 没有应答，邮件会等着", "the mail server does not answer; mails wait"
        yield Finding(about, Weight.HINT, *text)


def _may(path: Path, mode: int) -> bool:
    """Whether the user we act as may; which is not always the one who began."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _folder(config: Config, name: str) -> Path:
    path = config.path(name)
    return path.parent if name == "database" else path


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
