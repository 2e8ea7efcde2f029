"""A bounded broadcast bus: every subscriber sees every event, and a slow one is told what it lost.

The ring holds the last N events. Each subscription has its own place in it. One that falls more than N
behind loses the oldest and next receives `EventsLost(count)`, as with Tokio's `broadcast` channel. Emitting
never waits and may be done from any thread; receiving happens on an asyncio event loop.
"""

import asyncio
from collections import deque
from threading import Lock
from types import TracebackType

from ourcli.common.events import Event, EventsLost


class Bus:
    """Broadcast events; an `EventSink`.

    Args:
        capacity: Events that are kept for the slowest subscriber.
    """

    def __init__(self, capacity: int = 1024) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity!r}")
        self._ring: deque[Event] = deque(maxlen=capacity)
        self._emitted = 0
        self._closed = False
        self._lock = Lock()
        self._sleepers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def emit(self, event: Event) -> None:
        """Give one event to all subscribers; dropped when the bus is closed. Safe from any thread."""
        with self._lock:
            if self._closed:
                return
            self._ring.append(event)
            self._emitted += 1
            sleepers = self._take_sleepers()
        _wake(sleepers)

    def subscribe(self) -> "Subscription":
        """Return a subscription that sees every event emitted from now on."""
        with self._lock:
            return Subscription(self, self._emitted)

    def close(self) -> None:
        """End every subscription once it has read what is left; later events are dropped."""
        with self._lock:
            self._closed = True
            sleepers = self._take_sleepers()
        _wake(sleepers)

    def _take_sleepers(self) -> dict[asyncio.Event, asyncio.AbstractEventLoop]:
        sleepers, self._sleepers = self._sleepers, {}
        return sleepers

    def _next(self, position: int, waker: asyncio.Event | None) -> tuple[Event | None, int, bool]:
        """Return the event at `position` (or the loss before it), the next position, and whether all is over.

        When nothing is there yet, `waker` is set on the running loop as soon as something is.
        """
        with self._lock:
            oldest = self._emitted - len(self._ring)
            if position < oldest:
                survivor = self._ring[0]
                return EventsLost(at=survivor.at, count=oldest - position), oldest, False
            if position < self._emitted:
                return self._ring[position - oldest], position + 1, False
            if not self._closed and waker is not None:
                self._sleepers[waker] = asyncio.get_running_loop()
            return None, position, self._closed

    def _forget(self, waker: asyncio.Event) -> None:
        with self._lock:
            self._sleepers.pop(waker, None)


class Subscription:
    """One receiver's place on the bus: an async iterator, to be used by one task at a time."""

    def __init__(self, bus: Bus, position: int) -> None:
        self._bus = bus
        self._position = position
        self._closed = False
        self._waker: asyncio.Event | None = None

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        """Return the next event, or `EventsLost` when some were missed.

        Raises:
            StopAsyncIteration: The bus or the subscription is closed and everything was read.
        """
        while not self._closed:
            waker = asyncio.Event()
            event, self._position, over = self._bus._next(self._position, waker)
            if event is not None:
                return event
            if over:
                break
            self._waker = waker
            try:
                await waker.wait()
            finally:
                self._waker = None
                self._bus._forget(waker)
        raise StopAsyncIteration

    def receive_nowait(self) -> Event | None:
        """Return the next event, or None when there is none yet."""
        if self._closed:
            return None
        event, self._position, _ = self._bus._next(self._position, None)
        return event

    def close(self) -> None:
        """Stop receiving; a waiting receiver ends. To be called on the receiver's own loop."""
        self._closed = True
        if self._waker is not None:
            self._waker.set()


def _wake(sleepers: dict[asyncio.Event, asyncio.AbstractEventLoop]) -> None:
    for waker, loop in sleepers.items():
        try:
            loop.call_soon_threadsafe(waker.set)
        except RuntimeError:
            continue  # that loop is closed, and its receiver with it
