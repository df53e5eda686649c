"""What a mapping is: what the files, queries and answers of a department look like.

``city/feeds/NAME.toml`` names the feed NAME; ``feedset`` reads and checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from warning.checked import Checked
from warning.city import Names
from warning.config import Cron
from warning.event_mapping import Events
from warning.model import Place

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"  # of a feed
FOLDER = "feeds"  # within the city's folder
NATIVE = "csv"  # the feed of files that no mapping claims
GUESSED = "guessed"  # the id of a mapping that is written nowhere yet
OUTSIDE = ("@title", "@sheet", "@file")  # where a fact stands that has no column: lines above the header, names
MISSING = (
    *("无", "空", "缺", "暂无", "无数据", "未报", "缺报", "—", "——", "–", "-", "--", "/", "…"),
    *("N/A", "NA", "#N/A", "null", "None", "NaN"),
)
TOTALS = ("合计", "总计", "小计", "全市合计", "全市总计", "Total", "Grand total", "Subtotal")

Kind = Literal["file", "sql", "http", "push"]
Layout = Literal["long", "indicators", "places", "dates"]


def _variable(name: str) -> str:
    if name and not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise ValueError(f"{name!r} is not the name of an environment variable; write e.g. 'KAPOK_POLICE_TOKEN'")
    return name


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"{text!r} is not a time of day; write e.g. '10:00'")
    return text


def _mail(text: str) -> str:
    if text and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", text):
        raise ValueError(f"{text!r} is not a mail address; write name@host")
    return text


Variable = Annotated[str, AfterValidator(_variable)]  # a secret's name, never the secret; NAME_FILE names a file
Seconds = Annotated[float, Field(gt=0, le=600)]


class Columns(Checked):
    """Under which header each fact stands; several texts: the first one that is there."""

    indicator: Names = ()
    place: Names = ()
    date: Names = ()
    value: Names = ()
    received_at: Names = ()


class Constants(Checked):
    """What is the same for every cell and written nowhere in the file."""

    indicator: str = ""
    place: str = ""


class Codes(Checked):
    """What the department calls places and indicators, where its words are not the city's."""

    place: Mapping[str, str] = {}
    indicator: Mapping[str, str] = {}


class Ratio(Checked):
    """A percentage, from two columns, or two rows, that are called so."""

    indicator: str
    numerator: str
    denominator: str


class Sql(Checked):
    """A query of the department's database."""

    url_env: Annotated[str, Field(min_length=1), AfterValidator(_variable)]
    query: str = Field(min_length=1)
    timeout: Seconds = 30.0
    max_rows: Annotated[int, Field(ge=1)] = 2_000_000


class Paging(Checked):
    """How the pages of an answer follow each other."""

    by: Literal["page", "cursor", "link"]
    parameter: str = ""  # of the address: the page's number, or the cursor
    next: str = ""  # where in a JSON answer the cursor stands, e.g. "meta.next"
    first: int = 1
    max_pages: Annotated[int, Field(ge=1, le=10_000)] = 1000


class Http(Checked):
    """An address that answers with JSON or CSV."""

    url: str = Field(min_length=1)
    token_env: Variable = ""
    hosts: Names = ()  # that may be asked besides the address's own
    format: Literal["json", "csv"] = "json"
    rows: str = ""  # where in a JSON answer the list of rows stands, e.g. "data.items"
    paging: Paging | None = None
    timeout: Seconds = 30.0
    max_bytes: Annotated[int, Field(ge=1)] = 200_000_000


class Push(Checked):
    """What a department sends to the page by itself."""

    token_env: Annotated[str, Field(min_length=1), AfterValidator(_variable)]
    format: Literal["json", "csv"] = "json"


class Feed(Checked):
    """One feed: who sends it, when it is due, and how its tables are to be read."""

    id: str = Field(pattern=NAME)  # the name of its file
    name_zh: str = Field(min_length=1)
    name_en: str = ""
    kind: Kind = "file"
    department: str = ""
    contact: Annotated[str, AfterValidator(_mail)] = ""
    frequency: Literal["daily", "weekly", "monthly"] = "daily"
    due: Annotated[str, AfterValidator(_clock)] | None = None  # local time
    due_days: Annotated[int, Field(ge=0, le=366)] = 1  # after the last day of the period
    at: Cron | None = None  # when it is fetched; with the job of feeds if none is named
    files: Names = ()
    sheets: Names = ()  # names with * and ?; none: all
    header: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    layout: Layout = "long"
    columns: Columns = Columns()
    ignore: Names = ()  # columns that are not read
    constants: Constants = Constants()
    codes: Codes = Codes()
    factors: Mapping[str, Annotated[Decimal, Field(gt=0)]] = {}
    missing: tuple[str, ...] = MISSING
    totals: tuple[str, ...] = TOTALS
    absent: Literal[0] | None = None  # what a delivered date's missing values are
    repeated: Literal["sum", "last"] | None = None  # what several values of one cell are; None: a fault
    indicators: Names = ()  # what the feed delivers, for ``absent``
    places: Names = ()  # likewise: codes, or a tier
    ratios: tuple[Ratio, ...] = ()
    date_order: Literal["mdy", "dmy"] = "mdy"  # of 11/21 and 11/21/2026
    year: Annotated[int, Field(ge=1970, le=9999)] | None = None  # of 11/21; None: the latest not in the future
    align: bool = False  # a date within a week or month stands for it
    archive: bool = False  # history sent afterwards: what does not say when it was received was when it was due
    sql: Sql | None = None
    http: Http | None = None
    push: Push | None = None
    events: Events | None = None  # its rows are events, and counted

    def shape(self) -> str:
        """Return what decides how a content is read: two feeds that say the same of it read it alike.

        New events are counted once, whatever their feed says of them by now.
        """
        if self.events is not None and self.events.delivery == "increments":
            return f"increments of {self.id}"
        aside = {"name_zh", "name_en", "department", "contact", "frequency", "due", "due_days", "at"}
        return self.model_dump_json(exclude_defaults=True, exclude=aside | {"files", "sql", "http", "push"})


def named_in(feed: Feed) -> str:
    """Return what a fault says of where its mapping is written, "" of one that is only guessed."""
    return "" if feed.id == GUESSED else f"（映射 mapping: city/feeds/{feed.id}.toml）"


def asks_for_days(feed: Feed) -> bool:
    """Say whether a query or an address names the first and the last day that is wanted."""
    if feed.sql is not None:
        return all(day in feed.sql.query for day in (":since", ":until"))
    return feed.http is not None and all(day in feed.http.url for day in ("{since}", "{until}"))


def indicators_of(feed: Feed) -> tuple[str, ...]:
    """Return the indicators a mapping names, each once; none where the table alone says."""
    named = (
        *feed.indicators,
        feed.constants.indicator,
        *feed.codes.indicator.values(),
        *(ratio.indicator for ratio in feed.ratios),
    )
    return tuple(dict.fromkeys(name for name in named if name))


def places_of(feed: Feed, places: Mapping[str, Place]) -> tuple[str, ...]:
    """Return the codes of the places a feed delivers; a tier stands for all its places."""
    found = (
        code
        for name in feed.places
        for code in ([name] if name in places else [place.code for place in places.values() if place.tier == name])
    )
    return tuple(dict.fromkeys(found))
