"""The files of the watched folder: which are whole, which feed each is of, and their tables."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from warning.errors import SourceError
from warning.mapping import Feed
from warning.sources import text_files, workbooks
from warning.sources.columns import Body
from warning.sources.packed import MOST_BYTES, kind_of, unpacked
from warning.sources.shaping import is_long
from warning.sources.table import Table

NATIVE = ".csv"  # read without a mapping, too
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".download")  # names a program gives while it copies
SYSTEM = ("thumbs.db", "desktop.ini")  # what a file manager leaves behind
COPYING = timedelta(seconds=10)  # for so long after its last change a file may still be growing
SKEW = timedelta(minutes=1)  # a time further ahead of ours is of another clock and says nothing
STUCK = timedelta(days=1)  # after which a copy will not be finished any more
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def candidates(folder: Path, feeds: Mapping[str, Feed], at: datetime | None) -> list[Path]:
    """Return what lies in a watched folder and is to be read, or to be told of, by name.

    Left out are hidden files, and those that are being copied: their name says so, or they changed just now; and
    folders, unless a feed claims what lies in them.

    Args:
        folder: The watched folder.
        feeds: The mappings by name.
        at: The instant by the clock the files' times are of; None: whoever asks knows that all are whole.

    Raises:
        SourceError: if the folder cannot be listed.
    """
    try:
        shown = [
            path
            for path in folder.iterdir()
            if not path.name.startswith((".", "~$")) and path.name.lower() not in SYSTEM
        ]
        folders = {path for path in shown if path.is_dir()}
        asked = {path for path in folders if _holds_claimed(path, feeds)}
        return sorted({*asked, *(path for path in shown if path not in folders and _rests(path, at))})
    except OSError as error:
        raise SourceError(f"{folder}: 目录打不开 / cannot be listed: {error.strerror}; correct paths.feeds") from error


def state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written, None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def feed_for(name: str, feeds: Mapping[str, Feed]) -> Feed | None:
    """Return the feed that claims a file, None for a CSV file nobody claims.

    Raises:
        SourceError: if several feeds claim it, or none does and it is no CSV file.
    """
    if Path(name).suffix.lower() in UNFINISHED:
        raise SourceError(f"{name}: 没有传完，请重新送 / its copying was never finished; send it again")
    owners = [feed for feed in feeds.values() if claims(feed, name)]
    if len(owners) > 1:
        raise SourceError(
            f"{name}: 有几个映射认领，请改 files / claimed by {' and '.join(feed.id for feed in owners)};"
            " correct files in city/feeds/"
        )
    if not owners and kind_of(name) != NATIVE:
        raise SourceError(
            f"{name}: 没有映射认领这个文件，请用 kapok feed add 写一个"
            " / no feed in city/feeds/ claims it; describe it with `kapok feed add`"
        )
    return owners[0] if owners else None


def content_of(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        SourceError: if it cannot be read or is too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SourceError(
                f"{path.name}: 大于 {MOST_BYTES // 1_000_000} MB，请分开送"
                f" / larger than {MOST_BYTES // 1_000_000} MB; send it in parts"
            )
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: 读不出 / cannot be read: {error.strerror}") from error


def tables_of(name: str, content: bytes, sheets: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a file, packed by gzip or not; what it is its content says, not its name.

    Raises:
        SourceError: if it is neither text nor an .xlsx workbook, or holds nothing.
    """
    content = unpacked(name, content)
    if content.startswith(_OLD_WORKBOOK):
        raise SourceError(
            f"{name}: 旧式 .xls 或加了密码的工作簿，请另存为不加密的 .xlsx"
            " / an old .xls workbook, or one locked by a password; save it as .xlsx without one"
        )
    zipped = content.startswith(b"PK")
    tables = workbooks.tables(name, content, sheets) if zipped else text_files.tables(name, content)
    if not tables:
        raise SourceError(f"{name}: 文件是空的 / the file is empty")
    return tables


def bodies_of(name: str, content: bytes, sheets: Sequence[str] = ()) -> list[Body]:
    """Return the tables of a file as ``tables_of`` does, a large even one column by column.

    Raises:
        SourceError: as ``tables_of``.
    """
    content = unpacked(name, content)
    if content.startswith((_OLD_WORKBOOK, b"PK")):
        return [Body(table) for table in tables_of(name, content, sheets)]
    even = text_files.even(name, content)
    return [even] if even is not None else [Body(table) for table in tables_of(name, content, sheets)]


def read_by(feed: Feed, name: str, content: bytes) -> list[Body]:
    """Return the tables of a file as what reads them takes them: events and long tables column by column.

    Raises:
        SourceError: as ``tables_of``.
    """
    if feed.events is not None or is_long(feed):
        return bodies_of(name, content, feed.sheets)
    return [Body(table) for table in tables_of(name, content, feed.sheets)]


def fingerprint(content: bytes, feed: Feed) -> str:
    """Return what stands for a content read by a mapping: another mapping may understand more of it."""
    return hashlib.sha256(feed.shape().encode() + b"\0" + content).hexdigest()


def claims(feed: Feed, name: str) -> bool:
    """Say whether a file of this name is of a feed."""
    found = unicodedata.normalize("NFC", name).casefold()
    return any(fnmatchcase(found, unicodedata.normalize("NFC", pattern).casefold()) for pattern in feed.files)


def require_file(path: Path) -> None:
    """Complain of a folder.

    Raises:
        SourceError: if it is one.
    """
    if path.is_dir():
        raise SourceError(
            f"{path.name}: 子文件夹中的文件不读，请直接放进 {path.parent}"
            f" / a folder, whose files are not read; lay them into {path.parent} itself"
        )


def _holds_claimed(folder: Path, feeds: Mapping[str, Feed]) -> bool:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return False
    return any(claims(feed, name) for name in names for feed in feeds.values())


def _rests(path: Path, at: datetime | None) -> bool:
    """Say whether a file is whole, as far as its name and its time tell; one that never will be counts as such."""
    named = path.suffix.lower() in UNFINISHED
    if at is None:
        return not named
    try:
        age = at.timestamp() - path.stat().st_mtime
    except OSError:  # a link that leads nowhere: it is told of when it is read
        return not named
    if named:
        return age > STUCK.total_seconds()
    return not -SKEW.total_seconds() < age < COPYING.total_seconds()
