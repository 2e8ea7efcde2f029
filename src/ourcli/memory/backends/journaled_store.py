"""The record store whose writes are safe: a fsynced journal in front of the tables, searched together with them.

A write is acknowledged when its rows stand in the journal. They move to the tables in batches, and leave the journal
only after every file of the tables was fsynced. How both are read together stands in `journaled_reads`.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from anyio import to_thread

from ourcli.common.errors import StoreConflictError, StoreError
from ourcli.memory.backends import arrow
from ourcli.memory.backends.background import Background, BackgroundThread
from ourcli.memory.backends.backup import remove_backups
from ourcli.memory.backends.boot import boot_id
from ourcli.memory.backends.compactor import SAFE_AGE, Compactor
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.flusher import Flusher
from ourcli.memory.backends.folder_sync import FolderSync
from ourcli.memory.backends.journaled_reads import JournaledReads, Tables
from ourcli.memory.backends.opening import Opening
from ourcli.memory.backends.rollback import remove_aside
from ourcli.memory.backends.schema import JOURNAL, open_database
from ourcli.memory.backends.securing import Securing
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.backends.upkeep import Limits, Upkeep
from ourcli.memory.indexing import Indexes
from ourcli.memory.journal import Change, ChangeJournal, Overlay, Unchanged
from ourcli.memory.ledger import Image, LedgerEntry
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix

__all__ = ["JournaledStore", "Limits", "open_journaled"]
_log = logging.getLogger(__name__)
_TEXTS_A_ROW = 2
"""So many counted texts are kept for each row that the journal may hold."""
_IDS_A_SCAN = 500


async def open_journaled(
    folder: Path, limits: Limits | None = None, *, wanted: Indexes | None = None
) -> "JournaledStore":
    """Open the store in `folder`, creating what is missing; the journal is `journal.sqlite` in it.

    Args:
        folder: Where the store lies.
        limits: When the journal is flushed.
        wanted: Which vector index each table gets once it has grown.

    Raises:
        StoreError: The folder, a table or the journal cannot be opened.
    """
    database = await to_thread.run_sync(open_database, folder / JOURNAL)
    with ExitStack() as opened:
        opened.callback(database.close)
        journal, sync = SqliteJournal(database), FolderSync(folder)
        tables = await Opening(folder, journal, sync, wanted or Indexes()).tables()
        opened.pop_all()
    return JournaledStore(tables, journal, folder=folder, sync=sync.run, limits=limits or Limits(), database=database)


class JournaledStore(JournaledReads):
    """A `RecordStore` over tables and a journal. Close it, which flushes.

    Args:
        tables: The store beneath.
        journal: Takes every change first.
        folder: Where the locks lie.
        sync: Makes all that stands in the tables survive a power cut, or raises StoreError.
        limits: When to flush.
        database: The file of the journal, for what else is kept in it: ledger, usage, inbox.
        background: Makes what flushing, and what compacting, is done in.
    """

    def __init__(
        self,
        tables: Tables,
        journal: ChangeJournal,
        *,
        folder: Path,
        sync: Callable[[], None],
        limits: Limits,
        database: Database,
        background: Callable[[], Background] = BackgroundThread,
    ) -> None:
        super().__init__(tables, journal, most_counted=limits.rows * _TEXTS_A_ROW)
        self.database = database
        securing = Securing(tables=tables, journal=journal, sync=sync, boot=boot_id())
        self._folder = folder
        self._compactor = Compactor(tables, securing, folder)
        self._flusher = Flusher(tables, securing, self._compactor, folder)
        self._limits = limits
        self._upkeep = Upkeep(
            self._flusher, self._compactor, limits=limits, flushing=background(), tending=background()
        )

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with; None for a new store."""
        return await self._tables.store_model()

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        await self._flusher.set_store_model(digest)

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add records or replace those with the same id, in whatever layer they were.

        Raises:
            StoreError: Nothing of the batch was acknowledged.
        """
        last = {record.id: place for place, record in enumerate(records)}
        if len(last) >= self._limits.direct:
            places = list(last.values())
            await self._flusher.write_through([records[place] for place in places], vectors[places])
            await self._upkeep.written_through()
        elif last:
            _check(records, vectors)
            rows = [(records[place], vectors[place]) for place in last.values()]
            await self._append([Change(id=record.id, row=(record, vector)) for record, vector in rows])

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

    async def commit(
        self, *, upserts: Sequence[Image] = (), deletes: Sequence[str] = (), entries: Sequence[LedgerEntry] = ()
    ) -> None:
        """Change records and write why, all or none; what entries tell of `before` must still be so.

        Raises:
            StoreConflictError: A record is not as an entry's `before` tells, or the entry it undoes is undone already.
            StoreError: None of it was done.
        """
        if upserts:
            _check([one.record for one in upserts], np.stack([one.vector for one in upserts]))
        changes = [Change(id=record_id, row=None) for record_id in deletes]
        changes += [Change(id=one.record.id, row=(one.record, one.vector)) for one in upserts]
        if not entries:
            await self._append(changes)
            return
        async with self._flusher.alone():  # what is looked at can only change in the journal now
            unchanged = await self._unchanged(entries)
            size = await to_thread.run_sync(self._journal.append, changes, entries, unchanged)
        await self._upkeep.grown(size)

    async def _unchanged(self, entries: Sequence[LedgerEntry]) -> Unchanged:
        """Return what was looked at, once it is seen to be as the entries tell."""
        since = await to_thread.run_sync(self._journal.last_change)
        told = list(_told(entries))
        ids = tuple(dict.fromkeys(record_id for record_id, _ in told))
        now: dict[str, Image] = {one.record.id: one for one in await self.images(ids)}
        for record_id, before in told:
            found = now.get(record_id)
            if not (found is before is None or (found and before and found.same_as(before))):
                raise StoreConflictError(
                    f"the record {record_id!r} changed meanwhile", hint="nothing was done; try again"
                )
        return Unchanged(ids=ids, since=since)

    async def images(self, ids: Sequence[str]) -> list[Image]:
        """Return those of the records that are there, with their vectors, in the order of `ids`."""
        wanted = tuple(dict.fromkeys(ids))
        found: dict[str, Image] = {}
        for start in range(0, len(wanted), _IDS_A_SCAN):
            some = Filter(ids=wanted[start : start + _IDS_A_SCAN])
            async for rows in self.scan(some, _IDS_A_SCAN):
                found |= {record.id: Image(record=record, vector=vector) for record, vector in rows}
        return [found[record_id] for record_id in wanted if record_id in found]

    async def _append(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._upkeep.grown(await to_thread.run_sync(self._journal.append, changes))

    async def _current(self) -> Overlay:
        overlay = await super()._current()
        await self._upkeep.seen(self._changes)
        return overlay

    async def flush(self) -> int:
        """Move what the journal holds to the tables; return how many records it was about.

        Raises:
            StoreError: It did not work; the journal keeps what it held.
        """
        return await self._flusher.flush()

    async def optimize(self) -> None:
        """Flush, compact fragments and bring the indexes up to date; readers go on meanwhile."""
        await self.compact()

    async def compact(self, older_than: timedelta = SAFE_AGE) -> None:
        """Flush, compact, bring the indexes up to date, and remove versions of the tables that are older.

        Raises:
            StoreError: It did not work; nothing is lost.
        """
        await self._flusher.flush()
        await self._compactor.compact(older_than)

    async def erase(self) -> None:
        """Remove the bytes of all that was deleted from the tables' files, now; readers elsewhere may fail once.

        Backups and what was set aside go too. The journal's own file is written anew by `database.wipe`.

        Raises:
            StoreError: It did not work; nothing is lost.
        """
        await self._flusher.flush()
        await self._compactor.erase()
        await to_thread.run_sync(remove_backups, self._folder)
        await to_thread.run_sync(remove_aside, self._folder)

    async def tend(self) -> None:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        await self._compactor.tend()

    async def aclose(self) -> None:
        """Flush, unless another process is flushing, and let go of the journal; what it holds stays safe in it."""
        waiting = False
        try:
            waiting = await self._is_waiting()
        finally:  # a thread that is not ended would keep the process from ending
            try:
                await self._upkeep.close(waiting=waiting)
            finally:
                self._journal.close()
                self._stemmer.close()

    async def _is_waiting(self) -> bool:
        try:
            return bool((await super()._current()).hidden)
        except StoreError as exc:
            _log.warning("the write journal was not flushed: %s", exc.message)
            return False


def _told(entries: Sequence[LedgerEntry]) -> Iterable[tuple[str, Image | None]]:
    """Yield what each entry tells of each record before it: its image, or None for one that was not there."""
    for entry in entries:
        before: dict[str, Image] = {one.record.id: one for one in entry.before}
        for record_id in dict.fromkeys((*before, *(one.record.id for one in entry.after))):
            yield record_id, before.get(record_id)


def _check(records: Sequence[Record], vectors: Matrix) -> None:
    """Refuse what the tables would refuse later, when it is acknowledged already."""
    try:
        arrow.to_table(records, vectors)
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as exc:
        raise StoreError(f"cannot write to memory: {exc}", hint="nothing of this call was stored") from exc
