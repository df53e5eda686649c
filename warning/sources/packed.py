"""Files packed by gzip, as large tables are sent: unpacked, with a limit to what may come out of them."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from warning.errors import SourceError

MOST_BYTES = 300_000_000  # of a file, unpacked
_MAGIC = b"\x1f\x8b"


def unpacked(name: str, content: bytes) -> bytes:
    """Return what is in a packed file, and the content of any other as it is.

    Raises:
        SourceError: if it is damaged or too large unpacked.
    """
    if not content.startswith(_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            found = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name}: the packed file is damaged or not whole; send it again") from error
    if len(found) > MOST_BYTES:
        raise SourceError(f"{name}: larger than {MOST_BYTES // 1_000_000} MB unpacked; send it in parts")
    return found


def kind_of(name: str) -> str:
    """Return the last part of a file's name, of a packed one that of what is in it: .csv of a.csv.gz."""
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
