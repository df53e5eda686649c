"""The files of the watched folder: which are whole, which feed each is of, and their tables."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from warning.errors import SourceError
from warning.mapping import Feed
from warning.sources import text_files, workbooks
from warning.sources.table import Table

MOST_BYTES = 300_000_000
NATIVE = ".csv"  # read without a mapping, too
TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".xlsb", ".et", ".ods")  # nobody's is not left lying in silence
UNFINISHED = (".part", ".tmp", ".crdownload")
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def candidates(folder: Path, feeds: Mapping[str, Feed]) -> list[Path]:
    """Return the files of a watched folder that are whole and hold a table, by name.

    Raises:
        SourceError: if the folder cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if _is_whole(path, feeds.values()))
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed: {error.strerror}; correct paths.feeds") from error


def feed_for(name: str, feeds: Mapping[str, Feed]) -> Feed | None:
    """Return the feed that claims a file, None for a CSV file nobody claims.

    Raises:
        SourceError: if several feeds claim it, or none does and it is no CSV file.
    """
    owners = [feed for feed in feeds.values() if claims(feed, name)]
    if len(owners) > 1:
        raise SourceError(
            f"{name}: claimed by {' and '.join(feed.id for feed in owners)}; correct files in city/feeds/"
        )
    if not owners and Path(name).suffix.lower() != NATIVE:
        raise SourceError(f"{name}: no feed in city/feeds/ claims it; describe it with `kapok feed add`")
    return owners[0] if owners else None


def content_of(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        SourceError: if it cannot be read or is too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SourceError(f"{path.name}: larger than {MOST_BYTES // 1_000_000} MB; send it in parts")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: cannot be read: {error.strerror}") from error


def tables_of(name: str, content: bytes, sheets: Sequence[str] = ()) -> list[Table]:
    """Return the tables of a file; what it is its content says, not its name.

    Raises:
        SourceError: if it is neither text nor an .xlsx workbook, or holds nothing.
    """
    if content.startswith(_OLD_WORKBOOK):
        raise SourceError(f"{name}: an old .xls workbook, or one locked by a password; save it as .xlsx without one")
    zipped = content.startswith(b"PK")
    tables = workbooks.tables(name, content, sheets) if zipped else text_files.tables(name, content)
    if not tables:
        raise SourceError(f"{name}: the file is empty")
    return tables


def fingerprint(content: bytes, feed: Feed) -> str:
    """Return what stands for a content read by a mapping: another mapping may understand more of it."""
    return hashlib.sha256(feed.shape().encode() + b"\0" + content).hexdigest()


def claims(feed: Feed, name: str) -> bool:
    """Say whether a file of this name is of a feed."""
    found = unicodedata.normalize("NFC", name).casefold()
    return any(fnmatchcase(found, unicodedata.normalize("NFC", pattern).casefold()) for pattern in feed.files)


def _is_whole(path: Path, feeds: Iterable[Feed]) -> bool:
    suffix = path.suffix.lower()
    if path.name.startswith((".", "~$")) or suffix in UNFINISHED or not path.is_file():
        return False
    return suffix in TABLES or any(claims(feed, path.name) for feed in feeds)
