"""Who calls first is served first: calls of one caller are made one after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Turns:
    """A queue a caller; a caller without a name has none."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[anyio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Wait for the caller's turn, and hold it."""
        if not caller:
            yield
            return
        lock, waiting = self._locks.get(caller) or (anyio.Lock(fast_acquire=True), 0)
        self._locks[caller] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(caller)
            if waiting > 1:
                self._locks[caller] = lock, waiting - 1
