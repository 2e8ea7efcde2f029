"""`ourcli events`: what happened."""

from datetime import datetime

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.parameters import MomentType
from ourcli.cli.ports import Facade

COMMANDS: dict[str, LazyCommand] = {
    "tail": LazyCommand("ourcli.cli.commands.events:tail", "Print logged events as JSON lines."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def events() -> None:
    """Show what happened."""


@click.command()
@click.option("--since", metavar="D", type=MomentType(), help="Not older: ISO date or time (UTC), or 2d, 12h.")
@click.option("-f/-n", "--follow/--no-follow", default=None, help="Wait for new ones; the default on a terminal.")
@common_options()
@click.pass_obj
def tail(invocation: Invocation, *, since: datetime | None, follow: bool | None) -> None:
    """Print logged events as JSON lines, oldest first.

    On a terminal it stays and prints new ones until Ctrl-C.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    stays = invocation.output.terminal if follow is None else follow

    async def work(service: Facade) -> None:
        async for event in service.events(since, stays):
            invocation.output.line(event)

    run(invocation, work)
