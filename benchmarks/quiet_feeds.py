"""Real municipal feeds as panels, with the periods that are quiet, read by ``../shared/tools/real_feeds.py``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors import Panel, Scores

TOOLS = Path(__file__).resolve().parents[2] / "shared" / "tools" / "real_feeds.py"
FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly"}


@dataclass(frozen=True)
class QuietFeed:
    """A feed of at most so many of its series, evenly chosen."""

    name: str
    panel: Panel
    quiet: npt.NDArray[np.bool_]  # (T,)

    def beyond(self, scores: Scores, surprise: float) -> tuple[float, float]:
        """Return the share of quiet judged cells beyond a surprise; and of those with five events and half more."""
        judged = np.isfinite(scores.surprise) & self.quiet[-len(scores.surprise) :, None]
        high = judged & (scores.surprise >= surprise)
        much = (scores.observed - scores.expected >= 5) & (scores.observed >= 1.5 * scores.expected)
        return high.sum() / judged.sum(), (high & much).sum() / judged.sum()


def reader() -> Any:
    """Return the module that reads the feeds; None where the folder is absent, which is said."""
    if not TOOLS.exists():
        print(f"real feeds: left out, {TOOLS} is absent")
        return None
    spec = importlib.util.spec_from_file_location("real_feeds", TOOLS)
    assert spec is not None
    assert spec.loader is not None
    feeds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(feeds)
    return feeds


def quiet_feeds(frequencies: Sequence[str], at_most: int) -> Iterator[QuietFeed]:
    """Yield the feeds of some frequencies; none where the folder is absent."""
    if (feeds := reader()) is None:
        return
    for name in feeds.FEEDS:
        table, letter, quiet = feeds.load(name)
        if FREQUENCIES[letter] not in frequencies:
            continue
        table = table.iloc[:, :: -(-table.shape[1] // at_most)]
        dates = table.index.to_numpy().astype("datetime64[D]")
        # columns are (place, category): one group a category
        keys = [(column[-1], column[:-1]) for column in table.columns]
        yield QuietFeed(name, Panel(dates, keys, table.to_numpy(float), FREQUENCIES[letter]), np.asarray(quiet))
