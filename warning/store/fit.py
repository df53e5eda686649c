"""Fits a detector made, and what its filters knew, so that they outlive the process.  They can change no answer.

A fit is kept while sweeps ask for it, however many series a city has; of the others the newest are.  What a filter
knew of all series at once is large, and kept while the sweeps that save ask for it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping

from warning.store.connection import Store

KEPT = 2_000  # the newest beside those asked for; a few hundred bytes each
LARGE = 20_000  # bytes of a text from which on it is none of a few hundred bytes


class Memory(MutableMapping[str, str]):
    """The fits of a store as they were when first asked for, and those made since, which ``save`` keeps."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self._known = dict(known)
        self.fresh: dict[str, str] = {}
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        text = self._known[key]
        self.asked.add(key)
        return text

    def __setitem__(self, key: str, text: str) -> None:
        self._known[key] = self.fresh[key] = text

    def __delitem__(self, key: str) -> None:
        del self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def memory(store: Store) -> Memory:
    """Return the fits that are stored."""
    return Memory((key, text) for key, text in store.rows("SELECT key, text FROM fit ORDER BY id"))


def save(store: Store, made: Memory) -> None:
    """Store the fits made since, and forget the others but the newest and those asked for.  Writes."""
    store.change_all("INSERT OR IGNORE INTO fit (key, text) VALUES (?, ?)", list(made.fresh.items()))
    newest = "SELECT id FROM fit WHERE length(text) < ? ORDER BY id DESC LIMIT ?"
    older = store.rows(f"SELECT id, key FROM fit WHERE id NOT IN ({newest})", (LARGE, KEPT))  # noqa: S608
    used = made.asked | made.fresh.keys()
    store.change_all("DELETE FROM fit WHERE id = ?", [(number,) for number, key in older if key not in used])
