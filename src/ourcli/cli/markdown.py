"""Show Markdown while it arrives: finished blocks once and for good, the unfinished one in place below.

Only the last block is ever drawn again, so long answers do not flicker and scroll as any text does. In a
pipe the raw text goes through as it comes.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ourcli.cli.output import Output
from ourcli.cli.sanitize import neutralise

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

REDRAW_S = 0.1


class MarkdownStream:
    """Take pieces of Markdown and show them; a context manager.

    Args:
        output: Where it is shown.
        monotonic_s: Seconds since an arbitrary start; the unfinished block is redrawn ten times a second.
    """

    def __init__(self, output: Output, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._monotonic_s = monotonic_s
        self._drawn_s = float("-inf")
        self._open = ""
        self._live: Live | None = None
        self.received = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def feed(self, text: str) -> None:
        """Show the next piece."""
        self.received += text
        if not self._output.terminal:
            self._output.text(text, end="")
            self._open = text or self._open
            return
        self._open += text
        done, self._open = split_blocks(self._open)
        if done.strip():
            self._settle(done)
        if self._open.strip() and self._monotonic_s() - self._drawn_s >= REDRAW_S:
            self._redraw()

    def close(self) -> None:
        """Show what is left; ends with a line end when anything was shown."""
        if not self._output.terminal:
            if self._open and not self._open.endswith("\n"):
                self._output.text("")
            self._open = ""
            return
        rest, self._open = self._open, ""
        if rest.strip():
            self._settle(rest)
        else:
            self._stop()

    def _settle(self, block: str) -> None:
        self._stop()
        self._output.show(_rendered(block))

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _redraw(self) -> None:
        from rich.live import Live  # deferred: only terminals pay for rich

        self._drawn_s = self._monotonic_s()
        if self._live is None:
            self._live = Live(console=self._output.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._tail(), refresh=True)

    def _tail(self) -> "RenderableType":
        """Return the unfinished block, or its end when it is higher than the screen."""
        from rich.segment import Segment, Segments  # deferred: only terminals pay for rich

        console = self._output.console
        lines = console.render_lines(_rendered(self._open), pad=False)[-max(1, console.height - 2) :]
        return Segments([segment for line in lines for segment in (*line, Segment.line())])


def split_blocks(text: str) -> tuple[str, str]:
    """Split Markdown after its last finished block: one that a blank line ends outside code fences."""
    position = end = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        position += len(line)
        bare = line.strip()
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        elif not bare and line.endswith("\n"):
            end = position
    return text[:end], text[end:]


def _rendered(text: str) -> "RenderableType":
    from rich.markdown import Markdown  # deferred: only terminals pay for rich

    return Markdown(neutralise(text), hyperlinks=False)
