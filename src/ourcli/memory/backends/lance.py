"""The record store on LanceDB: one table a layer, BM25 and vectors in the same rows."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pyarrow as pa
from anyio import to_thread
from filelock import FileLock

from ourcli.common.errors import StoreError
from ourcli.common.files import ensure_private_folder
from ourcli.memory.backends import arrow
from ourcli.memory.backends.lance_import import FTS, MatchQuery, lancedb
from ourcli.memory.backends.sql import condition, one_of, quoted
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector

_FACTS_SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())])
_MODEL_KEY = "embedding_model"
_MOST_FRAGMENTS = 24
"""Search slows with fragments (hybrid p50 6 ms with none extra, 15 ms with 50): compact before that."""
_MOST_UNINDEXED = 2_000
_CONFLICT_TRIES = 8
_IDS_A_STATEMENT = 500
_SOURCE_PLACE = re.compile(r",\s+\S+\.rs:\d+(?::\d+)?\Z")
"""Where in its own source LanceDB met an error: nothing that a person can use."""


class LanceRecordStore:
    """Three tables in one folder. Open it with `LanceRecordStore.open`."""

    def __init__(self, tables: dict[Layer, Any], facts: Any) -> None:
        self._tables = tables
        self._facts = facts

    @classmethod
    async def open(cls, folder: Path) -> "LanceRecordStore":
        """Open the store in `folder`, creating what is missing; safe for several processes at once.

        Raises:
            StoreError: The folder or a table cannot be opened.
        """
        await to_thread.run_sync(ensure_private_folder, folder)
        with _translated(f"cannot open the memory in {str(folder)!r}"):
            database = await lancedb.connect_async(str(folder), read_consistency_interval=timedelta(0))
            try:
                return await cls._opened(database)
            except ValueError as exc:
                if "not found" not in str(exc):
                    raise
            async with _exclusive(folder / ".create.lock"):
                await _create_missing(database)
            return await cls._opened(database)

    @classmethod
    async def _opened(cls, database: Any) -> "LanceRecordStore":
        tables = {layer: await database.open_table(layer.value) for layer in Layer}
        return cls(tables, await database.open_table("facts"))

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with; None for a new store."""
        with _translated("cannot read the memory's facts"):
            rows = await self._facts.query().where(f"key = {quoted(_MODEL_KEY)}").limit(1).to_list()
        return str(rows[0]["value"]) if rows else None

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        row = pa.table({"key": [_MODEL_KEY], "value": [digest]}, schema=_FACTS_SCHEMA)
        with _translated("cannot write the memory's facts"):
            await _merge(self._facts, "key", row)

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add records or replace those with the same id, in whatever layer they were."""
        with _translated("cannot write to memory"):
            for layer, table in self._tables.items():
                places = [i for i, record in enumerate(records) if record.layer is layer]
                if places:
                    await _merge(table, "id", arrow.to_table([records[i] for i in places], vectors[places]))
            for layer, table in self._tables.items():
                moved = [record.id for record in records if record.layer is not layer]
                await self._delete_from(table, moved)
            await self.tend()

    async def delete(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Remove records; return the ids that were there."""
        gone: list[str] = []
        with _translated("cannot remove from memory"):
            for table in self._tables.values():
                gone += await self._delete_from(table, ids)
        return tuple(gone)

    async def _delete_from(self, table: Any, ids: Sequence[str]) -> list[str]:
        gone: list[str] = []
        for start in range(0, len(ids), _IDS_A_STATEMENT):
            where = one_of("id", ids[start : start + _IDS_A_STATEMENT])
            there = (await table.query().where(where).select(["id"]).to_arrow())["id"].to_pylist()
            if there:
                await _retried(partial(table.delete, where))
                gone += there
        return gone

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k records nearest to `vector`, scored by cosine similarity, best first."""
        query = self._tables[layer].query().nearest_to(vector).distance_type("cosine")
        rows = await self._candidates(query, where, k, "_distance")
        return arrow.to_leg(layer, rows, 1.0 - rows["_distance"].to_numpy().astype(np.float64))

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches of the words in `text`, best first."""
        query = self._tables[layer].query().nearest_to_text(_words(text))
        rows = await self._candidates(query, where, k, "_score")
        return arrow.to_leg(layer, rows, rows["_score"].to_numpy().astype(np.float64))

    async def _candidates(self, query: Any, where: Filter, k: int, score: str) -> pa.Table:
        if sql := condition(where):
            query = query.where(sql)
        with _translated("cannot search memory"):
            return await query.select([*arrow.LEG_COLUMNS, score]).limit(k).to_arrow()

    async def indexed_texts(self, layer: Layer, ids: Sequence[str]) -> list[str]:
        """Return the texts as they are indexed of those of the records that are in a layer."""
        if not ids:
            return []
        with _translated("cannot read memory"):
            query = self._tables[layer].query().where(one_of("id", ids)).select(["indexed"])
            return list((await query.to_arrow())["indexed"].to_pylist())

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        found: list[Record] = []
        with _translated("cannot read memory"):
            for layer in where.layers:
                rows = await _filtered(self._tables[layer], where).select(arrow.RECORD_COLUMNS).to_arrow()
                newest = rows.sort_by([("ts", "descending"), ("id", "descending")])
                found += arrow.to_records(newest.slice(0, limit))
        found.sort(key=lambda record: (record.ts, record.id), reverse=True)
        return found[:limit]

    async def places(self, ids: Sequence[str]) -> list[tuple[str, Layer]]:
        """Return which of the records there are, and where; twice for one whose move was cut off."""
        found: list[tuple[str, Layer]] = []
        with _translated("cannot read memory"):
            for layer, table in self._tables.items():
                for start in range(0, len(ids), _IDS_A_STATEMENT):
                    query = table.query().where(one_of("id", ids[start : start + _IDS_A_STATEMENT])).select(["id"])
                    found += [(record_id, layer) for record_id in (await query.to_arrow())["id"].to_pylist()]
        return found

    async def versions(self) -> dict[str, int]:
        """Return the newest version of each table, by its name."""
        with _translated("cannot read memory"):
            tables = [*self._tables.values(), self._facts]
            return {table.name: await table.version() for table in tables}

    async def count(self, layer: Layer, where: Filter) -> int:
        """Return how many records of a layer pass a filter."""
        with _translated("cannot read memory"):
            return int(await self._tables[layer].count_rows(condition(where)))

    async def sources(self, project: str, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets, records `without` left out."""
        sql = f"project = {quoted(project)}" + (f" AND NOT ({one_of('id', without)})" if without else "")
        rows = self._tables[Layer.ASSETS].query().where(sql)
        with _translated("cannot read memory"):
            table = await rows.select(["source_uri", "source_sha256"]).to_arrow()
        pairs = zip(table["source_uri"].to_pylist(), table["source_sha256"].to_pylist(), strict=True)
        return sorted({(uri, sha256) for uri, sha256 in pairs if uri is not None})

    async def ids_from(self, project: str, uris: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of a project's assets that were read from these files, by uri."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(uris), _IDS_A_STATEMENT):
            sql = f"project = {quoted(project)} AND {one_of('source_uri', uris[start : start + _IDS_A_STATEMENT])}"
            with _translated("cannot read memory"):
                query = self._tables[Layer.ASSETS].query().where(sql).select(["id", "source_uri"])
                rows = (await query.to_arrow()).to_pylist()
            for row in rows:
                found.setdefault(row["source_uri"], []).append(row["id"])
        return found

    async def scan(self, where: Filter, batch: int) -> AsyncIterator[list[tuple[Record, Vector]]]:
        """Yield all records with their vectors, in batches, in no order."""
        with _translated("cannot read memory"):
            for layer in where.layers:
                reader = await _filtered(self._tables[layer], where).to_batches(max_batch_length=batch)
                async for rows in reader:
                    table = pa.Table.from_batches([rows])
                    yield list(zip(arrow.to_records(table), arrow.to_vectors(table), strict=True))

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return size and health of each layer."""
        with _translated("cannot read memory"):
            return {layer: await _table_stats(table) for layer, table in self._tables.items()}

    async def optimize(self) -> None:
        """Compact fragments and bring the indexes up to date; readers go on meanwhile."""
        with _translated("cannot compact memory"):
            for table in self._tables.values():
                await _retried(table.optimize)

    async def tend(self) -> None:
        """Compact the tables whose fragments or unindexed rows have grown past the bound."""
        with _translated("cannot compact memory"):
            for table in self._tables.values():
                stats = await _table_stats(table)
                if stats.fragments > _MOST_FRAGMENTS or stats.unindexed > _MOST_UNINDEXED:
                    await _retried(table.optimize)


def _words(text: str) -> Any:
    return MatchQuery(text, "indexed")  # type: ignore[call-arg]  # the stub hides the defaults of its keywords


def _filtered(table: Any, where: Filter) -> Any:
    sql = condition(where)
    return table.query().where(sql) if sql else table.query()


async def _table_stats(table: Any) -> LayerStats:
    stats = await table.stats()
    index = await table.index_stats("indexed_idx")
    return LayerStats(
        rows=stats["num_rows"],
        unindexed=index.num_unindexed_rows if index else stats["num_rows"],
        fragments=stats["fragment_stats"]["num_fragments"],
        bytes=stats["total_bytes"],
    )


async def _create_missing(database: Any) -> None:
    """Create what is missing; the table of facts comes last, so that where it is, everything is there whole."""
    for layer in Layer:
        table = await database.create_table(layer.value, schema=arrow.SCHEMA, exist_ok=True)
        if not await table.list_indices():
            await _retried(partial(table.create_index, "indexed", config=FTS()))
    await database.create_table("facts", schema=_FACTS_SCHEMA, exist_ok=True)


@asynccontextmanager
async def _exclusive(path: Path) -> AsyncIterator[None]:
    """Hold a lock between processes without blocking the event loop; tasks of this process may share it."""
    lock = FileLock(path, mode=0o600, thread_local=False, is_singleton=True)
    await to_thread.run_sync(lock.acquire)
    try:
        yield
    finally:
        lock.release()


async def _merge(table: Any, key: str, rows: pa.Table) -> None:
    merge = table.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
    await _retried(lambda: merge.execute(rows))


async def _retried(write: Callable[[], Awaitable[object]]) -> None:
    """Run a write again when another process committed first; LanceDB says so in words only."""
    for attempt in range(_CONFLICT_TRIES):
        try:
            await write()
        except (RuntimeError, OSError, ValueError) as exc:
            if "conflict" not in str(exc).lower() or attempt == _CONFLICT_TRIES - 1:
                raise
            await anyio.sleep(0.02 * 2**attempt)
        else:
            return


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn LanceDB's and Arrow's exceptions into `StoreError`."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, pa.ArrowException) as exc:
        first_line = next(iter(str(exc).strip().splitlines()), type(exc).__name__)
        first_line = _SOURCE_PLACE.sub("", first_line)
        raise StoreError(
            f"{doing}: {first_line}",
            hint="check free space and permissions; nothing that was acknowledged before is lost",
        ) from exc
