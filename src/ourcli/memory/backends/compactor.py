"""Keeps the tables compact while others read and write them.

Compaction has a lock of its own: flushing goes on meanwhile, and LanceDB tells whichever of the two comes second that
it lost, which is then done again. Old versions go in a step of their own, after what took their place was fsynced: the
versions that are noted as safe are never removed.
"""

from datetime import timedelta
from pathlib import Path

from ourcli.memory.backends.journaled_reads import Tables
from ourcli.memory.backends.locking import COMPACT_LOCK, FLUSH_LOCK, exclusive
from ourcli.memory.backends.securing import Securing

SAFE_AGE = timedelta(minutes=10)
"""No reader needs a version for so long: a search takes milliseconds, a scan of a million records a minute."""


class Compactor:
    """Compacts.

    Args:
        tables: What is compacted.
        securing: Makes it safe.
        folder: The store's, for the locks.
    """

    def __init__(self, tables: Tables, securing: Securing, folder: Path) -> None:
        self._tables = tables
        self._securing = securing
        self._folder = folder

    async def tend(self, *, wait: bool = True, idle: bool = False) -> None:
        """Compact the tables that need it, and remove versions that nobody can need any more.

        Args:
            wait: Wait for another process that compacts.
            idle: Nothing is written any more: a few rows outside of the indexes are enough, and new indexes are built.

        Raises:
            Busy: Another process compacts, and `wait` is False.
            StoreError: It did not work; everything can still be read.
        """
        async with exclusive(self._folder / COMPACT_LOCK, wait=wait):
            if not await self._tables.tend(idle=idle):
                return
            await self._securing.secure()
            if await self._tables.has_old_versions(SAFE_AGE):
                await self._prune(SAFE_AGE)

    async def compact(self, older_than: timedelta = SAFE_AGE) -> None:
        """Compact all tables and bring their indexes up to date; remove versions that are older.

        Raises:
            StoreError: It did not work; everything can still be read.
        """
        async with exclusive(self._folder / COMPACT_LOCK):
            await self._tables.optimize()
            await self._securing.secure()
            await self._prune(older_than)

    async def erase(self) -> None:
        """Write the tables anew without what was deleted, and remove every other version of them, at once.

        Raises:
            StoreError: It did not work; everything can still be read.
        """
        async with exclusive(self._folder / COMPACT_LOCK), exclusive(self._folder / FLUSH_LOCK):
            await self._tables.renew()
            await self._securing.secure()
            await self._tables.drop_old_versions()
            while await self._tables.rewrite_marked():
                await self._securing.secure()
                await self._tables.drop_old_versions()
            await self._securing.secure()

    async def _prune(self, older_than: timedelta) -> None:
        async with exclusive(self._folder / FLUSH_LOCK):  # nothing newer than what is safe may come now
            await self._securing.secure()
            await self._tables.prune(older_than)
