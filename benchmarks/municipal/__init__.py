"""Four deployments on real counts of cities: laid in a folder, their files imported by mappings as they lie there.

Each folder is a deployment as `kapok check --config benchmarks/municipal/NAME/config.toml` reads it: a city, its
feeds, a plain set of rules.  The files are public records (see NOTICE) and are not part of this repository, but for a
small cut in ``tests/municipal``.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warning.service import Deployment, load_deployment, writing_to

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "municipal"


@dataclass(frozen=True)
class Town:
    """A deployment, and which of the data's files lie in its watched folder under which name."""

    name: str
    files: Mapping[str, str]  # name in the watched folder -> name among the data


TOWNS = (
    Town(
        "nyc",
        {
            "nyc_complaints_daily.csv.gz": "nyc_complaints_daily.csv.gz",
            "nyc_complaints_daily.total.csv.gz": "nyc_complaints_daily.csv.gz",  # once more, for the sum of all
            "nyc_complaints_daily_132_indicators.csv.gz": "nyc_complaints_daily_132_indicators.csv.gz",
        },
    ),
    Town(
        "nyc_boards",
        {"nyc_complaints_weekly_by_community_board.csv.gz": "nyc_complaints_weekly_by_community_board.csv.gz"},
    ),
    Town("rio", {"rio_police_monthly.csv.gz": "rio_police_monthly.csv.gz"}),
    Town(
        "us_cities",
        {
            "us_cities_weekly.csv.gz": "us_cities_weekly.csv.gz",
            "us_cities_weekly_published_forecast.csv.gz": "us_cities_weekly_published_forecast.csv.gz",
        },
    ),
)


def laid(town: Town, folder: Path, data: Path = DATA) -> Deployment:
    """Return a deployment that writes to a folder, with its files laid there.

    Args:
        town: One of ``TOWNS``.
        folder: Empty or missing.
        data: Where the files lie; of a cut some may be missing.
    """
    feeds = folder / "feeds"
    feeds.mkdir(parents=True)
    for name, source in town.files.items():
        if (data / source).exists():
            shutil.copyfile(data / source, feeds / name)
    return writing_to(load_deployment(HERE / town.name / "config.toml"), folder)
