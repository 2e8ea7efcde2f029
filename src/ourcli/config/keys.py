"""Every key that can be set: its name, what it takes in words, and how a value for it is checked."""

import difflib
import functools
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ourcli.common.errors import ConfigError
from ourcli.config.settings import InWords, Section, Settings

Kind = Literal["text", "whole number", "number", "true or false", "list"]
LIST_HINT = "`ourcli config show --origin` lists every key with its value"
_LONGEST_FOUND = 60
_BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One setting.

    Attributes:
        name: As in `config set`: `ai.threads`, or `project` for a key outside any section.
        section: The table it stands in, or "".
        field: Its name in that table.
        kind: How a text is read as its value.
        in_words: What it takes: "a whole number from 0 to 512".
        default: The value when nothing sets it.
        doc: What it means.
        variable: The environment variable that sets it.
    """

    name: str
    section: str
    field: str
    kind: Kind
    in_words: str
    default: object
    doc: str
    variable: str


@functools.cache
def all_keys() -> Mapping[str, Key]:
    """Return every key by its name, in the order of the reference."""
    found: dict[str, Key] = {}
    for name, info in Settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            for field, inner in info.annotation.model_fields.items():
                found[f"{name}.{field}"] = _key(name, field, inner)
        else:
            found[name] = _key("", name, info)
    return MappingProxyType(found)


def sections() -> tuple[str, ...]:
    """Return the names of the tables of the configuration file."""
    return tuple(dict.fromkeys(key.section for key in all_keys().values() if key.section))


def find_key(name: str, *, place: str = "") -> Key:
    """Return the key called `name`.

    Raises:
        ConfigError: There is none; the message begins with `place`, the hint names the nearest one.
    """
    key = all_keys().get(name)
    if key is None:
        raise ConfigError(located(place, f"unknown key {shorten(name)}"), hint=did_you_mean(name, all_keys()))
    return key


def check_value(key: Key, value: object, *, place: str = "") -> object:
    """Return `value` as the key's own type.

    Raises:
        ConfigError: It is of another type or out of range; the message begins with `place`.
    """
    wanted = {key.field: value}
    try:
        if not key.section:
            checked: object = getattr(Settings.model_validate(wanted), key.field)
        else:
            section: Section = getattr(Settings(), key.section)
            checked = getattr(type(section).model_validate(wanted), key.field)
    except (ValidationError, RecursionError) as exc:
        reason = _reason(exc)
        message = f"{key.name} is {shorten(value)}, expected {key.in_words}{reason}"
        raise ConfigError(
            located(place, message), hint=f"{key.doc.rstrip('.')}; the default is {shown(key.default)}"
        ) from exc
    return checked


def parse_text(key: Key, text: str, *, place: str = "") -> object:
    """Return the value that `text`, from the environment or `config set`, means for `key`.

    Lists are TOML arrays (`["*.md", "docs/"]`) or words between commas (`*.md, docs/`); `1` and `0` stand for
    true and false.

    Raises:
        ConfigError: It is not such a value.
    """
    value: object = text
    try:
        if key.kind == "whole number":
            value = int(text)
        elif key.kind == "number":
            value = float(text)
        elif key.kind == "true or false":
            value = _parse_boolean(text)
        elif key.kind == "list":
            value = _parse_list(text)
    except (ValueError, RecursionError) as exc:
        message = f"{key.name} is {shorten(text)}, expected {key.in_words}"
        hint = 'write a list as a, b or as ["a", "b"]' if key.kind == "list" else key.doc
        raise ConfigError(located(place, message), hint=hint) from exc
    return check_value(key, value, place=place)


def did_you_mean(name: str, names: Collection[str]) -> str:
    """Return the hint that names the nearest of `names`, else where they are listed."""
    close = nearest(name, names)
    return f"did you mean {close!r}? {LIST_HINT}" if close else LIST_HINT


def nearest(name: str, names: Collection[str], cutoff: float = 0.5) -> str | None:
    """Return the one of `names` that is most like `name`, or None when none is."""
    last = {candidate.rpartition(".")[2]: candidate for candidate in names}
    short = name[:100]
    close = difflib.get_close_matches(short, [*names, *last], n=1, cutoff=cutoff)
    return last.get(close[0], close[0]) if close else None


def shorten(value: object) -> str:
    """Return `value` for a message: escaped, on one line, never longer than a line."""
    text = repr(value)
    return text if len(text) <= _LONGEST_FOUND else f"{text[: _LONGEST_FOUND - 1]}…"


def shown(value: object) -> str:
    """Return `value` as it is written in the configuration file."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(name)} = {shown(inner)}" for name, inner in value.items()) + "}"
    return repr(value)


def located(place: str, message: str) -> str:
    """Return `message` with the place it is about in front."""
    return f"{place}: {message}" if place else message


def _parse_boolean(text: str) -> bool:
    """Return what `true`, `false`, and their short forms `1` and `0` mean."""
    word = text.strip().lower()
    if word not in _BOOLEANS:
        raise ValueError("neither true nor false")
    return _BOOLEANS[word]


def _parse_list(text: str) -> list[object]:
    stripped = text.strip()
    if not stripped.startswith("["):
        return [word.strip() for word in stripped.split(",") if word.strip()]
    table = tomllib.loads(f"value = {stripped}")
    value = table.pop("value")
    if table or not isinstance(value, list):
        raise ValueError("more than one list")
    return value


def _reason(exc: ValidationError | RecursionError) -> str:
    """Return what our own validators found wrong, in brackets, or "" when the type alone is wrong."""
    if isinstance(exc, RecursionError):
        return " (it is nested too deeply)"
    first = exc.errors(include_url=False)[0]
    own = first.get("ctx", {}).get("error")
    at = [str(part + 1) for part in first["loc"] if isinstance(part, int)]
    entry = f"entry {at[0]}: " if at else ""
    if own is None and not entry:
        return ""
    return f" ({entry}{own if own is not None else 'it has the wrong type'})"


def _key(section: str, field: str, info: FieldInfo) -> Key:
    name = f"{section}.{field}" if section else field
    return Key(
        name=name,
        section=section,
        field=field,
        kind=_kind(info),
        in_words=_in_words(info),
        default=info.default,
        doc=info.description or "",
        variable="OURCLI_" + name.replace(".", "_").upper(),
    )


def _kind(info: FieldInfo) -> Kind:
    if get_origin(info.annotation) is tuple:
        return "list"
    kinds: dict[object, Kind] = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return kinds[info.annotation]


def _in_words(info: FieldInfo) -> str:
    kind = _kind(info)
    plain = kind if kind == "true or false" else f"a {kind}"
    words = next((mark.text for mark in info.metadata if isinstance(mark, InWords)), plain)
    for mark in info.metadata:
        if isinstance(mark, Ge):
            words += f" from {mark.ge}"
        elif isinstance(mark, Gt):
            words += f" above {mark.gt}"
        elif isinstance(mark, Le):
            words += f" to {mark.le}"
    return words
