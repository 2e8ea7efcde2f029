"""One file: read, judged, decoded, cut."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import InvalidInputError
from ourcli.memory.ingest.decoding import decode
from ourcli.memory.ingest.refusals import MOST_BYTES, refusal
from ourcli.memory.ports import Chunker, FileContent, FileTree, ShelvedFile


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

    def __init__(self, tree: FileTree, chunker: Chunker) -> None:
        self._tree = tree
        self._chunker = chunker

    def load(self, path: Path, project: str, known_sha256: str) -> Loaded:
        """Return what to store of a file, unless memory holds it with this digest already."""
        if reason := refusal(path):
            return Loaded(problem=f"{path}: {reason}")
        try:
            content = self._tree.read(path, MOST_BYTES)
        except InvalidInputError as exc:
            return Loaded(kept=True, problem=exc.message)
        if content.data is None:
            return Loaded(problem=f"{path}: is larger than {MOST_BYTES // 1024**2} MB")
        sha256 = hashlib.sha256(content.data).hexdigest()
        if sha256 == known_sha256:
            return Loaded(kept=True)
        text = decode(content.data)
        if text is None:
            return Loaded(problem=f"{path}: is binary")
        return self._cut(path, project, text, sha256, content)

    def _cut(self, path: Path, project: str, text: str, sha256: str, content: FileContent) -> Loaded:
        chunks = tuple(self._chunker.chunks(path, text))
        if not chunks:
            return Loaded(problem=f"{path}: is empty")
        file = ShelvedFile(
            project=project,
            uri=str(path),
            sha256=sha256,
            kind=self._chunker.kind(path),
            chunks=chunks,
            modified=content.modified,
        )
        return Loaded(file=file, kept=True)
