"""The two legs of a search in one LanceDB table.

LanceDB tells addresses and scores; what else a leg needs of the rows stands in memory (`held_rows`). In a small table
the vectors do too: they are all compared, without an index. In a large one the index brings candidates and their
vectors, from which the exact cosine is computed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ourcli.memory.backends import arrow, leg_columns
from ourcli.memory.backends.held_rows import Addresses, ExactRows, Rows, SeenRows
from ourcli.memory.backends.lance_import import MatchQuery
from ourcli.memory.backends.lance_reading import read
from ourcli.memory.backends.leg_columns import ADDRESS, Told
from ourcli.memory.backends.sql import condition, one_of
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.retrieval.legs import best, nothing
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector

_MET = 20_000
"""So many rows that legs brought are remembered by their ids."""


class LanceLegs:
    """Searches one table.

    Args:
        layer: Whose table it is.
        table: The LanceDB table.
        exact_rows: Up to so many rows all vectors are compared.
    """

    def __init__(self, layer: Layer, table: Any, exact_rows: int) -> None:
        self._layer = layer
        self._table = table
        self._exact = ExactRows(table, exact_rows)
        self._seen = SeenRows(table)
        self._met: dict[str, int] = {}

    async def nearest(self, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k rows nearest to `vector`, scored by cosine similarity, best first."""
        held = await self._exact.current()
        if held is not None:
            return await self._compared(held, vector, where, k)
        found = await self._near(vector, where, k, everywhere=False)
        if len(found) < k and condition(where) is not None:
            found = await self._near(vector, where, k, everywhere=True)
        vectors = leg_columns.to_unit(found)
        leg = await self._looked_up(found, vectors, vectors @ vector)
        return best(self._layer, [leg], k)

    async def _near(self, vector: Vector, where: Filter, k: int, *, everywhere: bool) -> pa.Table:
        near = self._table.query().nearest_to(vector).distance_type("cosine")
        query = self._exact.asking.applied(near, k, everywhere=everywhere)
        return await read(_filtered(query, where).select([ADDRESS, "embedding", "_distance"]).limit(k))

    async def _compared(self, held: Rows, vector: Vector, where: Filter, k: int) -> Leg:
        if not len(held.addresses):
            return nothing(self._layer)
        places = await self._passing(held, where)
        scores = held.vectors @ vector
        if len(places) < len(scores):
            scores = scores[places]
        if len(places) > k:
            top = np.argpartition(-scores, k)[:k]
            places, scores = places[top], scores[top]
        order = np.argsort(-scores, kind="stable")
        return self._held(held, places[order], scores[order])

    async def _passing(self, held: Rows, where: Filter) -> NDArray[np.int64]:
        """Return the places of the rows that pass a filter."""
        sql = condition(where)
        if sql is None:
            return np.arange(len(held.addresses))
        if where.project is not None and where == Filter(project=where.project, layers=where.layers):
            return leg_columns.of_project(held.columns, where.project)
        found = await read(self._table.query().where(sql).select([ADDRESS]))
        places = held.places(found[ADDRESS].to_numpy())
        return np.sort(places[places >= 0])

    async def matching(self, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches of the words in `text`, best first."""
        held = await self._exact.current()
        if held is not None and not len(held.addresses):
            return nothing(self._layer)
        columns = [ADDRESS, "_score", *(["embedding"] if held is None else [])]
        query = _filtered(self._table.query().nearest_to_text(_words(text)), where)
        found = await read(query.select(columns).limit(k))
        scores = found["_score"].to_numpy()
        if held is None:
            return await self._looked_up(found, leg_columns.to_unit(found), scores)
        places = held.places(found[ADDRESS].to_numpy())
        if (places < 0).any():  # written between the two readings
            return await self.matching(text, where, k)
        return self._held(held, places, scores)

    def _held(self, held: Rows, places: NDArray[np.int64], scores: NDArray[np.float32]) -> Leg:
        told = held.told or Told.of(held.columns)
        return self._leg(held.addresses[places], told.taken(places), held.vectors[places], scores)

    async def _looked_up(self, found: pa.Table, vectors: Matrix, scores: NDArray[np.float32]) -> Leg:
        addresses = found[ADDRESS].to_numpy()
        there, columns = await self._seen.columns(addresses, leg_columns.TOLD)
        return self._leg(addresses[there], Told.of(columns), vectors[there], scores[there])

    def _leg(self, addresses: Addresses, told: Told, vectors: Matrix, scores: NDArray[np.float32]) -> Leg:
        leg = told.leg(self._layer, vectors, scores)
        if len(self._met) > _MET:
            self._met.clear()
        self._met.update(zip(leg.ids, addresses.tolist(), strict=True))
        return leg

    async def of_ids(self, ids: Sequence[str]) -> pa.Table:
        """Return the rows with these ids in no order; those that a leg brought just now are read where they stand."""
        known = np.array([self._met[one] for one in ids if one in self._met], dtype=np.uint64)
        parts = [await self._records_at(known)] if len(known) else []
        there = {one for part in parts for one in part["id"].to_pylist()}
        if missing := [one for one in ids if one not in there]:
            query = self._table.query().where(one_of("id", missing))
            parts.append(await read(query.select(arrow.RECORD_COLUMNS)))
        return pa.concat_tables(parts, promote_options="default")  # they differ in what may be null

    async def _records_at(self, addresses: Addresses) -> pa.Table:
        """Return what still stands at these addresses as records need it."""
        held = await self._exact.current()
        if held is not None:
            places = held.places(addresses)
            return leg_columns.plain(held.columns.take(places[places >= 0])).select(arrow.RECORD_COLUMNS)
        texts = await read(self._table.take_row_ids(addresses.tolist()).select([ADDRESS, *leg_columns.TEXTS]))
        there, columns = await self._seen.columns(texts[ADDRESS].to_numpy(), leg_columns.NO_ROWS.column_names)
        whole = leg_columns.plain(columns)
        for name in leg_columns.TEXTS:
            whole = whole.append_column(arrow.SCHEMA.field(name), texts[name].take(there))
        return whole.select(arrow.RECORD_COLUMNS)


def _words(text: str) -> Any:
    return MatchQuery(text, "indexed")  # type: ignore[call-arg]  # the stub hides the defaults of its keywords


def _filtered(query: Any, where: Filter) -> Any:
    sql = condition(where)
    return query.where(sql) if sql else query
