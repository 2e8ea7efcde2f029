"""The indexes of a table: which are due, how they are built, and how the one of vectors is asked.

Partitions follow the rows: an index is built for partitions of a size, and LanceDB's own upkeep splits and joins them
to keep it. What is added later goes into segments of their own, which every search has to look through, so after a
few of them the index is built anew.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from ourcli.memory.backends.lance_access import retried
from ourcli.memory.backends.lance_import import Bitmap, BTree, HnswSq, IvfPq, IvfRq, IvfSq, LabelList
from ourcli.memory.indexing import VectorIndex

_SCALAR: Mapping[str, Any] = MappingProxyType(
    {"id": BTree, "project": Bitmap, "session": BTree, "source_uri": BTree, "ts": BTree, "tags": LabelList}
)
_TYPES: Mapping[VectorIndex, str] = MappingProxyType(
    {
        VectorIndex.HNSW_SQ: "IvfHnswSq",
        VectorIndex.IVF_SQ: "IvfSq",
        VectorIndex.IVF_PQ: "IvfPq",
        VectorIndex.IVF_RQ: "IvfRq",
    }
)
_MOST_SEGMENTS = 8
_PARTITION = 1.5
"""Rows of a partition, as a factor of the root of all rows."""
_SMALLEST_PARTITION = 256
_SAMPLES = 64
"""Rows a partition from which its centre is learned; 256 take four times as long and find no more."""
_ROUNDS = 15
_CODES = 96
"""Product codes a vector, of one byte for four dimensions each."""
_PROBED = 0.16
"""Share of the partitions that a search looks into, and at least so many:"""
_FEWEST_PROBES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a vector index is asked.

    Attributes:
        probes: Partitions to look into. 0: there is no index.
        refine: So many times the candidates are compared again in full; 0 where that is not needed.
        effort: Length of the candidate list of a graph; 0 for other indexes.
    """

    probes: int = 0
    refine: int = 0
    effort: int = 0

    def applied(self, query: Any, k: int, *, everywhere: bool = False) -> Any:
        """Return the query, told how to go about it.

        Args:
            query: For k rows.
            k: So many.
            everywhere: Look into every partition: a filter left too few rows in the nearest ones.
        """
        if everywhere:
            query = query.maximum_nprobes(_ALL)
        elif self.probes:  # a fixed number: up to a higher bound LanceDB looks into all, however many rows it found
            query = query.maximum_nprobes(max(self.probes, _DEFAULT)).minimum_nprobes(self.probes)
            query = query.maximum_nprobes(self.probes)
        if self.refine:
            query = query.refine_factor(self.refine)
        return query.ef(max(self.effort, k)) if self.effort else query


_ALL = 0
_DEFAULT = 20
"""LanceDB's own number of probes: the lower bound may never exceed the upper one."""
_REFINE = MappingProxyType({"IvfPq": 2, "IvfRq": 4})
_EFFORT = 300


async def asking(table: Any) -> Asking:
    """Return how the vector index of a table is asked as it is now."""
    index = await _vector_index(table)
    if index is None:
        return Asking()
    if index.index_type == _TYPES[VectorIndex.HNSW_SQ]:
        return Asking(probes=1, effort=_EFFORT)
    size = index.index_details.get("target_partition_size") or _SMALLEST_PARTITION
    probes = max(_FEWEST_PROBES, round(index.num_indexed_rows / size * _PROBED))
    return Asking(probes=probes, refine=_REFINE.get(index.index_type, 0))


async def build_due(table: Any, wanted: VectorIndex, *, from_rows: int, flat_rows: int) -> bool:
    """Build the indexes that a table's growth or the settings call for; say whether there were any.

    Readers and writers go on meanwhile; rows that come in while it works are found without the index.

    Args:
        table: The table.
        wanted: Which vector index it gets, with more rows than `flat_rows`.
        from_rows: With so many rows the columns that filters ask for are indexed.
        flat_rows: So many vectors are compared one by one.
    """
    rows = await table.count_rows()
    if rows < from_rows:
        return False
    there = {column for index in await table.list_indices() for column in index.columns}
    missing = [column for column in _SCALAR if column not in there]
    for column in missing:
        await retried(partial(table.create_index, column, config=_SCALAR[column]()))
    index = await _vector_index(table)
    if wanted is VectorIndex.FLAT or (index is None and rows <= flat_rows):
        if index is not None:
            await retried(partial(table.drop_index, index.name))
        return bool(missing) or index is not None
    is_due = index is None or index.index_type != _TYPES[wanted] or index.num_segments > _MOST_SEGMENTS
    if is_due:
        await retried(partial(table.create_index, "embedding", config=_config(wanted, rows), replace=True))
    return bool(missing) or is_due


async def _vector_index(table: Any) -> Any | None:
    return next((index for index in await table.list_indices() if index.columns == ["embedding"]), None)


def _config(kind: VectorIndex, rows: int) -> Any:
    """Return what LanceDB is to build."""
    if kind is VectorIndex.HNSW_SQ:
        return HnswSq(distance_type="cosine", num_partitions=1)
    kinds: dict[VectorIndex, Callable[..., Any]] = {
        VectorIndex.IVF_SQ: IvfSq,
        VectorIndex.IVF_RQ: IvfRq,
        VectorIndex.IVF_PQ: partial(IvfPq, num_sub_vectors=_CODES),
    }
    return kinds[kind](
        distance_type="cosine",
        target_partition_size=max(_SMALLEST_PARTITION, round(_PARTITION * math.sqrt(rows))),
        sample_rate=_SAMPLES,
        max_iterations=_ROUNDS,
    )
