"""Six real municipal feeds as panels, with the quiet periods in which an alarm counts as false.

A row of the files is a count above zero.  What is not there is 0 in New York, and not collected in Rio and the US
cities.  Left out as known shocks: a blizzard, the first wave, a hurricane and the turnover of the council in New York,
all from 9 March 2020 on in the US cities.  The files lie in ``../shared/data/municipal``, see its README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from detectors import Panel, Scores

if TYPE_CHECKING:
    import pandas as pd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "municipal"
SHOCKS = (
    ("2016-01-18", "2016-02-07"),
    ("2020-03-01", "2020-09-30"),
    ("2021-08-30", "2021-09-19"),
    ("2022-01-01", "2022-04-30"),
)
PANDEMIC = np.datetime64("2020-03-09")


@dataclass(frozen=True)
class Feed:
    """A file, what its series are by, and how often it reports."""

    name: str
    file: str
    keys: tuple[str, str]  # of the indicator, of the place
    frequency: str


FEEDS = (
    Feed("New York, 51 x 29 daily", "nyc_complaints_daily.csv.gz", ("category", "district"), "daily"),
    Feed("New York, 51 x 29 weekly", "nyc_complaints_daily.csv.gz", ("category", "district"), "weekly"),
    Feed("New York, 5 x 132 daily", "nyc_complaints_daily_132_indicators.csv.gz", ("indicator", "borough"), "daily"),
    Feed(
        "New York boards weekly",
        "nyc_complaints_weekly_by_community_board.csv.gz",
        ("category", "community_board"),
        "weekly",
    ),
    Feed("Rio monthly", "rio_police_monthly.csv.gz", ("category", "CISP"), "monthly"),
    Feed("US cities weekly", "us_cities_weekly.csv.gz", ("category", "area"), "weekly"),
)
DAILY, WEEKLY, KINDS, BOARDS, RIO, CITIES = FEEDS


@dataclass(frozen=True)
class Real:
    """A feed as a panel."""

    panel: Panel
    quiet: npt.NDArray[np.bool_]  # (T,)
    indicators: tuple[str, ...]  # N
    places: tuple[str, ...]  # N

    def take(self, wanted: Callable[[int], bool]) -> Real:
        """Return the series whose number is wanted."""
        columns = [n for n in range(len(self.places)) if wanted(n)]
        indicators, places = (tuple(names[n] for n in columns) for names in (self.indicators, self.places))
        return Real(self.panel.take(columns), self.quiet, indicators, places)

    def sample(self, at_most: int) -> Real:
        """Return at most so many of the series, evenly chosen."""
        step = -(-len(self.places) // at_most)
        return self.take(lambda n: n % step == 0)

    def beyond(self, scores: Scores, surprise: float) -> tuple[int, float, float]:
        """Return how many quiet cells are judged, the share beyond a surprise, and with an effect, too."""
        judged = np.isfinite(scores.surprise) & self.quiet[-len(scores.surprise) :, None]
        high = judged & (scores.surprise >= surprise)
        # with five events and half as many more
        much = (scores.observed - scores.expected >= 5) & (scores.observed >= 1.5 * scores.expected)
        return int(judged.sum()), high.sum() / judged.sum(), (high & much).sum() / judged.sum()


def feeds(*frequencies: str) -> Iterator[tuple[Feed, Real]]:
    """Yield the feeds of some frequencies; none where the folder is absent, which is said."""
    if not DATA.is_dir():
        print(f"real feeds: left out, {DATA} is absent")
        return
    for feed in FEEDS:
        if feed.frequency in frequencies:
            yield feed, read(feed)


def read(feed: Feed) -> Real:
    """Return a feed over all its dates."""
    import pandas as pd

    rows = pd.read_csv(DATA / feed.file, parse_dates=["date"])
    if feed is RIO:
        rows = rows[~rows.category.str.startswith(("total_", "indicador_"))]  # sums of others, and no counts
    if feed.frequency == "weekly":
        rows["date"] -= pd.to_timedelta(rows.date.dt.day_of_week, unit="D")
    values = (
        rows.groupby(["date", *feed.keys])["count"].sum(min_count=1).unstack([*feed.keys]).reindex(_dates(feed, rows))
    )
    if feed not in (RIO, CITIES):
        values = values.fillna(0.0)
    days = values.index.to_numpy().astype("datetime64[D]")
    panel = Panel(days, list(values.columns), values.to_numpy(float), feed.frequency)
    indicators, places = (tuple(values.columns.get_level_values(n).astype(str)) for n in range(2))
    return Real(panel, _quiet(feed, days), indicators, places)


def _dates(feed: Feed, rows: pd.DataFrame) -> pd.DatetimeIndex:
    import pandas as pd

    if feed is RIO:
        return pd.date_range(rows.date.min(), rows.date.max(), freq="MS")
    if feed is CITIES:
        return pd.date_range("2016-01-04", rows.date.max(), freq="W-MON")
    if feed.frequency == "weekly":
        return pd.date_range("2015-01-05", "2023-11-20", freq="W-MON")
    return pd.date_range("2015-01-01", "2023-11-30")


def _quiet(feed: Feed, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    if feed is RIO:
        return np.ones(len(days), dtype=bool)
    if feed is CITIES:
        return np.asarray(days < PANDEMIC)
    shocked: npt.NDArray[np.bool_] = np.logical_or.reduce(
        [(days >= np.datetime64(first)) & (days <= np.datetime64(last)) for first, last in SHOCKS]
    )
    return ~shocked
