"""TOML files into checked, frozen objects; the only module that knows tomllib and pydantic's errors.

Every fault of a file is reported at once, in words a person can act on.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from warning.errors import ConfigError, Fault


class Checked(BaseModel):
    """Base of everything read from a file: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


LARGEST = 2**20  # bytes of a file of settings
Model = TypeVar("Model", bound=Checked)

_EXPECTED = {  # where pydantic names Python's types, what to write instead
    "model_type": "a table, [section] or { key = value }",
    "dict_type": "a table, [section] or { key = value }",
    "mapping_type": "a table, [section] or { key = value }",
    "tuple_type": 'a list, e.g. ["one", "two"]',
    "list_type": 'a list, e.g. ["one", "two"]',
    "string_type": "a text in quotation marks",
    "path_type": "a path in quotation marks",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the file's content.

    Raises:
        ConfigError: if it is missing, unreadable, too large, not UTF-8 or not TOML.
    """
    return read_toml_text(path)[0]


def read_toml_text(path: Path) -> tuple[dict[str, Any], str]:
    """Return the file's content, and the text it was read from.

    Raises:
        ConfigError: as ``read_toml``.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigError(str(path), [f"the file has more than {LARGEST // 2**20} MB; no settings are so long"])
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return tomllib.loads(text), text
    except FileNotFoundError as error:
        raise ConfigError(str(path), ["the file is missing"]) from error
    except OSError as error:
        raise ConfigError(str(path), [f"the file cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+),", str(error))
        raise ConfigError(
            str(path), [Fault(f"not valid TOML: {error}", line=int(found[1]) if found else None)]
        ) from error
    except RecursionError as error:
        raise ConfigError(str(path), ["tables or lists stand too deep in each other to be read"]) from error
    except ValueError as error:  # a number with more digits than Python reads, a date there is none of
        raise ConfigError(str(path), [f"not valid TOML: {error}"]) from error


def checked(where: str, content: Mapping[str, Any], model: type[Model]) -> Model:
    """Return ``content`` as a ``model``.

    Raises:
        ConfigError: with every fault, if it does not fit.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(where, faults_of(error, model)) from error


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line for each fault pydantic found."""
    return [sentence for _, sentence in located_faults(error, model)]


def located_faults(error: ValidationError, model: type[BaseModel]) -> list[tuple[tuple[int | str, ...], str]]:
    """Return where in the content each fault is that pydantic found, and a line that says what it is."""
    return [
        (fault["loc"], _sentence(fault["loc"], fault["type"], fault["msg"], fault["input"], model))
        for fault in error.errors()
    ]


def suggestion(found: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'baseline'?" or, where nothing is near, the known names, if there are any."""
    names = sorted(known)
    if not names:
        return ""
    near = difflib.get_close_matches(found, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"


def _sentence(loc: tuple[int | str, ...], kind: str, message: str, found: object, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        return f"{key} is not a setting{suggestion(str(loc[-1]), _keys_at(model, loc[:-1]))}"
    if kind == "missing":
        return f"{key} is missing"
    if kind in _EXPECTED:
        return f"{key}: expected {_EXPECTED[kind]}, found {found!r}"
    text = message.removeprefix("Value error, ")
    text = text[0].lower() + text[1:] if text else kind
    prefix = f"{key}: " if key else ""
    return f"{prefix}{text}" if kind == "value_error" else f"{prefix}{text}, found {found!r}"


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    here: Any = model
    for part in loc:
        if isinstance(part, int) or not (isinstance(here, type) and issubclass(here, BaseModel)):
            continue
        field = here.model_fields.get(str(part))
        if field is None:
            return []
        here = _model_in(field.annotation)
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    """Return the model inside an annotation such as ``tuple[Rule, ...]`` or ``Mail | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def mail_address(found: str) -> str:
    """Return a mail address as it is, without spaces and line ends: it goes into a mail header.

    Raises:
        ValueError: if it is none.
    """
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", found):
        raise ValueError(f"{found!r} is not a mail address; write name@host")
    return found
