"""`ourcli plan`: make the plan, run nothing."""

import click

from ourcli.app.requests import AskRequest
from ourcli.cli.commands.ask import words_and_attachment
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.plan_view import show_plan


@click.command()
@click.argument("text", nargs=-1)
@click.option("--recipe", metavar="R", help="Use this recipe instead of choosing one.")
@common_options()
@click.pass_obj
def plan(invocation: Invocation, *, text: tuple[str, ...], recipe: str | None) -> None:
    """Make the plan for a request and run nothing."""
    from ourcli.cli.run import run  # deferred: asyncio

    words, attachment = words_and_attachment(invocation, text)
    request = AskRequest(text=words, attachment=attachment, project=invocation.project, recipe=recipe)
    show_plan(invocation, run(invocation, lambda service: service.plan(request)))
