"""`ourcli mcp serve`."""

from pathlib import Path

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade


@click.command()
@click.option("--http", "address", metavar="[HOST:]PORT", help="On a loopback port instead of stdin and stdout.")
@click.option(
    "--root",
    "roots",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Clients may have files below it ingested; default: the folder it is started in.",
)
@common_options(json=False)
@click.pass_obj
def serve(invocation: Invocation, *, address: str | None, roots: tuple[Path, ...]) -> None:
    """Be an MCP server: memory and tools for other agents.

    On stdin and stdout, or with --http on a port of this machine, where every request needs the bearer token
    whose file is named on stderr; port 0 takes a free one. Memory is the project's. Tools have the rights that
    were granted to them and no more; one that changes something is refused, since nobody is here to allow it.
    """
    from ourcli.cli.run import run  # deferred: asyncio
    from ourcli.servers.mcp.serving import roots_or_here, serve_http, serve_stdio  # deferred: the MCP SDK

    async def work(service: Facade) -> None:
        below = roots_or_here(roots)
        if address is None:
            await serve_stdio(service, below)
        else:
            await serve_http(service, address, tell=invocation.diagnostics.notice, roots=below)

    run(invocation, work)
