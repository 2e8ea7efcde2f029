"""The two legs of a search in one LanceDB table.

LanceDB tells addresses and scores; what else a leg needs of the rows stands in memory (`held_rows`). In a small table
the vectors do too: they are all compared, without an index. In a large one the index brings candidates and their
vectors, from which the exact cosine is computed.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ourcli.memory.backends import leg_columns
from ourcli.memory.backends.held_rows import ExactRows, Rows, SeenRows
from ourcli.memory.backends.lance_import import MatchQuery
from ourcli.memory.backends.leg_columns import ADDRESS
from ourcli.memory.backends.sql import condition
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.retrieval.legs import best, nothing
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Vector


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

    async def nearest(self, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k rows nearest to `vector`, scored by cosine similarity, best first."""
        held = await self._exact.current()
        if held is not None:
            return await self._compared(held, vector, where, k)
        query = self._table.query().nearest_to(vector).distance_type("cosine")
        found = await _filtered(query, where).select([ADDRESS, "embedding", "_distance"]).limit(k).to_arrow()
        leg = await self._looked_up(found, leg_columns.to_unit(found) @ vector)
        return best(self._layer, [leg], k)

    async def _compared(self, held: Rows, vector: Vector, where: Filter, k: int) -> Leg:
        if not len(held.addresses):
            return nothing(self._layer)
        places = await self._passing(held, where)
        scores = (held.vectors @ vector)[places]
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
        found = await self._table.query().where(sql).select([ADDRESS]).to_arrow()
        places = held.places(found[ADDRESS].to_numpy())
        return places[places >= 0]

    async def matching(self, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches of the words in `text`, best first."""
        held = await self._exact.current()
        if held is not None and not len(held.addresses):
            return nothing(self._layer)
        columns = [ADDRESS, "_score", *(["embedding"] if held is None else [])]
        query = _filtered(self._table.query().nearest_to_text(_words(text)), where)
        found = await query.select(columns).limit(k).to_arrow()
        scores = found["_score"].to_numpy()
        if held is None:
            return await self._looked_up(found, scores)
        places = held.places(found[ADDRESS].to_numpy())
        if (places < 0).any():  # written between the two readings
            return await self.matching(text, where, k)
        return self._held(held, places, scores)

    def _held(self, held: Rows, places: NDArray[np.int64], scores: NDArray[np.float32]) -> Leg:
        return leg_columns.to_leg(self._layer, leg_columns.picked(held.columns, places), held.vectors[places], scores)

    async def _looked_up(self, found: pa.Table, scores: NDArray[np.float32]) -> Leg:
        there, columns = await self._seen.columns(found[ADDRESS].to_numpy())
        return leg_columns.to_leg(self._layer, columns, leg_columns.to_unit(found)[there], scores[there])


def _words(text: str) -> Any:
    return MatchQuery(text, "indexed")  # type: ignore[call-arg]  # the stub hides the defaults of its keywords


def _filtered(query: Any, where: Filter) -> Any:
    sql = condition(where)
    return query.where(sql) if sql else query
