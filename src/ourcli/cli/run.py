"""Run a command's coroutine with the facade open, and end it cleanly when it has to stop early."""

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeVar

import anyio

from ourcli.cli.diagnostics import InternalError, as_error
from ourcli.cli.interrupts import Interrupts
from ourcli.cli.invocation import Invocation
from ourcli.cli.output import ReaderGoneError, nothing
from ourcli.cli.ports import Facade

_Result = TypeVar("_Result")


def run(invocation: Invocation, work: Callable[[Facade], Awaitable[_Result]]) -> _Result:
    """Open the facade, await `work` with it, close everything, return what it returned.

    Raises:
        CancelledByUserError: Ctrl-C; the facade was closed.
        ReaderGoneError: The reader of stdout left; the facade was closed.
    """
    return run_with(invocation, lambda service, _interrupts: work(service))


def run_with(invocation: Invocation, work: Callable[[Facade, Interrupts], Awaitable[_Result]]) -> _Result:
    """Do what `run` does, for work that has parts of its own to stop."""
    interrupts, output = Interrupts(), invocation.output

    async def supervised() -> _Result:
        results: list[_Result] = []
        with anyio.CancelScope() as reading:
            output.on_reader_gone = reading.cancel
            with interrupts.stoppable():
                async with invocation.opener(invocation) as service:
                    with _BugLog():
                        results.append(await work(service, interrupts))
        if reading.cancel_called:
            raise ReaderGoneError
        return results[0]

    try:
        with interrupts.installed():
            return anyio.run(supervised)
    finally:
        output.on_reader_gone = nothing


class _BugLog:
    """Write a bug's traceback to the log while the log is open; the failure goes on."""

    def __enter__(self) -> None:
        log = logging.getLogger("ourcli")
        if not log.handlers:
            log.addHandler(logging.NullHandler())  # without one, Python would print to stderr by itself

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and isinstance(as_error(error), InternalError):
            logging.getLogger("ourcli").error("internal error", exc_info=error)
