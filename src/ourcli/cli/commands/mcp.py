"""`ourcli mcp`: the table of its commands."""

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.options import common_options

_AT = "ourcli.cli.commands"

COMMANDS: dict[str, LazyCommand] = {
    "serve": LazyCommand(f"{_AT}.mcp_serve:serve", "Be an MCP server: memory and tools for other agents."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def mcp() -> None:
    """Be an MCP server, and use MCP servers."""
