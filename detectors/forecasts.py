"""Forecasts from an anchor day to the next, and what is remembered of them.

What a fit is worth to the detector is a line of numbers for each series: what is expected of each date ahead, what
it says of the last dates before, what a special day adds, and how far off the fit was.  A line is kept under the
content it was made from, so a sweep between two anchors fits nothing, and a value corrected before the anchor makes
another line.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass
from importlib.metadata import version
from threading import Lock

import numpy as np
import numpy.typing as npt

from detectors import stan
from detectors.additive.columns import columns_of, special_names
from detectors.additive.solve import fit
from detectors.fits import Beat, all_fits
from detectors.panel import FREQUENCIES, Dates, Floats
from detectors.spread import Moments, moments_of
from detectors.stan import BENT, Model, Task

FORM = 3  # of a line; another one, and none that was kept is used
MOMENTS = len(Moments._fields)
BACK = {"daily": 196, "weekly": 52}  # dates before the anchor the level is followed from
REMEMBERED = 2_000  # lines, a few kilobytes each
SLAB = 2_048  # series fitted at once: what bounds the memory

Cache = MutableMapping[str, str]  # a line's content -> the line as text


class _Memory(OrderedDict[str, str]):
    """What Prophet itself fitted for this process's callers that keep nothing: it can change no answer."""

    def __setitem__(self, key: str, text: str) -> None:
        super().__setitem__(key, text)
        while len(self) > REMEMBERED:
            self.popitem(last=False)


_memory = _Memory()
_lock = Lock()


@dataclass(frozen=True, eq=False)
class Window:
    """N series before an anchor: everything their fits depend on."""

    dates: Dates  # (T,)
    values: Floats  # (T, N); NaN where not reported
    special: Floats  # (T, C) zeros and ones
    frequency: str
    ahead: int  # dates forecast

    @property
    def dates_back(self) -> Dates:
        """The B dates before the anchor a line says something of; the first may lie before the window."""
        step = FREQUENCIES[self.frequency]
        return np.asarray(self.dates[-1] - step * np.arange(BACK[self.frequency])[::-1])

    @property
    def dates_ahead(self) -> Dates:
        """The A dates forecast."""
        step = FREQUENCIES[self.frequency]
        return np.asarray(self.dates[-1] + step * np.arange(1, self.ahead + 1))

    def take(self, which: npt.NDArray[np.int64]) -> Window:
        """Return the window of some of the series."""
        return Window(self.dates, self.values[:, which], self.special, self.frequency, self.ahead)

    def keys(self, model: Model) -> list[str]:
        """Return for each series a hash of its content and of what fits it, in hexadecimal digits."""
        by = version("prophet") if model.engine == "stan" else ""
        shared = hashlib.blake2b(repr((FORM, by, model, self.frequency, self.ahead)).encode(), digest_size=16)
        shared.update(self.dates.astype("datetime64[D]").tobytes() + self.special.astype(np.int8).tobytes())
        found = []
        for series in np.where(np.isnan(self.values), np.nan, self.values).T:  # one kind of NaN
            own = shared.copy()
            own.update(series.tobytes())
            found.append(own.hexdigest())
        return found


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of N series for the A dates ahead; a line is NaN where none could be made."""

    base: Floats  # (N, A) expected of a date that is not special
    weight: Floats  # (N, A) what the effects are multiplied with: 1, or the trend
    past: Floats  # (N, B) what the fit says of the last dates before; NaN where the window has none
    effects: Floats  # (N, C) of the special days
    moments: Floats  # (N, MOMENTS), see spread.Moments

    def take(self, which: npt.NDArray[np.int64]) -> Forecasts:
        """Return the forecasts of some of the series."""
        return Forecasts(*(part[which] for part in (self.base, self.weight, self.past, self.effects, self.moments)))

    def expected(self, ahead: npt.NDArray[np.int64], special: Floats) -> Floats:
        """Return (K, N) what is expected of some dates ahead, given their special days, (K, C)."""
        return np.asarray((self.base[:, ahead] + self.weight[:, ahead] * (self.effects @ special.T)).T)


def forecasts_of(
    window: Window, model: Model, *, cache: Cache | None = None, spawned: bool = False, beat: Beat | None = None
) -> Forecasts:
    """Return the forecasts of every series, from the cache where they are known.

    Args:
        window: The series before their anchor.
        model: What is fitted, and by which engine.
        cache: Lines made before, as text; new ones are put in.  What failed is not kept and tried again.
        spawned: Whether Prophet's own fits are made in processes of their own.
        beat: Told how far it is; what it raises ends the fits.
    """
    if cache is None and model.engine == "stan":
        cache = _memory
    lines = _fitted(window, model, spawned, beat) if cache is None else _kept(window, model, cache, spawned, beat)
    return Forecasts(*np.split(lines, _edges(window), axis=1))


def _kept(window: Window, model: Model, cache: Cache, spawned: bool, beat: Beat | None) -> Floats:
    keys = window.keys(model)
    with _lock:
        kept = {key: cache[key] for key in keys if key in cache}
    missing = np.array([n for n, key in enumerate(keys) if key not in kept], dtype=np.int64)
    lines = np.empty((len(keys), _length(window)))
    for n, key in enumerate(keys):
        if key in kept:
            lines[n] = np.frombuffer(base64.b64decode(kept[key]))
    if len(missing):
        lines[missing] = _fitted(window.take(missing), model, spawned, beat)
    made = missing[np.isfinite(lines[missing, 0])]
    with _lock:
        cache.update((keys[n], base64.b64encode(lines[n].tobytes()).decode()) for n in made)
    return lines


def _edges(window: Window) -> list[int]:
    """Return where the parts of a line end, but for the last."""
    lengths = (window.ahead, window.ahead, BACK[window.frequency], window.special.shape[1])
    return [sum(lengths[: n + 1]) for n in range(len(lengths))]


def _length(window: Window) -> int:
    return _edges(window)[-1] + MOMENTS


def _fitted(window: Window, model: Model, spawned: bool, beat: Beat | None) -> Floats:
    if model.engine == "panel":
        return _by_panel(window, model, beat)
    return _by_stan(window, model, spawned, beat)


def _by_panel(window: Window, model: Model, beat: Beat | None) -> Floats:
    """Return the lines of all series, by the model for the whole panel at once."""
    columns = columns_of(window.dates, window.frequency, window.special)
    ordinary = columns_of(window.dates_ahead, window.frequency, np.zeros((window.ahead, window.special.shape[1])))
    rows = len(window.dates) + np.arange(window.ahead)
    lines = np.full((window.values.shape[1], _length(window)), np.nan)
    suited = np.flatnonzero(~np.isinf(window.values).any(axis=0) & ((~np.isnan(window.values)).sum(axis=0) >= 2))
    for start in range(0, len(suited), SLAB):
        which = suited[start : start + SLAB]
        values = window.values[:, which]
        fitted = fit(columns, values, flexibility=model.flexibility, beat=beat)
        base = fitted.ahead(rows) + (ordinary.features @ fitted.beta.T) * fitted.scale  # (A, n)
        effects = fitted.beta[:, columns.yearly + columns.weekly :] * fitted.scale[:, None]
        spent = 2 + (fitted.beta != 0).sum(axis=1) + (np.abs(fitted.delta) > BENT).sum(axis=1)
        within = fitted.within(columns)
        past = np.full((len(which), BACK[window.frequency]), np.nan)
        past[:, -len(within) :] = within[-past.shape[1] :].T
        made = np.hstack([base.T, np.ones_like(base.T), past, effects, moments_of(values, within, spent)])
        lines[which] = np.where(fitted.ended[:, None], made, np.nan)
    return lines


def _by_stan(window: Window, model: Model, spawned: bool, beat: Beat | None) -> Floats:
    """Return the lines of all series, each fitted by Prophet itself."""
    names, ahead, reported = special_names(window.frequency), window.dates_ahead, ~np.isnan(window.values)
    tasks = [
        Task(window.dates[rows], series[rows], window.special[rows], names, ahead, model, window.dates_back)
        for series, rows in zip(window.values.T, reported.T, strict=True)
    ]
    found = all_fits(tasks, stan.fitted, spawned=spawned, beat=beat)
    nothing = np.full(_length(window), np.nan)
    return np.array([nothing if line is None else line for line in found])
