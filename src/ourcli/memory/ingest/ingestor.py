"""Files into memory, incrementally: what is unchanged is skipped, what is gone is removed."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from anyio import to_thread

from ourcli.common.clock import Clock
from ourcli.common.events import EventSink, FilesIngested, NullSink, ProgressMade
from ourcli.memory.ingest.loading import Loader
from ourcli.memory.ingest.ports import (
    AssetShelf,
    Chunker,
    DocumentReader,
    FileTree,
    FileWatcher,
    FoundFiles,
    ShelvedFile,
)
from ourcli.memory.ingest.report import IngestReport, Selection
from ourcli.memory.stored import Redaction

BATCH_CHUNKS = 64
"""Files are stored together until they have this many pieces: half a second of embedding is lost at Ctrl-C."""

BATCH_FILES = 256
"""As many files are looked at before the event loop hears of it, when most are unchanged."""

PATTERN_FILES = frozenset({".gitignore", ".ignore", "exclude"})
"""When one of these changes, any file may be in or out."""


@dataclass(slots=True, kw_only=True)
class _Round:
    """One ingestion under way.

    Attributes:
        selection: What was asked for.
        known: uri -> sha256 of what is stored of the files in question.
        pending: Files still to look at.
        kept: Files that stay in memory.
    """

    selection: Selection
    known: dict[str, str]
    pending: deque[Path]
    problems: list[str] = field(default_factory=list)
    redacted: list[Redaction] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    files: int = 0
    chunks: int = 0
    skipped: int = 0


class Ingestor:
    """Reads, cuts and stores files.

    Args:
        shelf: Where they go.
        tree: Where they come from.
        chunker: How they are cut.
        documents: Reads PDF and office documents.
        clock: Measures.
        sink: Hears of every ingestion that ended.
    """

    def __init__(
        self,
        shelf: AssetShelf,
        tree: FileTree,
        chunker: Chunker,
        *,
        documents: DocumentReader,
        clock: Clock,
        sink: EventSink,
    ) -> None:
        self._shelf = shelf
        self._tree = tree
        self._chunker = chunker
        self._documents = documents
        self._clock = clock
        self._sink = sink

    async def ingest(self, selection: Selection, listen: EventSink | None = None) -> IngestReport:
        """Bring memory up to date with the selected files.

        Only files under the selected paths are ever removed. Interrupted at any point, whole files are stored;
        the next call goes on from there.

        Raises:
            InvalidInputError: A path does not exist or a pattern is not valid; nothing was stored.
            StoreError: The store could not be written; files of earlier batches are stored.
        """
        roots = await to_thread.run_sync(self._tree.roots, selection.paths)
        return await self._ingest(selection, roots, listen or NullSink())

    @asynccontextmanager
    async def watch(
        self, selection: Selection, watcher: FileWatcher, listen: EventSink | None = None
    ) -> AsyncIterator[AsyncIterator[IngestReport]]:
        """Yield a report of a first full ingestion, then one for each burst of changes that changed something.

        Raises:
            InvalidInputError: A path does not exist; nothing was stored.
            StoreError: The store could not be written, or the system refuses to watch.
        """
        roots = await to_thread.run_sync(self._tree.roots, selection.paths)
        changes: AbstractAsyncContextManager[AsyncIterator[set[Path]]] = watcher.changes(roots)
        async with changes as bursts:
            yield self._reports(selection, roots, bursts, listen or NullSink())

    async def _reports(
        self, selection: Selection, roots: tuple[Path, ...], bursts: AsyncIterator[set[Path]], listen: EventSink
    ) -> AsyncIterator[IngestReport]:
        yield await self._ingest(selection, roots, listen)
        async for burst in bursts:
            touched = None if any(path.name in PATTERN_FILES for path in burst) else burst
            report = await self._ingest(selection, roots, listen, touched=touched)
            if report.files or report.removed or report.problems:
                yield report

    async def _ingest(
        self,
        selection: Selection,
        roots: tuple[Path, ...],
        listen: EventSink,
        *,
        touched: Collection[Path] | None = None,
    ) -> IngestReport:
        started = self._clock.monotonic_s()
        found = await to_thread.run_sync(self._tree.find, roots, selection.include, selection.exclude)
        known = await self._shelf.known(selection.project)
        files = found.files if touched is None else _under(found.files, touched)
        stored = _under((Path(uri) for uri in known if Path(uri).is_absolute()), roots)
        stored = stored if touched is None else _under(stored, touched)
        going = _Round(
            selection=selection,
            known={str(path): known[str(path)] for path in stored},
            pending=deque(files),
            problems=list(found.problems) if touched is None else [],
        )
        await self._store(going, len(files), listen)
        removed = await self._remove_stale(going, found)
        self._sink.emit(FilesIngested(at=self._clock.now(), files=going.files, chunks=going.chunks, removed=removed))
        return IngestReport(
            files=going.files,
            chunks=going.chunks,
            skipped=going.skipped,
            removed=removed,
            seconds=self._clock.monotonic_s() - started,
            problems=tuple(going.problems),
            redacted=tuple(going.redacted),
        )

    async def _store(self, going: _Round, total: int, listen: EventSink) -> None:
        loader = Loader(self._tree, self._chunker, self._documents)
        while going.pending:
            batch = await to_thread.run_sync(self._next_batch, loader, going)
            if batch:
                going.redacted += await self._shelf.replace(batch, allow_secrets=going.selection.allow_secrets)
                going.files += len(batch)
                going.chunks += sum(len(file.chunks) for file in batch)
            done = total - len(going.pending)
            listen.emit(ProgressMade(at=self._clock.now(), task="ingest", done=done, total=total, unit="files"))

    def _next_batch(self, loader: Loader, going: _Round) -> list[ShelvedFile]:
        batch: list[ShelvedFile] = []
        looked = chunks = 0
        while going.pending and looked < BATCH_FILES and chunks < BATCH_CHUNKS:
            path = going.pending.popleft()
            looked += 1
            loaded = loader.load(path, going.selection.project, going.known.get(str(path), ""))
            if loaded.kept:
                going.kept.add(str(path))
            if loaded.file is None:
                going.skipped += 1
            else:
                batch.append(loaded.file)
                chunks += len(loaded.file.chunks)
            if loaded.problem:
                going.problems.append(loaded.problem)
        return batch

    async def _remove_stale(self, going: _Round, found: FoundFiles) -> int:
        def stale() -> list[str]:
            gone = sorted(going.known.keys() - going.kept)
            if not found.problems:
                return gone
            return [uri for uri in gone if Path(uri) in read or not self._tree.exists(Path(uri))]

        read = set(found.files)  # where a folder could not be read, files that the walk did not see may still be wanted
        uris = await to_thread.run_sync(stale)
        return await self._shelf.remove(going.selection.project, uris) if uris else 0


def _under(paths: Iterable[Path], roots: Collection[Path]) -> list[Path]:
    """Return the paths that are one of `roots` or inside of one."""
    places = set(roots)
    return [path for path in paths if path in places or not places.isdisjoint(path.parents)]
