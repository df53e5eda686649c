"""Numbers for series, so that bulky tables need not repeat two names in every row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from warning.model import SeriesKey
from warning.store.connection import Store
from warning.store.packing import Integers

_MET: WeakKeyDictionary[Store, tuple[tuple[int, int], Mapping[SeriesKey, int]]] = WeakKeyDictionary()


def ids(store: Store) -> Mapping[SeriesKey, int]:
    """Return the number of every series the database has met."""
    ((version,),) = store.rows("PRAGMA data_version")  # another after every change somebody else made
    state = version, highest(store)
    state_then, known = _MET.get(store, ((-1, -1), {}))
    if state == state_then:
        return known
    found = store.rows("SELECT id, indicator, place FROM series ORDER BY id")
    known = {SeriesKey(indicator, place): id for id, indicator, place in found}
    if not store.writing:  # a number given in a transaction that fails may be another's in the next
        _MET[store] = state, known
    return known


def ids_of(store: Store, keys: Iterable[SeriesKey]) -> dict[SeriesKey, int]:
    """Return the numbers of some series, giving new ones a number.  Writes."""
    known = ids(store)
    wanted = list(dict.fromkeys(keys))
    unknown = [key for key in wanted if key not in known]
    if unknown:
        store.change_all("INSERT INTO series (indicator, place) VALUES (?, ?)", unknown)
        known = ids(store)
    return {key: known[key] for key in wanted}


def columns(store: Store, keys: Sequence[SeriesKey]) -> str:
    """Return the numbers of N series as a JSON list, for ``json_each``: its key is the column, null was never met."""
    known = ids(store)
    return json.dumps([known.get(key) for key in keys])


def numbers(store: Store, keys: Sequence[SeriesKey]) -> Integers:
    """Return (N,) the numbers of series, -1 for one that was never met."""
    known = ids(store)
    return np.array([known.get(key, -1) for key in keys], dtype=np.int64)


def highest(store: Store) -> int:
    """Return the highest number of a series, 0 before the first."""
    found = store.row("SELECT max(id) FROM series")
    return 0 if found is None or found[0] is None else int(found[0])
