"""Schemas of strangers, brought to what is checked here and what a grammar can express.

Whatever comes out is taken by `ourcli.tools.schema.check_schema`. What is left out makes the schema allow more, never
less, and is told in a note: whoever offers the tool still checks its own arguments.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from ourcli.tools.data import MOST_DEPTH, Json, JsonObject, depth
from ourcli.tools.patterns import BadPatternError, check_pattern
from ourcli.tools.pointers import pointed_at

MOST_REPEATED: Final = 1_000
"""A grammar writes out every repetition; longer ones break it."""
MOST_PARTS: Final = 4_000
MOST_NOTES: Final = 20
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_ONE: Final = frozenset(
    {"additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_COUNTS: Final = frozenset({"maxContains", "maxItems", "maxLength", "maxProperties"} | {"minContains", "minItems"}) | {
    "minLength",
    "minProperties",
}
_FREE: Final = frozenset({"const", "default"})
_VALUES: Final = frozenset({"const", "default", "enum", "examples"})
_SILENT: Final = frozenset({"$schema", "$comment", "icons"})
_NAMES: Final = frozenset(
    {"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$vocabulary", "id"}
)
_COUNTED: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def simplified(schema: Json | JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Return a schema of an object that is taken here, and a note for everything that was left out.

    Args:
        schema: Any JSON; a draft-07 schema of a tuple is understood.
    """
    if not isinstance(schema, Mapping):
        return {"type": "object"}, ("it is no schema of an object",)
    if depth(cast("Json", schema)) > MOST_DEPTH // 2 - 1:
        return {"type": "object"}, ("it is nested too deeply; arguments are not checked here",)
    clean = _Clean(_References(schema))
    root = clean.schema(schema, "")
    if root.get("type") != "object":
        if "type" in root:
            clean.notes.append("its type is no object")
        root["type"] = "object"
    if not _References(root).are_sound():
        return {"type": "object"}, (
            *clean.notes[:MOST_NOTES],
            "it is too large or too tangled; arguments are not checked here",
        )
    return root, tuple(dict.fromkeys(clean.notes))[:MOST_NOTES]


class _Clean:
    """Goes through a schema and keeps what is well formed.

    Args:
        references: Which of them can be kept.
    """

    def __init__(self, references: "_References") -> None:
        self.notes: list[str] = []
        self._references = references

    def _drop(self, where: str, word: str, reason: str) -> None:
        self.notes.append(f"{where or 'the whole'}: {word[:120]!r} {reason}")

    def schema(self, node: Mapping[str, Json], where: str) -> dict[str, Json]:
        """Return the node with every word that is well formed."""
        found: dict[str, Json] = {}
        wider: set[str] = set()
        for word, value in _modern(node).items():
            before = len(self.notes)
            kept = None if word in _SILENT else self._word(word, value, where)
            if len(self.notes) > before:
                wider.add(word)
            if kept is not None:
                found[word] = kept[0]
        return _loosened(found, wider)

    def _word(self, word: str, value: Json, where: str) -> tuple[Json] | None:
        """Return the value of a word in a tuple of one, None when it is left out."""
        if word in _ONE:
            return self._one(word, value, where)
        if word in _LISTS:
            parts = value if isinstance(value, list) else []
            some = [kept[0] for place, one in enumerate(parts) if (kept := self._one(f"{word}/{place}", one, where))]
            return (cast("Json", some),) if some and len(some) == len(parts) else self._odd(word, where)
        if word in _MAPS:
            return self._map(word, value, where)
        if word in _NAMES:
            self._drop(where, word, "is not taken")
            return None
        return self._plain(word, value, where)

    def _one(self, word: str, value: Json, where: str) -> tuple[Json] | None:
        if isinstance(value, bool):
            return (value,)
        return (self.schema(value, f"{where}/{word}"),) if isinstance(value, Mapping) else self._odd(word, where)

    def _map(self, word: str, value: Json, where: str) -> tuple[Json] | None:
        if not isinstance(value, Mapping):
            return self._odd(word, where)
        found: dict[str, Json] = {}
        for name, one in value.items():
            if word == "patternProperties" and not self._matches(name, where):
                continue
            kept = self._one(name, one, f"{where}/{word}")
            if kept is not None:
                found[name] = kept[0]
        return (found,)

    def _plain(self, word: str, value: Json, where: str) -> tuple[Json] | None:
        if word == "$ref" and isinstance(value, str):
            fault = self._references.fault(value)
            if fault:
                self._drop(where, value, fault)
            return None if fault else (value,)
        if word == "pattern":
            return (value,) if isinstance(value, str) and self._matches(value, where) else None
        if word in _COUNTS and isinstance(value, int) and value > MOST_REPEATED:
            self._drop(where, word, f"repeats more than {MOST_REPEATED} times")
            return None
        fits = _FITS.get(word)
        if word in _FREE or (fits(value) if fits else not isinstance(value, list | dict)):
            return (value,)
        return self._odd(word, where)

    def _odd(self, word: str, where: str) -> tuple[Json] | None:
        self._drop(where, word, "is not understood")
        return None

    def _matches(self, pattern: str, where: str) -> bool:
        try:
            check_pattern(pattern)
        except BadPatternError as exc:
            self._drop(where, pattern, str(exc))
            return False
        counted = [int(number) for pair in _COUNTED.findall(pattern) for number in pair if number]
        if max(counted, default=0) > MOST_REPEATED:
            self._drop(where, pattern, f"repeats more than {MOST_REPEATED} times")
            return False
        return True


def _loosened(node: dict[str, Json], wider: set[str]) -> dict[str, Json]:
    """Return a node of which some words now allow more, without the words that would allow less because of that."""
    if not wider:
        return node
    gone = {"unevaluatedItems", "unevaluatedProperties"} | (wider & {"not"})
    if "patternProperties" in wider:
        gone.add("additionalProperties")
    if wider & {"if", "then", "else"}:
        gone |= {"if", "then", "else"}
    if "contains" in wider:
        gone |= {"contains", "maxContains", "minContains"}
    if "prefixItems" in wider and "prefixItems" not in node:
        gone.add("items")
    left = {word: value for word, value in node.items() if word not in gone}
    if "oneOf" in wider and "oneOf" in left:
        either = left.pop("oneOf")
        left.setdefault("anyOf", either)
    return left


def _modern(node: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return a node with a tuple written as of 2020-12."""
    items = node.get("items")
    if not isinstance(items, list):
        return node
    rest = {"items": node["additionalItems"]} if "additionalItems" in node else {}
    return {
        **{word: node[word] for word in node if word not in ("items", "additionalItems")},
        "prefixItems": items,
        **rest,
    }


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_names(value: Json) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(name, str) for name in value)
        and len(set(map(str, value))) == len(value)
    )


def _is_type(value: Json) -> bool:
    names = value if isinstance(value, list) else [value]
    return (
        bool(names)
        and all(isinstance(name, str) and name in _TYPES for name in names)
        and _are_names(cast("Json", names))
    )


_FITS: Final[Mapping[str, Callable[[Json], bool]]] = {
    "type": _is_type,
    "required": _are_names,
    "enum": lambda value: isinstance(value, list),
    "examples": lambda value: isinstance(value, list),
    "dependentRequired": lambda value: isinstance(value, Mapping) and all(_are_names(one) for one in value.values()),
    "multipleOf": lambda value: _is_number(value) and cast("float", value) > 0,
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _is_number),
    **dict.fromkeys(_COUNTS, lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0),
    **dict.fromkeys(("deprecated", "readOnly", "uniqueItems", "writeOnly"), lambda value: isinstance(value, bool)),
    **dict.fromkeys(
        ("$ref", "contentEncoding", "contentMediaType", "description", "format", "title"),
        lambda value: isinstance(value, str),
    ),
}


class _References:
    """Tells which references lead somewhere, in no circle, to not too much.

    Args:
        root: The schema.
    """

    def __init__(self, root: Mapping[str, Json]) -> None:
        self._root = root
        self._sizes: dict[str, int | None] = {}

    def fault(self, reference: str) -> str:
        """Return why a reference is not kept, "" when it is."""
        if self._target(reference) is None:
            return "leads nowhere in the schema"
        size = self._followed(reference, ())
        if size is None:
            return "leads in a circle"
        return "leads to too much" if size >= MOST_PARTS else ""

    def are_sound(self) -> bool:
        """Say whether every reference can be kept, and the whole is not too large when they are written out."""
        references = [node["$ref"] for node in _nodes(self._root) if isinstance(node.get("$ref"), str)]
        if any(self.fault(str(reference)) for reference in references):
            return False
        return (self._size(self._root, ()) or 0) < MOST_PARTS

    def _target(self, reference: str) -> Mapping[str, Json] | None:
        found = pointed_at(self._root, reference)
        return found if isinstance(found, Mapping) else None

    def _size(self, node: Mapping[str, Json], through: tuple[str, ...]) -> int | None:
        """Return how many parts a node has with its references written out; None when they lead in a circle."""
        total = 0
        for inner in _nodes(node):
            total += len(inner) + 1
            reference = inner.get("$ref")
            if isinstance(reference, str):
                more = self._followed(reference, through)
                if more is None:
                    return None
                total = min(total + more, MOST_PARTS)
        return total

    def _followed(self, reference: str, through: tuple[str, ...]) -> int | None:
        if reference in through:
            return None
        if reference not in self._sizes:
            target = self._target(reference)
            self._sizes[reference] = 0 if target is None else self._size(target, (*through, reference))
        return self._sizes[reference]


def _nodes(root: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Yield every schema in a schema, itself included."""
    todo: list[Json | Mapping[str, Json]] = [root]
    while todo:
        node = todo.pop()
        if not isinstance(node, Mapping):
            continue
        yield node
        for word, value in node.items():
            if word in _MAPS and isinstance(value, Mapping):
                todo += value.values()
            elif word not in _VALUES:
                todo += value if isinstance(value, list) else [value]
