"""When the journal is flushed and the tables are tended: by size, by age, and when the store is closed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ourcli.common.errors import StoreError
from ourcli.memory.backends.background import Background
from ourcli.memory.backends.compactor import Compactor
from ourcli.memory.backends.flusher import Flusher
from ourcli.memory.backends.locking import Busy
from ourcli.memory.journal import Change, JournalSize

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When the journal goes to the tables.

    Attributes:
        rows: Changes that the journal holds before it is flushed.
        bytes: The same in bytes.
        age_s: So many seconds after a change was first seen here it is flushed, if anything is written or read then.
        direct: Records in one call that go to the tables at once: written twice they would cost twice, and one
            fsync of the tables for so many is cheaper than the journal's.
        patience: With so many times `rows` or `bytes` a write waits for the flush instead of leaving it behind.
    """

    rows: int = 128
    bytes: int = 8_000_000
    age_s: float = 30.0
    direct: int = 512
    patience: int = 8


class Upkeep:
    """Has the journal flushed and the tables tended in the background.

    Args:
        flusher: Moves what the journal holds.
        compactor: Tends the tables after it.
        limits: When.
        flushing: Where flushing is done.
        tending: Where tending is done: it may take long, and flushing goes on meanwhile.
        clock: Seconds that only grow: the age of a change does not depend on what the calendar says.
    """

    def __init__(
        self,
        flusher: Flusher,
        compactor: Compactor,
        *,
        limits: Limits,
        flushing: Background,
        tending: Background,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._flusher = flusher
        self._compactor = compactor
        self._limits = limits
        self._flushing = flushing
        self._tending = tending
        self._clock = clock
        self._first = 0
        self._first_seen_s = 0.0
        self._is_settled = True
        self._failed_at: JournalSize | None = None
        self._size = JournalSize(rows=0, bytes=0)

    async def grown(self, size: JournalSize) -> None:
        """Be told how large the journal is after a write; a very large one is waited for."""
        self._size = size
        most_rows, most_bytes = self._limits.rows, self._limits.bytes
        if self._failed_at is not None:
            most_rows, most_bytes = most_rows + self._failed_at.rows, most_bytes + self._failed_at.bytes
        if size.rows > most_rows or size.bytes > most_bytes:
            patience = self._limits.patience
            late = size.rows > self._limits.rows * patience or size.bytes > self._limits.bytes * patience
            await self._flushing.run(self._flush, wait=late)

    async def written_through(self) -> None:
        """Be told that the tables were written to directly: until they are indexed, words are looked for row by row."""
        await self._tending.run(self._tend, wait=False)

    async def seen(self, changes: tuple[Change, ...]) -> None:
        """Be told what the journal holds at a read."""
        first = changes[0].seq if changes else 0
        if first != self._first:
            self._first, self._first_seen_s, self._is_settled = first, self._clock(), False
        elif self._clock() - self._first_seen_s > self._limits.age_s:
            self._first_seen_s = self._clock()
            if first:
                await self._flushing.run(self._flush, wait=False)
            elif not self._is_settled:
                self._is_settled = True
                await self._tending.run(self._settle, wait=False)

    async def _flush(self) -> None:
        """Flush after an acknowledgement: what goes wrong is told, but does not take the acknowledgement back."""
        size = self._size
        try:
            await self._flusher.flush(wait=False)
            self._failed_at = None
        except Busy:
            return
        except StoreError as exc:
            self._failed_at = size
            _log.warning("changes stay in the write journal for now: %s", exc.message)
        else:
            await self._tending.run(self._tend, wait=False)

    async def _tend(self, *, idle: bool = False) -> None:
        try:
            await self._compactor.tend(wait=False, idle=idle)
        except Busy:
            return
        except StoreError as exc:
            _log.warning("the memory was not compacted: %s", exc.message)

    async def _settle(self) -> None:
        """Bring the indexes up to date once nothing has been written for a while: searches are faster then."""
        await self._tend(idle=True)

    async def close(self, *, waiting: bool) -> None:
        """Let what is running end; flush what still waits, unless another process does."""
        await self._flushing.aclose()
        await self._tending.aclose()
        if not waiting:
            return
        try:
            await self._flusher.flush(wait=False)
        except Busy:
            return
        except StoreError as exc:
            _log.warning("the write journal was not flushed: %s", exc.message)
