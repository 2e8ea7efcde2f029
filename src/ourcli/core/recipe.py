"""Recipes: plans as TOML files that a user can read, change and add to.

The shipped ones are package data in `core/recipes/`; the user's own stand in a folder that is passed in, and one
with the name of a shipped recipe takes its place. A broken file never hides the others: it is reported.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.errors import NotFoundError, OurcliError, PlanError
from ourcli.core.kinds import KINDS, StepKind
from ourcli.core.notation import InputValue, parse_value
from ourcli.core.plan import Plan, SideEffect, Step, validate
from ourcli.core.router import RequestKind

_MOST_BYTES = 256 * 1024
_NAME = r"^[a-z][a-z0-9-]{0,63}$"
_STEP_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a recipe is told by the request.

    Attributes:
        description: In a few words.
        default: Used when the request does not give it.
        required: The request must give it; there is no default.
    """

    description: str
    default: InputValue
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A plan before it is bound to a request.

    Attributes:
        name: As `--recipe` takes it; the file's name without `.toml`.
        description: What it is for, one sentence.
        when: The kinds of request it serves unasked; empty: only by name.
        examples: Requests it is meant for.
        parameters: What the request tells it.
        steps: Inputs may hold parameters.
        origin: `shipped`, or the file's path.
        text: The file as written.
    """

    name: str
    description: str
    when: tuple[RequestKind, ...]
    examples: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    origin: str
    text: str

    @property
    def shipped(self) -> bool:
        """Say whether it came with ourcli."""
        return self.origin == SHIPPED


SHIPPED = "shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookbook:
    """The recipes there are, by name, and what is wrong with files that hold none."""

    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def get(self, name: str) -> Recipe:
        """Return a recipe by name.

        Raises:
            NotFoundError: There is none; the hint says which there are, or that its file is broken.
        """
        if name in self.recipes:
            return self.recipes[name]
        broken = [problem for problem in self.problems if f"{name}.toml" in problem]
        raise NotFoundError(
            f"no recipe {name!r}", hint=broken[0] if broken else f"recipes: {', '.join(sorted(self.recipes))}"
        )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _ParameterTable(_Table):
    description: str = ""
    default: str | int | float | bool | list[str | int | float | bool] | None = None


class _StepTable(_Table):
    id: Annotated[str, Field(pattern=_STEP_NAME)]
    kind: str
    inputs: dict[str, object] = {}
    needs: list[str] = []
    timeout_s: Annotated[float, Field(gt=0, le=86_400, strict=False)] = 60.0
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    side_effect: Annotated[SideEffect, Field(strict=False)] = SideEffect.NONE


class _RecipeTable(_Table):
    name: Annotated[str, Field(pattern=_NAME)]
    description: Annotated[str, Field(min_length=1)]
    when: list[Annotated[RequestKind, Field(strict=False)]] = []
    examples: list[str] = []
    parameters: dict[str, _ParameterTable] = {}
    steps: Annotated[list[_StepTable], Field(min_length=1)]


def parse(text: str, *, file: str, origin: str, kinds: Mapping[str, StepKind] = KINDS) -> Recipe:
    """Read one recipe.

    Args:
        text: TOML.
        file: Name of the file for messages; its stem must be the recipe's name.
        origin: `shipped`, or the file's path.
        kinds: The kinds of steps that exist.

    Raises:
        PlanError: The message names the file and the reason.
    """
    try:
        table = _RecipeTable.model_validate(tomllib.loads(text))
        recipe = _recipe(table, origin, text)
        stem = file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".toml")
        if stem != recipe.name:
            raise PlanError(f"its name is {recipe.name!r}, the file's is {stem!r}", hint="make them the same")
        plan = Plan(goal="", recipe=recipe.name, steps=recipe.steps)
        validate(plan, kinds, parameters=frozenset(recipe.parameters))
    except tomllib.TOMLDecodeError as exc:
        raise PlanError(f"recipe {file}: not valid TOML: {exc}") from exc
    except ValidationError as exc:
        raise PlanError(f"recipe {file}: {_first_problem(exc)}") from exc
    except PlanError as exc:
        raise PlanError(f"recipe {file}: {exc.message}", hint=exc.hint) from exc
    return recipe


def _recipe(table: _RecipeTable, origin: str, text: str) -> Recipe:
    parameters = {
        name: Parameter(
            description=one.description,
            default=_literal(one.default),
            required="default" not in one.model_fields_set,
        )
        for name, one in table.parameters.items()
    }
    return Recipe(
        name=table.name,
        description=table.description,
        when=tuple(table.when),
        examples=tuple(table.examples),
        parameters=parameters,
        steps=tuple(_step(one) for one in table.steps),
        origin=origin,
        text=text,
    )


def _literal(value: object) -> InputValue:
    if isinstance(value, list):
        return tuple(value)
    assert value is None or isinstance(value, str | int | float)
    return value


def _step(table: _StepTable) -> Step:
    try:
        inputs = {name: parse_value(raw) for name, raw in table.inputs.items()}
    except PlanError as exc:
        raise PlanError(f"step {table.id!r}: {exc.message}", hint=exc.hint) from exc
    return Step(
        id=table.id,
        kind=table.kind,
        inputs=inputs,
        needs=tuple(table.needs),
        timeout_s=table.timeout_s,
        retries=table.retries,
        side_effect=table.side_effect,
    )


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def shipped() -> Cookbook:
    """Return the recipes that come with ourcli."""
    folder = files("ourcli.core") / "recipes"
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda one: one.name)
    recipes = [parse(entry.read_text("utf-8"), file=entry.name, origin=SHIPPED) for entry in entries]
    return Cookbook(recipes={recipe.name: recipe for recipe in recipes})


def load(folder: Path | None) -> Cookbook:
    """Return the shipped recipes and those in `folder`, which need not exist; broken files become problems."""
    book = shipped()
    if folder is None or not folder.is_dir():
        return book
    recipes, problems = dict(book.recipes), list[str]()
    for path in _recipe_files(folder):
        try:
            recipe = parse(_read(path), file=str(path), origin=str(path))
        except OurcliError as exc:
            problems.append(f"{exc.message} ({exc.hint})" if exc.hint else exc.message)
            continue
        recipes[recipe.name] = recipe
    return Cookbook(recipes=recipes, problems=tuple(problems))


def _recipe_files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise PlanError(f"recipe {path}: larger than {_MOST_BYTES // 1024} KB")
        return raw.decode("utf-8")
    except OSError as exc:
        raise PlanError(f"recipe {path}: cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise PlanError(f"recipe {path}: not UTF-8 text") from exc


def template(name: str) -> str:
    """Return the text of a new recipe, ready to be changed.

    Raises:
        PlanError: The name cannot be a recipe's.
    """
    text = (files("ourcli.core") / "recipes" / "new.template").read_text("utf-8").replace("NAME", name)
    parse(text, file=f"{name}.toml", origin=SHIPPED)
    return text
