"""Which index finds the nearest vectors of a layer: values."""

from dataclasses import dataclass
from enum import StrEnum

from ourcli.common.errors import ConfigError
from ourcli.memory.layers import Layer


class VectorIndex(StrEnum):
    """A kind of vector index; `docs/decisions/0019-vector-indexes.md` compares them."""

    FLAT = "flat"
    """None: every vector is compared."""
    HNSW_SQ = "hnsw-sq"
    """A graph over vectors of one byte a dimension."""
    IVF_SQ = "ivf-sq"
    """Partitions of vectors of one byte a dimension."""
    IVF_PQ = "ivf-pq"
    """Partitions of product codes, a quarter of that; the best are compared again in full."""
    IVF_RQ = "ivf-rq"
    """Partitions of one bit a dimension; the best are compared again in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """The index of each layer.

    Attributes:
        interact: Of the session layer.
        insights: Of the distilled layer.
        assets: Of documents and code.
        from_rows: A table with fewer rows has no index but that of its words.
        exact_rows: A table with so many rows is held in memory by whoever searches it, and all vectors are compared;
            from there on it has a vector index. The session layer has one from `from_rows` on.
    """

    interact: VectorIndex = VectorIndex.HNSW_SQ
    insights: VectorIndex = VectorIndex.IVF_PQ
    assets: VectorIndex = VectorIndex.IVF_SQ
    from_rows: int = 5_000
    exact_rows: int = 20_000

    def flat_rows(self, layer: Layer) -> int:
        """Return up to how many rows all vectors of a layer are compared."""
        return min(self.from_rows, self.exact_rows) if layer is Layer.INTERACT else self.exact_rows

    def of(self, layer: Layer) -> VectorIndex:
        """Return the index of a layer."""
        return {Layer.INTERACT: self.interact, Layer.INSIGHTS: self.insights, Layer.ASSETS: self.assets}[layer]


def read_index(key: str, name: str) -> VectorIndex:
    """Return the index that a setting names.

    Raises:
        ConfigError: There is no such index.
    """
    try:
        return VectorIndex(name)
    except ValueError:
        hint = f"use {', '.join(VectorIndex)}"
        raise ConfigError(f"{key} is {name!r}, which is no index", hint=hint) from None
