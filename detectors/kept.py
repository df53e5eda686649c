"""What the level filter knew before a block of dates, kept as text by the content of all it had been told.

Whatever is another in the past, a corrected value, the begin of the window, a parameter, makes another key: then the
history is gone through again, from the newest block whose past is as it was.  What is kept can change no answer.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, MutableMapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.counts import Anchor, Counts, Judged, Way, after, first_anchor, nothing
from detectors.counts import judge as whole
from detectors.level import State
from detectors.recalibration import Tally
from detectors.shifts import Recent

Cache = MutableMapping[str, str]
KIND = "level 2"  # another number whenever what an anchor holds, or how it is come to, is changed

_STATE = ("events", "exposure", "score", "known", "untold")
_RECENT = ("value", "shape", "mean", "variance")
_TALLY = ("cells", "beyond", "excess")


def judge(counts: Counts, way: Way, cache: Cache | None = None) -> Judged:
    """Judge the last dates as ``counts.judge`` does, to the last bit.

    Args:
        counts: The series.
        way: How they are judged.
        cache: Anchors that were come to before, as text; the one before the dates asked for is put in.
    """
    if cache is None or not counts.values.size:
        return whole(counts, way)
    asked = int(counts.cut.of[len(counts.values) - way.last])
    names = _names(counts, way, asked)
    known = next((block for block in range(asked, 0, -1) if names[block] in cache), 0)
    found, anchor = nothing(counts, way), _read(cache[names[known]]) if known else first_anchor(counts, way)
    for block in range(known, len(counts.cut.first)):
        if known < block == asked:
            cache[names[block]] = _written(anchor)
        anchor = after(anchor, counts, way, block, found)
    return found


def _names(counts: Counts, way: Way, last: int) -> list[str]:
    """Return the key of what is known before each block up to ``last``: a digest of all that is told until then."""
    how = (counts.frequency, way.pace, way.delay, way.window, way.recalibrate, counts.values.shape[1])
    told = hashlib.blake2b(repr(how).encode() + counts.column.tobytes(), digest_size=20)
    names = [f"{KIND} {told.hexdigest()}"]
    for block in range(last):
        rows = slice(counts.cut.first[block], counts.cut.first[block + 1])
        dated = counts.dates[rows].astype(np.int64)
        parts = (counts.values[rows], counts.taught[rows], counts.shape[rows], counts.usual[block], counts.level[block])
        for part in (dated, *parts):
            told.update(part.tobytes())
        names.append(f"{KIND} {told.hexdigest()}")
    return names


def _written(anchor: Anchor) -> str:
    states, recent = anchor.states, [state.recent for state in anchor.states]
    parts = {name: _beside(getattr(state, name) for state in states) for name in _STATE}
    parts |= {name: _beside(getattr(one, name) for one in recent) for name in _RECENT}
    parts |= {name: np.array([getattr(tally, name) for tally in anchor.past]) for name in _TALLY}
    parts["series"] = np.array([len(state.known) for state in states])
    parts["window"] = np.array([one.window for one in recent])
    file = BytesIO()
    np.savez(file, allow_pickle=False, **parts)
    return base64.b64encode(file.getvalue()).decode()


def _read(text: str) -> Anchor:
    with np.load(BytesIO(base64.b64decode(text)), allow_pickle=False) as file:
        parts: dict[str, npt.NDArray[Any]] = dict(file)
    ends = np.cumsum(parts["series"])[:-1]
    states = []
    for window, *rest in zip(
        parts["window"].tolist(), *(_apart(parts[name], ends) for name in (*_STATE, *_RECENT)), strict=True
    ):
        events, exposure, score, known, untold, *recent = rest
        states.append(State(events, exposure, score, Recent(window, *recent), known, untold))
    past = zip(*(parts[name] for name in _TALLY), strict=True)
    return Anchor(tuple(states), tuple(Tally(*numbers) for numbers in past))


def _beside(parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(list(parts), axis=-1)


def _apart(part: npt.NDArray[Any], ends: npt.NDArray[np.int64]) -> list[npt.NDArray[Any]]:
    return [np.ascontiguousarray(one) for one in np.split(part, ends, axis=-1)]
