"""A quick yes for plain schemas: the full validator costs more than a whole call, and most schemas are plain.

What is built here says yes only to values that the full validator takes too; everything else is left to that.
"""

from collections.abc import Callable, Mapping
from typing import Final

from ourcli.tools.data import Json

Check = Callable[[object], bool]
_TYPES: Final[Mapping[str, Check]] = {
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
}
_SAYS_NOTHING: Final = {"title", "description", "default", "examples", "$schema", "$comment"}
_OF_OBJECTS: Final = {"type", "properties", "required", "additionalProperties"}


def quick_check(schema: Json) -> Check | None:
    """Return a function that says yes to values that surely fit a checked schema, or None where it is not plain."""
    if not isinstance(schema, dict):
        return None
    kind, words = schema.get("type"), set(schema) - _SAYS_NOTHING
    if kind == "object" and words <= _OF_OBJECTS:
        return _object(schema)
    if kind == "array" and words <= {"type", "items"}:
        return _array(schema)
    return _TYPES.get(kind) if isinstance(kind, str) and words == {"type"} else None


def _array(schema: dict[str, Json]) -> Check | None:
    if "items" not in schema:
        return lambda value: type(value) is list
    item = quick_check(schema["items"])
    return None if item is None else lambda value: type(value) is list and all(map(item, value))


def _object(schema: dict[str, Json]) -> Check | None:
    listed, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    needed = schema.get("required", [])
    if not isinstance(listed, dict) or not isinstance(others, bool) or not isinstance(needed, list):
        return None
    checks: dict[str, Check] = {}
    for name, inner in listed.items():
        check = quick_check(inner)
        if check is None:
            return None
        checks[name] = check
    required = frozenset(str(name) for name in needed)

    def fits(value: object) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, one in value.items():
            check = checks.get(name)
            if not (others if check is None else check(one)):
                return False
        return True

    return fits
