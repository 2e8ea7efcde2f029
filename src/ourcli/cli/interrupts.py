"""Ctrl-C: the first one cancels what runs and lets it close, the second leaves at once."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

from ourcli.common.errors import CancelledByUserError

INTERRUPTED = 130


class Interrupts:
    """The work that Ctrl-C stops: the innermost of those that are open.

    `chat` opens one around each answer, so that Ctrl-C ends the answer and not the session.
    """

    def __init__(self) -> None:
        self._scopes: list[_Scope] = []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take over SIGINT while the context lasts; elsewhere than on the main thread do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Run the body so that Ctrl-C cancels it.

        Raises:
            CancelledByUserError: It was.
        """
        scope = _Scope()
        self._scopes.append(scope)
        try:
            with scope.cancel_scope:
                yield
        finally:
            self._scopes.remove(scope)
        if scope.cancel_scope.cancelled_caught:
            raise CancelledByUserError("interrupted")

    def interrupt(self) -> None:
        """Do what Ctrl-C does; may be called from a signal handler or another thread."""
        if not self._scopes:
            raise KeyboardInterrupt
        if self._scopes[-1].asked:
            os._exit(INTERRUPTED)
        self._scopes[-1].cancel()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupt()


class _Scope:
    """A cancel scope and the loop it belongs to."""

    def __init__(self) -> None:
        self.cancel_scope = anyio.CancelScope()
        self.asked = False
        self._loop = asyncio.get_running_loop()

    def cancel(self) -> None:
        """Cancel the scope from wherever we are; waking the loop needs its own call."""
        self.asked = True
        self._loop.call_soon_threadsafe(self.cancel_scope.cancel)
