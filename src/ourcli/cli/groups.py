"""Groups of commands that load a command only when it is run, and name the nearest one on a typo."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ourcli.common.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is not loaded yet.

    Attributes:
        target: `module:attribute` of the click command.
        summary: One line for the group's help; the command's own help starts with the same words.
    """

    target: str
    summary: str


class LazyGroup(click.Group):
    """A group whose commands stand in a table.

    Args:
        table: Commands by name, in the order of the help.
        attributes: What `click.Group` takes besides.
    """

    def __init__(self, *, table: Mapping[str, LazyCommand], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # click's own keyword arguments, passed through
        self.table = table

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import and return a command."""
        entry = self.table.get(name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is no click command")
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Offer names from the table, so that completing imports no command."""
        from click.shell_completion import CompletionItem  # deferred: only completion needs it

        names = [CompletionItem(name, help=entry.summary) for name, entry in self.table.items()]
        found = [item for item in names if item.value.startswith(incomplete)]
        return found or click.Command.shell_complete(self, context, incomplete)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table; nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.table.items()])

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name.

        Raises:
            UsageError: There is none; the hint holds the nearest name.
        """
        if not context.resilient_parsing and arguments[0] not in self.table and not arguments[0].startswith("-"):
            near = difflib.get_close_matches(arguments[0], self.table, n=1)
            path = context.command_path
            raise UsageError(
                f"no such command {arguments[0]!r}",
                hint=f"did you mean `{path} {near[0]}`?" if near else f"see `{path} --help`",
            )
        return super().resolve_command(context, arguments)
