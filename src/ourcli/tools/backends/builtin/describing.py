"""Specs of built-in tools in few words."""

from collections.abc import Mapping, Sequence
from typing import Final

from ourcli.tools.data import Json, JsonObject
from ourcli.tools.spec import DEFAULT_TIMEOUT_S, Origin, OriginKind, SideEffects, ToolExample, ToolSpec

TEXT: Final[JsonObject] = {"type": "string"}
WHOLE: Final[JsonObject] = {"type": "integer"}


def described(
    name: str,
    description: str,
    *,
    takes: JsonObject,
    gives: JsonObject,
    examples: Sequence[ToolExample],
    side_effects: SideEffects = SideEffects.NONE,
    idempotent: bool = True,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> ToolSpec:
    """Return the spec of a built-in tool called `family.word`, whose grants are kept by the family.

    Args:
        name: Its full name.
        description: What it does.
        takes: The schema of its input, an object.
        gives: The schema of the answer.
        examples: At least one call.
        side_effects: What a call changes.
        idempotent: Twice is as once.
        timeout_s: After so long it is stopped.
    """
    return ToolSpec(
        name=name,
        description=description,
        origin=Origin(kind=OriginKind.BUILTIN, name=name.partition(".")[0], place="ourcli"),
        input_schema=takes,
        output_schema=gives,
        examples=tuple(examples),
        side_effects=side_effects,
        idempotent=idempotent,
        timeout_s=timeout_s,
    )


def an_object(properties: Mapping[str, JsonObject], required: Sequence[str] | None = None) -> dict[str, Json]:
    """Return the schema of an object without other keys; None requires all of them."""
    names: list[Json] = list(properties if required is None else required)
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in properties.items()},
        "required": names,
        "additionalProperties": False,
    }


def a_list(items: JsonObject, **more: Json) -> dict[str, Json]:
    """Return the schema of a list."""
    return {"type": "array", "items": dict(items), **more}


def a_text(description: str, **more: Json) -> dict[str, Json]:
    """Return the schema of a text that is given."""
    return {"type": "string", "description": description, **more}


def a_number(description: str, least: int, most: int, default: int) -> dict[str, Json]:
    """Return the schema of a whole number that may be given."""
    return {"type": "integer", "description": description, "minimum": least, "maximum": most, "default": default}


def a_switch(description: str) -> dict[str, Json]:
    """Return the schema of a switch that is off unless it is given."""
    return {"type": "boolean", "description": description, "default": False}
