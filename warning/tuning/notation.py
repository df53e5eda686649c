"""A series in a few words, for tests of rules: ``(30 28 27 29 31 40 42)x60 60 30x5``.

Values stand apart by blanks.  ``30x5`` is five times 30; ``(1 2)x3`` is 1 2 1 2 1 2; ``10+2x4`` is 10 12 14 16;
``_`` is not reported.  ``~40x365`` draws 365 counts around 40 as chance makes them (Poisson), ``~40/8x365`` more
scattered ones (negative binomial of size 8), ``~(30 28 40)x60`` around each of a group; the same ones whenever asked.
"""

from __future__ import annotations

import math
import re

import numpy as np

from detectors.panel import Floats

LONGEST = 4000  # values of a series
DEEPEST = 4  # groups in each other

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<open>~?\()|(?P<close>\))(?P<again>x[0-9]+)?"
    rf"|(?P<value>_|(?P<noise>~)?(?P<first>{_NUMBER})(?:/(?P<size>{_NUMBER}))?(?P<step>[+-]{_NUMBER})?)(?P<times>x[0-9]+)?)"
)
_SIZE = re.compile(rf"/({_NUMBER})")


def series(text: str) -> Floats:
    """Return the values, NaN where none is reported.

    Raises:
        ValueError: naming what was not understood, or that the series is empty or too long.
    """
    reader = _Reader(text)
    values = reader.group(0, close=False)
    if not values:
        raise ValueError("values is empty; write e.g. '30x60 60'")
    return np.array(values, dtype=np.float64)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.draws = 0  # so far: each has a chance of its own

    def group(self, depth: int, *, close: bool) -> list[float]:
        """Read values up to the end of the group."""
        if depth > DEEPEST:
            raise ValueError(f"groups stand more than {DEEPEST} deep in each other")
        found: list[float] = []
        while self.text[self.at :].strip():
            match = _TOKEN.match(self.text, self.at)
            if match is None or not self._ends(match.end()):
                raise ValueError(
                    f"{self.text[self.at :].strip()[:20]!r} is not understood; write e.g. 30, 30x5, (1 2)x3, _"
                )
            self.at = match.end()
            if match["open"]:
                found += self._inner(depth, noisy=match["open"].startswith("~"))
            elif match["close"]:
                if not close:
                    raise ValueError("a ')' without its '('")
                self.times = match["again"]
                return found
            else:
                found += self._values(match)
            if len(found) > LONGEST:
                raise ValueError(f"the series has more than {LONGEST} values")
        if close:
            raise ValueError("a '(' without its ')'")
        return found

    def _ends(self, at: int) -> bool:
        """A token ends where a blank or a bracket follows."""
        following = self.text[at : at + 1]
        return following in ("", ")", "(") or following.isspace() or self.text[at - 1] == "("

    def _inner(self, depth: int, *, noisy: bool) -> list[float]:
        values = self.group(depth + 1, close=True)
        times = _count(self.times)
        if len(values) * times > LONGEST:
            raise ValueError(f"the series has more than {LONGEST} values")
        repeated = values * times
        return self._drawn(repeated, math.inf) if noisy else repeated

    def _values(self, match: re.Match[str]) -> list[float]:
        times = _count(match["times"])
        if match["value"] == "_":
            return [math.nan] * times
        first, step = float(match["first"]), float(match["step"] or 0)
        values = [first + step * n for n in range(times)]
        if min(values) < 0:
            raise ValueError(f"{match[0].strip()!r} falls below 0")
        if match["noise"] is None:
            if match["size"] is not None:
                raise ValueError(f"{match[0].strip()!r}: a size belongs to '~', e.g. ~40/8")
            return values
        return self._drawn(values, float(match["size"] or "inf"))

    def _drawn(self, means: list[float], size: float) -> list[float]:
        if size <= 0:
            raise ValueError("the size of a negative binomial is above 0")
        self.draws += 1
        generator = np.random.default_rng([20261122, self.draws])
        around = np.nan_to_num(np.array(means))
        if math.isfinite(size):
            around = generator.gamma(size, around / size)
        drawn = generator.poisson(around).astype(np.float64)
        return [math.nan if math.isnan(mean) else float(value) for mean, value in zip(means, drawn, strict=True)]


def _count(times: str | None) -> int:
    found = 1 if times is None else int(times[1:][:9])
    if not 0 < found <= LONGEST:
        raise ValueError(f"{times!r}: a value stands there 1 to {LONGEST} times")
    return found
