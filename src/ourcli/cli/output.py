"""The only writer of stdout: JSON, tables, text. Nothing else in ourcli prints data.

On a terminal, control characters of what is shown are made visible and tables are drawn. In a pipe
the text goes out as it is. When the reader leaves (`ourcli ask ... | head`), stdout is pointed at
the null device, the work is stopped through `on_reader_gone`, and the command ends quietly with 0:
the reader has what it wanted, and pipelines under `pipefail` stay green.
"""

import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from ourcli.cli.sanitize import escape, neutralise
from ourcli.common.jsondata import to_json

if TYPE_CHECKING:
    from rich.console import Console


class ReaderGoneError(Exception):
    """The reader of stdout left; the command ends quietly with 0."""


class Output:
    """Where data goes.

    Args:
        stream: Standard output.
        terminal: A person looks at it.
        color: Colours may be used (on a terminal only).
        width: Columns; None asks the terminal.
    """

    def __init__(self, stream: TextIO, *, terminal: bool, color: bool = True, width: int | None = None) -> None:
        self._stream = stream
        self.terminal = terminal
        self._color = color and terminal
        self._width = width
        self._console: Console | None = None
        self.on_reader_gone: Callable[[], None] = nothing

    def document(self, data: object) -> None:
        """Write one JSON document, indented on a terminal."""
        self._send_json(json.dumps(to_json(data), ensure_ascii=False, indent=2 if self.terminal else None))

    def line(self, data: object) -> None:
        """Write one JSON line."""
        self._send_json(json.dumps(to_json(data), ensure_ascii=False, separators=(",", ":")))

    def _send_json(self, text: str) -> None:
        """Write JSON; on a terminal, what could drive it is written as JSON's escapes, which mean the same."""
        self._send((escape(text) if self.terminal else text) + "\n")

    def text(self, text: str, *, end: str = "\n") -> None:
        """Write text for people; what is not ours is made harmless on a terminal."""
        self._send((neutralise(text) if self.terminal else text) + end)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write rows: drawn on a terminal, aligned text in a pipe, one line a row in both."""
        lines = [[" ".join(neutralise(cell).split()) for cell in row] for row in rows]
        if self.terminal:
            self._draw(columns, lines)
            return
        widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
        for row in (columns, *lines):
            self._send("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")

    @property
    def console(self) -> "Console":
        """The drawing surface of the terminal."""
        if self._console is None:
            from rich.console import Console  # deferred: only terminals pay for it

            self._console = Console(
                file=self._stream,
                force_terminal=self.terminal,
                no_color=not self._color,
                highlight=False,
                width=self._width,
                legacy_windows=False,
            )
        return self._console

    def show(self, *renderables: object) -> None:
        """Draw rich renderables on the terminal; their text must be harmless already."""
        try:
            self.console.print(*renderables)
            self._stream.flush()
        except BrokenPipeError:
            self._lose_reader()

    def flush(self) -> None:
        """Push out what is buffered."""
        self._send("")

    def _draw(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich import box  # deferred: only terminals pay for rich
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(Text(column), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.show(table)

    def _send(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._lose_reader()

    def _lose_reader(self) -> None:
        """Point stdout at the null device, so that later writes and the exit flush succeed."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)
        self.on_reader_gone()


def nothing() -> None:
    """Be told that the reader left while nothing runs."""
