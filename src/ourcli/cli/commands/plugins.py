"""`ourcli plugins`: WASI plugins."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import PluginError

if TYPE_CHECKING:
    from ourcli.tools.capabilities import Capability
    from ourcli.tools.plugins import Plugin

_HERE = "ourcli.cli.commands.plugins"

COMMANDS: dict[str, LazyCommand] = {
    "list": LazyCommand(f"{_HERE}:list_plugins", "List the plugins that are installed."),
    "add": LazyCommand(f"{_HERE}_installing:add", "Add a plugin from a folder or an archive."),
    "remove": LazyCommand(f"{_HERE}_installing:remove", "Remove a plugin and what it was granted."),
    "check": LazyCommand(f"{_HERE}:check", "Look for what is wrong with a plugin."),
    "new": LazyCommand(f"{_HERE}:new", "Begin a plugin of your own."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def plugins() -> None:
    """List, add, check and remove plugins."""


@click.command("list")
@common_options()
@click.pass_obj
def list_plugins(invocation: Invocation) -> None:
    """List the plugins that are installed, with what they request and what they were granted."""
    from ourcli.cli.run import run  # deferred: asyncio

    shelf = run(invocation, lambda service: service.tools.plugins())
    for problem in shelf.problems:
        invocation.diagnostics.warning(problem)
    if invocation.json:
        invocation.output.document(
            {"plugins": [{**_data(one.plugin, one.granted), "asked_first": one.asked} for one in shelf.plugins]}
        )
        return
    rows = [
        (
            one.plugin.name,
            one.plugin.manifest.version,
            ", ".join(one.plugin.manifest.capabilities) or "nothing",
            ", ".join(str(right) for right in one.granted) or "nothing",
            one.asked,
        )
        for one in shelf.plugins
    ]
    invocation.output.table(("plugin", "version", "requests", "was granted", "asked first, because"), rows)


@click.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@common_options()
@click.pass_obj
def check(invocation: Invocation, *, path: Path) -> None:
    """Look for what is wrong with a plugin: its manifest, its module, what it says of itself.

    It is compiled and run in the sandbox, without any right.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    found = run(invocation, lambda service: service.tools.check(path.absolute()))
    if found.problems:
        raise PluginError(
            f"the plugin {found.plugin.name!r} cannot be used: {'; '.join(found.problems)}",
            hint="mend that, build it again, and check it again",
        )
    if invocation.json:
        invocation.output.document({"plugins": [_data(found.plugin, ())], "problems": [], "guards": found.guards})
        return
    requests = ", ".join(found.plugin.manifest.capabilities) or "nothing"
    invocation.output.text(f"{found.plugin.name} can be used; it requests {requests}")


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--lang", "language", metavar="LANG", required=True, help="c, rust, go, js or python.")
@common_options()
@click.pass_obj
def new(invocation: Invocation, *, name: str, language: str) -> None:
    """Begin a plugin of your own: a folder NAME with a manifest, a source that answers, and how it is built."""
    from ourcli.tools.scaffold import plugin_files, write_plugin  # deferred: only this command writes plugins

    paths = write_plugin(Path(name), plugin_files(name, language))
    if invocation.json:
        invocation.output.document({"plugins": [{"name": name, "folder": Path(name).absolute(), "files": paths}]})
        return
    for path in paths:
        invocation.output.text(str(path))
    invocation.diagnostics.notice(f"{Path(name) / 'README.md'} says how it is built")


def _data(plugin: "Plugin", granted: "tuple[Capability, ...]") -> dict[str, object]:
    return {
        "name": plugin.name,
        "version": plugin.manifest.version,
        "sha256": plugin.origin.sha256,
        "capabilities": list(plugin.manifest.capabilities),
        "granted": [str(one) for one in granted],
        "folder": plugin.folder,
        "description": plugin.manifest.description,
    }
