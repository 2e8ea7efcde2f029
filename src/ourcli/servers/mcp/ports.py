"""What the MCP server needs of the facade. `ourcli.app.service.Service` is it; tests use a fake."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ourcli.app.desks.tools import Calling, ToolEntry, ToolShelf
    from ourcli.app.requests import IngestReport, NewRecord
    from ourcli.common.events import EventSink
    from ourcli.config.settings import Settings
    from ourcli.core.recipe import Cookbook
    from ourcli.memory.lifecycle.outcome import Explained
    from ourcli.memory.query import Filter, Query, SearchResult
    from ourcli.memory.record import Record
    from ourcli.memory.stored import Stored
    from ourcli.tools.data import JsonObject
    from ourcli.tools.ports import ToolResult


class Lifecycle(Protocol):
    """Where records came from."""

    async def why(self, record_id: str) -> "Explained":
        """Return where a record came from and every move that touched it."""
        ...


class Tools(Protocol):
    """Every tool: built-in, of plugins, of other MCP servers."""

    async def all(self) -> "ToolShelf":
        """Return every tool, and what is wrong with those that cannot be used."""
        ...

    async def show(self, name: str) -> "ToolEntry":
        """Return one tool."""
        ...

    async def call(
        self,
        name: str,
        input: "JsonObject",  # noqa: A002
        listen: "EventSink" = ...,
        calling: "Calling" = ...,
    ) -> "ToolResult":
        """Call a tool once, with the grants in force, and remember the call; nobody is asked."""
        ...

    async def unattended(self, name: str) -> bool:
        """Say whether the policy gives a tool's origin any right."""
        ...


class Facade(Protocol):
    """What the server asks for."""

    @property
    def settings(self) -> "Settings":
        """The settings in force; `project` is whose memory is served."""
        ...

    @property
    def lifecycle(self) -> Lifecycle:
        """Where records came from."""
        ...

    @property
    def tools(self) -> Tools:
        """Every tool."""
        ...

    async def add(
        self, records: "Sequence[NewRecord]", listen: "EventSink" = ..., *, allow_secrets: bool = ...
    ) -> "Stored":
        """Store records without their secrets."""
        ...

    async def search(self, query: "Query") -> "SearchResult":
        """Search memory."""
        ...

    async def get(self, record_id: str) -> "Record":
        """Return one record, which counts as used."""
        ...

    async def records(self, where: "Filter", limit: int | None) -> "list[Record]":
        """Return records, newest first."""
        ...

    async def ingest(
        self, paths: Sequence[Path], project: str | None, listen: "EventSink" = ..., *, allow_secrets: bool = ...
    ) -> "IngestReport":
        """Read files into memory."""
        ...

    async def recipes(self) -> "Cookbook":
        """Return shipped and own recipes."""
        ...
