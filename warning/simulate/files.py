"""A simulated past as the files a watched folder receives."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from warning.simulate.plan import OFFSET, Label, Simulated

if TYPE_CHECKING:
    import pandas as pd

LABEL_COLUMNS = ("id", "kind", "indicator", "place", "first", "last", "factor", "extra", "carried_by")
DELIVERED = "T0600-daily.csv"  # what came overnight is put into the folder at six


def write(
    simulated: Simulated,
    folder: Path,
    *,
    daily_after: date | None = None,
    answers: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> list[Path]:
    """Write a simulated past as long CSV files, and its labels beside them.

    History is one file for each department and year, e.g. ``history-2024-07.csv``: the
    seventh department of the catalogue.

    Args:
        simulated: What to write.
        folder: Made if it is missing.
        daily_after: What is received after this date goes into one file for each
            morning, e.g. ``2026-11-20T0600-daily.csv``; None: all is history.
        answers: Where ``labels.csv`` goes, and ``breaks.toml``, the changes of counting rules as a
            city's folder states them; None: the same folder.
        progress: Told the step, and the part of it that is done, 0 to 1.

    Returns:
        The files in the order in which they would be delivered; the answers last.

    Raises:
        OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = _as_text(simulated.rows)
    groups = table.groupby(_names(simulated, daily_after), sort=False)
    order = sorted(groups.groups, key=lambda name: (not str(name).startswith("history"), str(name)))
    written: list[Path] = []
    for name in order:
        path = folder / str(name)
        groups.get_group(name).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        written.append(path)
        if progress is not None:
            progress("writing", len(written) / len(order))
    answers = answers or folder
    answers.mkdir(parents=True, exist_ok=True)
    return [
        *written,
        _write_breaks(simulated.labels, answers / "breaks.toml"),
        _write_labels(simulated.labels, answers / "labels.csv"),
    ]


def _names(simulated: Simulated, daily_after: date | None) -> pd.Series[str]:
    """Return the name of each row's file, as a category."""
    import pandas as pd

    rows = simulated.rows
    department = {name: number for number, name in enumerate(dict.fromkeys(simulated.departments.values()), 1)}
    number = np.array([department[simulated.departments[indicator]] for indicator in rows["indicator"].cat.categories])
    year = rows["date"].dt.year.to_numpy()
    morning = (rows["received_at"].astype("int64").to_numpy() // 60 + OFFSET) // 1440
    history = year * 1000 + number[rows["indicator"].cat.codes.to_numpy()]
    after = np.inf if daily_after is None else (daily_after - date(1970, 1, 1)).days
    key, inverse = np.unique(np.where(morning > after, -morning, history), return_inverse=True)
    names = [
        f"{np.datetime64(-code, 'D')}{DELIVERED}" if code < 0 else f"history-{code // 1000}-{code % 1000:02d}.csv"
        for code in key.tolist()
    ]
    return pd.Series(pd.Categorical.from_codes(inverse, pd.Index(names)), index=rows.index)


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a feed, every distinct value put into words once."""
    import pandas as pd

    def worded(column: npt.NDArray[Any], words: Callable[[list[Any]], list[str]]) -> pd.Categorical[str]:
        distinct, inverse = np.unique(column, return_inverse=True)
        return pd.Categorical.from_codes(inverse, pd.Index(words(distinct.tolist())))

    second = rows["received_at"].astype("int64").to_numpy() + OFFSET * 60
    return pd.DataFrame(
        {
            "indicator": rows["indicator"],
            "place": rows["place"],
            "date": worded(rows["date"].to_numpy().astype("datetime64[D]"), lambda days: [str(day) for day in days]),
            "value": worded(rows["value"].to_numpy(), lambda values: [f"{value:.12g}" for value in values]),
            "received_at": worded(
                second, lambda seconds: [f"{np.datetime64(instant, 's')}+08:00" for instant in seconds]
            ),
        }
    )


def _write_labels(labels: tuple[Label, ...], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LABEL_COLUMNS)
        writer.writerows(
            [getattr(label, column) for column in LABEL_COLUMNS[:-1]] + [" ".join(label.carried_by)] for label in labels
        )
    return path


def _write_breaks(labels: tuple[Label, ...], path: Path) -> Path:
    entries = [
        f'[[break]]\ndate = {label.first}\nindicators = ["{label.indicator}"]\nplaces = ["{label.place}"]\n'
        f'reason = "口径调整（模拟）"\n'
        for label in labels
        if label.kind == "break"
    ]
    path.write_text(
        "\n".join(["# 模拟数据的口径变化。For breaks.toml of the city these rows are fed to.\n", *entries]),
        encoding="utf-8",
    )
    return path
