"""Dates, instants and numbers between Python and SQLite, which has neither dates nor NaN."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

EPOCH = date(1970, 1, 1)


def day_of(day: date) -> int:
    """Return days since 1970-01-01."""
    return (day - EPOCH).days


def date_of(day: int) -> date:
    """Return the date of a number of days since 1970-01-01."""
    return EPOCH + timedelta(days=day)


def seconds_of(instant: datetime) -> int:
    """Return whole seconds since 1970, rounded down: receipt and ``known_at`` are compared to the second.

    Raises:
        ValueError: if the instant has no offset.
    """
    return math.floor(_aware(instant).timestamp())


def instant_of_seconds(seconds: int) -> datetime:
    """Return the UTC instant of a number of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def text_of(instant: datetime) -> str:
    """Return ISO text in UTC of fixed width, so that the order of texts is the order of instants.

    Raises:
        ValueError: if the instant has no offset.
    """
    return _aware(instant).astimezone(UTC).isoformat(timespec="microseconds")


def instant_of(text: str) -> datetime:
    """Return the instant that ``text_of`` wrote."""
    return datetime.fromisoformat(text)


def number_of(found: float | None) -> float:
    """Return NaN for what SQLite keeps as NULL."""
    return math.nan if found is None else found


def null_of(number: float) -> float | None:
    """Return None for NaN, as SQLite keeps it."""
    return None if math.isnan(number) else float(number)


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no offset; instants are aware UTC")
    return instant
