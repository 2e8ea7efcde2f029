"""`ourcli mcp add`, `list`, `remove`: MCP servers whose tools are used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import UsageError

if TYPE_CHECKING:
    from ourcli.app.desks.mcp import ServerEntry
    from ourcli.cli.ports import Facade
    from ourcli.tools.servers import McpServer


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("words", metavar="URL|-- CMD…", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--env", "keys", metavar="KEY", multiple=True, help="A variable of yours that its program gets.")
@click.option("--read-only", is_flag=True, help="You know that its tools change nothing.")
@click.option("--client-id", metavar="ID|URL", default="", help="Under which it knows ourcli, when that was agreed.")
@click.option("--client-secret-env", metavar="KEY", default="", help="The variable that holds that client's secret.")
@common_options()
@click.pass_obj
def add(invocation: Invocation, /, *, name: str, words: tuple[str, ...], **given: object) -> None:
    """Use the tools of an MCP server: a command, or a URL.

    It is started or connected to once, and what it says of its tools is kept. A grant holds for exactly that: when the
    server later says something else, you are asked again. A server that asks for a login is shown in your browser when
    you agree.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    server = _server(name, words, given)
    browser = _Asking(invocation) if invocation.interactive and server.url else None
    entry = run(invocation, lambda service: service.mcp.add(server, browser))
    _told(invocation, entry)
    if invocation.json:
        invocation.output.document({"servers": [_data(entry)]})
    else:
        from ourcli.tools.grants import how_to_grant  # deferred: needed here only

        invocation.output.text(f"{name}: {len(entry.offer.specs)} tools; grant them with")
        invocation.output.text(f"  {how_to_grant(entry.known.origin, server.capabilities)}")


def _server(name: str, words: tuple[str, ...], given: dict[str, object]) -> "McpServer":
    from ourcli.tools.servers import McpServer  # deferred: only this command makes one

    is_url = len(words) == 1 and words[0].lower().startswith(("http://", "https://"))
    if not is_url and (given["client_id"] or given["client_secret_env"]):
        raise UsageError("--client-id and --client-secret-env are for servers over HTTP", hint="give a URL")
    if is_url and given["keys"]:
        raise UsageError("--env is for servers that are a command", hint="leave it out")
    keys = given["keys"]
    return McpServer(
        name=name,
        command=() if is_url else words,
        url=words[0] if is_url else "",
        env=tuple(keys) if isinstance(keys, tuple) else (),
        read_only=bool(given["read_only"]),
        client_id=str(given["client_id"]),
        secret_env=str(given["client_secret_env"]),
    )


class _Asking:
    """Ask on the terminal before a page is opened."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    async def show(self, url: str) -> bool:
        """Ask, and open the page when the person agrees."""
        from anyio import to_thread  # deferred: the same

        return await to_thread.run_sync(self._show, url)

    def _show(self, url: str) -> bool:
        from ourcli.tools.logtext import harmless  # deferred: only a login needs it

        self._invocation.diagnostics.question(f"the server asks you to log in at {harmless(url)}")
        if not click.confirm("Open it in your browser?", default=False, err=True):
            return False
        click.launch(url)
        return True


@click.command("list")
@click.argument("name", metavar="[NAME]", default="")
@click.option("--check", is_flag=True, help="Connect to each, and look whether it says something else now.")
@common_options()
@click.pass_obj
def list_servers(invocation: Invocation, *, name: str, check: bool) -> None:
    """List the MCP servers that were added.

    With a name: what that server says of its tools, and what it changed.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: "Facade") -> "Sequence[ServerEntry]":
        return await service.mcp.all(name=name, check=check)

    entries = run(invocation, work)
    for entry in entries:
        _told(invocation, entry)
    if invocation.json:
        invocation.output.document({"servers": [_data(entry) for entry in entries]})
    elif name:
        specs = [spec for entry in entries for spec in entry.offer.specs.values()]
        invocation.output.table(("tool", "what it says of itself"), [(spec.name, spec.description) for spec in specs])
    else:
        rows = [
            (entry.known.server.name, entry.known.origin.place, entry.known.revision, str(len(entry.offer.specs)))
            for entry in entries
        ]
        invocation.output.table(("server", "place", "revision", "tools"), rows)


@click.command()
@click.argument("name", metavar="NAME")
@common_options()
@click.pass_obj
def remove(invocation: Invocation, *, name: str) -> None:
    """Forget an MCP server, its tools and the login at it."""
    from ourcli.cli.run import run  # deferred: asyncio

    run(invocation, lambda service: service.mcp.remove(name))
    if invocation.json:
        invocation.output.document({"removed": [name]})
    else:
        invocation.output.text(f"{name} was removed")


def _told(invocation: Invocation, entry: "ServerEntry") -> None:
    """Say what is wrong with a server, what it changed, and what of its schemas was left out."""
    name = entry.known.server.name
    for line in (*([entry.problem] if entry.problem else []), *entry.offer.problems):
        invocation.diagnostics.warning(line)
    for line in entry.known.differences():
        invocation.diagnostics.warning(f"{name} changed: {line}")
    for note in entry.offer.notes:
        invocation.diagnostics.detail(f"simplified: {note}")


def _data(entry: "ServerEntry") -> dict[str, object]:
    known, server = entry.known, entry.known.server
    return {
        "name": server.name,
        "command": list(server.command),
        "url": server.url,
        "env": list(server.env),
        "read_only": server.read_only,
        "revision": known.revision,
        "sha256": known.origin.sha256,
        "capabilities": [str(right) for right in server.capabilities],
        "tools": sorted(spec.name for spec in entry.offer.specs.values()),
        "hints": {tool.name: list(tool.hints) for tool in known.tools if tool.hints},
        "changes": list(known.differences()),
        "problems": [*([entry.problem] if entry.problem else []), *entry.offer.problems],
        "notes": list(entry.offer.notes),
    }
