"""`ourcli memory why`, `history`, `undo`, `pin`, `promote` and `demote`."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from ourcli.cli.amounts import shortened
from ourcli.cli.answer_view import place_of
from ourcli.cli.invocation import Invocation
from ourcli.cli.ledger_view import asked_by, entry_data, show_entries, told, ways
from ourcli.cli.options import common_options
from ourcli.cli.parameters import MomentType
from ourcli.memory.layers import Layer

if TYPE_CHECKING:
    from ourcli.memory.ledger import LedgerEntry
    from ourcli.memory.lifecycle.outcome import Ancestor, Explained


@click.command()
@click.argument("record_id", metavar="ID")
@common_options()
@click.pass_obj
def why(invocation: Invocation, *, record_id: str) -> None:
    """Explain where a record came from and what moved it.

    Every move names its rule with the version, the facts that decided, the texts it was made from with their
    digests, and its place in the ledger, which `memory undo` takes.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    found = run(invocation, lambda service: service.lifecycle.why(record_id))
    if invocation.json:
        invocation.output.document(
            {
                "record": found.record,
                "lineage": found.lineage,
                "ledger": [entry_data(entry) for entry in found.ledger],
            }
        )
        return
    for line in _explained(record_id, found):
        invocation.output.text(line)


def _explained(record_id: str, found: "Explained") -> list[str]:
    record = found.record
    if record is None:
        lines = [f"{record_id} is not there any more; the ledger tells what became of it"]
    else:
        where = f"{record.id} is in {record.layer.value}, project {record.project}, said by {record.trust.value}"
        place = f", from {place_of(record.source)}" if record.source else ""
        lines = [where + place, f"  {shortened(record.text, 160)}"]
    if found.lineage:
        lines += ["", "made from:", *(_ancestor(one) for one in found.lineage)]
    lines += ["", "moves, oldest first:" if found.ledger else "no rule and no command ever moved it"]
    for entry in found.ledger:
        lines += told(entry)
    return lines


def _ancestor(ancestor: "Ancestor") -> str:
    where = "gone" if ancestor.gone or ancestor.record is None else ancestor.record.layer.value
    text = shortened(ancestor.record.text) if ancestor.record else "(only its id is known any more)"
    return f"  {ancestor.id}  {where}  {text}"


@click.command()
@click.option("--since", metavar="D", type=MomentType(), help="Not older: ISO date or time (UTC), or 2d, 12h.")
@common_options()
@click.pass_obj
def history(invocation: Invocation, *, since: datetime | None) -> None:
    """List the moves of memory, newest first."""
    from ourcli.cli.run import run  # deferred: asyncio

    entries = run(invocation, lambda service: service.lifecycle.history(since))
    if invocation.json:
        invocation.output.document({"ledger": [entry_data(entry) for entry in entries]})
    elif entries:
        show_entries(invocation, entries)
    else:
        invocation.diagnostics.notice("nothing was moved" + (" since then" if since else " yet"))


@click.command()
@click.argument("ledger_id", metavar="LEDGER_ID")
@common_options()
@click.pass_obj
def undo(invocation: Invocation, *, ledger_id: str) -> None:
    """Take one move back, exactly.

    `memory history` and `memory why` show the ids; `last` means the last move that still holds. It is refused
    when later moves stand on this one: take those back first. Moves can be undone for memory.undo_days days.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    _tell_entry(invocation, run(invocation, lambda service: service.lifecycle.undo(ledger_id)))


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Let rules move them again.")
@common_options()
@click.pass_obj
def pin(invocation: Invocation, *, ids: tuple[str, ...], remove: bool) -> None:
    """Keep records where they are: no rule moves or expires a pinned one."""
    from ourcli.cli.run import run  # deferred: asyncio

    changed = run(invocation, lambda service: service.lifecycle.pin(ids, pinned=not remove))
    if invocation.json:
        invocation.output.document({"unpinned" if remove else "pinned": changed})
        return
    for identifier in changed:
        invocation.output.text(identifier)
    if not changed:
        invocation.diagnostics.notice("nothing to do: " + ("not pinned" if remove else "pinned already"))


@click.command()
@click.argument("record_id", metavar="ID")
@click.option(
    "--to",
    "target",
    type=click.Choice([layer.value for layer in Layer]),
    default=Layer.INSIGHTS.value,
    show_default=True,
    help="Where to.",
)
@common_options()
@click.pass_obj
def promote(invocation: Invocation, *, record_id: str, target: str) -> None:
    """Move a record to a layer that keeps it longer."""
    from ourcli.cli.run import run  # deferred: asyncio

    _tell_entry(invocation, run(invocation, lambda service: service.lifecycle.promote(record_id, Layer(target))))


@click.command()
@click.argument("record_id", metavar="ID")
@common_options()
@click.pass_obj
def demote(invocation: Invocation, *, record_id: str) -> None:
    """Move a record down, out of the insights into the assets."""
    from ourcli.cli.run import run  # deferred: asyncio

    _tell_entry(invocation, run(invocation, lambda service: service.lifecycle.demote(record_id)))


def _tell_entry(invocation: Invocation, entry: "LedgerEntry") -> None:
    if invocation.json:
        invocation.output.document({"ledger": [entry_data(entry)]})
        return
    for touched in entry.touched:
        invocation.output.text(touched)
    invocation.diagnostics.notice(f"{entry.verb.value}: {ways(entry)}, by {asked_by(entry)}; ledger id {entry.id}")
