"""The seams of the room. `ai` implements the first two, `backends/` the rest; wiring joins them."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import Record

Vector = NDArray[np.float32]
"""Shape [384], unit length."""

Matrix = NDArray[np.float32]
"""Shape [n, 384], unit rows."""


class Embedder(Protocol):
    """Turns texts into vectors; async because the work runs in a bounded pool."""

    @property
    def digest(self) -> str:
        """Names the model; records of another digest cannot be compared."""
        ...

    async def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return the unit vectors of texts to remember, in their order."""
        ...


class Reranker(Protocol):
    """Judges a few candidates again, more carefully."""

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one relevance a text, higher is better, in 0..1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What one leg of a search brings: the record, its vector and the leg's score (higher is better)."""

    record: Record
    vector: Vector
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStats:
    """Size and health of one table.

    Attributes:
        rows: Records.
        unindexed: Rows that the vector or text index does not cover yet (still found).
        fragments: Data files.
        bytes: Size of the table's data.
    """

    rows: int
    unindexed: int
    fragments: int
    bytes: int


class RecordStore(Protocol):
    """Where records and their vectors live: one table a layer."""

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with; None for a new store."""
        ...

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model that the store is written with."""
        ...

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add records or replace those with the same id, in whatever layer they were.

        Raises:
            StoreError: Nothing of the batch was acknowledged (full disk, read-only folder, ...).
        """
        ...

    async def delete(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Remove records; return the ids that were there."""
        ...

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> list[Candidate]:
        """Return the k records nearest to `vector`, scored by cosine similarity, best first."""
        ...

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> list[Candidate]:
        """Return the k best BM25 matches of the words in `text`, best first."""
        ...

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        ...

    async def sources(self, project: str) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets."""
        ...

    async def ids_from(self, project: str, uris: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of a project's assets that were read from these files, by uri."""
        ...

    def scan(self, where: Filter, batch: int) -> AsyncIterator[list[tuple[Record, Vector]]]:
        """Yield all records with their vectors, in batches, in no order."""
        ...

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return size and health of each layer."""
        ...

    async def optimize(self) -> None:
        """Compact fragments and bring the indexes up to date; readers go on meanwhile."""
        ...

    async def tend(self) -> None:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a file.

    Attributes:
        text: The piece, stripped; for HTML its readable text.
        lines: First and last line in the file, counted from 1, both included.
    """

    text: str
    lines: tuple[int, int]


class Chunker(Protocol):
    """Cuts a file's text along its own structure."""

    def supports(self, path: Path) -> bool:
        """Say whether the file's name is of a kind that can be cut."""
        ...

    def kind(self, path: Path) -> str:
        """Return `code` or `document`."""
        ...

    def chunks(self, path: Path, text: str) -> list[Chunk]:
        """Return the pieces of `text` in order."""
        ...


class FileWalker(Protocol):
    """Finds the files that may be read."""

    def files(self, roots: Sequence[Path], include: Sequence[str], exclude: Sequence[str]) -> Iterable[Path]:
        """Yield regular files under `roots` in a stable order, honouring ignore files."""
        ...


class FileWatcher(Protocol):
    """Tells when files change."""

    def changes(self, roots: Sequence[Path]) -> AbstractAsyncContextManager[AsyncIterator[set[Path]]]:
        """Yield sets of changed, new or removed paths until the context is left."""
        ...
