"""The composition root: the only place that joins implementations to ports.

Parts are made when they are first asked for, so that listing models never opens a store and listing records
never loads a model. Whatever has a lifetime goes onto the one exit stack.
"""

import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import CapacityLimiter

from ourcli.ai.backends.embedding_cache import open_embedding_cache
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.backends.onnx_reranker import OnnxReranker, OnnxRerankerSpec
from ourcli.ai.backends.rates_file import open_prefill_rates
from ourcli.ai.backends.this_machine import physical_cores, resident_bytes
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.llm import ModelPool
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.spec import Kind
from ourcli.ai.ports import LanguageModel
from ourcli.ai.rerank import PairReranker
from ourcli.app.asking import Asking
from ourcli.app.attachments import Attachments
from ourcli.app.bench.benching import Bench
from ourcli.app.bench.latency import LatencyBench
from ourcli.app.configuration import read_indexes
from ourcli.app.memory.cleaning import open_forgetting
from ourcli.app.memory.forgetting import Forgetting
from ourcli.app.memory.moving import Moving, open_moving
from ourcli.app.memory.stores import open_plain_lance, open_store
from ourcli.app.memory.vacuuming import Vacuum
from ourcli.app.memory.writing import ModelWriter
from ourcli.app.reader import LocalReader
from ourcli.app.requests import IngestReport
from ourcli.app.sessions import Sessions
from ourcli.common.clock import Clock
from ourcli.common.errors import ConfigError
from ourcli.common.events import EventSink, NullSink
from ourcli.common.net import Gate
from ourcli.config.flags import require_extra
from ourcli.config.load import Loaded
from ourcli.config.locations import Home
from ourcli.core.bus import Bus
from ourcli.core.journal import MemoryJournal
from ourcli.core.planner import Planner
from ourcli.core.recipe import Cookbook
from ourcli.core.recipe import load as load_recipes
from ourcli.memory.backends.documents import DocumentConverter
from ourcli.memory.backends.secrets import KingfisherRedactor
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.backends.sqlite_erasures import SqliteErasures
from ourcli.memory.backends.token_store import SqliteTokenStore
from ourcli.memory.backends.walker import DiskTree
from ourcli.memory.backends.watcher import SystemWatcher
from ourcli.memory.ingest.ingestor import Ingestor
from ourcli.memory.ingest.report import Selection
from ourcli.memory.interaction import LateInteraction
from ourcli.memory.lifecycle.distil import Distiller
from ourcli.memory.ports import Passage, RecordStore, Reranker, TokenStore
from ourcli.memory.service import MemoryService
from ourcli.memory.shelf import Shelf
from ourcli.memory.vectors import Matrix, Vector

if TYPE_CHECKING:
    from ourcli.memory.backends.journaled_store import JournaledStore

OPENAI_PREFIX = "openai:"
LATE_INTERACTION = "late-interaction"
NO_RERANKER = "none"
RULES_CACHE = "KF_RULE_CACHE_DIR"
"""The detector's own setting of where compiled rules are kept; they are the same for every home."""


class LateEmbedder:
    """The embedder, found when it is first needed: memory can be listed and cleaned without any model."""

    def __init__(self, rooms: "Rooms") -> None:
        self._rooms = rooms

    @property
    def digest(self) -> str:
        """Names the model."""
        return self._rooms.embedding.digest

    async def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question."""
        return await self._rooms.embedding.embed_query(text)

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return the unit vectors of texts to remember."""
        return await self._rooms.embedding.embed_passages(texts)

    async def query_tokens(self, text: str) -> Matrix:
        """Return the unit token vectors of a question."""
        return await self._rooms.embedding.query_tokens(text)

    async def passage_tokens(self, texts: Sequence[str]) -> list[Matrix]:
        """Return, per text, its unit token vectors."""
        return await self._rooms.embedding.passage_tokens(texts)

    def embed_by_token(self, texts: Sequence[str]) -> AsyncIterator[tuple[Sequence[int], Matrix, Sequence[Matrix]]]:
        """Yield positions, vectors and token vectors, a slice at a time."""
        return self._rooms.embedding.embed_by_token(texts)


class LatePairReranker:
    """A reranker with a model of its own, found when it is first needed."""

    def __init__(self, rooms: "Rooms") -> None:
        self._rooms = rooms

    async def score(self, query: str, passages: Sequence[Passage], *, deadline_s: float) -> list[float | None]:
        """Return one relevance a passage, None for what was not judged in time."""
        texts = [passage.text for passage in passages]
        return await self._rooms.pair_reranker.score(query, texts, deadline_s=deadline_s)


class Rooms:
    """Every part of a running ourcli.

    Args:
        home: The folder it writes to.
        loaded: Settings.
        gate: Decides about the network.
        clock: Time.
        bus: Takes every event.
        stack: Closes what has a lifetime.
    """

    def __init__(
        self, *, home: Home, loaded: Loaded, gate: Gate, clock: Clock, bus: Bus, stack: AsyncExitStack
    ) -> None:
        self.home, self.settings, self.loaded = home, loaded.settings, loaded
        self.gate, self.clock, self.bus = gate, clock, bus
        self._stack = stack
        self._limiter = CapacityLimiter(1)
        self._opening = anyio.Lock()
        self._store: JournaledStore | None = None
        self._memory: MemoryService | None = None
        self._moving: Moving | None = None

    def on_close(self, closing: Callable[[], Awaitable[None]]) -> None:
        """Have `closing` awaited when everything is closed."""
        self._stack.push_async_callback(closing)

    @cached_property
    def threads(self) -> int:
        """Threads for inference."""
        return self.settings.ai.threads or physical_cores()

    @cached_property
    def library(self) -> ModelLibrary:
        """The models of this machine."""
        return open_library(self.home.models(self.settings), self.gate, clock=self.clock)

    @cached_property
    def _embedding_model(self) -> OnnxEmbeddingModel:
        installed = self.library.locate(self.settings.ai.embed_model)
        digest = "+".join(sorted(installed.digests.values()))
        spec = OnnxEmbeddingSpec.of(installed.spec, installed.folder, files_digest=digest)
        model = OnnxEmbeddingModel(spec, threads=self.threads)
        self._stack.callback(model.close)
        return model

    @cached_property
    def embedding(self) -> EmbeddingService:
        """The embedding service.

        Raises:
            ModelMissingError: The embedding model is not installed.
        """
        model = self._embedding_model
        cache = open_embedding_cache(self.home.embeddings, clock=self.clock)
        self._stack.callback(cache.close)
        return EmbeddingService(model, cache, limiter=self._limiter)

    @cached_property
    def pair_reranker(self) -> PairReranker:
        """The reranker with a model of its own.

        Raises:
            ModelMissingError: The model is not installed.
        """
        installed = self.library.locate(self.settings.ai.rerank_model)
        model = OnnxReranker(OnnxRerankerSpec.of(installed.spec, installed.folder), threads=self.threads)
        self._stack.callback(model.close)
        return PairReranker(model, limiter=self._limiter, clock=self.clock)

    @cached_property
    def tokens(self) -> SqliteTokenStore:
        """Token vectors of the memory's records; the file is opened when it is first used."""
        tokens = SqliteTokenStore(self.home.db(self.settings) / "tokens.sqlite", clock=self.clock)
        self._stack.callback(tokens.close)
        return tokens

    @cached_property
    def redactor(self) -> KingfisherRedactor:
        """What finds secrets; its rules are loaded for the first text that may hold one."""
        return KingfisherRedactor(Path(os.environ.get(RULES_CACHE) or self.home.cache / "secret-rules"))

    def reranker(self, interaction: LateInteraction) -> Reranker | None:
        """Return the configured reranker, None for none.

        Raises:
            ConfigError: There is no such reranker.
        """
        name = self.settings.ai.rerank_model
        if name == NO_RERANKER:
            return None
        if name == LATE_INTERACTION:
            return interaction
        if name in self.library.registry and self.library.registry.get(name).kind is Kind.RERANKER:
            return LatePairReranker(self)
        known = [spec.id for spec in self.library.registry if spec.kind is Kind.RERANKER]
        raise ConfigError(
            f"ai.rerank_model is {name!r}, which is no reranker",
            hint=f"use {', '.join([LATE_INTERACTION, *known])} or {NO_RERANKER}",
        )

    async def store(self) -> "JournaledStore":
        """Return the record store, opened once."""
        async with self._opening:
            if self._store is None:
                store = await open_store(self.home.db(self.settings), read_indexes(self.settings))
                self._stack.push_async_callback(store.aclose)
                self._store = store
            return self._store

    async def memory(self) -> MemoryService:
        """Return the memory, opened once."""
        store = await self.store()
        if self._memory is None:
            self._memory = self._memory_over(store, self.tokens, self.bus)
            if await SqliteErasures(store.database).unfinished():
                await (await self.forgetting()).finish_quietly()
        return self._memory

    async def forgetting(self) -> Forgetting:
        """Return what forgets everywhere."""
        store, moving = await self.store(), await self.moving()
        return open_forgetting(
            home=self.home,
            store=store,
            database=store.database,
            moving=moving,
            tokens=self.tokens,
            clock=self.clock,
            sink=self.bus,
        )

    async def vacuum(self) -> Vacuum:
        """Return what cleans memory."""
        store, moving = await self.store(), await self.moving()
        return Vacuum(store, moving.lifecycle, await self.forgetting(), self.clock)

    async def moving(self) -> Moving:
        """Return what moves records and remembers how they are used, opened once."""
        store = await self.store()
        if self._moving is None:
            writer = ModelWriter(lambda: self.reader(self.settings.ai.llm_model))
            self._moving = open_moving(
                store,
                store.database,
                settings=self.settings.memory,
                condenser=Distiller(writer, LateEmbedder(self)),
                clock=self.clock,
                sink=self.bus,
                stack=self._stack,
            )
        return self._moving

    def _memory_over(
        self, store: RecordStore, tokens: TokenStore, sink: EventSink, *, rerank_s: float | None = None
    ) -> MemoryService:
        embedder = LateEmbedder(self)
        interaction = LateInteraction(embedder, tokens, self.clock)
        reranker = self.reranker(interaction)
        return MemoryService(
            store,
            embedder,
            reranker,
            clock=self.clock,
            sink=sink,
            redactor=self.redactor,
            interaction=interaction if reranker is interaction else None,
            rerank_s=self.settings.ai.rerank_seconds if rerank_s is None else rerank_s,
        )

    @asynccontextmanager
    async def temporary_memory(self, folder: Path) -> AsyncIterator[MemoryService]:
        """Open a memory of its own in `folder`, with this installation's models and all the time to rerank."""
        async with self._temporary_store(folder) as store:
            with closing(SqliteTokenStore(folder / "tokens.sqlite", clock=self.clock)) as tokens:
                yield self._memory_over(store, tokens, NullSink(), rerank_s=math.inf)

    @cached_property
    def chunker(self) -> SemanticChunker:
        """What cuts files."""
        return SemanticChunker()

    @cached_property
    def watcher(self) -> SystemWatcher:
        """What tells of changed files."""
        return SystemWatcher()

    @cached_property
    def recipes(self) -> Cookbook:
        """Shipped recipes and the user's own."""
        return load_recipes(self.home.recipes)

    @cached_property
    def _models(self) -> ModelPool:
        pool = ModelPool(max_context_tokens=self.settings.ai.max_ctx_tokens, threads=self.threads)
        self._stack.push_async_callback(pool.close)
        return pool

    def reader(self, setting: str) -> LocalReader:
        """Return the language model that a setting means; its files are verified, it is not loaded.

        Raises:
            ModelMissingError: It is not installed.
            ModelBrokenError: It is damaged.
            MissingExtraError: It is a remote one and the extra is not installed.
        """
        if setting.startswith(OPENAI_PREFIX):
            require_extra("remote-openai")
            raise ConfigError("remote models cannot answer yet", hint="use a local model")
        installed = self.library.locate_llm(setting)

        async def load() -> LanguageModel:
            known = bool(installed.digests)
            return await self._models.get(installed.weights, name=installed.spec.id, verified=known)

        rates = open_prefill_rates(self.home.state / "prefill.json", threads=self.threads)
        return LocalReader(installed, load, rates, self.library, prefill_seconds=self.settings.ai.prefill_seconds)

    async def asking(self) -> Asking:
        """Return what answers questions."""

        async def ingest(paths: Sequence[Path], project: str, *, allow_secrets: bool) -> IngestReport:
            return await (await self.ingestor()).ingest(self.selection(paths, project, allow_secrets=allow_secrets))

        return Asking(
            memory=await self.memory(),
            reader_of=self.reader,
            ingest=ingest,
            attachments=Attachments(LateEmbedder(self), self.chunker),
            sessions=Sessions(self.home.sessions, self.clock),
            planner=Planner(self.recipes),
            journal=MemoryJournal(),
            bus=self.bus,
            clock=self.clock,
            settings=self.settings,
        )

    async def ingestor(self) -> Ingestor:
        """Return what reads files into memory."""
        memory = await self.memory()
        shelf = Shelf(memory, await self.store(), self.clock)
        tree, documents = DiskTree((self.home.root,)), DocumentConverter()
        return Ingestor(shelf, tree, self.chunker, documents=documents, clock=self.clock, sink=self.bus)

    def selection(self, paths: Sequence[Path], project: str | None, *, allow_secrets: bool = False) -> Selection:
        """Return what an ingestion of `paths` reads, by the configured patterns."""
        given = self.settings.ingest
        return Selection(
            paths=tuple(paths),
            project=project or self.settings.project,
            include=given.include,
            exclude=given.exclude,
            allow_secrets=allow_secrets,
        )

    def bench(self) -> Bench:
        """Return what measures recall."""
        return Bench(self.temporary_memory, self.clock)

    def latency_bench(self) -> LatencyBench:
        """Return what measures how long searches take."""
        return LatencyBench(
            self._temporary_store,
            open_plain_lance,
            LateEmbedder(self),
            clock=self.clock,
            resident_bytes=resident_bytes,
        )

    @asynccontextmanager
    async def _temporary_store(self, folder: Path) -> AsyncIterator[RecordStore]:
        async with aclosing(await open_store(folder, read_indexes(self.settings))) as store:
            yield store
