"""JSON Schema of strangers: which are taken, and what fits them.

A schema is data of a plugin or server, so it must not cost more than its size says. References are followed inside
the schema only and must not lead in circles; patterns that could take exponential time are refused; so are
schemas that grow beyond a bound when their references are written out.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from ourcli.tools.data import MOST_DEPTH, Json, JsonObject, depth, dump
from ourcli.tools.patterns import BadPatternError, check_pattern
from ourcli.tools.pointers import pointed_at
from ourcli.tools.quick import quick_check

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_NODES = 5_000
"""Values in a schema, its references written out."""
MOST_PATTERN_TEXT = 4_096
"""Longer texts are not held against a pattern."""
MOST_FAULTS = 5
_REFUSED = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$anchor", "$id", "id", "$vocabulary")
_VALUES_ONLY = ("const", "enum", "default", "examples")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependentRequired")


class BadSchemaError(ValueError):
    """The schema is not taken; the message says why."""


def check_schema(schema: JsonObject) -> None:
    """Return when `schema` is a JSON Schema (2020-12) that is taken here.

    Raises:
        BadSchemaError: It is none, or it could cost more than its size says.
    """
    if depth(cast("Json", schema)) > MOST_DEPTH // 2:
        raise BadSchemaError(f"the schema is nested deeper than {MOST_DEPTH // 2}")
    _Walk(schema).check(schema, ())
    from jsonschema import Draft202012Validator, SchemaError  # deferred: 70 ms that only tools pay for

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        where = "/".join(str(step)[:64] for step in exc.absolute_path)
        raise BadSchemaError(f"the schema is not valid at {where or 'its top'!r}: {exc.message[:200]}") from exc


class _Walk:
    """Goes through a schema as a validator would, counting."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._nodes = 0

    def check(self, node: Json | JsonObject, through: tuple[str, ...]) -> None:
        """Check one subschema; `through` holds the references that led to it."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadSchemaError(f"the schema has more than {MOST_NODES} parts, its references written out")
        if not isinstance(node, Mapping):
            return
        for word in _REFUSED:
            if word in node:
                raise BadSchemaError(f"the word {word!r} is not taken in schemas of tools")
        self._patterns(node)
        for child in _subschemas(node):
            self.check(child, through)
        self._follow(node.get("$ref"), through)

    def _follow(self, reference: Json, through: tuple[str, ...]) -> None:
        if reference is None:
            return
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise BadSchemaError(f"the reference {str(reference)[:120]!r} leads out of the schema")
        if reference in through:
            raise BadSchemaError(f"the reference {reference[:120]!r} leads in a circle")
        target = pointed_at(self._root, reference)
        if target is None:
            raise BadSchemaError(f"the reference {reference[:120]!r} leads nowhere")
        self.check(target, (*through, reference))

    def _patterns(self, node: Mapping[str, Json]) -> None:
        named = node.get("patternProperties")
        patterns: list[Json] = [node.get("pattern"), *(named if isinstance(named, Mapping) else ())]
        for pattern in patterns:
            if isinstance(pattern, str):
                try:
                    check_pattern(pattern)
                except BadPatternError as exc:
                    raise BadSchemaError(f"the pattern {pattern[:120]!r} {exc}") from exc


def _subschemas(node: Mapping[str, Json]) -> Iterator[Json]:
    for word, value in node.items():
        if word in _VALUES_ONLY:
            continue
        if word in _NAMED and isinstance(value, Mapping):
            if word not in ("$defs", "definitions"):
                yield from value.values()
        elif isinstance(value, list):
            yield from value
        else:
            yield value


class Schema:
    """A schema that was checked, ready to be held against values.

    Args:
        schema: What `check_schema` takes.

    Raises:
        BadSchemaError: It does not.
    """

    def __init__(self, schema: JsonObject) -> None:
        check_schema(schema)
        self._validator = _validator(schema)
        self._quick = quick_check(cast("Json", schema))

    def faults(self, value: Json | JsonObject) -> tuple[str, ...]:
        """Return what does not fit, a line each and the first few only; empty when the value fits."""
        if self._quick is not None and self._quick(value):
            return ()
        found = []
        for error in self._validator.iter_errors(value):
            path = "/".join(str(step)[:64] for step in error.absolute_path)
            found.append(f"{path or 'the whole'}: {error.message[:200]}")
            if len(found) == MOST_FAULTS:
                break
        return tuple(found)


def _validator(schema: JsonObject) -> "Validator":
    from jsonschema import Draft202012Validator  # deferred: 70 ms that only tools pay for
    from jsonschema.validators import extend  # deferred: the same
    from referencing import Registry  # deferred: the same

    own = {"pattern": _pattern, "uniqueItems": _unique_items}
    bounded = extend(Draft202012Validator, cast("Mapping[str, Callable[..., object]]", own))
    return bounded(dict(schema), registry=Registry())  # an empty registry: nothing is fetched


def _error(message: str) -> Exception:
    from jsonschema import ValidationError  # deferred: 70 ms that only tools pay for

    error: Exception = ValidationError(message)
    return error


def _pattern(_validator: object, pattern: str, value: object, _schema: object) -> Iterator[Exception]:
    if not isinstance(value, str):
        return
    if len(value) > MOST_PATTERN_TEXT:
        yield _error(f"longer than {MOST_PATTERN_TEXT} characters, which is too long for a pattern")
    elif not re.search(pattern, value):
        yield _error(f"{value[:80]!r} does not match {pattern!r}")


def _unique_items(_validator: object, wanted: object, value: object, _schema: object) -> Iterator[Exception]:
    """Compare by canonical JSON: one pass, where comparing pairs takes quadratic time."""
    if wanted is True and isinstance(value, Sequence) and not isinstance(value, str):
        seen = {dump(_canonical(item)) for item in value}
        if len(seen) != len(value):
            yield _error("its items are not unique")


def _canonical(value: Json) -> Json:
    """Return a value whose JSON text is the same for equal values: names in order, whole floats as integers."""
    if isinstance(value, dict):
        return {name: _canonical(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
