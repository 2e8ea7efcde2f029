"""Files as records of the assets layer: what is known of them, and replacing them whole."""

from collections.abc import Sequence

from ourcli.common.clock import Clock
from ourcli.common.ids import RecordId, new_id
from ourcli.memory.ingest.ports import ShelvedFile
from ourcli.memory.layers import Layer
from ourcli.memory.ports import RecordStore
from ourcli.memory.record import Record, Source
from ourcli.memory.service import MemoryService
from ourcli.memory.stored import Redaction


class Shelf:
    """The store's side of ingestion (`AssetShelf`)."""

    def __init__(self, memory: MemoryService, store: RecordStore, clock: Clock) -> None:
        self._memory = memory
        self._store = store
        self._clock = clock

    async def known(self, project: str) -> dict[str, str]:
        """Return uri -> sha256 of every stored file; "" where two versions of it are stored."""
        known: dict[str, str] = {}
        for uri, sha256 in await self._store.sources(project):
            known[uri] = "" if uri in known else sha256
        return known

    async def replace(self, files: Sequence[ShelvedFile], *, allow_secrets: bool = False) -> tuple[Redaction, ...]:
        """Store all chunks of these files, then drop what was stored of them before; return what was redacted.

        Killed in between, a file is there in two versions; `known` says so and the next run mends it.
        """
        stale: list[str] = []
        for project in {file.project for file in files}:
            stored = await self._store.ids_from(project, [file.uri for file in files if file.project == project])
            stale += [record_id for ids in stored.values() for record_id in ids]
        records = [record for file in files for record in self._records(file)]
        redacted: tuple[Redaction, ...] = ()
        if records:
            redacted = (await self._memory.add(records, allow_secrets=allow_secrets)).redacted
        if stale:
            await self._store.delete(stale)
        return redacted

    async def remove(self, project: str, uris: Sequence[str]) -> int:
        """Drop what is stored of these files; return how many files were there."""
        stored = await self._store.ids_from(project, uris)
        await self._store.delete([record_id for ids in stored.values() for record_id in ids])
        return len(stored)

    def _records(self, file: ShelvedFile) -> list[Record]:
        now = self._clock.now()
        return [
            Record(
                id=RecordId(new_id(now)),
                text=chunk.text,
                layer=Layer.ASSETS,
                ts=file.modified,
                kind=file.kind,
                project=file.project,
                source=Source(uri=file.uri, lines=chunk.lines, sha256=file.sha256, page=chunk.page),
            )
            for chunk in file.chunks
        ]
