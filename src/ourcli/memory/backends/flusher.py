"""Moves what the journal holds to the tables, by one task of one process at a time.

The order is what makes it safe: write the tables, see which versions they have, fsync every file and folder, and only
then drop the rows from the journal, noting those versions in the same transaction. Ended anywhere, the next flush does
the same again to the same end; after a power cut the tables go back to the versions that were noted (`rollback`).
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from anyio import to_thread

from ourcli.memory.backends.journaled_reads import Tables
from ourcli.memory.backends.locking import exclusive
from ourcli.memory.journal import ChangeJournal, Overlay
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix


class Flusher:
    """Writes to the tables.

    Args:
        tables: The store beneath.
        journal: Holds what is not there yet.
        sync: Makes all that stands in the tables survive a power cut, or raises StoreError.
        lock: File that the one process holds which writes to the tables.
        boot: Names this running of the machine.
    """

    def __init__(
        self, tables: Tables, journal: ChangeJournal, *, sync: Callable[[], None], lock: Path, boot: str
    ) -> None:
        self._tables = tables
        self._journal = journal
        self._sync = sync
        self._lock = lock
        self._boot = boot

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Let nobody change the tables meanwhile."""
        return exclusive(self._lock)

    async def flush(self, *, wait: bool = True) -> None:
        """Move what the journal holds to the tables.

        Raises:
            Busy: Another process is writing, and `wait` is False.
            StoreError: It did not work; the journal keeps what it held.
        """
        async with exclusive(self._lock, wait=wait):
            await self._flush()

    async def _flush(self) -> None:
        overlay = Overlay(await to_thread.run_sync(self._journal.changes))
        if not overlay.hidden:
            return
        records, vectors = overlay.batch()
        if records:
            await self._tables.upsert(records, vectors)
        if overlay.deleted:
            await self._tables.delete(overlay.deleted)
        await self._secure(overlay.last)

    async def _secure(self, last: int = 0) -> None:
        """Make the tables safe as they are now, then drop the changes up to the place `last`."""
        versions = await self._tables.versions()
        await to_thread.run_sync(self._sync)
        await to_thread.run_sync(self._journal.drop, last, versions, self._boot)

    async def write_through(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Write to the tables; what the journal held before goes first, or it would hide what is new."""
        async with exclusive(self._lock):
            await self._flush()
            await self._tables.upsert(records, vectors)
            await self._secure()

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        async with exclusive(self._lock):
            await self._tables.set_store_model(digest)
            await self._secure()

    async def optimize(self) -> None:
        """Flush, compact and bring the indexes up to date."""
        async with exclusive(self._lock):
            await self._flush()
            await self._tables.optimize()
            await self._secure()

    async def tend(self) -> None:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        async with exclusive(self._lock):
            await self._tables.tend()
            await self._secure()
