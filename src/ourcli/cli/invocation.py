"""One run of the command line: its common options, its streams and its way to the facade."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.output import Output

if TYPE_CHECKING:
    from ourcli.cli.ports import Facade

OpenService = Callable[["Invocation"], AbstractAsyncContextManager["Facade"]]


class Invocation:
    """What every command gets as click's `obj`. The options fill it while they are parsed.

    Args:
        opener: Opens the facade; tests put a fake here.
    """

    def __init__(self, opener: OpenService) -> None:
        self.opener = opener
        self.project: str | None = None
        self.json = False
        self.quiet = False
        self.verbose = False
        self.no_color = False
        self.stdin: TextIO = sys.stdin
        self._stdout: TextIO = sys.stdout
        self._stderr: TextIO = sys.stderr

    @cached_property
    def output(self) -> Output:
        """Where data goes. Built on first use, when the options are known."""
        return Output(self._stdout, terminal=_is_terminal(self._stdout), color=self._color)

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """Where everything else goes."""
        return Diagnostics(
            self._stderr,
            terminal=_is_terminal(self._stderr),
            color=self._color,
            quiet=self.quiet,
            verbose=self.verbose,
        )

    @property
    def interactive(self) -> bool:
        """Whether a person is here who can be asked."""
        return _is_terminal(self.stdin) and _is_terminal(self._stderr)

    @property
    def stdin_is_piped(self) -> bool:
        """Whether another program or a file may have put text on stdin."""
        return not (self.stdin.closed or _is_terminal(self.stdin))

    @property
    def _color(self) -> bool:
        return not (self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb")


def _is_terminal(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty()
