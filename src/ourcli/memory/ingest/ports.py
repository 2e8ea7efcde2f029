"""The seams of ingestion: where files come from, how they are read and cut, where they go."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ourcli.memory.stored import Redaction


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
