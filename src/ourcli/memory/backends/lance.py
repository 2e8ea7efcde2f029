"""The record store on LanceDB: one table a layer, BM25 and vectors in the same rows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ourcli.memory.backends import arrow, erase, indexes, lance_upkeep
from ourcli.memory.backends.lance_access import merge, retried, translated
from ourcli.memory.backends.lance_facts import MODEL
from ourcli.memory.backends.lance_legs import LanceLegs
from ourcli.memory.backends.lance_opening import OpenTables, Upgrade, open_tables
from ourcli.memory.backends.lance_reading import read
from ourcli.memory.backends.sql import condition, one_of, quoted
from ourcli.memory.indexing import Indexes
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector

_IDS_A_STATEMENT = 500
_ROWS_AN_ID = 20
"""Reading so many ids takes as long as looking one up."""


_Write = Callable[[Any, pa.Table], Awaitable[None]]


class LanceRecordStore:
    """Three tables in one folder. Open it with `LanceRecordStore.open`."""

    def __init__(self, tables: OpenTables, wanted: Indexes) -> None:
        self._tables = tables.layers
        self._wanted = wanted
        self._legs = {layer: LanceLegs(layer, table, wanted.flat_rows(layer)) for layer, table in tables.layers.items()}
        self._facts = tables.facts

    @classmethod
    async def open(
        cls, folder: Path, upgrade: Upgrade | None = None, *, wanted: Indexes | None = None
    ) -> "LanceRecordStore":
        """Open the store in `folder`, creating what is missing; safe for several processes at once.

        Args:
            folder: Where the tables lie.
            upgrade: Brings tables of an earlier format to today's.
            wanted: Which vector index each table gets once it has grown.

        Raises:
            StoreError: The folder or a table cannot be opened, or its format is not today's and there is no `upgrade`.
        """
        return cls(await open_tables(folder, upgrade), wanted or Indexes())

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with; None for a new store."""
        with translated("cannot read the memory's facts"):
            return await self._facts.value(MODEL)

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        with translated("cannot write the memory's facts"):
            await self._facts.note(MODEL, digest)

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add records or replace those with the same id, in whatever layer they were."""
        with translated("cannot write to memory"):
            for layer, table in self._tables.items():
                places = [i for i, record in enumerate(records) if record.layer is layer]
                for write, some in await _ways(table, [(i, records[i].id) for i in places]):
                    await write(table, arrow.to_table([records[i] for i in some], vectors[some]))
            for layer, table in self._tables.items():
                moved = [record.id for record in records if record.layer is not layer]
                await self._delete_from(table, moved)

    async def delete(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Remove records; return the ids that were there."""
        gone: list[str] = []
        with translated("cannot remove from memory"):
            for table in self._tables.values():
                gone += await self._delete_from(table, ids)
        return tuple(gone)

    async def _delete_from(self, table: Any, ids: Sequence[str]) -> list[str]:
        gone = await _those_in(table, ids)
        for start in range(0, len(gone), _IDS_A_STATEMENT):
            where = one_of("id", gone[start : start + _IDS_A_STATEMENT])
            await retried(partial(table.delete, where))
        return gone

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k records nearest to `vector`, scored by cosine similarity, best first."""
        with translated("cannot search memory"):
            return await self._legs[layer].nearest(vector, where, k)

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches of the words in `text`, best first."""
        with translated("cannot search memory"):
            return await self._legs[layer].matching(text, where, k)

    async def indexed_texts(self, layer: Layer, ids: Sequence[str]) -> list[str]:
        """Return the texts as they are indexed of those of the records that are in a layer."""
        if not ids:
            return []
        with translated("cannot read memory"):
            query = self._tables[layer].query().where(one_of("id", ids)).select(["indexed"])
            return list((await query.to_arrow())["indexed"].to_pylist())

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        found: list[Record] = []
        with translated("cannot read memory"):
            for layer in where.layers:
                rows = await self._rows(layer, where)
                newest = rows.sort_by([("ts", "descending"), ("id", "descending")])
                found += arrow.to_records(newest.slice(0, limit))
        found.sort(key=lambda record: (record.ts, record.id), reverse=True)
        return found[:limit]

    async def _rows(self, layer: Layer, where: Filter) -> pa.Table:
        if where == Filter(ids=where.ids, layers=where.layers) and 0 < len(where.ids) <= _IDS_A_STATEMENT:
            return await self._legs[layer].of_ids(where.ids)
        return await read(_filtered(self._tables[layer], where).select(arrow.RECORD_COLUMNS))

    async def places(self, ids: Sequence[str]) -> list[tuple[str, Layer]]:
        """Return which of the records there are, and where; twice for one whose move was cut off."""
        found: list[tuple[str, Layer]] = []
        with translated("cannot read memory"):
            for layer, table in self._tables.items():
                for start in range(0, len(ids), _IDS_A_STATEMENT):
                    query = table.query().where(one_of("id", ids[start : start + _IDS_A_STATEMENT])).select(["id"])
                    found += [(record_id, layer) for record_id in (await query.to_arrow())["id"].to_pylist()]
        return found

    async def versions(self) -> dict[str, int]:
        """Return the newest version of each table, by its name."""
        with translated("cannot read memory"):
            tables = [*self._tables.values(), self._facts.table]
            return {table.name: await table.version() for table in tables}

    async def count(self, layer: Layer, where: Filter) -> int:
        """Return how many records of a layer pass a filter."""
        with translated("cannot read memory"):
            return int(await self._tables[layer].count_rows(condition(where)))

    async def sources(self, project: str, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets, records `without` left out."""
        sql = f"project = {quoted(project)}" + (f" AND NOT ({one_of('id', without)})" if without else "")
        rows = self._tables[Layer.ASSETS].query().where(sql)
        with translated("cannot read memory"):
            table = await rows.select(["source_uri", "source_sha256"]).to_arrow()
        pairs = zip(table["source_uri"].to_pylist(), table["source_sha256"].to_pylist(), strict=True)
        return sorted({(uri, sha256) for uri, sha256 in pairs if uri is not None})

    async def ids_from(self, project: str, uris: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of a project's assets that were read from these files, by uri."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(uris), _IDS_A_STATEMENT):
            sql = f"project = {quoted(project)} AND {one_of('source_uri', uris[start : start + _IDS_A_STATEMENT])}"
            with translated("cannot read memory"):
                query = self._tables[Layer.ASSETS].query().where(sql).select(["id", "source_uri"])
                rows = (await query.to_arrow()).to_pylist()
            for row in rows:
                found.setdefault(row["source_uri"], []).append(row["id"])
        return found

    async def scan(self, where: Filter, batch: int) -> AsyncIterator[list[tuple[Record, Vector]]]:
        """Yield all records with their vectors, in batches, in no order."""
        with translated("cannot read memory"):
            for layer in where.layers:
                reader = await _filtered(self._tables[layer], where).to_batches(max_batch_length=batch)
                async for rows in reader:
                    table = pa.Table.from_batches([rows])
                    yield list(zip(arrow.to_records(table), arrow.to_vectors(table), strict=True))

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return size and health of each layer."""
        with translated("cannot read memory"):
            return {layer: await lance_upkeep.table_stats(table) for layer, table in self._tables.items()}

    async def optimize(self) -> None:
        """Compact fragments and bring the indexes up to date; readers go on meanwhile."""
        with translated("cannot compact memory"):
            for table in self._tables.values():
                await lance_upkeep.compact(table)
        await self.build_due_indexes()

    async def tend(self, *, idle: bool = False) -> bool:
        """Compact the tables whose fragments or unindexed rows have grown past the bound; say if there were any."""
        with translated("cannot compact memory"):
            untidy = [table for table in self._tables.values() if await lance_upkeep.is_untidy(table, idle=idle)]
            for table in untidy:
                await lance_upkeep.compact(table)
        built = idle and await self.build_due_indexes()  # minutes in a large table, in which nothing is compacted
        return built or bool(untidy)

    async def build_due_indexes(self) -> bool:
        """Build the indexes that growth or the settings call for; say if there were any. Readers go on meanwhile."""
        with translated("cannot index memory"):
            due = [
                await indexes.build_due(
                    table,
                    self._wanted.of(layer),
                    from_rows=self._wanted.from_rows,
                    flat_rows=self._wanted.flat_rows(layer),
                )
                for layer, table in self._tables.items()
            ]
        return any(due)

    async def is_crowded(self) -> bool:
        """Say whether a table has so many fragments that it must be compacted before it is written again."""
        with translated("cannot read memory"):
            return any([await lance_upkeep.is_crowded(table) for table in self._tables.values()])

    async def has_old_versions(self, older_than: timedelta) -> bool:
        """Say whether a table has many versions that are older."""
        with translated("cannot read memory"):
            return any([await lance_upkeep.has_old_versions(table, older_than) for table in self._tables.values()])

    async def prune(self, older_than: timedelta) -> None:
        """Remove versions that are older, and the files that only they have. Nobody may write now."""
        with translated("cannot remove old versions of memory"):
            for table in (*self._tables.values(), self._facts.table):
                await lance_upkeep.prune(table, older_than)

    async def renew(self) -> None:
        """Compact all that can be compacted, and build the indexes anew: they remember what was removed."""
        with translated("cannot write memory anew"):
            for table in (*self._tables.values(), self._facts.table):
                await erase.settle(table)
                await erase.rebuild_indexes(table)

    async def drop_old_versions(self) -> None:
        """Remove every file that today's version of the tables does not need; that version is safe on disk."""
        with translated("cannot remove old versions of memory"):
            for table in (*self._tables.values(), self._facts.table):
                await erase.drop_old_versions(table)

    async def rewrite_marked(self) -> bool:
        """Write anew where removed rows are only marked as such; False: there are none. Follows the step above."""
        with translated("cannot write memory anew"):
            return any([await erase.rewrite_marked(table) for table in (*self._tables.values(), self._facts.table)])


async def _ways(table: Any, rows: Sequence[tuple[int, str]]) -> list[tuple[_Write, list[int]]]:
    """Return how rows (place and id) are written: those that are new to the table can be added.

    An addition does not disturb a compaction that is going on; a merge makes it begin again, even a merge of new rows.
    """
    ids = [record_id for _, record_id in rows]
    if not rows:
        return []
    if len(ids) > _IDS_A_STATEMENT or len(set(ids)) < len(ids):
        return [(_merged, [place for place, _ in rows])]
    there = set(await _those_in(table, ids))
    ways = [(_added, [place for place, one in rows if one not in there])]
    ways += [(_merged, [place for place, one in rows if one in there])]
    return [(write, places) for write, places in ways if places]


async def _added(table: Any, rows: pa.Table) -> None:
    await retried(partial(table.add, rows))


async def _merged(table: Any, rows: pa.Table) -> None:
    await merge(table, "id", rows)


def _filtered(table: Any, where: Filter) -> Any:
    sql = condition(where)
    return table.query().where(sql) if sql else table.query()


async def _those_in(table: Any, ids: Sequence[str]) -> list[str]:
    """Return which of the ids a table has; for many ids, a column that is short enough is read whole."""
    if len(ids) > _IDS_A_STATEMENT and await table.count_rows() <= len(ids) * _ROWS_AN_ID:
        there = set((await read(table.query().select(["id"])))["id"].to_pylist())
        return [one for one in ids if one in there]
    found: list[str] = []
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        query = table.query().where(one_of("id", ids[start : start + _IDS_A_STATEMENT]))
        found += (await read(query.select(["id"])))["id"].to_pylist()
    return found
