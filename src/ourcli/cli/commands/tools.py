"""`ourcli tools`: every tool."""

import json
from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.common.errors import UsageError

if TYPE_CHECKING:
    from ourcli.app.desks.tools import ToolEntry
    from ourcli.common.events import Event
    from ourcli.tools.data import JsonObject
    from ourcli.tools.ports import ToolResult

_HERE = "ourcli.cli.commands.tools"

COMMANDS: dict[str, LazyCommand] = {
    "list": LazyCommand(f"{_HERE}:list_tools", "List the tools there are."),
    "show": LazyCommand(f"{_HERE}:show", "Show what a tool takes, gives and needs."),
    "call": LazyCommand(f"{_HERE}:call", "Call a tool once."),
    "grant": LazyCommand(f"{_HERE}_rights:grant", "Grant rights to a tool, a plugin or a server."),
    "revoke": LazyCommand(f"{_HERE}_rights:revoke", "Take rights back."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def tools() -> None:
    """List, show and call tools, and say what they may do."""


@click.command("list")
@common_options()
@click.pass_obj
def list_tools(invocation: Invocation) -> None:
    """List the tools there are: built in, of plugins, of MCP servers."""
    from ourcli.cli.run import run  # deferred: asyncio

    shelf = run(invocation, lambda service: service.tools.all())
    for problem in shelf.problems:
        invocation.diagnostics.warning(problem)
    if invocation.json:
        invocation.output.document({"tools": [_data(entry) for entry in shelf.tools]})
        return
    rows = [(entry.spec.name, str(entry.spec.origin), entry.spec.description) for entry in shelf.tools]
    invocation.output.table(("tool", "from", "what it says of itself"), rows)


@click.command()
@click.argument("name", metavar="NAME")
@common_options()
@click.pass_obj
def show(invocation: Invocation, *, name: str) -> None:
    """Show what a tool takes, gives and needs."""
    from ourcli.cli.run import run  # deferred: asyncio

    entry = run(invocation, lambda service: service.tools.show(name))
    if invocation.json:
        invocation.output.document({"tools": [_data(entry)]})
    else:
        invocation.output.text(json.dumps(_data(entry), ensure_ascii=False, indent=2))


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--input", "given", metavar="JSON", default="{}", help="What the tool is given, a JSON object.")
@click.option("--session", metavar="S", default="", help="The conversation whose grants hold too.")
@common_options()
@click.pass_obj
def call(invocation: Invocation, *, name: str, given: str, session: str) -> None:
    """Call a tool once and print its answer.

    What it answers is data of whoever wrote the tool. A tool that lacks a right is asked for when a person is here; it
    can be granted once, for this session or always. A tool that changes something is run after a question only.
    """
    from ourcli.cli.consent import Consent  # deferred: only a call asks
    from ourcli.cli.run import run  # deferred: asyncio

    value = _object(given)

    async def work(service: Facade) -> "ToolResult":
        return await Consent(invocation, service.tools, session).call(name, value, _Log(invocation))

    result = run(invocation, work)
    if invocation.json:
        invocation.output.document(
            {"tool": result.tool, "output": result.output, "origin": str(result.origin), "trust": result.trust}
        )
    else:
        invocation.output.text(json.dumps(result.output, ensure_ascii=False, indent=2))


class _Log:
    """Show what the tool writes to its log, when details are wanted."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    def emit(self, event: "Event") -> None:
        """Show a line."""
        self._invocation.diagnostics.detail(f"the tool says: {getattr(event, 'text', '')}")


def _object(text: str) -> "JsonObject":
    from ourcli.tools.data import BadJsonError, parse  # deferred: only this command reads JSON

    try:
        value = parse(text)
    except BadJsonError as exc:
        raise UsageError(f"--input is no JSON: {exc}", hint="write it in single quotes") from exc
    if not isinstance(value, dict):
        raise UsageError("--input is no JSON object", hint="""write it like '{"name": "Ada"}'""")
    return value


def _data(entry: "ToolEntry") -> dict[str, object]:
    spec = entry.spec
    return {
        "name": spec.name,
        "origin": str(spec.origin),
        "description": spec.description,
        "input_schema": spec.input_schema,
        "output_schema": spec.output_schema,
        "capabilities": [str(one) for one in spec.capabilities],
        "granted": [str(one) for one in entry.granted],
        "side_effects": str(spec.side_effects),
        "idempotent": spec.idempotent,
        "timeout_s": spec.timeout_s,
        "sha256": spec.origin.sha256,
    }
