"""Which JSON Schemas can be turned into a grammar.

The grammar engine is llguidance. What it does not know it does not refuse: the answer is then simply not
constrained. So a schema is checked here first, against the list of what its documentation supports, and
`ModelError` names the first thing that is not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, TypeGuard

from ourcli.common.errors import ModelError

_ANNOTATIONS = {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly"}
_KEYWORDS = {
    *("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions"),
    *("properties", "patternProperties", "additionalProperties", "required", "items", "prefixItems"),
    *("minItems", "maxItems", "minLength", "maxLength", "pattern", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "discriminator"),
}
_TYPES = {"null", "boolean", "integer", "number", "string", "array", "object"}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}
_COUNTS = {"minItems": 1_000, "maxItems": 1_000, "minLength": 100_000, "maxLength": 100_000}
"""Largest counts; an array of up to 100,000 items kept the engine busy for 5 s and was then not constrained."""
_PATTERN_REPETITIONS = 1_000
_DEEPEST = 64
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_REPETITION = re.compile(r"\{(\d*),?(\d*)\}")
_GROUP = re.compile(r"\(\?(?!:)")
_BACK_REFERENCE = re.compile(r"\\[1-9k]|\\[bB]")
_HINT = "simplify the schema: structured answers know types, enums, properties, items, lengths, ranges and patterns"


def check_schema(schema: Mapping[str, object]) -> None:
    """Return when every answer can be held to `schema`.

    Raises:
        ModelError: It uses something that cannot be enforced; the message says what and where.
    """
    _check(schema, "#", 0)


def _check(schema: object, where: str, depth: int) -> None:
    if isinstance(schema, bool):
        return
    if depth > _DEEPEST:
        _refuse(where, f"is nested deeper than {_DEEPEST}")
    if not isinstance(schema, Mapping):
        _refuse(where, "is not a schema")
    for key, value in schema.items():
        if key not in _KEYWORDS and key not in _ANNOTATIONS:
            _refuse(where, f"uses {key!r}")
        _check_value(key, value, where)
    for name, part in _parts(schema):
        _check(part, f"{where}/{name}", depth + 1)


def _parts(schema: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Return the schemas directly inside a schema, with their place."""
    for key, value in schema.items():
        if key in ("properties", "patternProperties", "$defs", "definitions") and isinstance(value, Mapping):
            yield from ((f"{key}/{name}", part) for name, part in value.items())
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems") and _is_list(value):
            yield from ((f"{key}/{position}", part) for position, part in enumerate(value))
        elif key in ("items", "additionalProperties"):
            yield key, value


def _check_value(key: str, value: object, where: str) -> None:
    if key == "type":
        names = value if _is_list(value) else [value]
        if not all(isinstance(name, str) and name in _TYPES for name in names):
            _refuse(where, f"has the unknown type {value!r}")
    elif key == "$ref" and not (isinstance(value, str) and value.startswith("#")):
        _refuse(where, f"refers to {value!r}, outside itself")
    elif key == "format" and value not in _FORMATS:
        _refuse(where, f"uses the format {value!r}")
    elif key in _COUNTS and not (isinstance(value, int) and 0 <= value <= _COUNTS[key]):
        _refuse(where, f"has {key} {value!r}, beyond {_COUNTS[key]}")
    elif key in ("pattern", "patternProperties"):
        _check_patterns(value, where)


def _check_patterns(value: object, where: str) -> None:
    for pattern in value if isinstance(value, Mapping) else [value]:
        _check_pattern(pattern, where)


def _check_pattern(pattern: object, where: str) -> None:
    if not isinstance(pattern, str):
        _refuse(where, f"has a pattern that is no text: {pattern!r}")
    outside = _CLASS.sub("x", pattern.replace(r"\\", ""))
    if _GROUP.search(outside) or _BACK_REFERENCE.search(outside):
        _refuse(where, f"has a pattern with look-arounds, boundaries or references: {pattern!r}")
    numbers = [int(text) for match in _REPETITION.finditer(outside) for text in match.groups() if text]
    if any(number > _PATTERN_REPETITIONS for number in numbers):
        _refuse(where, f"has a pattern with more than {_PATTERN_REPETITIONS} repetitions: {pattern!r}")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as exc:
        raise ModelError(f"the JSON Schema at {where} has a broken pattern {pattern!r}: {exc}", hint=_HINT) from exc


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _refuse(where: str, what: str) -> NoReturn:
    raise ModelError(f"the JSON Schema at {where} {what}, which a model cannot be held to", hint=_HINT)
