"""Moves what the journal holds to the tables, by one task of one process at a time.

The order is what makes it safe: write the tables, see which versions they have, fsync every file and folder, and only
then drop the rows from the journal, noting those versions in the same transaction. Ended anywhere, the next flush does
the same again to the same end; after a power cut the tables go back to the versions that were noted (`rollback`).
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread
from filelock import FileLock, Timeout

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE
from ourcli.memory.backends.journaled_reads import Tables
from ourcli.memory.journal import ChangeJournal, Overlay
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix

_LOCK_POLL_S = 0.02


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

    async def flush(self, *, wait: bool = True) -> None:
        """Move what the journal holds to the tables.

        Raises:
            Timeout: Another process is writing, and `wait` is False.
            StoreError: It did not work; the journal keeps what it held.
        """
        async with self.exclusive(wait=wait):
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
        async with self.exclusive():
            await self._flush()
            await self._tables.upsert(records, vectors)
            await self._secure()

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        async with self.exclusive():
            await self._tables.set_store_model(digest)
            await self._secure()

    async def optimize(self) -> None:
        """Flush, compact and bring the indexes up to date."""
        async with self.exclusive():
            await self._flush()
            await self._tables.optimize()
            await self._secure()

    async def tend(self) -> None:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        async with self.exclusive():
            await self._tables.tend()
            await self._secure()

    @asynccontextmanager
    async def exclusive(self, *, wait: bool = True) -> AsyncIterator[None]:
        """Be the only one, of all tasks and processes, that writes to the tables.

        Raises:
            Timeout: Another one is, and `wait` is False.
            StoreError: The folder may not be written, or the lock cannot be made.
        """
        if not os.access(self._lock.parent, os.W_OK):
            raise StoreError("cannot write to memory: its folder may not be written", hint="check its permissions")
        lock = FileLock(self._lock, timeout=0, mode=FILE_MODE, thread_local=False)
        while True:
            try:
                lock.acquire()
                break
            except Timeout:
                if not wait:
                    raise
                await anyio.sleep(_LOCK_POLL_S)
            except OSError as exc:
                raise StoreError(
                    f"cannot lock the memory: {exc.strerror or exc}", hint="check free space and permissions"
                ) from exc
        try:
            yield
        finally:
            lock.release()
