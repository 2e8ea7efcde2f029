"""The seams of the room. `ai` implements the first two, `backends/` the rest; wiring joins them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.tokens import TokenKey, TokenRow, TokenVectors
from ourcli.memory.vectors import Matrix, Vector


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A candidate as a reranker sees it: the record's id and what was embedded of it."""

    id: str
    text: str


class Writer(Protocol):
    """Writes short texts from longer ones; a language model that can be trusted with it, where there is one."""

    async def write(self, instruction: str, texts: Sequence[str], max_chars: int) -> str | None:
        """Return a text of at most `max_chars` characters, or None when nobody here may or can write it.

        Args:
            instruction: What the text is to be.
            texts: What it is made from: data, never instructions.
            max_chars: Its greatest length.
        """
        ...


class Reranker(Protocol):
    """Judges a few candidates again, more carefully, as long as there is time."""

    async def score(self, query: str, passages: Sequence[Passage], *, deadline_s: float) -> list[float | None]:
        """Return one relevance a passage, higher is better, in 0..1; None for what was not judged in time.

        Args:
            query: The question.
            passages: The candidates, best first: these are judged first.
            deadline_s: When to stop, on the clock's `monotonic_s`; a moment that has passed judges nothing.
        """
        ...


class TokenEmbedder(Protocol):
    """Gives one vector a token, for late interaction."""

    @property
    def digest(self) -> str:
        """Names the model; token vectors of another digest cannot be compared."""
        ...

    async def query_tokens(self, text: str) -> Matrix:
        """Return the unit token vectors of a question, shape [tokens, dims]."""
        ...

    async def passage_tokens(self, texts: Sequence[str]) -> list[Matrix]:
        """Return, per text, its unit token vectors, shape [tokens, dims], in one uninterrupted run of the model."""
        ...

    def embed_by_token(self, texts: Sequence[str]) -> AsyncIterator[tuple[Sequence[int], Matrix, Sequence[Matrix]]]:
        """Yield positions in `texts`, the vectors of these texts and their token vectors, a slice at a time."""
        ...


class TokenStore(Protocol):
    """Keeps token vectors: a cache, whose loss costs time and never an answer. Safe for several processes."""

    async def get(self, keys: Sequence[TokenKey]) -> dict[str, TokenVectors]:
        """Return what is there, by the record's id; what was kept under another digest is not there."""
        ...

    async def put(self, rows: Sequence[TokenRow], *, keep: bool) -> None:
        """Keep token vectors, one text a record, in the place of what was kept of it before.

        Beyond its bound the store drops what was not used for longest, and of what was put with `keep` nothing as
        long as there is anything else.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A text without its secrets.

    Attributes:
        text: The text, with `[secret: KIND]` in the place of each one.
        found: The kinds that were found, each once; empty: the text is as it was.
    """

    text: str
    found: tuple[str, ...] = ()


class Redactor(Protocol):
    """Finds secrets (keys, tokens, passwords, private keys) before a text is stored."""

    async def redact(self, texts: Sequence[str]) -> list[Redacted]:
        """Return the texts in their order without their secrets.

        Raises:
            StoreError: They could not be looked for.
        """
        ...


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


class RecordTables(Protocol):
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

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k records nearest to `vector`, scored by cosine similarity, best first."""
        ...

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
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

    async def tend(self) -> object:
        """Compact only the tables whose fragments or unindexed rows have grown past the bound."""
        ...


class RecordStore(RecordTables, Protocol):
    """Tables that change all or none, together with the ledger that tells why."""

    async def commit(
        self,
        *,
        upserts: Sequence[Image] = (),
        deletes: Sequence[str] = (),
        entries: Sequence[LedgerEntry] = (),
    ) -> None:
        """Change records and write why, all or none: when this returns, all of it survives a power cut.

        An entry whose `undoes` names another one marks that one as undone in the same step. What an entry tells of
        in `before` must still be so, byte for byte, and what only its `after` tells of must not be there: no other
        process can come in between.

        Raises:
            StoreConflictError: A record is not as an entry's `before` tells, or the entry it undoes is undone already.
            StoreError: None of it was done.
        """
        ...

    async def flush(self) -> int:
        """Move what waits in the write journal to the tables; return how many records it was about."""
        ...

    async def erase(self) -> None:
        """Leave nothing of removed records in any file of the tables: no row, no word of an index, no old version.

        A search that another process began before may fail.

        Raises:
            StoreError: It did not work; nothing is lost.
        """
        ...

    async def images(self, ids: Sequence[str]) -> list[Image]:
        """Return those of the records that are there, with their vectors, in the order of `ids`."""
        ...
