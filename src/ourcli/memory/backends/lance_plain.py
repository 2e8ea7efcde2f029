"""LanceDB as it comes: one table, its own hybrid search. What ours is measured against."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ourcli.memory.backends.lance_access import translated
from ourcli.memory.backends.lance_import import FTS, Bitmap, IvfSq, lancedb
from ourcli.memory.backends.sql import quoted
from ourcli.memory.record import DIMS
from ourcli.memory.vectors import Matrix, Vector

_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("text", pa.string()),
        pa.field("project", pa.string()),
        pa.field("vector", pa.list_(pa.float32(), DIMS)),
    ]
)
_INDEXED_FROM = 5_000


class PlainLance:
    """A table with the indexes that its makers recommend. Open it with `PlainLance.open`."""

    def __init__(self, table: Any) -> None:
        self._table = table

    @classmethod
    async def open(cls, folder: Path) -> "PlainLance":
        """Make an empty table in `folder`."""
        with translated("cannot open LanceDB"):
            database = await lancedb.connect_async(str(folder), read_consistency_interval=timedelta(0))
            return cls(await database.create_table("records", schema=_SCHEMA))

    async def add(self, ids: Sequence[str], texts: Sequence[str], projects: Sequence[str], vectors: Matrix) -> None:
        """Append rows."""
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMS)
        with translated("cannot write to LanceDB"):
            await self._table.add(pa.table([ids, texts, projects, flat], schema=_SCHEMA))

    async def index(self) -> None:
        """Build its indexes and compact it."""
        with translated("cannot index LanceDB"):
            await self._table.create_index("text", config=FTS())
            await self._table.create_index("project", config=Bitmap())
            if await self._table.count_rows() >= _INDEXED_FROM:
                await self._table.create_index("vector", config=IvfSq(distance_type="cosine"))
            await self._table.optimize()

    async def hybrid(self, vector: Vector, text: str, project: str | None, k: int) -> list[str]:
        """Return the ids of its own hybrid search (reciprocal rank fusion), best first."""
        query = self._table.query().nearest_to(vector).distance_type("cosine").nearest_to_text(text)
        return await self._ids(query, project, k, "_relevance_score")

    async def nearest(self, vector: Vector, project: str | None, k: int) -> list[str]:
        """Return the ids of the nearest rows, best first."""
        query = self._table.query().nearest_to(vector).distance_type("cosine")
        return await self._ids(query, project, k, "_distance")

    async def _ids(self, query: Any, project: str | None, k: int, score: str) -> list[str]:
        if project is not None:
            query = query.where(f"project = {quoted(project)}")
        columns = ["id"] if score == "_relevance_score" else ["id", score]
        with translated("cannot search LanceDB"):
            return list((await query.select(columns).limit(k).to_arrow())["id"].to_pylist())
