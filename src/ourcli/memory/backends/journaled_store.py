"""The record store whose writes are safe: a fsynced journal in front of the tables, searched together with them.

A write is acknowledged when its rows stand in the journal. They move to the tables in batches, and leave the journal
only after every file of the tables was fsynced. How both are read together stands in `journaled_reads`.
"""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pyarrow as pa
from anyio import to_thread
from filelock import FileLock, Timeout

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE
from ourcli.memory.backends import arrow
from ourcli.memory.backends.folder_sync import FolderSync
from ourcli.memory.backends.journaled_reads import JournaledReads, Tables
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.journal import Change, ChangeJournal, JournalSize
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix

_log = logging.getLogger(__name__)
_LOCK_POLL_S = 0.02
_TEXTS_A_ROW = 2
"""So many counted texts are kept for each row that the journal may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When the journal goes to the tables.

    Attributes:
        rows: Changes that the journal holds before a write flushes it.
        bytes: The same in bytes.
        direct: Records in one call that go to the tables at once: written twice they would cost twice, and one
            fsync of the tables for so many is cheaper than the journal's.
        patience: With so many times `rows` a write waits for another process's flush instead of leaving it alone.
    """

    rows: int = 256
    bytes: int = 8_000_000
    direct: int = 512
    patience: int = 8


async def open_journaled(folder: Path, limits: Limits | None = None) -> "JournaledStore":
    """Open the store in `folder`, creating what is missing; the journal is `journal.sqlite` in it.

    Raises:
        StoreError: The folder, a table or the journal cannot be opened.
    """
    tables = await LanceRecordStore.open(folder)
    journal = await to_thread.run_sync(SqliteJournal, folder / "journal.sqlite")
    return JournaledStore(
        tables, journal, sync=FolderSync(folder).run, lock=folder / ".flush.lock", limits=limits or Limits()
    )


class JournaledStore(JournaledReads):
    """A `RecordStore` over tables and a journal. Close it, which flushes.

    Args:
        tables: The store beneath.
        journal: Takes every change first.
        sync: Makes all that stands in the tables survive a power cut, or raises StoreError.
        lock: File that the one process holds which writes to the tables.
        limits: When to flush.
    """

    def __init__(
        self, tables: Tables, journal: ChangeJournal, *, sync: Callable[[], None], lock: Path, limits: Limits
    ) -> None:
        super().__init__(tables, journal, most_counted=limits.rows * _TEXTS_A_ROW)
        self._sync = sync
        self._lock = lock
        self._limits = limits
        self._flush_failed_at = 0

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with; None for a new store."""
        return await self._tables.store_model()

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        async with self._exclusive():
            await self._tables.set_store_model(digest)
            await to_thread.run_sync(self._sync)

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add records or replace those with the same id, in whatever layer they were.

        Raises:
            StoreError: Nothing of the batch was acknowledged.
        """
        last = {record.id: place for place, record in enumerate(records)}
        if len(last) >= self._limits.direct:
            places = list(last.values())
            await self._write_through([records[place] for place in places], vectors[places])
        elif last:
            _check(records, vectors)
            rows = [(records[place], vectors[place]) for place in last.values()]
            await self._append([Change(id=record.id, row=(record, vector)) for record, vector in rows])

    async def _write_through(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Write to the tables; what the journal held before goes first, or it would hide what is new."""
        async with self._exclusive():
            await self._flush_held()
            await self._tables.upsert(records, vectors)
            await to_thread.run_sync(self._sync)

    async def delete(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Remove records; return the ids that were there."""
        wanted = tuple(dict.fromkeys(ids))
        overlay = await self._current()
        unknown = [record_id for record_id in wanted if overlay.there(record_id) is None]
        below = {record_id for record_id, _ in await self._tables.places(unknown)}
        gone = tuple(record_id for record_id in wanted if overlay.there(record_id) or record_id in below)
        if gone:
            await self._append([Change(id=record_id, row=None) for record_id in gone])
        return gone

    async def _append(self, changes: Sequence[Change]) -> None:
        size = await to_thread.run_sync(self._journal.append, changes)
        if self._is_due(size):
            await self._try_flush(wait=size.rows > self._limits.rows * self._limits.patience)

    def _is_due(self, size: JournalSize) -> bool:
        due = size.rows > self._limits.rows or size.bytes > self._limits.bytes
        return due and size.rows > self._flush_failed_at + (self._limits.rows if self._flush_failed_at else 0)

    async def _try_flush(self, *, wait: bool) -> None:
        """Flush after an acknowledgement: what goes wrong is told, but does not take the acknowledgement back."""
        try:
            async with self._exclusive(wait=wait):
                await self._flush_held()
            self._flush_failed_at = 0
        except Timeout:
            return
        except StoreError as exc:
            self._flush_failed_at = len((await self._current()).hidden)
            _log.warning("changes stay in the write journal for now: %s", exc.message)

    async def flush(self) -> None:
        """Move what the journal holds to the tables.

        Raises:
            StoreError: It did not work; the journal keeps what it held.
        """
        async with self._exclusive():
            await self._flush_held()

    async def _flush_held(self) -> None:
        """Flush under the lock. Killed anywhere, the next flush does the same again to the same end."""
        overlay = await self._current()
        if not overlay.hidden:
            return
        records, vectors = overlay.batch()
        if records:
            await self._tables.upsert(records, vectors)
        if overlay.deleted:
            await self._tables.delete(overlay.deleted)
        await to_thread.run_sync(self._sync)
        await to_thread.run_sync(self._journal.drop, overlay.last)

    @asynccontextmanager
    async def _exclusive(self, *, wait: bool = True) -> AsyncIterator[None]:
        """Be the only one, of all tasks and processes, that writes to the tables.

        Raises:
            Timeout: Another one is, and `wait` is False.
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

    async def optimize(self) -> None:
        """Flush, compact fragments and bring the indexes up to date; readers go on meanwhile."""
        async with self._exclusive():
            await self._flush_held()
            await self._tables.optimize()
            await to_thread.run_sync(self._sync)

    async def tend(self) -> None:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        async with self._exclusive():
            await self._tables.tend()
            await to_thread.run_sync(self._sync)

    async def aclose(self) -> None:
        """Flush, unless another process is flushing, and let go of the journal; what it holds stays safe in it."""
        try:
            if (await self._current()).hidden:
                await self._try_flush(wait=False)
        except StoreError as exc:
            _log.warning("the write journal was not flushed: %s", exc.message)
        finally:
            self._journal.close()
            self._stemmer.close()


def _check(records: Sequence[Record], vectors: Matrix) -> None:
    """Refuse what the tables would refuse later, when it is acknowledged already."""
    try:
        arrow.to_table(records, vectors)
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as exc:
        raise StoreError(f"cannot write to memory: {exc}", hint="nothing of this call was stored") from exc
