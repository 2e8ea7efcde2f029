"""The one async facade: everything that commands, servers and scheduled jobs may ask of ourcli."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ourcli.ai.models.library import ModelStatus, PlannedDownload
from ourcli.app.bench.benching import RetrievalReport
from ourcli.app.bench.latency_report import LatencyReport
from ourcli.app.desks.caring import MemoryCare
from ourcli.app.desks.lifecycle import LifecycleDesk
from ourcli.app.desks.mcp import McpDesk
from ourcli.app.desks.models import ModelDesk
from ourcli.app.desks.tools import ToolDesk
from ourcli.app.doctor import Check, Doctor
from ourcli.app.memory.exporting import exported, redacted
from ourcli.app.memory.records import given_vectors, to_record
from ourcli.app.memory.vacuuming import Vacuumed
from ourcli.app.requests import Answer, AskRequest, ExportedRecord, IngestReport, NewRecord
from ourcli.app.tools.recording import Recorder
from ourcli.app.tools.using import ToolUse
from ourcli.app.wiring import LateEmbedder, Rooms
from ourcli.common.errors import InvalidInputError
from ourcli.common.events import EventSink, NullSink, ProgressMade
from ourcli.common.files import atomic_write
from ourcli.config.settings import Settings
from ourcli.core.recipe import Cookbook, template
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from ourcli.memory.query import Filter, Query, SearchResult
from ourcli.memory.record import Record
from ourcli.memory.stored import Contradiction, Redaction, Stored
from ourcli.memory.usage import Use
from ourcli.observability.events_log import EventLog

_QUIET = NullSink()
_ADD_BATCH = 64
"""Records that are stored, and so acknowledged, at once when many are added."""


class Service:
    """ourcli in this process.

    Args:
        rooms: Every part.
        log: What happened.
    """

    def __init__(self, rooms: Rooms, log: EventLog) -> None:
        self._rooms = rooms
        self._log = log
        self._desk = ModelDesk(
            rooms.library, rooms.settings, home=rooms.home, environment=dict(os.environ), gate=rooms.gate
        )

    @cached_property
    def lifecycle(self) -> LifecycleDesk:
        """How records move, why, and how a move is taken back."""
        return LifecycleDesk(self._rooms)

    @cached_property
    def tools(self) -> ToolDesk:
        """Every tool, and the plugins they come from."""
        return ToolDesk(self._rooms)

    @cached_property
    def _tool_use(self) -> ToolUse:
        rooms = self._rooms
        return ToolUse(self.tools, LateEmbedder(rooms), Recorder(rooms), folder=Path.cwd())

    @cached_property
    def mcp(self) -> McpDesk:
        """The MCP servers that the user added."""
        return McpDesk(self._rooms)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._rooms.settings

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the configuration was ignored and why, a line each."""
        return self._rooms.loaded.warnings

    async def examine(self) -> Sequence[Check]:
        """Look at everything that ourcli stands on."""
        return await self._doctor.examine()

    async def repair(self) -> Sequence[str]:
        """Mend what can be mended; return what was done, a line each."""
        return await self._doctor.repair()

    @property
    def _doctor(self) -> Doctor:
        rooms = self._rooms
        return Doctor(rooms.home, rooms.loaded, rooms.library, MemoryCare(rooms), guards=self.tools.guards)

    # Questions

    async def ask(self, request: AskRequest, listen: EventSink = _QUIET) -> Answer:
        """Recall, use a tool where one fits, generate, remember."""
        answer = await (await self._rooms.asking()).ask(request, listen, self._tool_use)
        await self._note_use([one.record_id for one in answer.citations if one.record_id], request.text)
        return answer

    async def plan(self, request: AskRequest) -> Mapping[str, object]:
        """Return the plan as JSON data and run nothing."""
        return (await self._rooms.asking()).plan(request).to_json()

    async def recipes(self) -> Cookbook:
        """Return shipped and own recipes, and what is wrong with broken files."""
        return self._rooms.recipes

    async def new_recipe(self, name: str) -> Path:
        """Write a recipe to start from into the user's folder; an existing one is refused."""
        text = template(name)
        path = self._rooms.home.recipes / f"{name}.toml"
        if path.exists():
            raise InvalidInputError(f"{str(path)!r} exists already", hint="choose another name, or edit it")
        with atomic_write(path) as stream:
            stream.write(text.encode())
        return path

    # Memory

    async def add(
        self, records: Sequence[NewRecord], listen: EventSink = _QUIET, *, allow_secrets: bool = False
    ) -> Stored:
        """Store records without their secrets, or with them when told so.

        Many are stored in batches, each acknowledged by a progress event.
        """
        memory = await self._rooms.memory()
        project, clock = self._rooms.settings.project, self._rooms.clock
        converted = [to_record(new, project=project, clock=clock) for new in records]
        ids: list[str] = []
        clean: list[Redaction] = []
        contradicts: list[Contradiction] = []
        for start in range(0, len(records), _ADD_BATCH):
            batch = records[start : start + _ADD_BATCH]
            vectors = given_vectors(batch, self._rooms.embedding.digest)
            stored = await memory.add(converted[start : start + _ADD_BATCH], vectors, allow_secrets=allow_secrets)
            ids += stored.ids
            clean += stored.redacted
            contradicts += stored.contradicts
            listen.emit(ProgressMade(at=clock.now(), task="storing", done=len(ids), total=len(records), unit="records"))
        return Stored(ids=tuple(ids), redacted=tuple(clean), contradicts=tuple(contradicts))

    async def search(self, query: Query) -> SearchResult:
        """Search memory; the hits count as used."""
        result = await (await self._rooms.memory()).run(query)
        await self._note_use([hit.record.id for hit in result.hits], query.text)
        return result

    async def get(self, record_id: str) -> Record:
        """Return one record, which counts as used."""
        record = await (await self._rooms.memory()).get(record_id)
        await self._note_use([record.id])
        return record

    async def _note_use(self, ids: Sequence[str], query: str = "") -> None:
        if ids:
            usage = (await self._rooms.moving()).usage
            await usage.note(Use(ids=tuple(ids), at=self._rooms.clock.now(), query=query))

    async def records(self, where: Filter, limit: int | None) -> list[Record]:
        """Return records, newest first."""
        return await (await self._rooms.memory()).records(where, limit)

    async def forget(
        self, ids: Sequence[str] = (), session: str | None = None, *, cascade: bool = False
    ) -> tuple[str, ...]:
        """Forget records by id, or all of a session, and with `cascade` what was made from them; return the ids."""
        forgetting = await self._rooms.forgetting()
        if session is not None:
            return await forgetting.forget_session(self._rooms.settings.project, session, cascade=cascade)
        return await forgetting.forget(ids, cascade=cascade)

    async def vacuum(self, listen: EventSink = _QUIET) -> Vacuumed:
        """Flush, expire, compact, index, and make the bytes go of all that was forgotten."""
        return await (await self._rooms.vacuum()).run(listen)

    async def memory_stats(self) -> Mapping[Layer, LayerStats]:
        """Return size and health of each layer."""
        return await (await self._rooms.memory()).stats()

    async def export(self, where: Filter, *, redact: bool = False) -> AsyncIterator[ExportedRecord]:
        """Yield records with their vectors, or without both secrets and vectors."""
        records = (await self._rooms.memory()).export(where)
        async for one in redacted(records, self._rooms.redactor) if redact else exported(records):
            yield one

    async def reembed(self, listen: EventSink = _QUIET) -> int:
        """Embed every record again that another model embedded; return how many."""
        memory, done = await self._rooms.memory(), 0
        async for done in memory.reembed():
            at = self._rooms.clock.now()
            listen.emit(ProgressMade(at=at, task="embedding again", done=done, total=None, unit="records"))
        return done

    async def ingest(
        self,
        paths: Sequence[Path],
        project: str | None,
        listen: EventSink = _QUIET,
        *,
        allow_secrets: bool = False,
    ) -> IngestReport:
        """Read files into memory, without the secrets in them unless told so."""
        ingestor = await self._rooms.ingestor()
        return await ingestor.ingest(self._rooms.selection(paths, project, allow_secrets=allow_secrets), listen)

    @asynccontextmanager
    async def watch(
        self, paths: Sequence[Path], project: str | None, listen: EventSink, *, allow_secrets: bool = False
    ) -> AsyncIterator[AsyncIterator[IngestReport]]:
        """Ingest, and again whenever files change."""
        selection = self._rooms.selection(paths, project, allow_secrets=allow_secrets)
        ingestor = await self._rooms.ingestor()
        async with ingestor.watch(selection, self._rooms.watcher, listen) as reports:
            yield reports

    # Models

    async def setup_plan(self, llm: str | None, small: bool) -> Sequence[PlannedDownload]:  # noqa: FBT001
        """Return what `setup` would fetch; empty when everything is here."""
        return self._desk.setup_plan(llm, small=small)

    async def setup(self, llm: str | None, small: bool, listen: EventSink = _QUIET) -> Sequence[ModelStatus]:  # noqa: FBT001
        """Fetch what `setup_plan` names (the user agreed), note the choice, return the models in use."""
        ready = await self._desk.setup(llm, small=small, listen=listen)
        await self._rooms.redactor.prepare()
        return ready

    async def models(self) -> Sequence[ModelStatus]:
        """Return the registry."""
        return self._desk.all()

    async def pull(self, model: str, listen: EventSink = _QUIET) -> ModelStatus:
        """Fetch and verify a model."""
        return await self._desk.pull(model, listen)

    async def verify(self) -> Sequence[ModelStatus]:
        """Check the digests of every installed model."""
        return await self._desk.verify()

    async def use(self, model: str) -> ModelStatus:
        """Make a model the configured one of its kind."""
        return await self._desk.use(model)

    async def remove(self, model: str) -> ModelStatus:
        """Delete a model's files."""
        return await self._desk.remove(model)

    # Measuring and looking

    async def bench_retrieval(
        self, corpus: Path, queries: Path, rerank: int, listen: EventSink = _QUIET
    ) -> RetrievalReport:
        """Measure recall in a temporary store."""
        return await self._rooms.bench().run(corpus, queries, rerank=rerank, listen=listen)

    async def bench_latency(
        self, rows: int, corpus: Path | None, searches: int, listen: EventSink = _QUIET
    ) -> LatencyReport:
        """Measure searches in temporary stores of `rows` records."""
        return await self._rooms.latency_bench().run(rows, corpus, searches=searches, listen=listen)

    async def events(
        self,
        since: datetime | None,
        follow: bool,  # noqa: FBT001
    ) -> AsyncIterator[Mapping[str, object]]:
        """Yield logged events, oldest first; go on with new ones when told to follow."""
        async for entry in self._log.tail(since=since, follow=follow):
            yield entry
