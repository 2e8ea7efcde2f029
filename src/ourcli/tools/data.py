"""JSON that strangers wrote: read with every bound that keeps reading cheap, and written in one line."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import NoReturn

from ourcli.common import jsondata
from ourcli.common.errors import ToolOutputError

Json = jsondata.Json
JsonObject = Mapping[str, Json]

MOST_DEPTH = 64
"""Deeper nesting says nothing that a tool could mean."""


class BadJsonError(ValueError):
    """The text is no JSON that is taken here; the message says why."""


def parse(text: bytes | str, *, most_depth: int = MOST_DEPTH) -> Json:
    """Return the value of a JSON text (RFC 8259).

    Names that appear twice in one object, numbers that JSON lacks (NaN, Infinity) or no float holds (1e999), lone
    surrogates and deeper nesting than `most_depth` are refused, since readers disagree about what they mean.

    Raises:
        BadJsonError: It is none.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        value: Json = _DECODER.decode(decoded)
        if isinstance(text, str) or "\\ud" in decoded or "\\uD" in decoded:
            dump(value)
    except RecursionError as exc:
        raise BadJsonError(f"nested deeper than {most_depth}") from exc
    except UnicodeError as exc:
        raise BadJsonError("not valid UTF-8") from exc
    except ValueError as exc:  # json.JSONDecodeError, and integers of thousands of digits
        raise BadJsonError(str(exc)) from exc
    if decoded.count("[") + decoded.count("{") > most_depth and depth(value) > most_depth:
        raise BadJsonError(f"nested deeper than {most_depth}")
    return value


def dump(value: Json | JsonObject) -> bytes:
    """Return a value as one line of UTF-8 without the line's end.

    Raises:
        ValueError: It holds NaN or an infinity, or text that is no Unicode.
    """
    return _ENCODER.encode(value).encode("utf-8")


def depth(value: Json) -> int:
    """Return how deep lists and objects are nested: 0 for a plain value."""
    deepest, layer = 0, [value]
    while layer := [item for one in layer for item in _items(one)]:
        deepest += 1
    return deepest


def _items(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values() or (None,)
    if isinstance(value, list):
        return value or (None,)
    return ()


def as_object(value: Json, what: str) -> dict[str, Json]:
    """Return `value` when it is an object.

    Raises:
        ToolOutputError: It is something else; the message calls it `what`.
    """
    if not isinstance(value, dict):
        raise ToolOutputError(f"{what} is no JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:64]} is too large")
    return number


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:64]!r} is there twice")
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_unique)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
