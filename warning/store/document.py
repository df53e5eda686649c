"""Narratives and briefings, beside the facts they may use; the last text for a place and date counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from warning.model import Document
from warning.store.connection import Store
from warning.store.encoding import instant_of, text_of

_COLUMNS = "kind, place, date, created, title, text, html, facts"


def save(store: Store, documents: Iterable[Document]) -> int:
    """Store documents that are new or whose content changed, and return how many.  Writes.

    One that says the same as before keeps its ``created``.
    """
    return store.change_all(
        f"INSERT INTO document ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        " ON CONFLICT (kind, place, date) DO UPDATE SET created = excluded.created, title = excluded.title,"
        " text = excluded.text, html = excluded.html, facts = excluded.facts"
        " WHERE (title, text, html, facts) <> (excluded.title, excluded.text, excluded.html, excluded.facts)",
        [
            (d.kind, d.place, d.date.isoformat(), text_of(d.created), d.title, d.text, d.html, d.facts)
            for d in documents
        ],
    )


def document(store: Store, kind: str, place: str, day: date) -> Document | None:
    """Return one document, or None."""
    return next(iter(_documents(store, "kind = ? AND place = ? AND date = ?", (kind, place, day.isoformat()))), None)


def documents(store: Store, kind: str, day: date) -> list[Document]:
    """Return the documents of a kind for a date, by place."""
    return _documents(store, "kind = ? AND date = ?", (kind, day.isoformat()))


def _documents(store: Store, condition: str, parameters: tuple[str, ...]) -> list[Document]:
    found = store.rows(f"SELECT {_COLUMNS} FROM document WHERE {condition} ORDER BY place", parameters)  # noqa: S608
    return [_document(row) for row in found]


def _document(row: tuple[Any, ...]) -> Document:
    kind, place, day, created, title, text, html, facts = row
    return Document(kind, place, date.fromisoformat(day), instant_of(created), title, text, html, facts)
