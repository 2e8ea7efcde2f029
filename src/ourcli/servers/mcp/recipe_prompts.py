"""Recipes as prompts: the plan in words, with its parameters filled in, for the client's own model to follow."""

from collections.abc import Mapping
from typing import Final

from mcp import types

from ourcli.common.errors import InvalidInputError, PlanError
from ourcli.core.kinds import KINDS
from ourcli.core.notation import InputValue, format_value
from ourcli.core.plan import Step
from ourcli.core.planner import bind
from ourcli.core.recipe import Parameter, Recipe
from ourcli.servers.mcp.ports import Facade

_TOOLS: Final[Mapping[str, str]] = {"recall": "memory_search", "remember": "memory_add", "ingest": "ingest"}
"""Which of the server's tools does what a kind of step does; the client's model does the rest itself."""


class RecipePrompts:
    """The recipes of this installation.

    Args:
        facade: Knows them.
    """

    def __init__(self, facade: Facade) -> None:
        self._facade = facade

    async def all(self) -> list[types.Prompt]:
        """Return every recipe that can be read."""
        book = await self._facade.recipes()
        return [_prompt(book.recipes[name]) for name in sorted(book.recipes)]

    async def get(self, name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
        """Return a recipe with its parameters filled in.

        Raises:
            NotFoundError: There is none of that name.
            InvalidInputError: A parameter is missing, unknown or no value of its kind.
        """
        recipe = (await self._facade.recipes()).get(name)
        unknown = sorted(arguments.keys() - recipe.parameters.keys())
        if unknown:
            raise InvalidInputError(f"the prompt {name!r} has no argument {unknown[0]!r}")
        values = {key: _value(key, text, recipe.parameters[key]) for key, text in arguments.items()}
        try:
            plan = bind(recipe, goal=recipe.description, values=values)
        except PlanError as exc:
            raise InvalidInputError(exc.message, hint=exc.hint) from exc
        text = "\n".join([recipe.description, "", "Do it in these steps:", *map(_line, range(1, 99), plan.steps)])
        message = types.PromptMessage(role="user", content=types.TextContent(text=text))
        return types.GetPromptResult(description=recipe.description, messages=[message])


def _prompt(recipe: Recipe) -> types.Prompt:
    return types.Prompt(
        name=recipe.name,
        description=recipe.description,
        arguments=[
            types.PromptArgument(name=name, description=one.description, required=one.required)
            for name, one in recipe.parameters.items()
        ],
    )


def _value(name: str, text: str, parameter: Parameter) -> InputValue:
    """Read an argument, which the protocol gives as text, as its default is: a list is split at commas."""
    default = parameter.default
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError) as exc:
        raise InvalidInputError(f"the argument {name!r} cannot be {text[:80]!r}") from exc
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _line(number: int, step: Step) -> str:
    purpose = KINDS[step.kind].purpose if step.kind in KINDS else step.kind
    tool = f" with the tool {_TOOLS[step.kind]}" if step.kind in _TOOLS else ""
    inputs = "; ".join(f"{name}: {format_value(value)}" for name, value in step.inputs.items())
    return f"{number}. {step.id}: {purpose}{tool}. {inputs}"
