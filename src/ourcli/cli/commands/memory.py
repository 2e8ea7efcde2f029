"""`ourcli memory`: the table of its commands."""

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.options import common_options

_AT = "ourcli.cli.commands"

COMMANDS: dict[str, LazyCommand] = {
    "add": LazyCommand(f"{_AT}.memory_add:add", "Store a text, or many as JSON lines."),
    "search": LazyCommand(f"{_AT}.memory_search:search", "Search by meaning and by words."),
    "get": LazyCommand(f"{_AT}.memory_records:get", "Show one record."),
    "list": LazyCommand(f"{_AT}.memory_records:list_records", "List records, newest first."),
    "stats": LazyCommand(f"{_AT}.memory_records:stats", "Show size and health of the layers."),
    "forget": LazyCommand(f"{_AT}.memory_records:forget", "Forget records, by id or a whole session."),
    "why": LazyCommand(f"{_AT}.memory_lifecycle:why", "Explain where a record came from and what moved it."),
    "history": LazyCommand(f"{_AT}.memory_lifecycle:history", "List the moves of memory, newest first."),
    "undo": LazyCommand(f"{_AT}.memory_lifecycle:undo", "Take one move back, exactly."),
    "pin": LazyCommand(f"{_AT}.memory_lifecycle:pin", "Keep records where they are."),
    "promote": LazyCommand(f"{_AT}.memory_lifecycle:promote", "Move a record to a layer that keeps it longer."),
    "demote": LazyCommand(f"{_AT}.memory_lifecycle:demote", "Move a record down, out of the insights into the assets."),
    "policy": LazyCommand(f"{_AT}.memory_policy:policy", "Show, check, try and apply the rules."),
    "inbox": LazyCommand(f"{_AT}.memory_inbox:inbox", "Decide about moves that rules ask for."),
    "vacuum": LazyCommand(f"{_AT}.memory_maintenance:vacuum", "Flush, expire, compact, index; forgotten bytes go."),
    "export": LazyCommand(f"{_AT}.memory_transfer:export", "Write records with their vectors as JSON lines."),
    "import": LazyCommand(f"{_AT}.memory_transfer:import_records", "Read what `memory export` wrote."),
    "reembed": LazyCommand(f"{_AT}.memory_transfer:reembed", "Embed every record again with the configured model."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def memory() -> None:
    """Store, search and manage what is remembered.

    Three layers: `interact` (session chat and tool logs), `insights` (decisions, and what you tell it to
    remember), `assets` (documents and code).
    """
