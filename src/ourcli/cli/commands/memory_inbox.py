"""`ourcli memory inbox`: effects of rules that wait for a person."""

import click

from ourcli.cli.commands.memory_policy import tell_applied
from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.ledger_view import action_data, counted, way
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars
from ourcli.common.errors import UsageError
from ourcli.common.jsondata import iso_milliseconds

_HERE = "ourcli.cli.commands.memory_inbox"

COMMANDS: dict[str, LazyCommand] = {
    "list": LazyCommand(f"{_HERE}:list_waiting", "List what waits for you."),
    "accept": LazyCommand(f"{_HERE}:accept", "Let waiting moves happen."),
    "reject": LazyCommand(f"{_HERE}:reject", "Drop waiting moves for good."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def inbox() -> None:
    """Decide about moves that rules ask for.

    Moves wait here when `memory.inbox` is true (`ourcli config set memory.inbox true`).
    """


@click.command("list")
@common_options()
@click.pass_obj
def list_waiting(invocation: Invocation) -> None:
    """List what waits for you, oldest first."""
    from ourcli.cli.run import run  # deferred: asyncio

    waiting = run(invocation, lambda service: service.lifecycle.inbox())
    if invocation.json:
        data = [{"id": one.id, "at": one.at} | each for one in waiting for each in action_data(one.action)]
        invocation.output.document({"actions": data})
    elif waiting:
        rows = [
            (
                one.id,
                iso_milliseconds(one.at),
                one.action.rule,
                one.action.verb.value,
                counted(one.action.record_ids),
                way(one.action),
                one.action.because,
            )
            for one in waiting
        ]
        invocation.output.table(("id", "since", "rule", "would", "record", "from > to", "because"), rows)
    else:
        invocation.diagnostics.notice("nothing waits for you")


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@common_options()
@click.pass_obj
def accept(invocation: Invocation, *, ids: tuple[str, ...], everything: bool) -> None:
    """Let waiting moves happen."""
    from ourcli.cli.run import run  # deferred: asyncio

    _check(ids, everything=everything, command="accept")

    async def work(service: Facade) -> None:
        wanted = await _wanted(service, ids, everything=everything)
        with ProgressBars(invocation.diagnostics) as bars:
            applied = await service.lifecycle.accept(wanted, bars)
        tell_applied(invocation, applied, nothing="nothing waits for you")

    run(invocation, work)


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@common_options()
@click.pass_obj
def reject(invocation: Invocation, *, ids: tuple[str, ...], everything: bool) -> None:
    """Drop waiting moves for good: the same move is not asked for again."""
    from ourcli.cli.run import run  # deferred: asyncio

    _check(ids, everything=everything, command="reject")

    async def work(service: Facade) -> tuple[str, ...]:
        return await service.lifecycle.reject(await _wanted(service, ids, everything=everything))

    rejected = run(invocation, work)
    if invocation.json:
        invocation.output.document({"rejected": rejected})
        return
    for identifier in rejected:
        invocation.output.text(identifier)


def _check(ids: tuple[str, ...], *, everything: bool, command: str) -> None:
    if bool(ids) == everything:
        raise UsageError(
            f"say what to {command}: ids, or --all", hint="`ourcli memory inbox list` shows what waits for you"
        )


async def _wanted(service: Facade, ids: tuple[str, ...], *, everything: bool) -> tuple[str, ...]:
    return tuple(one.id for one in await service.lifecycle.inbox()) if everything else ids
