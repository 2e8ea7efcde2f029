"""`ourcli recipes`: plans as files."""

from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options

if TYPE_CHECKING:
    from ourcli.core.recipe import Recipe

_HERE = "ourcli.cli.commands.recipes"

COMMANDS: dict[str, LazyCommand] = {
    "list": LazyCommand(f"{_HERE}:list_recipes", "List the recipes there are."),
    "show": LazyCommand(f"{_HERE}:show", "Print a recipe's file."),
    "new": LazyCommand(f"{_HERE}:new", "Write a recipe to start from."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def recipes() -> None:
    """List, show and start recipes: plans as files."""


@click.command("list")
@common_options()
@click.pass_obj
def list_recipes(invocation: Invocation) -> None:
    """List the recipes there are, shipped and your own."""
    from ourcli.cli.run import run  # deferred: asyncio

    book = run(invocation, lambda service: service.recipes())
    for problem in book.problems:
        invocation.diagnostics.warning(problem)
    found = sorted(book.recipes.values(), key=lambda recipe: recipe.name)
    if invocation.json:
        invocation.output.document({"recipes": [_data(recipe) for recipe in found]})
        return
    invocation.output.table(
        ("recipe", "from", "what it does"), [(recipe.name, recipe.origin, recipe.description) for recipe in found]
    )


@click.command()
@click.argument("name", metavar="NAME")
@common_options()
@click.pass_obj
def show(invocation: Invocation, *, name: str) -> None:
    """Print a recipe's file; save it under another name to make it yours."""
    from ourcli.cli.run import run  # deferred: asyncio

    recipe = run(invocation, lambda service: service.recipes()).get(name)
    if invocation.json:
        invocation.output.document({"recipes": [_data(recipe) | {"text": recipe.text}]})
    else:
        invocation.output.text(recipe.text, end="" if recipe.text.endswith("\n") else "\n")


@click.command()
@click.argument("name", metavar="NAME")
@common_options()
@click.pass_obj
def new(invocation: Invocation, *, name: str) -> None:
    """Write a recipe to start from into your recipes folder, and print its path."""
    from ourcli.cli.run import run  # deferred: asyncio

    path = run(invocation, lambda service: service.new_recipe(name))
    if invocation.json:
        invocation.output.document({"path": path})
    else:
        invocation.output.text(str(path))


def _data(recipe: "Recipe") -> dict[str, object]:
    return {
        "name": recipe.name,
        "description": recipe.description,
        "origin": recipe.origin,
        "when": recipe.when,
        "examples": recipe.examples,
        "steps": [step.to_json() for step in recipe.steps],
    }
