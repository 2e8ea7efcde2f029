"""What one source of settings says: values that are checked, each with the place it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ourcli.common.errors import ConfigError
from ourcli.config.keys import (
    Key,
    all_keys,
    check_value,
    did_you_mean,
    find_key,
    located,
    nearest,
    parse_text,
    sections,
    shorten,
)
from ourcli.config.toml_file import Document

SourceKind = Literal["default", "user", "project", "environment", "flag"]
PLAIN_VARIABLES = ("OURCLI_HOME", "OURCLI_NET", "OURCLI_LOG", "OURCLI_CONFIG", "OURCLI_PROJECT")
_TEST_PREFIX = "OURCLI_TEST_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from.

    Attributes:
        kind: Which of the sources, from weakest to strongest: default, user, project, environment, flag.
        place: The file and line, or the variable; "" for defaults and flags.
    """

    kind: SourceKind
    place: str = ""

    def __str__(self) -> str:
        return self.place or self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A checked value and where it came from."""

    value: object
    origin: Origin


Layer = Mapping[str, Given]
"""What one source says, by the name of the key."""


def from_document(document: Document, kind: SourceKind) -> Layer:
    """Return what a TOML file sets.

    Raises:
        ConfigError: An unknown key, or a value of the wrong type; names file, line and key.
    """
    return {key.name: given_in(document, key, value, kind) for key, value in _entries(document)}


def given_in(document: Document, key: Key, value: object, kind: SourceKind) -> Given:
    """Return one checked value of a file.

    Raises:
        ConfigError: It has the wrong type.
    """
    place = document.place(key.name)
    return Given(value=check_value(key, value, place=place), origin=Origin(kind=kind, place=place))


def from_environment(environment: Mapping[str, str]) -> tuple[Layer, tuple[str, ...]]:
    """Return what `OURCLI_*` variables set, and a warning for each that means nothing. An empty one counts as not set.

    Raises:
        ConfigError: A value of the wrong type, or the name of an unknown key.
    """
    keys = {key.variable: key for key in all_keys().values()}
    layer: dict[str, Given] = {}
    warnings: list[str] = []
    for name in sorted(environment):
        if not name.startswith("OURCLI_") or name.startswith(_TEST_PREFIX) or not environment[name]:
            continue
        if name in keys:
            key = keys[name]
            value = parse_text(key, environment[name], place=name)
            layer[key.name] = Given(value=value, origin=Origin(kind="environment", place=name))
        elif name not in PLAIN_VARIABLES:
            warnings.append(_unknown_variable(name, tuple(keys)))
    return layer, tuple(warnings)


def from_flags(values: Mapping[str, object]) -> Layer:
    """Return what flags of the command line set, by dotted key.

    Raises:
        ConfigError: A value of the wrong type.
    """
    keys = {name: find_key(name) for name in values}
    origin = Origin(kind="flag")
    return {
        name: Given(value=check_value(key, values[name], place="command line"), origin=origin)
        for name, key in keys.items()
    }


def _entries(document: Document) -> Iterator[tuple[Key, object]]:
    """Walk a file's keys; an unknown one is an error."""
    for name, value in document.table.items():
        if name in sections():
            if not isinstance(value, dict):
                message = f"[{name}] is {shorten(value)}, expected a table"
                raise ConfigError(located(document.place(name), message), hint=f"write [{name}] on a line of its own")
            for field, inner in value.items():
                yield find_key(f"{name}.{field}", place=document.place(f"{name}.{field}")), inner
        elif isinstance(value, dict):
            message = f"unknown section [{shorten(name)[1:-1]}]"
            raise ConfigError(located(document.place(name), message), hint=did_you_mean(name, sections()))
        else:
            yield find_key(name, place=document.place(name)), value


def _unknown_variable(name: str, known: tuple[str, ...]) -> str:
    """Return a warning for a variable that is like no setting; one that is like a setting is an error."""
    names = (*known, *PLAIN_VARIABLES)
    looks_set = any(name.startswith(f"OURCLI_{section.upper()}_") for section in sections())
    if looks_set or nearest(name, names, cutoff=0.85):
        raise ConfigError(f"unknown variable {name}", hint=did_you_mean(name, names))
    return f"{name} means nothing to ourcli and is ignored"
