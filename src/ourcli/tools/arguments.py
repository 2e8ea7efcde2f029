"""Fill in the arguments of one tool from a question: a model writes them, held to the tool's schema by grammar.

What the model writes is then held against the whole schema; it is shown its faults and writes again, twice at most.
An optional argument of which the question holds nothing is left out: a small model fills in whatever it may, and
the tool's own default is better than an invention.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from ourcli.common.errors import ToolInputError
from ourcli.common.meaning import words_of
from ourcli.common.words import NUMBER_WORDS
from ourcli.tools.choosing import in_words
from ourcli.tools.data import BadJsonError, Json, JsonObject, dump, parse
from ourcli.tools.pointers import pointed_at
from ourcli.tools.ports import ArgumentWriter
from ourcli.tools.schema import BadSchemaError, Schema
from ourcli.tools.spec import ToolExample, ToolSpec

RULES: Final = (
    "You fill in the arguments of a function call from the user's request. Copy names, texts and numbers exactly as "
    "the request has them. Leave out every optional argument that the request does not mention."
)
MOST_REPAIRS: Final = 2
MOST_TOKENS: Final = 400
_DESCRIPTION_CHARS = 600
_ARGUMENT_CHARS = 300
_MOST_LISTED = 12
_NUMBER = re.compile(r"-?\d[\d,_]*(?:\.\d+)?")
_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent\b)", re.IGNORECASE)
_AS_PERCENTAGE = re.compile(r"percent|%", re.IGNORECASE)
_AS_DECIMAL = re.compile(r"decimal|fraction|\b0?\.\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Arguments that fit a tool's schema.

    Attributes:
        input: The arguments.
        repairs: How often the model had to write them again.
    """

    input: dict[str, Json]
    repairs: int


async def fill(spec: ToolSpec, question: str, writer: ArgumentWriter, *, given: JsonObject) -> Filled:
    """Return the arguments of a call to a tool that a question asks for.

    Args:
        spec: The tool. Its words are data: they reach this one prompt and decide nothing else.
        question: The user's words.
        writer: The model.
        given: Arguments that are certain already; the model is not asked for them.

    Raises:
        ToolInputError: What the model wrote does not fit the schema, repairs included.
        ModelError: The model failed.
    """
    schema, asked = _checked(spec), without(spec.input_schema, given)
    turns = [RULES, _prompt(spec, asked, question)]
    faults: tuple[str, ...] = ()
    for repairs in range(MOST_REPAIRS + 1):
        written = await writer.write(turns, grammar_schema(asked), max_tokens=MOST_TOKENS)
        found, faults = _read(written)
        if found is not None:
            found = as_fractions(mentioned(found, spec.input_schema, question), spec.input_schema, question) | dict(
                given
            )
            faults = schema.faults(found)
            if not faults:
                return Filled(input=found, repairs=repairs)
        turns += [written, f"That does not fit: {'; '.join(faults)}. Write the arguments again, corrected."]
    raise ToolInputError(
        f"no arguments for the tool {spec.name!r} were found in the question: {'; '.join(faults)}",
        hint=f"call it yourself: ourcli tools call {spec.name} --input '{{…}}'",
    )


def _checked(spec: ToolSpec) -> Schema:
    try:
        return Schema(spec.input_schema)
    except BadSchemaError as exc:
        raise ToolInputError(f"the input schema of the tool {spec.name!r} cannot be used: {exc}") from exc


def _read(written: str) -> tuple[dict[str, Json] | None, tuple[str, ...]]:
    try:
        value = parse(written)
    except BadJsonError as exc:
        return None, (str(exc)[:200],)
    return (value, ()) if isinstance(value, dict) else (None, ("it is no JSON object",))


def without(schema: JsonObject, given: JsonObject) -> dict[str, Json]:
    """Return the schema of an object without the properties that are given."""
    properties = {name: part for name, part in properties_of(schema).items() if name not in given}
    required: list[Json] = [name for name in required_of(schema) if name not in given]
    return {**schema, "properties": properties, "required": required}


def properties_of(schema: Json | JsonObject) -> dict[str, Json]:
    """Return the properties of a schema by name; none where it has none."""
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def required_of(schema: Json | JsonObject) -> tuple[str, ...]:
    """Return the names of the properties that must be there."""
    found = schema.get("required") if isinstance(schema, Mapping) else None
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list | tuple) else ()


# The prompt


def _prompt(spec: ToolSpec, asked: JsonObject, question: str) -> str:
    lines = [f"Function {spec.name}: {spec.description[:_DESCRIPTION_CHARS]}", "Arguments:"]
    required = required_of(asked)
    for name, about in properties_of(asked).items():
        lines.append(_argument(name, about, required=name in required))
    lines += [_example(one) for one in spec.examples[:2]]
    return "\n".join((*lines, "", f"Request: {question.strip()}"))


def _argument(name: str, about: Json, *, required: bool) -> str:
    told = about.get("description") if isinstance(about, Mapping) else None
    head = f"- {name} ({type_in_words(about)}, {'required' if required else 'optional'})"
    return f"{head}: {told[:_ARGUMENT_CHARS]}" if isinstance(told, str) and told else head


def _example(one: ToolExample) -> str:
    told = f"{one.description}: " if one.description else ""
    return f"Example: {told}{dump(one.input).decode()[:_ARGUMENT_CHARS]}"


def type_in_words(schema: Json) -> str:
    """Return what a schema takes in a few words: `one of "a", "b"`, `list of integer`, `integer`."""
    if not isinstance(schema, Mapping):
        return "anything"
    listed = schema.get("enum")
    if isinstance(listed, list):
        return "one of " + ", ".join(dump(one).decode() for one in listed[:_MOST_LISTED])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {type_in_words(schema.get('items'))}"
    if kind == "object" and properties_of(schema):
        parts = ", ".join(f"{name}: {type_in_words(part)}" for name, part in properties_of(schema).items())
        return f"object with {parts}"
    if isinstance(kind, list):
        return " or ".join(str(one) for one in kind)
    return str(kind) if isinstance(kind, str) else "anything"


# What the question does not speak of


def mentioned(found: Mapping[str, Json], schema: JsonObject, question: str) -> dict[str, Json]:
    """Return the arguments without the optional ones of which the question holds nothing."""
    required, ground = required_of(schema), _Ground(question)
    return {name: value for name, value in found.items() if name in required or ground.holds(name, value)}


def as_fractions(found: Mapping[str, Json], schema: JsonObject, question: str) -> dict[str, Json]:
    """Return the arguments with the question's percentages as fractions: 8% is 0.08.

    Only for numbers that may have decimals, and not where the tool says that it wants a percentage. (Of the 26 such
    arguments in BFCL's cases all follow this rule.)
    """
    said = {float(match[1]) for match in _PERCENTAGE.finditer(question)}
    properties = properties_of(schema)
    return {
        name: value / 100
        if isinstance(value, int | float) and float(value) in said and _wants_fraction(name, properties.get(name))
        else value
        for name, value in found.items()
    }


def _wants_fraction(name: str, about: Json) -> bool:
    if not isinstance(about, Mapping) or about.get("type") != "number":
        return False
    words = f"{in_words(name)} {about.get('description', '')}"
    return _AS_PERCENTAGE.search(words) is None or _AS_DECIMAL.search(words) is not None


def invented(found: Mapping[str, Json], schema: JsonObject, question: str) -> tuple[str, ...]:
    """Return the names of texts and numbers of which a question holds nothing, those from a list apart."""
    properties, ground = properties_of(schema), _Ground(question)
    free = ((name, value) for name, value in found.items() if not isinstance(value, bool))
    return tuple(name for name, value in free if not _is_choice(properties.get(name)) and not ground.holds(name, value))


def _is_choice(about: Json) -> bool:
    return isinstance(about, Mapping) and ("enum" in about or "const" in about)


class _Ground:
    """What a question holds: words and numbers."""

    def __init__(self, question: str) -> None:
        self._words = words_of(question)
        self._numbers = numbers_in(question)

    def holds(self, name: str, value: Json) -> bool:
        """Say whether the question speaks of an argument with this value."""
        if value is None or value in ("", [], {}):
            return False
        if isinstance(value, bool):
            return not words_of(in_words(name)).isdisjoint(self._words)
        if isinstance(value, int | float):
            return float(value) in self._numbers or round(float(value) * 100, 9) in self._numbers
        if isinstance(value, str):
            held = words_of(value)
            return not held or not held.isdisjoint(self._words)
        items = value.values() if isinstance(value, Mapping) else value
        return any(self.holds(name, item) for item in items)


def numbers_in(text: str) -> set[float]:
    """Return the numbers of a text, written in digits or as words."""
    found = {float(match[0].replace(",", "").replace("_", "")) for match in _NUMBER.finditer(text)}
    return found | {float(NUMBER_WORDS[word]) for word in re.findall(r"[a-z]+", text.lower()) if word in NUMBER_WORDS}


# The grammar

_KEPT = frozenset({"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_DEEPEST = 8
_MOST_ITEMS = 64


def grammar_schema(schema: JsonObject) -> dict[str, Json]:
    """Return the schema in words that every grammar knows; what is left out is checked afterwards.

    References are written out, to a depth at which whatever leads in circles is left open.
    """
    return cast("dict[str, Json]", _plain(cast("Json", schema), schema, 0))


def _plain(schema: Json, root: JsonObject, depth: int) -> Json:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return {}
    if isinstance(reference := schema.get("$ref"), str):
        return _plain(cast("Json", pointed_at(root, reference)), root, depth + 1)
    plain: dict[str, Json] = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in schema:
        plain["properties"] = {name: _plain(part, root, depth + 1) for name, part in properties_of(schema).items()}
        plain["required"] = [name for name in required_of(schema) if name in properties_of(schema)]
        plain["additionalProperties"] = False
    if "items" in schema:
        plain["items"] = _plain(schema["items"], root, depth + 1)
    if plain.get("type") == "array":
        plain["maxItems"] = _MOST_ITEMS
    for word in ("anyOf", "oneOf"):
        if isinstance(options := schema.get(word), list):
            plain["anyOf"] = [_plain(one, root, depth + 1) for one in options]
    return plain
