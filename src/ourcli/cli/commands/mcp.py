"""`ourcli mcp`: the table of its commands."""

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.options import common_options

_AT = "ourcli.cli.commands"

COMMANDS: dict[str, LazyCommand] = {
    "serve": LazyCommand(f"{_AT}.mcp_serve:serve", "Be an MCP server: memory and tools for other agents."),
    "add": LazyCommand(f"{_AT}.mcp_servers:add", "Use the tools of an MCP server: a command, or a URL."),
    "list": LazyCommand(f"{_AT}.mcp_servers:list_servers", "List the MCP servers that were added."),
    "remove": LazyCommand(f"{_AT}.mcp_servers:remove", "Forget an MCP server, its tools and the login at it."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def mcp() -> None:
    """Be an MCP server, and use MCP servers."""
