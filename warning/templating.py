"""The one Jinja2 environment: narrative, mail, page and briefing are written with it.

A deployment's template replaces the shipped one of the same name, one by one.  Data is only ever
printed: no text that came with the data is compiled.  Templates are sandboxed and change nothing.

``{% sentence %} … {% endsentence %}`` is the law that a sentence has its numbers: when a fact its body
prints is absent, the whole sentence is dropped.  Sentences nest, so that a clause can be dropped alone.
A misspelt variable is no absent fact: it is a fault of the template, and reported with file and line.

A text shared by both editions lies in ``name.j2`` and is imported as ``name.txt.j2`` by texts and as
``name.html.j2`` by pages, where it is escaped.

Contexts (``f`` stands for ``facts.overall``; every fact is optional unless a test says otherwise):

=============================  ====================================================================================
``narrative/place.*``          ``facts: Facts`` of a day or a week in one place
``narrative/city.*``           the same of the root place, with ``facts.table``: one row a place below
``mail/alert.*``               ``facts``, ``changes: Sequence[Change]``, ``recipient: str``, ``page: str`` (address
                               of the page, "" without one)
``mail/daily.*``               ``facts`` of the city, ``changes``: of the day, ``open: int``, ``judged: bool``, ``page``
``mail/notice.*``              ``title: str``, ``lines: Sequence[str]``, ``date: date``, ``page``
``mail/reminder.*``            ``department: str``, ``date``, ``until: str``, ``rows: Sequence[Silent]``, ``office``,
                               ``page``
``mail/briefing.*``            ``facts`` of the week, ``page``, ``path``: of the briefing on it
``briefing/week.zh.html.j2``   see ``warning.briefing.html``
=============================  ====================================================================================
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import CodeType, TracebackType
from typing import Any

from jinja2 import BytecodeCache, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError, TemplateError, TemplateRuntimeError, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from warning.errors import ConfigError
from warning.facts import COLOUR, LEVEL_ZH, MARK, Item, day_en, day_zh, weekday_zh
from warning.model import Level, Transition
from warning.paths import shipped

Engine = Environment  # what other modules call it: Jinja2 is known here alone

LEVEL_EN = {
    Level.MISSING: "no data",
    Level.CALM: "normal",
    Level.YELLOW: "yellow",
    Level.ORANGE: "orange",
    Level.RED: "red",
}
TRANSITION_ZH = {
    Transition.OPENED: "新",
    Transition.RAISED: "升",
    Transition.LOWERED: "降",
    Transition.ENDED: "销",
    Transition.CORRECTED: "更正",
    Transition.LEVEL_CHANGED: "水平改变",
}
BREAKS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # what a header line must not hold


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an alert mail: what happened to an alert, and what may be said of it."""

    item: Item
    transition: Transition
    before: Level
    after: Level
    chart: str = ""  # content id of its picture, "" without one


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as written; the outbox adds who and when."""

    subject: str
    text: str
    html: str


class Compiled(BytecodeCache):
    """What templates were compiled to in this process, by name and content: a changed template is another one."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket the code of its template, if it was compiled before."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template, in the stead of what an earlier content of it was compiled to."""
        self._code = {key: code for key, code in self._code.items() if key[0] != bucket.key}
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


class AbsentFact(UndefinedError):
    """A mapping of facts lacks a key: the sentence is not printed."""


class Absent(StrictUndefined):
    """An undefined value that knows whether a fact is absent or a name is misspelt."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        absent = exc is UndefinedError and isinstance(obj, Mapping)
        super().__init__(hint, obj, name, AbsentFact if absent else exc)


class Sentence(Extension):
    """The tag ``{% sentence %}``."""

    tags = {"sentence"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        """Return a call block around the body."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endsentence",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_print", []), [], [], body).set_lineno(line)

    def _print(self, caller: Macro) -> str:
        try:
            body: str = caller()
        except AbsentFact:
            return ""
        return body.strip("\n")  # str and Markup alike


class Shared(FileSystemLoader):
    """Finds ``name.j2`` where ``name.txt.j2`` or ``name.html.j2`` does not exist."""

    def get_source(self, environment: Environment, template: str) -> Any:
        """Return the source, its path and whether it is still up to date."""
        try:
            return super().get_source(environment, template)
        except TemplateNotFound:
            neutral = re.sub(r"\.(txt|html)\.j2$", ".j2", template)
            if neutral == template:
                raise
            return super().get_source(environment, neutral)


def engine(folders: Sequence[Path], *, simulated: bool) -> Environment:
    """Return the environment.

    Args:
        folders: The deployment's template folders, first wins; the shipped one comes last by itself.
        simulated: Whether everything must carry 模拟.
    """
    places = [*folders, shipped("templates")]
    env = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([Shared(folder, encoding="utf-8") for folder in places]),
        bytecode_cache=COMPILED,
        undefined=Absent,
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Sentence],
    )
    env.globals.update(simulated=simulated, Level=Level)
    env.filters.update(
        day_zh=day_zh,
        day_en=day_en,
        level=_level,
        colour=lambda level: COLOUR[_level(level)],
        mark=lambda level: MARK[_level(level)],
        level_zh=lambda level: LEVEL_ZH[_level(level)],
        level_en=lambda level: LEVEL_EN[_level(level)],
        weekday_zh=weekday_zh,
        under=under,
        transition_zh=lambda transition: TRANSITION_ZH[transition],
    )
    return env


def render(env: Environment, name: str, context: Mapping[str, Any]) -> str:
    """Return a template's text; plain text has no trailing spaces and no double empty lines.

    Raises:
        ConfigError: if the template is missing, cannot be parsed, or uses what its context lacks;
            with file and line.
    """
    try:
        text = env.get_template(name).render(context)
    except TemplateNotFound as error:
        raise ConfigError(f"templates/{error.name}", [_not_found(env, str(error.name), name)]) from error
    except TemplateSyntaxError as error:
        raise ConfigError(str(error.filename or error.name), [f"line {error.lineno}: {error.message}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"templates/{name}", [f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"]
        ) from error
    except (TemplateError, TypeError, ArithmeticError, LookupError, ValueError, AttributeError) as error:
        file, line = _where(error.__traceback__, name)
        raise ConfigError(file, [f"line {line}: {_said(error)}"]) from error
    return text if name.endswith(".html.j2") else _typeset(text)


def faults_of(env: Environment) -> list[str]:
    """Return one line, with file and line, for each template that cannot be compiled."""
    faults = []
    for name in env.list_templates(extensions=["j2"]):
        try:
            env.get_template(name)
        except TemplateSyntaxError as error:
            faults.append(f"{error.filename or error.name}: line {error.lineno}: {error.message}")
        except UnicodeDecodeError as error:
            faults.append(f"templates/{name}: byte {error.start + 1} is not UTF-8; save the file as UTF-8")
    return faults


def mail(env: Environment, name: str, context: Mapping[str, Any]) -> Mail:
    """Return the mail ``name`` ("alert", "daily", "notice", "reminder", "briefing") from its three templates.

    Raises:
        ConfigError: as ``render``.
    """
    subject = render(env, f"mail/{name}.subject.zh.txt.j2", context)
    text = render(env, f"mail/{name}.zh.txt.j2", context)
    return Mail(one_line(subject), text, render(env, f"mail/{name}.zh.html.j2", context))


def one_line(text: str) -> str:
    """Return the text as one header line: line breaks and invisible characters become single spaces."""
    visible = "".join(" " if unicodedata.category(c) in BREAKS else c for c in text)
    return " ".join(visible.split())


def under(page: str, path: str) -> str:
    """Return the address of a part of the page, whether or not the page's own ends in a slash."""
    return f"{page.rstrip('/')}/{path}"


def _typeset(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _level(found: Level | object) -> Level:
    """Return the level a level, or its Chinese word, stands for."""
    if isinstance(found, Level):
        return found
    words = {word: level for level, word in LEVEL_ZH.items()}
    if str(found) not in words:
        raise ValueError(f"{str(found)!r} is not a level; known: {', '.join(words)}")
    return words[str(found)]


def _not_found(env: Environment, missing_name: str, asked: str) -> str:
    asked_by = "" if missing_name == asked else f", which {asked} asks for"
    folders = [
        folder
        for loader in (env.loader.loaders if isinstance(env.loader, ChoiceLoader) else [])
        if isinstance(loader, FileSystemLoader)
        for folder in loader.searchpath
    ]
    return f"there is no such template{asked_by}; looked in {', '.join(map(str, folders))}"


def _where(traceback: TracebackType | None, name: str) -> tuple[str, int]:
    """Return the template file and line nearest to the error."""
    found = (f"templates/{name}", 0)
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if PurePath(file).suffix == ".j2":
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _said(error: Exception) -> str:
    if isinstance(error, SecurityError):
        return f"not allowed in a template: {error}"
    if isinstance(error, AbsentFact):
        return f"{error}; put the sentence between {{% sentence %}} and {{% endsentence %}}"
    return str(error) or type(error).__name__
