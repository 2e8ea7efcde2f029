"""Files without a disk, a shelf without a database, a watcher that is told what to tell."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from ourcli.common.errors import InvalidInputError, MissingExtraError, StoreError
from ourcli.memory.ingest.ports import Chunk, FileContent, FoundFiles, Page, ShelvedFile
from ourcli.memory.stored import Redaction

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When every file of a `MemoryTree` was written."""


class MemoryTree:
    """A `FileTree` of a dictionary. Patterns match names; there are no ignore files.

    Attributes:
        contents: Bytes by absolute path.
        unreadable: Files that cannot be read.
        problems: What `find` reports besides.
        hidden: Files that `find` does not see, though they exist.
    """

    def __init__(self, contents: dict[Path, bytes]) -> None:
        self.contents = contents
        self.unreadable: set[Path] = set()
        self.problems: tuple[str, ...] = ()
        self.hidden: set[Path] = set()

    def roots(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """Return the paths, if each is a file or has files in it."""
        for path in paths:
            if not self._within(path):
                raise InvalidInputError(f"{str(path)!r} does not exist")
        return tuple(paths)

    def find(self, roots: Sequence[Path], include: Sequence[str], exclude: Sequence[str]) -> FoundFiles:
        """Return the files under `roots`, sorted."""
        files = {path for root in roots for path in self._within(root) if path == root or path not in self.hidden}
        chosen = {
            path
            for path in files
            if path in roots
            or (
                (not include or any(fnmatchcase(path.name, pattern) for pattern in include))
                and not any(fnmatchcase(path.name, pattern) for pattern in exclude)
            )
        }
        return FoundFiles(files=tuple(sorted(chosen)), problems=self.problems)

    def read(self, path: Path, most_bytes: int) -> FileContent:
        """Return the bytes, unless the file is unreadable or gone."""
        if path in self.unreadable or path not in self.contents:
            raise InvalidInputError(f"{path}: cannot be read: Permission denied")
        data = self.contents[path]
        return FileContent(data=data if len(data) <= most_bytes else None, modified=WRITTEN)

    def exists(self, path: Path) -> bool:
        """Say whether there is such a file."""
        return path in self.contents

    def _within(self, root: Path) -> list[Path]:
        return [path for path in self.contents if path == root or root in path.parents]


class ScriptedDocuments:
    """A `DocumentReader` of a dictionary.

    Attributes:
        contents: The pages of each document's bytes; bytes that are not here are broken.
        missing: What reads them is not installed.
    """

    def __init__(self, contents: Mapping[bytes, Sequence[Page]] | None = None) -> None:
        self.contents = contents or {}
        self.missing = False

    def pages(self, path: Path, data: bytes) -> list[Page]:  # noqa: ARG002  # the port's shape
        """Return the pages of these bytes."""
        if self.missing:
            raise MissingExtraError("the extra 'docs' is not installed", hint='pip install "ourcli[docs]"')
        if data not in self.contents:
            raise InvalidInputError("is broken and cannot be read")
        return list(self.contents[data])


class LineChunker:
    """A `Chunker` that makes every line with words a piece of its own."""

    def kind(self, path: Path) -> str:
        """Return `code` for .py files."""
        return "code" if path.suffix == ".py" else "document"

    def chunks(self, path: Path, text: str) -> list[Chunk]:  # noqa: ARG002  # the port's shape
        """Return the lines."""
        lines = enumerate(text.split("\n"), start=1)
        return [Chunk(text=line.strip(), lines=(number, number)) for number, line in lines if line.strip()]


class MemoryShelf:
    """An `AssetShelf` of a dictionary.

    Attributes:
        files: What is stored, by project and uri.
        batches: How many files each `replace` brought.
        fail_at: The number of the `replace` that fails, counted from 1; 0 for none.
        halves: uris that `known` reports as half stored.
    """

    def __init__(self, fail_at: int = 0) -> None:
        self.files: dict[tuple[str, str], ShelvedFile] = {}
        self.batches: list[int] = []
        self.fail_at = fail_at
        self.halves: set[str] = set()

    async def known(self, project: str) -> dict[str, str]:
        """Return uri -> sha256 of the project's files."""
        return {
            uri: "" if uri in self.halves else file.sha256
            for (owner, uri), file in self.files.items()
            if owner == project
        }

    async def replace(
        self,
        files: Sequence[ShelvedFile],
        *,
        allow_secrets: bool = False,  # noqa: ARG002  # the port's shape
    ) -> tuple[Redaction, ...]:
        """Store the files as they are, or fail when it is time to."""
        self.batches.append(len(files))
        if len(self.batches) == self.fail_at:
            raise StoreError("cannot write: no space left on device")
        for file in files:
            self.files[file.project, file.uri] = file
            self.halves.discard(file.uri)
        return ()

    async def remove(self, project: str, uris: Sequence[str]) -> int:
        """Drop the files; return how many were there."""
        return sum(self.files.pop((project, uri), None) is not None for uri in uris)


class ScriptedWatcher:
    """A `FileWatcher` that tells one burst of changes for each script that it runs first, then ends."""

    def __init__(self, *scripts: Callable[[], set[Path]]) -> None:
        self._scripts = scripts

    @asynccontextmanager
    async def changes(self, roots: Sequence[Path]) -> AsyncIterator[AsyncIterator[set[Path]]]:  # noqa: ARG002
        """Run the scripts one after the other, each when the one before was dealt with."""

        async def bursts() -> AsyncIterator[set[Path]]:
            for script in self._scripts:
                yield script()

        yield bursts()
