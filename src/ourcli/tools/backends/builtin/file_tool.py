"""Tools over files: work in a thread, on what the call may reach, until it is stopped."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Event

from anyio import to_thread

from ourcli.common.clock import Clock
from ourcli.common.errors import ToolError, ToolTimeoutError
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.spec import ToolSpec


class Patience:
    """How long work in a thread may go on.

    Args:
        clock: Time.
        seconds: From now.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds, self._until = clock, seconds, clock.monotonic_s() + seconds
        self._stopped = Event()

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stopped.set()

    def check(self) -> None:
        """Go on, or end the work.

        Raises:
            ToolTimeoutError: It took too long, or nobody waits any more.
        """
        if self._stopped.is_set() or self._clock.monotonic_s() > self._until:
            raise ToolTimeoutError(
                f"it took longer than {self._seconds:g} s and was stopped", hint="ask for fewer files"
            )


Work = Callable[[JsonObject, Reach, Patience], JsonObject]


class FileTool:
    """A tool that only looks at files.

    Args:
        spec: What it is.
        work: What it does.
        clock: Time.
        off_limits: Folders that no right opens.
    """

    def __init__(self, spec: ToolSpec, work: Work, clock: Clock, off_limits: Sequence[Path] = ()) -> None:
        self._spec, self._work, self._clock, self._off_limits = spec, work, clock, tuple(off_limits)

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Do its work once; see `ourcli.tools.ports.Tool`."""
        check_system(self._spec.name)
        patience = Patience(self._clock, seconds(self._spec, context))
        reach = Reach(self._spec.name, context, self._off_limits)
        try:
            return await to_thread.run_sync(partial(self._work, input, reach, patience), abandon_on_cancel=True)
        finally:
            patience.stop()


def seconds(spec: ToolSpec, context: ToolContext) -> float:
    """Return how long a call may take."""
    return spec.timeout_s if context.timeout_s is None else min(spec.timeout_s, context.timeout_s)


def check_system(name: str) -> None:
    """Return where files can be opened by descriptors.

    Raises:
        ToolError: They cannot.
    """
    if sys.platform == "win32":
        raise ToolError(f"{name} works on Linux and macOS only", hint="use WSL")
