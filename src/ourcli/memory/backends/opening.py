"""Opening the whole store: in order after a power cut, of today's format, and safe on disk before it is used."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.memory.backends.boot import boot_id
from ourcli.memory.backends.folder_sync import FolderSync
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.backends.lance_opening import TABLES, OpenTables
from ourcli.memory.backends.locking import COMPACT_LOCK, FLUSH_LOCK, exclusive
from ourcli.memory.backends.migrate import migrate
from ourcli.memory.backends.rollback import ASIDE, rollback
from ourcli.memory.backends.securing import Securing
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.indexing import Indexes

_log = logging.getLogger(__name__)


class Opening:
    """Opens the tables of a store whose journal is open.

    Args:
        folder: The store's.
        journal: Knows the versions of the tables that are safe.
        sync: Makes the tables safe.
        wanted: Which vector index each table gets once it has grown.
    """

    def __init__(self, folder: Path, journal: SqliteJournal, sync: FolderSync, wanted: Indexes) -> None:
        self._folder = folder
        self._journal = journal
        self._sync = sync
        self._wanted = wanted
        self._boot = boot_id()

    async def tables(self) -> LanceRecordStore:
        """Open, create or bring to today's format the tables.

        Raises:
            StoreError: They cannot be opened.
        """
        writable = not self._journal.read_only and os.access(self._folder, os.W_OK)
        if writable:
            await self._put_in_order()
        store = await LanceRecordStore.open(self._folder, self._upgrade, wanted=self._wanted)
        if writable and not await self._is_noted():
            await self._make_safe(store)
        return store

    async def _put_in_order(self) -> None:
        """Note that a new store is not there yet; after a power cut, take the tables back to what was safe."""
        safe = await to_thread.run_sync(self._journal.safe)
        if not safe and not any(self._folder.glob("*.lance")):
            await self._note(dict.fromkeys(TABLES, 0))
        elif any(one.boot != self._boot for one in safe.values()):
            async with exclusive(self._folder / COMPACT_LOCK), exclusive(self._folder / FLUSH_LOCK):
                await self._roll_back()

    async def _roll_back(self) -> None:
        safe = await to_thread.run_sync(self._journal.safe)  # another process may have been faster
        stale = {name: one.version for name, one in safe.items() if one.boot != self._boot}
        moved = await to_thread.run_sync(rollback, self._folder, stale)
        if moved:
            _log.warning("the memory was cut off while it wrote: %d files were moved to %r", len(moved), ASIDE)
        try:
            await self._note(stale)
        except StoreError as exc:
            _log.warning("the memory will be looked through again when it is opened: %s", exc.message)

    async def _upgrade(self, tables: OpenTables, format_: int) -> None:
        await migrate(tables, format_, folder=self._folder, secure=self._secure)

    async def _secure(self, tables: OpenTables) -> None:
        versions = await tables.versions()
        await to_thread.run_sync(self._sync.run)
        await self._note(versions)

    async def _is_noted(self) -> bool:
        safe = await to_thread.run_sync(self._journal.safe)
        return all(name in safe and safe[name].version for name in TABLES)

    async def _make_safe(self, store: LanceRecordStore) -> None:
        """Sync what is new; where that fails the store can still be read, and the next flush does it."""
        try:
            async with exclusive(self._folder / FLUSH_LOCK):
                await Securing(tables=store, journal=self._journal, sync=self._sync.run, boot=self._boot).secure()
        except StoreError as exc:
            _log.warning("the memory is not safe on disk yet: %s", exc.message)

    async def _note(self, versions: Mapping[str, int]) -> None:
        await to_thread.run_sync(self._journal.drop, 0, versions, self._boot)
