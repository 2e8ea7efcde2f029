"""One file: read, judged, decoded, cut."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from ourcli.common.errors import InvalidInputError, MissingExtraError
from ourcli.memory.ingest.decoding import decode
from ourcli.memory.ingest.formats import DOCUMENTS, format_of
from ourcli.memory.ingest.ports import Chunk, Chunker, DocumentReader, FileContent, FileTree, Page, ShelvedFile
from ourcli.memory.ingest.refusals import MOST_BYTES, MOST_DOCUMENT_BYTES, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of a file.

    Attributes:
        file: What to store, or None.
        kept: Whether memory may hold the file: it is stored now, unchanged, or could not be looked at.
        problem: Why it is not stored, or "" when it is, or is unchanged.
    """

    file: ShelvedFile | None = None
    kept: bool = False
    problem: str = ""


class Loader:
    """Turns paths into files to store. Never raises for what a file is or holds."""

    def __init__(self, tree: FileTree, chunker: Chunker, documents: DocumentReader) -> None:
        self._tree = tree
        self._chunker = chunker
        self._documents = documents

    def load(self, path: Path, project: str, known_sha256: str) -> Loaded:
        """Return what to store of a file, unless memory holds it with this digest already."""
        if reason := refusal(path):
            return Loaded(problem=f"{path}: {reason}")
        most_bytes = MOST_DOCUMENT_BYTES if format_of(path) in DOCUMENTS else MOST_BYTES
        try:
            content = self._tree.read(path, most_bytes)
        except InvalidInputError as exc:
            return Loaded(kept=True, problem=exc.message)
        if content.data is None:
            return Loaded(problem=f"{path}: is larger than {most_bytes // 1024**2} MB")
        sha256 = hashlib.sha256(content.data).hexdigest()
        return Loaded(kept=True) if sha256 == known_sha256 else self._read(path, project, sha256, content)

    def _read(self, path: Path, project: str, sha256: str, content: FileContent) -> Loaded:
        try:
            chunks = self._chunks(path, content.data or b"")
        except MissingExtraError as exc:
            return Loaded(kept=True, problem=f"{path}: is left out: {exc.message}; {exc.hint}")
        except InvalidInputError as exc:
            return Loaded(problem=f"{path}: {exc.message}")
        file = ShelvedFile(
            project=project,
            uri=str(path),
            sha256=sha256,
            kind=self._chunker.kind(path),
            chunks=tuple(chunks),
            modified=content.modified,
        )
        return Loaded(file=file, kept=True)

    def _chunks(self, path: Path, data: bytes) -> list[Chunk]:
        """Return the pieces of a file, at least one.

        Raises:
            MissingExtraError: What reads such documents is not installed.
            InvalidInputError: It has none; the message says why.
        """
        if not data.strip():
            raise InvalidInputError("is empty")
        if format_of(path) in DOCUMENTS:
            return [chunk for page in self._documents.pages(path, data) for chunk in self._cut(path, page)]
        text = decode(data)
        if text is None:
            raise InvalidInputError("is binary")
        chunks = self._chunker.chunks(path, text)
        if not chunks:
            raise InvalidInputError("is empty")
        return chunks

    def _cut(self, path: Path, page: Page) -> list[Chunk]:
        """Return the pieces of a page, each with the titles that hold there."""
        pieces = self._chunker.chunks(path.with_suffix(".md" if page.markdown else ".txt"), page.text)
        titled = [replace(one, lines=None, page=page.number) for one in pieces]
        if not page.heading:
            return titled
        return [
            one if one.heading else replace(one, text=f"{page.heading}\n\n{one.text}", heading=page.heading)
            for one in titled
        ]
