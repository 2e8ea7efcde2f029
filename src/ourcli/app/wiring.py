"""The composition root: the only place that joins implementations to ports.

Parts are made when they are first asked for, so that listing models never opens a store and listing records
never loads a model. Whatever has a lifetime goes onto the one exit stack.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import CapacityLimiter, to_thread

from ourcli.ai.backends.embedding_cache import open_embedding_cache
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.backends.rates_file import open_prefill_rates
from ourcli.ai.backends.this_machine import physical_cores
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.llm import ModelPool
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.ports import LanguageModel
from ourcli.ai.rerank import LateInteractionReranker
from ourcli.app.asking import Asking
from ourcli.app.attachments import Attachments
from ourcli.app.benching import Bench
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
from ourcli.memory.backends.secrets import KingfisherRedactor
from ourcli.memory.backends.documents import DocumentConverter
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.backends.walker import DiskTree
from ourcli.memory.backends.watcher import SystemWatcher
from ourcli.memory.ingest.ingestor import Ingestor
from ourcli.memory.ingest.report import Selection
from ourcli.memory.ports import RecordStore
from ourcli.memory.service import MemoryService
from ourcli.memory.shelf import Shelf
from ourcli.memory.vectors import Matrix, Vector

if TYPE_CHECKING:
    from ourcli.memory.backends.journaled_store import JournaledStore

OPENAI_PREFIX = "openai:"
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


class LateReranker:
    """The reranker over the embedder's own model."""

    def __init__(self, rooms: "Rooms") -> None:
        self._rooms = rooms

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one relevance a text."""
        return await self._rooms.late_interaction.score(query, texts)


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
        self._store: RecordStore | None = None
        self._memory: MemoryService | None = None

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
        cache = open_embedding_cache(self.home.cache / "embeddings.sqlite", clock=self.clock)
        self._stack.callback(cache.close)
        return EmbeddingService(model, cache, limiter=self._limiter)

    @cached_property
    def late_interaction(self) -> LateInteractionReranker:
        """The default reranker."""
        return LateInteractionReranker(self._embedding_model, limiter=self._limiter)

    @cached_property
    def redactor(self) -> KingfisherRedactor:
        """What finds secrets; its rules are loaded for the first text that may hold one."""
        return KingfisherRedactor(Path(os.environ.get(RULES_CACHE) or self.home.cache / "secret-rules"))

    def reranker(self) -> LateReranker | None:
        """Return the configured reranker, None for none.

        Raises:
            ConfigError: It is not one that runs here.
        """
        name = self.settings.ai.rerank_model
        if name == "none":
            return None
        if name == "late-interaction":
            return LateReranker(self)
        raise ConfigError(
            f"ai.rerank_model is {name!r}, which cannot rerank here yet", hint="use late-interaction or none"
        )

    async def store(self) -> RecordStore:
        """Return the record store, opened once."""
        async with self._opening:
            if self._store is None:
                store = await open_store(self.home.db(self.settings))
                self._stack.push_async_callback(store.aclose)
                self._store = store
            return self._store

    async def memory(self) -> MemoryService:
        """Return the memory, opened once."""
        store = await self.store()
        if self._memory is None:
            self._memory = self._memory_over(store, self.bus)
        return self._memory

    def _memory_over(self, store: RecordStore, sink: EventSink) -> MemoryService:
        return MemoryService(
            store, LateEmbedder(self), self.reranker(), clock=self.clock, sink=sink, redactor=self.redactor
        )

    @asynccontextmanager
    async def temporary_memory(self, folder: Path) -> AsyncIterator[MemoryService]:
        """Open a memory of its own in `folder`, with this installation's models."""
        async with aclosing(await open_store(folder)) as store:
            yield self._memory_over(store, NullSink())

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
            sessions=Sessions(self.home.state / "sessions.json", self.clock),
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


async def open_store(folder: Path) -> "JournaledStore":
    """Open the record store in `folder`; the caller closes it."""
    # deferred: importing LanceDB takes 1 to 3 s, and the language model loads meanwhile in its own thread
    opening = await to_thread.run_sync(_opening)
    return await opening(folder)


def _opening() -> Callable[[Path], Awaitable["JournaledStore"]]:
    from ourcli.memory.backends.journaled_store import open_journaled  # deferred: see open_store

    return open_journaled
