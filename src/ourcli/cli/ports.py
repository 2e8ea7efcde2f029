"""What the command line needs of the facade. `ourcli.app.service.Service` is it; tests use a fake."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ourcli.app.requests import Answer, AskRequest, ExportedRecord, IngestReport, NewRecord
from ourcli.common.events import EventSink
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query, SearchResult
from ourcli.memory.record import Record
from ourcli.memory.stored import Stored

if TYPE_CHECKING:
    from ourcli.ai.models.library import ModelStatus, PlannedDownload
    from ourcli.app.bench.benching import RetrievalReport
    from ourcli.app.bench.latency_report import LatencyReport
    from ourcli.app.doctor import Check
    from ourcli.app.memory.vacuuming import Vacuumed
    from ourcli.cli.ports_lifecycle import Lifecycle
    from ourcli.cli.ports_mcp import McpServers
    from ourcli.cli.ports_tools import Tools
    from ourcli.config.settings import Settings
    from ourcli.core.recipe import Cookbook
    from ourcli.memory.ports import LayerStats


class Facade(Protocol):
    """Everything that commands ask for."""

    @property
    def settings(self) -> "Settings":
        """The settings in force; `project` is the one that an option or a project file names."""
        ...

    @property
    def lifecycle(self) -> "Lifecycle":
        """How records move, why, and how a move is taken back."""
        ...

    @property
    def mcp(self) -> "McpServers":
        """The MCP servers that the user added."""
        ...

    @property
    def tools(self) -> "Tools":
        """Every tool, and the plugins they come from."""
        ...

    async def examine(self) -> "Sequence[Check]":
        """Look at everything that ourcli stands on."""
        ...

    async def repair(self) -> Sequence[str]:
        """Mend what can be mended; return what was done, a line each."""
        ...

    async def ask(self, request: AskRequest, listen: EventSink = ...) -> Answer:
        """Recall, generate, remember."""
        ...

    async def plan(self, request: AskRequest) -> Mapping[str, object]:
        """Return the plan as JSON data and run nothing."""
        ...

    async def recipes(self) -> "Cookbook":
        """Return shipped and own recipes, and what is wrong with broken files."""
        ...

    async def new_recipe(self, name: str) -> Path:
        """Write a recipe to start from into the user's folder; an existing one is refused."""
        ...

    async def add(self, records: Sequence[NewRecord], listen: EventSink = ..., *, allow_secrets: bool = ...) -> Stored:
        """Store records without their secrets, or with them when told so."""
        ...

    async def search(self, query: Query) -> SearchResult:
        """Search memory."""
        ...

    async def get(self, record_id: str) -> Record:
        """Return one record."""
        ...

    async def records(self, where: Filter, limit: int | None) -> list[Record]:
        """Return records, newest first."""
        ...

    async def forget(
        self, ids: Sequence[str] = ..., session: str | None = ..., *, cascade: bool = ...
    ) -> tuple[str, ...]:
        """Forget records by id, or all of a session, and with `cascade` what was made from them; return the ids."""
        ...

    async def vacuum(self, listen: EventSink = ...) -> "Vacuumed":
        """Flush, expire, compact, index, and make the bytes go of all that was forgotten."""
        ...

    async def memory_stats(self) -> "Mapping[Layer, LayerStats]":
        """Return size and health of each layer."""
        ...

    def export(self, where: Filter, *, redact: bool = ...) -> AsyncIterator[ExportedRecord]:
        """Yield records with their vectors, or without both secrets and vectors."""
        ...

    async def reembed(self, listen: EventSink = ...) -> int:
        """Embed every record again with the configured model; return how many."""
        ...

    async def ingest(
        self, paths: Sequence[Path], project: str | None, listen: EventSink = ..., *, allow_secrets: bool = ...
    ) -> IngestReport:
        """Read files into memory, without the secrets in them unless told so."""
        ...

    def watch(
        self, paths: Sequence[Path], project: str | None, listen: EventSink, *, allow_secrets: bool = ...
    ) -> AbstractAsyncContextManager[AsyncIterator[IngestReport]]:
        """Ingest, and again whenever files change."""
        ...

    async def setup_plan(self, llm: str | None, small: bool) -> "Sequence[PlannedDownload]":  # noqa: FBT001
        """Return what `setup` would fetch; empty when everything is here."""
        ...

    async def setup(self, llm: str | None, small: bool, listen: EventSink = ...) -> "Sequence[ModelStatus]":  # noqa: FBT001
        """Fetch what `setup_plan` names (the user agreed), note the choice, return the models in use."""
        ...

    async def models(self) -> "Sequence[ModelStatus]":
        """Return the registry."""
        ...

    async def pull(self, model: str, listen: EventSink = ...) -> "ModelStatus":
        """Fetch and verify a model."""
        ...

    async def verify(self) -> "Sequence[ModelStatus]":
        """Check the digests of every installed model."""
        ...

    async def use(self, model: str) -> "ModelStatus":
        """Make a model the configured one of its kind."""
        ...

    async def remove(self, model: str) -> "ModelStatus":
        """Delete a model's files."""
        ...

    async def bench_retrieval(
        self, corpus: Path, queries: Path, rerank: int, listen: EventSink = ...
    ) -> "RetrievalReport":
        """Measure recall in a temporary store."""
        ...

    async def bench_latency(
        self, rows: int, corpus: Path | None, searches: int, listen: EventSink = ...
    ) -> "LatencyReport":
        """Measure searches in temporary stores of `rows` records."""
        ...

    def events(self, since: datetime | None, follow: bool) -> AsyncIterator[Mapping[str, object]]:  # noqa: FBT001
        """Yield logged events, oldest first; go on with new ones when told to follow."""
        ...
