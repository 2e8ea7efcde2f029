"""Work that goes on beside the caller's, in an event loop and a thread of its own, begun with the first piece of it."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Lock
from typing import Protocol

import anyio
from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

Work = Callable[[], Awaitable[None]]


class Background(Protocol):
    """Runs one piece of work at a time."""

    async def run(self, work: Work, *, wait: bool) -> None:
        """Begin a piece of work unless one is running; with `wait` return when it has ended. It must not raise."""
        ...

    async def aclose(self) -> None:
        """Wait for what is running; nothing is begun after this."""
        ...


class BackgroundThread:
    """A `Background`: an acknowledgement never waits for what follows it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._running: Future[None] | None = None
        self._closed = False
        self._lock = Lock()

    async def run(self, work: Work, *, wait: bool) -> None:
        """Begin a piece of work unless one is running; with `wait` return when it has ended."""
        running = self._begun(work)
        if wait and running is not None:
            await to_thread.run_sync(running.result)

    def _begun(self, work: Work) -> "Future[None] | None":
        with self._lock:
            if self._closed:
                return None
            if self._running is None or self._running.done():
                if self._portal is None:
                    self._portal = self._stack.enter_context(start_blocking_portal())
                self._running = self._portal.start_task_soon(work)
            return self._running

    async def aclose(self) -> None:
        """Wait for what is running; nothing is begun after this."""
        with self._lock:
            self._closed = True
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._stack.close)


class Inline:
    """A `Background` that does the work at once: for stores whose every step is watched."""

    async def run(self, work: Work, *, wait: bool) -> None:  # noqa: ARG002  # it always waits
        """Do a piece of work."""
        await work()

    async def aclose(self) -> None:
        """Do nothing."""
