"""What the files, queries and answers of a department look like: one TOML file a feed.

``city/feeds/NAME.toml`` names the feed NAME.  The folder may be missing; a file of the watched
folder that no feed claims is read as a long CSV with the columns indicator, place, date, value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from warning.checked import Checked, checked, read_toml, suggestion
from warning.city import City, Names
from warning.config import Cron
from warning.errors import ConfigError
from warning.model import Place

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"  # of a feed
FOLDER = "feeds"  # within the city's folder
NATIVE = "csv"  # the feed of files that no mapping claims
OUTSIDE = ("@title", "@sheet", "@file")  # where a fact stands that has no column: lines above the header, names
MISSING = ("无", "—", "——", "-", "--", "/", "N/A", "null")
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
    """A percentage, from two columns."""

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
    indicators: Names = ()  # what the feed delivers, for ``absent``
    places: Names = ()  # likewise: codes, or a tier
    ratios: tuple[Ratio, ...] = ()
    date_order: Literal["mdy", "dmy"] = "mdy"  # of 11/21 and 11/21/2026
    year: Annotated[int, Field(ge=1970, le=9999)] | None = None  # of 11/21; None: the latest not in the future
    align: bool = False  # a date within a week or month stands for it
    sql: Sql | None = None
    http: Http | None = None
    push: Push | None = None

    def shape(self) -> str:
        """Return what decides how a content is read: two feeds that say the same of it read it alike."""
        aside = {"name_zh", "name_en", "department", "contact", "frequency", "due", "due_days", "at"}
        return self.model_dump_json(exclude_defaults=True, exclude=aside | {"files", "sql", "http", "push"})


def read_feeds(folder: Path, city: City | None) -> tuple[dict[str, Feed], list[ConfigError]]:
    """Return the feeds of a city's folder by name, and an error for each file with faults.

    Args:
        folder: Where the files lie; it may be missing.
        city: What indicators and places are checked against; None, where it has faults of its own.
    """
    feeds: dict[str, Feed] = {}
    errors: list[ConfigError] = []
    claims: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        try:
            feed = feed_of(path)
        except ConfigError as error:
            errors.append(error)
            continue
        faults = [*(() if city is None else _city_faults(feed, city)), *_claimed_twice(feed, claims)]
        if faults:
            errors.append(ConfigError(str(path), faults))
        feeds[feed.id] = feed
    return feeds, errors


def feed_of(path: Path) -> Feed:
    """Return the feed a file describes, not yet checked against a city.

    Raises:
        ConfigError: with every fault of the file.
    """
    content = read_toml(path)
    if "id" in content:
        raise ConfigError(str(path), ["id is not a setting; a feed is called as its file is"])
    if path.stem == NATIVE:
        raise ConfigError(str(path), [f"{NATIVE!r} is the feed of files nobody claims; give the file another name"])
    feed = checked(str(path), {**content, "id": path.stem}, Feed)
    faults = [*_kind_faults(feed), *_layout_faults(feed)]
    if faults:
        raise ConfigError(str(path), faults)
    return feed


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


def _kind_faults(feed: Feed) -> Iterator[str]:
    tables: dict[Kind, object] = {"sql": feed.sql, "http": feed.http, "push": feed.push}
    for kind, table in tables.items():
        if kind == feed.kind and table is None:
            yield f"kind is '{kind}', so the section [{kind}] is needed"
        if kind != feed.kind and table is not None:
            yield f"the section [{kind}] is not used by kind '{feed.kind}'"
    if feed.kind == "file" and not feed.files:
        yield "kind is 'file', so files is needed, e.g. files = [\"police-*.xlsx\"]"
    if feed.kind != "file" and feed.files:
        yield f"files is not used by kind '{feed.kind}'"
    if feed.at is not None and feed.kind in {"file", "push"}:
        yield f"at is not used by kind '{feed.kind}'"


def _layout_faults(feed: Feed) -> Iterator[str]:
    """A cell needs an indicator, a place, a date and a value; each must come from one side, and no two."""
    across = {"long": "", "indicators": "indicator", "places": "place", "dates": "date"}[feed.layout]
    for name in ("indicator", "place", "date"):
        ways = [getattr(feed.columns, name) != (), bool(getattr(feed.constants, name, "")), name == across]
        if sum(ways) == 0:
            constant = "" if name == "date" else f" or constants.{name}"
            yield f"nothing says the {name}: write columns.{name}{constant}"
        if sum(ways) > 1:
            yield f"the {name} is said twice: by layout, columns or constants; leave one"
    if feed.layout == "long" and not feed.columns.value:
        yield "layout is 'long', so columns.value is needed"
    if feed.layout != "long" and feed.columns.value:
        yield f"columns.value is not used by layout '{feed.layout}': every further column holds values"
    if feed.ratios and feed.layout != "indicators":
        yield "ratios needs layout 'indicators'"
    for name, texts in feed.columns.model_dump().items():
        for text in texts:
            if text.startswith("@") and (text not in OUTSIDE or name in {"value", "received_at"}):
                yield f"columns.{name}: {text!r} is not allowed; allowed: {', '.join(OUTSIDE)}, but for value"
    if feed.absent is not None and not feed.places:
        yield 'absent needs places: codes, or a tier, e.g. places = ["district"]'
    if feed.absent is not None and not indicators_of(feed):
        yield "absent needs indicators: the ids of what the feed delivers"


def _city_faults(feed: Feed, city: City) -> Iterator[str]:
    ids, codes = city.indicators, city.places
    yield from _unknown("constants.indicator", [feed.constants.indicator], ids)
    yield from _unknown("constants.place", [feed.constants.place], codes)
    for text, id in feed.codes.indicator.items():
        yield from _unknown(f"codes.indicator.{text}", [id], ids)
    for text, code in feed.codes.place.items():
        yield from _unknown(f"codes.place.{text}", [code], codes)
    yield from _unknown("factors", feed.factors, ids)
    yield from _unknown("indicators", feed.indicators, ids)
    yield from _unknown("places", feed.places, {**codes, **city.tiers})
    yield from _unknown("ratios", [ratio.indicator for ratio in feed.ratios], ids)
    for id in (ratio.indicator for ratio in feed.ratios):
        if id in ids and ids[id].kind != "ratio":
            yield f"ratios: {id!r} is no percentage but a {ids[id].kind}"
    for id in indicators_of(feed) if feed.absent is not None else ():
        if id in ids and (ids[id].kind not in {"count", "amount"} or ids[id].period_agg != "sum"):
            yield f"absent = 0 says nothing of {id!r}: a {ids[id].kind} that was not sent is not 0"


def _unknown(where: str, names: Iterable[str], known: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        if name and name not in known:
            near = suggestion(name, known)
            yield f"{where}: {name!r} is unknown{near if 'did you mean' in near else ''}"


def _claimed_twice(feed: Feed, claims: dict[str, str]) -> Iterator[str]:
    for pattern in feed.files:
        owner = claims.setdefault(pattern.casefold(), feed.id)
        if owner != feed.id:
            yield f"files: {pattern!r} is claimed by {owner}.toml, too"
