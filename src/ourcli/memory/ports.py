"""The seams of the room. `ai` implements the first two, `backends/` the rest; wiring joins them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.stored import Redaction
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

    async def tend(self) -> None:
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

    async def images(self, ids: Sequence[str]) -> list[Image]:
        """Return those of the records that are there, with their vectors, in the order of `ids`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a file.

    Attributes:
        text: What is remembered: `heading`, an empty line and the piece; the piece alone without a heading.
            The piece stands in the file word for word (for HTML: its readable text).
        lines: First and last line of the piece in the file, counted from 1, both included; only line feeds end a line.
            None where lines mean nothing, as in a PDF.
        heading: Titles above the piece, outermost first (`Guide > Recipes`), or "".
        page: Page, slide or sheet, counted from 1; None where there are none.
    """

    text: str
    lines: tuple[int, int] | None
    heading: str = ""
    page: int | None = None


class Chunker(Protocol):
    """Cuts a file's text along its own structure."""

    def kind(self, path: Path) -> str:
        """Return `code` for source code, `document` for the rest."""
        ...

    def chunks(self, path: Path, text: str) -> list[Chunk]:
        """Return the pieces of `text` in order; none when it holds only white space."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a document, a slide, or a sheet.

    Attributes:
        text: What can be read on it.
        number: Counted from 1; None for a document without pages.
        heading: Titles that hold where it begins, or "".
        markdown: Its text has headings as Markdown writes them.
    """

    text: str
    number: int | None
    heading: str = ""
    markdown: bool = False


class DocumentReader(Protocol):
    """Turns PDF and office documents into text."""

    def pages(self, path: Path, data: bytes) -> list[Page]:
        """Return the pages that have text, in order; at least one.

        Raises:
            MissingExtraError: What reads them is not installed.
            InvalidInputError: It is encrypted, broken, too large or has no text; the message says which, without the
                path.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFiles:
    """What a walk brought.

    Attributes:
        files: Absolute paths, sorted, no doubles.
        problems: Folders and names that could not be read, a line each.
    """

    files: tuple[Path, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file's bytes (None when there are more than the caller takes) and when they were written, aware UTC."""

    data: bytes | None
    modified: datetime


class FileTree(Protocol):
    """The files that may be read."""

    def roots(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """Return the absolute form of `paths`, links resolved.

        Raises:
            InvalidInputError: One of them does not exist; the message names it.
        """
        ...

    def find(self, roots: Sequence[Path], include: Sequence[str], exclude: Sequence[str]) -> FoundFiles:
        """Return the regular files under `roots`, honouring ignore files; a root that is a file is always among them.

        Args:
            roots: What `roots()` returned; what has gone since is left out.
            include: Patterns as in `.gitignore`, relative to each root; empty takes every file.
            exclude: Patterns of files and folders to leave out.

        Raises:
            InvalidInputError: A pattern is not valid.
        """
        ...

    def read(self, path: Path, most_bytes: int) -> FileContent:
        """Return a regular file's content, without its data when it is larger than `most_bytes`.

        Raises:
            InvalidInputError: It cannot be read; the message says why.
        """
        ...

    def exists(self, path: Path) -> bool:
        """Say whether something stands at `path`; True when that cannot be known."""
        ...


class FileWatcher(Protocol):
    """Tells when files change."""

    def changes(self, roots: Sequence[Path]) -> AbstractAsyncContextManager[AsyncIterator[set[Path]]]:
        """Yield sets of changed, new or removed paths until the context is left.

        Every change after the context was entered is told; a folder's path stands for all that is in it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedFile:
    """A file as it goes into the assets.

    Attributes:
        project: Whose memory it belongs to.
        uri: Its absolute path.
        sha256: Hex digest of its bytes.
        kind: `code` or `document`.
        chunks: Its pieces in order; at least one.
        modified: When it was written, aware UTC.
    """

    project: str
    uri: str
    sha256: str
    kind: str
    chunks: tuple[Chunk, ...]
    modified: datetime


class AssetShelf(Protocol):
    """Where files are kept as records; the memory service is the real one."""

    async def known(self, project: str) -> dict[str, str]:
        """Return uri -> sha256 of what is stored; "" for a file that is stored half or in two versions."""
        ...

    async def replace(self, files: Sequence[ShelvedFile], *, allow_secrets: bool = False) -> tuple[Redaction, ...]:
        """Store all chunks of these files and drop what was stored of them before; all or nothing for each file.

        Returns:
            The chunks that were stored without the secrets in them.

        Raises:
            StoreError: The store could not be written.
        """
        ...

    async def remove(self, project: str, uris: Sequence[str]) -> int:
        """Drop files; return how many of them were there."""
        ...
