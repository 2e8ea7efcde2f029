"""How inputs of steps are written in TOML and JSON.

`"$recall.hits"` is the output `hits` of the step `recall`, `"$question"` a parameter of the recipe, and
`"$$5"` the plain text `$5`. Every other text, number, truth value, and lists of them, mean themselves.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ourcli.common.errors import PlanError

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_REFERENCE = re.compile(rf"\$({_NAME})(?:\.({_NAME}))?\Z")


@dataclass(frozen=True, slots=True)
class Ref:
    """An output of another step, known once that step has run."""

    step: str
    output: str


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a recipe, known once the recipe is bound to a request."""

    name: str


Scalar: TypeAlias = str | int | float | bool | None
InputValue: TypeAlias = Scalar | Ref | Param | tuple["InputValue", ...]
"""What an input holds: a literal, a reference, a parameter, or a list of these."""


def parse_value(raw: object) -> InputValue:
    """Read a value as TOML or JSON holds it.

    Raises:
        PlanError: It is a table, or a text that starts with `$` and is no reference.
    """
    if isinstance(raw, str):
        return _parse_text(raw)
    if raw is None or isinstance(raw, bool | int | float):
        return raw
    if isinstance(raw, list | tuple):
        return tuple(parse_value(item) for item in raw)
    raise PlanError(
        f"an input cannot be a {type(raw).__name__}", hint="use a text, number, truth value or a list of these"
    )


def _parse_text(text: str) -> str | Ref | Param:
    if not text.startswith("$"):
        return text
    if text.startswith("$$"):
        return text[1:]
    match = _REFERENCE.match(text)
    if match is None:
        raise PlanError(
            f"{text!r} is no reference", hint="write '$step.output' or '$parameter'; a text that starts with $ as '$$…'"
        )
    name, output = match.groups()
    return Param(name) if output is None else Ref(name, output)


def format_value(value: InputValue) -> object:
    """Write a value for JSON; `parse_value` reads it back."""
    if isinstance(value, Ref):
        return f"${value.step}.{value.output}"
    if isinstance(value, Param):
        return f"${value.name}"
    if isinstance(value, str):
        return f"${value}" if value.startswith("$") else value
    if isinstance(value, tuple):
        return [format_value(item) for item in value]
    return value


def references(value: InputValue) -> Iterator[Ref | Param]:
    """Yield every reference and parameter inside a value."""
    if isinstance(value, Ref | Param):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from references(item)


def substitute(value: InputValue, parameter: Callable[[Param], InputValue]) -> InputValue:
    """Return the value with each parameter replaced by what `parameter` gives for it."""
    if isinstance(value, Param):
        return parameter(value)
    if isinstance(value, tuple):
        return tuple(substitute(item, parameter) for item in value)
    return value


def resolve(value: InputValue, output: Callable[[Ref], object]) -> object:
    """Return the value with each reference replaced by what `output` gives for it; lists become tuples."""
    if isinstance(value, Ref):
        return output(value)
    if isinstance(value, tuple):
        return tuple(resolve(item, output) for item in value)
    return value
