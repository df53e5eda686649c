"""Other programs' forecasts, timed on the same series in environments of their own.

statsforecast pins pandas below 3, so nothing of theirs may come into ours: pip makes an environment in a temporary
folder for each, and forgets it.  One that cannot be installed is named as not run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from detectors.panel import Floats

INSTALLING, TIMING = 900, 1_800  # seconds that each may take

HEAD = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
values = np.load(sys.argv[1])

def told(fit):
    fit(values[:, 0])  # compiled, imported, warmed up
    begin = time.process_time()
    for series in values.T:
        fit(series)
    return (time.process_time() - begin) / values.shape[1]

"""

STATSFORECAST = """
from statsforecast.models import MSTL, AutoETS
def forecast_by(model):
    return lambda series: model.forecast(y=series, h=7, level=[80])
print(json.dumps({"MSTL [7, 365]": told(forecast_by(MSTL(season_length=[7, 365]))),
                  "AutoETS": told(forecast_by(AutoETS(season_length=7)))}))
"""

STATSMODELS = """
from statsmodels.tsa.seasonal import MSTL
print(json.dumps({"MSTL (7, 365), no forecast": told(lambda series: MSTL(series, periods=(7, 365)).fit())}))
"""


@dataclass(frozen=True)
class Peer:
    """A package from PyPI, and what is timed of it."""

    package: str
    program: str


PEERS = (Peer("statsforecast", STATSFORECAST), Peer("statsmodels", STATSMODELS))


def report(values: Floats, ours: float, *, asked: bool) -> None:
    """Print what each peer costs for a series, beside ours in seconds; ``values`` are (T, N) without gaps."""
    for peer in PEERS:
        costs = _timed(peer, values) if asked else "only with --peers"
        if isinstance(costs, str):
            print(f"{peer.package}: not run ({costs})")
            continue
        for name, cost in costs.items():
            print(f"{peer.package} {name}: {1e3 * cost:.0f} ms a series, {cost / ours:,.0f} times ours")


def _timed(peer: Peer, values: Floats) -> dict[str, float] | str:
    """Return the seconds a series of each of its methods, or why there are none."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        np.save(home / "values.npy", values)
        venv.create(home / "own", with_pip=True)
        python = home / "own" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        installing = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", peer.package]
        running = [str(python), "-c", HEAD + peer.program, str(home / "values.npy")]
        try:
            subprocess.run(installing, check=True, capture_output=True, text=True, timeout=INSTALLING)
            told = subprocess.run(running, check=True, capture_output=True, text=True, timeout=TIMING)
        except subprocess.TimeoutExpired as error:
            return f"not done after {error.timeout:.0f} s"
        except subprocess.CalledProcessError as error:
            return str(error.stderr).strip().splitlines()[-1]
    found: dict[str, float] = json.loads(told.stdout)
    return found
