"""What is kept of many series at once: BLOBs of arrays, the numbers of the series they speak of, a checksum.

Everything is little-endian, so that a database may move between machines.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.panel import Floats

Integers = npt.NDArray[np.int64]

_BITS, _NUMBERS = b"b", b"n"
_LISTED = np.dtype("<i4")  # a number of a series in a list


def packed(numbers: Integers) -> bytes:
    """Return ascending numbers of series as bits or as a list, whichever is shorter."""
    highest = int(numbers[-1]) if len(numbers) else -1
    if _LISTED.itemsize * len(numbers) < highest // 8:
        return _NUMBERS + numbers.astype(_LISTED).tobytes()
    bits = np.zeros(highest + 1, dtype=np.uint8)
    bits[numbers] = 1
    return _BITS + np.packbits(bits, bitorder="little").tobytes()


def unpacked(content: bytes) -> Integers:
    """Return the numbers ``packed`` wrote, ascending."""
    if content[:1] == _NUMBERS:
        return np.frombuffer(content, dtype=_LISTED, offset=1).astype(np.int64)
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8, offset=1), bitorder="little")
    return np.flatnonzero(bits)


def floats(content: bytes) -> Floats:
    """Return the float64 values of a BLOB."""
    return np.frombuffer(content, dtype="<f8")


def of_floats(values: Floats) -> bytes:
    """Return float64 values as a BLOB."""
    return values.astype("<f8", copy=False).tobytes()


def checksum(numbers: Sequence[int], *parts: bytes) -> int:
    """Return a number that is another where a bit of a number or of a BLOB is."""
    found = zlib.crc32(np.array(numbers, dtype="<i8").tobytes())
    for part in parts:
        found = zlib.crc32(len(part).to_bytes(8, "little"), found)
        found = zlib.crc32(part, found)
    return found
