"""Moves what the journal holds to the tables, by one task of one process at a time.

The order is what makes it safe: write the tables, see which versions they have, fsync every file and folder, and only
then drop the rows from the journal, noting those versions in the same transaction. Ended anywhere, the next flush does
the same again to the same end; after a power cut the tables go back to the versions that were noted (`rollback`).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread

from ourcli.memory.backends.compactor import Compactor
from ourcli.memory.backends.journaled_reads import Tables
from ourcli.memory.backends.locking import FLUSH_LOCK, exclusive
from ourcli.memory.backends.securing import Securing
from ourcli.memory.journal import Overlay
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix


class Flusher:
    """Writes to the tables.

    Args:
        tables: The store beneath.
        securing: Knows the journal, and makes the tables safe.
        compactor: Is called first where the tables are too crowded to be written.
        folder: The store's, for the lock.
    """

    def __init__(self, tables: Tables, securing: Securing, compactor: Compactor, folder: Path) -> None:
        self._tables = tables
        self._securing = securing
        self._compactor = compactor
        self._lock = folder / FLUSH_LOCK

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Let nobody change what the tables hold meanwhile."""
        return exclusive(self._lock)

    async def flush(self, *, wait: bool = True) -> int:
        """Move what the journal holds to the tables; return how many records it was about.

        Raises:
            Busy: Another process is writing, and `wait` is False.
            StoreError: It did not work; the journal keeps what it held.
        """
        async with self._with_room(wait=wait):
            return await self._flush()

    async def _flush(self) -> int:
        overlay = Overlay(await to_thread.run_sync(self._securing.journal.changes))
        if not overlay.hidden:
            return 0
        records, vectors = overlay.batch()
        if records:
            await self._tables.upsert(records, vectors)
        if overlay.deleted:
            await self._tables.delete(overlay.deleted)
        await self._securing.secure(overlay.last)
        return len(overlay.hidden)

    async def write_through(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Write to the tables; what the journal held before goes first, or it would hide what is new."""
        async with self._with_room():
            await self._flush()
            await self._tables.upsert(records, vectors)
            await self._securing.secure()

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        async with self.alone():
            await self._tables.set_store_model(digest)
            await self._securing.secure()

    @asynccontextmanager
    async def _with_room(self, *, wait: bool = True) -> AsyncIterator[None]:
        """Have the lock and tables that may get another fragment; otherwise they are compacted first."""
        while True:
            async with exclusive(self._lock, wait=wait):
                if not await self._tables.is_crowded():
                    yield
                    return
            await self._compactor.tend()
