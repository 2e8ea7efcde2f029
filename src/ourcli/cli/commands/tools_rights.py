"""`ourcli tools grant` and `ourcli tools revoke`."""

from typing import TYPE_CHECKING

import click

from ourcli.cli.amounts import parse_bytes
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import UsageError

if TYPE_CHECKING:
    from ourcli.app.desks.rights import ChangedRights


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("rights", metavar="CAP...", nargs=-1, required=True)
@click.option("--for", "until", type=click.Choice(["always", "session"]), default="always", help="How long it holds.")
@click.option("--session", metavar="S", help="The conversation it holds in; without it, this terminal.")
@click.option("--quota", metavar="SIZE", help="How much may be added below the fs:write paths, such as 10MiB.")
@click.option("--why", metavar="TEXT", default="", help="A note for yourself.")
@common_options()
@click.pass_obj
def grant(
    invocation: Invocation,
    *,
    name: str,
    rights: tuple[str, ...],
    until: str,
    session: str | None,
    quota: str | None,
    why: str,
) -> None:
    """Grant rights to a tool's plugin, to a plugin, a group of built-in tools (such as fs) or an MCP server.

    CAP is fs:read=PATH, fs:write=PATH, env=KEY, net=HOST[:PORT], memory:read, memory:write, clock, exec or use. It
    holds for exactly the files that stand there now: when the plugin changes, it is asked for again. A session is the
    conversation of --session, else every command of this terminal; its grants end after a day.
    """
    from ourcli.app.desks.rights import Terms  # deferred: loads the rooms
    from ourcli.cli.run import run  # deferred: asyncio
    from ourcli.tools.capabilities import parse  # deferred: only these commands read rights
    from ourcli.tools.grants import Until  # deferred: the same

    if session and until != "session":
        raise UsageError("--session needs --for session", hint="add it, or leave --session out")
    parsed = tuple(parse(text) for text in rights)
    terms = Terms(until=Until(until), session=session or "", quota_bytes=_quota(quota), why=why)
    changed = run(invocation, lambda service: service.tools.grant(name, parsed, terms))
    _tell(invocation, "granted", changed)


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("rights", metavar="[CAP...]", nargs=-1)
@common_options()
@click.pass_obj
def revoke(invocation: Invocation, *, name: str, rights: tuple[str, ...]) -> None:
    """Take rights back; without CAP, all that NAME was granted. The next call does not have them any more."""
    from ourcli.cli.run import run  # deferred: asyncio
    from ourcli.tools.capabilities import parse  # deferred: only these commands read rights

    parsed = tuple(parse(text) for text in rights) or None
    changed = run(invocation, lambda service: service.tools.revoke(name, parsed))
    _tell(invocation, "revoked", changed)


def _quota(text: str | None) -> int | None:
    try:
        return None if text is None else parse_bytes(text)
    except ValueError as exc:
        raise UsageError(f"--quota: {exc}", hint="write it like 10MiB or 2GB") from exc


def _tell(invocation: Invocation, done: str, changed: "ChangedRights") -> None:
    names = [str(right) for right in changed.rights]
    if invocation.json:
        invocation.output.document({done: names, "origin": str(changed.origin), "sha256": changed.origin.sha256})
        return
    invocation.diagnostics.notice(f"{done} {', '.join(names) or 'nothing'}: {changed.origin}")
