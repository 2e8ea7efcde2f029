"""`ourcli plugins add` and `ourcli plugins remove`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import ApprovalNeededError, CancelledByUserError

if TYPE_CHECKING:
    from ourcli.tools.plugin_lock import Added


@click.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of one with its name.")
@common_options()
@click.pass_obj
def add(invocation: Invocation, *, path: Path, replace: bool) -> None:
    """Add a plugin from a folder, a .zip or a .tar.gz.

    Its manifest, its modules and the texts beside them are copied, and their digests kept in plugins.lock: when a file
    changes later, the plugin is asked for again. It has no right until it is granted one.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    added = run(invocation, lambda service: service.tools.add_plugin(path.absolute(), replace=replace))
    plugin = added.plugin
    if invocation.json:
        invocation.output.document({"plugins": [_data(added)]})
        return
    invocation.diagnostics.notice(f"{plugin.name} {plugin.manifest.version} stands in {plugin.folder}")
    requested = plugin.manifest.requested()
    if requested:
        from ourcli.tools.grants import how_to_grant  # deferred: needed here only

        invocation.diagnostics.notice(f"it requests {', '.join(str(one) for one in requested)}")
        invocation.diagnostics.notice(f"`{how_to_grant(plugin.origin, requested)}` grants that, if you trust it")


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options()
@click.pass_obj
def remove(invocation: Invocation, *, name: str, yes: bool) -> None:
    """Remove a plugin from this home, and take back all that it was granted."""
    from ourcli.cli.run import run  # deferred: asyncio

    if not yes:
        if not invocation.interactive:
            raise ApprovalNeededError(f"nobody is here to agree to removing {name!r}", hint="add --yes")
        if not click.confirm(f"Remove the plugin {name!r} and its grants?", default=False, err=True):
            raise CancelledByUserError(f"{name!r} was not removed")
    revoked = run(invocation, lambda service: service.tools.remove_plugin(name))
    if invocation.json:
        invocation.output.document({"removed": name, "revoked": [str(one) for one in revoked]})
        return
    names = ", ".join(str(one) for one in revoked) or "nothing"
    invocation.diagnostics.notice(f"{name} is removed; it had been granted {names}")


def _data(added: "Added") -> dict[str, object]:
    plugin = added.plugin
    return {
        "name": plugin.name,
        "version": plugin.manifest.version,
        "sha256": plugin.origin.sha256,
        "capabilities": list(plugin.manifest.capabilities),
        "granted": [],
        "folder": plugin.folder,
        "files": added.files,
        "replaced": added.replaced,
    }
